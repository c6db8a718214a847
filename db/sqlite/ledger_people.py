"""Stores the people of a video in a ledger, and reads them back as they were."""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from db.blobs import NUMBER_BYTES, to_blob
from db.errors import DamagedVectorError
from db.people import Evidence, Link, PersonFound, Seen, View
from db.records import Vector, Vectors
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


def positions_of(db: Database, videos: Sequence[int]) -> dict[int, list[int]]:
    """Return the positions of the people of some videos, in order."""
    found: dict[int, list[int]] = {video: [] for video in videos}
    sql = (
        "SELECT video_id, position FROM sightings WHERE video_id IN ({}) "
        "ORDER BY video_id, position"
    )
    for video, position in of_videos(db, sql, videos):
        found[video].append(position)
    return found


def save_outcomes(db: Database, outcomes: Mapping[int, Iterable[Outcome]]) -> None:
    """Store what matching said of some videos in place of what it had.

    The caller holds the transaction.
    """
    db.conn.executemany("DELETE FROM outcomes WHERE video_id = ?", [(one,) for one in outcomes])
    db.conn.executemany(
        "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (video, one.position, one.lead, one.performer, one.score, one.verdict, one.decided)
            for video, rows in outcomes.items()
            for one in rows
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
        if number not in views:
            raise DamagedVectorError("Somebody has no views.")
        person = _Remembered.of(views[number], _unpack(seen), best_seconds, jpeg)
        found[video].append(Sighting(video, position, person))
    return found


def _read_views(db: Database, videos: Sequence[int]) -> dict[int, "_StoredViews"]:
    """Read the views of everyone in some videos, by the id of their sighting."""
    # Joined with sightings, SQLite would sort what it has read, which takes as long again.
    rows = of_videos(
        db,
        "SELECT sighting_id, seconds, quality, faces, CAST(weaknesses AS BLOB), first, second "
        "FROM views WHERE sighting_id IN (SELECT id FROM sightings WHERE video_id IN ({})) "
        "ORDER BY sighting_id, number",
        videos,
    )
    first, second = [row[5] for row in rows], [row[6] for row in rows]
    if b"" in first or b"" in second:
        raise DamagedVectorError("A blob of the library is empty.")
    none = NO_WORDS.encode()
    read = _ViewsRead(
        rows=[row[1:4] for row in rows],
        weak={row: read_words(cells[4]) for row, cells in enumerate(rows) if cells[4] != none},
        qualities=np.array([row[2] for row in rows], np.float32),
        first=_Encodings.of(first),
        second=_Encodings.of([one or b"" for one in second]),
    )
    views, start = {}, 0
    for sighting, count in Counter(row[0] for row in rows).items():  # in their order
        views[sighting] = _StoredViews(read, start, start + count)
        start += count
    starts = [one.start for one in views.values()]
    read.first.refuse_mixed()
    read.second.refuse_uneven(starts)
    return views


class _Encodings:
    """Many blobs as numbers, turned into these at once, in a third of the time."""

    def __init__(self, numbers: Vector, sizes: NDArray[np.intp]) -> None:
        self._numbers, self._sizes = numbers, sizes
        self._ends: list[int] = [0, *np.cumsum(sizes).tolist()]
        self.present = sizes > 0
        self._counts: list[int] = [0, *np.cumsum(self.present).tolist()]

    @classmethod
    def of(cls, blobs: Sequence[bytes]) -> Self:
        """Read blobs; one that is empty stands for none.

        Raises:
            DamagedVectorError: one holds NaN or infinity, or breaks off within a number.
        """
        sizes = np.array(list(map(len, blobs)), np.intp)
        if (sizes % NUMBER_BYTES).any():
            raise DamagedVectorError("A blob of the library breaks off within a number.")
        numbers = np.frombuffer(b"".join(blobs), "<f4").astype(np.float32)
        if not np.isfinite(numbers).all():
            raise DamagedVectorError("A blob of the library holds NaN or infinity.")
        return cls(numbers, sizes // NUMBER_BYTES)

    def refuse_uneven(self, starts: Sequence[int]) -> None:
        """Refuse people whose encodings differ in length; each person's begin at a start.

        Raises:
            DamagedVectorError: somebody's do.
        """
        if not starts:
            return
        longest = np.maximum.reduceat(self._sizes, starts)
        of_each = np.repeat(longest, np.diff([*starts, len(self._sizes)]))
        if ((self._sizes != of_each) & self.present).any():
            raise DamagedVectorError("Encodings of one person differ in length.")

    def refuse_mixed(self) -> None:
        """Refuse encodings that differ in length at all, as those of one model never do.

        Raises:
            DamagedVectorError: they do.
        """
        if len(self._sizes) and self._sizes.min() != self._sizes.max():
            raise DamagedVectorError("Encodings by the primary model differ in length.")

    def rows(self, start: int, stop: int) -> Vectors:
        """Return those from `start` to `stop`, a row each; none for those that are none."""
        count = self._counts[stop] - self._counts[start]
        numbers = self._numbers[self._ends[start] : self._ends[stop]]
        return numbers.reshape(count, -1 if count else 0)


@dataclass(frozen=True, eq=False, slots=True)
class _ViewsRead:
    """The views of everyone in some videos, and of the weak ones the words, by row.

    `rows` hold their seconds, quality and number of faces.
    """

    rows: Sequence[tuple[float, float, int]]
    weak: Mapping[int, tuple[str, ...]]
    qualities: NDArray[np.float32]
    first: _Encodings
    second: _Encodings


@dataclass(frozen=True, eq=False, slots=True)
class _StoredViews:
    """The views of one person: the rows from `start` to `stop`."""

    read: _ViewsRead
    start: int
    stop: int

    def views(self) -> tuple[View, ...]:
        first = self.read.first.rows(self.start, self.stop)
        second = iter(self.read.second.rows(self.start, self.stop))
        return tuple(
            View(
                *self.read.rows[row],
                weaknesses=self.read.weak.get(row, ()),
                encodings=(one, next(second)) if self.read.second.present[row] else (one,),
            )
            for row, one in enumerate(first, self.start)
        )

    def evidence(self) -> Evidence:
        place, read = slice(self.start, self.stop), self.read
        all_of_them = Evidence(
            is_strong=True,
            qualities=read.qualities[place],
            first=read.first.rows(self.start, self.stop),
            second=read.second.rows(self.start, self.stop),
            has_second=read.second.present[place],
        )
        if not read.weak:
            return all_of_them
        strong = [row not in read.weak for row in range(self.start, self.stop)]
        return all_of_them if all(strong) else all_of_them.only(np.array(strong, bool))


def read_words(cell: bytes) -> tuple[str, ...]:
    """Read the weaknesses of a view.

    Raises:
        DamagedVectorError: they are damaged.
    """
    try:
        return tuple(map(str, json.loads(cell)))
    except (ValueError, TypeError) as error:
        raise DamagedVectorError(f"The weaknesses of a view are damaged ({error}).") from error


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
    """A person whose views and times are made when asked for: a rematch asks for those of few."""

    _stored: _StoredViews
    _times: _Times

    @classmethod
    def of(
        cls, stored: _StoredViews, times: _Times, best_seconds: float, picture: bytes
    ) -> PersonFound:
        one = object.__new__(cls)
        fields = {"best_seconds": best_seconds, "picture": picture}
        one.__dict__.update(fields, _stored=stored, _times=times)
        return one

    @cached_property
    def views(self) -> tuple[View, ...]:
        return self._stored.views()

    @cached_property
    def evidence(self) -> Evidence:
        stored = self.__dict__.get("_stored")  # a copy with other views has none
        return stored.evidence() if isinstance(stored, _StoredViews) else super().evidence

    @cached_property
    def seen(self) -> tuple[Seen, ...]:
        return _seen_of(self._times)
