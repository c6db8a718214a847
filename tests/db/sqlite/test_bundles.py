import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from db.errors import (
    DamagedBundleError,
    GalleryError,
    GalleryMissingError,
    GalleryTooNewError,
    NotAGalleryError,
)
from db.galleries import everyone
from db.records import Identity
from db.sqlite import connections, migrations, notes
from db.sqlite.bundles import export_bundle
from db.sqlite.forgetting import forget
from db.sqlite.gallery import SqliteGallery
from db.stores import open_bundle
from tests.support.galleries import MODEL, encoding, performer


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "carry.bundle"
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        box = Identity("https://stashdb.org/graphql", "uuid-x")
        gallery.enrol(performer("Ada", identities=(box,)), [encoding(1), encoding(2)], b"jpeg")
        gallery.enrol(performer("Secret"), [encoding(3)], None)
        forget(gallery, gallery.find_performer("Secret"))
        manifest = export_bundle(gallery, path)
    assert (manifest["performers"], manifest["encodings"], manifest["model"]) == (1, 2, MODEL)
    return path


def change(bundle: Path, sql: str) -> None:
    with closing(sqlite3.connect(bundle)) as raw:
        raw.execute(sql)
        raw.commit()


def test_a_bundle_carries_everyone_to_another_gallery(bundle: Path) -> None:
    with open_bundle(bundle) as opened, SqliteGallery() as gallery:
        for who, encodings, thumbnail in everyone(opened):
            assert gallery.enrol(who, encodings, thumbnail) == "added"
        (ada,) = gallery.performers()
        assert (ada.encodings, len(ada.identities)) == (2, 2)
        assert gallery.thumbnail(ada.id) == b"jpeg"


def test_a_bundle_is_one_private_file_without_the_forgotten_and_the_journal(bundle: Path) -> None:
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    assert sorted(path.name for path in bundle.parent.iterdir()) == ["carry.bundle", "g.db"]
    with closing(sqlite3.connect(bundle)) as raw:
        for table in ("forgotten", "journal", "checkpoints"):
            assert raw.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("UPDATE performers SET name = 'Eve'", "its manifest says sha256"),
        ("DELETE FROM encodings WHERE id = 1", "its manifest says encodings 2"),
        ("DROP TABLE manifest", "no manifest, so it is not a bundle"),
        ("UPDATE manifest SET value = '{'", "manifest of carry.bundle cannot be read"),
        (
            "CREATE TRIGGER sneaky AFTER INSERT ON performers BEGIN DELETE FROM encodings; END",
            "no manifest, so it is not a bundle",
        ),
        ("CREATE VIEW sneaky AS SELECT 1", "no manifest, so it is not a bundle"),
    ],
)
def test_a_bundle_that_was_changed_is_refused(bundle: Path, sql: str, complaint: str) -> None:
    change(bundle, sql)
    with pytest.raises(DamagedBundleError, match=complaint), open_bundle(bundle):
        pass


def test_what_is_no_bundle_of_ours_is_refused(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(bundle.read_bytes()[:9000])
    (tmp_path / "text").write_text("no database " * 1000)
    for name in ("cut", "text"):
        with pytest.raises((DamagedBundleError, NotAGalleryError)), open_bundle(tmp_path / name):
            pass
    with pytest.raises(GalleryMissingError), open_bundle(tmp_path / "gone"):
        pass
    change(bundle, "PRAGMA user_version = 99")
    with pytest.raises(GalleryTooNewError), open_bundle(bundle):
        pass


def test_a_gallery_is_never_replaced_by_its_own_bundle(bundle: Path) -> None:
    path, link = bundle.with_name("g.db"), bundle.with_name("link.db")
    link.symlink_to(path)
    with SqliteGallery(path) as gallery:
        for destination in (path, link):
            with pytest.raises(GalleryError, match="is the gallery itself"):
                export_bundle(gallery, destination)
        assert [verb for _, verb, _ in notes.journal(gallery)] == ["forget", "export bundle"]


def test_a_bundle_of_an_older_schema_can_be_imported_and_stays_as_it_is(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def later(db: object) -> None:
        db.execute("CREATE TABLE later (x TEXT)")  # type: ignore[attr-defined]

    for module in (connections, migrations):
        monkeypatch.setattr(module, "MIGRATIONS", (*migrations.MIGRATIONS, later))
    before = bundle.read_bytes()
    with open_bundle(bundle) as opened:
        assert opened.performers()[0].name == "Ada"
    assert bundle.read_bytes() == before
