"""Checks a bundle as a file from a stranger: only our tables, and in them only what ours can hold.

Its checksums prove that it arrived whole, not who made it.
"""

import json
import sqlite3
from contextlib import closing
from typing import Any

import numpy as np
from sqlite_utils import Database

from db.blobs import from_blob
from db.errors import DamagedBundleError, DamagedVectorError
from db.names import MAX_URL_CHARACTERS, find_complaint, printable
from db.sqlite.gallery import SqliteGallery
from db.sqlite.migrations import MIGRATIONS

MANIFEST = "CREATE TABLE manifest (value TEXT NOT NULL)"

LARGEST_BYTES = 4_000_000_000
"""For a bundle: a million encodings take less."""

MOST_PHOTOS = 10_000
"""For one performer; nobody has a tenth of it."""

MOST_TEXT_BYTES = 300_000_000
"""For all names, aliases, addresses and ids: those of 100,000 performers with everything."""

MOST_PERFORMER_BYTES = 300_000_000
"""For one performer's encodings and faces: those of 10,000 photos."""

SHORTEST_VECTOR = 0.05
"""Of a vector; the encodings of every net are far longer."""

_WORD, _LINE, _LIST, _PICTURE, _FACE = 300, 4 * MAX_URL_CHARACTERS, 4_000_000, 1_000_000, 100_000

CELLS: dict[str, dict[str, tuple[tuple[str, ...], int]]] = {
    "performers": {
        "name": (("text",), 4 * _WORD),
        "disambiguation": (("text",), 4 * _WORD),
        "aliases": (("text",), _LIST),
        "urls": (("text",), _LIST),
        "thumbnail": (("blob", "null"), _PICTURE),
        "source": (("text",), _LINE),
        "source_id": (("text",), _LINE),
        "poster_url": (("text",), _LINE),
    },
    "identities": {"source": (("text",), _LINE), "source_id": (("text",), _LINE)},
    "models": {"id": (("text",), _WORD), "dimensions": (("integer",), _WORD)},
    "encodings": {
        "vector": (("blob",), 64 * 1024),
        "model": (("text",), _WORD),
        "quality": (("real", "integer"), _WORD),
        "photo_hash": (("text",), _WORD),
        "origin": (("text",), _LINE),
        "weaknesses": (("text",), _LINE),
        "face": (("blob", "null"), _FACE),
    },
}
"""What is imported: for each column the types its cells may have, and how many bytes."""

_TEXT = """
    SELECT (SELECT total(length(CAST(name || disambiguation || aliases || urls || source
        || source_id || poster_url AS BLOB))) FROM performers)
    + (SELECT total(length(CAST(source || source_id AS BLOB))) FROM identities)
"""

_OF_EACH = """
    SELECT performer_id FROM encodings GROUP BY performer_id HAVING total(length(vector)
        + length(CAST(origin || weaknesses AS BLOB)) + coalesce(length(face), 0))
"""


