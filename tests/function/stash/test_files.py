"""Small files whose numbers add up to one fingerprint, and the scenes that show them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from db.sqlite.ledger import SqliteLedger
from function.library.albums import fingerprint_of
from function.stash.albums import queue_album, read_album_file
from function.stash.files import find_in_ledger
from function.stash.planning import Videos
from function.stash.records import File, Scene
from tests.support.ledgers import Clock, open_with

ONE, OTHER = b"A" * 8 + b"B" * 8, b"B" * 8 + b"A" * 8


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with open_with(Clock(), tmp_path / "l.db") as opened:
        yield opened


def write(tmp_path: Path, name: str, content: bytes) -> File:
    """Write a file, and return it as Stash tells of it."""
    path = tmp_path / name
    path.write_bytes(content)
    return File(str(path), fingerprint_of(bytes(path)), len(content), 1.0)


def locate(path: str) -> bytes | None:
    return path.encode() if Path(path).exists() else None


def shown(ledger: SqliteLedger, file: File) -> list[tuple[bytes, ...]]:
    """Return the files of the videos that both ways find, which are the same."""
    found = find_in_ledger(file, ledger, locate)
    scene = Scene("1", "", (file,), (), (), updated_at="")
    assert Videos(ledger.iterate(), locate).of(scene) == found
    return [one.paths for one in ledger.records(found)]


@pytest.mark.parametrize("name", ["{}.mp4", "{}.png", "{}.zip"])
def test_small_files_of_one_fingerprint_are_two_whichever_way_they_come(
    tmp_path: Path, ledger: SqliteLedger, name: str
) -> None:
    files = [write(tmp_path, name.format(it), c) for it, c in (("a", ONE), ("b", OTHER))]
    assert files[0].oshash == files[1].oshash
    for file in files:
        queue_album(ledger, read_album_file(file.path.encode()))
    assert len(ledger.videos()) == 2
    for file in files:
        assert shown(ledger, file) == [(file.path.encode(),)]


def test_a_scene_of_a_small_file_does_not_get_the_people_of_another(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    known, new = write(tmp_path, "a.mp4", ONE), write(tmp_path, "b.mp4", OTHER)
    queue_album(ledger, read_album_file(known.path.encode()))
    assert shown(ledger, known) == [(known.path.encode(),)]
    assert shown(ledger, new) == []
    Path(new.path).unlink()
    assert shown(ledger, new) == [], "nobody can tell which of both it was"


def test_a_small_file_is_known_by_what_it_holds_wherever_it_lies(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    files = [write(tmp_path, name, c) for name, c in (("a.mp4", ONE), ("b.mp4", OTHER))]
    for file in files:
        queue_album(ledger, read_album_file(file.path.encode()))
    moved = write(tmp_path, "c.mp4", OTHER)
    assert shown(ledger, moved) == [(files[1].path.encode(),)]
    written_anew = write(tmp_path, "a.mp4", OTHER)
    assert shown(ledger, written_anew) == [(files[1].path.encode(),)]


def test_a_large_file_is_known_by_its_fingerprint_wherever_it_lies(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    file = write(tmp_path, "a.mp4", ONE * 20_000)
    queue_album(ledger, read_album_file(file.path.encode()))
    elsewhere = File("/elsewhere/b.mp4", file.oshash, file.size_bytes, 1.0)
    assert shown(ledger, elsewhere) == [(file.path.encode(),)]


def test_a_small_file_without_a_fingerprint_in_stash_is_known_by_where_it_lies(
    tmp_path: Path, ledger: SqliteLedger
) -> None:
    file = replace(write(tmp_path, "a.mp4", ONE), oshash="")
    queue_album(ledger, read_album_file(file.path.encode()))
    assert shown(ledger, file) == [(file.path.encode(),)]
    write(tmp_path, "a.mp4", OTHER)
    assert shown(ledger, file) == [], "it holds something else now"
