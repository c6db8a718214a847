"""Checks a gallery file; each finding comes with what to do about it."""

import os
import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from db.blobs import are_sound, has_length
from db.cells import as_text, read_object, read_texts
from db.counted import agree, counted
from db.records import Finding
from db.sqlite.connections import OWNER_ONLY
from db.sqlite.filesystems import (
    backups_of,
    find_network_share,
    kept_beside_backups_of,
    left_over_from,
    left_over_from_exports,
)
from db.sqlite.migrations import APPLICATION_ID, MIGRATIONS

MODELS_FROM_SCHEMA = 4

SAFE_WAL = (3, 51, 3)
"""Older versions can corrupt a write-ahead log if two processes checkpoint at the same time."""


UPGRADE = "Run: python -m tools upgrade-encodings"

ENROL_AGAIN = (
    "upgrade-encodings could not complete these: the files are gone or changed. Import them again "
    "from where they are now, with --full, or add other photos: python -m tools add-photo. Until "
    "then the first net alone compares them."
)

FROM_VIDEOS = (
    "{} taken from videos, without a picture, and cannot be completed. Add photos of these "
    "performers: python -m tools add-photo. Or identify a video of theirs again on the page, and "
    "confirm them there."
)

LEAST_FREE_BYTES = 64 * 1024
"""With less on the disk, SQLite may be unable to read: it shares 32 KB with other processes."""

_OF_THE_FILE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

MOST_NAMED = 20
"""A finding names at most this many performers."""


def check_gallery(path: Path, models: Sequence[str] = ()) -> Iterator[Finding]:
    """Check a gallery file without changing its content; wrong permissions are fixed.

    Photos should have encodings of all `models`.
    """
    share = find_network_share(path)
    if share:
        yield Finding(
            "error",
            f"{path} is on a network share ({share}).",
            "Move it to a local disk; SQLite can lose what is written on a share.",
        )
    yield from _check_permissions(path)
    yield from _check_leftovers(path)
    try:
        # Not mode=ro: it could not roll back what a crash left half-written.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as db:
            db.execute("PRAGMA query_only = ON")
            db.text_factory = as_text
            yield from _check_content(db, models)
    except sqlite3.Error as error:
        yield _judge_failure(path, error)
    yield check_sqlite_version(sqlite3.sqlite_version_info)


