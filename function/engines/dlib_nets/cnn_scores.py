"""Reads the CNN's map of scores on a canvas as detections, as dlib's loss_mmod does.

The arithmetic follows dlib (loss_mmod_ in dlib/dnn/loss.h, point_up of pyramid_down<6>,
test_box_overlap), down to the order of operations where a rounding depends on it.
"""

import numpy as np
from numpy.typing import NDArray

from function.engines.dlib_nets.layers import DetectionLoss
from function.engines.dlib_nets.pyramid import Layout
from function.engines.protocol import Box, Detection

CELL_PIXELS = 8
"""Three convolutions of stride 2: the distance from one cell of the score map to the next."""

FIRST_CELL_CENTRE = 14
"""Three unpadded 5x5 convolutions: 2, then 2 * 2 + 2, then 2 * 6 + 2."""

_UP_FACTOR, _UP_SHIFT = 6 / 5, 0.3
"""dlib's mapping from a level's pixels to those of the level before it."""


def read_scores(
    scores: NDArray[np.float32], layout: Layout, loss: DetectionLoss
) -> list[Detection]:
    """Read the faces from the detector's map of scores (rows, columns), most certain first.

    A positive score means a face of the window's size around the cell's centre.
    """
    rows, columns = np.nonzero(scores > 0)
    confidences = scores[rows, columns]
    order = np.argsort(-confidences, kind="stable")
    cells = np.stack([columns[order], rows[order]], axis=1)
    boxes = _boxes(cells * CELL_PIXELS + FIRST_CELL_CENTRE, layout, loss)
    kept = _without_repeats(boxes, loss)
    ranked = confidences[order]
    return [Detection(Box(*boxes[index].tolist()), float(ranked[index])) for index in kept]


def _boxes(centres: NDArray[np.intp], layout: Layout, loss: DetectionLoss) -> NDArray[np.intp]:
    """Turn centres on the canvas (n, 2 as x, y) into boxes in the picture (n, 4)."""
    tiles = np.array([(t.left, t.top, t.width, t.height) for t in layout.tiles])
    corners = tiles[:, :2]
    levels = _levels(centres, corners, corners + tiles[:, 2:] - 1)
    reach = (np.array([loss.window_width, loss.window_height]) - 1) / 2
    middle = centres - corners[levels]
    edges = np.concatenate([middle - reach, middle + reach], axis=1)
    edges = _up_pyramid(edges, levels)
    rounded = np.copysign(np.floor(np.abs(edges) + 0.5), edges)  # halves are rounded away from zero
    boxes: NDArray[np.intp] = rounded.astype(np.intp)
    return boxes


def _up_pyramid(edges: NDArray[np.float64], levels: NDArray[np.intp]) -> NDArray[np.float64]:
    edges = edges.copy()
    for depth in range(levels.max(initial=0)):
        deeper = levels > depth
        edges[deeper] = edges[deeper] * _UP_FACTOR + _UP_SHIFT
    return edges


def _levels(
    centres: NDArray[np.intp], first: NDArray[np.intp], last: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Find the level that each centre is in, or else the nearest one."""
    nearest = np.clip(centres[:, None], first, last)
    squares = ((nearest - centres[:, None]) ** 2).sum(axis=2)
    levels: NDArray[np.intp] = squares.argmin(axis=1)
    return levels


def _without_repeats(boxes: NDArray[np.intp], loss: DetectionLoss) -> list[int]:
    """Choose boxes in order, leaving out each that overlaps one already chosen."""
    kept: list[int] = []
    for index in range(len(boxes)):
        if not _overlaps(boxes[index], boxes[kept], loss).any():
            kept.append(index)
    return kept


def _overlaps(
    box: NDArray[np.intp], others: NDArray[np.intp], loss: DetectionLoss
) -> NDArray[np.bool_]:
    shared = _areas(np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:]))
    around = _areas(np.minimum(box[:2], others[:, :2]), np.maximum(box[2:], others[:, 2:]))
    smaller = np.minimum(_areas(others[:, :2], others[:, 2:]), _areas(box[None, :2], box[None, 2:]))
    overlaps: NDArray[np.bool_] = (shared > loss.most_overlap * around) | (
        shared > loss.most_covered * smaller
    )
    return overlaps


def _areas(first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
    areas: NDArray[np.intp] = np.maximum(last - first + 1, 0).prod(axis=1)
    return areas
