"""Keeps in a ledger who of its unknown people are one stranger."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from math import isfinite
from typing import Any

from sqlite_utils import Database

from db.blobs import NUMBER_BYTES, from_blob, to_blob
from db.cells import read_object
from db.errors import DamagedVectorError, StrangerNotFoundError
from db.records import Generation, Vector
from db.sqlite.ledger_connections import CHECKPOINT, LedgerConnection
from db.sqlite.ledger_erased_decisions import erase_decisions_about_unseen
from db.sqlite.ledger_forgetting import erase_sighting
from db.sqlite.ledger_views import NO_WORDS
from db.strangers import Glimpse, Joined, Newcomer, Place, Placement, Stranger, StrangerTemplate

_ERASING = "erasing strangers"

DAMAGED = (
    "Erasing unknown people from the library was interrupted, and the list of who was to be erased "
    "is damaged. To erase all of them: python -m tools forget --strangers"
)

_log = logging.getLogger(__name__)

_UNKNOWN = """
    SELECT sightings.id, sightings.video_id, sightings.position FROM sightings
    LEFT JOIN outcomes ON outcomes.video_id = sightings.video_id
        AND outcomes.position = sightings.position
    WHERE outcomes.lead IS NULL
        OR (outcomes.lead = sightings.position AND outcomes.performer IS NULL)
"""
"""Unknown people, without those joined to them."""

_NAMED = (
    f"FROM placements WHERE sighting_id NOT IN (SELECT id FROM ({_UNKNOWN})) "  # noqa: S608
    "AND sighting_id IS NOT NULL"
)

_NOTE_NAMED = f"INSERT OR REPLACE INTO once_strangers SELECT sighting_id, stranger_id {_NAMED}"

_DROP_NAMED = f"DELETE {_NAMED}"

_UNPLACED = (
    f"SELECT * FROM ({_UNKNOWN}) WHERE id NOT IN "  # noqa: S608  # it is the one above
    "(SELECT sighting_id FROM placements WHERE sighting_id IS NOT NULL) "
    "ORDER BY video_id, position"
)

_PLACES = (
    "SELECT strangers.id, ignored, video_id, position FROM strangers "
    "JOIN placements ON stranger_id = strangers.id "
    "WHERE sighting_id IS NOT NULL AND ? IN (0, strangers.id) "
    "ORDER BY strangers.id, video_id, position"
)
"""Where strangers are seen: one of them, or all, asked for by 0."""

_GLIMPSES = """
    SELECT video_id, position, best_seconds, sum(faces), max(quality + (weaknesses = ?))
    FROM json_each(?) AS asked
    JOIN sightings ON video_id = json_extract(asked.value, '$[0]')
        AND position = json_extract(asked.value, '$[1]')
    JOIN views ON sighting_id = sightings.id GROUP BY sightings.id
"""

_ERASED = """
    FROM sightings JOIN videos ON videos.id = sightings.video_id
    LEFT JOIN outcomes AS own
        ON own.video_id = sightings.video_id AND own.position = sightings.position
    LEFT JOIN outcomes AS leading
        ON leading.video_id = own.video_id AND leading.position = own.lead
    WHERE leading.performer IS NULL AND sightings.id <= :last
        AND (:before IS NULL OR videos.scanned_at < :before)
        AND (:gallery IS NULL OR (
            (videos.gallery, videos.generation) = (:gallery, :generation)
            AND NOT videos.strangers AND coalesce(leading.decided, '') = ''))
