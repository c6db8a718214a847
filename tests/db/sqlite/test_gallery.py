import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.corrections import Subject
from db.errors import (
    DamagedVectorError,
    GalleryError,
    GalleryLockedError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GalleryTooNewError,
    NotAGalleryError,
)
from db.sqlite import notes
from db.sqlite.connections import open_database
from db.sqlite.corrections import assign, reject
from db.sqlite.forgetting import forget
from db.sqlite.gallery import SqliteGallery
from db.sqlite.listings import list_performers
from db.sqlite.snapshots import SnapshotCache, load_snapshot
from db.sqlite.store import StoredGallery
from db.stores import open_store
from tests.support.galleries import TEST_MODEL, encoding, performer


@pytest.fixture
def gallery() -> Iterator[SqliteGallery]:
    with SqliteGallery() as opened:
        yield opened


def test_a_part_that_fails_leaves_nothing_in_the_whole_that_goes_on(gallery: SqliteGallery) -> None:
    broken = encoding(2)
    broken.vector[0] = np.nan
    with gallery.writing():
        gallery.enrol(performer("Ada"), [encoding(1)], None)
        with pytest.raises(DamagedVectorError):
            gallery.enrol(performer("Eve"), [encoding(3), broken], None)
    assert [(one.name, one.encodings) for one in gallery.performers()] == [("Ada", 1)]


def test_a_whole_that_fails_takes_its_parts_with_it(gallery: SqliteGallery) -> None:
    def fail() -> None:
        with gallery.writing():
            gallery.enrol(performer("Ada"), [encoding(1)], None)
            notes.log(gallery, "import", {})
            raise RuntimeError

    before = gallery.generation()
    with pytest.raises(RuntimeError):
        fail()
    assert gallery.performers() == []
    assert notes.journal(gallery) == []
    assert gallery.generation() == before


def test_parts_of_one_write_move_the_generation_once(gallery: SqliteGallery) -> None:
    identity, number = gallery.generation()
    with gallery.writing():
        gallery.enrol(performer("Ada"), [encoding(1)], None)
        notes.log(gallery, "import", {})
        gallery.enrol(performer("Eve"), [encoding(2)], None)
    assert gallery.generation() == (identity, number + 1)


def test_a_write_that_cannot_be_finished_does_not_swallow_the_next(tmp_path: Path) -> None:
    def write_what_belongs_to_nobody(gallery: SqliteGallery) -> None:
        with gallery.writing() as db:
            db.execute("PRAGMA defer_foreign_keys = ON")  # so that only the end finds the fault
            db.execute("INSERT INTO removed_photos VALUES (77, 'hash')")

    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        with pytest.raises(GalleryError, match="FOREIGN KEY"):
            write_what_belongs_to_nobody(gallery)
        gallery.enrol(performer("Ada"), [encoding(1)], None)
    with SqliteGallery(tmp_path / "g.db") as gallery:
        assert gallery.find_performer("Ada").encodings == 1


def test_threads_that_share_a_gallery_write_in_turn(gallery: SqliteGallery) -> None:
    def enrol(number: int) -> None:
        for photo in range(5):
            gallery.enrol(performer(f"P{number}"), [encoding(photo)], None)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enrol, range(8)))
    assert [one.encodings for one in gallery.performers()] == [5] * 8


def test_a_damaged_encoding_is_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        gallery.enrol(performer("Ada"), [encoding(number) for number in range(1, 8)], None)
        damage: list[object] = [b"\0", "text", 7]
        damage += [np.full(128, number, "<f4").tobytes() for number in (np.nan, 0.0, 3e38)]
        with sqlite3.connect(tmp_path / "g.db") as raw:
            for number, blob in enumerate(damage, start=1):
                raw.execute("UPDATE encodings SET vector = ? WHERE id = ?", (blob, number))
        raw.close()
        snapshot = load_snapshot(gallery, TEST_MODEL)
    assert np.array_equal(snapshot.vectors, [encoding(7).vector])
    for number in range(1, 7):
        assert f"Encoding {number} of performer 1 is damaged" in caplog.text


@pytest.mark.parametrize("cell", ["text", b"\x80", 1e300])
def test_a_quality_that_is_none_ends_nothing(tmp_path: Path, cell: object) -> None:
    SqliteGallery(tmp_path / "g.db", create=True).close()
    with StoredGallery(tmp_path / "g.db") as gallery:
        gallery.enrol(performer("Ada"), [encoding(1), encoding(2)], None)
        with gallery.writing() as db:
            db.execute("UPDATE encodings SET quality = ? WHERE id = 1", (cell,))
        assert np.isfinite(load_snapshot(gallery, TEST_MODEL).templates.means).all()
        assert all(isinstance(one.quality, float) for one in gallery.encodings(1))
        assert all(isinstance(one.quality, float) for one in gallery.photos(1))


