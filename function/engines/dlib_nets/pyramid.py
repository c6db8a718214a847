"""Pyramids: a picture at smaller and smaller sizes, all on one canvas, laid out as in dlib.

dlib's CNN finds only faces of about 80 pixels; at some level of the pyramid each face has that
size. Everything follows dlib to the pixel (dlib/image_transforms/image_pyramid.h, pyramid_down<6>,
and resize_bilinear in dlib/cuda/cpu_dlib.cpp).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from function.media.pictures import RgbImage

Canvas: TypeAlias = NDArray[np.float32]
"""(1, height, width, 3): pixel values, and the mean colour between levels."""

LEVEL_RATE = 5 / 6
"""Each of dlib's levels has this share of the sides of the one before it."""

SMALLEST_LEVEL_ROWS = 5

GAP = 10
"""Pixels between two levels."""

BORDER = 11
"""Pixels around all levels."""


@dataclass(frozen=True)
class Tile:
    """Where one level is on the canvas, in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Layout:
    """A canvas' size, and the levels on it, largest first."""

    width: int
    height: int
    tiles: tuple[Tile, ...]


def lay_out(width: int, height: int) -> Layout:
    """Lay out the pyramid of a picture in two columns: down on the left, up again on the right.

    The smallest levels are left out if the right column meets the picture itself.
    """
    sizes = list(_level_sizes(width, height))
    rows = _column_rows(sizes)
    tiles = _left_column(sizes, rows)
    bottom = tiles[-1].top + tiles[-1].height
    for level_width, level_height in sizes[len(tiles) :]:
        top = bottom - level_height
        left = BORDER + width - level_width
        if top < BORDER + height:
            break
        tiles.append(Tile(left, top, level_width, level_height))
        bottom = top - GAP
    return Layout(width + 2 * BORDER, rows + 2 * BORDER, tuple(tiles))


def _level_sizes(width: int, height: int) -> Iterator[tuple[int, int]]:
    while width > 0 and height >= SMALLEST_LEVEL_ROWS:
        yield width, height
        width, height = math.floor(LEVEL_RATE * width), math.floor(LEVEL_RATE * height)


def _column_rows(sizes: list[tuple[int, int]]) -> int:
    """Count the rows of the left column: it ends where the other levels fit next to it.

    dlib compares unsigned numbers, so a gap that would be negative counts as wide enough.
    """
    first_width, first_height = sizes[0]
    total = sum(height + GAP for _, height in sizes) - 2 * GAP
    rows = previous_width = 0
    for width, height in sizes:
        free = first_width - previous_width - GAP
        is_half_done = (rows - first_height) * 2 >= total - first_height
        if rows and is_half_done and (free < 0 or width <= free):
            break
        rows += height + GAP
        previous_width = width
    return rows - GAP


def _left_column(sizes: list[tuple[int, int]], rows: int) -> list[Tile]:
    tiles: list[Tile] = []
    top = BORDER
    for width, height in sizes:
        if top >= rows + BORDER:
            break
        tiles.append(Tile(BORDER, top, width, height))
        top += height + GAP
    return tiles


def paint(image: RgbImage, layout: Layout, mean_colour: tuple[float, float, float]) -> Canvas:
    """Paint every level of a picture on a canvas of the mean colour: float32, three channels.

    Floats keep the fractions that resizing produces, as dlib does. Each level is resized from the
    one before it, corner to corner: half-pixel resizing, as most libraries do it, moves boxes.
    """
    canvas = np.empty((layout.height, layout.width, 3), np.float32)
    canvas[0] = mean_colour
    canvas[1:] = canvas[0]  # whole rows at once are five times as fast
    levels = [
        canvas[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
        for tile in layout.tiles
    ]
    levels[0][:] = image
    for larger, smaller in pairwise(levels):
        _resize(larger, smaller)
    return canvas[None]


def _resize(source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
    """Fill `target` with `source`, resized so that the centres of the corner pixels coincide."""
    rows, columns = target.shape[:2]
    across = (source.shape[1] - 1) / max(columns - 1, 1)
    down = (source.shape[0] - 1) / max(rows - 1, 1)
    cv2.warpAffine(
        source,
        np.array([[across, 0, 0], [0, down, 0]]),
        (columns, rows),
        dst=target,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
