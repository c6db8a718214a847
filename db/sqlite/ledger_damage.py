"""Takes people whom a bad disk left unreadable out of a ledger, and says of which videos."""

import json
import logging
import os
from collections import Counter
from collections.abc import Sequence

from sqlite_utils import Database

from db.errors import DamagedVectorError
from db.sqlite.ledger_connections import of_videos
from db.sqlite.ledger_views import read_seconds, read_views_of, unpack_times
from db.videos import DEPTHS

DAMAGED = (
    "What the library held of {count} of its people was damaged, and was taken out. Scan it again: "
    "--retry."
)

DAMAGED_SCAN = "What the library held of how it was scanned was damaged. Scan it again: --retry."

NO_MODEL = ("damaged",)
"""Stands for the models of a video that are damaged: no gallery has an encoding by it."""

_log = logging.getLogger(__name__)


def drop_damaged(db: Database, videos: Sequence[int]) -> None:
    """Take out the people of some videos who cannot be read; the caller holds the transaction.

    Their videos count as failed, so that a scan can be asked to look again. The others stay.
    """
    found = of_videos(
        db, "SELECT id, video_id, position FROM sightings WHERE video_id IN ({})", videos
    )
    counts: Counter[int] = Counter()
    for sighting, video, position in found:
        if not (isinstance(position, int) and _is_readable(db, sighting)):
            counts[video] += 1
            _drop(db, sighting, video, position)
    for video, count in counts.items():
        reason = DAMAGED.format(count=count)
        db.execute("UPDATE videos SET reason = ?, generation = NULL WHERE id = ?", (reason, video))
        db.execute("UPDATE videos SET state = 'failed' WHERE id = ? AND state = 'done'", (video,))
        _log.warning("%s: %s", _name_of(db, video), reason)


def note_unknown_scans(db: Database, videos: Sequence[int]) -> None:
    """Note that it is unknown how some videos were scanned; the caller holds the transaction.

    They count as failed, so that a scan can be asked to look again. The people found in them stay,
    compared by the primary model alone; they count as found at the least depth.
    """
    for video in videos:
        db.execute(
            "UPDATE videos SET models = ?, depth = iif(depth IN (?, ?, ?), depth, ?), reason = ?, "
            "generation = NULL, state = iif(state IN ('queued', 'working'), state, 'failed') "
            "WHERE id = ?",
            (json.dumps(NO_MODEL), *DEPTHS, DEPTHS[0], DAMAGED_SCAN, video),
        )
        _log.warning("%s: %s", _name_of(db, video), DAMAGED_SCAN)


def _is_readable(db: Database, sighting: int) -> bool:
    sql = "SELECT best_seconds, CAST(seen AS BLOB) FROM sightings WHERE id = ?"
    try:
        best_seconds, seen = db.execute(sql, (sighting,)).fetchone()
        read_seconds(best_seconds)
        unpack_times(seen)
        return bool(read_views_of(db, sighting))
    except DamagedVectorError:
        return False


def _drop(db: Database, sighting: int, video: int, position: int) -> None:
    place = (video, position)
    db.execute("DELETE FROM placements WHERE sighting_id = ?", (sighting,))
    db.execute("DELETE FROM sightings WHERE id = ?", (sighting,))
    db.execute("DELETE FROM outcomes WHERE (video_id, position) = (?, ?)", place)
    # Whoever was joined to them stands alone until matched again, which is to come.
    db.execute("UPDATE outcomes SET lead = position WHERE (video_id, lead) = (?, ?)", place)
    db.execute("DELETE FROM links WHERE video_id = ? AND ? IN (first, second)", place)


def _name_of(db: Database, video: int) -> str:
    row = db.execute(
        "SELECT path FROM files WHERE video_id = ? ORDER BY gone <> 0, path LIMIT 1", (video,)
    ).fetchone()
    return repr(os.fsdecode(row[0])) if row else f"Video {video}"
