"""The gallery: the one place that reads and writes performers and their encodings."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from sqlite_utils import Database

from db.blobs import from_blob, to_blob
from db.connections import explained, open_database, transaction
from db.errors import AmbiguousNameError, OtherModelError, PerformerNotFoundError
from db.records import Encoding, Performer

Change: TypeAlias = Literal["added", "updated", "unchanged"]
"""What enrolling did to a performer's record."""

_PERFORMERS = """
    SELECT performers.id, name, disambiguation, aliases, urls, source, source_id,
           (SELECT count(*) FROM encodings WHERE performer_id = performers.id)
    FROM performers
"""


class Gallery:
    """Performers and their encodings in one SQLite file, or in memory.

    One connection, opened at construction and shared by threads under a lock; it must not cross a
    fork. Every write is one transaction, and moves `generation` on. Any method may raise the
    errors of `db.errors` that `open_database` names.
    """

    def __init__(self, path: Path | None = None, *, create: bool = False) -> None:
        """Open the gallery at `path`; without one, a fresh gallery in memory."""
        self.path = path
        self._lock = threading.RLock()
        self._db = open_database(path, create=create)

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def generation(self) -> tuple[int, int]:
        """Return the file's random identity, and a number that moves with every change to it.

        The pair differs where the file was replaced by another, or written by another process.
        """
        rows = self.rows(
            "SELECT value FROM counters WHERE name IN ('generation', 'identity') ORDER BY name DESC"
        )
        return int(rows[0][0]), int(rows[1][0])

    def performers(self) -> list[Performer]:
        """List everyone, by name."""
        return [_performer(row) for row in self.rows(f"{_PERFORMERS} ORDER BY name, id")]

    def find_performer(self, name_or_id: str) -> Performer:
        """Find one performer by name (upper and lower case alike) or by id.

        Raises:
            PerformerNotFoundError: nobody goes by it.
            AmbiguousNameError: several do.
        """
        where = "WHERE name = ? COLLATE NOCASE OR CAST(performers.id AS TEXT) = ?"
        found = [
            _performer(row) for row in self.rows(f"{_PERFORMERS} {where}", name_or_id, name_or_id)
        ]
        if not found:
            raise PerformerNotFoundError(
                f"No performer is called {name_or_id!r}. `python -m tools list` shows who is there."
            )
        if len(found) > 1:
            ids = ", ".join(f"{one.id} ({one.disambiguation or one.source})" for one in found)
            raise AmbiguousNameError(f"{name_or_id!r} may be any of {ids}. Give the id.")
        return found[0]

    def find_source(self, source: str, source_id: str) -> Performer | None:
        """Find the performer that a source knows by `source_id`."""
        where = "WHERE source = ? AND source_id = ?"
        rows = self.rows(f"{_PERFORMERS} {where}", source, source_id)
        return _performer(rows[0]) if rows else None

    def encodings(self, performer_id: int) -> list[Encoding]:
        """List a performer's encodings, oldest first.

        Raises:
            DamagedVectorError: a blob is not an encoding.
        """
        rows = self.rows(
            "SELECT vector, model, quality, photo_hash, origin FROM encodings "
            "WHERE performer_id = ? ORDER BY id",
            performer_id,
        )
        return [Encoding(from_blob(row[0]), *row[1:]) for row in rows]

    def thumbnail(self, performer_id: int) -> bytes | None:
        """Return a performer's poster, a small JPEG, if one is stored."""
        rows = self.rows("SELECT thumbnail FROM performers WHERE id = ?", performer_id)
        return rows[0][0] if rows else None

    def models(self) -> list[str]:
        """List the models of the stored encodings: one, or none in an empty gallery."""
        return [row[0] for row in self.rows("SELECT DISTINCT model FROM encodings ORDER BY 1")]

    def photo_hashes(self, performer_id: int, model: str) -> set[str]:
        """Return the hashes of the photos whose encodings by `model` are stored."""
        sql = "SELECT photo_hash FROM encodings WHERE performer_id = ? AND model = ?"
        return {row[0] for row in self.rows(sql, performer_id, model)}

    def enrol(
        self, performer: Performer, encodings: Sequence[Encoding], thumbnail: bytes | None
    ) -> Change:
        """Add a performer, or what is new to the one of the same source and source id, at once.

        `performer.id` is not looked at. Photos that are stored stay, and so does a thumbnail.

        Raises:
            OtherModelError: the gallery holds encodings of another model.
            DamagedVectorError: an encoding cannot be stored; nothing was.
        """
        with self._writing():
            self._refuse_other_models(encodings)
            stored = self.find_source(performer.source, performer.source_id)
            performer_id = self._save_performer(performer, stored, thumbnail)
            added = self._save_encodings(performer_id, encodings)
            if stored is None:
                return "added"
            same = replace(performer, id=stored.id, encodings=stored.encodings) == stored
            return "unchanged" if same and not added else "updated"

    def forget(self, performer_id: int) -> None:
        """Erase a performer with every encoding and picture, from the file too, not just from view.

        Copies and backups of the file are not reached.
        """
        with self._writing():
            self._db.execute("DELETE FROM performers WHERE id = ?", (performer_id,))
        with self._lock, explained(self.path):
            # The write-ahead log and freed pages would still hold what was deleted.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read with one statement; every reader of the gallery comes through here."""
        with self._lock, explained(self.path):
            rows: list[tuple[Any, ...]] = self._db.execute(sql, values).fetchall()
            return rows

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, explained(self.path), transaction(self._db):
            before = self._db.conn.total_changes
            yield
            if self._db.conn.total_changes > before:
                self._db.execute("UPDATE counters SET value = value + 1 WHERE name = 'generation'")

    def _refuse_other_models(self, encodings: Sequence[Encoding]) -> None:
        for model in {encoding.model for encoding in encodings}:
            others = [stored for stored in self.models() if stored != model]
            if others:
                raise OtherModelError(
                    f"The gallery holds encodings of {others[0]}, these are of {model}; they "
                    "cannot be compared. Use another gallery file, or the engine it was made with."
                )

    def _save_performer(
        self, performer: Performer, stored: Performer | None, thumbnail: bytes | None
    ) -> int:
        record: dict[str, Any] = {
            "name": performer.name,
            "disambiguation": performer.disambiguation,
            "aliases": json.dumps(performer.aliases),
            "urls": json.dumps(performer.urls),
            "source": performer.source,
            "source_id": performer.source_id,
        }
        if stored is None:
            table = self._db.table("performers").insert({**record, "thumbnail": thumbnail})
            return int(str(table.last_pk))
        if replace(performer, id=stored.id, encodings=stored.encodings) != stored:
            self._db.table("performers").update(stored.id, {**record, "updated": _now(self._db)})
        if thumbnail is not None and self.thumbnail(stored.id) is None:
            self._db.table("performers").update(stored.id, {"thumbnail": thumbnail})
        return stored.id

    def _save_encodings(self, performer_id: int, encodings: Sequence[Encoding]) -> int:
        added = 0
        for encoding in encodings:
            if encoding.photo_hash in self.photo_hashes(performer_id, encoding.model):
                continue
            self._db.table("encodings").insert(
                {
                    "performer_id": performer_id,
                    "vector": to_blob(encoding.vector),
                    "model": encoding.model,
                    "quality": encoding.quality,
                    "photo_hash": encoding.photo_hash,
                    "origin": encoding.origin,
                }
            )
            added += 1
        return added


def _now(db: Database) -> str:
    now: str = db.execute("SELECT CURRENT_TIMESTAMP").fetchone()[0]
    return now


def _performer(row: tuple[Any, ...]) -> Performer:
    number, name, disambiguation, aliases, urls, source, source_id, encodings = row
    return Performer(
        id=number,
        name=name,
        disambiguation=disambiguation,
        aliases=tuple(json.loads(aliases)),
        urls=tuple(json.loads(urls)),
        source=source,
        source_id=source_id,
        encodings=encodings,
    )
