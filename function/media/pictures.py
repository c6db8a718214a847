"""The type of a decoded picture, used everywhere."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

RgbImage: TypeAlias = NDArray[np.uint8]
"""RGB uint8, (height, width, 3). BGR given as RGB moves an encoding by 0.28 without any error."""


class Picture(Protocol):
    """A decoded picture, upright and in square pixels, wherever its pixels lie."""

    @property
    def width(self) -> int:
        """Pixels from left to right."""

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""

    def rgb(self) -> RgbImage:
        """Return all pixels, contiguous in memory."""

    def shrunk(self, longest_pixels: int) -> tuple[RgbImage, float]:
        """Return a copy whose longest side is so long, and its scale; it is never enlarged."""


@dataclass(frozen=True)
class Moment:
    """What a video shows from `seconds` on: a JPEG, upright, in square pixels, 1280 px at most."""

    seconds: float
    picture: bytes