"""
"""Unknown people and those joined to them."""

_WHICH = {"last", "before", "gallery", "generation"}
"""What says which of them."""

_ERASED_VIDEOS = (
    f"SELECT DISTINCT sightings.video_id {_ERASED} AND sightings.video_id > :after "
    "ORDER BY sightings.video_id LIMIT :count"
)

_ERASED_PEOPLE = (
    "SELECT sightings.id, sightings.video_id, sightings.position, "  # noqa: S608
    f"coalesce(own.lead, sightings.position) = sightings.position {_ERASED} "
    "AND sightings.video_id IN (SELECT value FROM json_each(:videos))"
)
"""With whether each is one, or was joined to one."""

VIDEOS_AT_ONCE = 50
"""Videos whose strangers are erased in one transaction: some 0.1 seconds."""


class SqliteStrangers:
    """The strangers of a ledger, whose connection is used for reading and writing."""

    def __init__(self, ledger: LedgerConnection) -> None:
        self._ledger = ledger

    def tidy(self) -> None:
        """Drop the placements of people who are named by now, and strangers without any."""
        with self._ledger.writing() as db:
            db.execute(_NOTE_NAMED)
            db.execute(_DROP_NAMED)
            _drop_empty(db)

    def once(self) -> Mapping[int, int]:
        """Return which stranger somebody was before they were named, by their sighting."""
        return dict(self._ledger.rows("SELECT sighting_id, stranger_id FROM once_strangers"))

    def unplaced(self) -> list[tuple[int, Place]]:
        """Return the unknown people who belong to no stranger yet."""
        rows = self._ledger.rows(_UNPLACED)
        return [(row[0], Place(row[1], row[2])) for row in rows]

    def placements(self) -> list[Placement]:
        """Return every placement, in order of stranger."""
        rows = self._ledger.rows(
            "SELECT sighting_id, video_id, position, stranger_id, CAST(first AS BLOB), evidence, "
            "CAST(second AS BLOB), both_evidence, model FROM placements ORDER BY stranger_id, id"
        )
        found: list[Placement] = []
        for sighting, video, position, stranger, *rest in rows:
            # One that is damaged is left out: it is derived, and the others tell who it is.
            with suppress(DamagedVectorError):
                place, template = Place(video, position), _template(*rest)
                found.append(Placement(sighting, place, stranger, template))
        return found

    def apart(self) -> list[tuple[int, int]]:
        """Return the pairs of strangers who are never joined."""
        return [
            (row[0], row[1])
            for row in self._ledger.rows("SELECT first, second FROM strangers_apart")
        ]

    def join(self, groups: Iterable[Joined]) -> None:
        """Store what grouping found."""
        with self._ledger.writing() as db:
            for group in groups:
                kept = _add(db) if group.kept is None else group.kept
                for absorbed in group.absorbed:
                    _absorb(db, kept, absorbed)
                db.conn.executemany(
                    "INSERT OR IGNORE INTO placements (sighting_id, video_id, position, "
                    "stranger_id, first, evidence, second, both_evidence, model) "
                    "SELECT id, ?, ?, ?, ?, ?, ?, ?, ? FROM sightings WHERE id = ?",
                    [_row(one, kept) for one in group.newcomers],
                )
                db.conn.executemany(
                    "DELETE FROM once_strangers WHERE sighting_id = ?",
                    [(one.sighting,) for one in group.newcomers],
                )

    def settle(self) -> None:
        """Drop the placements of earlier scans."""
        with self._ledger.writing() as db:
            db.execute("DELETE FROM placements WHERE sighting_id IS NULL")
            _drop_empty(db)

    def everyone(self) -> list[Stranger]:
        """Return the strangers who are seen anywhere, by id."""
        return self._places()

    def glimpses(self, places: Sequence[Place]) -> list[Glimpse]:
        """Return what a list shows of some sightings, in no order."""
        rows = self._ledger.rows(_GLIMPSES, NO_WORDS, json.dumps(places))
        return [Glimpse(Place(video, position), *rest) for video, position, *rest in rows]

    def find(self, stranger: int) -> Stranger:
        """Return one stranger.

        Raises:
            StrangerNotFoundError: there is none of that id, or no longer.
        """
        found = self._places(stranger) if stranger else []  # 0 would ask for all
        if not found:
            raise StrangerNotFoundError(
                f"There is no stranger {stranger}, or no longer: whoever was named, or is the same "
                "as another, is gone from the list. `python -m tools strangers` lists them."
            )
        return found[0]

    def ignore(self, stranger: int, *, ignored: bool) -> None:
        """Hide a stranger from lists, or show them again."""
        with self._ledger.writing() as db:
            db.execute("UPDATE strangers SET ignored = ? WHERE id = ?", (ignored, stranger))

    def split(self, stranger: int, places: Sequence[Place]) -> int:
        """Take sightings out of a stranger, never to be joined again; return their new id."""
        with self._ledger.writing() as db:
            new = _add(db)
            db.conn.executemany(
                "UPDATE placements SET stranger_id = ? "
                "WHERE stranger_id = ? AND (video_id, position) = (?, ?)",
                [(new, stranger, *place) for place in places],
            )
            # Whoever must not be joined with the one must not be joined with the other.
            for first, second in _apart_of(db, stranger):
                _part(db, *(new if one == stranger else one for one in (first, second)))
            _part(db, stranger, new)
        return new

    def erase(
        self, scanned_before: str | None = None, *, unkept_at: Generation | None = None
    ) -> int:
        """Erase every unknown person, or some, in parts; see `db.strangers`."""
        gallery, generation = unkept_at or (None, None)
        is_everyone = scanned_before is None and gallery is None
        with self._ledger.writing() as db:
            last = db.execute("SELECT coalesce(max(id), 0) FROM sightings").fetchone()[0]
            which = {"last": last, "before": scanned_before}
            which |= {"gallery": gallery, "generation": generation}
            if not is_everyone and not _next_erased(db, which, 0):
                return 0
            # Noted first, so that it is finished if it is broken off. Where everyone was erased and
            # the file is still to be rewritten, that note stays.
            if is_everyone or not _owes_rewriting(db):
                note = (_ERASING, json.dumps(which))
                db.execute("INSERT OR REPLACE INTO choices VALUES (?, ?)", note)
            if is_everyone:
                db.execute("DELETE FROM placements")
        return self._erase(which)

    def go_on_erasing(self) -> None:
        """Erase the rest of what an `erase` that was broken off was to erase."""
        rows = self._ledger.rows("SELECT value FROM choices WHERE name = ?", _ERASING)
        if not rows:
            return
        which = read_object(rows[0][0])
        if which is not None and which.keys() == _WHICH:
            self._erase(which)
        else:
            _log.warning(DAMAGED)

    def _erase(self, which: Mapping[str, Any]) -> int:
        count, after = 0, 0
        while True:
            with self._ledger.writing() as db:
                videos = _next_erased(db, which, after)
                if not videos:
                    _drop_empty(db)
                    if _is_everyone(which):
                        erase_decisions_about_unseen(db)
                    return count
                count += _erase_in(db, which, videos)
                after = videos[-1]

    def end_erasing(self) -> bool:
        """Rewrite the file and empty its log; False if that failed, as somebody reads the file.

        Copies made before upgrades are deleted.

        Those whose days are over go daily: then only the log is emptied.
        """
        with self._ledger.reading() as db:
            is_large = _owes_rewriting(db)
        is_done = self._ledger.scrub() if is_large else not self._ledger.rows(CHECKPOINT)[0][0]
        if not (self._ledger.delete_copies() and is_done):
            return False
        with self._ledger.writing() as db:
            db.execute("DELETE FROM choices WHERE name = ?", (_ERASING,))
        return True

    def is_erasing(self) -> bool:
        """Say whether `end_erasing` did not succeed yet."""
        return bool(self._ledger.rows("SELECT 1 FROM choices WHERE name = ?", _ERASING))

    def _places(self, only: int = 0) -> list[Stranger]:
        found: dict[int, tuple[bool, list[Place]]] = {}
        for stranger, ignored, video, position in self._ledger.rows(_PLACES, only):
            found.setdefault(stranger, (bool(ignored), []))[1].append(Place(video, position))
        return [Stranger(number, one[0], tuple(one[1])) for number, one in found.items()]


def _owes_rewriting(db: Database) -> bool:
    """Say whether everyone is being erased, or somebody, and the note of whom is damaged."""
    note = db.execute("SELECT value FROM choices WHERE name = ?", (_ERASING,)).fetchone()
    return note is not None and _is_everyone(read_object(note[0]) or {})


def _is_everyone(which: Mapping[str, Any]) -> bool:
    return which.get("before") is None and which.get("gallery") is None


def _next_erased(db: Database, which: Mapping[str, Any], after: int) -> list[int]:
    values = {**which, "after": after, "count": VIDEOS_AT_ONCE}
    return [row[0] for row in db.execute(_ERASED_VIDEOS, values)]


def _erase_in(db: Database, which: Mapping[str, Any], videos: Sequence[int]) -> int:
    found = db.execute(_ERASED_PEOPLE, {**which, "videos": json.dumps(videos)}).fetchall()
    for sighting, video, position, is_lead in found:
        erase_sighting(db, sighting, (video, position))
        sql = "UPDATE videos SET left_out = left_out + ? WHERE id = ?"
        db.execute(sql, (is_lead, video))
    return len(found)


def _add(db: Database) -> int:
    number: int = db.execute("INSERT INTO strangers DEFAULT VALUES RETURNING id").fetchone()[0]
    return number


def _absorb(db: Database, kept: int, absorbed: int) -> None:
    """Make two strangers one, who is ignored if one of them was."""
    for table in ("placements", "once_strangers"):
        sql = f"UPDATE {table} SET stranger_id = ? WHERE stranger_id = ?"  # noqa: S608  # ours
        db.execute(sql, (kept, absorbed))
    db.execute(
        "UPDATE strangers SET ignored = 1 "
        "WHERE id = ? AND (SELECT ignored FROM strangers WHERE id = ?)",
        (kept, absorbed),
    )
    for pair in _apart_of(db, absorbed):
        first, second = (kept if one == absorbed else one for one in pair)
        if first != second:
            _part(db, first, second)
    db.execute("DELETE FROM strangers WHERE id = ?", (absorbed,))


def _apart_of(db: Database, stranger: int) -> list[tuple[int, int]]:
    sql = "SELECT first, second FROM strangers_apart WHERE ? IN (first, second)"
    pairs: list[tuple[int, int]] = db.execute(sql, (stranger,)).fetchall()
    return pairs


def _part(db: Database, first: int, second: int) -> None:
    pair = (min(first, second), max(first, second))
    db.execute("INSERT OR IGNORE INTO strangers_apart VALUES (?, ?)", pair)


def _drop_empty(db: Database) -> None:
    db.execute(
        "DELETE FROM strangers WHERE id NOT IN (SELECT stranger_id FROM placements "
        "UNION ALL SELECT stranger_id FROM once_strangers)"
    )


def _row(one: Newcomer, stranger: int) -> tuple[Any, ...]:
    template = one.template
    second = None if template.second is None else to_blob(template.second)
    stored = (
        to_blob(template.first),
        template.evidence,
        second,
        template.both_evidence,
        template.model,
    )
    return (*one.place, stranger, *stored, one.sighting)


def _template(
    first: bytes, evidence: float, second: bytes | None, both_evidence: float, model: str
) -> StrangerTemplate:
    other = None if second is None else _vector(second)
    if not all(isinstance(one, float) and isfinite(one) for one in (evidence, both_evidence)):
        raise DamagedVectorError("What somebody's encodings are worth is no number.")
    return StrangerTemplate(_vector(first), evidence, other, both_evidence, model)


def _vector(blob: bytes) -> Vector:
    return from_blob(blob, len(blob) // NUMBER_BYTES)
