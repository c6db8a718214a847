"""Opens a file as an SQLite database that is certainly ours, or raises a clear error."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import chain, count
from pathlib import Path

from sqlite_utils import Database

from db.errors import (
    GalleryError,
    GalleryLockedError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GalleryTooNewError,
    NetworkShareError,
    NotAGalleryError,
)
from db.sqlite.filesystems import find_network_share, is_there
from db.sqlite.migrations import APPLICATION_ID, MIGRATIONS
from db.sqlite.schemas import Schema, migrate, schema_version

BUSY_SECONDS = 5.0
"""How long to wait while another process writes."""

ASKED_EVERY_SECONDS = 0.003
"""How often the next in a line asks for the write lock."""

OWNER_ONLY = 0o600


def gallery_schema() -> Schema:
    """Return the schema of galleries."""
    how = "Make one: python -m tools import folder DIR."
    return Schema("gallery", APPLICATION_ID, MIGRATIONS, how)


def open_database(path: Path | None, *, create: bool, schema: Schema | None = None) -> Database:
    """Open a file at `path` and bring its schema up to date; None means in memory.

    Without a `schema` it is a gallery.

    Raises:
        GalleryMissingError: there is no file, and `create` was not given.
        NotAGalleryError: the file is something else, or damaged.
        GalleryTooNewError: a newer version wrote it.
        GalleryLockedError: another process holds it.
        GalleryReadOnlyError: it cannot be created or written.
        NetworkShareError: it is on a network share.
    """
    schema = schema or gallery_schema()
    share = find_network_share(path) if path else None
    if share:
        raise NetworkShareError(
            f"The {schema.noun} {path} is on a network share ({share}), where SQLite can lose what "
            "is written. Put it on a local disk, or a container's volume; a bundle moves it."
        )
    if path is not None and not is_there(path, schema.noun):
        if not create:
            raise GalleryMissingError(
                f"There is no {schema.noun} {path.name}. {schema.how_to_make}", path, schema.noun
            )
        _create_file(path, schema.noun)
    with explained(path, schema.noun):
        connection = _connect(path)
        try:
            return _prepare(Database(connection), path, schema)
        except BaseException:
            connection.close()
            raise


def _connect(path: Path | None) -> sqlite3.Connection:
    where = ":memory:" if path is None else f"{path.absolute().as_uri()}{_mode_of(path)}"
    return sqlite3.connect(
        where, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=bool(path)
    )


def _mode_of(path: Path) -> str:
    """Say how to open a file that this user may only read; "" for one that they may write.

    To read a file with a write-ahead log SQLite makes two more beside it. Where it cannot, and no
    log holds changes that are still to be read, the file is complete by itself.
    """
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return ""
    log = path.with_name(f"{path.name}-wal")
    try:
        is_complete = log.stat().st_size == 0
    except OSError:
        is_complete = True
    return "?immutable=1" if is_complete else "?mode=ro"


@contextmanager
def transaction(db: Database, line: AbstractContextManager[None] | None = None) -> Iterator[None]:
    """Take SQLite's one write lock at once; store the whole block, or nothing.

    With a `line`, the wait for the lock is in that line.
    """
    if line is None:
        db.execute("BEGIN IMMEDIATE")
    else:
        with line:
            _begin_soon(db)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # On a full disk SQLite has already rolled back.
        if db.conn.in_transaction:
            db.execute("ROLLBACK")
        raise


def _begin_soon(db: Database) -> None:
    """Begin as soon as the write lock is free: SQLite sleeps up to 0.1 s before it asks again."""
    (wait_ms,) = db.execute("PRAGMA busy_timeout").fetchone()
    until = time.monotonic() + wait_ms / 1000
    db.execute("PRAGMA busy_timeout = 0")
    try:
        while not _can_begin(db, is_last=time.monotonic() > until):
            time.sleep(ASKED_EVERY_SECONDS)
    finally:
        db.execute(f"PRAGMA busy_timeout = {wait_ms:d}")


def _can_begin(db: Database, *, is_last: bool) -> bool:
    try:
        db.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if is_last or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


@contextmanager
def savepoint(db: Database) -> Iterator[None]:
    """Within a transaction, store the whole block, or nothing of it."""
    db.execute("SAVEPOINT part")
    try:
        yield
        db.execute("RELEASE part")
    except BaseException:
        if db.conn.in_transaction:
            db.execute("ROLLBACK TO part")
            db.execute("RELEASE part")
        raise


@contextmanager
def explained(path: Path | None, noun: str = "gallery") -> Iterator[None]:
    """Turn SQLite's errors into our own, which say what to do."""
    name = path.name if path else "in memory"
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(error, noun, name) from error


