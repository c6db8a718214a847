"""YuNet under onnxruntime: finds candidate faces in pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from function.engines.onnx.graph_cache import GraphCache
from function.engines.onnx.graphs import Kind, read_graph
from function.engines.onnx.sessions import open_session
from function.engines.protocol import EngineOptions
from function.engines.weights import YUNET_WEIGHTS
from function.media.pictures import RgbImage

COARSEST_STRIDE = 32

SAME_FACE_OVERLAP = 0.3
"""Of two candidates that share more than this of their union, the more certain one stays (as in
OpenCV's own FaceDetectorYN)."""

MOST_CELLS = 500
"""Of the cells that detect a face, at most this many are read, the most certain ones: otherwise a
picture full of faces would take seconds. A face is detected by two to ten cells."""

STRIDES = (8, 16, 32)
"""A cell of the three grids covers this many pixels on each side."""

CELL_NUMBERS = 16
"""What each cell holds: class, box (4), object, points (10)."""

LARGEST_SIDE = 5.0
"""Sides are logarithms, in cells; no face is 150 cells wide, nor infinite."""

_GRAPH = Kind(lambda path: path, "yunet.graph", "yunet_graph")
_ROUNDING = 0.01  # so that no cell is left out that a sigmoid in 32 bits would let through
_CLASS, _MIDDLE, _SIDES, _OBJECT, _POINTS = 0, slice(1, 3), slice(3, 5), 5, slice(6, 16)


@dataclass(frozen=True, eq=False)
class Guesses:
    """Where faces may be in one picture, in its pixels; several cells may detect the same face.

    `scores` (n,) from 0 to 1; `boxes` (n, 4) as left, top, right, bottom; `points` (n, 5, 2) as x,
    y: the eyes, the tip of the nose, the corners of the mouth; of each pair first the one on the
    left of an upright face.
    """

    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]
    points: NDArray[np.float32]

    def without_repeats(self) -> "Guesses":
        """Return the most certain candidate of each face, the most certain face first."""
        left = np.argsort(-self.scores, kind="stable")[:MOST_CELLS]
        kept: list[int] = []
        while len(left):
            surest, left = int(left[0]), left[1:]
            kept.append(surest)
            shares = share_of_union(self.boxes[surest], self.boxes[left])
            left = left[shares <= SAME_FACE_OVERLAP]
        return Guesses(self.scores[kept], self.boxes[kept], self.points[kept])


_NOTHING = Guesses(
    np.empty(0, np.float32), np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32)
)


class YunetNet:
    """The net; safe to use from several threads."""

    def __init__(self, session: Any, *, is_on_gpu: bool = False) -> None:
        self._session = session
        self.is_on_gpu = is_on_gpu

    def look(self, pictures: Sequence[RgbImage], least_score: float) -> list[Guesses]:
        """Search pictures of one size; it finds faces of 11 to about 400 pixels."""
        grids = self._session.run(None, {"pixels": _stack(pictures)})
        return _read(grids, least_score, len(pictures))

    def look_at_each(self, pictures: Sequence[RgbImage], least_score: float) -> list[Guesses]:
        """Search pictures of different sizes: each apart, or on a GPU those of one size in one run.

        On a CPU that would be no faster.
        """
        found: dict[int, Guesses] = {}
        for number, picture in enumerate(pictures):
            if number in found:
                continue
            alike = [number]
            if self.is_on_gpu:
                alike = [n for n, one in enumerate(pictures) if one.shape == picture.shape]
            looks = self.look([pictures[one] for one in alike], least_score)
            found |= dict(zip(alike, looks, strict=True))
        return [found[number] for number in range(len(pictures))]


def load_yunet(options: EngineOptions, cache: GraphCache) -> YunetNet:
    """Load YuNet, from the cache or else from the package that carries its weights.

    It runs on the CPU unless `options.nets` has it, whatever `options.device` is: a GPU takes half
    a second for a look of 1 ms whenever the size of the picture changes.

    Raises:
        EngineUnavailableError: the package is missing or carries a different file.
    """
    if options.nets:
        return YunetNet(options.nets.net("yunet"), is_on_gpu=True)
    return YunetNet(open_session(read_yunet(cache), replace(options, device="cpu")))