@pytest.mark.parametrize("cell", [7, "text"])
def test_pictures_that_are_none_are_read_as_bytes(tmp_path: Path, cell: object) -> None:
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        gallery.enrol(performer("Ada"), [replace(encoding(1), face=b"jpeg")], b"jpeg")
        with gallery.writing() as db:
            db.execute("UPDATE performers SET thumbnail = ?", (cell,))
            db.execute("UPDATE encodings SET face = ?", (cell,))
        read = str(cell).encode()
        assert gallery.thumbnail(1) == gallery.photo_face(1, encoding(1).photo_hash) == read
        assert [one.face for one in gallery.encodings(1)] == [read]


def test_a_damaged_rejection_stands_in_nobodys_way(tmp_path: Path) -> None:
    look = Subject(encoding(7).vector, (encoding(7),), b"", TEST_MODEL, "a.mp4")
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        gallery.enrol(performer("Ada"), [encoding(1)], None)
        ada = gallery.find_performer("Ada")
        for _ in range(3):
            reject(gallery, ada, look)
        nan = np.full(128, np.nan, dtype="<f4").tobytes()
        with gallery.writing() as db:
            db.execute("UPDATE rejections SET vector = x'00' WHERE id = 1")
            db.execute("UPDATE rejections SET vector = ? WHERE id = 2", (nan,))
        assert len(load_snapshot(gallery, TEST_MODEL).rejections.vectors) == 1
        assert len(assign(gallery, ada, look).lifted) == 1
        assert gallery.performer(ada.id).encodings == 2


