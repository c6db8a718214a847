"""Packs the views of people seen, and when they were seen, into cells, and unpacks them."""

import json
import zlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from db.blobs import NO_ENCODING, NUMBER_BYTES, are_largest_sound, to_blob
from db.errors import DamagedVectorError
from db.people import Evidence, PersonFound, Seen, View
from db.records import Vector, Vectors
from db.sqlite.ledger_connections import of_videos

NO_WORDS = "[]"
"""The weaknesses of most views."""

MOST_MEASURED = 100
"""The encodings of this many views are measured, to tell their usual length."""

LARGEST_OF_VIEW = 2.0**53
"""More than any video has of seconds, frames or faces; whole numbers are exact up to it."""

_VIEWS = (
    "SELECT sighting_id, seconds, quality, faces, CAST(weaknesses AS BLOB), "
    "CAST(first AS BLOB), CAST(second AS BLOB) FROM views"
)
_IN_ORDER = "ORDER BY sighting_id, number"

_SEEN = np.dtype("<f8")
_SEEN_FIELDS = 4

Times: TypeAlias = NDArray[np.float64]
"""When a person is seen: (_SEEN_FIELDS, frames)."""


def read_views(db: Database, videos: Sequence[int]) -> dict[int, "StoredViews"]:
    """Read the views of everyone in some videos, by the id of their sighting.

    Raises:
        DamagedVectorError: one is damaged.
    """
    # Joined with sightings, SQLite would sort what it has read, which takes as long again.
    among = "sighting_id IN (SELECT id FROM sightings WHERE video_id IN ({}))"
    return _stored(of_videos(db, f"{_VIEWS} WHERE {among} {_IN_ORDER}", videos), _usual_length(db))


def read_views_of(db: Database, sighting: int) -> dict[int, "StoredViews"]:
    """Read the views of one sighting, by its id; raises as `read_views`."""
    rows = db.execute(f"{_VIEWS} WHERE sighting_id = ? {_IN_ORDER}", (sighting,)).fetchall()
    return _stored(rows, _usual_length(db))


def _stored(rows: Sequence[tuple[Any, ...]], usual_bytes: int) -> dict[int, "StoredViews"]:
    first, second = [row[5] for row in rows], [row[6] for row in rows]
    if b"" in first or b"" in second:
        raise DamagedVectorError("A blob of the library is empty.")
    if {*map(len, first)} - {usual_bytes}:
        raise DamagedVectorError("Encodings by the primary model differ in length.")
    none = NO_WORDS.encode()
    read = _ViewsRead(
        rows=[row[1:4] for row in rows],
        weak={row: read_words(cells[4]) for row, cells in enumerate(rows) if cells[4] != none},
        qualities=_qualities_of(rows),
        first=_Encodings.of(first),
        second=_Encodings.of([one or b"" for one in second]),
    )
    views, start = {}, 0
    for sighting, count in Counter(row[0] for row in rows).items():  # in their order
        views[sighting] = StoredViews(read, start, start + count)
        start += count
    read.second.refuse_uneven([one.start for one in views.values()])
    return views


