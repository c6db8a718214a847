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


MOST_PICTURES = 5_000
"""This many pictures of an album are looked at, which takes half an hour; most have a few
hundred."""

MOST_LEFT_OUT = 200
"""This many files that are left out are listed, the others only counted."""


LONGEST_NAME = 300
"""Of a longer name in an archive the end is kept."""


@dataclass(frozen=True)
class Entry:
    """A file in an archive: its place there, counted from 0, and its name with folders.

    `reason` says why it is left out; it is empty for a picture. `content` is its checksum there,
    by which it is known again under another name.
    """

    place: int
    name: str
    reason: str = ""
    content: str = ""


@dataclass(frozen=True)
class Place:
    """Where a picture is in an archive: its number there, from 0.

    `archive` tells the archive, as it is now, from all others.
    """

    number: int
    archive: str


@dataclass(frozen=True)
class Contents:
    """What is in an archive: pictures in the order in which people count, and what is left out.

    `left_over` counts those left out that are not listed.
    """

    pictures: tuple[Entry, ...]
    left_out: tuple[Entry, ...]
    left_over: int = 0


@dataclass(frozen=True)
class Moment:
    """What a video shows from `seconds` on: an upright JPEG with square pixels, 1280 px at most."""

    seconds: float
    picture: bytes
