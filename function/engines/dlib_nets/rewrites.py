"""Rewrites dlib's layers as others that compute the same and run faster.

Each rewrite is exact except for the order in which floats are added.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from function.engines.dlib_nets.layers import (
    Affine,
    Convolution,
    DetectionLoss,
    DlibNet,
    Layer,
    MetricLoss,
)

PIXEL_SCALE = 256.0
"""dlib feeds (pixel - mean) / 256 (dlib/dnn/input.h)."""

BLOCK_CHANNELS = 16
"""onnxruntime's fast convolutions need channels in multiples of 16 (8 without AVX512)."""


def fold(net: DlibNet[MetricLoss] | DlibNet[DetectionLoss]) -> list[Layer]:
    """Fold the input's scaling and each affine layer into the adjacent convolution.

    The result takes pixels from 0 to 255 as they are. This is exact for the input because the first
    convolution is not padded: padding would have to be the mean colour.
    """
    first, *others = net.layers
    if not isinstance(first, Convolution) or any(first.padding):
        raise ValueError("the first layer is not an unpadded convolution")
    folded: list[Layer] = [_reading_pixels(first, net.means)]
    for layer in others:
        before = folded[-1]
        if isinstance(layer, Affine) and isinstance(before, Convolution):
            folded[-1] = _scaled(before, layer)
        else:
            folded.append(layer)
    return folded


def _reading_pixels(first: Convolution, means: tuple[float, float, float]) -> Convolution:
    filters = first.filters.astype(np.float64) / PIXEL_SCALE
    biases = first.biases - np.einsum("oikl,i->o", filters, np.array(means))
    return _with_weights(first, filters, biases)


def _scaled(convolution: Convolution, affine: Affine) -> Convolution:
    filters = convolution.filters * affine.factors[:, None, None, None]
    biases = convolution.biases * affine.factors + affine.summands
    return _with_weights(convolution, filters, biases)


def fill_blocks(layers: Iterable[Layer]) -> Iterator[Layer]:
    """Add filters of zeros until every convolution has a multiple of BLOCK_CHANNELS.

    Only for sequences of convolutions and Relu. The detector's 45 channels run a third faster
    as 48.
    """
    added = 0
    for layer in layers:
        if not isinstance(layer, Convolution):
            yield layer
            continue
        more = -len(layer.filters) % BLOCK_CHANNELS
        filters = np.pad(layer.filters, ((0, more), (0, added), (0, 0), (0, 0)))
        yield _with_weights(layer, filters, np.pad(layer.biases, (0, more)))
        added = more


def split_last(layers: Iterable[Layer]) -> list[Layer]:
    """Split the last convolution, of one filter, by its rows: nine of 1x9, added by one of 9x1.

    One filter fills a block of channels with 15 unused ones, over all 81 places; its rows share a
    block, over 9 places.
    """
    *before, last = layers
    if not isinstance(last, Convolution):
        raise TypeError("the last layer is not a convolution")
    filters = last.filters[0]  # (in, rows, columns)
    rows = filters.shape[1]
    vertical, horizontal = last.padding
    by_row = np.zeros((BLOCK_CHANNELS, len(filters), 1, filters.shape[2]))
    by_row[:rows, :, 0] = filters.transpose(1, 0, 2)
    adding = np.zeros((1, BLOCK_CHANNELS, rows, 1))
    adding[0, range(rows), range(rows), 0] = 1
    across = _with_weights(replace(last, padding=(0, horizontal)), by_row, np.zeros(BLOCK_CHANNELS))
    down = _with_weights(replace(last, padding=(vertical, 0)), adding, last.biases[:1])
    return [*before, across, down]


def _with_weights(
    convolution: Convolution,
    filters: NDArray[np.floating],
    biases: NDArray[np.floating],
) -> Convolution:
    return replace(
        convolution, filters=filters.astype(np.float32), biases=biases.astype(np.float32)
    )
