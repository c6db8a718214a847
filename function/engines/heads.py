"""Computes from a face's five points where its head is, how large, and at what angle."""

import cmath
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from function.engines.protocol import Box, Points
from function.media.pictures import RgbImage

CHIP_POINTS = np.array([(47.8, 45.5), (100.4, 45.3), (74.2, 78.0), (51.8, 102.1), (96.9, 102.1)])
"""Where YuNet's five points are in dlib's chip of 150 pixels: medians of 450 photographs."""

CHIP_HEIGHT = 56.7
"""How far the middle of the mouth is below the middle of the eyes there."""

FORESHORTENED = 0.9
"""A face's size comes from its width, or from its height times this if that is more: then the face
is seen from the side. (99 in 100 frontal faces are less high than that.)"""

PROFILE_FROM, PROFILE_SPAN = 0.25, 0.25
PROFILE_GROWTH, PROFILE_SHIFT = 0.25, 0.1
"""Around a head seen from the side, with a misfit of 0.5 or more, dlib's CNN draws a box a quarter
wider, whose middle is a tenth of its width behind the nose; up to 0.25, as around any other."""

CHIP_MIDDLE, CHIP_WIDTH = (69.4, 66.3), 123.7
"""The box that dlib's detectors draw around that face: its middle and its width (same source)."""


_MIDDLE_OF_SHAPE = complex(*CHIP_POINTS.mean(axis=0))
_SHAPE = [complex(x, y) - _MIDDLE_OF_SHAPE for x, y in CHIP_POINTS.tolist()]
_SPREAD = sum(abs(one) ** 2 for one in _SHAPE)
_TO_MIDDLE = complex(*CHIP_MIDDLE) - _MIDDLE_OF_SHAPE


@dataclass(frozen=True)
class Head:
    """A head in a picture: the middle and width of its face, in pixels.

    `roll_degrees` is how far it leans clockwise, from -180 to 180. `misfit` is how far the points
    are from those of a head that looks into the camera, as a share of their spread: 0.1 for most
    faces, 0.3 and more for a profile. `nose_side` is -1 or 1 if the nose of the levelled head
    points to the left or right, or 0.
    """

    x: float
    y: float
    width: float
    roll_degrees: float
    misfit: float
    nose_side: float = 0.0

    def box(self) -> Box:
        """Return the upright square that dlib's detectors would draw around the face."""
        profile = min(1.0, max(0.0, (self.misfit - PROFILE_FROM) / PROFILE_SPAN))
        width = self.width * (1 + PROFILE_GROWTH * profile)
        x = self.x - self.nose_side * PROFILE_SHIFT * profile * width
        left, top = round(x - width / 2), round(self.y - width / 2)
        side = max(1, round(width))
        return Box(left, top, left + side - 1, top + side - 1)


@dataclass(frozen=True, eq=False)
class LevelCut:
    """A square cut out of a picture and rotated: RGB uint8 (side, side, 3), and the way back."""

    pixels: RgbImage
    way_back: NDArray[np.float64]

    def to_picture(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Map points (..., 2) in the cut back to the picture."""
        led: NDArray[np.floating] = points @ self.way_back[:, :2].T + self.way_back[:, 2]
        return led.astype(np.float32)


def fit_head(points: Points) -> Head:
    """Find the head whose face has these five points.

    It is the similarity that takes CHIP_POINTS nearest to them, by least squares, which for points
    in a plane is a ratio of complex sums (Umeyama 1991).
    """
    found = [complex(x, y) for x, y in points.tolist()]
    height = abs((found[3] + found[4]) / 2 - (found[0] + found[1]) / 2)
    middle = sum(found) / len(found)
    found = [one - middle for one in found]
    pairs = list(zip(found, _SHAPE, strict=True))
    growth = sum(one * own.conjugate() for one, own in pairs) / _SPREAD
    misses = sum(abs(one - growth * own) ** 2 for one, own in pairs)
    turn = growth / max(abs(growth), 1e-6)
    size = max(abs(growth), FORESHORTENED * height / CHIP_HEIGHT, 1e-6)
    centre = middle + size * turn * _TO_MIDDLE
    return Head(
        x=centre.real,
        y=centre.imag,
        width=CHIP_WIDTH * size,
        roll_degrees=math.degrees(cmath.phase(turn)),
        misfit=math.sqrt(misses / _SPREAD) / max(abs(growth), 1e-6),
        nose_side=float(np.sign((found[2] * turn.conjugate()).real)),
    )


def cut_level(picture: RgbImage, head: Head, face_pixels: float, side_pixels: int) -> LevelCut:
    """Cut a head out of a picture, level, the box of its face `face_pixels` wide in the middle.

    Outside the picture it is black, as around dlib's own chips.
    """
    scale = face_pixels / head.width
    turn = cv2.getRotationMatrix2D((head.x, head.y), head.roll_degrees, scale)
    turn[0, 2] += (side_pixels - 1) / 2 - head.x
    turn[1, 2] += (side_pixels - 1) / 2 - head.y
    pixels = cv2.warpAffine(picture, turn, (side_pixels, side_pixels), flags=cv2.INTER_LINEAR)
    way_back = np.asarray(cv2.invertAffineTransform(turn), np.float64)
    return LevelCut(pixels.astype(np.uint8, copy=False), way_back)
