"""Stores decisions in a ledger, by what a video holds: its row may go and come back."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast, get_args

import numpy as np
from sqlite_utils import Database

from db.blobs import NUMBER_BYTES, from_blob, to_blob
from db.decisions import Decision, DecisionKind
from db.errors import DamagedVectorError
from db.records import Identity, Vector
from db.videos import Interval

_log = logging.getLogger(__name__)

Part = TypeVar("Part")

# As bytes: what a bad disk left of a text may be none, and would spoil the whole list.
_DECISIONS = """
    SELECT videos.id, decisions.id, CAST(decisions.kind AS BLOB), CAST(spans AS BLOB), template,
           CAST(identities AS BLOB), CAST(photo_hashes AS BLOB), CAST(at AS BLOB)
    FROM decisions JOIN videos USING (oshash, size_bytes)
"""

READ_AT_ONCE = 500
"""Decisions of a list that are read in one transaction."""

IDENTITIES_OF_ALL = "SELECT id, CAST(identities AS BLOB) FROM decisions"

_UNREADABLE: DecisionKind = "unreadable"

_KINDS: tuple[DecisionKind, ...] = get_args(DecisionKind)

DAMAGE = (DamagedVectorError, ValueError, TypeError)
"""What reading a damaged part raises."""

_DECIDED = (
    "UPDATE videos SET generation = NULL, decided = decided + 1 WHERE (oshash, size_bytes) = "
    "(SELECT oshash, size_bytes FROM {} WHERE id = ?)"
)
"""Has a video matched again, even if somebody is just matching it without the decision."""


def save_decision(db: Database, video: int, decision: Decision) -> int:
    """Store a decision, and have its video matched again; the caller holds the transaction."""
    row = db.execute(
        "INSERT INTO decisions "
        "(oshash, size_bytes, kind, spans, template, identities, photo_hashes) "
        "SELECT oshash, size_bytes, ?, ?, ?, ?, ? FROM videos WHERE id = ? RETURNING id",
        (
            decision.kind,
            json.dumps(decision.spans),
            to_blob(decision.template),
            json.dumps(decision.identities),
            json.dumps(decision.photo_hashes),
            video,
        ),
    ).fetchone()
    db.execute(_DECIDED.format("videos"), (video,))
    return int(row[0])


def take_back(db: Database, decision: int) -> bool:
    """Delete a decision, and have its video matched again; False if there is none."""
    db.execute(_DECIDED.format("decisions"), (decision,))
    return bool(db.execute("DELETE FROM decisions WHERE id = ?", (decision,)).rowcount)


def read_decisions(db: Database, videos: Sequence[int]) -> dict[int, list[Decision]]:
    """Read the decisions about some videos, oldest first; damaged ones are left out and logged."""
    found: dict[int, list[Decision]] = {video: [] for video in videos}
    for video, decision in _sound(rows_about(db, videos)):
        found[video].append(decision)
    return found


def rows_about(db: Database, videos: Sequence[int]) -> list[Sequence[Any]]:
    """Return the rows of the decisions about some videos, each after its video's id."""
    among = "WHERE videos.id IN (SELECT value FROM json_each(?)) ORDER BY decisions.id"
    rows: list[Sequence[Any]] = db.execute(
        f"{_DECISIONS} {among}", (json.dumps(list(videos)),)
    ).fetchall()
    return rows


def read_latest_decisions(
    db: Database, before: int | None
) -> tuple[int | None, list[tuple[int, Decision]]]:
    """Read some decisions, the newest first, of those before an id, each with its video.

    Damaged ones are there, with what can be read. Returns the id of the last one that was read,
    None if no more follow, too.
    """
    where = "WHERE ? IS NULL OR decisions.id < ? ORDER BY decisions.id DESC LIMIT ?"
    rows = db.execute(f"{_DECISIONS} {where}", (before, before, READ_AT_ONCE)).fetchall()
    found = [(video, decision_of(row)) for video, *row in rows]
    return rows[-1][1] if len(rows) == READ_AT_ONCE else None, found


def _sound(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, Decision]]:
    """Yield the decisions in some rows; damaged ones are left out and logged."""
    for video, *row in rows:
        decision = decision_of(row)
        if not decision.damaged:
            yield video, decision
            continue
        _log.warning(
            "Decision %d is damaged and no longer counts. Take it back (`decisions --undo`), "
            "and decide again.",
            decision.id,
        )


