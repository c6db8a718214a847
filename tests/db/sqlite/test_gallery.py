import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.errors import (
    AmbiguousNameError,
    DamagedVectorError,
    GalleryLockedError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GalleryTooNewError,
    NotAGalleryError,
    OtherModelError,
    PerformerNotFoundError,
)
from db.sqlite.connections import open_database
from db.sqlite.forgetting import forget
from db.sqlite.gallery import SqliteGallery
from db.sqlite.snapshots import SnapshotCache, load_snapshot
from tests.support.galleries import MODEL, TEST_MODEL, encoding, performer


@pytest.fixture
def gallery() -> Iterator[SqliteGallery]:
    with SqliteGallery() as opened:
        yield opened


def test_what_was_enrolled_comes_back(gallery: SqliteGallery) -> None:
    ada = performer("Ada", aliases=("Countess",), urls=("https://example.org/ada",))
    assert gallery.enrol(ada, [encoding(1), encoding(2)], b"jpeg") == "added"
    found = gallery.find_performer("ada")
    assert (found.name, found.aliases, found.urls) == ("Ada", ada.aliases, ada.urls)
    assert found.encodings == 2
    assert gallery.thumbnail(found.id) == b"jpeg"
    assert np.array_equal(gallery.encodings(found.id)[0].vector, encoding(1).vector)


def test_enrolling_again_changes_nothing_and_keeps_the_generation(gallery: SqliteGallery) -> None:
    gallery.enrol(performer("Ada"), [encoding(1)], b"jpeg")
    before = gallery.generation()
    assert gallery.enrol(performer("Ada"), [encoding(1)], b"other") == "unchanged"
    assert gallery.generation() == before
    assert gallery.thumbnail(gallery.find_performer("Ada").id) == b"jpeg"


def test_a_new_photo_or_a_new_detail_updates(gallery: SqliteGallery) -> None:
    gallery.enrol(performer("Ada"), [encoding(1)], None)
    before = gallery.generation()
    assert gallery.enrol(performer("Ada"), [encoding(1), encoding(2)], None) == "updated"
    assert gallery.enrol(performer("Ada", urls=("u",)), [], None) == "updated"
    assert gallery.generation() != before
    assert gallery.find_performer("Ada").encodings == 2


def test_one_name_with_two_source_ids_stays_two_people(gallery: SqliteGallery) -> None:
    gallery.enrol(performer("Ada", "1", disambiguation="the first"), [encoding(1)], None)
    gallery.enrol(performer("Ada", "2"), [encoding(2)], None)
    with pytest.raises(AmbiguousNameError, match=r"1 \(the first\), 2 \(folder\)"):
        gallery.find_performer("Ada")
    assert gallery.find_performer("2").source_id == "2"


def test_a_name_nobody_has_is_not_found(gallery: SqliteGallery) -> None:
    with pytest.raises(PerformerNotFoundError, match="'Eve'"):
        gallery.find_performer("Eve")


def test_encodings_of_two_models_never_share_a_gallery(gallery: SqliteGallery) -> None:
    gallery.enrol(performer("Ada"), [encoding(1)], None)
    with pytest.raises(OtherModelError, match=f"encodings of {MODEL}, but these are of other"):
        gallery.enrol(performer("Eve"), [encoding(2, model="other")], None)
    with pytest.raises(OtherModelError, match="the engine's of other"):
        load_snapshot(gallery, replace(TEST_MODEL, id="other"))


def test_a_write_that_fails_leaves_nothing_behind(gallery: SqliteGallery) -> None:
    broken = encoding(2)
    broken.vector[0] = np.nan
    with pytest.raises(DamagedVectorError):
        gallery.enrol(performer("Ada"), [encoding(1), broken], None)
    assert gallery.performers() == []


def test_the_snapshot_holds_every_encoding_beside_its_owner(gallery: SqliteGallery) -> None:
    gallery.enrol(performer("Bob"), [encoding(1)], None)
    gallery.enrol(performer("Ada"), [encoding(2), encoding(3)], None)
    snapshot = load_snapshot(gallery, TEST_MODEL)
    assert [one.name for one in snapshot.performers] == ["Bob", "Ada"]
    assert snapshot.owners.tolist() == [0, 1, 1]
    assert np.array_equal(snapshot.vectors[2], encoding(3).vector)


def test_a_damaged_encoding_is_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        gallery.enrol(performer("Ada"), [encoding(1), encoding(2), encoding(3)], None)
        with sqlite3.connect(tmp_path / "g.db") as raw:
            raw.execute("UPDATE encodings SET vector = x'00' WHERE id = 1")
            nan = np.full(128, np.nan, dtype="<f4").tobytes()
            raw.execute("UPDATE encodings SET vector = ? WHERE id = 2", (nan,))
        raw.close()
        snapshot = load_snapshot(gallery, TEST_MODEL)
    assert np.array_equal(snapshot.vectors, [encoding(3).vector])
    assert "Encoding 1 of performer 1 is damaged" in caplog.text
    assert "Encoding 2 of performer 1 is damaged" in caplog.text


def test_a_snapshot_is_loaded_again_only_when_something_changed(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    cache = SnapshotCache()
    with SqliteGallery(path, create=True) as reader, SqliteGallery(path) as writer:
        first = cache.newest(reader, TEST_MODEL)
        assert cache.newest(reader, TEST_MODEL) is first
        writer.enrol(performer("Ada"), [encoding(1)], None)
        assert len(cache.newest(reader, TEST_MODEL).vectors) == 1


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
