"""What the ledger stores comes back as it was, and its file is certain to be ours."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.decisions import Decision
from db.errors import (
    GalleryLockedError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GalleryTooNewError,
    NotAGalleryError,
    UnknownStoreError,
)
from db.people import Link, Seen
from db.records import Identity
from db.sqlite.connections import open_database
from db.sqlite.ledger import SqliteLedger
from db.sqlite.ledger_damage import DAMAGED_SCAN
from db.sqlite.ledger_schema import LEDGER
from db.sqlite.store import StoredGallery
from db.stores import open_ledger
from db.videos import Content, Outcome, Scanned, Sighting
from tests.support.galleries import made_up_vector
from tests.support.ledgers import (
    AT,
    HALF,
    SCANNED,
    Clock,
    alone,
    assert_whole,
    bits,
    ledger_of_schema,
    made_up_person,
    made_up_video,
    open_with,
    scan_one,
    take,
    video_file,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def ledger() -> Iterator[SqliteLedger]:
    with open_with(Clock()) as opened:
        yield opened


def test_people_come_back_bit_for_bit_also_from_a_file_that_was_closed(tmp_path: Path) -> None:
    ada, eve = made_up_person(1, views=5), made_up_person(2, views=1, frames=(2**40, 2**40 + 1))
    links = (Link(0.1 + 0.2, 0, 1),)
    said = (Outcome(0, 0, 12, 97.3, "match"), Outcome(1, 0))
    with SqliteLedger(tmp_path / "l.db") as ledger:
        video = scan_one(ledger, 1, ada, eve, links=links, outcomes=said)
    with SqliteLedger(tmp_path / "l.db") as ledger:
        found = ledger.sightings([video])[video]
        assert bits(found) == bits([Sighting(video, 0, ada), Sighting(video, 1, eve)])
        assert ledger.links([video]) == {video: list(links)}
        assert ledger.outcomes([video]) == {video: list(said)}


def test_by_what_people_are_compared_is_read_as_it_is_made_of_their_views(
    ledger: SqliteLedger,
) -> None:
    strong, weak = made_up_person(1, views=3), made_up_person(2, views=3)
    weak = replace(weak, views=tuple(replace(view, weaknesses=("dark",)) for view in weak.views))
    people = [strong, weak, made_up_person(3, views=1), made_up_person(4, views=5)]
    without = replace(strong.views[0], encodings=strong.views[0].encodings[:1])
    people.append(replace(strong, views=(without, *strong.views[1:])))
    video = scan_one(ledger, 1, *people)
    for one, person in zip(ledger.sightings([video])[video], people, strict=True):
        for read in (one.person, replace(one.person, views=one.person.views)):
            found, made = read.evidence, person.evidence
            assert found.is_strong == made.is_strong
            assert np.array_equal(found.qualities, made.qualities)
            assert np.array_equal(found.first, made.first)
            assert found.has_second.tolist() == made.has_second.tolist()
            assert np.array_equal(found.second, made.second)


def test_numbers_of_numpy_come_back_as_numbers(ledger: SqliteLedger) -> None:
    person = made_up_person(1, views=1)
    (view,) = person.views
    odd = type(view)(
        np.float64(1.5),  # type: ignore[arg-type]
        np.float64(0.7),  # type: ignore[arg-type]
        view.faces,
        view.weaknesses,
        (view.encodings[0].astype(">f4"),),
    )
    video = scan_one(ledger, 1, type(person)((odd,), person.seen, 0.5, b"jpeg"))
    (stored,) = ledger.sightings([video])[video][0].person.views
    assert (stored.seconds, stored.quality) == (1.5, 0.7)
    assert np.array_equal(stored.encodings[0], view.encodings[0])
    assert stored.encodings[0].dtype == np.float32


def test_positions_of_people_who_were_not_kept_stay_free(ledger: SqliteLedger) -> None:
    ledger.offer([video_file(1)], "normal")
    lease = take(ledger)
    people = ((1, made_up_person(1)), (4, made_up_person(2)))
    found = type(made_up_video())(10.0, 20, 8, people, (Link(0.4, 1, 4),), left_out=3)
    said = (Outcome(1, 1, 5, 99.0, "match"), Outcome(4, 1))
    assert ledger.finish(lease, found, Scanned("deep", 0.5, ("dlib",)), said, AT)
    assert [one.position for one in ledger.sightings([1])[1]] == [1, 4]
    (record,) = ledger.videos()
    assert (record.seconds, record.faces, record.left_out) == (10.0, 8, 3)
    assert record.scanned == Scanned("deep", 0.5, ("dlib",))
    assert (record.matched_at, record.state, record.tries) == (AT, "done", 0)
    assert record.scanned_at.endswith("Z")


def test_a_second_scan_takes_the_place_of_the_first(ledger: SqliteLedger) -> None:
    video = scan_one(ledger, 1, made_up_person(1), made_up_person(2), links=(Link(0.3, 0, 1),))
    ledger.want([video], "deep")
    scan_one(ledger, 1, made_up_person(3), depth="deep")
    expected = bits([Sighting(video, 0, made_up_person(3))])
    assert bits(ledger.sightings([video])[video]) == expected
    assert ledger.links([video]) == {video: []}
    assert [one.position for one in ledger.outcomes([video])[video]] == [0]


def test_any_name_a_file_can_have_comes_back(ledger: SqliteLedger) -> None:
    names = [b"/v/\xff\xfe.mp4", b"/v/line\nbreak.mp4", "/v/Ü ' \" 😀.mp4".encode(), b"/v/\x01%_"]
    files = [video_file(number, name) for number, name in enumerate(names)]
    ledger.offer(files, "normal")
    assert ledger.stamps() == {file.path: file.stamp for file in files}
    assert [one.paths for one in ledger.videos()] == [(name,) for name in names]
    assert take(ledger).paths == (names[0],)
    assert ledger.ids([names[2], b"/v/other"]) == {3}
    assert ledger.note_gone([names[0]]) == 1


def test_what_the_user_chose_is_remembered(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path / "l.db") as ledger:
        assert ledger.choice("strangers") == ""
        ledger.choose("strangers", "keep")
        ledger.choose("strangers", "off")
    with SqliteLedger(tmp_path / "l.db") as ledger:
        assert ledger.choice("strangers") == "off"


def test_videos_are_listed_in_parts_and_by_state(ledger: SqliteLedger) -> None:
    ledger.offer([video_file(number) for number in range(5)], "normal")
    ledger.fail(take(ledger), "broken", for_good=True)
    assert [one.id for one in ledger.videos(after=2, limit=2)] == [3, 4]
    assert [one.id for one in ledger.iterate("queued")] == [2, 3, 4, 5]
    assert [one.reason for one in ledger.iterate("failed")] == ["broken"]
    assert len(list(ledger.iterate())) == 5
    assert ledger.counts() == (4, 0, 0, 1, 0)


def test_outcomes_are_replaced_and_say_which_gallery_they_are_of(ledger: SqliteLedger) -> None:
    one, other = scan_one(ledger, 1, made_up_person(1)), scan_one(ledger, 2, made_up_person(2))
    newer = (AT[0], AT[1] + 1)
    assert ledger.not_matched_at(AT, 10) == []
    assert ledger.not_matched_at(newer, 1) == [one]
    said = [Outcome(0, 0, 3, 95.0, "match")]
    assert ledger.put_outcomes({one: said}, newer) == {one: [Outcome(0, 0)]}
    assert ledger.put_outcomes({one: said}, newer) == {one: said}
    assert ledger.not_matched_at(newer, 10) == [other]
    assert ledger.outcomes([one, other]) == {one: said, other: [Outcome(0, 0)]}


def test_only_what_can_be_made_again_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []

    def note(*_: object) -> None:
        waits.append(ledger.rows("PRAGMA synchronous")[0][0])

    with SqliteLedger(tmp_path / "l.db") as ledger:
        (usual,) = ledger.rows("PRAGMA synchronous")[0]
        video = scan_one(ledger, 1, made_up_person(1))
        monkeypatch.setattr("db.sqlite.ledger.save_outcomes", note)
        ledger.put_outcomes({video: [Outcome(0, 0)]}, (9, 9))
        monkeypatch.setattr("db.sqlite.ledger.save_people", note)
        ledger.want_again([video], "normal")
        scan_one(ledger, 1, made_up_person(1))
        assert waits[:2] == [1, usual]
        assert usual > 1

        def fail(*_: object) -> None:
            raise ValueError

        monkeypatch.setattr("db.sqlite.ledger.save_outcomes", fail)
        with pytest.raises(ValueError):  # noqa: PT011  # whatever goes wrong
            ledger.put_outcomes({video: [Outcome(0, 0)]}, (9, 10))
        assert ledger.rows("PRAGMA synchronous") == [(usual,)]


def test_outcomes_of_people_who_are_no_longer_seen_are_not_stored(ledger: SqliteLedger) -> None:
    video = scan_one(ledger, 1, made_up_person(1))
    late = {video: [Outcome(0, 0, 3, 95.0, "match"), Outcome(1, 1, 4, 95.0, "match")]}
    assert ledger.put_outcomes(late, (9, 9)) == {}
    assert ledger.outcomes([video]) == {video: [Outcome(0, 0)]}
    assert ledger.not_matched_at((9, 9), 10) == [video]


ENDLESS = f"x'{np.full(256, 3e38, '<f4').tobytes().hex()}'"
"""A blob whose numbers are too large to add up."""

NEVER = f"x'{zlib.compress(np.full((4, 2), np.nan, '<f8').tobytes()).hex()}'"
"""Times that are no numbers."""


def test_a_damaged_person_is_taken_out_and_their_video_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    links = (Link(0.3, 0, 1), Link(0.4, 1, 2))
    said = (Outcome(0, 0), Outcome(1, 0), Outcome(2, 2))
    with SqliteLedger(tmp_path / "l.db") as ledger:
        other = scan_one(ledger, 1, made_up_person(1))
        people = [made_up_person(seed) for seed in (2, 3, 4)]
        video = scan_one(ledger, 2, *people, outcomes=said, links=links)
    for damage in (
        "UPDATE sightings SET seen = x'00' WHERE id = 2",
        "UPDATE views SET first = x'0000c07f' WHERE sighting_id = 2",
        "UPDATE views SET second = x'00' WHERE (sighting_id, number) = (2, 0)",
        "UPDATE views SET first = x'' WHERE (sighting_id, number) = (2, 1)",
        "UPDATE views SET first = x'00000000' WHERE (sighting_id, number) = (2, 1)",
        "UPDATE views SET first = substr(first, 1, 256) WHERE sighting_id = 2",
        "DELETE FROM views WHERE sighting_id = 2",
        "UPDATE views SET weaknesses = '[\"blurred' WHERE (sighting_id, number) = (2, 0)",
        "UPDATE views SET weaknesses = CAST(x'ff' AS TEXT) WHERE (sighting_id, number) = (2, 0)",
        "UPDATE views SET first = zeroblob(length(first)) WHERE (sighting_id, number) = (2, 1)",
        "UPDATE views SET second = zeroblob(1024) WHERE sighting_id = 2",
        f"UPDATE views SET second = {ENDLESS} WHERE sighting_id = 2",
        *(f"UPDATE views SET {one} = 7.5 WHERE sighting_id = 2" for one in ("first", "second")),
        *(
            f"UPDATE views SET {number} = {cell} WHERE (sighting_id, number) = (2, 1)"
            for number in ("seconds", "quality", "faces")
            for cell in ("'x'", "x'80'", "x'3132'", "1e300")
        ),
        *(
            f"UPDATE sightings SET best_seconds = {cell} WHERE id = 2"
            for cell in ("'x'", "x'80'", "1e300")
        ),
        *(f"UPDATE sightings SET seen = {cell} WHERE id = 2" for cell in ("7", "'x'", NEVER)),
    ):
        copy = Path(shutil.copy(tmp_path / "l.db", tmp_path / "damaged.db"))
        with closing(sqlite3.connect(copy)) as raw, raw:
            raw.execute(damage)
        caplog.clear()
        with SqliteLedger(copy) as ledger:
            found = ledger.sightings([other, video])
            assert [one.position for one in found[video]] == [1, 2]
            assert len(found[other]) == 1
            assert ledger.links([video])[video] == [Link(0.4, 1, 2)]
            assert ledger.outcomes([video])[video] == [Outcome(1, 1), Outcome(2, 2)]
            (failed,) = ledger.iterate("failed")
            assert (failed.id, failed.matched_at) == (video, None)
            assert "1 of its people was damaged" in failed.reason
            assert "/videos/2.mp4" in caplog.text
            assert ledger.retry([video]) == 1
        assert_whole(copy)


def test_a_video_of_which_it_is_damaged_when_it_was_matched_is_to_be_matched_again(
    ledger: SqliteLedger,
) -> None:
    video = scan_one(ledger, 1, made_up_person(1))
    ledger._db.execute("UPDATE videos SET generation = x'80'")
    assert [one.matched_at for one in ledger.records([video])] == [None]
    assert ledger.not_matched_at((1, 1), 10) == [video]


@pytest.mark.parametrize("cell", ["x", b"\x80"])
def test_somebody_whose_place_among_the_others_is_damaged_is_taken_out(
    cell: object, tmp_path: Path
) -> None:
    with SqliteLedger(tmp_path / "l.db") as ledger:
        video = scan_one(ledger, 1, made_up_person(1), made_up_person(2))
        ledger._db.execute("UPDATE sightings SET position = ? WHERE id = 1", (cell,))
        assert [one.position for one in ledger.sightings([video])[video]] == [1]
        assert [one.id for one in ledger.iterate("failed")] == [video]


def test_of_one_person_read_alone_it_is_told_by_the_others_that_the_encodings_are_cut(
    tmp_path: Path,
) -> None:
    with SqliteLedger(tmp_path / "l.db") as ledger:
        for number in (1, 2, 3):
            scan_one(ledger, number, made_up_person(number))
        ledger._db.execute("UPDATE views SET first = substr(first, 1, 256) WHERE sighting_id = 2")
        assert [len(ledger.sightings([video])[video]) for video in (1, 2, 3)] == [1, 0, 1]
        assert [one.id for one in ledger.iterate("failed")] == [2]


def test_what_matching_said_is_read_also_where_a_cell_is_damaged(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path / "l.db") as ledger:
        said = (Outcome(0, 0), Outcome(1, 0, 12, 97.3, "match"))
        video = scan_one(ledger, 1, made_up_person(1), made_up_person(2), outcomes=said)
        for damage, found in (
            ("score = 'x'", replace(said[1], score=0.0)),
            ("score = x'80'", replace(said[1], score=0.0)),
            ("lead = x'80'", replace(said[1], lead=1)),
            ("lead = 'x'", replace(said[1], lead=1)),
            ("verdict = x'80'", replace(said[1], verdict="unknown")),
            ("verdict = 'nonsense'", replace(said[1], verdict="unknown")),
            ("decided = x'41'", replace(said[1], decided="A")),
        ):
            ledger._db.execute(f"UPDATE outcomes SET {damage} WHERE position = 1")
            assert ledger.outcomes([video])[video] == [said[0], found], damage
            ledger._db.execute(
                "UPDATE outcomes SET lead = 0, score = 97.3, verdict = 'match', decided = '' "
                "WHERE position = 1"
            )


def test_a_picture_that_is_none_is_read_as_it_is(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path / "l.db") as ledger:
        video = scan_one(ledger, 1, made_up_person(1))
        for cell, read in (("'text'", b"text"), ("7", b"7"), ("x'ff'", b"\xff")):
            ledger._db.execute(f"UPDATE sightings SET picture = {cell}")
            (found,) = ledger.sightings([video])[video]
            assert (found.person.picture, ledger.picture(video, 0)) == (read, read)


def test_a_damaged_decision_counts_no_more_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "l.db"
    with SqliteLedger(path) as ledger:
        video = scan_one(ledger, 1, made_up_person(1))
        for _ in range(2):
            ledger.decide(video, Decision("ignored", ((0.0, 1.0),), made_up_vector(1), ()))
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE decisions SET template = x'00' WHERE id = 1")
    with SqliteLedger(path) as ledger:
        assert [one.id for one in ledger.decisions([video])[video]] == [2]
        assert "Decision 1 is damaged" in caplog.text
        assert ledger.take_back(1)


@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        ("template = x'00'", ("template",)),
        ("spans = '[[0.0, 1'", ("spans",)),
        ("spans = '[[0.0, NaN]]'", ("spans",)),
        ("spans = x'ff'", ("spans",)),
        ("identities = CAST(x'ff' AS TEXT)", ("identities",)),
        ("identities = '[[\"stash\"]]'", ("identities",)),
        ("photo_hashes = '{}'", ("photo_hashes",)),
        ("kind = 'confirmee'", ("kind",)),
        ("at = CAST(x'ff' AS TEXT), kind = x'00'", ("kind", "at")),
    ],
)
def test_of_a_damaged_decision_is_listed_what_can_be_read(
    ledger: SqliteLedger, damage: str, parts: tuple[str, ...]
) -> None:
    video = scan_one(ledger, 1, made_up_person(1))
    whole = Decision("named", ((0.0, 1.0),), made_up_vector(1), (Identity("a", "b"),), ("c",))
    for _ in range(2):
        ledger.decide(video, whole)
    ledger._db.execute(f"UPDATE decisions SET {damage} WHERE id = 2")
    (found, sound) = (one for _, one in ledger.latest_decisions())
    assert (found.id, found.damaged, sound.damaged) == (2, parts, ())
    empty = {"kind": "unreadable", "spans": (), "identities": (), "photo_hashes": (), "at": ""}
    for name, nothing in empty.items():
        expected = nothing if name in parts else getattr(sound, name)
        assert getattr(found, name) == expected, name
    assert len(found.template) == (0 if "template" in parts else len(whole.template))
    assert [one.id for one in ledger.decisions([video])[video]] == [1], "it counts no more"
    ledger.add_identities({Identity("a", "b"): Identity("c", "d")})
    assert ledger.take_back(2)


def test_a_damaged_decision_keeps_no_look_of_somebody_who_is_forgotten(
    ledger: SqliteLedger,
) -> None:
    person = made_up_person(1)
    look = person.views[0].encodings[0]
    said = (Outcome(0, 0, 3, 95.0, "match"),)
    video = scan_one(ledger, 1, person, outcomes=said)
    for _ in range(4):
        ledger.decide(video, Decision("ignored", ((0.0, 90.0),), look, ()))
    other = scan_one(ledger, 2, made_up_person(2))
    ledger.decide(other, Decision("named", (), look, (Identity("a", "b"),), ("c",)))
    for number, damage in enumerate(("spans = 'x'", "template = x'00'", "identities = '?'"), 1):
        ledger._db.execute(f"UPDATE decisions SET {damage} WHERE id = {number}")
    ledger._db.execute("UPDATE decisions SET identities = '?' WHERE id = 5")
    ledger.begin_forgetting(AT[0], 3)
    assert ledger.erase_performer(AT[0], 3) == 1
    ledger.erase_decisions([Identity("x", "y")])
    ((_, left),) = ledger.latest_decisions()
    assert (left.id, left.damaged, left.photo_hashes) == (5, ("template", "identities"), ("c",))


def test_what_was_matched_before_the_user_tagged_somebody_is_matched_again(
    ledger: SqliteLedger,
) -> None:
    video = scan_one(ledger, 1, made_up_person(1))
    other = scan_one(ledger, 2, made_up_person(2))
    file, ada = video_file(1), Identity("stash", "7")
    whole = Content(file.oshash, file.stamp.size_bytes)

    def note(*tagged: Identity) -> int:
        return ledger.note_tagged({whole: tagged}, AT[0], {ada: 3})

    before = {one.id: one for one in ledger.records([video, other])}
    assert (note(ada), note(ada), ledger.tagged([video, other])) == (
        1,
        0,
        {video: [ada], other: []},
    )
    same = {one: [Outcome(0, 0)] for one in (video, other)}
    assert set(ledger.put_outcomes(same, AT, before)) == {other}, "it was matched without"
    assert ledger.not_matched_at(AT, 9) == [video]
    ledger.want_again([video], "normal")
    lease = ledger.lease("test", 60)
    assert lease
    note()
    found = made_up_video(made_up_person(1))
    assert ledger.finish(lease, found, SCANNED, [Outcome(0, 0)], AT)
    assert ledger.not_matched_at(AT, 9) == [video], "its scan took what is no longer so"
    note(ada)
    ledger.add_identities({ada: Identity("stash", "8")})
    assert ledger.tagged([video]) == {video: [Identity("stash", "8")]}
    ledger.erase_decisions([Identity("stash", "8"), Identity("x", "y")])
    assert ledger.tagged([video]) == {video: []}


def test_outcomes_from_before_a_decision_do_not_hide_it(ledger: SqliteLedger) -> None:
    video = scan_one(ledger, 1, made_up_person(1))
    before = {video: ledger.records([video])[0]}
    decision = Decision("ignored", ((0.0, 1.0),), made_up_vector(1), ())
    number = ledger.decide(video, decision)
    late = {video: [Outcome(0, 0, 3, 95.0, "match")]}
    ledger.put_outcomes(late, AT, before)
    assert ledger.not_matched_at(AT, 10) == [video]
    assert ledger.outcomes([video]) == {video: [Outcome(0, 0)]}
    now = {video: ledger.records([video])[0]}
    ledger.take_back(number)
    ledger.put_outcomes(late, AT, now)
    assert ledger.not_matched_at(AT, 10) == [video]
    ledger.put_outcomes(late, AT, {video: ledger.records([video])[0]})
    assert ledger.not_matched_at(AT, 10) == []


def test_outcomes_from_before_a_scan_do_not_replace_its_own(ledger: SqliteLedger) -> None:
    video = scan_one(ledger, 1, made_up_person(1))
    before = {one.id: one for one in ledger.records([video])}
    ledger.want_again([video], "normal")
    said = (Outcome(0, 0, 4, 97.0, "match"),)
    assert scan_one(ledger, 1, made_up_person(2), outcomes=said) == video
    ledger.put_outcomes({video: [Outcome(0, 0, 3, 95.0, "match")]}, (9, 9), before)
    assert ledger.outcomes([video]) == {video: list(said)}
    assert ledger.not_matched_at(AT, 10) == []


def test_what_is_decided_while_a_video_is_scanned_again_is_matched_after_it(
    ledger: SqliteLedger,
) -> None:
    video = scan_one(ledger, 1, made_up_person(1))
    ledger.want([video], "deep")
    lease = take(ledger)
    ledger.decide(video, Decision("ignored", ((0.0, 1.0),), made_up_vector(1), ()))
    found = made_up_video(made_up_person(2))
    assert ledger.finish(lease, found, SCANNED, alone(1), AT)
    assert ledger.not_matched_at(AT, 10) == [video]


def test_where_a_file_was_last_stays_known(ledger: SqliteLedger) -> None:
    for name in ("/v/z.mp4", "/v/a.mp4", "/v/m.mp4"):
        ledger.offer([video_file(1, name)], "normal")
    for name in (b"/v/z.mp4", b"/v/m.mp4", b"/v/a.mp4"):
        assert ledger.videos()[0].last_path == b""
        ledger.note_gone([name])
    (video,) = ledger.videos()
    assert (video.paths, video.last_path, video.known_paths) == ((), b"/v/a.mp4", (b"/v/a.mp4",))
    ledger.offer([video_file(1, "/v/m.mp4")], "normal")
    assert ledger.videos()[0].known_paths == (b"/v/m.mp4",)


def test_the_check_for_halves_would_find_one(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with SqliteLedger(path) as ledger:
        scan_one(ledger, 1, made_up_person(1), made_up_person(2))
    assert_whole(path)
    for damage in ("outcomes WHERE position = 1", "sightings WHERE position = 1", "views"):
        copy = Path(shutil.copy(path, tmp_path / "half.db"))
        with closing(sqlite3.connect(copy)) as raw, raw:
            raw.execute(f"DELETE FROM {damage}")
            assert raw.execute(HALF).fetchall()


def test_the_file_is_marked_as_a_ledger_and_for_its_owner_only(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        with SqliteLedger(tmp_path / "l.db") as ledger, ledger.working():
            scan_one(ledger, 1, made_up_person(1))
            modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    finally:
        os.umask(previous)
    assert modes == dict.fromkeys(
        ("l.db", "l.db-wal", "l.db-shm", "l.db.worker", "l.db.line"), 0o600
    )
    with closing(sqlite3.connect(tmp_path / "l.db")) as raw:
        (mark,) = raw.execute("PRAGMA application_id").fetchone()
    assert mark.to_bytes(4) == b"PVRL"


@pytest.mark.parametrize("version", range(1, len(LEDGER.steps) + 1))
def test_a_ledger_of_an_earlier_version_is_read_as_it_was(version: int, tmp_path: Path) -> None:
    with SqliteLedger(ledger_of_schema(tmp_path / "l.db", version)) as ledger:
        (record,) = ledger.videos()
        assert (record.paths, record.state) == ((b"/videos/1.mp4",), "done")
        ((sighting,),) = ledger.sightings([1]).values()
        assert sighting.person.seen == (Seen(3, 0.5, 1.0, 0.25),)
        assert np.array_equal(sighting.person.views[0].encodings[0], made_up_vector(1))
        assert ledger.outcomes([1]) == {1: [Outcome(0, 0, 5, 97.5, "match")]}


def test_what_is_no_ledger_is_refused_unharmed_and_called_what_it_is_not(tmp_path: Path) -> None:
    text, other, gallery = (tmp_path / name for name in ("text.db", "other.db", "gallery.db"))
    text.write_text("not a database, but long enough to look like a file " * 40)
    with closing(sqlite3.connect(other)) as raw:
        raw.execute("CREATE TABLE shopping (item TEXT)")
    StoredGallery(gallery, create=True).close()
    for path in (text, other, gallery):
        before = path.read_bytes()
        with pytest.raises(NotAGalleryError, match=rf"{path.name} is .*not a library"):
            SqliteLedger(path)
        assert path.read_bytes() == before
    SqliteLedger(tmp_path / "l.db").close()
    with pytest.raises(NotAGalleryError, match=r"l\.db is an SQLite file, but not a gallery"):
        StoredGallery(tmp_path / "l.db")


def test_a_ledger_of_a_newer_version_is_refused_unharmed(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    SqliteLedger(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(GalleryTooNewError, match=r"The library l\.db has schema 99"):
        SqliteLedger(path)
    assert path.read_bytes() == before


def test_one_that_is_missing_is_made_only_if_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(GalleryMissingError, match=r"no library l\.db\. Make one: .* scan FOLDER"):
        open_ledger(tmp_path / "l.db", create=False)
    assert list(tmp_path.iterdir()) == []
    open_ledger(tmp_path / "l.db").close()
    open_ledger(f"sqlite:///{tmp_path}/l.db", create=False).close()


def test_an_address_no_ledger_can_have_is_refused() -> None:
    with pytest.raises(UnknownStoreError, match="A library at postgresql://"):
        open_ledger("postgresql://somewhere/library")


def test_a_folder_is_not_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(GalleryReadOnlyError, match="The library"):
        SqliteLedger(tmp_path)
    with pytest.raises(GalleryReadOnlyError, match=r"The library l\.db cannot be created"):
        SqliteLedger(tmp_path / "gone" / "l.db")


IN_ANOTHER_PROCESS = """
import os, resource, signal, sys
from db.errors import GalleryError
from db.sqlite.ledger import SqliteLedger
from db.sqlite.ledger_damage import DAMAGED_SCAN
from tests.support.ledgers import made_up_person, scan_one
path, user, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
SqliteLedger().close()  # loads what nobody may read
if user:
    os.setgid(user)
    os.setuid(user)
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from pathlib import Path
done = 0
try:
    with SqliteLedger(Path(path)) as ledger, ledger.working():
        for number in range(200):
            scan_one(ledger, 100 + number, made_up_person(number))
            done += 1
