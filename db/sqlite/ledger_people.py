"""Stores the people of a video in a ledger, and reads them back as they were."""

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from db.blobs import NUMBER_BYTES, to_blob
from db.errors import DamagedVectorError
from db.people import Link, PersonFound, Seen, View
from db.records import Vector
from db.videos import AlbumPicture, Area, Outcome, Shown, Sighting, VideoFound

NO_WORDS = "[]"
"""The weaknesses of most views."""

_SEEN = np.dtype("<f8")
_SEEN_FIELDS = 4

_Times: TypeAlias = NDArray[np.float64]
"""When a person is seen: (_SEEN_FIELDS, frames)."""


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
            "INSERT INTO picture_faces VALUES (?, ?, ?, ?, ?, ?)",
            [(sighting, one.picture, *one.area) for one in found.shown if one.person == position],
        )
    db.conn.executemany(
        "INSERT INTO links VALUES (?, ?, ?, ?)",
        [(video, link.first, link.second, link.distance) for link in found.links],
    )


def save_pictures(db: Database, video: int, pictures: Sequence[AlbumPicture]) -> None:
    """Store the pictures of an album in place of those it had; the caller holds the transaction."""
    db.execute("DELETE FROM pictures WHERE video_id = ?", (video,))
    db.conn.executemany(
        "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (video, number, one.name, one.faces, one.reason, one.place, one.content)
            for number, one in enumerate(pictures)
        ],
    )


def read_pictures(db: Database, videos: Sequence[int]) -> dict[int, list[AlbumPicture]]:
    """Read the pictures of some albums, in order."""
    found: dict[int, list[AlbumPicture]] = {video: [] for video in videos}
    sql = (
        "SELECT video_id, name, faces, reason, in_archive, content FROM pictures "
        "WHERE video_id IN ({}) ORDER BY video_id, number"
    )
    for video, *fields in of_videos(db, sql, videos):
        found[video].append(AlbumPicture(*fields))
    return found


def read_shown(db: Database, videos: Sequence[int]) -> dict[int, list[Shown]]:
    """Read who is where on the pictures of some albums, picture by picture."""
    found: dict[int, list[Shown]] = {video: [] for video in videos}
    sql = (
        "SELECT video_id, position, number, left_edge, top_edge, right_edge, bottom_edge "
        "FROM picture_faces JOIN sightings ON sightings.id = sighting_id "
        "WHERE video_id IN ({}) ORDER BY video_id, number, position"
    )
    for video, person, number, *edges in of_videos(db, sql, videos):
        found[video].append(Shown(person, number, Area(*edges)))
    return found


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


def read_sightings(
    db: Database, videos: Sequence[int], *, pictures: bool = True
) -> dict[int, list[Sighting]]:
    """Read the people of some videos, in order of position; without `pictures`, these are empty.

    Raises:
        DamagedVectorError: one is damaged.
    """
    views = _read_views(db, videos)
    picture = "picture" if pictures else "x''"
    found: dict[int, list[Sighting]] = {video: [] for video in videos}
    sql = (
        f"SELECT id, video_id, position, best_seconds, seen, {picture} FROM sightings "  # noqa: S608  # ours
        "WHERE video_id IN ({}) ORDER BY video_id, position"
    )
    for number, video, position, best_seconds, seen, jpeg in of_videos(db, sql, videos):
        person = _Remembered.of(tuple(views[number]), _unpack(seen), best_seconds, jpeg)
        found[video].append(Sighting(video, position, person))
    return found


def _read_views(db: Database, videos: Sequence[int]) -> dict[int, list[View]]:
    """Read the views of everyone in some videos, by the id of their sighting."""
    rows = of_videos(
        db,
        "SELECT sighting_id, views.seconds, quality, faces, weaknesses, first, second FROM views "
        "JOIN sightings ON sightings.id = sighting_id WHERE video_id IN ({}) "
        "ORDER BY sighting_id, number",
        videos,
    )
    vectors = iter(_decode([blob for row in rows for blob in row[5:] if blob is not None]))
    views: dict[int, list[View]] = defaultdict(list)
    for sighting, seconds, quality, faces, weaknesses, first, second in rows:
        encodings = tuple(next(vectors) for blob in (first, second) if blob is not None)
        words = () if weaknesses == NO_WORDS else tuple(json.loads(weaknesses))
        views[sighting].append(View(seconds, quality, faces, words, encodings))
    return views


