"""A rematch says exactly what a new scan of the same videos would say."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from db.decisions import Decision
from db.errors import GalleryReadOnlyError
from db.identities import identities_of
from db.people import Link
from db.records import Vector
from db.sqlite.ledger import SqliteLedger
from db.stores import open_store
from db.videos import Content, Outcome
from function.library import naming, rematching
from function.library.keeping import outcomes_of
from function.library.naming import open_naming
from function.library.rematching import Changed, rematch
from function.settings import Settings
from tests.support.ledgers import assert_whole, made_up_person, scan_one
from tests.support.scans import (
    SquaresReader,
    enrol,
    make_gallery,
    make_scanner,
    offer_all,
    write_squares,
)

USUAL = Settings()

VIDEOS = {"one.mp4": (1, 2), "two.mp4": (2, 3), "three.mp4": (4, 1, 3)}


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    for name, people in VIDEOS.items():
        write_squares(folder / name, *people)
    return folder


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return make_gallery(tmp_path / "g.db")


@contextmanager
def scanned(path: Path, gallery: Path, media: Path) -> Iterator[SqliteLedger]:
    with SqliteLedger(path) as ledger:
        offer_all(ledger, media)
        list(make_scanner(ledger, gallery).scan_all())
        assert ledger.counts().done == len(VIDEOS)
        yield ledger


def faces_of(path: Path, gallery: Path, media: Path) -> dict[str, list[Vector]]:
    """What the people of each video look like, by the video's name, in order of position."""
    with scanned(path, gallery, media) as ledger:
        return {
            Path(one.paths[0].decode()).name: [
                seen.person.views[0].encodings[0] for seen in ledger.sightings([one.id])[one.id]
            ]
            for one in ledger.videos()
        }


def outcomes(ledger: SqliteLedger) -> dict[bytes, list[Outcome]]:
    return {one.paths[0]: ledger.outcomes([one.id])[one.id] for one in ledger.videos()}


def run(ledger: SqliteLedger, gallery: Path, settings: Settings = USUAL) -> Changed:
    total = Changed()
    for part in rematch(ledger, open_naming(open_store(gallery), SquaresReader().second, settings)):
        total += part
    return total


def test_it_says_what_a_new_scan_says_after_every_change_of_the_gallery(
    tmp_path: Path, gallery: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rematching, "VIDEOS_AT_ONCE", 2)
    faces = faces_of(tmp_path / "look.db", gallery, media)
    people = {tuple(one.tolist()): one for found in faces.values() for one in found}
    assert len(people) == 4, "each person looks the same in every video"
    with scanned(tmp_path / "l.db", gallery, media) as ledger:
        versions = []

        def compare() -> Changed:
            changed = run(ledger, gallery)
            with scanned(tmp_path / f"new{len(versions)}.db", gallery, media) as new:
                assert outcomes(ledger) == outcomes(new)
                assert [one.matched_at for one in ledger.videos()] == [
                    one.matched_at for one in new.videos()
                ]
            versions.append(outcomes(ledger))
            assert_whole(tmp_path / "l.db")
            return changed

        assert compare() == Changed(), "nothing changed yet"
        (first, second) = faces["one.mp4"]
        ada = enrol(gallery, "Ada", first)
        eve, same = enrol(gallery, "Eve", second), enrol(gallery, "Eve again", second)
        assert compare() == Changed(videos=3, people=7, changed=4)
        assert verdicts(versions[-1], eve.id, same.id) == ["uncertain", "uncertain"]
        with open_store(gallery).changing() as opened:
            opened.merge(opened.performer(eve.id), opened.performer(same.id))
        assert compare().changed == 2
        assert verdicts(versions[-1], eve.id) == ["match", "match"]
        with open_store(gallery).changing() as opened:
            opened.forget(opened.performer(ada.id))
        assert compare().changed == 2
        assert verdicts(versions[-1], ada.id) == []
        assert compare() == Changed(), "a second one has nothing to do"


