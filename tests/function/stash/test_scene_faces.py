from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.addresses import StoreAddress
from db.galleries import Store
from db.ledgers import Ledger
from db.models import EncodingKind
from db.records import Encoding, Identity, Vector
from db.sqlite.store import SqliteStore
from db.stores import open_ledger
from db.videos import Outcome, Scanned
from db.writes import Write
from function.engines.models import PRIMARY, SECOND, SECOND_BEFORE
from function.media.images import encode_jpeg
from function.settings import Settings
from function.stash.client import Stash
from function.stash.paths import Locate
from function.stash.scene_faces import (
    ALONE,
    ELSEWHERE,
    NOBODY,
    OTHER_FACE,
    SOMEBODY_ELSE,
    Learned,
    Lookout,
    hash_of,
    origin_of,
)
from tests.support.crowds import Crowd, make_faces
from tests.support.engines import EngineReader
from tests.support.galleries import performer
from tests.support.ledgers import made_up_video, take, video_file
from tests.support.people import person_of
from tests.support.scans import SquaresEngine, write_squares
from tests.support.stash_server import FakeStash

PICTURE = encode_jpeg(np.zeros((64, 64, 3), np.uint8))


class Place:
    """A Stash, a gallery and a ledger of scanned videos, with made-up people."""

    def __init__(self, fake: FakeStash, folder: Path, ledger: Ledger) -> None:
        self.fake, self.folder, self.ledger = fake, folder, ledger
        self.store: Store = SqliteStore(StoreAddress(str(folder / "g.db")))
        self.store.create()
        self.settings = Settings(sandbox="off", second_encoder="off", media_root=(folder,))
        self.reader = EngineReader(SquaresEngine())
        self.reader.__dict__["second"] = None
        self.crowd = Crowd()
        self.scanned = 0

    def enrol(self, name: str, centre: Vector, number: str = "") -> None:
        source = {"source": "stash", "source_id": number} if number else {}
        photos = [
            Encoding(one, PRIMARY.id, 0.9, f"{name}{row}", "photo")
            for row, one in enumerate(self.crowd.encodings(centre, 3))
        ]
        with self.store.changing() as gallery:
            gallery.enrol(performer(name, **source), photos, None)  # type: ignore[arg-type]

    def scene(
        self,
        performer: str,
        *centres: Vector,
        faces: tuple[int, ...] = (8, 2),
        second: EncodingKind | None = None,
    ) -> str:
        """Add a scene of a performer that was scanned: these people, each with so many faces.

        A `second` net encoded them, too, all alike.
        """
        self.scanned += 1
        file = video_file(self.scanned)
        people = [
            replace(
                person_of(
                    [
                        replace(face, second=np.eye(second.dimensions, dtype="<f4")[0])
                        if second
                        else face
                        for face in make_faces(self.crowd.encodings(one, count, 0.1), 10 * place)
                    ]
                ),
                picture=PICTURE,
            )
            for place, (one, count) in enumerate(zip(centres, faces, strict=False))
        ]
        self.ledger.offer([file], "normal")
        found = made_up_video(*people)
        found = type(found)(**{**vars(found), "left_out": 0})
        outcomes = [Outcome(place, place) for place in range(len(people))]
        models = (PRIMARY.id, *([second.id] if second else []))
        scanned = Scanned("normal", None, models)
        assert self.ledger.finish(take(self.ledger), found, scanned, outcomes, (1, 1))
        return self.fake.add_scene(f"/x/{file.oshash}", oshash=file.oshash, performers=[performer])

    def learn(self, count: int = 3, locate: Locate = lambda _: None) -> Learned:
        stash = Stash(self.fake.url, "right")
        lookout = Lookout(stash, self.store, self.ledger, self.reader, self.settings, locate)
        steps = lookout.learn({one.id: one for one in stash.performers()}, count)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                learned: Learned = end.value
                return learned

    def origins(self, name: str) -> list[str]:
        with self.store.gallery() as gallery:
            found = [one for one in gallery.performers() if one.name == name]
            return [photo.origin for one in found for photo in gallery.photos(one.id)]


@pytest.fixture
def place(fake: FakeStash, tmp_path: Path) -> Iterator[Place]:
    with open_ledger(tmp_path / "l.db") as ledger:
        yield Place(fake, tmp_path, ledger)


def reasons(learned: Learned) -> list[str]:
    return [one.reason for one in learned.refused]


