"""Permanent forgetting: a performer leaves the file, and no import brings them back."""

from db.errors import PerformerNotFoundError
from db.identities import identities_of
from db.marks import hash_mark, marks_of, marks_of_name
from db.records import Performer
from db.sqlite import notes
from db.sqlite.gallery import SqliteGallery


def forget(gallery: SqliteGallery, performer: Performer) -> None:
    """Erase a performer with every encoding and picture, also from the bytes of the file.

    From then on no import enrols them again. Copies and backups of the file are not erased.

    Raises:
        PerformerNotFoundError: the performer is no longer there.
    """
    key = gallery.forgetting_key()
    with gallery.writing() as db:
        performer = gallery.performer(performer.id)
        db.execute("DELETE FROM performers WHERE id = ?", (performer.id,))
        ids = [("id", identity.source_id) for identity in identities_of(performer)]
        for marks in (*marks_of(performer), *ids):
            db.execute(
                "INSERT OR REPLACE INTO forgotten (hash, performer) VALUES (?, ?)",
                (hash_mark(key, marks), performer.id),
            )
        notes.log(gallery, "forget", {"encodings": performer.encodings})
    gallery.scrub()


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
            f"Nobody called {name_or_id!r} was forgotten. Give the name and the disambiguation "
            "they had, or a source's id."
        )
    with gallery.writing() as db:
        for number in found:
            db.execute("DELETE FROM forgotten WHERE performer = ?", (number,))
        notes.log(gallery, "unforget", {"performers": len(found)})