except GalleryError as error:
    print(f"{done} {type(error).__name__}: {error}")
"""


def write_elsewhere(path: Path, *, user: int = 0, limit: int = 0) -> tuple[int, str]:
    """Scan made-up videos in another process, and return how many it did, and its complaint."""
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, str(path), str(user), str(limit)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    number, complaint = done.stdout.split(" ", 1)
    return int(number), complaint


def test_a_ledger_that_may_only_be_read_is_refused_unharmed() -> None:
    # Root may write everything, so it is written as nobody in a folder nobody may enter.
    folder = Path(tempfile.mkdtemp(prefix="read-only-"))
    try:
        path = folder / "l.db"
        with SqliteLedger(path) as ledger:
            scan_one(ledger, 1, made_up_person(1))
        path.chmod(0o444)
        folder.chmod(0o555)
        before = path.read_bytes()
        number, complaint = write_elsewhere(path, user=65534 if os.geteuid() == 0 else 0)
        assert (number, complaint.split(":")[0]) == (0, "GalleryReadOnlyError")
        assert "The library l.db cannot be" in complaint
        assert path.read_bytes() == before
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_on_a_full_disk_what_was_finished_stays_and_the_message_says_what_to_do(
    tmp_path: Path,
) -> None:
    path = tmp_path / "l.db"
    SqliteLedger(path).close()
    done, complaint = write_elsewhere(path, limit=300_000)
    assert complaint.startswith("GalleryReadOnlyError: The library l.db could not be written")
    assert "Free space on the disk" in complaint
    assert 0 < done < 200
    assert_whole(path)
    with SqliteLedger(path) as ledger:
        assert ledger.counts().done == done
        scan_one(ledger, 1, made_up_person(1))


def test_a_ledger_that_another_process_writes_is_reported_locked(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with SqliteLedger(path) as ledger:
        other = open_database(path, create=False, schema=LEDGER)
        other.execute("BEGIN IMMEDIATE")
        ledger._db.execute("PRAGMA busy_timeout = 100")
        with pytest.raises(GalleryLockedError, match=r"writing the library l\.db"):
            ledger.choose("a", "b")
        assert ledger.choice("a") == "", "reading goes on"
        other.close()
        ledger.choose("a", "b")


def test_two_processes_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    SqliteLedger(path).close()
    code = (
        "import sys; from pathlib import Path; from db.sqlite.ledger import SqliteLedger\n"
        "from tests.support.ledgers import *\n"
        "first = int(sys.argv[2])\n"
        "with SqliteLedger(Path(sys.argv[1])) as ledger:\n"
        "    for number in range(first, first + 40): scan_one(ledger, number, made_up_person(1))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen([sys.executable, "-c", code, path, str(first)], cwd=ROOT, env=environment)
        for first in (0, 1000)
    ]
    assert [one.wait() for one in both] == [0, 0]
    assert_whole(path)
    with SqliteLedger(path) as ledger:
        assert ledger.counts() == (0, 0, 80, 0, 0)


def test_whoever_writes_without_a_pause_lets_others_in(tmp_path: Path) -> None:
    path, is_writing, ended = tmp_path / "l.db", threading.Event(), threading.Event()
    with SqliteLedger(path) as busy, SqliteLedger(path) as other:

        def write_on() -> None:
            while not ended.is_set():
                with busy.writing():
                    is_writing.set()
                    time.sleep(0.2)
                    is_writing.clear()

        thread = threading.Thread(target=write_on)
        thread.start()
        try:
            for number in range(5):
                is_writing.wait()
                other.choose("number", str(number))
        finally:
            ended.set()
            thread.join()
        assert busy.choice("number") == "4"


def test_page_and_tools_write_while_a_scan_is_at_work(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path / "l.db") as scanning, SqliteLedger(tmp_path / "l.db") as page:
        with scanning.working() as is_ours, page.working() as is_theirs:
            assert (is_ours, is_theirs) == (True, False)
            scanning.offer([video_file(1), video_file(2)], "normal")
            lease = take(scanning)
            page.choose("strangers", "keep")
            page.offer([video_file(3)], "normal")
            assert page.counts() == (2, 1, 0, 0, 0)
            assert scanning.renew(lease, 60)
            said = (Outcome(0, 0),)
            found = made_up_video(made_up_person(1))
            assert scanning.finish(lease, found, Scanned("normal", None, ("dlib",)), said, AT)
            page.put_outcomes({lease.video: [Outcome(0, 0, 1, 91.0, "match")]}, AT)
            assert scanning.outcomes([lease.video])[lease.video][0].performer == 1
        with page.working() as is_theirs:
            assert is_theirs


def test_threads_share_a_ledger(ledger: SqliteLedger) -> None:
    ledger.offer([video_file(number) for number in range(60)], "normal")
    taken: list[int] = []

    def work() -> None:
        while lease := ledger.lease("test", 60):
            taken.append(lease.video)
            ledger.finish(lease, made_up_video(), Scanned("normal", None, ("dlib",)), (), AT)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(taken) == list(range(1, 61))


@pytest.mark.parametrize("models", [b'["dl', b"\xff", b"7", b"[7]", b"[]"])
def test_a_video_of_which_nobody_can_say_how_it_was_scanned_is_to_be_scanned_again(
    ledger: SqliteLedger, models: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    scan_one(ledger, 1, made_up_person(1))
    video = scan_one(ledger, 2, made_up_person(2))
    with ledger.writing() as db:
        db.execute("UPDATE videos SET models = CAST(? AS TEXT) WHERE id = ?", (models, video))
    sound, damaged = ledger.videos()
    assert (sound.state, damaged.state) == ("done", "failed")
    assert "--retry" in damaged.reason
    assert caplog.messages == [f"'/videos/2.mp4': {DAMAGED_SCAN}"]
    assert ledger.records([video]) == [damaged], "it is told once"
    assert [len(people) for people in ledger.sightings([1, video]).values()] == [1, 1]
    assert ledger.retry([video]) == 1
    scan_one(ledger, 2, made_up_person(2))
    assert ledger.records([video])[0].state == "done"


@pytest.mark.parametrize("column", ["state", "depth", "kind", "reason", "scanned_at", "content"])
def test_a_text_that_a_bad_disk_spoilt_hides_no_other_video(
    ledger: SqliteLedger, column: str
) -> None:
    videos = [scan_one(ledger, number, made_up_person(number)) for number in (1, 2)]
    with ledger.writing() as db:
        db.execute(f"UPDATE videos SET {column} = CAST(x'64ff' AS TEXT) WHERE id = 1")
    assert [one.id for one in ledger.videos()] == videos
    is_failed = column in ("state", "depth")
    assert (ledger.counts().failed, ledger.counts().done) == ((1, 1) if is_failed else (0, 2))
    assert ledger.retry(videos) == is_failed


@pytest.mark.parametrize("note", ['{"last": 1', "7", '{"last": 1}'])
def test_what_is_no_note_of_whom_to_erase_erases_nobody_and_is_told(
    ledger: SqliteLedger, note: str, caplog: pytest.LogCaptureFixture
) -> None:
    video = scan_one(ledger, 1, made_up_person(1))
    ledger.choose("erasing strangers", note)
    assert ledger.strangers.is_erasing()
    ledger.strangers.go_on_erasing()
    assert "forget --strangers" in caplog.text
    assert len(ledger.sightings([video])[video]) == 1
    assert ledger.strangers.end_erasing()
    assert not ledger.strangers.is_erasing()