def _decode(blobs: Sequence[bytes]) -> list[Vector]:
    """Turn many blobs into vectors at once, in a third of the time.

    Raises:
        DamagedVectorError: one holds NaN or infinity, or breaks off within a number.
    """
    sizes = list(map(len, blobs))
    if any(size % NUMBER_BYTES for size in set(sizes)):
        raise DamagedVectorError("A blob of the library breaks off within a number.")
    joined = np.frombuffer(b"".join(blobs), "<f4").astype(np.float32)
    if not np.isfinite(joined).all():
        raise DamagedVectorError("A blob of the library holds NaN or infinity.")
    ends = (np.cumsum(sizes) // NUMBER_BYTES).tolist()
    return [joined[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def read_links(db: Database, videos: Sequence[int]) -> dict[int, list[Link]]:
    """Read who may be one person in some videos, the most alike first."""
    found: dict[int, list[Link]] = {video: [] for video in videos}
    sql = "SELECT video_id, distance, first, second FROM links WHERE video_id IN ({})"
    for video, *fields in of_videos(db, sql, videos):
        found[video].append(Link(*fields))
    return {video: sorted(links) for video, links in found.items()}


def read_outcomes(db: Database, videos: Sequence[int]) -> dict[int, list[Outcome]]:
    """Read what matching said of the people of some videos, in order of position."""
    found: dict[int, list[Outcome]] = {video: [] for video in videos}
    sql = (
        "SELECT video_id, position, lead, performer, score, verdict, decided FROM outcomes "
        "WHERE video_id IN ({}) ORDER BY video_id, position"
    )
    for video, *fields in of_videos(db, sql, videos):
        found[video].append(Outcome(*fields))
    return found


def of_videos(db: Database, sql: str, videos: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return the rows of some videos; `{}` in the statement stands for their ids."""
    # As one value: a statement takes no more than some 32,000.
    among = sql.format("SELECT value FROM json_each(?)")
    rows: list[tuple[Any, ...]] = db.execute(among, (json.dumps(list(videos)),)).fetchall()
    return rows


def _view_row(sighting: int, number: int, view: View) -> tuple[Any, ...]:
    first, *others = (to_blob(encoding) for encoding in view.encodings)
    second = others[0] if others else None
    weaknesses = json.dumps(view.weaknesses)
    return sighting, number, view.seconds, view.quality, view.faces, weaknesses, first, second


def _pack(seen: Sequence[Seen]) -> bytes:
    rows = [(one.frame, one.seconds, one.until_seconds, one.since_seconds) for one in seen]
    return zlib.compress(np.array(rows, _SEEN).T.tobytes())


def unpack_seen(blob: bytes) -> tuple[Seen, ...]:
    """Read when a person is seen.

    Raises:
        DamagedVectorError: it is damaged.
    """
    return _seen_of(_unpack(blob))


def _unpack(blob: bytes) -> _Times:
    try:
        return np.frombuffer(zlib.decompress(blob), _SEEN).reshape(_SEEN_FIELDS, -1)
    except (zlib.error, ValueError) as error:
        raise DamagedVectorError(f"The times of a person are damaged ({error}).") from error


def _seen_of(times: _Times) -> tuple[Seen, ...]:
    return tuple(map(_seen, *times.tolist()))


def _seen(frame: float, seconds: float, until_seconds: float, since_seconds: float) -> Seen:
    # Its own __init__ takes three times as long.
    one = object.__new__(Seen)
    one.__dict__.update(
        frame=int(frame),
        seconds=seconds,
        until_seconds=until_seconds,
        since_seconds=since_seconds,
    )
    return one


class _Remembered(PersonFound):
    """A person whose times are made when they are asked for: a rematch asks for those of few."""

    _times: _Times

    @classmethod
    def of(
        cls, views: tuple[View, ...], times: _Times, best_seconds: float, picture: bytes
    ) -> PersonFound:
        one = object.__new__(cls)
        fields = {"views": views, "best_seconds": best_seconds, "picture": picture}
        one.__dict__.update(fields, _times=times)
        return one

    @cached_property
    def seen(self) -> tuple[Seen, ...]:
        return _seen_of(self._times)
