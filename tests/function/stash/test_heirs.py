"""A merge that keeps neither name nor stash id is known by what showed them, or asked about."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from db.galleries import Store
from db.ledgers import Ledger
from db.records import Encoding, Identity, Vectors
from function.engines.models import PRIMARY
from function.imports.finders import EngineFinder
from function.media.pictures import RgbImage
from function.stash.client import Stash
from function.stash.following import GONE, MERGED, Followed
from function.stash.heirs import MOST_GONE
from function.stash.scene_faces import origin_of
from function.stash.synced import SyncOptions
from function.stash.syncing import run, sync
from tests.support.engines import QuickEngine, made_up_photo
from tests.support.galleries import encoding, made_up_vector, performer
from tests.support.stash_server import FakeStash


class Engine(QuickEngine):
    """Encodes as the primary model does; of one face each picture a little differently."""

    model = PRIMARY

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        own = [made_up_vector(int(chip[0, 0] @ (1, 256, 65536))) for chip in chips]
        return super().encode(chips) + 0.2 * np.stack(own)


def seen_as(seed: int, origin: str) -> Encoding:
    return replace(encoding(seed, photo_hash=origin, model=PRIMARY.id), origin=origin)


def same_face(seed: int, order: tuple[int, ...] = (2, 1, 0)) -> bytes:
    """Another picture than `made_up_photo(seed)`, in which the quick engine sees the same face.

    Its colours change places, in the `order` given.
    """
    picture = cv2.imdecode(np.frombuffer(made_up_photo(seed), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    encoded: bytes = cv2.imencode(".png", picture[..., list(order)])[1].tobytes()
    return encoded


def followed(fake: FakeStash, store: Store, ledger: Ledger | None = None) -> Followed:
    stash = Stash(fake.url, "right")
    steps = sync(stash, store, ledger, EngineFinder(Engine()), options=SyncOptions())
    return run(steps, lambda _: None).followed


def identities(store: Store) -> dict[str, set[Identity]]:
    with store.gallery() as opened:
        return {one.name: set(one.identities) for one in opened.performers()}


def test_who_is_merged_without_a_word_is_known_by_pictures_that_showed_them_alone(
    fake: FakeStash, store: Store, ledger: Ledger
) -> None:
    kept = fake.add_performer("Ada", made_up_photo(1))
    absorbed = fake.add_performer("Countess", same_face(1))
    fake.add_image(same_face(1, (1, 2, 0)), [absorbed])
    fake.add_performer("Eve", made_up_photo(5))
    followed(fake, store, ledger)
    fake.merge_performers(kept, absorbed, with_values=False)
    done = followed(fake, store, ledger)
    assert (done.merged, done.detached) == (1, 0)
    assert identities(store)["Ada"] == {Identity("stash", kept), Identity(MERGED, absorbed)}
    assert f"Performer {absorbed} of Stash became {kept}" in done.notes[0]
    assert "Countess" not in done.notes[0], "no name reaches Stash's list of tasks"
    assert followed(fake, store, ledger) == Followed()


def test_a_scene_that_enrolled_them_counts_as_a_picture(fake: FakeStash, store: Store) -> None:
    kept, absorbed = fake.add_performer("Ada"), fake.add_performer("Countess")
    scene = fake.add_scene("/a.mp4", performers=[absorbed])
    fake.add_performer("Eve", made_up_photo(5))
    followed(fake, store)
    with store.changing() as gallery:
        seen = seen_as(1, origin_of(scene))
        gallery.enrol(performer("Countess", absorbed, source="stash"), [seen], None)
    fake.merge_performers(kept, absorbed, with_values=False)
    assert followed(fake, store).merged == 1


def test_a_picture_of_another_site_tells_of_no_image_of_stash(
    fake: FakeStash, store: Store
) -> None:
    ada, gone = fake.add_performer("Ada"), fake.add_performer("Countess")
    image = fake.add_image(performers=[ada])
    fake.add_performer("Eve", made_up_photo(5))
    followed(fake, store)
    with store.changing() as gallery:
        seen = seen_as(1, f"https://photos.example/image/{image}/countess.jpg")
        gallery.enrol(performer("Countess", gone, source="stash"), [seen], None)
    fake.delete_performer(gone)
    done = followed(fake, store)
    assert (done.merged, done.detached) == (0, 1)


def test_who_is_deleted_has_no_heir(fake: FakeStash, store: Store) -> None:
    fake.add_performer("Ada", made_up_photo(1))
    gone = fake.add_performer("Countess", made_up_photo(2))
    picture = fake.add_image(made_up_photo(3), [gone])
    eve = fake.add_performer("Eve", made_up_photo(5))
    followed(fake, store)
    fake.delete_performer(gone)
    fake.edit("images", picture, performers=[])
    fake.edit_performer(eve, name="Eve L.")
    done = followed(fake, store)
    assert (done.merged, done.detached, done.notes) == (0, 1, ())


@pytest.mark.parametrize("of", ["another face", "two pictures, one of each"])
def test_pictures_that_were_only_tagged_anew_merge_nobody(
    fake: FakeStash, store: Store, of: str
) -> None:
    ada = fake.add_performer("Ada", made_up_photo(1))
    gone = fake.add_performer("Countess", made_up_photo(2) if of == "another face" else None)
    eve = fake.add_performer("Eve", made_up_photo(5))
    pictures = [fake.add_image(made_up_photo(seed), [gone]) for seed in (3, 4)]
    followed(fake, store)
    fake.delete_performer(gone)
    fake.edit("images", pictures[0], performers=[ada])
    fake.edit("images", pictures[1], performers=[ada if of == "another face" else eve])
    done = followed(fake, store)
    assert (done.merged, done.detached) == (0, 1)
    assert identities(store)["Countess"] == {Identity(GONE, gone)}


def test_who_only_looks_like_somebody_who_changed_is_asked_about(
    fake: FakeStash, store: Store
) -> None:
    kept = fake.add_performer("Ada", made_up_photo(1))
    absorbed = fake.add_performer("Countess", same_face(1))
    fake.add_performer("Eve", made_up_photo(5))
    followed(fake, store)
    numbers = _numbers(store)
    fake.merge_performers(kept, absorbed, with_values=False)
    done = followed(fake, store)
    assert (done.merged, done.detached) == (0, 1)
    command = f"python -m tools merge id:{numbers['Ada']} id:{numbers['Countess']}"
    assert f"Performer {absorbed} is gone from Stash, and looks like {kept}" in done.notes[0]
    assert command in done.notes[0]
    assert followed(fake, store).notes == ()


def test_who_looks_like_somebody_who_did_not_change_is_not_asked_about(
    fake: FakeStash, store: Store
) -> None:
    fake.add_performer("Ada", made_up_photo(1))
    gone = fake.add_performer("Countess", same_face(1))
    fake.add_performer("Eve", made_up_photo(5))
    followed(fake, store)
    fake.delete_performer(gone)
    assert followed(fake, store).notes == ()


def test_stash_is_not_asked_about_each_where_very_many_are_gone(
    fake: FakeStash, store: Store
) -> None:
    stays = [fake.add_performer(f"S{number}") for number in range(3)]
    with store.changing(create=True) as gallery:
        for number in range(MOST_GONE + 1):
            picture = fake.add_image(made_up_photo(number), [stays[0]])
            seen = seen_as(number, f"{fake.url}/image/{picture}/image")
            gallery.enrol(performer(f"P{number}", f"9{number}", source="stash"), [seen], None)
    followed(fake, store)
    assert not [one for one in fake.queries if "findImage(" in one["query"]]


def _numbers(store: Store) -> dict[str, int]:
    with store.gallery() as opened:
        return {one.name: one.id for one in opened.performers()}
