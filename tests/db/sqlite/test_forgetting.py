import os
import resource
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.addresses import StoreAddress
from db.corrections import Subject
from db.errors import ErasureUnfinishedError, GalleryError
from db.records import Identity, Vector
from db.sqlite import connections, forgetting, notes, rejected_looks
from db.sqlite.forgetting import forget
from db.sqlite.gallery import SqliteGallery
from db.sqlite.store import SqliteStore, StoredGallery
from tests.support.galleries import TEST_MODEL, encoding, performer

BOX = Identity("https://stashdb.org/graphql", "uuid-x")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A gallery from which Ada Lovelace, enrolled with a stash id, was forgotten."""
    path = tmp_path / "g.db"
    with SqliteGallery(path, create=True) as gallery:
        ada = performer("Ada Lovelace", "7", identities=(BOX,))
        pictured = replace(encoding(1), face=b"the face in a photo of Ada")
        gallery.enrol(ada, [pictured], b"a jpeg of Ada")
        gallery.enrol(performer("Bob", "8"), [encoding(2)], None)
        forget(gallery, gallery.find_performer("Ada Lovelace"))
    return path


def test_the_file_holds_neither_the_name_nor_the_ids_of_the_forgotten(path: Path) -> None:
    on_disk = path.read_bytes().lower()
    vector = encoding(1).vector.tobytes()
    for trace in (b"ada lovelace", b"uuid-x", b"a jpeg of ada", b"the face in", vector):
        assert trace.lower() not in on_disk
    with SqliteGallery(path) as gallery:
        assert [(verb, counts) for _, verb, counts in notes.journal(gallery)] == [
            ("forget", {"encodings": 1})
        ]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A gallery that still holds Ada Lovelace, and somebody else."""
    path = tmp_path / "whole.db"
    with SqliteGallery(path, create=True) as gallery:
        gallery.enrol(performer("Ada Lovelace", "7", identities=(BOX,)), [encoding(1)], b"of Ada")
        gallery.enrol(performer("Bob", "8"), [encoding(2)], None)
    return path


def traces(path: Path) -> set[str]:
    """Name the files next to a gallery, and it, that hold Ada's face."""
    face = encoding(1).vector.tobytes()
    return {file.name for file in path.parent.iterdir() if face in file.read_bytes()}


def forget_ada(path: Path) -> None:
    with SqliteGallery(path) as gallery:
        forget(gallery, gallery.find_performer("Ada Lovelace"))