def test_a_scan_and_a_rematch_count_whom_the_user_tagged_alike(
    tmp_path: Path, gallery: Path, media: Path
) -> None:
    (seen, _) = faces_of(tmp_path / "look.db", gallery, media)["one.mp4"]
    away = np.random.default_rng(1).normal(size=seen.size).astype(np.float32)
    ada = enrol(gallery, "Ada", seen + 0.45 * away / np.linalg.norm(away))
    (identity,) = identities_of(ada)
    scores: list[float] = []
    for tagged in ([], [identity]):
        with SqliteLedger(tmp_path / f"{len(tagged)}.db") as ledger:
            offer_all(ledger, media)
            (one,) = (it for it in ledger.videos() if it.paths[0].endswith(b"one.mp4"))
            whole = Content(one.oshash, one.size_bytes)
            ledger.note_tagged({whole: tagged}, 0, {identity: ada.id})
            list(make_scanner(ledger, gallery).scan_all())
            assert run(ledger, gallery) == Changed(), "nothing is left to be matched"
            said = ledger.outcomes([one.id])[one.id]
            naming = open_naming(open_store(gallery), SquaresReader().second, USUAL)
            again = rematching.name_again(ledger, [one.id], naming)[one.id]
            assert outcomes_of(again) == tuple(said)
            scores.append(max(it.score for it in said))
    assert 0 < scores[0] < scores[1]


def test_a_video_that_is_scanned_while_others_are_matched_keeps_what_its_scan_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rematching, "VIDEOS_AT_ONCE", 1)
    gallery = make_gallery(tmp_path / "g.db")
    ada = enrol(gallery, "Ada", made_up_person(2).views[0].encodings[0])
    with SqliteLedger(tmp_path / "l.db") as ledger:
        _, second = (scan_one(ledger, seed, made_up_person(seed)) for seed in (1, 2))
        read = ledger.decisions

        def scan_meanwhile(videos: Sequence[int]) -> dict[int, list[Decision]]:
            found = read(videos)
            if second in videos:
                monkeypatch.setattr(ledger, "decisions", read)
                ledger.want_again([second], "normal")
                scan_one(ledger, 2, made_up_person(3))
            return found

        monkeypatch.setattr(ledger, "decisions", scan_meanwhile)
        naming = open_naming(open_store(gallery), None, Settings())
        list(rematch(ledger, naming))
        assert ledger.decisions == read, "it was scanned"
        assert {one.performer for one in ledger.outcomes([second])[second]} == {None}
        list(rematch(ledger, naming))
        assert ada.id not in {one.performer for one in ledger.outcomes([second])[second]}


def test_after_each_change_of_the_gallery_every_video_says_what_it_would_say_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rematching, "VIDEOS_AT_ONCE", 3)
    gallery = make_gallery(tmp_path / "g.db")
    faces = [made_up_person(seed).views[0].encodings[0] for seed in range(12)]
    ada, eve = enrol(gallery, "Ada", faces[1]), enrol(gallery, "Eve", faces[2])
    enrol(gallery, "Eve again", faces[2], count=1)
    with SqliteLedger(tmp_path / "l.db") as ledger:
        for seed in range(8):
            scan_one(ledger, seed, *(made_up_person(seed + near) for near in range(4)))

        def same_as_alone() -> int:
            changed = run(ledger, gallery).changed
            naming = open_naming(open_store(gallery), None, Settings())
            for one in ledger.videos():
                (alone,) = rematching.name_again(ledger, [one.id], naming).values()
                assert tuple(ledger.outcomes([one.id])[one.id]) == outcomes_of(alone)
            return changed

        same_as_alone()
        enrol(gallery, "Grace", faces[5])
        assert same_as_alone() > 0
        with open_store(gallery).changing() as opened:
            again = opened.find_performer("Eve again")
            opened.merge(opened.performer(eve.id), again)
        assert same_as_alone() > 0
        with open_store(gallery).changing() as opened:
            opened.remove_photo(opened.performer(ada.id), "Ada0")
        same_as_alone()
        with open_store(gallery).changing() as opened:
            opened.forget(opened.performer(ada.id))
        assert same_as_alone() > 0
        assert same_as_alone() == 0


def verdicts(said: dict[bytes, list[Outcome]], *performers: int) -> list[str]:
    everyone = (one for outcomes in said.values() for one in outcomes)
    return [one.verdict for one in everyone if one.performer in performers]


