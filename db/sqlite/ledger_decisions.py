"""Stores decisions in a ledger, by what a video holds: its row may go and come back."""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, TypeVar, cast, get_args

import numpy as np
from sqlite_utils import Database

from db.blobs import NUMBER_BYTES, from_blob, to_blob
from db.decisions import Decision, DecisionKind
from db.errors import DamagedVectorError
from db.people import Seen
from db.records import Identity, Vector
from db.sqlite.ledger_people import unpack_seen
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

_IDENTITIES = "SELECT id, CAST(identities AS BLOB) FROM decisions"

_LOOKS = "SELECT id, CAST(kind AS BLOB), CAST(identities AS BLOB), template FROM decisions"

_NAMING: tuple[DecisionKind, ...] = ("confirmed", "named")
"""What says who somebody is."""

_VIEWS_IN = """
    SELECT first, sighting_id, seen FROM sightings JOIN views ON sighting_id = sightings.id
    WHERE video_id = ?
"""

_VIEWS_BESIDE = """
    SELECT first FROM decisions JOIN videos USING (oshash, size_bytes)
    JOIN sightings ON video_id = videos.id OR (depth = '' AND video_id = before)
    JOIN views ON sighting_id = sightings.id
    WHERE decisions.id = ?
"""
"""Of a file that was written anew and is still to be scanned, those count whom it showed before."""

_UNREADABLE: DecisionKind = "unreadable"

_KINDS: tuple[DecisionKind, ...] = get_args(DecisionKind)

_DAMAGE = (DamagedVectorError, ValueError, TypeError)
"""What reading a damaged part raises."""

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
    for video, decision in _sound(_about(db, videos)):
        found[video].append(decision)
    return found


def _about(db: Database, videos: Sequence[int]) -> list[Sequence[Any]]:
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
    found = [(video, _decision(row)) for video, *row in rows]
    return rows[-1][1] if len(rows) == READ_AT_ONCE else None, found


def _sound(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, Decision]]:
    """Yield the decisions in some rows; a damaged one is left out, and told."""
    for video, *row in rows:
        decision = _decision(row)
        if not decision.damaged:
            yield video, decision
            continue
        _log.warning(
            "Decision %d is damaged and no longer counts. Take it back (`decisions --undo`), "
            "and decide again.",
            decision.id,
        )


def erase_decisions(
    db: Database,
    identities: Sequence[Identity],
    looks: Sequence[Vector] = (),
    others: Collection[Identity] = (),
) -> None:
    """Delete every decision about a performer, given all their ids and how they look.

    `others` are the ids of all other performers. Of decisions that no longer say whom they are
    about, the look is erased: it may be theirs. That somebody is another performer, or ignored, may
    have been said of them too.
    """
    wanted = set(identities)
    for number, stored in db.execute(_IDENTITIES).fetchall():
        try:
            if wanted.intersection(_identities(stored)):
                db.execute("DELETE FROM decisions WHERE id = ?", (number,))
        except _DAMAGE:
            db.execute("UPDATE decisions SET template = x'' WHERE id = ?", (number,))
    erase_decisions_about_unseen(db, looks, frozenset(others))


def erase_decisions_about_unseen(
    db: Database,
    looks: Sequence[Vector] | None = None,
    others: frozenset[Identity] | None = None,
) -> None:
    """Delete the decisions about people whom no video shows any more, as after another scan.

    These are those who look like one of `looks`; without it, all. That somebody is one of `others`,
    or any performer without that, was said of them alone, however alike another is, and stays until
    they are forgotten themselves. Of an id that nobody has any more, it says nothing.
    """
    for number, kind, identities, template in db.execute(_LOOKS).fetchall():
        look = _look(template)
        is_asked_for = looks is None or _is_near(look, looks)
        if (
            is_asked_for
            and not _is_said_of(kind, identities, others)
            and not _is_near(look, _looks_beside(db, number))
        ):
            db.execute("DELETE FROM decisions WHERE id = ?", (number,))


def _is_said_of(kind: bytes, identities: bytes, others: frozenset[Identity] | None) -> bool:
    """Say whether a decision says that somebody is one of `others`; without it, is anybody."""
    if kind not in [one.encode() for one in _NAMING]:
        return False
    try:
        return others is None or not others.isdisjoint(_identities(identities))
    except _DAMAGE:
        return False


