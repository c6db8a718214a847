"""Unpacks weights that a file holds as blocks of 8-bit numbers, which onnxruntime cannot run."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper


def unpack_weights(graph: Any) -> dict[str, NDArray[Any]]:
    """Return every constant of an ONNX graph by its name, packed ones as floats."""
    arrays = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            arrays[node.output[0]] = _unpack(node, *(arrays[name] for name in node.input))
        elif node.op_type == "Reshape" and node.input[0] in arrays:
            arrays[node.output[0]] = arrays[node.input[0]].reshape(arrays[node.input[1]])
    return arrays


def attributes_of(node: Any) -> dict[str, Any]:
    """Return a node's attributes by their names."""
    return {one.name: helper.get_attribute_value(one) for one in node.attribute}


def _unpack(
    node: Any, numbers: NDArray[Any], steps: NDArray[Any], zeros: NDArray[Any]
) -> NDArray[np.float32]:
    """Turn whole numbers into floats; `block_size` neighbours along `axis` share step and zero."""
    how = attributes_of(node)
    axis, length = how["axis"], numbers.shape[how["axis"]]
    shared = [
        np.repeat(one.astype(np.float32), how["block_size"], axis).take(range(length), axis)
        for one in (steps, zeros)
    ]
    unpacked: NDArray[np.float32] = (numbers.astype(np.float32) - shared[1]) * shared[0]
    return unpacked