def test_the_face_that_scenes_agree_on_enrols_and_stays_removed_once_removed(
    place: Place,
) -> None:
    ada, face, other = place.fake.add_performer("Ada"), place.crowd.person(), place.crowd.person()
    one, two = place.scene(ada, face, other), place.scene(ada, face)
    assert place.learn() == Learned(2, 1)
    assert (
        place.origins("Ada")
        == [origin_of(one), origin_of(two)]
        == [
            f"stash scene {one}",
            f"stash scene {two}",
        ]
    )
    assert place.learn() == Learned()
    with place.store.changing() as gallery:
        found = gallery.find_performer("Ada")
        assert Identity("stash", ada) in found.identities
        assert gallery.photo_face(found.id, hash_of(one)) == PICTURE
        gallery.remove_photo(found, origin_of(one))
    assert place.learn() == Learned()
    assert place.origins("Ada") == [origin_of(two)]


def test_scenes_that_do_not_agree_or_show_nobody_most_enrol_nobody(place: Place) -> None:
    ada = place.fake.add_performer("Ada")
    faces = [place.crowd.person() for _ in range(4)]
    place.scene(ada, faces[0])
    place.scene(ada, faces[1])
    place.scene(ada, faces[2], faces[3], faces=(8, 7))
    place.fake.add_scene("/nowhere.mp4", performers=[ada])
    assert sorted(reasons(place.learn(5))) == sorted([ALONE, ALONE, NOBODY, ELSEWHERE])
    assert place.origins("Ada") == []


def test_with_photos_one_scene_is_enough_and_another_face_is_refused(place: Place) -> None:
    ada, eve = place.fake.add_performer("Ada"), place.fake.add_performer("Eve")
    ada_face, eve_face, other = (place.crowd.person() for _ in range(3))
    place.enrol("Ada", ada_face, ada)
    place.enrol("Eve", eve_face, eve)
    hers = place.scene(ada, ada_face)
    place.scene(ada, eve_face)
    place.scene(ada, other)
    learned = place.learn()
    assert (learned.scenes, sorted(reasons(learned))) == (1, sorted([SOMEBODY_ELSE, OTHER_FACE]))
    assert origin_of(hers) in place.origins("Ada")


def test_what_we_wrote_and_scenes_of_several_are_not_learned_from(place: Place) -> None:
    ada, eve, face = (
        place.fake.add_performer("Ada"),
        place.fake.add_performer("Eve"),
        place.crowd.person(),
    )
    ours, both = place.scene(ada, face), place.scene(ada, face)
    place.scene(ada, face)
    place.fake.scenes[both]["performers"] = [ada, eve]
    run = place.ledger.writes.begin_run("apply")
    place.ledger.writes.confirm(
        place.ledger.writes.intend(run, [Write("performer", ours, thing=ada)])
    )
    place.ledger.writes.tell(place.scene(ada, face), [], [ada])
    assert reasons(place.learn()) == [ALONE]


def test_scenes_that_another_library_may_have_written_are_not_learned_from(place: Place) -> None:
    ada, face = place.fake.add_performer("Ada"), place.crowd.person()
    for at in ("2026-02-01T00:00:00Z", "2031-01-01T00:00:00Z", "2031-01-01T00:00:00Z"):
        place.fake.scenes[place.scene(ada, face)]["updated_at"] = at
    place.fake.ui["performerRecognition"] = {"another": {"since": "2030-01-01T00:00:00Z"}}
    assert reasons(place.learn()) == [ALONE]
    place.fake.ui.clear()
    assert place.learn() == Learned(3, 1)


def test_a_scene_enrols_the_encodings_of_the_nets_that_scanned_it(place: Place) -> None:
    ada, face = place.fake.add_performer("Ada"), place.crowd.person()
    for second in (SECOND_BEFORE, SECOND_BEFORE, None):
        place.scene(ada, face, second=second)
    assert place.learn() == Learned(3, 1)
    with place.store.gallery() as gallery:
        counts = [gallery.count_photos(one.id) for one in (PRIMARY, SECOND_BEFORE, SECOND)]
    assert counts == [3, 2, 0]


def test_only_as_many_scenes_as_asked_for_are_looked_at(place: Place) -> None:
    ada, face = place.fake.add_performer("Ada"), place.crowd.person()
    for _ in range(4):
        place.scene(ada, face)
    assert place.learn(2) == Learned(2, 1)
    assert place.learn(2) == Learned()
    assert place.learn(3) == Learned(1, 1)


def test_a_scene_that_was_not_scanned_is_looked_into(place: Place) -> None:
    ada = place.fake.add_performer("Ada")
    for name in ("a", "b"):
        path = write_squares(place.folder / f"{name}.mp4", 5, 6, 5, 7, 5, 8, 5)
        place.fake.add_scene(str(path), performers=[ada])
    learned = place.learn(locate=lambda path: path.encode())
    assert (learned.scenes, reasons(learned)) == (2, [])
