import multiprocessing
import re
import sqlite3
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from db.sqlite import connections
from db.sqlite.checks import check_gallery
from db.sqlite.gallery import SqliteGallery
from db.sqlite.migrations import MIGRATIONS
from db.sqlite.snapshots import load_snapshot
from tests.support.crashing_upgrade import FailedUpgradeError, upgrade_and_fail, upgrade_and_wait
from tests.support.galleries import (
    MODEL,
    TEST_MODEL,
    encoding,
    gallery_of_schema,
    made_up_vector,
    performer,
)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_gallery_of_every_schema_opens_with_all_it_held(version: int, tmp_path: Path) -> None:
    path = gallery_of_schema(tmp_path / "g.db", version)
    with SqliteGallery(path) as gallery:
        (ada,) = gallery.performers()
        assert (ada.name, ada.aliases, ada.encodings) == ("Ada", ("Countess",), 1)
        assert ada.identities == (("folder", "Ada"),)
        assert gallery.thumbnail(ada.id) == b"\xff\xd8"
        assert np.array_equal(gallery.encodings(ada.id)[0].vector, made_up_vector(1))
        assert gallery.enrol(performer("Ada"), [encoding(1)], None) == "unchanged"


def test_before_the_first_step_a_backup_is_made_for_its_owner_only(tmp_path: Path) -> None:
    path = gallery_of_schema(tmp_path / "g.db", 1)
    SqliteGallery(path).close()
    backup = tmp_path / "g.db.before-2"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with closing(sqlite3.connect(backup)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (1,)
        assert raw.execute("SELECT name FROM performers").fetchone() == ("Ada",)
    SqliteGallery(path).close()
    assert [file.name for file in tmp_path.glob("g.db.before-*")] == ["g.db.before-2"]


def test_no_earlier_backup_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "my gallery [1].db"  # which also reads as a pattern
    earlier = path.with_name(f"{path.name}.before-2.1")
    earlier.write_text("earlier")
    for name in ("before-2", "before-2.2"):
        gallery_of_schema(path, 1)
        SqliteGallery(path).close()
        path.unlink()
        assert path.with_name(f"{path.name}.{name}").stat().st_size > len("earlier")
    assert earlier.read_text() == "earlier"


def test_a_new_gallery_needs_no_backup(tmp_path: Path) -> None:
    SqliteGallery(tmp_path / "g.db", create=True).close()
    assert not list(tmp_path.glob("*.before-*"))


def test_a_step_that_fails_leaves_the_schema_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(db: object) -> None:
        db.execute("CREATE TABLE half (done TEXT)")  # type: ignore[attr-defined]
        raise RuntimeError

    path = gallery_of_schema(tmp_path / "g.db", 1)
    with monkeypatch.context() as patched:
        patched.setattr("db.sqlite.migrations.MIGRATIONS", (MIGRATIONS[0], broken))
        patched.setattr("db.sqlite.connections.MIGRATIONS", (MIGRATIONS[0], broken))
        with pytest.raises(RuntimeError):
            SqliteGallery(path)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (1,)
        assert not raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall()
    with SqliteGallery(path) as gallery:
        assert gallery.performers()[0].name == "Ada"


@pytest.fixture
def before_models(tmp_path: Path) -> Path:
    """A gallery of schema 3 with something in every table that has not changed since."""
    path = gallery_of_schema(tmp_path / "g.db", 3)
    with closing(sqlite3.connect(path)) as raw:
        vector = made_up_vector(7).tobytes()
        sql = "INSERT INTO rejections (performer_id, vector, model, origin) VALUES (1, ?, ?, 'a')"
        raw.executemany(sql, [(vector, MODEL), (vector, "other")])
        raw.execute("DELETE FROM rejections WHERE id = 1")
        raw.execute("INSERT INTO removed_photos VALUES (1, 'hash9')")
        raw.execute("INSERT INTO checkpoints VALUES ('stash', '2026-01-01')")
        raw.execute("INSERT INTO journal (verb, counts) VALUES ('import', '{}')")
        raw.execute("INSERT INTO forgotten (hash, performer) VALUES (x'00', 9)")
        raw.commit()
    return path


def content_of(path: Path) -> tuple[int, list[str]]:
    """The schema's number, and everything in the file as SQL; a copy has it in another order."""
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute("PRAGMA user_version").fetchone()[0], sorted(raw.iterdump())


def kill_while_it_upgrades(path: Path) -> None:
    ready = path.with_name("ready")
    spawned = multiprocessing.get_context("spawn")
    process = spawned.Process(target=upgrade_and_wait, args=(path, ready), daemon=True)
    process.start()
    while not ready.exists():
        assert process.is_alive()
        time.sleep(0.01)
    process.kill()
    process.join()


def fail_while_it_upgrades(path: Path) -> None:
    with pytest.raises(FailedUpgradeError):
        upgrade_and_fail(path)


@pytest.mark.parametrize("break_off", [kill_while_it_upgrades, fail_while_it_upgrades])
def test_an_upgrade_that_is_broken_off_leaves_the_file_as_the_version_before_knows_it(
    break_off: Callable[[Path], None], before_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content_of(before_models)
    break_off(before_models)
    assert content_of(before_models) == before
    assert before[0] == 3
    backup = before_models.with_name("g.db.before-4")
    # A failure that can be answered takes its copy away: else each opening would leave one.
    assert backup.exists() == (break_off is kill_while_it_upgrades)
    if backup.exists():
        assert content_of(backup) == before
    with monkeypatch.context() as patched:
        for module in ("connections", "migrations"):
            patched.setattr(f"db.sqlite.{module}.MIGRATIONS", MIGRATIONS[:3])
        with SqliteGallery(before_models) as gallery:
            assert gallery.performers()[0].name == "Ada"
    with SqliteGallery(before_models) as gallery:
        assert np.array_equal(gallery.encodings(1)[0].vector, made_up_vector(1))
    assert content_of(before_models)[0] == len(MIGRATIONS)


def test_an_upgrade_keeps_every_row_of_every_table(before_models: Path) -> None:
    _, before = content_of(before_models)
    SqliteGallery(before_models).close()
    _, after = content_of(before_models)
    rows = {line for line in before if line.startswith("INSERT") and "sqlite_" not in line}
    assert len(rows) >= 10
    # A photo of an older gallery has no picture of its face.
    assert {re.sub(r"\);$", ",NULL);", one) if "encodings" in one else one for one in rows} <= {
        *after
    }


def test_an_upgraded_gallery_gives_the_id_of_no_rejection_out_again(before_models: Path) -> None:
    with SqliteGallery(before_models) as gallery, gallery.writing() as db:
        db.execute("DELETE FROM rejections")
        sql = "INSERT INTO rejections (performer_id, vector, model, origin) VALUES (1, '', '', '')"
        assert db.execute(sql).lastrowid == 3
        db.execute("DELETE FROM performers")
        assert gallery.rows("SELECT * FROM rejections") == []


@pytest.mark.parametrize("damaged", [b"\0", b"", bytes(508)])
def test_a_damaged_encoding_does_not_say_how_long_the_others_are(
    before_models: Path, damaged: bytes
) -> None:
    sql = (
        "INSERT INTO encodings (performer_id, vector, model, quality, photo_hash, origin) "
        "VALUES (1, ?, ?, 0.9, 'hash0', 'photo0.jpg')"
    )
    with closing(sqlite3.connect(before_models)) as raw:
        raw.execute(sql, (damaged, MODEL))
        raw.commit()
    findings = [one.found for one in check_gallery(before_models) if one.level == "error"]
    assert findings == ["1 encoding of Ada is damaged."]
    with SqliteGallery(before_models) as gallery:
        assert len(load_snapshot(gallery, TEST_MODEL).vectors) == 1
        assert gallery.rows("SELECT id, dimensions FROM models") == [(MODEL, 128)]


def test_two_that_open_an_old_gallery_at_once_upgrade_it_once_after_one_backup(
    before_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content_of(before_models)
    copy_database = connections.copy_database

    def copy_slowly(*arguments: object) -> None:
        copy_database(*arguments)  # type: ignore[arg-type]
        time.sleep(0.3)

    monkeypatch.setattr(connections, "copy_database", copy_slowly)
    with ThreadPoolExecutor(2) as pool:
        for gallery in pool.map(SqliteGallery, [before_models] * 2):
            gallery.close()
    backups = [*before_models.parent.glob("g.db.before-*")]
    assert [content_of(backup) for backup in backups] == [before]


def test_a_rejection_that_belongs_to_nobody_does_not_lock_the_gallery_out(tmp_path: Path) -> None:
    path = gallery_of_schema(tmp_path / "g.db", 3)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(
            "INSERT INTO rejections (performer_id, vector, model, origin) "
            "VALUES (1, x'00', 'm', 'kept'), (77, x'00', 'm', 'orphan')"
        )
        raw.commit()
    with SqliteGallery(path) as gallery:
        assert gallery.rows("SELECT origin FROM rejections") == [("kept",)]
