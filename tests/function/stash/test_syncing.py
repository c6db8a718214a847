from collections.abc import Iterator

import pytest

from db.decisions import Decision
from db.galleries import GalleryChange, Store
from db.ledgers import Ledger
from db.records import Identity
from function.imports.finders import EngineFinder
from function.sources.records import UnusableSourceError
from function.stash.client import Stash
from function.stash.following import GONE, MERGED, follow, take_over
from function.stash.forgotten import is_forgotten
from function.stash.synced import Synced, SyncOptions
from function.stash.syncing import run, sync
from tests.support.engines import QuickEngine, made_up_photo
from tests.support.galleries import encoding, made_up_vector, performer
from tests.support.ledgers import made_up_person, scan_one
from tests.support.stash_server import Answer, FakeStash

BOX = "https://stashdb.org/graphql"
OLD = "stash http://localhost:9999"


@pytest.fixture
def gallery(store: Store) -> Iterator[GalleryChange]:
    with store.changing(create=True) as opened:
        yield opened


def done_by(
    fake: FakeStash, store: Store, ledger: Ledger | None = None, **options: object
) -> Synced:
    chosen = SyncOptions(**options)  # type: ignore[arg-type]
    stash = Stash(fake.url, "right")
    steps = sync(stash, store, ledger, EngineFinder(QuickEngine()), options=chosen)
    return run(steps, lambda _: None)


def names(store: Store) -> dict[str, set[Identity]]:
    with store.gallery() as opened:
        return {one.name: set(one.identities) for one in opened.performers()}


def photos(store: Store, name: str) -> int:
    with store.gallery() as opened:
        return opened.find_performer(name).encodings


def confirm(ledger: Ledger, *identities: Identity) -> int:
    """Say of a person in a video that it is a performer; return the video."""
    video = scan_one(ledger, 1, made_up_person(1))
    ledger.decide(video, Decision("confirmed", ((0.0, 1.0),), made_up_vector(100), identities))
    return video


def decided(ledger: Ledger, video: int) -> set[Identity]:
    (decision,) = ledger.decisions([video])[video]
    return set(decision.identities)


def test_a_sync_enrols_and_the_next_one_fetches_nothing(fake: FakeStash, store: Store) -> None:
    ada = fake.add_performer("Ada", made_up_photo(1))
    fake.add_image(made_up_photo(2), [ada])
    fake.add_performer("Nobody")
    done = done_by(fake, store)
    assert (done.report.counts()["added"], photos(store, "Ada")) == (1, 2)
    assert names(store) == {"Ada": {Identity("stash", ada)}}
    fetched = len(fake.photo_requests)
    again = done_by(fake, store).report.counts()
    assert (again["unchanged"], again["added"], len(fake.photo_requests)) == (2, 0, fetched)


def test_a_picture_tagged_later_is_enrolled_though_the_performer_did_not_change(
    fake: FakeStash, store: Store
) -> None:
    ada = fake.add_performer("Ada", made_up_photo(1))
    picture = fake.add_image(made_up_photo(2))
    done_by(fake, store)
    fake.edit("images", picture, performers=[ada])
    done_by(fake, store)
    assert photos(store, "Ada") == 2


def test_who_has_no_usable_photo_is_listed_with_the_reason_and_a_link_each_time(
    fake: FakeStash, store: Store
) -> None:
    bare = fake.add_performer("Bare")
    broken = fake.add_performer("Broken", b"no picture")
    for _ in range(2):
        listed = {one.id: one for one in done_by(fake, store).without_photo}
        assert set(listed) == {bare, broken}
        assert listed[bare].page == f"{fake.url}/performers/{bare}"
        assert "no cover in Stash" in listed[bare].reason
        assert listed[broken].reason.startswith("unreadable: not a picture")
    assert len([path for path, _ in fake.photo_requests if broken in path]) == 1


def test_a_new_name_in_stash_is_taken(fake: FakeStash, store: Store) -> None:
    ada = fake.add_performer("Ada", made_up_photo(1))
    done_by(fake, store)
    fake.edit_performer(ada, name="Ada L.")
    done_by(fake, store)
    with store.gallery() as opened:
        (found,) = opened.performers()
    assert (found.name, found.aliases) == ("Ada L.", ())


def test_whom_stash_merged_is_merged_and_decisions_follow(
    fake: FakeStash, store: Store, ledger: Ledger
) -> None:
    kept = fake.add_performer("Ada", made_up_photo(1))
    absorbed = fake.add_performer("Countess", made_up_photo(2))
    done_by(fake, store, ledger)
    video = confirm(ledger, Identity("stash", absorbed))
    fake.merge_performers(kept, absorbed)
    assert done_by(fake, store, ledger).followed.merged == 1
    assert names(store) == {"Ada": {Identity("stash", kept), Identity(MERGED, absorbed)}}
    assert photos(store, "Ada") == 2
    assert Identity("stash", kept) in decided(ledger, video)
    assert done_by(fake, store, ledger).followed == done_by(fake, store, ledger).followed


def test_who_is_deleted_in_stash_is_detached_and_comes_back_with_a_backup(
    fake: FakeStash, store: Store, ledger: Ledger
) -> None:
    ada, _ = fake.add_performer("Ada", made_up_photo(1)), fake.add_performer("E", made_up_photo(2))
    done_by(fake, store, ledger)
    video = confirm(ledger, Identity("stash", ada))
    (entry,) = [one for one in fake.performers if str(one["id"]) == ada]
    fake.delete_performer(ada)
    assert done_by(fake, store, ledger).followed.detached == 1
    assert names(store)["Ada"] == {Identity(GONE, ada)} <= decided(ledger, video)
    assert photos(store, "Ada") == 1
    fake.performers.append(entry)
    assert done_by(fake, store, ledger).followed.returned == 1
    assert names(store)["Ada"] == {Identity("stash", ada)} <= decided(ledger, video)


@pytest.mark.parametrize("count", [2, 8])
def test_a_stash_that_was_made_anew_changes_nothing_unless_that_is_meant(
    fake: FakeStash, store: Store, count: int
) -> None:
    for number in range(count):
        fake.add_performer(f"P{number}", made_up_photo(number))
    done_by(fake, store)
    before = names(store)
    numbers = [str(one["id"]) for one in fake.performers]
    for place, number in enumerate(numbers):
        fake.edit_performer(number, name=f"P{(place + 1) % count}")
        cover = fake.photos[f"/performer/{number}/image"]
        cover.body = made_up_photo((place + 1) % count)
    with pytest.raises(
        UnusableSourceError, match=f"{count} of {count} performers have another name"
    ):
        done_by(fake, store)
    assert names(store) == before
    assert done_by(fake, store, accept_missing=True).report.counts()["updated"] == count
    some = numbers[: min(5, count - 1)]
    for number in some:
        fake.edit_performer(number, name=f"New {number}")
    updated = done_by(fake, store).report.counts()["updated"]
    assert updated == len(some), "some may get another name"


def test_another_stash_takes_nobody_away_unless_that_is_meant(
    fake: FakeStash, store: Store
) -> None:
    for number in range(8):
        fake.add_performer(f"P{number}", made_up_photo(number))
    done_by(fake, store)
    fake.performers[:] = fake.performers[:1]
    done = done_by(fake, store)
    assert done.followed.detached == 0
    assert "may be another one" in done.followed.notes[0]
    assert done_by(fake, store, accept_missing=True).followed.detached == 7


def test_ids_of_a_former_address_get_the_common_name_and_decisions_know_it(
    fake: FakeStash, store: Store, ledger: Ledger
) -> None:
    ada = fake.add_performer("Ada", made_up_photo(1))
    with store.changing(create=True) as opened:
        opened.enrol(performer("ada", ada, source=OLD), [encoding(1)], None)
        opened.enrol(performer("Folder"), [encoding(2)], None)
    video = confirm(ledger, Identity(OLD, ada))
    assert done_by(fake, store, ledger).followed.taken_over == 1
    found = names(store)
    assert found == {"Ada": {Identity("stash", ada)}, "Folder": {Identity("folder", "Folder")}}
    assert Identity("stash", ada) in decided(ledger, video)