def add_identities(db: Database, also: Mapping[Identity, Identity]) -> int:
    """Give decisions about some performers another id of theirs as well; say how many changed."""
    changed = 0
    for number, stored in db.execute(IDENTITIES_OF_ALL).fetchall():
        try:
            known = list(identities_in(stored))
        except DAMAGE:
            continue  # whom it is about is unknown
        new = [also[one] for one in known if one in also and also[one] not in known]
        if new:
            all_of_them = json.dumps([*known, *dict.fromkeys(new)])
            db.execute("UPDATE decisions SET identities = ? WHERE id = ?", (all_of_them, number))
            changed += 1
    return changed


def follow_content(db: Database, before: tuple[str, int], after: tuple[str, int]) -> None:
    """Let what was decided and forgotten follow a file that was encoded again.

    Decisions move, if no other file holds the old content. Those about an album are about places
    in it: its pictures of before are noted, by which these places are told from then on.
    """
    db.execute(
        "UPDATE videos SET before = (SELECT iif(depth = '' AND before IS NOT NULL, before, id) "
        "FROM videos WHERE (oshash, size_bytes) = (?, ?)) WHERE (oshash, size_bytes) = (?, ?)",
        (*before, *after),
    )
    db.execute(
        "INSERT INTO pictures SELECT new.id, number, name, pictures.faces, pictures.reason, "
        "in_archive, pictures.content FROM pictures JOIN videos AS old ON old.id = video_id "
        "JOIN videos AS new ON (new.oshash, new.size_bytes) = (?, ?) "
        "WHERE (old.oshash, old.size_bytes) = (?, ?)",
        (*after, *before),
    )
    db.execute(
        "INSERT INTO forgotten_spans SELECT ?, ?, since_seconds, until_seconds "
        "FROM forgotten_spans WHERE (oshash, size_bytes) = (?, ?)",
        (*after, *before),
    )
    db.execute(
        "UPDATE decisions SET oshash = ?, size_bytes = ? WHERE (oshash, size_bytes) = (?, ?) "
        "AND NOT EXISTS (SELECT 1 FROM files JOIN videos ON videos.id = video_id "
        "WHERE NOT gone AND (oshash, videos.size_bytes) = (?, ?))",
        (*after, *before, *before),
    )


def decision_of(row: Sequence[Any]) -> Decision:
    """Read a decision, and note which of its parts cannot be read."""
    number, *stored = row
    damaged: list[str] = []

    def read(name: str, reader: Callable[[Any], Part], cell: object, instead: Part) -> Part:
        try:
            return reader(cell)
        except DAMAGE:
            damaged.append(name)
            return instead

    kind, spans, template, identities, photo_hashes, at = stored
    return Decision(
        kind=read("kind", _kind, kind, _UNREADABLE),
        spans=read("spans", read_spans, spans, ()),
        template=read("template", _template, template, np.empty(0, np.float32)),
        identities=read("identities", identities_in, identities, ()),
        photo_hashes=read("photo_hashes", _texts, photo_hashes, ()),
        id=number,
        at=read("at", bytes.decode, at, ""),
        damaged=tuple(damaged),
    )


def _kind(cell: bytes) -> DecisionKind:
    return _KINDS[_KINDS.index(cast("DecisionKind", cell.decode()))]


def read_spans(cell: bytes | str) -> tuple[Interval, ...]:
    """Read when a decision says that somebody was seen.

    Raises:
        ValueError, TypeError: it is damaged.
    """
    spans = tuple((float(start), float(end)) for start, end in json.loads(cell))
    if not np.isfinite(spans).all():
        raise ValueError("A span has no beginning, or no end.")
    return spans


def _template(cell: bytes) -> Vector:
    return from_blob(cell, len(cell) // NUMBER_BYTES)


def identities_in(cell: bytes | str) -> tuple[Identity, ...]:
    """Read the ids of the performer whom a decision names.

    Raises:
        ValueError: they are damaged; a TypeError may be raised, too.
    """
    return tuple(Identity(*_texts(json.dumps(one))) for one in json.loads(cell))


def _texts(cell: bytes | str) -> tuple[str, ...]:
    found = json.loads(cell)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("It is no list of texts.")
    return tuple(found)
