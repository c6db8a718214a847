"""Forgetting that lasts: a performer leaves, and a keyed hash of their ids and name stays.

The hash lets every importer skip them without the file holding who they were. The key lies in the
same file and never leaves it, so a hash from one gallery says nothing in another. Whoever has the
file can still test a name they already suspect; nobody can list the names.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from db.errors import PerformerNotFoundError
from db.identities import identities_of
from db.records import Performer

if TYPE_CHECKING:
    from db.gallery import Gallery

Rows = Callable[..., list[tuple[Any, ...]]]
"""Reads the gallery with one statement."""


def forget(gallery: "Gallery", performer: Performer) -> None:
    """Erase a performer with every encoding and picture, from the file too, not just from view.

    From then on no import brings them back. Copies and backups of the file are not reached.
    """
    key = _key(gallery.rows)
    with gallery.writing() as db:
        db.execute("DELETE FROM performers WHERE id = ?", (performer.id,))
        ids = [("id", identity.source_id) for identity in identities_of(performer)]
        for marks in (*_marks(performer), *ids):
            db.execute(
                "INSERT OR REPLACE INTO forgotten (hash, performer) VALUES (?, ?)",
                (_hash(key, marks), performer.id),
            )
    gallery.log("forget", {"encodings": performer.encodings})
    gallery.scrub()


def unforget(gallery: "Gallery", name_or_id: str, disambiguation: str = "") -> None:
    """Allow a performer to be enrolled again, named as they were, or by a source's id for them.

    Raises:
        PerformerNotFoundError: nobody of that name was forgotten.
    """
    key = _key(gallery.rows)
    forgotten = {
        bytes(row[0]): row[1] for row in gallery.rows("SELECT hash, performer FROM forgotten")
    }
    marks = (_name_mark(name_or_id, disambiguation), ("id", name_or_id))
    found = {forgotten[mark] for mark in (_hash(key, one) for one in marks) if mark in forgotten}
    if not found:
        raise PerformerNotFoundError(
            f"Nobody called {name_or_id!r} was forgotten. Give the name and the disambiguation "
            "they had, or a source's id."
        )
    with gallery.writing() as db:
        for number in found:
            db.execute("DELETE FROM forgotten WHERE performer = ?", (number,))
    gallery.log("unforget", {"performers": len(found)})


def find_forgotten(rows: Rows, performer: Performer) -> bool:
    """Say whether a record is of somebody who was forgotten: by any of their ids, or their name."""
    key = _key(rows)
    return any(
        rows("SELECT 1 FROM forgotten WHERE hash = ?", _hash(key, marks))
        for marks in _marks(performer)
    )


def _marks(performer: Performer) -> Iterable[tuple[str, ...]]:
    yield _name_mark(performer.name, performer.disambiguation)
    for identity in identities_of(performer):
        yield ("identity", *identity)


def _name_mark(name: str, disambiguation: str) -> tuple[str, ...]:
    return ("name", name.casefold().strip(), disambiguation.casefold().strip())


def _key(rows: Rows) -> bytes:
    return bytes(rows("SELECT value FROM secrets WHERE name = 'forgetting'")[0][0])


def _hash(key: bytes, marks: tuple[str, ...]) -> bytes:
    return hmac.new(key, "\0".join(marks).encode(), hashlib.sha256).digest()
