"""The ledger's schema as numbered steps."""

from sqlite_utils import Database

from db.sqlite.schemas import Schema

LEDGER_APPLICATION_ID = 0x5056524C
"""Marks a file as a ledger in its header: "PVRL" in ASCII."""


def m001_videos_and_sightings(db: Database) -> None:
    """Files, videos by what they hold, the people seen in them, and what matching said of them."""
    db.execute("CREATE TABLE choices (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    _create_videos(db)
    _create_files(db)
    _create_sightings(db)
    _create_pictures(db)
    _create_erasures(db)
    _create_decisions(db)
    _create_strangers(db)
    _create_writes(db)
    _create_tasks(db)
    db.execute(
        """
        CREATE TABLE outcomes (
            video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            lead INTEGER NOT NULL,
            performer INTEGER,
            score REAL NOT NULL,
            verdict TEXT NOT NULL,
            decided TEXT NOT NULL,
            PRIMARY KEY (video_id, position)
        ) WITHOUT ROWID
        """
    )
    db.execute(
        "CREATE INDEX outcomes_by_performer ON outcomes (performer) WHERE performer IS NOT NULL"
    )


def _create_videos(db: Database) -> None:
    # `before` is what a file held when it was last scanned, if it was rewritten since.
    db.execute(
        """
        CREATE TABLE videos (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            oshash TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            content TEXT NOT NULL DEFAULT '',
            kind TEXT NOT NULL DEFAULT 'video',
            state TEXT NOT NULL DEFAULT 'queued',
            reason TEXT NOT NULL DEFAULT '',
            tries INTEGER NOT NULL DEFAULT 0,
            wanted_depth TEXT NOT NULL,
            depth TEXT NOT NULL DEFAULT '',
            every_seconds REAL,
            models TEXT NOT NULL DEFAULT '[]',
            seconds REAL NOT NULL DEFAULT 0,
            frames INTEGER NOT NULL DEFAULT 0,
            faces INTEGER NOT NULL DEFAULT 0,
            left_out INTEGER NOT NULL DEFAULT 0,
            unreadable_seconds REAL NOT NULL DEFAULT 0,
            strangers INTEGER NOT NULL DEFAULT 1,
            scanned_at TEXT NOT NULL DEFAULT '',
            scans INTEGER NOT NULL DEFAULT 0,
            gallery INTEGER,
            generation INTEGER,
            lease_token TEXT NOT NULL DEFAULT '',
            lease_owner TEXT NOT NULL DEFAULT '',
            lease_until REAL NOT NULL DEFAULT 0,
            decided INTEGER NOT NULL DEFAULT 0,
            before INTEGER,
            UNIQUE (oshash, size_bytes)
        )
        """
    )
    db.execute("CREATE INDEX videos_by_state ON videos (state, wanted_depth <> 'quick', id)")
    db.execute("CREATE INDEX videos_by_generation ON videos (generation) WHERE depth <> ''")


def _create_files(db: Database) -> None:
    # `gone` is 0 while a file is there, else a number that grows: the last one is the latest.
    # `real_path` is where it lies if `path` leads there by a link, else empty.
    db.execute(
        """
        CREATE TABLE files (
            path BLOB PRIMARY KEY,
            video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
            size_bytes INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            gone INTEGER NOT NULL DEFAULT 0,
            real_path BLOB NOT NULL DEFAULT x''
        ) WITHOUT ROWID
        """
    )
    db.execute("CREATE INDEX files_by_video ON files (video_id)")


def _create_sightings(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE sightings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            best_seconds REAL NOT NULL,
            seen BLOB NOT NULL,
            picture BLOB NOT NULL,
            UNIQUE (video_id, position)
        )
        """
    )
    db.execute(
        """
        CREATE TABLE views (
            sighting_id INTEGER NOT NULL REFERENCES sightings (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            seconds REAL NOT NULL,
            quality REAL NOT NULL,
            faces INTEGER NOT NULL,
            weaknesses TEXT NOT NULL,
            first BLOB NOT NULL,
            second BLOB,
            PRIMARY KEY (sighting_id, number)
        )
        """
    )
    db.execute(
        """
        CREATE TABLE links (
            video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
            first INTEGER NOT NULL,
            second INTEGER NOT NULL,
            distance REAL NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX links_by_video ON links (video_id)")


def _create_pictures(db: Database) -> None:
    # Those of albums. `in_archive` is the place of one there; null for a file of its own. An album
    # that changed and was not scanned since has those of before: by them its places are told.
    db.execute(
        """
        CREATE TABLE pictures (
            video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            name TEXT NOT NULL,
            faces INTEGER NOT NULL,
            reason TEXT NOT NULL,
            in_archive INTEGER,
            content TEXT NOT NULL,
            PRIMARY KEY (video_id, number)
        ) WITHOUT ROWID
        """
    )
    db.execute(
        """
        CREATE TABLE picture_faces (
            sighting_id INTEGER NOT NULL REFERENCES sightings (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            left_edge REAL NOT NULL,
            top_edge REAL NOT NULL,
            right_edge REAL NOT NULL,
            bottom_edge REAL NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX picture_faces_by_sighting ON picture_faces (sighting_id)")


def _create_erasures(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE erasures (
            gallery INTEGER NOT NULL,
            performer INTEGER NOT NULL,
            done INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (gallery, performer)
        ) WITHOUT ROWID
        """
    )
    db.execute(
        """
        CREATE TABLE forgotten_spans (
            oshash TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            since_seconds REAL NOT NULL,
            until_seconds REAL NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX forgotten_spans_by_video ON forgotten_spans (oshash, size_bytes)")


def _create_decisions(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE decisions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            oshash TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            kind TEXT NOT NULL,
            spans TEXT NOT NULL,
            template BLOB NOT NULL,
            identities TEXT NOT NULL,
            photo_hashes TEXT NOT NULL,
            at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
        )
        """
    )
    db.execute("CREATE INDEX decisions_by_video ON decisions (oshash, size_bytes)")


def _create_strangers(db: Database) -> None:
    """Make the tables; the caller holds the transaction."""
    db.execute(
        "CREATE TABLE strangers "
        "(id INTEGER PRIMARY KEY AUTOINCREMENT, ignored INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute(
        """
        CREATE TABLE placements (
            id INTEGER PRIMARY KEY,
            sighting_id INTEGER UNIQUE REFERENCES sightings (id) ON DELETE SET NULL,
            video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            stranger_id INTEGER NOT NULL REFERENCES strangers (id) ON DELETE CASCADE,
            first BLOB NOT NULL,
            evidence REAL NOT NULL,
            second BLOB,
            both_evidence REAL NOT NULL,
            model TEXT NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX placements_by_stranger ON placements (stranger_id)")
    db.execute("CREATE INDEX placements_by_video ON placements (video_id)")
    _create_once(db)
    db.execute(
        """
        CREATE TABLE strangers_apart (
            first INTEGER NOT NULL REFERENCES strangers (id) ON DELETE CASCADE,
            second INTEGER NOT NULL REFERENCES strangers (id) ON DELETE CASCADE,
            PRIMARY KEY (first, second)
        ) WITHOUT ROWID
        """
    )


def _create_once(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE once_strangers (
            sighting_id INTEGER PRIMARY KEY REFERENCES sightings (id) ON DELETE CASCADE,
            stranger_id INTEGER NOT NULL REFERENCES strangers (id) ON DELETE CASCADE
        )
        """
    )
    db.execute("CREATE INDEX once_strangers_by_stranger ON once_strangers (stranger_id)")


def _create_writes(db: Database) -> None:
    """Make the tables of runs and writes."""
    db.execute(
        """
        CREATE TABLE stash_runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
        )
        """
    )
    db.execute(
        """
        CREATE TABLE stash_writes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            run_id INTEGER NOT NULL REFERENCES stash_runs (id) ON DELETE CASCADE,
            batch INTEGER NOT NULL,
            kind TEXT NOT NULL,
            state TEXT NOT NULL,
            item TEXT NOT NULL,
            scene TEXT NOT NULL,
            thing TEXT NOT NULL,
            performer TEXT NOT NULL,
            detail TEXT NOT NULL,
            oshash TEXT NOT NULL,
            before_at TEXT NOT NULL,
            left_at TEXT NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX stash_writes_by_scene ON stash_writes (scene, state)")
    db.execute("CREATE INDEX stash_writes_by_run ON stash_writes (run_id, state)")
    db.execute(
        "CREATE INDEX stash_writes_unsettled ON stash_writes (batch, id) "
        "WHERE state IN ('intended', 'undoing')"
    )


def _create_tasks(db: Database) -> None:
    """Make the table of tasks."""
    db.execute(
        """
        CREATE TABLE stash_tasks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            options TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'queued',
            text TEXT NOT NULL DEFAULT '',
            done INTEGER NOT NULL DEFAULT 0,
            of_all INTEGER NOT NULL DEFAULT 0,
            run INTEGER NOT NULL DEFAULT 0,
            result TEXT NOT NULL DEFAULT '{}',
            at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
        )
        """
    )


def m002_tagged(db: Database) -> None:
    """Whom the user tagged in Stash, by what a file holds: it may not be scanned yet.

    And of which scenes Stash's scraper was told by us who is in them.
    """
    db.execute(
        "CREATE TABLE stash_told (scene TEXT NOT NULL, performer TEXT NOT NULL, "
        "PRIMARY KEY (scene, performer)) WITHOUT ROWID"
    )
    db.execute(
        """
        CREATE TABLE tagged (
            oshash TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            source TEXT NOT NULL,
            source_id TEXT NOT NULL,
            PRIMARY KEY (oshash, size_bytes, source, source_id)
        ) WITHOUT ROWID
        """
    )


def m003_told_of_files(db: Database) -> None:
    """Of which files Stash's scraper was told by us who is in them: scenes can be merged."""
    db.execute(
        "CREATE TABLE stash_told_of_files (oshash TEXT NOT NULL, performer TEXT NOT NULL, "
        "PRIMARY KEY (oshash, performer)) WITHOUT ROWID"
    )


LEDGER = Schema(
    "library",
    LEDGER_APPLICATION_ID,
    (m001_videos_and_sightings, m002_tagged, m003_told_of_files),
    "Make one: python -m tools scan FOLDER.",
)
