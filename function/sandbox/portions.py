"""Long results travel in portions, so that neither side ever holds a long message.

The child splits a result; its parent collects the portions, and checks what they make together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from db.records import Vector
from function.enrolling.choosing import PhotoFound
from function.faces.face import Face
from function.faces.found import Details, FacesFound, PictureFound, StretchFound
from function.sandbox.orders import (
    DetailsOrder,
    Order,
    PhotoOrder,
    PictureOrder,
    Result,
    VideoOrder,
)
from function.sandbox.wire import WireError

PORTION_BYTES = 500_000
"""About how much of a result one portion holds, before it is written as JSON."""

PORTION_NUMBERS = PORTION_BYTES // 4

FACE_BYTES = 1_000
"""A face without pictures, encoding included."""

MOST_FACES = 100_000
"""Ten in each picture of the longest video."""

Item = TypeVar("Item", Face, bytes)
Whole = TypeVar("Whole", bound=Result | StretchFound)


@dataclass(frozen=True, eq=False)
class Portion:
    """A part of a result: some of its faces, pictures, or numbers of second encodings."""

    faces: tuple[Face, ...] = ()
    pictures: tuple[bytes, ...] = ()
    second: Vector | None = None


def split(result: Whole) -> Iterator[Portion | Whole]:
    """Yield the portions of a result, if it is a long kind, and then the result without them."""
    if isinstance(result, FacesFound | PhotoFound | PictureFound | StretchFound):
        for faces in _groups(result.faces):
            yield Portion(faces=faces)
        yield replace(result, faces=())
    elif isinstance(result, Details):
        for pictures in _groups(result.pictures):
            yield Portion(pictures=pictures)
        numbers = () if result.second is None else result.second
        for start in range(0, len(numbers), PORTION_NUMBERS):
            yield Portion(second=result.second[start : start + PORTION_NUMBERS])  # type: ignore[index]
        yield Details((), None)  # type: ignore[misc]  # as of every result, without its long part
    else:
        yield result


class Collected:
    """The portions of the result of one order, as they come; without an order there are none."""

    def __init__(self, order: Order | None) -> None:
        self._order = order
        self._faces: list[Face] = []
        self._pictures: list[bytes] = []
        self._second: list[Vector] = []

    def add(self, portion: Portion) -> None:
        """Keep a portion.

        Raises:
            WireError: the order has no such result, or there are more faces than any video shows.
        """
        if not self._was_asked_for(portion):
            raise WireError("it sent what it was not asked for")
        self._faces += portion.faces
        self._pictures += portion.pictures
        if portion.second is not None:
            self._second.append(portion.second)
        if len(self._faces) > MOST_FACES:
            raise WireError(f"{len(self._faces)} faces are too many")

    def _was_asked_for(self, portion: Portion) -> bool:
        match self._order:
            case VideoOrder() | PictureOrder():
                is_bare = not any(
                    one.crop or one.chip or one.second is not None for one in portion.faces
                )
                return is_bare and not portion.pictures and portion.second is None
            case PhotoOrder():
                return not portion.pictures and portion.second is None
            case DetailsOrder():
                return not portion.faces
        return False

    def complete(self, result: Result) -> Result:
        """Return a result with the portions that came before it."""
        if isinstance(result, FacesFound | PhotoFound | PictureFound):
            return replace(result, faces=(*self._faces, *result.faces))
        if isinstance(result, Details):
            numbers = [*self._second, *([] if result.second is None else [result.second])]
            joined = np.concatenate(numbers) if numbers else None
            return Details((*self._pictures, *result.pictures), joined)
        return result


def _groups(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    """Group what fits into a portion; each group holds at least one."""
    group: list[Item] = []
    taken = 0
    for item in items:
        size = len(item) if isinstance(item, bytes) else _size(item)
        if group and taken + size > PORTION_BYTES:
            yield tuple(group)
            group, taken = [], 0
        group.append(item)
        taken += size
    if group:
        yield tuple(group)


def _size(face: Face) -> int:
    again = 0 if face.second is None else face.second.nbytes
    return FACE_BYTES + len(face.crop) + len(face.chip) + again
