"""The types of a decoded picture, used everywhere."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

RgbImage: TypeAlias = NDArray[np.uint8]
"""RGB uint8, (height, width, 3). BGR passed as RGB raises no error, but moves encodings by 0.28."""


class Picture(Protocol):
    """A decoded picture, upright and with square pixels, wherever its pixels are stored."""

    @property
    def width(self) -> int:
        """Pixels from left to right."""

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""

    def rgb(self) -> RgbImage:
        """Return all pixels, contiguous in memory."""

    def shrunk(self, longest_pixels: int) -> tuple[RgbImage, float]:
        """Return a copy whose longest side is `longest_pixels`, never enlarged, and its scale."""


@dataclass(frozen=True)
class Moment:
    """What a video shows from `seconds` on: an upright JPEG with square pixels, 1280 px at most."""

    seconds: float
    picture: bytes
