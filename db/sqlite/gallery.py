"""Performers and their encodings in one SQLite file: reading, and enrolling."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from db.blobs import from_blob, to_blob
from db.errors import (
    AmbiguousNameError,
    DamagedVectorError,
    ErasureUnfinishedError,
    ForgottenError,
    IdentityConflictError,
    OtherModelError,
    PerformerNotFoundError,
)
from db.identities import combine, identities_of
from db.marks import hash_mark, marks_of
from db.names import ID_PREFIX, name_key, read_id, show_text, tidy_name
from db.records import Change, Encoding, Generation, Identity, Performer
from db.sqlite.connections import (
    copy_database,
    explained,
    open_database,
    savepoint,
    transaction,
)

CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)"

_PERFORMERS = """
    SELECT performers.id, name, disambiguation, aliases, urls, source, source_id,
           (SELECT count(DISTINCT photo_hash) FROM encodings
            WHERE performer_id = performers.id),
           (SELECT json_group_array(json_array(source, source_id)) FROM identities
            WHERE performer_id = performers.id),
           poster_url
    FROM performers
"""


class SqliteGallery:
    """Performers and their encodings in one SQLite file, or in memory.

    One connection, opened at construction and shared by threads under a lock; it must not cross a
    fork. Every write is one transaction, and increases `generation`. Any method may raise the
    errors of `db.errors` that `open_database` lists.
    """

    def __init__(self, path: Path | None = None, *, create: bool = False) -> None:
        """Open the gallery at `path`; without a path, a new gallery in memory."""
        self.path = path
        self._lock = threading.RLock()
        self._db = open_database(path, create=create)
        self._db.conn.create_function("name_key", 1, name_key, deterministic=True)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def generation(self) -> Generation:
        """Return the file's random identity, and a number that increases with every change to it.

        The pair changes if the file is replaced by another, or written by another process.
        """
        rows = self.rows(
            "SELECT value FROM counters WHERE name IN ('generation', 'identity') ORDER BY name DESC"
        )
        return int(rows[0][0]), int(rows[1][0])

    def performers(self) -> list[Performer]:
        """List all performers, by name."""
        return [_performer(row) for row in self.rows(f"{_PERFORMERS} ORDER BY name, id")]

    def find_performer(self, name_or_id: str) -> Performer:
        """Find one performer by name, or by id, written `id:3`; see `find_named`.

        A number alone is an id only if it is nobody's name.

        Raises:
            PerformerNotFoundError: no performer has this name or id.
            AmbiguousNameError: several have this name.
        """
        number = read_id(name_or_id)
        found = self._numbered(number) if number else self.find_named(name_or_id)
        if not found:
            found = self._numbered(name_or_id)
        if not found:
            raise PerformerNotFoundError(
                f"No performer is called {name_or_id!r}. `python -m tools list` lists everyone."
            )
        if len(found) > 1:
            ids = ", ".join(
                f"{ID_PREFIX}{one.id} ({one.disambiguation or one.source})" for one in found
            )
            raise AmbiguousNameError(f"{name_or_id!r} may be any of {ids}. Give the id.")
        return found[0]

    def find_named(self, name: str) -> list[Performer]:
        """List those of this name: the one who has it exactly, else all by `name_key`."""
        where = "WHERE name_key(name) = ?"
        rows = self.rows(f"{_PERFORMERS} {where} ORDER BY id", name_key(show_text(name)))
        found = [_performer(row) for row in rows]
        exactly = [one for one in found if one.name == tidy_name(name)]
        return exactly if len(exactly) == 1 else found

    def _numbered(self, digits: str) -> list[Performer]:
        where = "WHERE CAST(performers.id AS TEXT) = ?"
        return [_performer(row) for row in self.rows(f"{_PERFORMERS} {where}", show_text(digits))]

    def performer(self, performer_id: int) -> Performer:
        """Return the performer with this id.

        Raises:
            PerformerNotFoundError: there is no such performer, or no longer.
        """
        rows = self.rows(f"{_PERFORMERS} WHERE performers.id = ?", performer_id)
        if not rows:
            raise PerformerNotFoundError(f"There is no performer {performer_id}, or no longer.")
        return _performer(rows[0])

    def find_identities(self, identities: Sequence[Identity]) -> list[Performer]:
        """List the performers that have any of these ids: normally one or none."""
        where = (
            "WHERE id = (SELECT performer_id FROM identities WHERE source = ? AND source_id = ?)"
        )
        rows = [row for one in identities for row in self.rows(f"{_PERFORMERS} {where}", *one)]
        return list({row[0]: _performer(row) for row in rows}.values())

    def find_same(self, performer: Performer) -> Performer | None:
        """Find the performer in the gallery that shares an id with this record.

        Raises:
            IdentityConflictError: the record carries the ids of two performers.
            ForgottenError: the performer was forgotten.
        """
        found = self.find_identities(identities_of(performer))
        if len(found) > 1:
            both = " and ".join(f"{one.name} ({one.id})" for one in found)
            raise IdentityConflictError(
                f"{performer.name} carries ids of {both}. If they are the same, run "
                f"`python -m tools merge id:{found[0].id} id:{found[1].id}`, then try again."
            )
        if not found and self.is_forgotten(performer):
            raise ForgottenError(f"{performer.name} was forgotten; `unforget` allows them again")
        return found[0] if found else None

    def is_forgotten(self, performer: Performer) -> bool:
        """Say whether a record belongs to a forgotten performer, by any of their ids or name."""
        key = self.forgetting_key()
        return any(
            self.rows("SELECT 1 FROM forgotten WHERE hash = ?", hash_mark(key, mark))
            for mark in marks_of(performer)
        )

    def forgetting_key(self) -> bytes:
        """Read the gallery's own random key, which hashes the marks of forgotten performers."""
        return bytes(self.rows("SELECT value FROM secrets WHERE name = 'forgetting'")[0][0])

    def namesakes(self, performer: Performer) -> list[Performer]:
        """List the other performers with the same name, by `name_key`."""
        where = "WHERE name_key(name) = ? AND id != ?"
        rows = self.rows(f"{_PERFORMERS} {where}", name_key(performer.name), performer.id)
        return [_performer(row) for row in rows]

    def encodings(self, performer_id: int) -> list[Encoding]:
        """List a performer's encodings, those of the primary model first, then oldest first.

        Raises:
            DamagedVectorError: a blob is not an encoding.
        """
        rows = self.rows(
            "SELECT vector, model, quality, photo_hash, origin, weaknesses, "
            "coalesce(face, x''), coalesce(dimensions, 0) FROM encodings "
            "LEFT JOIN models ON models.id = model "
            "WHERE performer_id = ? ORDER BY number, encodings.id",
            performer_id,
        )
        try:
            return [Encoding(from_blob(row[0], row[7]), *row[1:7]) for row in rows]
        except DamagedVectorError as error:
            raise DamagedVectorError(
                f"An encoding of performer {performer_id} is damaged. {error} "
                "`python -m tools doctor` says what to do."
            ) from error

    def thumbnail(self, performer_id: int) -> bytes | None:
        """Return a performer's poster, a small JPEG, if one is stored."""
        rows = self.rows("SELECT thumbnail FROM performers WHERE id = ?", performer_id)
        return rows[0][0] if rows else None

    def photo_face(self, performer_id: int, photo_hash: str) -> bytes | None:
        """Return the face in a photo, a small JPEG, if one is stored."""
        sql = (
            "SELECT face FROM encodings WHERE (performer_id, photo_hash) = (?, ?) "
            "AND face IS NOT NULL LIMIT 1"
        )
        rows = self.rows(sql, performer_id, photo_hash)
        return bytes(rows[0][0]) if rows else None

    def models(self) -> list[str]:
        """List the ids of the stored encodings' models, the primary one first."""
        return [
            row[0]
            for row in self.rows(
                "SELECT id FROM models WHERE EXISTS "
                "(SELECT 1 FROM encodings WHERE model = models.id) ORDER BY number"
            )
        ]

    def photo_hashes(self, performer_id: int, model: str) -> set[str]:
        """Return the hashes of the photos that have a stored encoding of `model`."""
        sql = "SELECT photo_hash FROM encodings WHERE performer_id = ? AND model = ?"
        return {row[0] for row in self.rows(sql, performer_id, model)}

    def removed_photos(self, performer_id: int) -> set[str]:
        """Return the hashes of the photos that the user removed."""
        sql = "SELECT photo_hash FROM removed_photos WHERE performer_id = ?"
        return {row[0] for row in self.rows(sql, performer_id)}

    def enrol(
        self, performer: Performer, encodings: Sequence[Encoding], thumbnail: bytes | None
    ) -> Change:
        """Add a performer, or add what is new to the one who shares an id with this record.

        `performer.id` is ignored. Photos already stored stay, and so does a thumbnail.

        Raises:
            OtherModelError: a photo would have no encoding of the gallery's primary model.
            DamagedVectorError: an encoding cannot be stored; nothing was.
            IdentityConflictError: the record carries the ids of two performers.
            ForgottenError: the performer was forgotten.
        """
        with self.writing() as db:
            stored = self.find_same(performer)
            encodings = self._primary_first(db, stored, encodings)
            if stored is None:
                self._add(db, performer, encodings, thumbnail)
                return "added"
            keep_name = bool(
                self.rows("SELECT renamed FROM performers WHERE id = ?", stored.id)[0][0]
            )
            combined = combine(stored, performer, keep_name=keep_name)
            if combined != stored:
                save_details(db, combined)
            pictured = thumbnail is not None and self.thumbnail(stored.id) is None
            if pictured:
                db.table("performers").update(stored.id, {"thumbnail": thumbnail})
            added = self._save_encodings(db, stored.id, encodings)
            return "updated" if added or pictured or combined != stored else "unchanged"

    def copy_into(self, copy: "SqliteGallery") -> None:
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

    def _primary_first(
        self, db: Database, stored: Performer | None, encodings: Sequence[Encoding]
    ) -> Sequence[Encoding]:
        """Refuse photos without an encoding of the primary model; put its encodings first.

        So a gallery that is filled from this one, performer by performer, has the same primary
        model.
        """
        if not encodings:
            return encodings
        primary = next(iter(self.models()), "")
        if not primary:
            # Models without any encodings left would otherwise come before the new one.
            db.execute("DELETE FROM models")
            primary = encodings[0].model
        known = self.photo_hashes(stored.id, primary) if stored else set()
        known |= {one.photo_hash for one in encodings if one.model == primary}
        for encoding in encodings:
            if encoding.photo_hash not in known:
                raise OtherModelError(
                    f"The gallery holds encodings of {primary}, but these are of {encoding.model}; "
                    "they cannot be compared. Use another gallery file, or the engine that made it."
                )
        return sorted(encodings, key=lambda one: one.model != primary)

    def _add(
        self,
        db: Database,
        performer: Performer,
        encodings: Sequence[Encoding],
        thumbnail: bytes | None,
    ) -> None:
        origin = {"source": performer.source, "source_id": performer.source_id}
        inserted = db.table("performers").insert(
            {"name": performer.name, "thumbnail": thumbnail, **origin}
        )
        performer_id = int(str(inserted.last_pk))
        save_details(db, replace(performer, id=performer_id))
        self._save_encodings(db, performer_id, encodings)

    def _save_encodings(
        self, db: Database, performer_id: int, encodings: Sequence[Encoding]
    ) -> int:
        added = 0
        for encoding in encodings:
            if encoding.photo_hash in self.photo_hashes(performer_id, encoding.model):
                continue
            self._note_model(db, encoding)
            db.table("encodings").insert(
                {
                    "performer_id": performer_id,
                    "vector": to_blob(encoding.vector),
                    "model": encoding.model,
                    "quality": encoding.quality,
                    "photo_hash": encoding.photo_hash,
                    "origin": encoding.origin,
                    "weaknesses": encoding.weaknesses,
                    "face": encoding.face or None,
                }
            )
            added += 1
        return added

    def _note_model(self, db: Database, encoding: Encoding) -> None:
        """Store how long a model's encodings are, or refuse an encoding of another length."""
        dimensions = len(encoding.vector)
        db.execute(
            "INSERT OR IGNORE INTO models (id, dimensions) VALUES (?, ?)",
            (encoding.model, dimensions),
        )
        sql = "SELECT dimensions FROM models WHERE id = ?"
        (expected,) = self.rows(sql, encoding.model)[0]
        if dimensions != expected:
            raise DamagedVectorError(
                f"An encoding of {encoding.model} has {expected} numbers, this one {dimensions}."
            )


