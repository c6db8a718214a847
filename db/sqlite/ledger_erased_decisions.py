"""Erases decisions about whoever is forgotten: by their ids, and by how they look."""

from collections.abc import Collection, Iterable, Sequence
from math import inf

import numpy as np
from sqlite_utils import Database

from db.blobs import NUMBER_BYTES, from_blob
from db.decisions import Decision, DecisionKind
from db.errors import DamagedVectorError
from db.people import Seen
from db.records import Identity, Vector
from db.sqlite.ledger_decisions import (
    DAMAGE,
    IDENTITIES_OF_ALL,
    decision_of,
    identities_in,
    rows_about,
)
from db.sqlite.ledger_views import unpack_seen

_LOOKS = "SELECT id, CAST(kind AS BLOB), CAST(identities AS BLOB), template FROM decisions"

_NAMING: tuple[DecisionKind, ...] = ("confirmed", "named")
"""What says who somebody is."""

NEAR = 0.5
"""A decision is about somebody seen at the same time if their encodings are this near."""

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
"""If a file was rewritten and is still to be scanned, the people it showed before count."""


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
    for number, stored in db.execute(IDENTITIES_OF_ALL).fetchall():
        try:
            if wanted.intersection(identities_in(stored)):
                db.execute("DELETE FROM decisions WHERE id = ?", (number,))
        except DAMAGE:
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
        return others is None or not others.isdisjoint(identities_in(identities))
    except DAMAGE:
        return False


def _looks_beside(db: Database, decision: int) -> list[Vector]:
    """Return how those look who are seen in the video that a decision is about."""
    rows = db.execute(_VIEWS_BESIDE, (decision,)).fetchall()
    return [look for (blob,) in rows if (look := _look(blob)) is not None]


def _is_near(look: Vector | None, looks: Iterable[Vector]) -> bool:
    return look is not None and any(
        len(one) == len(look) and float(np.linalg.norm(one - look)) <= NEAR for one in looks
    )


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
    for _, *row in rows_about(db, [video]):
        decision = decision_of(row)
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
