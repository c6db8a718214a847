"""Finds the faces in a picture in one pass: how dlib's own detectors are used."""

from function.engines.protocol import Detection, Detector
from function.media.images import fit
from function.media.pictures import RgbImage

SMALLEST_PICTURE_PIXELS = 40
"""No recognisable face fits into less, and dlib's nets refuse much less."""


class PlainDetector:
    """Gives each picture to `finder`, scaled down if it is larger than `longest_pixels`."""

    def __init__(self, finder: Detector, longest_pixels: int) -> None:
        self._finder = finder
        self._longest_pixels = longest_pixels

    def detect(self, picture: RgbImage) -> list[Detection]:
        """Find the faces in a picture, most certain first; boxes are in its own pixels."""
        if min(picture.shape[:2]) < SMALLEST_PICTURE_PIXELS:
            return []
        smaller, scale = fit(picture, self._longest_pixels)
        found = self._finder.detect(smaller)
        return [Detection(one.box.scaled(1 / scale), one.score) for one in found]
