import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from db.sqlite.gallery import SqliteGallery
from db.sqlite.migrations import MIGRATIONS
from tests.support.galleries import encoding, gallery_of_schema, made_up_vector, performer


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
