"""Erases a forgotten performer from a ledger, and keeps it so that none comes back.

What is kept is a number, the performer's, which no other performer ever gets, and when the person
was seen: no face.
"""

import json
from collections.abc import Iterable, Sequence

from sqlite_utils import Database

from db.errors import DamagedVectorError
from db.people import Seen
from db.sqlite.ledger_erased_decisions import erase_decisions_about
from db.sqlite.ledger_views import unpack_seen
from db.videos import Interval

_MATCHED = """
    SELECT sightings.id, sightings.video_id, sightings.position, seen FROM sightings
    JOIN outcomes AS own
        ON own.video_id = sightings.video_id AND own.position = sightings.position
    JOIN outcomes AS leading ON leading.video_id = own.video_id AND leading.position = own.lead
    JOIN videos ON videos.id = sightings.video_id
    WHERE leading.performer = ? AND videos.gallery = ?
"""


def note_forgotten(db: Database, gallery: int, performer: int) -> None:
    """Note that a performer of a gallery is to be forgotten; the caller holds the transaction."""
    sql = "INSERT OR IGNORE INTO erasures (gallery, performer) VALUES (?, ?)"
    db.execute(sql, (gallery, performer))


def erase(db: Database, gallery: int, performer: int) -> int:
    """Erase everyone matched with a performer, and whoever was joined to them; say how many.

    The caller holds the transaction.
    """
    matched = db.execute(_MATCHED, (performer, gallery)).fetchall()
    for sighting, video, position, seen in matched:
        db.conn.executemany(
            # Also where the file was rewritten, and is still to be scanned.
            "INSERT INTO forgotten_spans SELECT oshash, size_bytes, ?, ? FROM videos "
            "WHERE id = ? OR (before = ? AND depth = '')",
            [(*span, video, video) for span in _spans_in(seen)],
        )
        erase_sighting(db, sighting, (video, position))
    return len(matched)


def _spans_in(seen: bytes) -> list[Interval]:
    try:
        return spans_of(unpack_seen(seen))
    except DamagedVectorError:
        return []  # it is erased all the same


def erase_sighting(db: Database, sighting: int, place: tuple[int, int]) -> None:
    """Erase a person, given also by video and position, with all that was derived of them."""
    db.execute(
        "DELETE FROM placements WHERE sighting_id = ? OR (sighting_id IS NULL AND video_id = ?)",
        (sighting, place[0]),
    )
    erase_decisions_about(db, sighting)
    db.execute("DELETE FROM sightings WHERE id = ?", (sighting,))
    db.execute("DELETE FROM outcomes WHERE (video_id, position) = (?, ?)", place)
    db.execute("DELETE FROM links WHERE video_id = ? AND ? IN (first, second)", place)


def erase_again(db: Database, gallery: int, performers: Iterable[int]) -> None:
    """Erase those of some performers who were forgotten: their scan began before."""
    sql = (
        "SELECT performer FROM erasures WHERE gallery = ? "
        "AND performer IN (SELECT value FROM json_each(?))"
    )
    for (performer,) in db.execute(sql, (gallery, json.dumps(sorted(set(performers))))).fetchall():
        erase(db, gallery, performer)


def spans_of(seen: Sequence[Seen]) -> list[Interval]:
    """Join the moments of a person into spans that do not touch."""
    spans: list[Interval] = []
    for start, end in sorted((one.since_seconds, one.until_seconds) for one in seen):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans
