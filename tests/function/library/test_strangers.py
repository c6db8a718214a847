"""Unknown people of many videos are one stranger each, and stay so."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from db.blobs import to_blob
from db.corrections import Correction
from db.errors import StrangerNotFoundError
from db.people import Link, PersonFound
from db.sqlite import ledger_strangers
from db.sqlite.ledger import SqliteLedger
from db.stores import open_ledger
from db.strangers import Joined, Newcomer, Place, Stranger
from db.videos import Outcome
from function.library.forgetting import forget_old_strangers, forget_strangers, open_library
from function.library.rematching import rematch
from function.library.strangers import by_videos, describe, place_strangers
from function.setting_kinds import days_of
from tests.support.stranger_libraries import MadeUpLibrary

HASHES = tuple(f"Grace Hopper {number}" for number in range(3))
"""Of the photos with which the library enrols."""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[MadeUpLibrary]:
    made = MadeUpLibrary(tmp_path)
    yield made
    made.ledger.close()


def place(library: MadeUpLibrary) -> dict[int, list[tuple[int, int]]]:
    """Group everyone, and return where each stranger is seen."""
    naming = library.naming()
    for _ in rematch(library.ledger, naming):
        pass
    place_strangers(library.ledger, naming)
    return {
        one.id: [(video, position) for video, position in one.places] for one in strangers(library)
    }


def strangers(library: MadeUpLibrary) -> list[Stranger]:
    return library.ledger.strangers.everyone()


def test_the_same_man_in_twenty_videos_is_one_and_others_are_others(
    library: MadeUpLibrary,
) -> None:
    man, woman = library.crowd.person(), library.crowd.person()
    for number in range(20):
        people = [library.seen(man)]
        people += [library.seen(woman)] if number % 2 else [library.seen(library.crowd.person())]
        library.add_video(people)
    found = place(library)
    assert sorted((len(places) for places in found.values()), reverse=True) == [20, 10, *[1] * 10]
    assert [len(one.places) for one in by_videos(strangers(library))[:2]] == [20, 10]


def test_two_people_of_one_frame_are_never_one_however_alike(library: MadeUpLibrary) -> None:
    man = library.crowd.person()
    library.add_video([library.seen(man, first_frame=0), library.seen(man, first_frame=3)])
    assert len(place(library)) == 2
    apart = [library.seen(man, first_frame=0), library.seen(man, first_frame=10)]
    library.add_video(apart)
    assert sorted(map(len, place(library).values())) == [1, 3]


def test_fragments_are_part_of_whom_they_were_joined_to(library: MadeUpLibrary) -> None:
    man, turned = library.crowd.person(), library.crowd.person()
    other = library.seen(man, first_frame=8)
    people = [library.seen(man, first_frame=0), library.seen(turned, 4, 6), other]
    library.add_video(people, links=(Link(0.4, 0, 1),))
    # The fragment is placed nowhere of its own, and keeps apart whoever shares a frame with it.
    assert sorted(place(library).values()) == [[(1, 0)], [(1, 2)]]
    assert forget_strangers(library.ledger) == 3
    assert traces(library, people[1]) == 0
    assert library.ledger.records([1])[0].left_out == 2


def test_those_of_one_frame_stay_two_when_a_third_video_might_join_them(
    library: MadeUpLibrary,
) -> None:
    man = library.crowd.person()
    library.add_video([library.seen(man, first_frame=0), library.seen(man, first_frame=3)])
    before = place(library)
    for _ in range(3):
        library.add_video([library.seen(man)])
        assert set(place(library)) == set(before)


def test_what_was_grouped_stays_when_videos_come_one_by_one(library: MadeUpLibrary) -> None:
    people = [library.crowd.person() for _ in range(5)]
    ids: set[int] = set()
    for _ in range(4):
        for person in people:
            library.add_video([library.seen(person)])
            found = place(library)
            assert ids <= set(found)
            ids = set(found)
    assert [len(places) for places in found.values()] == [4] * 5


def test_nobody_is_placed_twice(library: MadeUpLibrary) -> None:
    library.add_video([library.seen(library.crowd.person())])
    naming = library.naming()
    assert place_strangers(library.ledger, naming) == 1
    assert place_strangers(library.ledger, naming) == 0


def test_two_processes_that_group_at_once_leave_everyone_once(library: MadeUpLibrary) -> None:
    library.add_video([library.seen(library.crowd.person())])
    ledger = library.ledger.strangers
    unplaced = ledger.unplaced()
    place_strangers(library.ledger, library.naming())
    (known,) = ledger.placements()
    late = [Newcomer(row, where, known.template) for row, where in unplaced]
    ledger.join([Joined(None, (), tuple(late))])
    assert [one.id for one in strangers(library)] == [known.stranger]


def test_a_person_known_from_weak_faces_only_is_nobody_else(library: MadeUpLibrary) -> None:
    man = library.crowd.person()
    library.add_video([weak(library.seen(man))])
    library.add_video([weak(library.seen(man))])
    assert len(place(library)) == 2


def test_people_known_from_weak_faces_only_stay_who_they_are_when_scanned_again(
    library: MadeUpLibrary,
) -> None:
    man, other = library.crowd.person(), library.crowd.person()
    video = library.add_video([weak(library.seen(man)), weak(library.seen(other))])
    library.add_video([weak(library.seen(man))])
    (first, second, third) = place(library)
    library.scan_again(video, [weak(library.seen(other)), weak(library.seen(man))])
    expected = {first: [(1, 1)], second: [(1, 0)], third: [(2, 0)]}
    assert place(library) == expected
    library.scan_again(video, [weak(library.seen(man)), weak(library.seen(library.crowd.person()))])
    after = place(library)
    assert after[first] == [(1, 0)]
    assert second not in after


def weak(person: PersonFound) -> PersonFound:
    views = tuple(replace(view, weaknesses=("blurred",)) for view in person.views)
    return replace(person, views=views)


def test_a_stranger_keeps_the_id_when_a_video_is_scanned_again(library: MadeUpLibrary) -> None:
    man, other = library.crowd.person(), library.crowd.person()
    video = library.add_video([library.seen(man), library.seen(other)])
    (first, second) = place(library)
    library.ledger.strangers.ignore(second, ignored=True)
    library.scan_again(video, [library.seen(other), library.seen(man)])
    assert place(library) == {first: [(video, 1)], second: [(video, 0)]}
    assert [one.ignored for one in strangers(library)] == [False, True]
    assert all(one.sighting for one in library.ledger.strangers.placements())


def test_nothing_is_kept_of_somebody_whom_a_later_scan_does_not_find(
    library: MadeUpLibrary,
) -> None:
    video = library.add_video([library.seen(library.crowd.person())])
    place(library)
    library.scan_again(video, [])
    assert place(library) == {}
    assert library.ledger.strangers.placements() == []


def test_joining_by_hand_loses_nobody_who_was_scanned_again(library: MadeUpLibrary) -> None:
    people = [library.crowd.person() for _ in range(3)]
    for person in people:
        library.add_video([library.seen(person)])
    first, second, third = place(library)
    library.scan_again(3, [library.seen(people[2])])
    library.ledger.strangers.join([Joined(first, (second,), ())])
    assert place(library) == {first: [(1, 0), (2, 0)], third: [(3, 0)]}


def test_nothing_is_kept_of_a_stranger_who_is_named(library: MadeUpLibrary) -> None:
    man, other = library.crowd.person(), library.crowd.person()
    library.add_video([library.seen(man), library.seen(other)])
    library.add_video([library.seen(man)])
    (named, left) = place(library)
    library.enrol("Grace Hopper", man)
    assert list(place(library)) == [left]
    assert [one.stranger for one in library.ledger.strangers.placements()] == [left]
    with pytest.raises(StrangerNotFoundError, match=f"no stranger {named}"):
        library.ledger.strangers.find(named)


def test_who_was_ignored_or_split_is_so_again_after_a_name_was_taken_back(
    library: MadeUpLibrary,
) -> None:
    man = library.crowd.person()
    for _ in range(3):
        library.add_video([library.seen(man)])
    (whole,) = place(library)
    library.ledger.strangers.ignore(whole, ignored=True)
    new = library.ledger.strangers.split(whole, [Place(2, 0)])
    before = place(library)
    assert before == {whole: [(1, 0), (3, 0)], new: [(2, 0)]}
    number = library.enrol("Grace Hopper", man)
    assert place(library) == {}
    with library.store.changing() as gallery:
        gallery.undo(Correction(gallery.performer(number), created=True, photo_hashes=HASHES))
    assert place(library) == before
    assert {one.id: one.ignored for one in strangers(library)}[whole]
    assert library.ledger.strangers.apart() == [(whole, new)]
    assert library.ledger.strangers.once() == {}


def test_who_comes_back_is_one_with_those_who_came_meanwhile(library: MadeUpLibrary) -> None:
    man = library.crowd.person()
    library.add_video([library.seen(man)])
    (first,) = place(library)
    library.ledger.strangers.ignore(first, ignored=True)
    library.ledger.put_outcomes({1: [Outcome(0, 0, 1, 99.0, "match")]}, (1, 1))
    place_strangers(library.ledger, library.naming())
    assert strangers(library) == []
    library.add_video([library.seen(man)])
    place_strangers(library.ledger, library.naming())
    assert len(strangers(library)) == 1
    assert place(library) == {first: [(1, 0), (2, 0)]}
    assert [one.ignored for one in strangers(library)] == [True]


def test_who_is_no_longer_named_is_a_stranger_again(library: MadeUpLibrary) -> None:
    man = library.crowd.person()
    number = library.enrol("Grace Hopper", man)
    library.add_video([library.seen(man)])
    assert place(library) == {}
    with library.store.changing() as gallery:
        gallery.forget(gallery.performer(number))
    assert len(place(library)) == 1


def test_whom_the_user_split_is_never_joined_again(library: MadeUpLibrary) -> None:
    man = library.crowd.person()
    for _ in range(3):
        library.add_video([library.seen(man)])
    (whole,) = place(library)
    new = library.ledger.strangers.split(whole, [Place(2, 0)])
    assert place(library) == {whole: [(1, 0), (3, 0)], new: [(2, 0)]}
    library.scan_again(2, [library.seen(man)])
    for _ in range(3):
        library.add_video([library.seen(man)])
        assert set(place(library)) == {whole, new}


def test_a_split_can_be_taken_back(library: MadeUpLibrary) -> None:
    man = library.crowd.person()
    for _ in range(2):
        library.add_video([library.seen(man)])
    (whole,) = place(library)
    new = library.ledger.strangers.split(whole, [Place(2, 0)])
    library.ledger.strangers.join([Joined(whole, (new,), ())])
    assert place(library) == {whole: [(1, 0), (2, 0)]}
    assert library.ledger.strangers.apart() == []


def test_who_is_apart_from_one_stays_apart_from_whoever_that_one_becomes(
    library: MadeUpLibrary,
) -> None:
    man = library.crowd.person()
    library.add_video([library.seen(library.crowd.person())])
    for _ in range(2):
        library.add_video([library.seen(man)])
    first, second = place(library)
    ledger = library.ledger.strangers
    new = ledger.split(second, [Place(3, 0)])
    ledger.join([Joined(first, (second,), ())])
    assert ledger.apart() == [(first, new)]
    ledger.split(first, [Place(1, 0)])
    assert len(ledger.apart()) == 3


def test_the_ignored_stay_so_when_they_are_seen_again(library: MadeUpLibrary) -> None:
    man = library.crowd.person()
    library.add_video([library.seen(man)])
    (number,) = place(library)
    library.ledger.strangers.ignore(number, ignored=True)
    library.add_video([library.seen(man)])
    place(library)
    assert [(one.id, one.ignored, len(one.places)) for one in strangers(library)] == [
        (number, True, 2)
    ]


def test_a_stranger_is_described_by_videos_faces_and_the_best_sighting_first(
    library: MadeUpLibrary,
) -> None:
    man = library.crowd.person()
    library.add_video([weak(library.seen(man))], "weak")
    library.add_video([library.seen(man, faces=4)], "strong")
    found = list(describe(library.ledger, placed(library)))
    assert [(len(one.videos), one.faces) for one in found] == [(1, 6), (1, 4)]
    library.ledger.strangers.join([Joined(1, (2,), ())])
    (one,) = describe(library.ledger, strangers(library))
    assert [sighting.video for sighting in one.sightings] == [2, 1]
    assert [video.paths for video in one.videos] == [(b"/v/weak.mp4",), (b"/v/strong.mp4",)]


def placed(library: MadeUpLibrary) -> list[Stranger]:
    place(library)
    return strangers(library)


def traces(library: MadeUpLibrary, person: PersonFound) -> int:
    """Count what is left of a person in any file of the library."""
    written = library.bytes_on_disk()
    vectors = [to_blob(one) for view in person.views for one in view.encodings]
    templates = [to_blob(one.template.first) for one in library.ledger.strangers.placements()]
    assert not templates or any(one in written for one in templates)
    return sum(trace in written for trace in (person.picture, *vectors))


def test_nothing_of_strangers_is_left_in_any_file_and_the_named_stay(
    library: MadeUpLibrary,
) -> None:
    known, stranger = library.crowd.person(), library.crowd.person()
    library.enrol("Grace Hopper", known)
    people = [library.seen(known), library.seen(stranger)]
    library.add_video(people)
    place(library)
    (template,) = [to_blob(one.template.first) for one in library.ledger.strangers.placements()]
    assert template in library.bytes_on_disk()
    before = [traces(library, one) for one in people]
    assert min(before) > 1
    assert forget_strangers(library.ledger) == 1
    assert traces(library, people[1]) == 0
    assert template not in library.bytes_on_disk()
    assert traces(library, people[0]) == before[0]
    assert strangers(library) == []
    (video,) = library.ledger.records([1])
    assert video.left_out == 1


def test_strangers_older_than_their_days_are_erased_and_no_others(
    library: MadeUpLibrary,
) -> None:
    man = library.crowd.person()
    library.add_video([library.seen(man)])
    place(library)
    assert forget_old_strangers(library.ledger, 90) == 0
    assert forget_old_strangers(library.ledger, days_of("999999999d")) == 0  # once it was let in
    later = datetime.now(UTC) + timedelta(days=91)
    assert forget_old_strangers(library.ledger, 92, later) == 0
    assert len(strangers(library)) == 1
    assert forget_old_strangers(library.ledger, 90, later) == 1
    assert strangers(library) == []


def test_everyone_unknown_is_erased_in_parts_and_what_is_broken_off_is_finished_later(
    library: MadeUpLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_strangers, "VIDEOS_AT_ONCE", 2)
    for _ in range(5):
        library.add_video([library.seen(library.crowd.person()) for _ in range(2)])
    place(library)
    erase_in, parts = ledger_strangers._erase_in, []

    def break_off(*arguments: Any) -> int:
        if len(parts) == 2:
            raise KeyboardInterrupt
        parts.append(erase_in(*arguments))
        return parts[-1]

    monkeypatch.setattr(ledger_strangers, "_erase_in", break_off)
    with pytest.raises(KeyboardInterrupt):
        forget_strangers(library.ledger)
    assert parts == [4, 4], "each is a transaction"
    monkeypatch.undo()
    library.add_video([library.seen(library.crowd.person())])
    with open_library(library.settings.library_db, library.store) as ledger:
        assert not ledger.strangers.is_erasing()
        videos = [one.id for one in ledger.videos()]
        kept = [len(people) for people in ledger.sightings(videos).values()]
        assert kept == [0, 0, 0, 0, 0, 1], "who was seen since stays"
        assert [one.left_out for one in ledger.videos()] == [2, 2, 2, 2, 2, 0]


def test_an_erasure_that_a_reader_holds_up_is_finished_at_the_next_start(
    library: MadeUpLibrary, caplog: pytest.LogCaptureFixture
) -> None:
    library.add_video([library.seen(library.crowd.person())])
    place(library)
    with open_ledger(library.path) as reader:
        assert isinstance(reader, SqliteLedger)
        reader._db.execute("BEGIN")
        reader._db.execute("SELECT count(*) FROM sightings").fetchone()
        library.ledger._db.execute("PRAGMA busy_timeout = 200")
        forget_strangers(library.ledger)
        assert "still reads" in caplog.text
        assert library.ledger.strangers.is_erasing()
        reader._db.execute("ROLLBACK")
    with open_library(library.settings.library_db, library.store) as ledger:
        assert not ledger.strangers.is_erasing()


def test_forgetting_a_performer_leaves_no_template_of_them(library: MadeUpLibrary) -> None:
    man = library.crowd.person()
    library.add_video([library.seen(man)])
    place(library)
    (one,) = library.ledger.strangers.placements()
    number = library.enrol("Grace Hopper", man)
    for _ in rematch(library.ledger, library.naming()):
        pass
    with library.store.gallery() as gallery:
        identity = gallery.generation()[0]
    library.ledger.begin_forgetting(identity, number)
    assert library.ledger.erase_performer(identity, number) == 1
    assert library.ledger.end_forgetting(identity, number)
    assert to_blob(one.template.first) not in library.bytes_on_disk()
