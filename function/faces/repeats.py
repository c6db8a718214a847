"""A face that has not changed since the frame before is counted, but not encoded again."""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from function.engines.protocol import Box, Detection
from function.media.pictures import RgbImage

Kept = TypeVar("Kept")

CELLS = 16
"""Side of the grey cells in which two pictures of a face are compared."""

MOST_READ_PIXELS = 64
"""At most this many pixels of a face's width are read."""

SAME_PLACE = 0.15
"""Two faces are in the same place if their middles are less than this apart, in face widths."""

SAME_SIZE = 1.1
"""They have the same size if neither is more than this many times as wide."""

SAME_POINTS = 0.03
"""They have the same pose if none of their points has moved by more, in face widths."""

SAME_CELLS = 0.05
"""They show the same if their cells differ by less, as a share of their brightness. The encodings
of such pairs in 70 clips, sampled every 0.2 to 1 s, are 0.13 apart (median) and 0.32 at most; it
applies to one face in four."""


@dataclass(frozen=True, eq=False)
class _Seen(Generic[Kept]):
    box: Box
    first_width: int
    points: NDArray[np.float32]
    cells: NDArray[np.float32]
    kept: Kept


class Repeats(Generic[Kept]):
    """Remembers the faces of the frame before, with something kept for each.

    The place may follow a face that moves slowly; size, turn and appearance are compared with those
    it had when it was first remembered.
    """

    def __init__(self) -> None:
        self._before: list[_Seen[Kept]] = []
        self._now: list[_Seen[Kept]] = []

    def next_frame(self) -> None:
        """Forget the frame before the last; what is remembered from now on is of the next one."""
        self._before, self._now = self._now, []

    def find(self, picture: RgbImage, face: Detection) -> Kept | None:
        """Return what is kept for this face, if the frame before showed it unchanged."""
        points = _place_points(face)
        if points is None or not self._before:
            return None
        cells = _read_cells(picture, face.box)
        for seen in self._before:
            if _shows_same(seen, face.box, points, cells):
                self._now.append(replace(seen, box=face.box))
                return seen.kept
        return None

    def remember(self, picture: RgbImage, face: Detection, kept: Kept) -> None:
        """Keep something for a face of this frame; impossible for a detector without points."""
        points = _place_points(face)
        if points is not None:
            cells = _read_cells(picture, face.box)
            self._now.append(_Seen(face.box, face.box.width, points, cells, kept))


def _shows_same(
    seen: _Seen[Kept], box: Box, points: NDArray[np.float32], cells: NDArray[np.float32]
) -> bool:
    shift = np.hypot(box.left - seen.box.left, box.top - seen.box.top)
    growth = box.width / seen.first_width
    if shift > SAME_PLACE * box.width or not 1 / SAME_SIZE < growth < SAME_SIZE:
        return False
    if np.abs(points - seen.points).max() > SAME_POINTS:
        return False
    light = cells.mean() / max(float(seen.cells.mean()), 1.0)
    difference = np.sqrt(np.square(cells - light * seen.cells).mean())
    return bool(difference < SAME_CELLS * max(float(cells.mean()), 1.0))


def _place_points(face: Detection) -> NDArray[np.float32] | None:
    """Return a face's points within its box, in face widths."""
    if face.points is None:
        return None
    corner = np.array([face.box.left, face.box.top], np.float32)
    return ((face.points - corner) / face.box.width).astype(np.float32)


def _read_cells(picture: RgbImage, box: Box) -> NDArray[np.float32]:
    height, width = picture.shape[:2]
    rows = slice(min(max(box.top, 0), height - 1), max(box.bottom + 1, 1))
    columns = slice(min(max(box.left, 0), width - 1), max(box.right + 1, 1))
    step = max(1, box.width // MOST_READ_PIXELS)  # every pixel of a large face would take 1 ms
    seen = np.ascontiguousarray(picture[rows, columns][::step, ::step])
    cells = cv2.resize(seen, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(cells, cv2.COLOR_RGB2GRAY).astype(np.float32)