def _judge_failure(path: Path, error: sqlite3.Error) -> Finding:
    """Say what to do where SQLite cannot read a file, which needs a few KB of the disk for it."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    found, remedy = f"{path.name} cannot be read: {error}.", "Restore a backup."
    if code in _OF_THE_FILE:
        return Finding("error", found, remedy)
    if shutil.disk_usage(path.parent).free < LEAST_FREE_BYTES:
        found = f"{path.name} cannot be read, as its disk is full: {error}."
        remedy = "Free space, and run doctor again. The file itself may well be sound."
    elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        remedy = "Another process is writing it. Run doctor again when that has finished."
    elif code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        found = f"{path.name} cannot be checked, as it or its folder may not be written: {error}."
        remedy = "Check the owner and the permissions of the file and its folder."
    elif code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        remedy = "Check the disk, and that it has room or quota left, before you restore a backup."
    return Finding("error", found, remedy)


def check_sqlite_version(version: tuple[int, ...]) -> Finding:
    """Judge the version of SQLite that Python came with."""
    text = ".".join(str(part) for part in version[:3])
    if version < SAFE_WAL:
        return Finding(
            "ok",
            f"SQLite {text}: before 3.51.3 two writers at once could damage a file; here imports "
            "take turns, so it cannot happen.",
        )
    return Finding("ok", f"SQLite {text}.")


def _check_leftovers(path: Path) -> Iterator[Finding]:
    for file in left_over_from(path):
        found = f"{file.name} is left over from an interrupted backup."
        yield Finding("warning", found, "Delete it: it holds part of the gallery.")
    for file in left_over_from_exports(path.parent):
        found = f"{file.name} is left over from an export that was broken off, if none is running."
        remedy = "Delete it: it holds a gallery, with anybody who was forgotten since."
        yield Finding("warning", found, remedy)


def _check_permissions(path: Path) -> Iterator[Finding]:
    backups = (*backups_of(path), *kept_beside_backups_of(path))
    files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm")), *backups]
    for file in files:
        if os.name == "nt" or not file.exists():
            continue
        mode = stat.S_IMODE(file.stat().st_mode)
        if not mode & ~OWNER_ONLY:
            continue
        try:
            file.chmod(OWNER_ONLY)
        except OSError as error:
            remedy = f"Run chmod 600 {file} as its owner ({error.strerror})."
            yield Finding("error", f"{file.name} can be read by others ({mode:o}).", remedy)
        else:
            yield Finding("mended", f"{file.name} could be read by others ({mode:o}); now 600.")


def _check_content(db: sqlite3.Connection, models: Sequence[str]) -> Iterator[Finding]:
    if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        found = "The file is empty: the import that created it was interrupted."
        yield Finding("warning", found, "Run the import again.")
        return
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        yield Finding("error", "The file is not a gallery.", "Name another file with --db.")
        return
    verdicts = [row[0] for row in db.execute("PRAGMA integrity_check(5)")]
    if verdicts != ["ok"]:
        yield Finding("error", f"Integrity: {'; '.join(verdicts)}.", "Restore a backup.")
        return
    yield Finding("ok", "Integrity: every page and index is sound.")
    yield from _check_schema(db)
    if db.execute("SELECT 1 FROM counters WHERE name = 'unscrubbed'").fetchone():
        yield Finding(
            "error",
            "What was erased may still be in the bytes of the file or of its log.",
            "Free as much space as the file takes, end other programs that use it, and run "
            "doctor again.",
        )
    orphans = len(db.execute("PRAGMA foreign_key_check").fetchall())
    if orphans:
        remedy = "Export a bundle and import it into a new gallery; this leaves them out."
        yield Finding("error", f"{orphans} rows belong to no performer.", remedy)
    yield from _check_details(db)
    yield from _check_encodings(db, models)


def _check_details(db: sqlite3.Connection) -> Iterator[Finding]:
    for name, *lists in db.execute("SELECT name, aliases, urls FROM performers ORDER BY id"):
        if None in map(read_texts, lists):
            found = f"The aliases or the web addresses of {as_text(name)} are damaged."
            yield Finding("error", found, "Import this performer again, which adds them.")


def _check_schema(db: sqlite3.Connection) -> Iterator[Finding]:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        found = f"Schema {version} is newer than this version knows ({len(MIGRATIONS)})."
        yield Finding("error", found, "Update the software.")
    elif version < len(MIGRATIONS):
        found = f"Schema {version}; {len(MIGRATIONS)} is the newest."
        yield Finding("warning", found, "Any other command updates it, after a backup.")
    else:
        yield Finding("ok", f"Schema {version}, the newest.")


def _check_encodings(db: sqlite3.Connection, models: Sequence[str]) -> Iterator[Finding]:
    dimensions = _read_models(db)
    damaged: dict[str, int] = {}
    sound = Counter[str]()
    sql = (
        "SELECT CAST(vector AS BLOB), model, name FROM encodings "
        "JOIN performers ON performers.id = performer_id ORDER BY encodings.id"
    )
    for vector, model, name in db.execute(sql):
        whole = has_length(vector, dimensions.get(model, 0))
        if whole and are_sound(np.frombuffer(vector, "<f4")[None]).all():
            sound[model] += 1
        else:
            damaged[name] = damaged.get(name, 0) + 1
    primary = next(iter(dimensions), "")
    yield from _check_primary(db, primary)
    yield from _check_others(db, primary, models)
    yield from _check_counts(db)
    for name, number in damaged.items():
        remedy = f"Remove them: python -m tools show {name!r}, then remove-photo; and enrol again."
        whose = f"{counted(number, 'encoding')} of {name}"
        yield Finding("error", f"{whose} {agree(number, 'is', 'are')} damaged.", remedy)
    if not damaged:
        yield Finding("ok", _count_all(db, [(model, sound[model]) for model in dimensions]))


def _count_all(db: sqlite3.Connection, sound: Sequence[tuple[str, int]]) -> str:
    """Say how many performers and photos there are, and how many encodings of each model."""
    performers, photos = db.execute(
        "SELECT (SELECT count(*) FROM performers), "
        "(SELECT count(*) FROM (SELECT 1 FROM encodings GROUP BY performer_id, photo_hash))"
    ).fetchone()
    whose, of_what = counted(performers, "performer"), counted(photos, "photo")
    each = ", ".join(f"{counted(count, 'sound encoding')} of {model}" for model, count in sound)
    return f"{whose} with {of_what}: {each or 'no encodings yet'}."


def _check_primary(db: sqlite3.Connection, primary: str) -> Iterator[Finding]:
    sql = (
        "SELECT count(*) FROM (SELECT 1 FROM encodings GROUP BY performer_id, photo_hash "
        "HAVING sum(model = ?) = 0)"
    )
    (lacking,) = db.execute(sql, (primary,)).fetchone()
    if lacking and primary:
        lack = f"{counted(lacking, 'photo')} {agree(lacking, 'has', 'have')} no encoding"
        found = f"{lack} of {primary}, the model used for matching."
        yield Finding("error", found, "Enrol these photos again into a new gallery.")


def _check_others(db: sqlite3.Connection, primary: str, models: Sequence[str]) -> Iterator[Finding]:
    """Say how many photos lack an encoding of another model, and whose."""
    sql = (
        "SELECT name, count(*) FROM encodings AS one "
        "JOIN performers ON performers.id = performer_id WHERE model = ? "
        "AND NOT EXISTS (SELECT 1 FROM encodings AS other WHERE other.model = ? "
        "AND other.performer_id = one.performer_id AND other.photo_hash = one.photo_hash) "
        "GROUP BY performer_id ORDER BY count(*) DESC, name"
    )
    for model in models:
        lacking = db.execute(sql, (primary, model)).fetchall() if model != primary else []
        if lacking:
            photos = sum(count for _, count in lacking)
            names = ", ".join(name for name, _ in lacking[:MOST_NAMED])
            more = ", ..." if len(lacking) > MOST_NAMED else ""
            yield Finding(
                "warning",
                f"{counted(photos, 'photo')} of {counted(len(lacking), 'performer')} "
                f"{agree(photos, 'has', 'have')} no encoding of {model}: {names}{more}.",
                _remedy_of_lacking(db, photos),
            )


def _remedy_of_lacking(db: sqlite3.Connection, photos: int) -> str:
    """Say what to do of so many photos that lack an encoding, by what the last upgrade left."""
    sql = "SELECT counts FROM journal WHERE verb = 'upgrade-encodings' ORDER BY id DESC LIMIT 1"
    last = db.execute(sql).fetchone()
    left = (read_object(last[0]) or {}) if last else {}
    if photos != left.get("lacking"):
        return UPGRADE
    from_videos = left.get("from_videos", 0)
    if not isinstance(from_videos, int) or not 0 < from_videos <= photos:
        return ENROL_AGAIN
    told = FROM_VIDEOS.format(f"{from_videos} of these {agree(from_videos, 'was', 'were')}")
    return told if from_videos == photos else f"{ENROL_AGAIN} {told}"


def _check_counts(db: sqlite3.Connection) -> Iterator[Finding]:
    """Say who would gain most from another photo: those with one, the poorest first."""
    sql = (
        "SELECT name FROM encodings JOIN performers ON performers.id = performer_id "
        "GROUP BY performer_id HAVING count(DISTINCT photo_hash) = 1 ORDER BY max(quality), name"
    )
    names = [name for (name,) in db.execute(sql)]
    if names:
        more = ", ..." if len(names) > MOST_NAMED else ""
        yield Finding(
            "ok",
            f"{counted(len(names), 'performer')} {agree(len(names), 'has', 'have')} one photo: "
            f"{', '.join(names[:MOST_NAMED])}{more}.",
            "One more of each, from another day, helps most: see docs/scores.md.",
        )


def _read_models(db: sqlite3.Connection) -> dict[str, int]:
    """Return the dimensions of each model that is in use, the primary one first."""
    if db.execute("PRAGMA user_version").fetchone()[0] < MODELS_FROM_SCHEMA:
        sql = (
            "SELECT model, length(vector) / 4 FROM encodings "
            "WHERE length(vector) > 0 AND length(vector) % 4 = 0 "
            "GROUP BY model, length(vector) ORDER BY count(*) DESC, length(vector) DESC"
        )
        dimensions: dict[str, int] = {}
        for model, number in db.execute(sql):
            dimensions.setdefault(model, number)
        return dimensions
    sql = (
        "SELECT id, CAST(dimensions AS INTEGER) FROM models WHERE EXISTS "
        "(SELECT 1 FROM encodings WHERE model = models.id) ORDER BY number"
    )
    return dict(db.execute(sql).fetchall())