def owe_scrub(db: Database) -> None:
    """Note that the file must be rewritten; the caller holds the transaction that deletes."""
    db.execute("INSERT OR REPLACE INTO counters VALUES ('unscrubbed', 1)")


def save_details(db: Database, performer: Performer) -> None:
    """Write a performer's name, aliases and other details; the caller holds the transaction."""
    db.execute(
        "UPDATE performers SET name = ?, disambiguation = ?, aliases = ?, urls = ?, "
        "poster_url = ?, updated = CURRENT_TIMESTAMP WHERE id = ?",
        (
            performer.name,
            performer.disambiguation,
            json.dumps(performer.aliases),
            json.dumps(performer.urls),
            performer.poster_url,
            performer.id,
        ),
    )
    for identity in identities_of(performer):
        db.execute(
            "INSERT INTO identities (source, source_id, performer_id) VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET performer_id = excluded.performer_id",
            (*identity, performer.id),
        )


def _performer(row: tuple[Any, ...]) -> Performer:
    number, name, disambiguation, aliases, urls, source, source_id, encodings = row[:8]
    performer = Performer(
        id=number,
        name=name,
        disambiguation=disambiguation,
        aliases=tuple(json.loads(aliases)),
        urls=tuple(json.loads(urls)),
        source=source,
        source_id=source_id,
        encodings=encodings,
        identities=tuple(sorted(Identity(*one) for one in json.loads(row[8]))),
        poster_url=row[9],
    )
    return replace(performer, identities=identities_of(performer))
