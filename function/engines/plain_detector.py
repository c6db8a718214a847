"""Finds the faces in a picture in one pass, with one of dlib's own detectors."""

from typing import Protocol

from function.engines.protocol import Detection
from function.media.pictures import Picture, RgbImage

SMALLEST_PICTURE_PIXELS = 40
"""No recognisable face fits into a smaller picture, and dlib's nets refuse much smaller ones."""


class Finder(Protocol):
    """One of dlib's detectors, which searches a picture as it is."""

    def detect(self, image: RgbImage) -> list[Detection]:
        """Find the faces in an image, most certain first."""


class PlainDetector:
    """Gives each picture to `finder`, scaled down if it is larger than `longest_pixels`."""

    def __init__(self, finder: Finder, longest_pixels: int) -> None:
        self._finder = finder
        self._longest_pixels = longest_pixels

    def detect(self, picture: Picture) -> list[Detection]:
        """Find the faces in a picture, most certain first; boxes are in its own pixels."""
        if min(picture.width, picture.height) < SMALLEST_PICTURE_PIXELS:
            return []
        smaller, scale = picture.shrunk(self._longest_pixels)
        found = self._finder.detect(smaller)
        return [Detection(one.box.scaled(1 / scale), one.score) for one in found]
