"""The gallery's schema as numbered steps; a file's `user_version` is the number of steps done."""

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


def m002_identities_and_forgetting(db: Database) -> None:
    """Every id of a performer, who was forgotten, and what was done to the gallery."""
    db.execute(
        """
        CREATE TABLE identities (
            source TEXT NOT NULL,
            source_id TEXT NOT NULL,
            performer_id INTEGER NOT NULL REFERENCES performers (id) ON DELETE CASCADE,
            updated_at TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (source, source_id)
        )
        """
    )
    db.execute("CREATE INDEX identities_by_performer ON identities (performer_id)")
    db.execute(
        "INSERT INTO identities (source, source_id, performer_id) "
        "SELECT source, source_id, id FROM performers"
    )
    db.execute("ALTER TABLE performers ADD COLUMN poster_url TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE performers ADD COLUMN renamed INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE TABLE checkpoints (source TEXT PRIMARY KEY, updated_at TEXT NOT NULL)")
    db.execute(
        """
        CREATE TABLE removed_photos (
            performer_id INTEGER NOT NULL REFERENCES performers (id) ON DELETE CASCADE,
            photo_hash TEXT NOT NULL,
            PRIMARY KEY (performer_id, photo_hash)
        )
        """
    )
    _create_forgotten(db)
    _create_journal(db)


def _create_forgotten(db: Database) -> None:
    db.execute("CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL)")
    db.execute("INSERT INTO secrets VALUES ('forgetting', randomblob(32))")
    db.execute(
        """
        CREATE TABLE forgotten (
            hash BLOB PRIMARY KEY,
            performer INTEGER NOT NULL,
            forgotten TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
        )
        """
    )


def _create_journal(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE journal (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
            verb TEXT NOT NULL,
            counts TEXT NOT NULL
        )
        """
    )
    for change in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER journal_refuses_{change.lower()} BEFORE {change} ON journal "
            "BEGIN SELECT raise(ABORT, 'the journal only grows'); END"
        )


def m003_rejections_and_weaknesses(db: Database) -> None:
    """Rejections of performers for persons in videos, and why a photo is weak."""
    db.execute(
        """
        CREATE TABLE rejections (
            id INTEGER PRIMARY KEY,
            performer_id INTEGER NOT NULL REFERENCES performers (id) ON DELETE CASCADE,
            vector BLOB NOT NULL,
            model TEXT NOT NULL,
            origin TEXT NOT NULL,
            created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
        )
        """
    )
    db.execute("CREATE INDEX rejections_by_performer ON rejections (performer_id)")
    db.execute("ALTER TABLE encodings ADD COLUMN weaknesses TEXT NOT NULL DEFAULT ''")


def m004_models(db: Database) -> None:
    """The models of encodings, so that a photo may have several; the primary model comes first.

    A model's dimensions are those of most of its encodings. If equally many have different
    lengths, the longest counts, because damage shortens encodings. Ids of rejections are no longer
    reused: undoing one must not remove another.
    """
    db.execute(
        """
        CREATE TABLE models (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            dimensions INTEGER NOT NULL
        )
        """
    )
    db.execute(
        "INSERT OR IGNORE INTO models (id, dimensions) "
        "SELECT model, length(vector) / 4 FROM encodings "
        "WHERE length(vector) > 0 AND length(vector) % 4 = 0 "
        "GROUP BY model, length(vector) ORDER BY count(*) DESC, length(vector) DESC"
    )
    _number_rejections_once(db)


def _number_rejections_once(db: Database) -> None:
    """Never give the number of a deleted rejection to another; undoing would delete that one."""
    db.execute("ALTER TABLE rejections RENAME TO rejections_before")
    db.execute(
        """
        CREATE TABLE rejections (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            performer_id INTEGER NOT NULL REFERENCES performers (id) ON DELETE CASCADE,
            vector BLOB NOT NULL,
            model TEXT NOT NULL,
            origin TEXT NOT NULL,
            created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
        )
        """
    )
    db.execute(
        "INSERT INTO rejections SELECT * FROM rejections_before "
        "WHERE performer_id IN (SELECT id FROM performers)"
    )
    db.execute("DROP TABLE rejections_before")
    db.execute("CREATE INDEX rejections_by_performer ON rejections (performer_id)")


def m005_faces_of_photos(db: Database) -> None:
    """A small picture of the face in each photo, erased with its encoding."""
    db.execute("ALTER TABLE encodings ADD COLUMN face BLOB")


MIGRATIONS: tuple[Callable[[Database], None], ...] = (
    m001_performers_and_encodings,
    m002_identities_and_forgetting,
    m003_rejections_and_weaknesses,
    m004_models,
    m005_faces_of_photos,
)
"""In order; step i brings a file to `user_version` i + 1. Steps are added, never changed."""