def _explain(error: sqlite3.Error, noun: str, name: str) -> GalleryError:
    named = f"{noun} {name}"
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return GalleryLockedError(
            f"Another process has been writing the {named} for more than "
            f"{BUSY_SECONDS:g} s. Try again when it has finished."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return GalleryReadOnlyError(
            f"The {named} cannot be opened for writing ({error}). "
            "Check the owner and the permissions of the file and its folder."
        )
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return GalleryReadOnlyError(
            f"The {named} could not be written ({error}); nothing was changed beyond what "
            "was reported. Free space on the disk, or raise the quota, and try again."
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return NotAGalleryError(
            f"{name} is not a {noun}, or is damaged ({error}). Name another file, or restore a "
            "backup."
        )
    return GalleryError(f"Reading or writing the {named} failed: {error}.")


def _create_file(path: Path, noun: str = "gallery", *, exist_ok: bool = True) -> None:
    # Created before SQLite opens it, so that others can never read it.
    try:
        path.touch(mode=OWNER_ONLY, exist_ok=exist_ok)
    except OSError as error:
        raise GalleryReadOnlyError(
            f"The {noun} {path.name} cannot be created ({error.strerror}). "
            "Check that the folder exists and belongs to you."
        ) from error


def _prepare(db: Database, path: Path | None, schema: Schema) -> Database:
    name = path.name if path else "in memory"
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA secure_delete = ON")
    # Read before the id: a process that is just creating the gallery stores both at once.
    is_empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application_id = db.execute("PRAGMA application_id").fetchone()[0]
    if application_id != schema.application_id and not is_empty:
        raise NotAGalleryError(
            f"{name} is an SQLite file, but not a {schema.noun}. Name another file."
        )
    if schema_version(db) > len(schema.steps):
        raise GalleryTooNewError(
            f"The {schema.noun} {name} has schema {schema_version(db)}; this version knows up to "
            f"{len(schema.steps)}. Update the software; the file was not touched."
        )
    if schema_version(db) < len(schema.steps):
        _upgrade(db, path, schema)
    return db


def _upgrade(db: Database, path: Path | None, schema: Schema) -> None:
    """Bring a file's schema up to date, after a backup, or leave it as it is."""
    db.execute("PRAGMA journal_mode = WAL")
    backup: Path | None = None
    try:
        # One transaction: all steps or none, however this process ends, and no other in between.
        with transaction(db):
            if path is not None and 0 < schema_version(db) < len(schema.steps):
                backup = _back_up(schema_version(db), path, schema.noun)
            while migrate(db, schema):
                pass
    except BaseException:
        # Otherwise every opening that fails would leave another copy.
        if backup and schema_version(db) < len(schema.steps):
            backup.unlink(missing_ok=True)
        raise


def copy_database(db: Database, destination: Path, noun: str = "gallery") -> None:
    """Write a compact copy, whole or not at all, readable by its owner only.

    Unlike a plain copy of the file, it includes what is in the write-ahead log.
    """
    partial = destination.with_name(f".{destination.name}.partial")
    partial.unlink(missing_ok=True)
    _create_file(partial, noun, exist_ok=False)
    try:
        # As bytes: the name of a file need not be UTF-8, and a text must be.
        db.execute("VACUUM INTO CAST(? AS TEXT)", (os.fsencode(partial),))
        partial.replace(destination)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _back_up(version: int, path: Path, noun: str) -> Path:
    name = f"{path.name}.before-{version + 1}"
    names = chain([name], (f"{name}.{number}" for number in count(1)))
    backup = next(free for free in map(path.with_name, names) if not free.exists())
    # A connection of its own: one that holds a transaction cannot copy.
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        copy_database(Database(reader), backup, noun)
    return backup
