"""Pyramids: a picture at ever smaller sizes, all on one canvas, laid out as dlib does or thinly.

The detector only sees faces of about 80 pixels; at some level of the pyramid each face has that
size. `lay_out` and `paint` follow dlib to the pixel (dlib/image_transforms/image_pyramid.h,
pyramid_down<6>, and resize_bilinear in dlib/cuda/cpu_dlib.cpp); `lay_out_thin` and `paint_blocks`
do with less.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from function.engines import RgbImage
from function.engines.dlib_rewrites import BLOCK_PIXELS

Canvas: TypeAlias = NDArray[Any]
"""(1, height, width, channels): pixel values, and the mean colour between levels."""

LEVEL_RATE = 5 / 6
"""Each of dlib's levels has this share of the sides of the one before it."""

THIN_RATE = 0.618
"""The same for a thin pyramid: the golden ratio, by which two levels side by side are as wide as
the one before them. The detector sees nine frontal faces of ten where they are 68 to 97 pixels
wide, and half from 62 to 109 on: hardly one is missed at two levels in a row."""

SMALLEST_THIN_SIDE = 40
"""Of a face that fills more than such a level the detector sees too little."""

SMALLEST_LEVEL_ROWS = 5

GAP = 10
"""Pixels between two levels."""

BORDER = 11
"""Pixels around all levels."""

NARROWEST_PICTURE = GAP
"""Below this dlib's layout has no room for a level; no face is that small."""


@dataclass(frozen=True)
class Tile:
    """Where one level lies on the canvas, in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Layout:
    """A canvas' size, and the levels on it from the largest on: dlib's, or those of a thin one."""

    width: int
    height: int
    tiles: tuple[Tile, ...]
    is_thin: bool = False


def lay_out(width: int, height: int) -> Layout:
    """Lay the pyramid of a picture out in two columns: down on the left, up again on the right.

    The smallest levels are left out where the right column meets the picture itself.
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


def lay_out_thin(width: int, height: int) -> Layout:
    """Lay fewer levels out, each of THIN_RATE of the sides of the one before it, as a spiral.

    One goes below, the next beside that one, the next below again, and so on: the canvas is hardly
    larger than its levels, and less than half of the one that dlib would paint.
    """
    tiles: list[Tile] = []
    left = top = BORDER
    level_width, level_height = width, height
    while not tiles or min(level_width, level_height) >= SMALLEST_THIN_SIDE:
        tiles.append(Tile(left, top, level_width, level_height))
        if len(tiles) % 2:
            top += level_height + GAP
        else:
            left += level_width + GAP
        level_width, level_height = round(THIN_RATE * level_width), round(THIN_RATE * level_height)
    right = max(tile.left + tile.width for tile in tiles)
    bottom = max(tile.top + tile.height for tile in tiles)
    return Layout(right + BORDER, bottom + BORDER, tuple(tiles), is_thin=True)


def _level_sizes(width: int, height: int) -> Iterator[tuple[int, int]]:
    while width > 0 and height >= SMALLEST_LEVEL_ROWS:
        yield width, height
        width, height = math.floor(LEVEL_RATE * width), math.floor(LEVEL_RATE * height)


def _column_rows(sizes: list[tuple[int, int]]) -> int:
    """Count the rows of the left column: it ends where the other levels fit beside it.

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
    """Paint every level of a picture onto a canvas of the mean colour: float32, three channels.

    Floats keep what resizing leaves between whole numbers, as dlib does. Each level is resized from
    the one before it, corner to corner: half-pixel resizing, as most libraries do it, moves boxes.
    """
    canvas = np.empty((layout.height, layout.width, 3), np.float32)
    for larger, smaller in pairwise(_paint_first(image, layout, canvas, mean_colour)):
        _resize(larger, smaller)
    return canvas[None]


def paint_blocks(
    image: RgbImage, layout: Layout, mean_colour: tuple[float, float, float]
) -> Canvas:
    """Paint like `paint`, in bytes and by half pixels: a quarter of the memory and of the time.

    Four neighbours in a row are one pixel of twelve channels (see dlib_rewrites.join_columns).
    """
    columns = layout.width + -layout.width % BLOCK_PIXELS
    canvas = np.empty((layout.height, columns, 3), np.uint8)
    red, green, blue = map(round, mean_colour)
    for larger, smaller in pairwise(_paint_first(image, layout, canvas, (red, green, blue))):
        cv2.resize(larger, smaller.shape[1::-1], dst=smaller, interpolation=cv2.INTER_LINEAR)
    return canvas.reshape(1, layout.height, -1, 3 * BLOCK_PIXELS)


def _paint_first(
    image: NDArray[np.uint8],
    layout: Layout,
    canvas: NDArray[Any],
    colour: tuple[float, float, float],
) -> list[NDArray[Any]]:
    """Paint a canvas (height, width, channels) and its first level; return the places of all."""
    canvas[0] = colour
    canvas[1:] = canvas[0]  # whole rows at once are five times as fast
    levels = [
        canvas[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
        for tile in layout.tiles
    ]
    levels[0][:] = image
    return levels


def _resize(source: NDArray[Any], target: NDArray[Any]) -> None:
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