def _usual_length(db: Database) -> int:
    """Return how many bytes an encoding by the primary model has: a bad disk cuts few of them."""
    sql = (
        "SELECT length(CAST(first AS BLOB)) FROM (SELECT first FROM views LIMIT ?) "
        "GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )
    row = db.execute(sql, (MOST_MEASURED,)).fetchone()
    return int(row[0]) if row else 0


def _qualities_of(rows: Sequence[tuple[Any, ...]]) -> NDArray[np.float32]:
    """Return the qualities of views, once their seconds and numbers of faces are numbers, too."""
    try:
        # NumPy would take digits in a text or a blob for a number.
        columns = [np.array(array("d", [row[place] for row in rows])) for place in (1, 2, 3)]
    except TypeError as error:
        raise DamagedVectorError(f"A number of a view is damaged ({error}).") from error
    if not all((np.abs(one) <= LARGEST_OF_VIEW).all() for one in columns):
        raise DamagedVectorError("A view holds an impossible number.")
    return columns[1].astype(np.float32)


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
            DamagedVectorError: one holds the numbers of no encoding, or breaks off within one.
        """
        sizes = np.array(list(map(len, blobs)), np.intp)
        if (sizes % NUMBER_BYTES).any():
            raise DamagedVectorError("A blob of the library breaks off within a number.")
        numbers = np.frombuffer(b"".join(blobs), "<f4").astype(np.float32)
        ends = np.cumsum(sizes[sizes > 0]) // NUMBER_BYTES
        starts = [0, *ends[:-1].tolist()] if len(ends) else []
        largest = np.maximum.reduceat(np.abs(numbers), starts) if starts else numbers
        if not are_largest_sound(largest).all():
            raise DamagedVectorError(f"A blob of the library holds {NO_ENCODING}.")
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
class StoredViews:
    """The views of one person: the rows from `start` to `stop`."""

    read: _ViewsRead
    start: int
    stop: int

    def views(self) -> tuple[View, ...]:
        """Make the views."""
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
        """Make the evidence, without making the views."""
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


def view_row(sighting: int, number: int, view: View) -> tuple[Any, ...]:
    """Pack a view of a sighting as a row of the table `views`."""
    first, *others = (to_blob(encoding) for encoding in view.encodings)
    second = others[0] if others else None
    weaknesses = json.dumps(view.weaknesses)
    return sighting, number, view.seconds, view.quality, view.faces, weaknesses, first, second


def pack_seen(seen: Sequence[Seen]) -> bytes:
    """Pack when a person is seen."""
    rows = [(one.frame, one.seconds, one.until_seconds, one.since_seconds) for one in seen]
    return zlib.compress(np.array(rows, _SEEN).T.tobytes())


def unpack_seen(blob: bytes) -> tuple[Seen, ...]:
    """Read when a person is seen.

    Raises:
        DamagedVectorError: it is damaged.
    """
    return _seen_of(unpack_times(blob))


def unpack_times(blob: bytes) -> Times:
    """Read when a person is seen, as numbers; of most people nobody asks for more.

    Raises:
        DamagedVectorError: it is damaged.
    """
    try:
        times = np.frombuffer(zlib.decompress(blob), _SEEN).reshape(_SEEN_FIELDS, -1)
    except (zlib.error, ValueError) as error:
        raise DamagedVectorError(f"The times of a person are damaged ({error}).") from error
    if not (np.abs(times) <= LARGEST_OF_VIEW).all():
        raise DamagedVectorError("The times of a person hold an impossible number.")
    return times


def read_seconds(cell: object) -> float:
    """Read a moment.

    Raises:
        DamagedVectorError: it is none.
    """
    if not isinstance(cell, (int, float)) or not abs(cell) <= LARGEST_OF_VIEW:
        raise DamagedVectorError("The best moment of a person is damaged.")
    return float(cell)


def _seen_of(times: Times) -> tuple[Seen, ...]:
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


class Remembered(PersonFound):
    """A person whose views and times are made when asked for: a rematch asks for those of few."""

    _stored: StoredViews
    _times: Times

    @classmethod
    def of(
        cls, stored: StoredViews, times: Times, best_seconds: float, picture: bytes
    ) -> PersonFound:
        """Make a person of what was read."""
        one = object.__new__(cls)
        fields = {"best_seconds": best_seconds, "picture": picture}
        one.__dict__.update(fields, _stored=stored, _times=times)
        return one

    @cached_property
    def views(self) -> tuple[View, ...]:
        """The views, made now."""
        return self._stored.views()

    @cached_property
    def evidence(self) -> Evidence:
        """The evidence, without the views."""
        stored = self.__dict__.get("_stored")  # a copy with other views has none
        return stored.evidence() if isinstance(stored, StoredViews) else super().evidence

    @cached_property
    def seen(self) -> tuple[Seen, ...]:
        """The frames, made now."""
        return _seen_of(self._times)
