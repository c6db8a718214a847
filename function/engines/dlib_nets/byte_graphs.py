"""Writes dlib's encoder as a graph that multiplies bytes in part: faster where a processor can.

Six of the 14 blocks take bytes: those that move encodings least for the time they save. What each
of their convolutions takes is rounded to 256 levels, and its filters to 255. What a block adds to
the map on which it started is rounded too, but the sum is not, so errors do not pile up. Over 568
faces, encodings averaged with those of the mirror images move by 0.0083 (mean; 0.0112 at the 95th
percentile, 0.0151 at most), where two photographs of one person are 0.43 apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from function.engines.dlib_nets.float_graphs import Steps, write_encoder
from function.engines.dlib_nets.layers import Convolution, DlibNet, MetricLoss
from function.engines.onnx.graph_writer import GraphWriter


@dataclass(frozen=True)
class Ranges:
    """What the two convolutions of a block take, from 0 to these numbers, and what they add."""

    first: float
    second: float
    added: tuple[float, float]


BLOCKS = {
    5: Ranges(15.5, 5.94, (-6.21, 8.27)),
    6: Ranges(18.1, 5.99, (-5.73, 7.05)),
    7: Ranges(18.4, 5.75, (-4.48, 7.0)),
    8: Ranges(9.18, 4.22, (-4.58, 4.53)),
    9: Ranges(9.69, 4.91, (-5.22, 5.13)),
    12: Ranges(13.8, 2.91, (-2.67, 2.28)),
}
"""The blocks in bytes, counted from 0. Their ranges are 0.85 of the largest numbers over 568 faces
in photographs and clips and their mirror images. What is beyond is cut off; with finer steps for
all the others, encodings move by 0.0083 instead of 0.0093. No number that a convolution takes is
below 0, as it follows a Relu."""

_LEVELS, _FILTER_LEVELS = 255, 127


def encoder_graph_of_bytes(net: DlibNet[MetricLoss]) -> bytes:
    """Write the encoder with the inputs and outputs of `encoder_graph`, in part in bytes."""
    return write_encoder(net, _ByteSteps(GraphWriter()))


class _ByteSteps(Steps):
    """Writes each step in floats between two that round; onnxruntime makes one of them in bytes."""

    def __init__(self, writer: GraphWriter) -> None:
        super().__init__(writer)
        self._convolutions = 0
        self._between: Ranges | None = None

    def convolve(self, source: str, layer: Convolution) -> str:
        """In blocks of bytes, round what goes in, the filters, and what the block will add."""
        # Before the blocks, of two convolutions each, there is one more.
        block, is_second = divmod(self._convolutions - 1, 2)
        self._convolutions += 1
        ranges = BLOCKS.get(block)
        if ranges is None:
            return super().convolve(source, layer)
        if is_second:
            return self._round(self._convolve(source, layer, ranges.second), *ranges.added)
        self._between = ranges
        return self._convolve(self._round(source, 0.0, ranges.first), layer, ranges.first)

    def rectify(self, source: str) -> str:
        """Round what is between the convolutions of a block of bytes, for one step to make it."""
        result, ranges = super().rectify(source), self._between
        self._between = None
        return result if ranges is None else self._round(result, 0.0, ranges.second)

    def _convolve(self, source: str, layer: Convolution, most: float) -> str:
        """Convolve what was rounded from 0 to `most`."""
        filters, filter_steps = round_filters(layer.filters)
        bias_steps = (most / _LEVELS * filter_steps).astype(np.float32)
        biases = np.round(layer.biases / bias_steps).astype(np.int32)
        weights = self._unround(filters, filter_steps), self._unround(biases, bias_steps)
        return self.convolve_with(source, *weights, layer)

    def _round(self, source: str, least: float, most: float) -> str:
        step = (most - least) / _LEVELS
        zero = np.array(round(-least / step), np.uint8)
        scale = [self.writer.constant(one) for one in (np.array(step, np.float32), zero)]
        levels = self.writer.add("QuantizeLinear", source, *scale)
        return self.writer.add("DequantizeLinear", levels, *scale)

    def _unround(self, numbers: NDArray[np.signedinteger], steps: NDArray[np.float32]) -> str:
        zeros = np.zeros(len(steps), numbers.dtype)
        parts = map(self.writer.constant, (numbers, steps, zeros))
        return self.writer.add("DequantizeLinear", *parts, axis=0)


def round_filters(
    filters: NDArray[np.float32],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round filters (out, in, rows, columns) to int8, each `out` with its own step (out,).

    Neighbouring pixels are alike, and no number is below 0. So errors must cancel out over the
    places of each filter, and over all of it: of numbers near the middle between two levels, some
    go the other way. This halves the distance by which rounded filters move encodings.
    """
    steps = np.abs(filters).max(axis=(1, 2, 3)) / _FILTER_LEVELS
    exact = (filters / steps[:, None, None, None]).reshape(*filters.shape[:2], -1)
    rounded = np.round(exact)
    rounded += _cancel(exact - rounded)
    left_over = exact - rounded
    worst = np.abs(left_over).argmax(axis=2, keepdims=True)
    moves = _cancel(left_over.sum(axis=2))
    adjusted = np.take_along_axis(rounded, worst, 2) + moves[:, :, None]
    np.put_along_axis(rounded, worst, adjusted, 2)
    whole = np.clip(rounded, -_FILTER_LEVELS, _FILTER_LEVELS).astype(np.int8)
    return whole.reshape(filters.shape), steps.astype(np.float32)


def _cancel(errors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return steps of -1, 0 or 1 that bring the sum of errors along the last axis to 0.5 at most.

    The largest errors of the sum's sign are moved.
    """
    wanted = np.round(errors.sum(axis=-1, keepdims=True))
    sign = np.sign(wanted)
    ranks = np.argsort(np.argsort(-errors * sign, axis=-1), axis=-1)
    moves: NDArray[np.floating] = np.where(ranks < np.abs(wanted), sign, 0.0)
    return moves