def test_a_reader_that_holds_the_file_is_told_of_and_it_is_finished_later(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.1)
    store = SqliteStore(StoreAddress(str(whole)))
    with closing(sqlite3.connect(whole, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM encodings").fetchone()
        with pytest.raises(ErasureUnfinishedError, match="another program is reading it"):
            forget_ada(whole)
        assert traces(whole)
        assert any("may still be in the bytes" in one.found for one in store.check())
    store.finish_erasing()
    assert traces(whole) == set()
    assert not any("may still be in the bytes" in one.found for one in store.check())


def test_a_disk_too_full_to_rewrite_the_file_is_told_of_and_it_is_finished_later(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrub = SqliteGallery._try_to_scrub

    def on_a_full_disk(gallery: SqliteGallery) -> str:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
        try:
            return scrub(gallery)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with monkeypatch.context() as patched:
        patched.setattr(SqliteGallery, "_try_to_scrub", on_a_full_disk)
        with pytest.raises(ErasureUnfinishedError, match="free space on the disk"):
            forget_ada(whole)
    with SqliteStore(StoreAddress(str(whole))).changing() as gallery:
        assert not gallery.owes_scrub()
    assert traces(whole) == set()


def test_backups_made_before_upgrades_forget_too(whole: Path, tmp_path: Path) -> None:
    backup = tmp_path / "whole.db.before-5"
    with SqliteGallery(whole) as gallery:
        gallery.copy_to(backup)
    assert backup.name in traces(whole)
    forget_ada(whole)
    assert traces(whole) == set()
    with closing(sqlite3.connect(backup)) as raw:
        assert raw.execute("SELECT name FROM performers").fetchall() == [("Bob",)]


def rejected(gallery: SqliteGallery) -> set[tuple[int, str]]:
    return {(row[0], row[1]) for row in gallery.rows("SELECT performer_id, origin FROM rejections")}


def seen(look: Vector, origin: str) -> Subject:
    return Subject(look.astype(np.float32), (), b"", TEST_MODEL, origin)


@pytest.mark.parametrize("at_once", [1, 3, rejected_looks.ROWS_AT_ONCE])
def test_what_was_said_not_to_be_somebody_else_is_no_hiding_place(
    whole: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejected_looks, "ROWS_AT_ONCE", at_once)
    ada, bob, other = (encoding(seed).vector for seed in (1, 2, 5))
    carol = replace(encoding(4), vector=(ada + 0.2 * other).astype(np.float32))
    ada_seen = seen(0.8 * ada + 0.2 * bob, "ada.mp4")
    carol_seen = seen(carol.vector + 0.01 * bob, "carol.mp4")
    with StoredGallery(whole) as gallery:
        gallery.enrol(performer("Carol", "9"), [carol], None)
        gallery.enrol(performer("Dora", "10"), [encoding(5)], None)
        numbers = [gallery.find_performer(name) for name in ("Bob", "Dora", "Ada Lovelace")]
        for who in numbers:
            for look in (ada_seen, carol_seen, seen(other, "nobody.mp4")):
                gallery.reject(who, look)
        backup = whole.with_name("whole.db.before-5")
        gallery.copy_to(backup)
        gallery.forget(numbers[2])
        assert rejected(gallery) == {
            (one.id, origin) for one in numbers[:2] for origin in ("carol.mp4", "nobody.mp4")
        }
    for file in (whole, backup):
        assert ada_seen.template.tobytes() not in file.read_bytes()
        assert carol_seen.template.tobytes() in file.read_bytes()


def test_nor_is_it_in_a_backup_for_whoever_was_merged_into_them_since(whole: Path) -> None:
    backup = whole.with_name("whole.db.before-5")
    with StoredGallery(whole) as gallery:
        gallery.enrol(performer("A. Lovelace", "70"), [encoding(11)], None)
        look = seen(0.9 * encoding(11).vector, "ada.mp4")
        gallery.reject(gallery.find_performer("Bob"), look)
        gallery.copy_to(backup)
        gallery.merge(gallery.find_performer("Ada Lovelace"), gallery.find_performer("A. Lovelace"))
        gallery.rename_identities({Identity("folder", "70"): Identity("folder", "71")})
        gallery.forget(gallery.find_performer("Ada Lovelace"))
    for file in (whole, backup):
        assert look.template.tobytes() not in file.read_bytes()


def test_damaged_looks_keep_nobody_from_being_forgotten(whole: Path) -> None:
    backup = whole.with_name("whole.db.before-5")
    with StoredGallery(whole) as gallery:
        ada, bob = (gallery.find_performer(name) for name in ("Ada Lovelace", "Bob"))
        gallery.reject(bob, seen(encoding(1).vector, "ada.mp4"))
        odd = (b"", b"half", b"\xff" * 4 * TEST_MODEL.dimensions, "text", b"uneven bytes..")
        with gallery.writing() as db:
            for number, look in enumerate(odd):
                values = (look, TEST_MODEL.id, f"odd{number}")
                for owner in (ada.id, bob.id):
                    sql = "INSERT INTO rejections (performer_id, vector, model, origin)"
                    db.execute(f"{sql} VALUES (?, ?, ?, ?)", (owner, *values))
                    sql = (
                        "INSERT INTO encodings (performer_id, vector, model, photo_hash, quality, "
                    )
                    db.execute(f"{sql}origin) VALUES (?, ?, ?, ?, 1, '')", (owner, *values))
        gallery.copy_to(backup)
        gallery.forget(ada)
        assert {origin for _, origin in rejected(gallery)} == {f"odd{n}" for n in range(len(odd))}
    assert encoding(1).vector.tobytes() not in backup.read_bytes()


@pytest.mark.parametrize("step", ["_erase_in", "_erase_in_gallery", "scrub"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whoever_is_killed_while_backups_forget_leaves_nobody_in_them(
    whole: Path, step: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = whole.with_name("whole.db.before-5")
    with SqliteGallery(whole) as gallery:
        gallery.copy_to(backup)
    place = SqliteGallery if step == "scrub" else forgetting
    real: Callable[..., object] = getattr(place, step)

    def broken(*arguments: object) -> None:
        if when == "after":
            real(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        monkeypatch.setattr(place, step, broken)
        forget_ada(whole)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    store = SqliteStore(StoreAddress(str(whole)))
    store.finish_erasing()
    with store.changing() as gallery:
        for one in gallery.performers():  # a library notes whom it forgets, and asks again
            if one.name == "Ada Lovelace":
                gallery.forget(one)
    assert traces(whole) == set()


def test_no_backup_that_was_broken_off_keeps_the_face(whole: Path) -> None:
    with SqliteGallery(whole) as gallery:
        for name in (".whole.db.before-6.partial", "whole.db.before-5-journal"):
            gallery.copy_to(whole.with_name(name))
        mine = whole.with_name(".whole.db.partial.by-hand")
        gallery.copy_to(mine)
    assert any("left over" in one.found for one in SqliteStore(StoreAddress(str(whole))).check())
    forget_ada(whole)
    assert traces(whole) == {mine.name}


def test_a_copy_of_the_users_own_beside_it_stays_as_it_is(whole: Path) -> None:
    names = ("whole.db.before-trip", "whole.db.before-20261127", "whole.db.before-5.old")
    mine = [whole.with_name(name) for name in names]
    mine += [whole.with_name(f"{names[0]}-journal"), whole.with_name(f".{names[0]}.partial")]
    with SqliteGallery(whole) as gallery:
        for one in mine:
            gallery.copy_to(one)
            one.chmod(0o644)
    before = [one.read_bytes() for one in mine]
    store = SqliteStore(StoreAddress(str(whole)))
    assert store.backups() == []
    assert not any("left over" in one.found or "others" in one.found for one in store.check())
    forget_ada(whole)
    assert [one.read_bytes() for one in mine] == before


def test_a_backup_that_was_being_changed_when_that_was_broken_off_is_one_file(
    whole: Path,
) -> None:
    backup = whole.with_name("whole.db.before-5")
    with SqliteGallery(whole) as gallery:
        gallery.copy_to(backup)
    child = os.fork()
    if child == 0:
        db = sqlite3.connect(backup, isolation_level=None)
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN EXCLUSIVE")
        db.execute("DELETE FROM encodings")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert backup.with_name(f"{backup.name}-journal").exists()
    assert SqliteStore(StoreAddress(str(whole))).backups() == [backup.name]
    forget_ada(whole)
    assert traces(whole) == set()
    assert not backup.with_name(f"{backup.name}-journal").exists()


def test_a_backup_loses_whoever_was_one_with_them_since_by_other_ids(whole: Path) -> None:
    backup = whole.with_name("whole.db.before-5")
    with StoredGallery(whole) as gallery:
        gallery.enrol(performer("A. Lovelace", "70"), [encoding(11)], b"another of Ada")
        gallery.enrol(performer("Carol", "9"), [encoding(3), encoding(12)], b"of Carol")
        gallery.copy_to(backup)
        ada = gallery.find_performer("Ada Lovelace")
        gallery.merge(ada, gallery.find_performer("A. Lovelace"))
        gallery.rename_identities({Identity("folder", "70"): Identity("folder", "71")})
        # One of Carol's photos was Ada's.
        gallery.remove_photo(gallery.find_performer("Carol"), "hash12")
        gallery.enrol(performer("Ada Lovelace", "7"), [encoding(12)], None)
        gallery.forget(gallery.find_performer("Ada Lovelace"))
    on_disk = backup.read_bytes()
    for seed in (1, 11, 12):
        assert encoding(seed).vector.tobytes() not in on_disk
    assert b"another of Ada" not in on_disk
    assert encoding(3).vector.tobytes() in on_disk
    with closing(sqlite3.connect(backup)) as raw:
        names = raw.execute("SELECT name FROM performers ORDER BY name").fetchall()
    assert names == [("Bob",), ("Carol",)]


def test_a_backup_of_another_gallery_loses_nobody_and_is_named(whole: Path) -> None:
    other = whole.with_name("whole.db.before-5")
    with SqliteGallery(other, create=True) as gallery:
        gallery.enrol(performer("Carol", "9"), [encoding(3)], None)
    with pytest.raises(ErasureUnfinishedError, match=r"whole\.db\.before-5"):
        forget_ada(whole)
    with SqliteGallery(other) as gallery:
        assert [one.name for one in gallery.performers()] == ["Carol"]


def test_a_backup_that_keeps_them_is_named_also_if_the_file_is_held(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.1)
    whole.with_name("whole.db.before-5").write_bytes(b"no backup")
    with closing(sqlite3.connect(whole, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM encodings").fetchone()
        with pytest.raises(ErasureUnfinishedError, match=r"is reading it.*whole\.db\.before-5"):
            forget_ada(whole)


def test_another_gallery_has_other_hashes_for_the_same_person(path: Path, tmp_path: Path) -> None:
    with SqliteGallery(tmp_path / "other.db", create=True) as other, SqliteGallery(path) as first:
        other.enrol(performer("Ada Lovelace", "7", identities=(BOX,)), [encoding(1)], None)
        forget(other, other.performers()[0])
        ours, theirs = (
            {row[0] for row in gallery.rows("SELECT hash FROM forgotten")}
            for gallery in (first, other)
        )
    assert ours
    assert not ours & theirs


def test_the_journal_only_grows(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        for change in ("DELETE FROM journal", "UPDATE journal SET verb = 'x'"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                raw.execute(change)
    raw.close()
    with SqliteGallery(path) as gallery, pytest.raises(GalleryError, match="only grows"):
        gallery.note("DELETE FROM journal")
