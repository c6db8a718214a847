"""Stores the people of a video in a ledger, and reads them back as they were."""

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sqlite_utils import Database

from db.blobs import NUMBER_BYTES, from_blob, to_blob
from db.errors import DamagedVectorError
from db.people import Link, PersonFound, Seen, View
from db.videos import Outcome, Sighting, VideoFound

_SEEN = np.dtype("<f8")
_SEEN_FIELDS = 4


def save_people(db: Database, video: int, found: VideoFound) -> None:
    """Store the people of a video in place of those it had; the caller holds the transaction."""
    db.execute("DELETE FROM sightings WHERE video_id = ?", (video,))
    db.execute("DELETE FROM links WHERE video_id = ?", (video,))
    for position, person in found.people:
        sighting = db.execute(
            "INSERT INTO sightings (video_id, position, best_seconds, seen, picture) "
            "VALUES (?, ?, ?, ?, ?) RETURNING id",
            (video, position, person.best_seconds, _pack(person.seen), person.picture),
        ).fetchone()[0]
        db.conn.executemany(
            "INSERT INTO views VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [_view_row(sighting, number, view) for number, view in enumerate(person.views)],
        )
    db.conn.executemany(
        "INSERT INTO links VALUES (?, ?, ?, ?)",
        [(video, link.first, link.second, link.distance) for link in found.links],
    )


def positions_of(db: Database, video: int) -> list[int]:
    """Return the positions of the people of a video, in order."""
    sql = "SELECT position FROM sightings WHERE video_id = ? ORDER BY position"
    return [row[0] for row in db.execute(sql, (video,))]


def save_outcomes(db: Database, video: int, outcomes: Iterable[Outcome]) -> None:
    """Store what matching said in place of what it had; the caller holds the transaction."""
    db.execute("DELETE FROM outcomes WHERE video_id = ?", (video,))
    db.conn.executemany(
        "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (video, one.position, one.lead, one.performer, one.score, one.verdict, one.decided)
            for one in outcomes
        ],
    )


def read_sightings(db: Database, videos: Sequence[int]) -> dict[int, list[Sighting]]:
    """Read the people of some videos, in order of position.

    Raises:
        DamagedVectorError: one is damaged.
    """
    views: dict[int, list[View]] = defaultdict(list)
    for sighting, *row in _of(
        db,
        "SELECT sighting_id, views.seconds, quality, faces, weaknesses, first, second FROM views "
        "JOIN sightings ON sightings.id = sighting_id WHERE video_id IN ({}) "
        "ORDER BY sighting_id, number",
        videos,
    ):
        views[sighting].append(_view(row))
    found: dict[int, list[Sighting]] = {video: [] for video in videos}
    for number, video, position, best_seconds, seen, picture in _of(
        db,
        "SELECT id, video_id, position, best_seconds, seen, picture FROM sightings "
        "WHERE video_id IN ({}) ORDER BY video_id, position",
        videos,
    ):
        person = PersonFound(tuple(views[number]), unpack_seen(seen), best_seconds, picture)
        found[video].append(Sighting(video, position, person))
    return found


def read_links(db: Database, videos: Sequence[int]) -> dict[int, list[Link]]:
    """Read who may be one person in some videos, the most alike first."""
    found: dict[int, list[Link]] = {video: [] for video in videos}
    sql = "SELECT video_id, distance, first, second FROM links WHERE video_id IN ({})"
    for video, *fields in _of(db, sql, videos):
        found[video].append(Link(*fields))
    return {video: sorted(links) for video, links in found.items()}


def read_outcomes(db: Database, videos: Sequence[int]) -> dict[int, list[Outcome]]:
    """Read what matching said of the people of some videos, in order of position."""
    found: dict[int, list[Outcome]] = {video: [] for video in videos}
    sql = (
        "SELECT video_id, position, lead, performer, score, verdict, decided FROM outcomes "
        "WHERE video_id IN ({}) ORDER BY video_id, position"
    )
    for video, *fields in _of(db, sql, videos):
        found[video].append(Outcome(*fields))
    return found


def _of(db: Database, sql: str, videos: Sequence[int]) -> list[tuple[Any, ...]]:
    marks = ", ".join("?" for _ in videos)
    rows: list[tuple[Any, ...]] = db.execute(sql.format(marks), list(videos)).fetchall()
    return rows


def _view_row(sighting: int, number: int, view: View) -> tuple[Any, ...]:
    first, *others = (to_blob(encoding) for encoding in view.encodings)
    second = others[0] if others else None
    weaknesses = json.dumps(view.weaknesses)
    return sighting, number, view.seconds, view.quality, view.faces, weaknesses, first, second


def _view(row: Sequence[Any]) -> View:
    seconds, quality, faces, weaknesses, *stored = row
    blobs = [blob for blob in stored if blob is not None]
    encodings = tuple(from_blob(blob, len(blob) // NUMBER_BYTES) for blob in blobs)
    return View(seconds, quality, faces, tuple(json.loads(weaknesses)), encodings)


def _pack(seen: Sequence[Seen]) -> bytes:
    rows = [(one.frame, one.seconds, one.until_seconds, one.since_seconds) for one in seen]
    return zlib.compress(np.array(rows, _SEEN).T.tobytes())


def unpack_seen(blob: bytes) -> tuple[Seen, ...]:
    """Read when a person is seen.

    Raises:
        DamagedVectorError: it is damaged.
    """
    try:
        columns = np.frombuffer(zlib.decompress(blob), _SEEN).reshape(_SEEN_FIELDS, -1)
    except (zlib.error, ValueError) as error:
        raise DamagedVectorError(f"The times of a person are damaged ({error}).") from error
    return tuple(Seen(int(frame), *times) for frame, *times in columns.T.tolist())
