"""Permanent forgetting: a performer leaves the file, and no import brings them back."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from db.errors import ErasureUnfinishedError, PerformerNotFoundError
from db.identities import identities_of
from db.marks import hash_mark, marks_of, marks_of_name
from db.names import quote
from db.records import Performer
from db.sqlite import notes
from db.sqlite.filesystems import backups_of, left_over_from
from db.sqlite.gallery import SqliteGallery
from db.sqlite.gallery_connections import owe_scrub
from db.sqlite.rejected_looks import erase_rejected


def forget(gallery: SqliteGallery, performer: Performer) -> None:
    """Erase a performer with every encoding and picture, also from the bytes of the file.

    From then on no import enrols them again. They are erased from the backups made before
    upgrades too; not from copies elsewhere.

    Raises:
        ErasureUnfinishedError: they are forgotten, but their bytes may remain in a file.
        PerformerNotFoundError: the performer is no longer there.
    """
    performer = gallery.performer(performer.id)
    # Before the gallery forgets who it was: if this is broken off, all of it is done again.
    failed = _erase_beside(gallery, performer)
    _erase_in_gallery(gallery, performer)
    troubles = []
    try:
        gallery.scrub()
    except ErasureUnfinishedError as error:
        troubles.append(str(error))
    if failed:
        names = ", ".join(one.name for one in failed)
        troubles.append(
            f"{performer.name} was erased from the gallery, but not from what looks like backups "
            f"of it: {names}. Delete these files."
        )
    if troubles:
        raise ErasureUnfinishedError(" ".join(troubles))


def _erase_in_gallery(gallery: SqliteGallery, performer: Performer) -> None:
    """Delete a performer, and keep only hashes, by which no import enrols them again."""
    key = gallery.forgetting_key()
    with gallery.writing() as db:
        performer = gallery.performer(performer.id)
        erase_rejected(db.conn, {performer.id})
        db.execute("DELETE FROM performers WHERE id = ?", (performer.id,))
        ids = [("id", identity.source_id) for identity in identities_of(performer)]
        for marks in (*marks_of(performer), *ids):
            db.execute(
                "INSERT OR REPLACE INTO forgotten (hash, performer) VALUES (?, ?)",
                (hash_mark(key, marks), performer.id),
            )
        notes.log(gallery, "forget", {"encodings": performer.encodings})
        owe_scrub(db)


def _erase_beside(gallery: SqliteGallery, performer: Performer) -> list[Path]:
    """Erase a performer from the files beside a gallery; return those where that failed.

    A backup that was interrupted is of no use, and is deleted.
    """
    if gallery.path is None:
        return []
    return [
        *(one for one in left_over_from(gallery.path) if not _delete(one)),
        *(one for one in backups_of(gallery.path) if not _erase_in(one, gallery, performer)),
    ]


def _delete(file: Path) -> bool:
    try:
        file.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _erase_in(backup: Path, gallery: SqliteGallery, performer: Performer) -> bool:
    """Erase a performer from a copy made before an upgrade, if possible.

    In a copy of another gallery the numbers mean other people: there nobody is erased.
    """
    sql = (
        "SELECT DISTINCT model, vector FROM encodings "
        "WHERE performer_id = ? AND typeof(vector) = 'blob'"
    )
    looks = gallery.rows(sql, performer.id)
    try:
        uri = f"{backup.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, isolation_level=None, uri=True)) as db:
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA secure_delete = ON")
            sql = "SELECT value FROM counters WHERE name = 'identity'"
            if db.execute(sql).fetchone() != (gallery.generation()[0],):
                return False
            db.execute("BEGIN IMMEDIATE")
            _erase_person(db, performer, looks)
            db.execute("COMMIT")
            db.execute("VACUUM")
    except sqlite3.Error:
        return False
    return True


def _erase_person(
    db: sqlite3.Connection, performer: Performer, looks: Sequence[tuple[str, bytes]]
) -> None:
    """Erase a performer, known by number, ids, or how they look, from a copy of a gallery.

    Performers merged into them may have had other ids then. Anybody whose photo has since been
    given to them loses that photo. The caller holds the transaction.
    """
    sql = "SELECT id FROM performers WHERE (source, source_id) = (?, ?) OR id = ?"
    ids = identities_of(performer)
    found = {row[0] for one in ids for row in db.execute(sql, (*one, performer.id))}
    erase_rejected(db, found, looks)
    vectors = {vector for _, vector in looks}
    # One pass: there is no index, and a performer may have hundreds of encodings.
    rows = db.execute("SELECT id, performer_id, vector FROM encodings")
    theirs = {number: owner for number, owner, vector in rows if vector in vectors}
    db.executemany("DELETE FROM encodings WHERE id = ?", [(one,) for one in theirs])
    sql = "SELECT 1 FROM encodings WHERE performer_id = ?"
    owners = {*theirs.values()}
    found |= {one for one in owners if not db.execute(sql, (one,)).fetchone()}
    db.executemany("DELETE FROM performers WHERE id = ?", [(one,) for one in found])


def unforget(gallery: SqliteGallery, name_or_id: str, disambiguation: str = "") -> None:
    """Allow a performer to be enrolled again, given their name or a source's id for them.

    Raises:
        PerformerNotFoundError: nobody with that name or id was forgotten.
    """
    key = gallery.forgetting_key()
    forgotten = {
        bytes(row[0]): row[1] for row in gallery.rows("SELECT hash, performer FROM forgotten")
    }
    marks = (*marks_of_name(name_or_id, disambiguation), ("id", name_or_id))
    found = {
        forgotten[mark] for mark in (hash_mark(key, one) for one in marks) if mark in forgotten
    }
    if not found:
        raise PerformerNotFoundError(
            f"Nobody called {quote(name_or_id)} was forgotten. Give the name and the "
            "disambiguation they had, or a source's id."
        )
    with gallery.writing() as db:
        for number in found:
            db.execute("DELETE FROM forgotten WHERE performer = ?", (number,))
        notes.log(gallery, "unforget", {"performers": len(found)})
