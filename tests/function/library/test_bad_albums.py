"""A bad picture costs an album only itself, and a bad album costs no other, wherever it stands."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from db.stores import open_store
from db.videos import VideoRecord
from function.library.naming import open_naming
from function.library.results import VideoResult, results_of
from function.library.scan_events import Done
from function.settings import Settings
from tests.support.ledgers import Clock, open_with
from tests.support.scans import (
    failures,
    make_gallery,
    make_scanner,
    offer_all,
    picture_of,
    write_album,
)

PLACES = ["first", "middle", "last"]
ADA, BOB = 101, 202
GOOD_PICTURE = picture_of(ADA)

PICTURES = {
    "empty": b"",
    "no picture": b"hello",
    "cut off": GOOD_PICTURE[:60],
    "a bad avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(range(200)),
    "a bad heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(range(200)),
    "a bad jxl": b"\xff\x0a" + bytes(range(200)),
    "an archive": b"PK\x03\x04" + bytes(100),
}


def entries_with(bad: str, content: bytes, place: str) -> dict[str, bytes]:
    """Two good pictures, and a bad one before, between or after them."""
    entries = [("b.png", picture_of(ADA)), ("d.png", picture_of(BOB))]
    entries.insert(PLACES.index(place), ("ace"[PLACES.index(place)] + bad, content))
    return dict(entries)


def pack(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def scanned(media: Path, gallery: Path) -> tuple[list[VideoResult], list[str]]:
    """The results of all that could be scanned, and the names of what could not."""
    with open_with(Clock(), media.with_suffix(".db")) as ledger:
        offer_all(ledger, media, pictures=True)
        events = list(make_scanner(ledger, gallery).scan_all())
        assert ledger.counts().queued == ledger.counts().working == 0
        done: list[VideoRecord] = [one for one in ledger.iterate() if one.state == "done"]
        naming = open_naming(open_store(gallery), None, Settings(second_encoder="off"))
        performers = {one.id: one for one in naming.gallery.performers}
        assert len(done) == len([one for one in events if isinstance(one, Done)])
        found = list(results_of(ledger, iter(done), performers, each_picture=True))
    return found, [name for name, *_ in failures(events)]


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return make_gallery(tmp_path / "g.db")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("is_packed", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize("kind", PICTURES)
def test_a_bad_picture_of_an_album_costs_only_itself(
    kind: str, place: str, tmp_path: Path, gallery: Path, *, is_packed: bool
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    entries = entries_with(".png", PICTURES[kind], place)
    if is_packed:
        pack(media / "set.zip", entries)
    else:
        write_album(media / "set", {})
        for name, content in entries.items():
            (media / "set" / name).write_bytes(content)
    (result,), failed = scanned(media, gallery)
    assert failed == []
    assert [bool(one.reason) for one in result.pictures] == [
        entries[one.name] == PICTURES[kind] for one in result.pictures
    ]
    assert len(result.pictures) == 3
    assert len(result.people) == 2


def cut_off(path: Path) -> None:
    pack(path, {"a.png": GOOD_PICTURE})
    path.write_bytes(path.read_bytes()[:-30])


def locked(path: Path) -> None:
    content = bytearray(pack(path, {"a.png": GOOD_PICTURE}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    content[6] |= 1
    path.write_bytes(content)


ARCHIVES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "no archive": lambda path: path.write_bytes(b"Rar!" * 100),
    "cut off": cut_off,
    "locked": locked,
    "without pictures": lambda path: pack(path, {"notes.txt": b"notes"}),
    "of bad pictures": lambda path: pack(path, {"a.png": b"x", "b.jpg": b"y"}),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_bad_archive_costs_no_other_album(
    kind: str, place: str, tmp_path: Path, gallery: Path
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    pack(media / "b.zip", {"1.png": picture_of(ADA)})
    pack(media / "d.zip", {"1.png": picture_of(BOB)})
    bad = media / f"{'ace'[PLACES.index(place)]}.zip"
    ARCHIVES[kind](bad)
    found, failed = scanned(media, gallery)
    assert sorted(one.video.paths[0].rpartition(b"/")[2] for one in found) == [b"b.zip", b"d.zip"]
    assert failed == [bad.name]
