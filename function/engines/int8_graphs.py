"""The detector in whole numbers: filters and maps of 8 bits, for two fifths of the time.

Each map is stored as 0 to 255 steps of one size, chosen so that the largest value the map was seen
to take still fits; a larger one is cut off. Filters have steps of their own for each channel. The
pattern of Quantize and Dequantize nodes is what onnxruntime turns into integer convolutions
(its page "Quantize ONNX Models", format QDQ).
"""

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from function.engines.dlib_rewrites import fill_blocks, fold, pair_columns, split_last
from function.engines.dlib_weights import Convolution, DetectionLoss, DlibNet, Relu
from function.engines.graph_writer import GraphWriter

LARGEST_VALUES = (5.9, 9.9, 5.7, 4.9, 6.5, 11.6)
"""The largest value in the map after each Relu, on the demo's photographs and a margin of 3 %
(`python -m tools.bench.int8` measures them)."""

ROW_SUMS = (-1.83, 0.49)
"""Smallest and largest value of the last convolution's rows, likewise."""

STEPS = 255
FILTER_STEPS = 127


def int8_detector_graph(net: DlibNet[DetectionLoss]) -> bytes:
    """Write the detector: `canvas` uint8 (1, height, pairs, 8) to `scores` (1, 1, rows, columns).

    The canvas holds pixels in pairs (see pyramid.paint_pairs); what is 0 for dlib is the mean
    colour here. Scores are floats.
    """
    first, *maps, across, down = split_last(fill_blocks(fold(net)))
    writer = GraphWriter()
    planes = writer.add("Transpose", "canvas", perm=[0, 3, 1, 2])
    current = _Quantized(writer, planes, step=1.0, zero=0)
    name = current.convolve(pair_columns(_convolution(first)), strides=(2, 1))
    largest = iter(LARGEST_VALUES)
    for layer in maps:
        if isinstance(layer, Convolution):
            name = current.convolve(layer)
        elif isinstance(layer, Relu):
            current = _quantize(writer, writer.add("Relu", name), 0.0, next(largest))
        else:
            raise TypeError(f"{type(layer).__name__} is not written in 8 bits")
    rows = _quantize(writer, current.convolve(_convolution(across)), *ROW_SUMS)
    rows.convolve(_convolution(down))
    canvas = helper.make_tensor_value_info("canvas", TensorProto.UINT8, [1, "height", "pairs", 8])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1, "rows", "columns"])
    return writer.finish("detector", canvas, scores)


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


def _quantize(writer: GraphWriter, name: str, smallest: float, largest: float) -> _Quantized:
    step = (largest - smallest) / STEPS
    zero = round(-smallest / step)
    scale = writer.constant(np.array(step, np.float32))
    stored = writer.add("QuantizeLinear", name, scale, writer.constant(np.array(zero, np.uint8)))
    return _Quantized(writer, stored, step, zero)


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


def _convolution(layer: object) -> Convolution:
    if not isinstance(layer, Convolution):
        raise TypeError(f"{type(layer).__name__} stands where a convolution should")
    return layer
