"""Writes dlib's layers as ONNX graphs, which onnxruntime runs some 25 times as fast."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from onnx import TensorProto, helper

from function.engines.dlib_nets.layers import (
    AddPrevious,
    Convolution,
    DetectionLoss,
    DlibNet,
    FullyConnected,
    Layer,
    Mark,
    MetricLoss,
    Pool,
    Relu,
)
from function.engines.dlib_nets.model import DLIB
from function.engines.dlib_nets.rewrites import fill_blocks, fold, split_last
from function.engines.onnx.graph_writer import GraphWriter


@dataclass(frozen=True)
class _Map:
    """A value in the graph: its name, and for maps of known size their channels and side."""

    name: str
    channels: int = 3
    side: int = 0


class Steps:
    """Writes the steps that take most of the time; here in floats."""

    def __init__(self, writer: GraphWriter) -> None:
        self.writer = writer

    def read(self, planes: str) -> str:
        """Make numbers of pixels, uint8; return the name of the result, as all do."""
        return self.writer.add("Cast", planes, to=TensorProto.FLOAT)

    def convolve(self, source: str, layer: Convolution) -> str:
        """Write a convolution."""
        weights = self.writer.constant(layer.filters), self.writer.constant(layer.biases)
        return self.convolve_with(source, *weights, layer)

    def convolve_with(self, source: str, filters: str, biases: str, layer: Convolution) -> str:
        """Write a convolution with these filters and biases."""
        return self.writer.add(
            "Conv",
            *(source, filters, biases),
            kernel_shape=list(layer.filters.shape[2:]),
            strides=[layer.stride] * 2,
            pads=[*layer.padding, *layer.padding],
        )

    def rectify(self, source: str) -> str:
        """Write a Relu."""
        return self.writer.add("Relu", source)


def encoder_graph(net: DlibNet[MetricLoss]) -> bytes:
    """Write the encoder: `chips` uint8 (faces, 150, 150, 3) to `encodings` float32 (faces, 128)."""
    return write_encoder(net, Steps(GraphWriter()))


def write_encoder(net: DlibNet[MetricLoss], steps: Steps) -> bytes:
    """Write the encoder by these steps."""
    writer = steps.writer
    planes = steps.read(writer.add("Transpose", "chips", perm=[0, 3, 1, 2]))
    _write_layers(steps, _Map(planes, side=DLIB.chip_pixels), fold(net))
    writer.name_last("encodings")
    side = DLIB.chip_pixels
    chips = helper.make_tensor_value_info("chips", TensorProto.UINT8, ["faces", side, side, 3])
    encodings = helper.make_tensor_value_info("encodings", TensorProto.FLOAT, ["faces", 128])
    return writer.finish("encoder", chips, encodings)


def detector_graph(net: DlibNet[DetectionLoss]) -> bytes:
    """Write the detector: `canvas` float32 (1, height, width, 3) to `scores` (1, 1, rows, columns).

    The canvas holds pixel values, 0 to 255; what is 0 for dlib is the mean colour here.
    """
    writer = GraphWriter()
    planes = writer.add("Transpose", "canvas", perm=[0, 3, 1, 2])
    _write_layers(Steps(writer), _Map(planes), split_last(fill_blocks(fold(net))))
    writer.name_last("scores")
    canvas = helper.make_tensor_value_info("canvas", TensorProto.FLOAT, [1, "height", "width", 3])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1, "rows", "columns"])
    return writer.finish("detector", canvas, scores)


def _write_layers(steps: Steps, source: _Map, layers: Iterable[Layer]) -> None:
    """Write layers in sequence; marks say which map a later AddPrevious adds.

    A single mark keeps the map on which a block starts. Two in a row end a block that shrinks: the
    first keeps the block's result, the second goes back to the map on which it started.
    """
    current, kept = source, [source]
    after_mark = False
    for layer in layers:
        if not isinstance(layer, Mark):
            current = _write_layer(steps, current, layer, kept[-1])
        elif after_mark:
            current = kept[-2]
        else:
            kept.append(current)
        after_mark = isinstance(layer, Mark)


def _write_layer(steps: Steps, current: _Map, layer: Layer, kept: _Map) -> _Map:
    writer = steps.writer
    match layer:
        case Convolution():
            name = steps.convolve(current.name, layer)
            return _Map(name, len(layer.filters), _side_after(current, layer))
        case Relu():
            return replace(current, name=steps.rectify(current.name))
        case Pool(window=0):
            return replace(current, name=writer.add("GlobalAveragePool", current.name), side=1)
        case Pool():
            return _write_pool(writer, current, layer)
        case AddPrevious():
            return _write_sum(writer, current, kept)
        case FullyConnected():
            flat = writer.add("Flatten", current.name)
            name = writer.add("MatMul", flat, writer.constant(layer.weights))
            return _Map(name, channels=layer.weights.shape[1], side=1)
        case _:
            raise TypeError(f"{type(layer).__name__} is written with the layer before it")


def _side_after(current: _Map, layer: Convolution) -> int:
    rows = int(layer.filters.shape[2])
    return (current.side + 2 * layer.padding[0] - rows) // layer.stride + 1


def _write_pool(writer: GraphWriter, current: _Map, layer: Pool) -> _Map:
    operator = "MaxPool" if layer.kind == "max" else "AveragePool"
    window, strides = [layer.window] * 2, [layer.stride] * 2
    name = writer.add(operator, current.name, kernel_shape=window, strides=strides)
    return replace(current, name=name, side=(current.side - layer.window) // layer.stride + 1)


def _write_sum(writer: GraphWriter, first: _Map, second: _Map) -> _Map:
    channels, side = max(first.channels, second.channels), max(first.side, second.side)
    padded = [_write_padding(writer, one, channels, side) for one in (first, second)]
    return _Map(writer.add("Add", *padded), channels, side)


def _write_padding(writer: GraphWriter, current: _Map, channels: int, side: int) -> str:
    """Pad a map with zeros on the right, at the bottom and in its channels, as dlib adds them."""
    grown = [0, channels - current.channels, side - current.side, side - current.side]
    if not any(grown):
        return current.name
    pads = np.array([0, 0, 0, 0, *grown], dtype=np.int64)
    return writer.add("Pad", current.name, writer.constant(pads), mode="constant")
