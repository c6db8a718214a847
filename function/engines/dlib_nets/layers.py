"""Reads the nets as dlib stored them: from a .dat file to its layers, from picture to loss.

A file holds, in this order: the loss, the versions of all layers (the outermost first), the input,
and the layers' bodies (the innermost first). Tags and skips have a version but no body.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from function.engines.dlib_nets.dat_format import DlibFormatError, DlibReader, Tensor


@dataclass(frozen=True, eq=False)
class Convolution:
    """Filters (out, in, rows, columns), one bias for each, and how they move over the map.

    `padding` is that of (rows, columns), on either side.
    """

    filters: Tensor
    biases: NDArray[np.float32]
    stride: int
    padding: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Affine:
    """One factor and one summand per channel; a batch norm after training is one of these too."""

    factors: NDArray[np.float64]
    summands: NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """The largest or the mean value of a square window; a window of 0 is the whole map."""

    kind: Literal["max", "mean"]
    window: int
    stride: int


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """A matrix (in, out) without biases."""

    weights: Tensor


@dataclass(frozen=True)
class Relu:
    """Replaces negative values with 0."""


@dataclass(frozen=True)
class AddPrevious:
    """Adds the map that was kept at a mark; the smaller map is padded with zeros."""


@dataclass(frozen=True)
class Mark:
    """A place where dlib keeps a map (tag) or returns to it (skip)."""


Layer: TypeAlias = Convolution | Affine | Pool | FullyConnected | Relu | AddPrevious | Mark


@dataclass(frozen=True)
class MetricLoss:
    """The encoder's loss; nothing in it matters once the net is trained."""


@dataclass(frozen=True)
class DetectionLoss:
    """The detector's window in pixels, and when two boxes are the same face.

    Two boxes overlap too much if their intersection exceeds `most_overlap` of the rectangle
    around both, or `most_covered` of either (dlib's test_box_overlap).
    """

    window_width: int
    window_height: int
    most_overlap: float
    most_covered: float


Loss = TypeVar("Loss", MetricLoss, DetectionLoss)


@dataclass(frozen=True)
class DlibNet(Generic[Loss]):
    """A net, with its layers in the order in which the picture passes them.

    `means` are those of red, green and blue; dlib feeds (pixel - mean) / 256.
    """

    loss: Loss
    means: tuple[float, float, float]
    layers: tuple[Layer, ...]


def parse_net(content: bytes, wanted: type[Loss]) -> DlibNet[Loss]:
    """Read a net from the bytes of a .dat file; `wanted` is its loss.

    The bytes are read completely.

    Raises:
        DlibFormatError: these are not the bytes of such a net.
    """
    reader = DlibReader(content)
    reader.expect(1, "the file's version")
    loss = _read_loss(reader)
    if not isinstance(loss, wanted):
        raise DlibFormatError(f"it has a {type(loss).__name__}, not a {wanted.__name__}")
    versions = _read_versions(reader)
    means = _read_input(reader)
    innermost_first = reversed(versions)
    layers = tuple(
        Mark() if version == _TAG else _read_layer(reader, version) for version in innermost_first
    )
    if reader.bytes_left:
        raise DlibFormatError(f"{reader.bytes_left} bytes follow the last layer")
    return DlibNet(loss, means, layers)


_TAG, _LAYER, _INNERMOST = 1, 2, 3


def _read_loss(reader: DlibReader) -> MetricLoss | DetectionLoss:
    name = reader.name()
    if name == "loss_metric_2":
        reader.reals(2)  # margin, distance threshold: for training
        return MetricLoss()
    if name != "loss_mmod_":
        raise DlibFormatError(f"its loss is {name!r}, not loss_metric_2 or loss_mmod_")
    reader.expect(1, "the detector's version")
    width, height = reader.integers(2)
    reader.reals(3)  # what errors cost: for training
    most_overlap, most_covered = reader.reals(2)
    reader.reals(2)  # overlap with regions to ignore: for training
    return DetectionLoss(width, height, most_overlap, most_covered)


