"""Stores decisions in a ledger, by what a video holds: its row may go and come back."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlite_utils import Database

from db.blobs import NUMBER_BYTES, from_blob, to_blob
from db.decisions import Decision
from db.errors import DamagedVectorError
from db.records import Identity, Vector
from db.sqlite.ledger_people import unpack_seen

_log = logging.getLogger(__name__)

_DECISIONS = """
    SELECT videos.id, decisions.id, decisions.kind, spans, template, identities, photo_hashes, at
    FROM decisions JOIN videos USING (oshash, size_bytes)
"""

READ_AT_ONCE = 500
"""Decisions of a list that are read in one transaction."""

_DECIDED = (
    "UPDATE videos SET generation = NULL, decided = decided + 1 WHERE (oshash, size_bytes) = "
    "(SELECT oshash, size_bytes FROM {} WHERE id = ?)"
)
"""Has a video matched again, also if somebody just matches it without the decision."""


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
    """Read the decisions about some videos, oldest first; a damaged one is left out, and told."""
    found: dict[int, list[Decision]] = {video: [] for video in videos}
    among = "WHERE videos.id IN (SELECT value FROM json_each(?)) ORDER BY decisions.id"
    rows = db.execute(f"{_DECISIONS} {among}", (json.dumps(list(videos)),))
    for video, decision in _sound(rows):
        found[video].append(decision)
    return found


def read_latest_decisions(
    db: Database, before: int | None
) -> tuple[int | None, list[tuple[int, Decision]]]:
    """Read some decisions, the newest first, of those before an id, each with its video.

    Returns the id of the last one that was read, None if no more follow, too.
    """
    where = "WHERE ? IS NULL OR decisions.id < ? ORDER BY decisions.id DESC LIMIT ?"
    rows = db.execute(f"{_DECISIONS} {where}", (before, before, READ_AT_ONCE)).fetchall()
    return rows[-1][1] if len(rows) == READ_AT_ONCE else None, list(_sound(rows))


def _sound(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, Decision]]:
    """Yield the decisions in some rows; a damaged one is left out, and told."""
    for video, *row in rows:
        try:
            yield video, _decision(row)
        except DamagedVectorError:
            _log.warning(
                "Decision %d is damaged, and counts no more. Take it back (`decisions --undo`), "
                "and decide again.",
                row[0],
            )


def erase_decisions(db: Database, identities: Sequence[Identity]) -> None:
    """Delete every decision about a performer, given all their ids."""
    wanted = {tuple(identity) for identity in identities}
    for number, stored in db.execute("SELECT id, identities FROM decisions").fetchall():
        if wanted & {tuple(one) for one in json.loads(stored)}:
            db.execute("DELETE FROM decisions WHERE id = ?", (number,))


def add_identities(db: Database, also: Mapping[Identity, Identity]) -> int:
    """Give decisions about some performers another id of theirs as well; say how many changed."""
    changed = 0
    for number, stored in db.execute("SELECT id, identities FROM decisions").fetchall():
        known = [Identity(*one) for one in json.loads(stored)]
        new = [also[one] for one in known if one in also and also[one] not in known]
        if new:
            all_of_them = json.dumps([*known, *dict.fromkeys(new)])
            db.execute("UPDATE decisions SET identities = ? WHERE id = ?", (all_of_them, number))
            changed += 1
    return changed


NEAR = 0.5
"""A decision is about somebody seen at the same time if their encodings are this near."""


def erase_decisions_about(db: Database, sighting: int) -> None:
    """Delete the decisions about a person who is erased: each holds how they look."""
    video, packed = db.execute(
        "SELECT video_id, seen FROM sightings WHERE id = ?", (sighting,)
    ).fetchone()
    try:
        seen = unpack_seen(packed)
    except DamagedVectorError:
        return  # nobody can say about whom it was decided
    blobs = db.execute("SELECT first FROM views WHERE sighting_id = ?", (sighting,)).fetchall()
    looks = [look for (blob,) in blobs if (look := _look(blob)) is not None]
    for decision in read_decisions(db, [video])[video]:
        same_time = any(
            start <= one.seconds <= end for one in seen for start, end in decision.spans
        )
        near = any(
            len(look) == len(decision.template)
            and float(np.linalg.norm(look - decision.template)) <= NEAR
            for look in looks
        )
        if same_time and near:
            db.execute("DELETE FROM decisions WHERE id = ?", (decision.id,))


def _look(blob: bytes) -> Vector | None:
    try:
        return from_blob(blob, len(blob) // NUMBER_BYTES)
    except DamagedVectorError:
        return None


def follow_content(db: Database, before: tuple[str, int], after: tuple[str, int]) -> None:
    """Let what was decided and forgotten follow a file that was encoded anew.

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


def _decision(row: Sequence[Any]) -> Decision:
    number, kind, spans, template, identities, photo_hashes, at = row
    return Decision(
        kind=kind,
        spans=tuple((start, end) for start, end in json.loads(spans)),
        template=from_blob(template, len(template) // NUMBER_BYTES),
        identities=tuple(Identity(*one) for one in json.loads(identities)),
        photo_hashes=tuple(json.loads(photo_hashes)),
        id=number,
        at=at,
    )
