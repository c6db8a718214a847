"""Small nets of one's own, exported here: an encoding is sums of a chip's evened-out patches."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from db.models import EncodingKind
from function.engines.models import BOTH
from function.engines.own.description import read_description
from function.matching.densities import densities_of
from function.matching.second_models import Fit, Weighing, fuse_with

PIXELS, PATCH, NUMBERS = 112, 8, 64
"""The input's side, the patches that are averaged, and the numbers of an encoding."""

DESCRIBED: dict[str, Any] = {
    "file": "encoder.onnx",
    "name": "sums",
    "licence": "ours, for tests",
    "input_pixels": PIXELS,
    "channels": "rgb",
    "mean": 127.5,
    "scale": 0.0078125,
    "template": "arcface",
}


def make_net(seed: int = 1, numbers: int = NUMBERS, side: int = PIXELS) -> onnx.ModelProto:
    """Write the net: `data` float (n, 3, side, side) to `encodings` (n, numbers)."""
    patches = 3 * (side // PATCH) ** 2
    sums = np.random.default_rng(seed).normal(size=(patches, numbers)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["data"], ["small"], **_square(PATCH)),
        helper.make_node("Flatten", ["small"], ["row"], axis=1),
        helper.make_node("ReduceMean", ["row"], ["middle"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["row", "middle"], ["even"]),
        helper.make_node("MatMul", ["even", "sums"], ["encodings"]),
    ]
    return as_model(nodes, [numpy_helper.from_array(sums, "sums")], ["n", 3, side, side])


def as_model(
    nodes: list[Any],
    weights: list[Any],
    shape: list[Any],
    *,
    kind: int = TensorProto.FLOAT,
    inputs: tuple[str, ...] = ("data",),
    outputs: tuple[str, ...] = ("encodings",),
) -> onnx.ModelProto:
    """Make a model of nodes; every input has the same shape."""
    graph = helper.make_graph(
        nodes,
        "own",
        [helper.make_tensor_value_info(name, kind, shape) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        weights,
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("strange", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def write_net(folder: Path, net: onnx.ModelProto | bytes | None = None, **changes: Any) -> Path:
    """Write a net and the TOML file that describes it, with changes; None leaves a key out."""
    folder.mkdir(exist_ok=True)
    content = make_net() if net is None else net
    (folder / "encoder.onnx").write_bytes(
        content if isinstance(content, bytes) else content.SerializeToString()
    )
    return write_toml(folder, **changes)


def write_toml(folder: Path, **changes: Any) -> Path:
    """Write the description alone."""
    values = {key: value for key, value in (DESCRIBED | changes).items() if value is not None}
    path = folder / "encoder.toml"
    path.write_text("".join(f"{key} = {_spell(value)}\n" for key, value in values.items()))
    return path


def _spell(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


def _square(side: int) -> dict[str, list[int]]:
    return {"kernel_shape": [side, side], "strides": [side, side]}


WEIGHING = Weighing(share=0.5, length=0.8, face_variance=0.09)


def fit_of(path: Path, weighing: Weighing = WEIGHING) -> Fit:
    """A fit for a described net, with the densities of SFace's fusion."""
    model = read_description(path).id
    space = fuse_with(EncodingKind(id=model, dimensions=NUMBERS), weighing).space
    densities = replace(densities_of(BOTH.space.id), model=space.id, fitted_on="nothing")
    return Fit(model, NUMBERS, weighing, densities)