def _read_versions(reader: DlibReader) -> list[int]:
    versions = [reader.integer()]
    while versions[-1] != _INNERMOST:
        if versions[-1] not in (_TAG, _LAYER):
            raise DlibFormatError(f"a layer has version {versions[-1]}, not 1, 2 or 3")
        versions.append(reader.integer())
    return versions


def _read_input(reader: DlibReader) -> tuple[float, float, float]:
    name = reader.name()
    red, green, blue = reader.reals(3)
    if name == "input_rgb_image_sized":
        reader.integers(2)
    elif name != "input_rgb_image_pyramid":
        raise DlibFormatError(f"its input is {name!r}, which is not supported")
    return red, green, blue


def _read_layer(reader: DlibReader, version: int) -> Layer:
    name = reader.name()
    if name not in _READ:
        raise DlibFormatError(f"a layer is {name!r}, not one of {', '.join(_READ)}")
    layer = _READ[name](reader)
    for _ in range(3):
        reader.flag()  # what the layer still has to compute: for training
    for _ in range(3):
        reader.tensor()  # gradients and the last output: empty in a trained net
    if version == _INNERMOST:
        reader.integer()  # copies made of each picture
    return layer


def _read_convolution(reader: DlibReader) -> Convolution:
    parameters = reader.tensor().ravel()
    _, _, _, stride, stride_x, *padding = reader.integers(7)
    if stride != stride_x:
        raise DlibFormatError("a convolution moves differently along rows and columns")
    filters, biases = _split(parameters, reader.alias(), reader.alias())
    reader.reals(4)  # learning rates and decays: for training
    return Convolution(filters, biases.ravel(), stride, (padding[0], padding[1]))


def _read_affine(reader: DlibReader) -> Affine:
    parameters = reader.tensor().ravel()
    factors, summands = _split(parameters, reader.alias(), reader.alias())
    reader.integer()  # whether it follows a convolution: channels either way
    return Affine(factors.ravel().astype(np.float64), summands.ravel().astype(np.float64))


def _read_batch_norm(reader: DlibReader) -> Affine:
    """When not training: (x - mean) / sqrt(variance + eps) * gamma + beta, running statistics."""
    parameters = reader.tensor().ravel()
    gamma, beta = _split(parameters, reader.alias(), reader.alias())
    _, _, mean, variance = (reader.tensor().ravel().astype(np.float64) for _ in range(4))
    reader.integers(2)  # how long the statistics ran: for training
    reader.reals(4)  # learning rates and decays: for training
    factors = gamma.ravel() / np.sqrt(variance + reader.real())
    return Affine(factors, beta.ravel() - mean * factors)


def _read_pool(reader: DlibReader, kind: Literal["max", "mean"]) -> Pool:
    window, window_x, stride, stride_x, *padding = reader.integers(6)
    if (window, stride) != (window_x, stride_x) or any(padding):
        raise DlibFormatError("a pool is padded, or differs along rows and columns")
    return Pool(kind, window, stride)


def _read_fully_connected(reader: DlibReader) -> FullyConnected:
    outputs, inputs = reader.integers(2)
    parameters = reader.tensor()
    reader.alias()
    reader.alias()
    has_no_bias = reader.integer()
    reader.reals(4)  # learning rates and decays: for training
    if not has_no_bias or parameters.size != inputs * outputs:
        raise DlibFormatError(f"a matrix of {inputs} x {outputs} has {parameters.size} values")
    return FullyConnected(parameters.reshape(inputs, outputs))


def _split(
    parameters: NDArray[np.float32], first: list[int], second: list[int]
) -> tuple[Tensor, Tensor]:
    cut = int(np.prod(first))
    if cut + int(np.prod(second)) != parameters.size:
        raise DlibFormatError(f"{parameters.size} values are not {first} and {second}")
    return parameters[:cut].reshape(first), parameters[cut:].reshape(second)


_READ: dict[str, Callable[[DlibReader], Layer]] = {
    "con_4": _read_convolution,
    "affine_": _read_affine,
    "bn_con2": _read_batch_norm,
    "max_pool_2": lambda reader: _read_pool(reader, "max"),
    "avg_pool_2": lambda reader: _read_pool(reader, "mean"),
    "fc_2": _read_fully_connected,
    "relu_": lambda _: Relu(),
    "add_prev_": lambda _: AddPrevious(),
}
