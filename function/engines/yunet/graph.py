"""YuNet as a graph: read from a file with blocks of 8-bit weights, written in floats.

YuNet (Wu, Peng and Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector") finds faces of 11 to
about 400 pixels and five points in each. onnxruntime cannot run its weights as they are packed, so
they are unpacked here, once. What is rewritten computes the same: the net takes RGB instead of BGR,
and its four heads, which read the same maps, are joined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from function.engines.onnx.graph_writer import GraphWriter
from function.engines.onnx.packed_weights import unpack_weights
from function.engines.yunet.net import CELL_NUMBERS, STRIDES
from function.errors import EngineUnavailableError

_CONVOLUTIONS = 53
"""In the order of the file: backbone and neck, then class, box, object and points by stride."""


@dataclass(frozen=True, eq=False)
class _Filters:
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]


def yunet_graph(path: Path) -> bytes:
    """Write YuNet: `pixels` uint8 RGB (n, height, width, 3) to a grid for each stride.

    Height and width are multiples of 32. `grid_8`, `grid_16` and `grid_32` are float32
    (n, 16, rows, columns): CELL_NUMBERS for each cell, class and object before the sigmoid.

    Raises:
        EngineUnavailableError: the file holds another net.
    """
    filters = _read_filters(path)
    writer = GraphWriter()
    planes = writer.add("Transpose", "pixels", perm=[0, 3, 1, 2])
    maps = _write_body(writer, writer.add("Cast", planes, to=TensorProto.FLOAT), filters[:29])
    for index, source in enumerate(maps):
        pairs = [filters[29 + 6 * kind + 2 * index :][:2] for kind in range(4)]
        _write_heads(writer, source, pairs, f"grid_{STRIDES[index]}")
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", "h", "w", 3])
    grids = [_describe_grid(stride) for stride in STRIDES]
    return writer.finish("yunet", pixels, *grids)


def _read_filters(path: Path) -> list[_Filters]:
    graph = onnx.load(path).graph
    arrays = unpack_weights(graph)
    filters = [
        _Filters(arrays[node.input[1]], arrays[node.input[2]])
        for node in graph.node
        if node.op_type == "Conv"
    ]
    if len(filters) != _CONVOLUTIONS:
        raise EngineUnavailableError(
            f"{path.name} holds {len(filters)} convolutions, where YuNet has {_CONVOLUTIONS}."
        )
    return filters


def _write_body(writer: GraphWriter, planes: str, filters: Sequence[_Filters]) -> list[str]:
    """Write backbone and neck, and return their maps at the three strides."""
    first, *others = filters
    in_rgb = _Filters(first.weights[:, ::-1], first.biases)
    units = [others[start : start + 2] for start in range(0, len(others), 2)]
    current = writer.add("Relu", _convolve(writer, planes, in_rgb, stride=2))
    current = _halve(writer, _write_units(writer, current, units[:1]))
    current = _halve(writer, _write_units(writer, current, units[1:5]))
    near = _write_units(writer, current, units[5:7])
    middle = _write_units(writer, _halve(writer, near), units[7:9])
    far = _write_units(writer, _halve(writer, middle), units[9:11])
    far = _write_units(writer, far, units[11:12])
    middle = _write_units(writer, _add_doubled(writer, middle, far), units[12:13])
    near = _write_units(writer, _add_doubled(writer, near, middle), units[13:14])
    return [near, middle, far]


def _write_units(writer: GraphWriter, current: str, units: Sequence[Sequence[_Filters]]) -> str:
    """Write units in sequence: a 1x1 convolution, a 3x3 one for each channel alone, and Relu."""
    for across, alone in units:
        mixed = _convolve(writer, current, across)
        spread = _convolve(writer, mixed, alone, groups=len(alone.weights))
        current = writer.add("Relu", spread)
    return current


def _write_heads(
    writer: GraphWriter, source: str, pairs: Sequence[Sequence[_Filters]], name: str
) -> None:
    across = _joined([pair[0] for pair in pairs])
    alone = _joined([pair[1] for pair in pairs])
    mixed = _convolve(writer, source, across)
    _convolve(writer, mixed, alone, groups=CELL_NUMBERS)
    writer.name_last(name)


def _joined(filters: Sequence[_Filters]) -> _Filters:
    weights = np.concatenate([one.weights for one in filters])
    return _Filters(weights, np.concatenate([one.biases for one in filters]))


def _halve(writer: GraphWriter, source: str) -> str:
    return writer.add("MaxPool", source, kernel_shape=[2, 2], strides=[2, 2])


def _add_doubled(writer: GraphWriter, larger: str, smaller: str) -> str:
    scales = writer.constant(np.array([1, 1, 2, 2], np.float32))
    doubled = writer.add(
        "Resize",
        *(smaller, "", scales),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    return writer.add("Add", larger, doubled)


def _convolve(
    writer: GraphWriter, source: str, filters: _Filters, *, stride: int = 1, groups: int = 1
) -> str:
    side = filters.weights.shape[2]
    return writer.add(
        "Conv",
        source,
        writer.constant(filters.weights.astype(np.float32)),
        writer.constant(filters.biases.astype(np.float32)),
        kernel_shape=[side, side],
        pads=[side // 2] * 4,
        strides=[stride, stride],
        group=groups,
    )


def _describe_grid(stride: int) -> Any:
    shape: list[str | int] = ["n", CELL_NUMBERS, f"rows_{stride}", f"columns_{stride}"]
    return helper.make_tensor_value_info(f"grid_{stride}", TensorProto.FLOAT, shape)