def check_tables(db: sqlite3.Connection, name: str) -> None:
    """Refuse a file whose tables, indexes and triggers are not exactly those we make.

    Views, triggers, and generated or virtual columns run code when tables are read or written.

    Raises:
        DamagedBundleError: one is not.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        return  # which opening it refuses with a better message
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as ours:
        for step in MIGRATIONS[:version]:
            step(Database(ours))
        ours.execute(MANIFEST)
        strange = sorted(_shapes(db) ^ _shapes(ours))
    if strange:
        raise DamagedBundleError(
            f"{name} is not a bundle of ours: its {printable(strange[0][1])[:80]} is not as any "
            "version makes it. Export it again, with python -m tools export --bundle FILE."
        )


def _shapes(db: sqlite3.Connection) -> set[tuple[str, str, str]]:
    """Return what was made in a file: of each thing the kind, the name and the SQL.

    SQLite makes indexes of its own without any SQL. Names are no sign of them: anybody who writes
    into the schema can call a trigger `sqlite_`.
    """
    rows = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(str(kind), str(name), " ".join(str(sql).split())) for kind, name, sql in rows}


def check_content(gallery: SqliteGallery, name: str) -> None:
    """Refuse a bundle that holds what no gallery of ours can.

    Raises:
        DamagedBundleError: it does.
    """
    for table, columns in CELLS.items():
        for column, (kinds, most_bytes) in columns.items():
            _check_cells(gallery, name, (table, column), kinds, most_bytes)
    _check_amount(gallery, name)
    sql = "SELECT 1 FROM encodings WHERE NOT (quality BETWEEN 0 AND 1) LIMIT 1"
    if gallery.rows(sql):
        raise _unsound(name, "an encoding with a quality that is not between 0 and 1")
    if gallery.rows("SELECT 1 FROM encodings WHERE photo_hash GLOB '*[^ -~]*' LIMIT 1"):
        raise _unsound(name, "a hash of a photo with characters that no hash has")
    if gallery.rows("PRAGMA foreign_key_check"):
        raise _unsound(name, "something that belongs to a performer who is not there")
    for (number,) in gallery.rows("SELECT id FROM performers ORDER BY id"):
        lists = gallery.rows("SELECT aliases, urls FROM performers WHERE id = ?", number)[0]
        if not all(map(_is_list_of_text, lists)):
            raise _unsound(name, f"aliases or urls of performer {number} that are not a list")
        _check_performer(gallery, name, number)


def _check_amount(gallery: SqliteGallery, name: str) -> None:
    """Refuse what is too large for memory: all names and addresses, or one performer's faces."""
    if gallery.rows(_TEXT)[0][0] > MOST_TEXT_BYTES:
        raise _unsound(name, f"more than {MOST_TEXT_BYTES // 1_000_000} MB of names and addresses")
    found = gallery.rows(f"{_OF_EACH} > ? LIMIT 1", MOST_PERFORMER_BYTES)
    if found:
        most = MOST_PERFORMER_BYTES // 1_000_000
        raise _unsound(name, f"more than {most} MB of faces of performer {found[0][0]}")


def _check_cells(
    gallery: SqliteGallery,
    name: str,
    place: tuple[str, str],
    kinds: tuple[str, ...],
    most_bytes: int,
) -> None:
    table, column = place
    marks = ", ".join("?" for _ in kinds)
    sql = (
        f"SELECT 1 FROM {table} WHERE typeof({column}) NOT IN ({marks}) "  # noqa: S608  # our names
        f"OR length(CAST({column} AS BLOB)) > ? LIMIT 1"
    )
    if gallery.rows(sql, *kinds, most_bytes):
        raise _unsound(name, f"something in {table}.{column} that is too long or of another type")


def _check_performer(gallery: SqliteGallery, name: str, number: int) -> None:
    performer = gallery.performer(number)
    complaint = find_complaint(performer)
    if complaint:
        raise _unsound(name, f"a performer, number {number}, who cannot be: {complaint}")
    rows = gallery.rows(
        "SELECT vector, coalesce(dimensions, 0) FROM encodings "
        "LEFT JOIN models ON models.id = model WHERE performer_id = ? LIMIT ?",
        number,
        2 * MOST_PHOTOS + 1,
    )
    if len(rows) > 2 * MOST_PHOTOS or not all(_is_sound(*row) for row in rows):
        raise _unsound(name, f"encodings of performer {number} that come from no face")


def _is_sound(vector: bytes, dimensions: int) -> bool:
    try:
        numbers = from_blob(vector, dimensions)
    except DamagedVectorError:
        return False
    return bool(np.linalg.norm(numbers) >= SHORTEST_VECTOR)


def _is_list_of_text(value: Any) -> bool:
    try:
        items = json.loads(value)
    except (ValueError, RecursionError):
        return False
    return isinstance(items, list) and all(isinstance(item, str) for item in items)


def _unsound(name: str, what: str) -> DamagedBundleError:
    return DamagedBundleError(
        f"{name} holds {what}; nothing of it was imported. It may be malicious: ask "
        "whoever made it for another, made by export --bundle."
    )