def test_a_joined_fragment_stays_joined_whatever_was_left_out(tmp_path: Path) -> None:
    """Positions 1 and 3 are stored; 0 and 2 were strangers."""
    path = tmp_path / "l.db"
    gallery = make_gallery(tmp_path / "g.db")
    person, fragment = made_up_person(1, views=1), made_up_person(2, views=1, frames=(8, 9))
    enrol(gallery, "Ada", person.views[0].encodings[0])
    with SqliteLedger(path) as ledger:
        video = scan_one(
            ledger,
            1,
            *(made_up_person(3), person, made_up_person(4), fragment),
            links=(Link(0.55, 1, 3),),
        )
        with ledger.writing() as db:
            db.execute("DELETE FROM sightings WHERE position IN (0, 2)")
            db.execute("DELETE FROM outcomes WHERE position IN (0, 2)")
        for _ in range(2):
            run(ledger, gallery)
            lead, joined = ledger.outcomes([video])[video]
            assert (lead.position, lead.lead, lead.performer, lead.verdict) == (1, 1, 1, "match")
            assert joined == Outcome(3, 1)
            enrol(gallery, "Eve", made_up_person(9).views[0].encodings[0])


def test_a_damaged_person_stops_no_rematch_and_their_video_is_named(
    tmp_path: Path, gallery: Path, media: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faces = faces_of(tmp_path / "look.db", gallery, media)
    path = tmp_path / "l.db"
    with scanned(path, gallery, media) as ledger:
        ledger._db.execute("UPDATE sightings SET seen = x'00' WHERE id = 1")
        enrol(gallery, "Ada", faces["two.mp4"][1])
        assert run(ledger, gallery).videos == len(VIDEOS)
        (failed,) = ledger.iterate("failed")
        assert os.fsdecode(failed.paths[0]) in caplog.text
        named = [one for found in outcomes(ledger).values() for one in found if one.performer]
        assert len(named) == 2
        assert run(ledger, gallery).videos == 0, "and it is not matched again and again"
    assert_whole(path)


@pytest.mark.parametrize(
    ("decides", "otherwise"),
    [
        ("name_fits", lambda: "others"),
        ("JOINED_FROM", 0.9),
        ("ASSUMED_IN_VIDEO", 50),
        ("LIKELY_FROM", 0.4),
    ],
)
def test_after_an_upgrade_that_scores_otherwise_everyone_is_matched_again_once(
    decides: str,
    otherwise: object,
    *,
    tmp_path: Path,
    gallery: Path,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scanned(tmp_path / "l.db", gallery, media) as ledger:
        assert run(ledger, gallery).videos == 0
        monkeypatch.setattr(naming, decides, otherwise)
        assert [run(ledger, gallery).videos for _ in range(2)] == [len(VIDEOS), 0]


OTHERWISE = (Settings(hints="off"), Settings(min_score=30.0))
"""Settings by which others are named, or with other scores."""


@pytest.mark.parametrize("settings", OTHERWISE)
def test_after_a_setting_was_changed_that_decides_names_everyone_is_matched_again_once(
    settings: Settings, tmp_path: Path, gallery: Path, media: Path
) -> None:
    with scanned(tmp_path / "l.db", gallery, media) as ledger:
        found = [run(ledger, gallery, one).videos for one in (settings, settings, USUAL)]
        assert found == [len(VIDEOS), 0, len(VIDEOS)]
        assert run(ledger, gallery, Settings(max_matches=1, slots=7)).videos == 0


def test_a_library_that_cannot_be_written_is_read_as_it_was_matched(
    tmp_path: Path,
    gallery: Path,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object) -> None:
        raise GalleryReadOnlyError("on a DVD")

    with scanned(tmp_path / "l.db", gallery, media) as ledger:
        before = outcomes(ledger)
        monkeypatch.setattr(SqliteLedger, "put_outcomes", refuse)
        assert run(ledger, gallery, Settings(hints="off")) == Changed()
        assert outcomes(ledger) == before
    assert caplog.messages == ["Names stay as they were last matched: on a DVD"]
