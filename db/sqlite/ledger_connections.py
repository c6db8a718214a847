"""The file of a ledger, opened once for all that reads and writes it."""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from db.cells import as_text
from db.sqlite.connections import BUSY_SECONDS, explained, open_database, transaction
from db.sqlite.filesystems import backups_of, left_over_from
from db.sqlite.ledger_schema import LEDGER
from db.sqlite.writers import in_line

CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)"

AGAIN_AFTER_SECONDS = 60.0
"""If a file cannot be rewritten, or is just being read, not everyone who opens it tries again."""

REWRITTEN_WITHIN_SECONDS = 1800.0
"""Leases are extended by this much: nobody can renew one while the file is rewritten, which on a
busy, slow disk takes minutes."""

_LEASES_LAST = "UPDATE videos SET lease_until = lease_until + ? WHERE state = 'working'"

_not_before: dict[Path | None, float] = {}

_log = logging.getLogger(__name__)


class LedgerConnection:
    """One connection, shared by threads under a lock; it must not cross a fork."""

    def __init__(self, path: Path | None = None, *, create: bool = True) -> None:
        """Open the ledger at `path`, or make it if `create`; without a path, one in memory."""
        self.path = path
        self._real_path = path.resolve() if path else None  # links to a ledger share its line
        self._lock = threading.RLock()
        self._db = open_database(path, create=create, schema=LEDGER)
        # One text that a bad disk damaged must not hide all others of a list.
        self._db.conn.text_factory = as_text

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        with self.reading() as db:
            rows: list[tuple[Any, ...]] = db.execute(sql, values).fetchall()
            return rows

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Give the open database; what fails in it is explained."""
        with self._lock, explained(self.path, LEDGER.noun):
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """Give the open database for one transaction."""
        with self.reading() as db, transaction(db, self._in_line()):
            yield db

    @contextmanager
    def writing_derived(self) -> Iterator[Database]:
        """Give the open database for one transaction of what can be made again.

        It does not wait for the disk: a power cut may undo the last of them, whole. On a busy disk
        the wait would take longer than the work.
        """
        with self.reading() as db:
            (usual,) = db.execute("PRAGMA synchronous").fetchone()
            db.execute("PRAGMA synchronous = NORMAL")
            try:
                with transaction(db, self._in_line()):
                    yield db
            finally:
                db.execute(f"PRAGMA synchronous = {usual:d}")

    def delete_copies(self) -> bool:
        """Delete the copies made before upgrades, and what is left of some; False if one stays.

        Nobody can be erased from a copy with another schema, and what it holds can be found again.
        """
        if self.path is None:
            return True
        is_done = True
        # In this order: what SQLite kept beside a copy is left over once that is deleted.
        finds = (backups_of, left_over_from)
        for copy in (one for find in finds for one in find(self.path)):
            try:
                copy.unlink(missing_ok=True)
                _log.warning("%s is deleted: it may hold somebody who was erased.", copy.name)
            except OSError as error:
                _log.warning(
                    "%s holds somebody who was erased, and cannot be deleted: %s",
                    copy.name,
                    error.strerror,
                )
                is_done = False
        return is_done

    def scrub(self) -> bool:
        """Rewrite the file, so that nothing deleted can be read from it; False if that failed.

        Deleted cells are overwritten (secure_delete), but not the copies that SQLite leaves in the
        free space of a page when it moves cells to another.
        """
        if time.monotonic() < _not_before.get(self._real_path, 0.0):
            return False
        with self.reading() as db:
            try:
                if self._is_log_held(db):
                    return False
                with self._in_line() or nullcontext():
                    with transaction(db):
                        db.execute(_LEASES_LAST, (REWRITTEN_WITHIN_SECONDS,))
                    db.execute("VACUUM")
                is_done = not self._is_log_held(db)
            except sqlite3.Error as error:
                _log.warning("The library's file cannot be rewritten: %s", error)
                is_done = False
                with suppress(sqlite3.Error):  # its log may have taken the last of the disk
                    self._is_log_held(db)
            if not is_done:
                _not_before[self._real_path] = time.monotonic() + AGAIN_AFTER_SECONDS
            return is_done

    def _is_log_held(self, db: Database) -> bool:
        """Empty the log; say whether somebody who reads the file prevents that."""
        with self._in_line() or nullcontext():  # anybody who writes without a pause would, too
            return bool(db.execute(CHECKPOINT).fetchone()[0])

    def _in_line(self) -> AbstractContextManager[None] | None:
        return in_line(self._real_path, BUSY_SECONDS) if self._real_path else None


def of_videos(db: Database, sql: str, videos: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return the rows of some videos; `{}` in the statement stands for their ids."""
    # As one value: a statement takes no more than some 32,000.
    among = sql.format("SELECT value FROM json_each(?)")
    rows: list[tuple[Any, ...]] = db.execute(among, (json.dumps(list(videos)),)).fetchall()
    return rows