def _looks_beside(db: Database, decision: int) -> list[Vector]:
    """Return how those look who are seen in the video that a decision is about."""
    rows = db.execute(_VIEWS_BESIDE, (decision,)).fetchall()
    return [look for (blob,) in rows if (look := _look(blob)) is not None]


def _is_near(look: Vector | None, looks: Iterable[Vector]) -> bool:
    return look is not None and any(
        len(one) == len(look) and float(np.linalg.norm(one - look)) <= NEAR for one in looks
    )


def add_identities(db: Database, also: Mapping[Identity, Identity]) -> int:
    """Give decisions about some performers another id of theirs as well; say how many changed."""
    changed = 0
    for number, stored in db.execute(_IDENTITIES).fetchall():
        try:
            known = list(_identities(stored))
        except _DAMAGE:
            continue  # nobody can say about whom it is
        new = [also[one] for one in known if one in also and also[one] not in known]
        if new:
            all_of_them = json.dumps([*known, *dict.fromkeys(new)])
            db.execute("UPDATE decisions SET identities = ? WHERE id = ?", (all_of_them, number))
            changed += 1
    return changed


NEAR = 0.5
"""A decision is about somebody seen at the same time if their encodings are this near."""


def erase_decisions_about(db: Database, sighting: int) -> None:
    """Delete the decisions about a person who is erased: each holds how they look.

    Where it was said who somebody is, and somebody else who is seen then is more like them, it was
    said of that one.
    """
    video, packed = db.execute(
        "SELECT video_id, seen FROM sightings WHERE id = ?", (sighting,)
    ).fetchone()
    try:
        seen = unpack_seen(packed)
    except DamagedVectorError:
        return  # nobody can say about whom it was decided
    looks, others = [], []
    for blob, owner, its_seen in db.execute(_VIEWS_IN, (video,)).fetchall():
        if (look := _look(blob)) is not None:
            looks.append(look) if owner == sighting else others.append((look, its_seen))
    for _, *row in _about(db, [video]):
        decision = _decision(row)
        # Where it is damaged so that nobody can say when it was, or of whom, it may be theirs.
        if "spans" not in decision.damaged and not _is_within(seen, decision):
            continue
        then = [look for look, blob in others if _is_within(_seen_in(blob), decision)]
        if "template" in decision.damaged or _is_about(decision, looks, then):
            db.execute("DELETE FROM decisions WHERE id = ?", (decision.id,))


def _is_about(decision: Decision, looks: Sequence[Vector], others: Sequence[Vector]) -> bool:
    """Say whether a decision is about somebody of some looks, and not about others seen then."""
    if not _is_near(decision.template, looks):
        return False
    is_others = _nearest(decision, others) < _nearest(decision, looks)
    return not (is_others and decision.kind in _NAMING)


def _seen_in(packed: bytes) -> tuple[Seen, ...]:
    try:
        return unpack_seen(packed)
    except DamagedVectorError:
        return ()


def _is_within(seen: Iterable[Seen], decision: Decision) -> bool:
    """Say whether somebody is seen when a decision says so."""
    return any(start <= one.seconds <= end for one in seen for start, end in decision.spans)


def _nearest(decision: Decision, looks: Iterable[Vector]) -> float:
    template = decision.template
    apart = (float(np.linalg.norm(one - template)) for one in looks if len(one) == len(template))
    return min(apart, default=inf)


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
    """Read a decision, and note which of its parts cannot be read."""
    number, *stored = row
    damaged: list[str] = []

    def read(name: str, reader: Callable[[Any], Part], cell: object, instead: Part) -> Part:
        try:
            return reader(cell)
        except _DAMAGE:
            damaged.append(name)
            return instead

    kind, spans, template, identities, photo_hashes, at = stored
    return Decision(
        kind=read("kind", _kind, kind, _UNREADABLE),
        spans=read("spans", read_spans, spans, ()),
        template=read("template", _template, template, np.empty(0, np.float32)),
        identities=read("identities", _identities, identities, ()),
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


def _identities(cell: bytes | str) -> tuple[Identity, ...]:
    return tuple(Identity(*_texts(json.dumps(one))) for one in json.loads(cell))


def _texts(cell: bytes | str) -> tuple[str, ...]:
    found = json.loads(cell)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("It is no list of texts.")
    return tuple(found)
