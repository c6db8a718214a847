"""What a library does not know that was written into Stash, it learns by a note there."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db.writes import Write
from function.stash.client import Stash
from function.stash.notes import TOLD_EVERY, leave_note, unknown_since
from tests.function.stash.test_tagged import do, hinted, rows
from tests.support.stash_libraries import StashLibrary, stash_library
from tests.support.stash_server import FakeStash

LATER = "2031-01-01T00:00:00Z"
"""After all notes, in the stand-in's time, whose other times are long before."""

KEY = "performerRecognition"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[StashLibrary]:
    with stash_library(tmp_path) as made:
        yield made


def put_late(library: StashLibrary) -> None:
    """Let every scene with performers be one that was changed after all notes."""
    for one in library.fake.scenes.values():
        if one["performers"]:
            one["updated_at"] = LATER


def written(library: StashLibrary) -> str:
    """Let Apply add P1 to a scene; return it."""
    scene = library.scene("a.mp4", [library.person(1)])
    do(library, "apply")
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]
    put_late(library)
    return scene


def scan_again(library: StashLibrary) -> None:
    for path in library.root.glob("*.mp4"):
        library.scan(path.name, [library.person(1)])


def note_of(library: StashLibrary) -> dict[str, Any]:
    (note,) = library.fake.ui[KEY].values()
    return dict(note)


def test_a_library_made_anew_takes_nothing_for_the_users_that_another_may_have_written(
    library: StashLibrary,
) -> None:
    theirs = library.scene("old.mp4", [library.person(2)], performers=[library.in_stash[2]])
    do(library, "apply")
    at = library.fake.scenes[theirs]["updated_at"]
    scene = written(library)
    library.fake.scenes[theirs]["updated_at"] = at
    library.ledger_path.unlink()
    scan_again(library)
    said = do(library, "sync")
    assert "Tags on 1 scene do not count: another library may have written there since" in said
    assert hinted(library, scene) == {"P1": ()}
    assert rows(library) == [("stash", library.in_stash[2])], "older than all that was written"
    library.fake.ui.clear()
    assert "do not count" not in do(library, "sync")
    assert hinted(library, scene) == {"P1": ("tag",)}, "the user took the note away"


def test_a_library_that_was_put_back_from_a_backup_knows_that_it_lacks_something(
    library: StashLibrary, tmp_path: Path
) -> None:
    library.scene("b.mp4", [library.person(3)])
    do(library, "apply")
    backup = tmp_path / "backup.db"
    shutil.copy(library.ledger_path, backup)
    scene = written(library)
    shutil.copy(backup, library.ledger_path)
    library.scan("a.mp4", [library.person(1)])
    for name in ("c.mp4", "d.mp4"):
        do(library, "sync")
        assert hinted(library, scene) == {"P1": ()}
        library.scene(name, [library.person(3)])
        do(library, "apply")
    assert len(library.fake.ui[KEY]) == 2, "it goes on under another number"


def test_a_library_alone_knows_all_that_is_in_stash(library: StashLibrary) -> None:
    written(library)
    theirs = library.scene("b.mp4", [library.person(2)], performers=[library.in_stash[2]])
    put_late(library)
    do(library, "sync")
    assert hinted(library, theirs) == {"P2": ("tag",)}
    assert note_of(library)["times"] == 1
    library.scene("c.mp4", [library.person(2)])
    do(library, "apply")
    assert note_of(library)["times"] == 2


def test_the_first_note_of_a_library_that_wrote_before_is_as_old_as_any(
    library: StashLibrary,
) -> None:
    with library.ledger() as ledger:
        writes = ledger.writes
        writes.confirm(writes.intend(writes.begin_run("apply"), [Write("performer", "1", "2")]))
    do(library, "sync")
    assert library.fake.ui == {}, "who only reads leaves no note"
    written(library)
    assert note_of(library) == {"since": "2000-01-01T00:00:00+00:00", "times": 1}


def test_what_the_scraper_is_told_is_noted_once_an_hour(library: StashLibrary) -> None:
    with closing(opened(library.fake)) as stash, library.ledger() as ledger:
        assert unknown_since(ledger, stash) is None
        for _ in range(2):
            leave_note(ledger, stash, TOLD_EVERY)
        assert note_of(library)["times"] == 1
        leave_note(ledger, stash)
        assert note_of(library)["times"] == 2
        assert unknown_since(ledger, stash) is None


def test_many_who_leave_notes_at_once_are_one_library(library: StashLibrary) -> None:
    def leave(times: int) -> None:
        with closing(opened(library.fake)) as stash, library.ledger() as ledger:
            for _ in range(times):
                leave_note(ledger, stash)

    for times in (1, 5):  # at first it has no number yet
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(leave, [times] * 6))
        with closing(opened(library.fake)) as stash, library.ledger() as ledger:
            assert unknown_since(ledger, stash) is None
    leave(1)
    assert note_of(library)["times"] == 6 + 30 + 1


def test_a_note_that_another_process_leaves_meanwhile_is_not_taken_for_one_of_a_lost_library(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Stash.notes

    def leave_another(stash: Stash) -> Any:
        monkeypatch.setattr(Stash, "notes", notes)
        with library.ledger() as ledger:
            leave_note(ledger, stash)
        return notes(stash)

    with closing(opened(library.fake)) as stash, library.ledger() as ledger:
        leave_note(ledger, stash)
        monkeypatch.setattr(Stash, "notes", leave_another)
        leave_note(ledger, stash)
        assert note_of(library)["times"] == 3
        assert unknown_since(ledger, stash) is None


@pytest.mark.parametrize(
    "spoilt",
    [
        7,
        {"n1": None},
        {"n1": {"since": [], "times": "x"}},
        {"n1": {"since": "0001-01-01T00:00:00"}},
    ],
)
def test_a_note_that_cannot_be_read_is_as_old_as_any(library: StashLibrary, spoilt: Any) -> None:
    library.scene("a.mp4", [library.person(1)], performers=[library.in_stash[1]])
    library.fake.ui[KEY] = spoilt
    do(library, "sync")
    assert rows(library) == ([("stash", library.in_stash[1])] if spoilt == 7 else [])


def test_a_scene_of_which_stash_says_no_time_is_not_trusted(library: StashLibrary) -> None:
    scene = library.scene("a.mp4", [library.person(1)], performers=[library.in_stash[1]])
    library.fake.scenes[scene]["updated_at"] = "some day"
    library.fake.ui[KEY] = {"another": {"since": LATER, "times": 1}}
    do(library, "sync")
    assert rows(library) == []


def test_another_library_that_begins_to_write_while_scenes_are_read_is_seen(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.scene("a.mp4", [library.person(1)], performers=[library.in_stash[1]])
    put_late(library)
    scenes = Stash.scenes

    def write_then(stash: Stash, *given: Any) -> Any:
        library.fake.ui[KEY] = {"another": {"since": "2030-01-01T00:00:00Z", "times": 1}}
        yield from scenes(stash, *given)

    monkeypatch.setattr(Stash, "scenes", write_then)
    do(library, "sync")
    assert rows(library) == []


def test_a_stash_that_takes_no_notes_is_written_to(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(library.fake.root, "configureUISetting", refuse)
    written(library)
    assert library.fake.ui == {}


def refuse(*_: object, **__: object) -> None:
    raise ValueError(json.dumps("it is read-only"))


def opened(fake: FakeStash) -> Stash:
    return Stash(fake.url, fake.api_key)