def read_yunet(cache: GraphCache) -> bytes:
    """Return YuNet as a graph; raises as `load_yunet`."""
    return read_graph(_GRAPH, YUNET_WEIGHTS, cache)


def _stack(pictures: Sequence[RgbImage]) -> RgbImage:
    """Stack pictures (height, width, 3), padded with black below and on the right for the grids."""
    height, width = pictures[0].shape[:2]
    rows, columns = (side + -side % COARSEST_STRIDE for side in (height, width))
    if (rows, columns) == (height, width):
        return np.stack(pictures)
    stack = np.zeros((len(pictures), rows, columns, 3), np.uint8)
    stack[:, :height, :width] = pictures
    return stack


def _read(grids: Sequence[NDArray[np.float32]], least_score: float, pictures: int) -> list[Guesses]:
    """Read the cells of all grids (pictures, 16, rows, columns) that show a face.

    As OpenCV's FaceDetectorYN reads them (modules/objdetect/src/face_detect.cpp).
    """
    found = [
        _read_cells(stride, grid, cells)
        for stride, grid in zip(STRIDES, grids, strict=True)
        if len(cells := _find_cells(grid, least_score))
    ]
    if not found:
        return [_NOTHING] * pictures
    shown_in, corners, strides, numbers = map(np.concatenate, zip(*found, strict=True))
    scores = np.sqrt(_sigmoid(numbers[:, _CLASS]) * _sigmoid(numbers[:, _OBJECT]))
    middles = corners + numbers[:, _MIDDLE] * strides
    reaches = np.exp(np.minimum(numbers[:, _SIDES], LARGEST_SIDE)) * strides / 2
    boxes = np.concatenate([middles - reaches, middles + reaches], axis=1)
    points = numbers[:, _POINTS].reshape(-1, 5, 2) * strides[:, None] + corners[:, None]
    rows = [np.flatnonzero((shown_in == one) & (scores > least_score)) for one in range(pictures)]
    return [Guesses(scores[own], boxes[own], points[own]) for own in rows]


def _find_cells(grid: NDArray[np.float32], least_score: float) -> NDArray[np.intp]:
    """Find the cells of one grid that may score enough, counted through all pictures.

    A score is the root of two factors, both at most 1. So the one that says if there is anything
    rules out 99 cells in 100, and the other need not be computed for them.
    """
    least = least_score**2
    least_number = np.float32(log(least / (1 - least)) - _ROUNDING)
    return np.flatnonzero(grid[:, _OBJECT] > least_number)


def _read_cells(
    stride: int, grid: NDArray[np.float32], cells: NDArray[np.intp]
) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Read some cells of one grid.

    Returns the picture that each is of, its corner in pixels (n, 2), its stride (n, 1) and its
    numbers (n, 16).
    """
    pictures, _, rows, columns = grid.shape
    shown_in, places = np.divmod(cells, rows * columns)
    down, across = np.divmod(places, columns)
    corners = np.stack([across, down], axis=1).astype(np.float32) * np.float32(stride)
    strides = np.full((len(cells), 1), stride, np.float32)
    return shown_in, corners, strides, grid.reshape(pictures, CELL_NUMBERS, -1)[shown_in, :, places]


def _sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-values))).astype(np.float32)


def share_of_union(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure what a box (4,) shares with each of others (n, 4), as a share of their union."""
    shared, own, others_own = _areas(box, others)
    return (shared / np.maximum(own + others_own - shared, 1e-9)).astype(np.float32)


def share_of_smaller(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure what a box (4,) shares with each of others (n, 4), as a share of the smaller."""
    shared, own, others_own = _areas(box, others)
    return (shared / np.maximum(np.minimum(own, others_own), 1e-9)).astype(np.float32)


def _areas(
    box: NDArray[np.float32], others: NDArray[np.float32]
) -> tuple[NDArray[np.float32], np.floating, NDArray[np.float32]]:
    starts, ends = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.maximum(ends - starts, 0).prod(axis=1)
    return shared, (box[2:] - box[:2]).prod(), (others[:, 2:] - others[:, :2]).prod(axis=1)
