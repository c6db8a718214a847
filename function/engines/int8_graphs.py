"""The detector in whole numbers: filters and maps of 8 bits, for a third of the time.

Each map is stored as 0 to 255 steps of one size, chosen so that the largest value the map was seen
to take still fits; a larger one is cut off. Filters have steps of their own for each channel. The
pattern of Quantize and Dequantize nodes is what onnxruntime turns into integer convolutions
(its page "Quantize ONNX Models", format QDQ).
"""

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from function.engines.dlib_rewrites import (
    fill_blocks,
    fold,
    join_columns,
    split_last,
    split_ranks,
)
from function.engines.dlib_weights import Convolution, DetectionLoss, DlibNet, Layer, Relu
from function.engines.graph_writer import GraphWriter

RANGES = (
    *((0.0, 6.4), (0.0, 9.2), (0.0, 5.2), (0.0, 4.6), (0.0, 7.0)),
    *((-9.8, 7.3), (0.0, 13.2), (-1.98, 0.51)),
)
"""Smallest and largest value in each map that a convolution reads, from the second one on: what the
demo's photographs reach and a margin of 3 % (`python -m tools.bench.int8` measures them)."""

RANKS = 32
"""The last convolution of 5x5 is split in two over so many maps, at a quarter of its cost: they
keep 96 % of its filters, and the scores of 700 faces correlate by 0.9997."""

STEPS = 255
FILTER_STEPS = 63
"""Seven bits: processors without VNNI add two products of map and filter in 16 bits, and cut off in
silence what does not fit. With 127 steps scores were wrong by up to 0.75 there."""


def int8_detector_graph(net: DlibNet[DetectionLoss]) -> bytes:
    """Write the detector: `canvas` uint8 (1, height, blocks, 12) to `scores` (1, 1, rows, columns).

    The canvas holds pixels in blocks of four (see dlib_rewrites.join_columns); what is 0 for dlib
    is the mean colour here. Scores are floats.
    """
    first, relu, *layers = fast_layers(net)
    writer = GraphWriter()
    planes = writer.add("Transpose", "canvas", perm=[0, 3, 1, 2])
    pixels = _Quantized(writer, planes, step=1.0, zero=0)
    joined = pixels.convolve(join_columns(_convolution(first)), strides=(2, 1))
    name = writer.add(_operator(relu), joined)
    columns_of = len(_convolution(first).filters)
    ranges = iter(RANGES)
    for layer in layers:
        if isinstance(layer, Convolution):
            name = _quantize(writer, name, *next(ranges), columns_of).convolve(layer)
            columns_of = 0
        else:
            name = writer.add(_operator(layer), name)
    canvas = helper.make_tensor_value_info("canvas", TensorProto.UINT8, [1, "height", "blocks", 12])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1, "rows", "columns"])
    return writer.finish("detector", canvas, scores)


def fast_layers(net: DlibNet[DetectionLoss]) -> list[Layer]:
    """Rewrite the detector's layers into those that are written here, but for joined columns."""
    *before, last_but_one, relu, last = fold(net)
    down, across = split_ranks(_convolution(last_but_one), RANKS)
    return split_last(fill_blocks([*before, down, across, relu, last]))


class _Quantized:
    """A map of bytes in the graph; a byte b means (b - zero) * step."""

    def __init__(self, writer: GraphWriter, name: str, step: float, zero: int) -> None:
        self._writer, self._step = writer, step
        scale = writer.constant(np.array(step, np.float32))
        offset = writer.constant(np.array(zero, np.uint8))
        self._values = writer.add("DequantizeLinear", name, scale, offset)

    def convolve(self, layer: Convolution, strides: tuple[int, int] | None = None) -> str:
        """Write a convolution over this map, and return the name of its result.

        `strides` of rows and columns replace the layer's own.
        """
        writer = self._writer
        steps = _filter_steps(layer)
        filters = np.round(layer.filters / steps[:, None, None, None]).astype(np.int8)
        bias_steps = steps * np.float32(self._step)
        biases = np.round(layer.biases / bias_steps).astype(np.int32)
        return writer.add(
            "Conv",
            self._values,
            _stored(writer, filters, steps),
            _stored(writer, biases, bias_steps),
            kernel_shape=list(layer.filters.shape[2:]),
            strides=list(strides or (layer.stride, layer.stride)),
            pads=[*layer.padding, *layer.padding],
        )


def _quantize(
    writer: GraphWriter, name: str, smallest: float, largest: float, columns_of: int = 0
) -> _Quantized:
    """Store a map in bytes; one of joined columns is parted into those of `columns_of` channels.

    As bytes, because there onnxruntime keeps channels last, and parting moves nothing.
    """
    step = (largest - smallest) / STEPS
    zero = round(-smallest / step)
    scale = writer.constant(np.array(step, np.float32))
    stored = writer.add("QuantizeLinear", name, scale, writer.constant(np.array(zero, np.uint8)))
    if columns_of:
        stored = _part_columns(writer, stored, columns_of)
    return _Quantized(writer, stored, step, zero)


def _part_columns(writer: GraphWriter, name: str, channels: int) -> str:
    """Undo what join_columns did: of the channels of a place make places side by side."""
    rows = writer.add("Transpose", name, perm=[0, 2, 3, 1])
    shape = writer.constant(np.array([0, 0, -1, channels]))
    parted = writer.add("Reshape", rows, shape)
    return writer.add("Transpose", parted, perm=[0, 3, 1, 2])


def _stored(writer: GraphWriter, numbers: NDArray[np.integer], steps: NDArray[np.float32]) -> str:
    """Write whole numbers that mean multiples of `steps`, one for each first index."""
    zeros = writer.constant(np.zeros(len(steps), numbers.dtype))
    return writer.add(
        "DequantizeLinear", writer.constant(numbers), writer.constant(steps), zeros, axis=0
    )


def _filter_steps(layer: Convolution) -> NDArray[np.float32]:
    largest = np.abs(layer.filters).max(axis=(1, 2, 3))
    steps: NDArray[np.float32] = np.where(largest > 0, largest / FILTER_STEPS, 1).astype(np.float32)
    return steps


def _operator(layer: Layer) -> str:
    if not isinstance(layer, Relu):
        raise TypeError(f"{type(layer).__name__} is not written in 8 bits")
    return "Relu"


def _convolution(layer: Layer) -> Convolution:
    if not isinstance(layer, Convolution):
        raise TypeError(f"{type(layer).__name__} stands where a convolution should")
    return layer