def test_one_stash_imported_under_two_addresses_becomes_one(
    fake: FakeStash, gallery: GalleryChange
) -> None:
    number = fake.add_performer("Ada")
    for seed, source in enumerate((OLD, "stash http://stash:9999")):
        gallery.enrol(performer("Ada", number, source=source), [encoding(seed)], None)
    present = {one.id: one for one in Stash(fake.url, "right").performers()}
    assert take_over(gallery, None, present).taken_over == 2
    (ada,) = gallery.performers()
    assert (ada.identities, ada.encodings) == ((Identity("stash", number),), 2)


def test_ids_of_another_stash_stay(fake: FakeStash, gallery: GalleryChange) -> None:
    number = fake.add_performer("Ada")
    gallery.enrol(performer("Somebody else", number, source=OLD), [encoding(1)], None)
    present = {one.id: one for one in Stash(fake.url, "right").performers()}
    followed = follow(gallery, None, present)
    assert "stay as they are" in followed.notes[0]
    assert gallery.performers()[0].identities == (Identity(OLD, number),)


def test_who_was_forgotten_under_a_former_address_stays_so_under_another_name(
    fake: FakeStash, store: Store
) -> None:
    ada = fake.add_performer("Ada", made_up_photo(1))
    with store.changing(create=True) as opened:
        former = performer("Other name", ada, source=f"stash {fake.url}")
        opened.enrol(former, [encoding(1)], None)
        opened.forget(opened.find_performer("Other name"))
    done = done_by(fake, store).report.to_json()
    assert (done["forgotten"], done["added"]) == (["Ada"], 0)
    assert not fake.photo_requests
    with store.gallery() as opened:
        assert not is_forgotten(opened, performer("Eve", "99", source="stash"))


def test_one_bad_record_does_not_end_a_sync(fake: FakeStash, store: Store) -> None:
    fake.add_performer("\n", made_up_photo(1))
    box = [{"endpoint": BOX, "stash_id": one} for one in ("a", "b")]
    with store.changing(create=True) as opened:
        for one in ("a", "b"):
            opened.enrol(performer(one, one, source=BOX), [encoding(ord(one))], None)
    fake.add_performer("Both", made_up_photo(2), stash_ids=box)
    fake.add_performer("Ada", made_up_photo(3))
    done = done_by(fake, store)
    assert done.report.counts()["added"] == 1
    reasons = [one["reason"] for one in done.report.to_json()["refused"]]
    assert reasons[0] == "the name is empty"
    assert "carries ids of" in reasons[1]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("name", ["\n", "x" * 400, "\u200b", "id:3"])
def test_a_bad_name_in_stash_costs_only_itself_wherever_it_stands(
    name: str, place: int, fake: FakeStash, store: Store
) -> None:
    names = ["Ada", "Eve"]
    names.insert(place, name)
    for number, one in enumerate(names):
        fake.add_performer(one, made_up_photo(number))
    done = done_by(fake, store)
    assert done.report.counts()["added"] == 2
    assert len(done.report.to_json()["refused"]) == 1


def test_a_sync_that_breaks_off_keeps_what_is_done_and_the_next_goes_on(
    fake: FakeStash, store: Store
) -> None:
    ada = fake.add_performer("Ada", made_up_photo(1))
    eve = fake.add_performer("Eve", made_up_photo(2))
    fake.photos[f"/performer/{eve}/image"] = Answer(status=503)
    done = done_by(fake, store)
    assert done.report.is_incomplete
    fake.photos[f"/performer/{eve}/image"] = Answer(made_up_photo(2))
    assert done_by(fake, store).report.counts()["added"] == 1
    assert set(names(store)) == {"Ada", "Eve"}
    assert len([path for path, _ in fake.photo_requests if ada in path]) == 1
    fake.api_key = "other"
    with pytest.raises(UnusableSourceError, match="refused the API key"):
        done_by(fake, store)


def test_the_gallery_can_be_changed_by_others_while_photos_are_read(
    fake: FakeStash, store: Store
) -> None:
    fake.add_performer("Ada", made_up_photo(1))

    class Interrupted(EngineFinder):
        def find_faces(self, photo: bytes) -> object:  # type: ignore[override]
            with store.changing(create=True) as opened:
                opened.enrol(performer("Typed meanwhile"), [], None)
            return super().find_faces(photo)

    list(sync(Stash(fake.url, "right"), store, None, Interrupted(QuickEngine())))
    assert set(names(store)) == {"Ada", "Typed meanwhile"}
