"""Light CNN as a graph, written from its checkpoint in floats.

Light CNN (Wu, He, Sun and Tan 2018, "A Light CNN for Deep Face Representation with Noisy Labels")
is a residual net of 25 convolutions. After each, of two halves of its maps the larger numbers are
kept, which the paper calls max-feature-map. This is the authors' fourth version.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from function.engines.lightcnn.checkpoint import read_tensors
from function.engines.lightcnn.model import CHIP_PIXELS, LIGHT_CNN
from function.engines.onnx.graph_writer import GraphWriter
from function.errors import EngineUnavailableError

Tensors = Mapping[str, NDArray[np.float32]]

STAGES = (1, 2, 3, 4)
"""The number of blocks in each stage, which a convolution ends that makes room for the next."""

UNHALVED_STAGE = 3
"""After each other stage, maps become half as wide and high."""

WIDTHS = (48, 96, 192, 128, 128)
"""How many maps each of the convolutions between stages leaves; it makes twice as many."""

_WHITE = 255
_LAYERS = 26
_SIDE = CHIP_PIXELS // 16
"""Of the last maps."""


class Steps:
    """Writes the steps that take most of the time; here in floats."""

    def __init__(self, writer: GraphWriter, tensors: Tensors) -> None:
        self.writer = writer
        self._tensors = tensors

    def keep_larger(self, source: str, layer: str) -> str:
        """Write a convolution, and of its two halves the larger numbers; return their name.

        The larger of a and b is a + max(b - a, 0), and a convolution finds b - a as well as b.
        onnxruntime computes these in the layout that convolutions are fastest in, but not Max: a
        chip takes 29.3 ms instead of 31.0.
        """
        (filters, biases), (others, other_biases) = self.halves_of(layer)
        first = self._convolve(source, filters, biases)
        more = self._convolve(source, others - filters, other_biases - biases)
        return self.writer.add("Add", first, self.writer.add("Relu", more))

    def add_block(self, source: str, block: str) -> str:
        """Write two of these, and their sum with what they start from."""
        inside = self.keep_larger(source, f"{block}.conv1")
        return self.writer.add("Add", source, self.keep_larger(inside, f"{block}.conv2"))

    def weigh(self, maps: str) -> str:
        """Write the last layer, which weighs all numbers of all maps; return its result's name."""
        last = map(self.writer.constant, self.last_layer)
        return self.writer.add("Gemm", self.writer.add("Flatten", maps), *last, transB=1)

    @property
    def last_layer(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Its weights (encodings, numbers) and biases (encodings,)."""
        return self._tensors["fc.weight"], self._tensors["fc.bias"]

    def halves_of(self, layer: str) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Return filters and biases of both halves of a convolution."""
        names = (f"{layer}.filter.{kind}" for kind in ("weight", "bias"))
        filters, biases = (np.split(self._tensors[name], 2) for name in names)
        return list(zip(filters, biases, strict=True))

    def _convolve(
        self, source: str, filters: NDArray[np.float32], biases: NDArray[np.float32]
    ) -> str:
        weights = map(self.writer.constant, (filters, biases))
        return self.writer.add("Conv", source, *weights, kernel_shape=[3, 3], pads=[1] * 4)


def light_cnn_graph(path: Path) -> bytes:
    """Write Light CNN: `chips` uint8 RGB (n, 128, 128, 3) to `encodings` float32 (n, 256).

    Encodings are not of length 1 yet: CUDA lacks the step that would make them so.

    Raises:
        EngineUnavailableError: the file holds another net.
    """
    return write_light_cnn(Steps(GraphWriter(), read_light_cnn(path)))


def read_light_cnn(path: Path) -> Tensors:
    """Return the layers by their names; the first takes RGB from 0 to 255, not BGR from 0 to 1.

    Raises:
        EngineUnavailableError: the file holds another net.
    """
    tensors = read_tensors(path)
    found = sum(name.endswith(".weight") for name in tensors)
    if found != _LAYERS:
        raise EngineUnavailableError(
            f"{path.name} holds {found} layers, where Light CNN has {_LAYERS}."
        )
    for name, shape in _layout():
        its = getattr(tensors.get(name), "shape", "missing")
        if its != shape:
            raise EngineUnavailableError(
                f"{path.name} holds another net than Light CNN: of it, {name} should be {shape}, "
                f"and is {its}."
            )
    first = "conv1.filter.weight"
    return tensors | {first: tensors[first][:, ::-1] / np.float32(_WHITE)}


def _layout() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the name and the shape of each tensor of Light CNN."""
    convolutions = {
        f"conv{n}": (taken, left)
        for n, taken, left in zip(range(1, len(WIDTHS) + 1), (3, *WIDTHS), WIDTHS, strict=False)
    }
    for stage, (blocks, width) in enumerate(zip(STAGES, WIDTHS, strict=False), start=1):
        for block, half in product(range(blocks), (1, 2)):
            convolutions[f"block{stage}.{block}.conv{half}"] = (width, width)
    for name, (taken, left) in convolutions.items():
        yield f"{name}.filter.weight", (2 * left, taken, 3, 3)
        yield f"{name}.filter.bias", (2 * left,)
    yield "fc.weight", (LIGHT_CNN.dimensions, WIDTHS[-1] * _SIDE**2)
    yield "fc.bias", (LIGHT_CNN.dimensions,)


def write_light_cnn(steps: Steps) -> bytes:
    """Write the net by these steps."""
    writer = steps.writer
    planes = writer.add("Transpose", "chips", perm=[0, 3, 1, 2])
    pixels = writer.add("Cast", planes, to=TensorProto.FLOAT)
    maps = _halve(writer, steps.keep_larger(pixels, "conv1"))
    for stage, blocks in enumerate(STAGES, start=1):
        for block in range(blocks):
            maps = steps.add_block(maps, f"block{stage}.{block}")
        maps = steps.keep_larger(maps, f"conv{stage + 1}")
        maps = maps if stage == UNHALVED_STAGE else _halve(writer, maps)
    steps.weigh(maps)
    return writer.finish_encoder("lightcnn", CHIP_PIXELS, LIGHT_CNN.dimensions)


def _halve(writer: GraphWriter, maps: str) -> str:
    """Write the sum of the largest and of the mean number of each square of two pixels a side."""
    pools = [
        writer.add(kind, maps, kernel_shape=[2, 2], strides=[2, 2])
        for kind in ("MaxPool", "AveragePool")
    ]
    return writer.add("Add", *pools)