def test_a_snapshot_is_loaded_again_only_when_something_changed(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    cache = SnapshotCache()
    with SqliteGallery(path, create=True) as reader, SqliteGallery(path) as writer:
        first = cache.newest(reader, TEST_MODEL)
        assert cache.newest(reader, TEST_MODEL) is first
        writer.enrol(performer("Ada"), [encoding(1)], None)
        assert len(cache.newest(reader, TEST_MODEL).vectors) == 1


def test_those_who_open_one_store_share_its_snapshot(tmp_path: Path) -> None:
    store = open_store(tmp_path / "g.db")
    store.create()
    with store.gallery() as one, store.gallery() as other:
        assert one.snapshot(TEST_MODEL) is other.snapshot(TEST_MODEL)


def test_a_file_put_in_the_place_of_another_is_noticed(tmp_path: Path) -> None:
    cache = SnapshotCache()
    for name in ("Ada", "Eve"):
        (tmp_path / "g.db").unlink(missing_ok=True)
        with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
            gallery.enrol(performer(name), [encoding(1)], None)
            assert cache.newest(gallery, TEST_MODEL).performers[0].name == name


def test_forgetting_erases_names_vectors_and_pictures_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    secrets = [b"Ada Lovelace", b"a jpeg of Ada", encoding(1).vector.tobytes()]
    with SqliteGallery(path, create=True) as gallery:
        gallery.enrol(performer("Ada Lovelace"), [encoding(1)], b"a jpeg of Ada")
        gallery.enrol(performer("Bob"), [encoding(2)], None)
        forget(gallery, gallery.find_performer("Ada Lovelace"))
        on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert not [secret for secret in secrets if secret in on_disk]
        assert [one.name for one in gallery.performers()] == ["Bob"]


def test_a_gallery_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with SqliteGallery(tmp_path / "g.db", create=True):
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_missing_gallery_is_named_with_the_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(GalleryMissingError, match=r"no gallery g\.db.*import folder"):
        SqliteGallery(tmp_path / "g.db")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_a_gallery_is_refused_unharmed(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("not a database, but long enough to look like a file " * 40)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as raw:
        raw.execute("CREATE TABLE shopping (item TEXT)")
    raw.close()
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(NotAGalleryError, match=path.name):
            SqliteGallery(path)
        assert path.read_bytes() == before


def test_a_folder_is_not_a_gallery(tmp_path: Path) -> None:
    with pytest.raises(GalleryReadOnlyError):
        SqliteGallery(tmp_path)


def test_a_gallery_of_a_newer_version_is_refused_unharmed(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    SqliteGallery(path, create=True).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(GalleryTooNewError, match="schema 99"):
        SqliteGallery(path)
    assert path.read_bytes() == before


def test_a_gallery_that_another_process_writes_is_reported_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.sqlite.connections.BUSY_SECONDS", 0.1)
    path = tmp_path / "g.db"
    with SqliteGallery(path, create=True) as gallery:
        other = open_database(path, create=False)
        other.execute("BEGIN IMMEDIATE")
        gallery._db.execute("PRAGMA busy_timeout = 100")
        with pytest.raises(GalleryLockedError, match="Another process"):
            gallery.enrol(performer("Ada"), [encoding(1)], None)
        other.close()
        gallery.enrol(performer("Ada"), [encoding(1)], None)


def as_somebody_else(work: Callable[[], None]) -> str:
    """Run something as a user who owns nothing; returns the error, "" if there was none."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65_534)
            work()
        except BaseException as error:  # noqa: BLE001  # whatever it is, the parent looks at it
            os.write(writing, repr(error).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(process, 0)
    with os.fdopen(reading) as told:
        return told.read()


@pytest.mark.skipif(sys.platform != "linux", reason="changes its user")
def test_a_gallery_that_may_only_be_read_is_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "shared" / "g.db"
    path.parent.mkdir()
    with StoredGallery(path, create=True) as gallery:
        gallery.enrol(performer("Ada", "1"), [encoding(1)], None)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o111)

    def read() -> None:
        with StoredGallery(path) as gallery:
            assert [one.name for one in gallery.search("ada", 0, 9).performers] == ["Ada"]
            assert len(gallery.encodings(1)) == 1

    def write() -> None:
        with StoredGallery(path) as gallery:
            gallery.enrol(performer("Eve", "2"), [encoding(2)], None)

    try:
        assert as_somebody_else(read) == ""
        assert "cannot be opened for writing" in as_somebody_else(write)
    finally:
        path.parent.chmod(0o755)


def test_a_gallery_may_have_any_name(tmp_path: Path) -> None:
    for name in ("a?b.db", "100%.db", "a#b.db", "Zo\u00eb 7.db"):
        with StoredGallery(tmp_path / name, create=True) as gallery:
            gallery.enrol(performer("Ada", "1"), [encoding(1)], None)
        assert (tmp_path / name).stat().st_size > 0


SPOILT = ["CAST(x'ff5b' AS TEXT)", "x'ff5b00'", "'[1, null]'", "'{\"a\": 1}'", "''", "7"]
"""What a bad disk may leave of a cell with text."""


@pytest.mark.parametrize("cell", SPOILT)
@pytest.mark.parametrize(
    "column", ["name", "disambiguation", "aliases", "urls", "source", "source_id", "poster_url"]
)
def test_one_spoilt_cell_hides_no_other_performer(
    gallery: SqliteGallery, column: str, cell: str
) -> None:
    for number, name in enumerate(("Ada", "Bea", "Cleo")):
        one = replace(performer(name), aliases=(f"{name} B",), urls=("http://x.invalid/",))
        gallery.enrol(one, [encoding(number)], None)
    gallery._db.execute(f"UPDATE performers SET {column} = {cell} WHERE name = 'Bea'")
    assert [one.id for one in gallery.performers() if one.name in ("Ada", "Cleo")] == [1, 3]
    assert gallery.find_performer("cleo").aliases == ("Cleo B",)
    assert gallery.namesakes(replace(performer("Ada"), id=0))[0].id == 1
    assert list_performers(gallery, "", 0, 9).total == 3
    assert list_performers(gallery, "cleo b", 0, 9).performers[0].id == 3
    assert len(load_snapshot(gallery, TEST_MODEL).vectors) == 3
    assert gallery.enrol(performer("Cleo"), [encoding(9)], None) == "updated"
    assert isinstance(gallery.performer(2).name, str)


@pytest.mark.parametrize("cell", SPOILT)
@pytest.mark.parametrize("column", ["source", "source_id"])
def test_one_spoilt_id_hides_no_other_performer(
    gallery: SqliteGallery, column: str, cell: str
) -> None:
    for number, name in enumerate(("Ada", "Bea")):
        gallery.enrol(performer(name), [encoding(number)], None)
    gallery._db.execute(f"UPDATE identities SET {column} = {cell} WHERE performer_id = 2")
    assert [one.name for one in gallery.performers()] == ["Ada", "Bea"]
    assert gallery.enrol(performer("Ada"), [encoding(9)], None) == "updated"


@pytest.mark.parametrize("cell", SPOILT)
def test_a_spoilt_line_of_the_journal_hides_no_other(gallery: SqliteGallery, cell: str) -> None:
    notes.log(gallery, "import", {"added": 1})
    gallery._db.execute("DROP TRIGGER journal_refuses_update")
    gallery._db.execute(f"UPDATE journal SET counts = {cell}")
    notes.log(gallery, "import", {"added": 2})
    assert [counts for _, _, counts in notes.journal(gallery)][-1] == {"added": 2}
