"""Forgetting reaches the library, whatever interrupts it."""

import os
import resource
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.blobs import to_blob
from db.corrections import Correction
from db.errors import ErasureUnfinishedError
from db.ledgers import Ledger
from db.people import PersonFound
from db.sqlite import connections, ledger_connections
from db.sqlite.ledger import SqliteLedger
from db.sqlite.ledger_connections import LedgerConnection
from db.sqlite.ledger_schema import LEDGER
from db.stores import open_ledger
from db.videos import Scanned, Stamp, VideoFile
from function.engines.models import PRIMARY
from function.faces.found import StageSeconds
from function.library import forgetting, naming
from function.library.decisions import decide as store_decision
from function.library.forgetting import (
    finish_strangers,
    forget_everywhere,
    forget_old_strangers,
    forget_strangers,
    open_library,
)
from function.library.keeping import Watched, keep_people
from function.library.naming import open_naming
from function.library.rematching import rematch
from function.people.gathering import PeopleFound
from tests.support.crowds import make_faces
from tests.support.full_disks import full_disk
from tests.support.libraries import Library
from tests.support.people import person_of

LEAF_OF_TABLE = 13
"""How such a page of SQLite's begins."""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def traces(library: Library, person: PersonFound) -> int:
    """Count what is left of a person in any file of the library."""
    written = library.bytes_on_disk()
    vectors = [to_blob(one) for view in person.views for one in view.encodings]
    return sum(trace in written for trace in (person.picture, *vectors))


def test_nothing_of_the_forgotten_is_left_in_any_file(library: Library) -> None:
    assert library.positions() == [0, 1, 2]
    assert traces(library, library.people[0]) == 5
    assert forget_everywhere(library.store, library.settings, library.ids[0]) == 1
    assert traces(library, library.people[0]) == 0
    assert traces(library, library.people[1]) == 5
    assert library.positions() == [1, 2]
    with library.store.gallery() as gallery:
        assert "P0" not in [one.name for one in gallery.performers()]


def test_without_a_library_only_the_gallery_is_touched(library: Library) -> None:
    library.path.unlink()
    assert forget_everywhere(library.store, library.settings, library.ids[0]) == 0
    assert not library.path.exists()


