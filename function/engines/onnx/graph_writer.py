"""Builds a graph: its nodes and constants, and finally its bytes as ONNX."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper

_OPSET, _IR_VERSION = 17, 8
"""Supported by every onnxruntime since 1.12, and enough for what is written here. Of bytes, the
larger of two is supported since 1.24 only."""


class GraphWriter:
    """Collects a graph's nodes and constants, and gives each a name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node, and return the name of what it computes."""
        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, values: NDArray[Any]) -> str:
        """Add an array that never changes, and return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def name_last(self, name: str) -> None:
        """Name the result of the last node, so that it can be requested."""
        self.nodes[-1].output[0] = name

    def finish_encoder(self, name: str, side_pixels: int, numbers: int) -> bytes:
        """Return a graph of `chips`, uint8 (n, side, side, 3), to `encodings` (n, numbers).

        The last node computes the encodings, in float32.
        """
        self.name_last("encodings")
        shape: list[str | int] = ["n", side_pixels, side_pixels, 3]
        chips = helper.make_tensor_value_info("chips", TensorProto.UINT8, shape)
        rows: list[str | int] = ["n", numbers]
        encodings = helper.make_tensor_value_info("encodings", TensorProto.FLOAT, rows)
        return self.finish(name, chips, encodings)

    def finish(self, name: str, source: Any, *targets: Any) -> bytes:
        """Return the graph as ONNX; `targets` are described by the names given to nodes."""
        graph = helper.make_graph(self.nodes, name, [source], targets, self.constants)
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString()
        return content
