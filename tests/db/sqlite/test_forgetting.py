import sqlite3
from pathlib import Path

import pytest

from db.errors import GalleryError
from db.records import Identity
from db.sqlite import notes
from db.sqlite.forgetting import forget
from db.sqlite.gallery import SqliteGallery
from tests.support.galleries import encoding, performer

BOX = Identity("https://stashdb.org/graphql", "uuid-x")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A gallery from which Ada Lovelace, enrolled with a stash id, was forgotten."""
    path = tmp_path / "g.db"
    with SqliteGallery(path, create=True) as gallery:
        ada = performer("Ada Lovelace", "7", identities=(BOX,))
        gallery.enrol(ada, [encoding(1)], b"a jpeg of Ada")
        gallery.enrol(performer("Bob", "8"), [encoding(2)], None)
        forget(gallery, gallery.find_performer("Ada Lovelace"))
    return path


def test_the_file_holds_neither_the_name_nor_the_ids_of_the_forgotten(path: Path) -> None:
    on_disk = path.read_bytes().lower()
    for trace in (b"ada lovelace", b"uuid-x", b"a jpeg of ada", encoding(1).vector.tobytes()):
        assert trace.lower() not in on_disk
    with SqliteGallery(path) as gallery:
        assert [(verb, counts) for _, verb, counts in notes.journal(gallery)] == [
            ("forget", {"encodings": 1})
        ]


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
