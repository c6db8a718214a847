"""SFace as a graph: read from a file with blocks of 8-bit weights, written in floats.

SFace (Zhong, Deng, Hu, Zhao, Li and Wen 2021, "SFace: Sigmoid-Constrained Hypersphere Loss for
Robust Face Recognition") is a MobileNet of 27 convolutions, from OpenCV's model zoo. What is
rewritten computes the same in half the time.
"""

from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto

from function.engines.onnx.graph_writer import GraphWriter
from function.engines.onnx.packed_weights import attributes_of, unpack_weights
from function.engines.sface.model import CHIP_PIXELS, SFACE
from function.errors import EngineUnavailableError

_CONVOLUTIONS = 27
_UNPACKED = ("DequantizeLinear", "Reshape", "Constant")


def sface_graph(path: Path) -> bytes:
    """Write SFace: `chips` uint8 RGB (n, 112, 112, 3) to `encodings` float32 (n, 128), length 1.

    Raises:
        EngineUnavailableError: the file holds another net.
    """
    source = onnx.load(path).graph
    found = sum(node.op_type == "Conv" for node in source.node)
    if found != _CONVOLUTIONS:
        raise EngineUnavailableError(
            f"{path.name} holds {found} convolutions, where SFace has {_CONVOLUTIONS}."
        )
    writer = GraphWriter()
    planes = writer.add("Transpose", "chips", perm=[0, 3, 1, 2])
    last = _copy_layers(writer, source, writer.add("Cast", planes, to=TensorProto.FLOAT))
    writer.add("LpNormalization", last, axis=1, p=2)
    return writer.finish_encoder("sface", CHIP_PIXELS, SFACE.dimensions)


def _copy_layers(writer: GraphWriter, source: Any, pixels: str) -> str:
    """Copy the layers of a graph whose input is `pixels`, and return what the last computes."""
    arrays = unpack_weights(source)
    names = {source.input[0].name: pixels}
    for node in source.node:
        if node.op_type in _UNPACKED:
            continue
        if node.op_type == "Dropout":  # does nothing outside training
            names[node.output[0]] = names[node.input[0]]
            continue
        inputs = [names.get(one) or writer.constant(arrays[one]) for one in node.input]
        if node.op_type == "PRelu":
            copied = _leak(writer, inputs[0], arrays[node.input[1]])
        else:
            copied = writer.add(node.op_type, *inputs, **attributes_of(node))
        names[node.output[0]] = copied
    return names[source.output[0].name]


def _leak(writer: GraphWriter, source: str, slopes: Any) -> str:
    """Write PReLU as max(y, 0) + slope / (1 - slope) y, where y = (1 - slope) x.

    onnxruntime spends half of the net's time in its own PRelu, which leaves the layout that
    convolutions are fastest in (31 ms a chip; so, 15), and makes y in the convolution before, which
    saves another tenth. Where a slope is 1 or more, it is slope x + (1 - slope) max(x, 0).
    """
    if slopes.max() >= 1:
        below = writer.add("Mul", source, writer.constant(slopes))
        above = writer.add("Mul", writer.add("Relu", source), writer.constant(1 - slopes))
    else:
        flatter = writer.add("Mul", source, writer.constant(1 - slopes))
        below = writer.add("Mul", flatter, writer.constant(slopes / (1 - slopes)))
        above = writer.add("Relu", flatter)
    return writer.add("Add", below, above)
