"""The gallery's schema as numbered steps; a file's `user_version` says how far it has come."""

from collections.abc import Callable

from sqlite_utils import Database

APPLICATION_ID = 0x50565247
"""Marks a file as ours in its header: "PVRG" in ASCII."""


def m001_performers_and_encodings(db: Database) -> None:
    """Performers, their encodings, and the numbers that tell readers to reload."""
    db.execute(
        """
        CREATE TABLE performers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            disambiguation TEXT NOT NULL DEFAULT '',
            aliases TEXT NOT NULL DEFAULT '[]',
            urls TEXT NOT NULL DEFAULT '[]',
            thumbnail BLOB,
            source TEXT NOT NULL,
            source_id TEXT NOT NULL,
            created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
            updated TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
            UNIQUE (source, source_id)
        )
        """
    )
    db.execute(
        """
        CREATE TABLE encodings (
            id INTEGER PRIMARY KEY,
            performer_id INTEGER NOT NULL REFERENCES performers (id) ON DELETE CASCADE,
            vector BLOB NOT NULL,
            model TEXT NOT NULL,
            quality REAL NOT NULL,
            photo_hash TEXT NOT NULL,
            origin TEXT NOT NULL,
            created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
            UNIQUE (performer_id, photo_hash, model)
        )
        """
    )
    db.execute("CREATE INDEX performers_by_name ON performers (name COLLATE NOCASE)")
    db.execute("CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL)")
    db.execute("INSERT INTO counters VALUES ('generation', 0), ('identity', abs(random()))")


MIGRATIONS: tuple[Callable[[Database], None], ...] = (m001_performers_and_encodings,)
"""In order; step i brings a file to `user_version` i + 1. Steps are added, never changed."""


def schema_version(db: Database) -> int:
    """Return how many migrations a file has had."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate(db: Database) -> None:
    """Bring the schema up to date; the caller holds the transaction."""
    for number, migration in enumerate(MIGRATIONS[schema_version(db) :], schema_version(db) + 1):
        migration(db)
        db.execute(f"PRAGMA user_version = {number}")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
