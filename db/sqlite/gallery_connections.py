"""The file of a gallery, opened once for all that reads and changes it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from db.cells import as_text
from db.errors import ErasureUnfinishedError
from db.names import name_key
from db.sqlite.connections import (
    copy_database,
    explained,
    open_database,
    savepoint,
    transaction,
)

CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)"


class GalleryConnection:
    """One connection, shared by threads under a lock; it must not cross a fork.

    Every write is one transaction, and increases the generation.
    """

    def __init__(self, path: Path | None = None, *, create: bool = False) -> None:
        """Open the gallery at `path`; without a path, a new gallery in memory."""
        self.path = path
        self._lock = threading.RLock()
        self._db = open_database(path, create=create)
        # One cell that a bad disk damaged must not hide all others of a list.
        self._db.conn.text_factory = as_text
        self._db.conn.create_function("name_key", 1, _key_of_cell, deterministic=True)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def refuse_bad_text(self) -> None:
        """From now on raise an error where a text cannot be read, as in a file from a stranger."""
        self._db.conn.text_factory = str

    def copy_into(self, copy: "GalleryConnection") -> None:
        """Give a gallery in memory the same content, to try out what would happen."""
        with self._lock, explained(self.path):
            self._db.conn.backup(copy._db.conn)  # noqa: SLF001  # one class

    def copy_to(self, destination: Path) -> None:
        """Write a compact copy to a file, whole or not at all."""
        with self._lock, explained(destination):
            copy_database(self._db, destination)

    def scrub(self) -> None:
        """Rewrite the file, so that nothing deleted can be read from it.

        Whoever deletes calls `owe_scrub` in the same transaction: what cannot be finished now is
        finished by the next who changes the gallery.

        Raises:
            ErasureUnfinishedError: the disk is too full, or somebody reads the file.
        """
        with self._lock:
            trouble = self._try_to_scrub()
            if trouble:
                name = self.path.name if self.path else "the gallery"
                raise ErasureUnfinishedError(
                    f"It was erased, but may still be in the bytes of {name} or of its log: "
                    f"{trouble}. It is finished at the next start or change, or by "
                    "`python -m tools doctor`."
                )
            with explained(self.path):
                self.note("DELETE FROM counters WHERE name = 'unscrubbed'")

    def owes_scrub(self) -> bool:
        """Say whether `scrub` did not succeed since something was deleted."""
        return bool(self.rows("SELECT 1 FROM counters WHERE name = 'unscrubbed'"))

    def _try_to_scrub(self) -> str:
        """Rewrite the file; say what prevents it."""
        # The write-ahead log and freed pages would still hold what was deleted.
        for step in (CHECKPOINT, "VACUUM", CHECKPOINT):
            try:
                row = self._db.execute(step).fetchone()
            except sqlite3.OperationalError as error:
                return f"{error}; free space on the disk, or end what uses the file"
            if row and row[0]:
                return "another program is reading it; end that"
        return ""

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement that reads; every reader of the gallery uses this."""
        with self._lock, explained(self.path):
            rows: list[tuple[Any, ...]] = self._db.execute(sql, values).fetchall()
            return rows

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """Hold one transaction: it is stored whole or not at all, and increases `generation`.

        A `writing` inside another is stored with the outer transaction; if the inner block fails,
        nothing of it is stored.
        """
        with self._transaction() as is_outermost:
            before = self._db.conn.total_changes
            yield self._db
            if is_outermost and self._db.conn.total_changes > before:
                sql = "UPDATE counters SET value = value + 1 WHERE name = 'generation'"
                self._db.execute(sql)

    def note(self, sql: str, *values: Any) -> None:
        """Run one statement that leaves the generation as it is, so that readers do not reload."""
        with self._transaction():
            self._db.execute(sql, values)

    @contextmanager
    def _transaction(self) -> Iterator[bool]:
        with self._lock:
            if self._db.conn.in_transaction:  # ours: the lock lets in no other thread
                with savepoint(self._db):
                    yield False
            else:
                with explained(self.path), transaction(self._db):
                    yield True


def owe_scrub(db: Database) -> None:
    """Note that the file must be rewritten; the caller holds the transaction that deletes."""
    db.execute("INSERT OR REPLACE INTO counters VALUES ('unscrubbed', 1)")


def _key_of_cell(cell: object) -> str:
    return name_key(as_text(cell))