@pytest.mark.parametrize(
    "step", ["begin_forgetting", "erase_performer", "_forget_in_gallery", "end_forgetting"]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_is_broken_off_is_finished_at_the_next_start(
    library: Library, step: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = forgetting if step.startswith("_") else SqliteLedger
    whole: Callable[..., object] = getattr(place, step)

    def broken(*arguments: object) -> object:
        if when == "after":
            whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(place, step, broken)
        with pytest.raises(KeyboardInterrupt):
            forget_everywhere(library.store, library.settings, library.ids[0])
    with open_library(library.settings.library_db, library.store) as ledger:
        is_noted = (step, when) != ("begin_forgetting", "before")
        assert ledger.unfinished_forgetting() == []
    assert (traces(library, library.people[0]) == 0) == is_noted
    with library.store.gallery() as gallery:
        assert ("P0" in [one.name for one in gallery.performers()]) != is_noted


def test_those_matched_with_a_performer_merged_away_are_erased_too(library: Library) -> None:
    with library.store.changing() as gallery:
        kept, absorbed = (gallery.performer(library.ids[number]) for number in (1, 0))
        gallery.merge(kept, absorbed)
    assert forget_everywhere(library.store, library.settings, library.ids[1]) == 2
    assert library.positions() == [2]


def test_a_scan_that_began_before_brings_nobody_back(library: Library) -> None:
    naming = open_naming(library.store, None, library.settings)
    found = PeopleFound(
        tuple(library.people), (PRIMARY.id,), 30, 12, StageSeconds(0.0, 0.0), links=()
    )
    kept = keep_people(found, Watched("", 30.0), naming, strangers=True)
    with open_ledger(library.path) as ledger:
        ledger.want([1], "deep")
        lease = ledger.lease("test", 60)
        assert lease
        forget_everywhere(library.store, library.settings, library.ids[0])
        scanned = Scanned("deep", 0.5, (PRIMARY.id,))
        generation = naming.generation
        assert ledger.finish(lease, kept.found, scanned, kept.outcomes, generation)
        assert [one.position for one in ledger.sightings([1])[1]] == [1, 2]


def test_the_forgotten_are_no_strangers_in_a_deeper_scan(library: Library) -> None:
    forget_everywhere(library.store, library.settings, library.ids[0])
    with open_ledger(library.path) as ledger:
        assert ledger.forgotten_spans(1) == [(0.0, 3.0)]
        ledger.want([1], "deep")
        assert library.scan(ledger, library.people) == 2
        assert [one.position for one in ledger.sightings([1])[1]] == [1, 2]


def test_a_reader_of_the_file_delays_the_end_and_it_is_said(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.2)
    with open_ledger(library.path) as reader:
        assert isinstance(reader, SqliteLedger)
        reader._db.execute("BEGIN")
        reader._db.execute("SELECT count(*) FROM sightings").fetchone()
        with pytest.raises(ErasureUnfinishedError, match="Somebody still reads"):
            forget_everywhere(library.store, library.settings, library.ids[0])
        assert reader.unfinished_forgetting() == []  # as it was when it began to read
        reader._db.execute("ROLLBACK")
        assert len(reader.unfinished_forgetting()) == 1
    with open_library(library.settings.library_db, library.store) as ledger:
        assert ledger.unfinished_forgetting() == []
    assert traces(library, library.people[0]) == 0
    assert np.isfinite(library.people[0].views[0].encodings[0]).all()


def test_a_gallery_that_cannot_be_written_is_told_of_and_it_is_finished_later(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_gallery = forgetting._forget_in_gallery

    def without_room(*arguments: Any) -> None:
        with full_disk():
            in_gallery(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(forgetting, "_forget_in_gallery", without_room)
        with pytest.raises(ErasureUnfinishedError, match=r"the gallery not yet.*Free space"):
            forget_everywhere(library.store, library.settings, library.ids[0])
        with open_library(library.settings.library_db, library.store) as ledger:
            assert len(ledger.unfinished_forgetting()) == 1
            assert library.positions() == [1, 2], "the library can be used meanwhile"
    with open_library(library.settings.library_db, library.store) as ledger:
        assert ledger.unfinished_forgetting() == []
    assert traces(library, library.people[0]) == 0
    with library.store.gallery() as gallery:
        assert "P0" not in [one.name for one in gallery.performers()]


def test_a_library_that_cannot_be_written_is_read_and_erased_from_later(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after a restart: one process would wait before it rewrites the file again.
    monkeypatch.setattr(ledger_connections, "AGAIN_AFTER_SECONDS", 0)
    with library.store.gallery() as gallery:
        identity = gallery.generation()[0]
    with library.store.gallery(), open_ledger(library.path) as ledger:
        ledger.begin_forgetting(identity, library.ids[0])
        ledger.strangers.erase()
        with full_disk(), open_library(library.settings.library_db, library.store) as opened:
            assert len(opened.unfinished_forgetting()) == 1
            assert opened.counts().done == 1
    with open_library(library.settings.library_db, library.store) as ledger:
        assert ledger.unfinished_forgetting() == []
        assert not ledger.strangers.is_erasing()
    assert traces(library, library.people[0]) == 0


def test_a_video_that_is_to_be_scanned_again_or_failed_then_is_no_hiding_place(
    library: Library,
) -> None:
    with open_ledger(library.path) as ledger:
        ledger.want([1], "deep")
        forget_everywhere(library.store, library.settings, library.ids[0])
        assert traces(library, library.people[0]) == 0
        lease = ledger.lease("test", 60)
        assert lease
        ledger.fail(lease, "it is damaged", for_good=True)
        forget_everywhere(library.store, library.settings, library.ids[1])
    assert traces(library, library.people[1]) == 0
    assert library.positions() == [2]


@pytest.mark.parametrize("is_stranger", [False, True])
def test_what_was_said_of_somebody_who_is_not_seen_any_more_is_no_hiding_place(
    library: Library, *, is_stranger: bool
) -> None:
    place = 2 if is_stranger else 0
    with open_ledger(library.path) as ledger, library.store.gallery() as opened:
        gallery = open_naming(library.store, None, library.settings).gallery
        other = opened.performer(library.ids[5])
        for position in (place, 1):
            store_decision(ledger, gallery, (1, position), "rejected", other)
        looks = [to_blob(one.template) for one in ledger.decisions([1])[1]]
        ledger.want_again([1], "normal")
        library.scan(ledger, library.people[1:2])
    assert [look in library.bytes_on_disk() for look in looks] == [True, True]
    if is_stranger:
        with open_ledger(library.path) as ledger:
            forget_strangers(ledger)
    else:
        forget_everywhere(library.store, library.settings, library.ids[0])
    assert [look in library.bytes_on_disk() for look in looks] == [False, True]


@pytest.mark.parametrize("is_seen", [False, True])
def test_whom_the_user_named_is_no_part_of_another_who_looks_alike(
    library: Library, *, is_seen: bool
) -> None:
    """P1 is said to be somebody who looks much like P0, beside whom they are seen."""
    twin = library.centres[0] + np.float32(0.3 / np.sqrt(128))
    alike = person_of(make_faces(np.stack([twin] * 4), 0))
    with open_ledger(library.path) as ledger, library.store.gallery() as opened:
        gallery = open_naming(library.store, None, library.settings).gallery
        ledger.want_again([1], "normal")
        library.scan(ledger, [library.people[0], alike])
        for position, performer in ((1, 5), (0, 0)):
            about = opened.performer(library.ids[performer])
            store_decision(ledger, gallery, (1, position), "confirmed", about)
        if not is_seen:
            ledger.want_again([1], "normal")
            library.scan(ledger, library.people[1:2])
        before = [one.identities for one in ledger.decisions([1])[1]]
    forget_everywhere(library.store, library.settings, library.ids[0])
    with open_ledger(library.path) as ledger:
        kept = ledger.decisions([1])[1]
        assert [one.identities for one in kept] == before[:1]
        assert np.linalg.norm(kept[0].template - twin) < 0.1
    assert traces(library, library.people[0]) == 0


@pytest.mark.parametrize("is_of_somebody", [True, False])
def test_a_name_that_nobody_has_any_more_hides_no_face_of_the_forgotten(
    library: Library, *, is_of_somebody: bool
) -> None:
    """P0 was named once, by an id that went with a gallery of before, and is seen no more."""
    with open_ledger(library.path) as ledger, library.store.gallery() as opened:
        gallery = open_naming(library.store, None, library.settings).gallery
        about = opened.performer(library.ids[5])
        store_decision(ledger, gallery, (1, 0), "confirmed", about)
        if not is_of_somebody:
            with ledger.writing() as db:
                db.execute('UPDATE decisions SET identities = json(\'[["a former one", "1"]]\')')
        ledger.want_again([1], "normal")
        library.scan(ledger, library.people[1:2])
        (before,) = ledger.decisions([1])[1]
    forget_everywhere(library.store, library.settings, library.ids[0])
    is_left = to_blob(before.template) in library.bytes_on_disk()
    assert is_left == is_of_somebody


@pytest.mark.parametrize("is_stranger", [False, True])
def test_copies_in_the_free_space_of_pages_are_overwritten_too(
    library: Library, *, is_stranger: bool
) -> None:
    """SQLite leaves such copies when it moves cells from one page to another."""
    person = library.people[2 if is_stranger else 0]
    _plant(library, to_blob(person.views[0].encodings[0]))
    if is_stranger:
        with open_ledger(library.path) as ledger:
            forget_strangers(ledger)
    else:
        forget_everywhere(library.store, library.settings, library.ids[0])
    assert traces(library, person) == 0


def _upgrade(library: Library, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Open a library by a version with one step more, and return the copy made before."""
    more = replace(LEDGER, steps=(*LEDGER.steps, lambda db: db.execute("CREATE TABLE more (x)")))
    monkeypatch.setattr(ledger_connections, "LEDGER", more)
    with open_ledger(library.path):
        pass
    copy = library.path.with_name(f"l.db.before-{len(more.steps)}")
    assert library.people[0].picture in copy.read_bytes()
    return copy


@pytest.mark.parametrize("who", ["performer", "strangers", "old strangers"])
def test_no_copy_of_the_library_made_before_an_upgrade_keeps_the_forgotten(
    who: str, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = _upgrade(library, monkeypatch)
    left = [copy.with_name(name) for name in (f".{copy.name}.partial", f"{copy.name}-journal")]
    for one in left:
        one.write_bytes(library.people[0].picture)
    mine = [copy.with_name(f"l.db.{name}") for name in ("copy", "before-trip", "before-20261127")]
    for one in mine:
        one.write_bytes(b"of my own")
    if who == "performer":
        forget_everywhere(library.store, library.settings, library.ids[0])
    else:
        with open_ledger(library.path) as ledger:
            if who == "strangers":
                assert forget_strangers(ledger) == 1
            else:
                assert forget_old_strangers(ledger, 90, datetime.now(UTC) + timedelta(91)) == 1
    assert not any(one.exists() for one in (copy, *left))
    assert all(one.exists() for one in mine)
    assert traces(library, library.people[0 if who == "performer" else 2]) == 0


def test_a_copy_that_cannot_be_deleted_is_told_of_and_tried_again(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    copy = _upgrade(library, monkeypatch)
    with monkeypatch.context() as held:
        held.setattr(Path, "unlink", lambda *_, **__: os.open(copy / "no folder", os.O_RDONLY))
        with pytest.raises(ErasureUnfinishedError, match="a copy beside it cannot be deleted"):
            forget_everywhere(library.store, library.settings, library.ids[0])
    assert copy.name in caplog.text
    with open_library(library.settings.library_db, library.store):
        pass
    assert not copy.exists()


def test_a_disk_too_full_to_rewrite_the_library_is_told_of_and_not_tried_by_everyone(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: dict[Path | None, float] = {}
    monkeypatch.setattr(ledger_connections, "_not_before", waits)
    with monkeypatch.context() as patched, open_ledger(library.path) as ledger:
        # No disk takes this, full or not.
        patched.setattr(ledger_connections, "CHECKPOINT", "VACUUM INTO '/'")
        ledger.begin_forgetting(1, 2)
        assert not ledger.end_forgetting(1, 2)
    with open_ledger(library.path) as ledger:
        assert not ledger.end_forgetting(1, 2), "not so soon again"
        waits.clear()
        assert ledger.end_forgetting(1, 2)
        assert ledger.unfinished_forgetting() == []


def test_a_library_that_is_read_once_it_is_rewritten_is_not_rewritten_by_everyone(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: dict[Path | None, float] = {}
    monkeypatch.setattr(ledger_connections, "_not_before", waits)
    held = iter([False, True])
    with monkeypatch.context() as patched, open_ledger(library.path) as ledger:
        patched.setattr(LedgerConnection, "_is_log_held", lambda *_: next(held))
        ledger.begin_forgetting(1, 2)
        assert not ledger.end_forgetting(1, 2)
    with open_ledger(library.path) as ledger:
        assert not ledger.end_forgetting(1, 2), "not so soon again"
        waits.clear()
        assert ledger.end_forgetting(1, 2)


def test_what_was_said_of_a_video_that_was_encoded_anew_is_kept_until_it_is_scanned(
    library: Library,
) -> None:
    naming = open_naming(library.store, None, library.settings)
    with open_ledger(library.path) as ledger, library.store.gallery() as opened:
        other = opened.performer(library.ids[5])
        for position in (1, 2):
            store_decision(ledger, naming.gallery, (1, position), "rejected", other)
        anew = VideoFile(library.file.path, Stamp(2000, 2), "00000000000007d0")
        ledger.offer([anew], "normal")
        (video,) = (one.id for one in ledger.videos() if one.id != 1)
        assert len(ledger.decisions([video])[video]) == 2
        forget_strangers(ledger)
        (kept,) = ledger.decisions([video])[video]
        assert np.linalg.norm(kept.template - library.centres[1]) < 0.5


def test_a_rewriting_that_fails_leaves_the_disk_no_fuller(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_connections, "_not_before", {})
    log = library.path.with_name("l.db-wal")
    with open_ledger(library.path) as ledger:
        assert isinstance(ledger, SqliteLedger)
        ledger._db.execute("PRAGMA temp_store = MEMORY")  # so that only its log fills the disk
        ledger._db.execute("PRAGMA cache_size = 10")
        ledger.choose("much", "x" * 3_000_000)
        ledger.rows(ledger_connections.CHECKPOINT)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, limits[1]))
        try:
            assert not ledger.scrub()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert log.stat().st_size == 0


def test_an_import_that_runs_delays_what_is_left_of_a_forgetting(library: Library) -> None:
    with open_ledger(library.path) as ledger:
        with library.store.gallery() as gallery:
            identity = gallery.generation()[0]
        ledger.begin_forgetting(identity, library.ids[0])
    with (
        library.store.changing(),
        open_library(library.settings.library_db, library.store) as ledger,
    ):
        assert ledger.unfinished_forgetting() == [(identity, library.ids[0])]
    with open_library(library.settings.library_db, library.store) as ledger:
        assert ledger.unfinished_forgetting() == []


@pytest.mark.parametrize(
    ("chosen", "kept_when_scanned", "decides", "left"),
    [
        ("", False, False, [1]),
        ("off", False, False, [1]),
        ("keep", False, False, [0, 1]),
        ("90d", False, False, [0, 1]),
        ("off", True, False, [0, 1, 2]),
        ("off", False, True, [0, 1]),
    ],
)
def test_who_was_named_once_and_is_nobody_now_stays_only_where_strangers_are_kept(
    library: Library, chosen: str, left: list[int], *, kept_when_scanned: bool, decides: bool
) -> None:
    def finish(ledger: Ledger) -> int:
        naming = open_naming(library.store, None, library.settings)
        return finish_strangers(ledger, naming, chosen)

    with open_ledger(library.path) as ledger:
        ledger.want_again([1], "normal")
        library.scan(ledger, library.people, strangers=kept_when_scanned)
        gallery = open_naming(library.store, None, library.settings).gallery
        if decides:
            store_decision(ledger, gallery, (1, 0), "ignored")
        _unenrol(library, 0)
        assert finish(ledger) == 0, "they are not unknown by today's gallery yet"
        for _ in rematch(ledger, open_naming(library.store, None, library.settings)):
            pass
        assert finish(ledger) == (0 not in left)
    assert library.positions() == left
    assert (traces(library, library.people[0]) > 0) == (0 in left)


def test_who_is_erased_meanwhile_does_not_hide_that_the_file_is_still_to_be_rewritten(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = library.people[2]
    _plant(library, to_blob(stranger.views[0].encodings[0]))
    with open_ledger(library.path) as ledger:
        with monkeypatch.context() as patched:
            patched.setattr(LedgerConnection, "scrub", lambda _: False)
            forget_strangers(ledger)
            ledger.want_again([1], "normal")
            library.scan(ledger, library.people[:2], strangers=False)
            _unenrol(library, 0)
            naming = open_naming(library.store, None, library.settings)
            for _ in rematch(ledger, naming):
                pass
            assert finish_strangers(ledger, naming, "off") == 1
        assert ledger.strangers.is_erasing()
    with open_library(library.settings.library_db, library.store) as ledger:
        assert not ledger.strangers.is_erasing()
    assert traces(library, stranger) == 0


def test_nobody_is_erased_because_a_setting_is_tried(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def follow(ledger: Ledger, min_score: float) -> int:
        settings = replace(library.settings, min_score=min_score)
        naming = open_naming(library.store, None, settings)
        for _ in rematch(ledger, naming):
            pass
        return finish_strangers(ledger, naming, "off")

    with open_ledger(library.path) as ledger:
        ledger.want_again([1], "normal")
        library.scan(ledger, library.people, strangers=False)
        assert follow(ledger, 20.0) == 0
        assert follow(ledger, 100.0) == follow(ledger, 100.0) == 0
        assert follow(ledger, 20.0) == 0
        assert {one.performer for one in ledger.outcomes([1])[1]} == set(library.ids[:2])
        assert follow(ledger, 100.0) == 0
        monkeypatch.setattr(forgetting, "SETTLED_DAYS", 0)
        assert follow(ledger, 100.0) == 2, "it is no trial any more"


@pytest.mark.parametrize("is_other_version", [True, False])
def test_a_library_of_an_earlier_version_gets_its_week_too(
    library: Library, monkeypatch: pytest.MonkeyPatch, *, is_other_version: bool
) -> None:
    """Nothing was noted yet, and by the new version's terms P1 is nobody any more."""
    with open_ledger(library.path) as ledger:
        ledger.want_again([1], "normal")
        library.scan(ledger, library.people[1:2], strangers=False)
        if is_other_version:
            monkeypatch.setattr(naming, "name_fits", lambda: "those of the new version")
        _unenrol(library, 1)
        today = open_naming(library.store, None, library.settings)
        for _ in rematch(ledger, today):
            pass
        assert finish_strangers(ledger, today, "off") == (0 if is_other_version else 1)
        monkeypatch.setattr(forgetting, "SETTLED_DAYS", 0)
        assert finish_strangers(ledger, today, "off") == (1 if is_other_version else 0)


def _unenrol(library: Library, number: int) -> None:
    with library.store.changing() as gallery:
        performer = gallery.performer(library.ids[number])
        hashes = tuple(one.hash for one in gallery.photos(performer.id))
        gallery.undo(Correction(performer, created=True, photo_hashes=hashes))


def _plant(library: Library, trace: bytes) -> None:
    """Write something into the free space of a page of the library's file."""
    with open_ledger(library.path) as ledger:
        assert isinstance(ledger, SqliteLedger)
        ledger.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = ledger.rows("PRAGMA page_size")[0]
    content = bytearray(library.path.read_bytes())
    for start in range(size, len(content), size):
        kind, cells, cells_from = struct.unpack_from(">B2xHH", content, start)
        free = start + 8 + 2 * cells, start + cells_from
        if kind == LEAF_OF_TABLE and free[1] - free[0] > len(trace):
            content[free[1] - len(trace) : free[1]] = trace
    library.path.write_bytes(content)
