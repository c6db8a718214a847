"""Alignments: the five landmarks of a face, and the upright chip that is cut along them."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import dlib
import numpy as np
from numpy.typing import NDArray

from function.engines.copies import Copies
from function.engines.dlib_nets.model import DLIB
from function.engines.heads import Head, fit_head
from function.engines.protocol import Alignment, Box, Detection, FacePoints
from function.media.pictures import Picture, RgbImage

CHIP_PADDING = 0.25
"""Margin around the face, as a share of its size; as in the encoder's training (same source)."""


Landmarks: TypeAlias = NDArray[np.float32]
"""dlib's five points in image pixels, float32 (5, 2) as x, y: the corners of the eye on the
image's right (outer, inner), of the eye on its left (outer, inner), and the base of the nose."""

LEVEL_WITHIN_DEGREES = 20.0
"""A face that leans less is read from the image as it is; dlib's landmarks fail beyond 30."""

CUT_WIDTHS = 2.2
"""A face that leans more is cut out level, this many face widths wide: the chip needs 1.7."""

MOST_CUT_PIXELS = 400.0
"""A wider face is cut out smaller, so that the cut needs little memory."""


WIDTH_BY_LANDMARKS, MIDDLE_DOWN = 2.04, 0.62
"""A face's box is this many times as wide as the diagonal over both eyes and down to the nose, and
its middle is this far along the way from the eyes to the nose: measured on HOG's boxes of 107
photographs, whose widths vary by 8 % around that."""

COARSEST_BOX = 1.4
"""A box of dlib's detectors is at most this many times too large or too small."""


def align_face(picture: Picture, detection: Detection, predictor: Any) -> Alignment:
    """Find the five landmarks of a face and cut its chip from the same image.

    `predictor` is a dlib.shape_predictor of five points. Only dlib's own cut gives the encodings
    that others compute: a plain similarity warp moves them by 0.085 on average.
    """
    head = None if detection.points is None else fit_head(detection.points)
    if head is None:
        landmarks, chip = _align(picture.rgb(), detection.box, predictor)
        return Alignment(name_points(landmarks), fit_box(detection.box, landmarks), chip)
    if abs(head.roll_degrees) <= LEVEL_WITHIN_DEGREES:
        landmarks, chip = _align(picture.rgb(), detection.box, predictor)
    else:
        landmarks, chip = _align_leaning(picture, head, predictor)
    return Alignment(name_points(landmarks), detection.box, chip)


def name_points(landmarks: Landmarks) -> FacePoints:
    """Give dlib's numbered points names; an eye is the middle of its two corners."""
    left, right = landmarks[2:4].mean(axis=0), landmarks[0:2].mean(axis=0)
    return FacePoints(left_eye=left, right_eye=right, nose=landmarks[4])


def _align(pixels: RgbImage, box: Box, predictor: Any) -> tuple[Landmarks, RgbImage]:
    rectangle = dlib.rectangle(box.left, box.top, box.right, box.bottom)
    shape = predictor(pixels, rectangle)
    chip = dlib.get_face_chip(pixels, shape, size=DLIB.chip_pixels, padding=CHIP_PADDING)
    landmarks = np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float32)
    return landmarks, chip


def _align_leaning(picture: Picture, head: Head, predictor: Any) -> tuple[Landmarks, RgbImage]:
    """Align a face in a copy of its surroundings that was rotated until it is level."""
    width = min(head.width, MOST_CUT_PIXELS)
    side = max(8, round(CUT_WIDTHS * width))
    smaller = math.ceil(max(picture.width, picture.height) * width / head.width)
    cut = Copies(picture, {smaller}).cut(head, face_pixels=width, side_pixels=side)
    middle = (side - 1) / 2
    level = replace(head, x=middle, y=middle, width=width, roll_degrees=0.0)
    landmarks, chip = _align(cut.pixels, level.box(), predictor)
    return cut.to_picture(landmarks), chip


def fit_box(found: Box, landmarks: Landmarks) -> Box:
    """Give the box that a detector found the size that the landmarks suggest.

    The size of a detector's box depends on the level of its pyramid; the landmarks found in the box
    hardly depend on its size. The new middle is the mean of two: that of the landmarks, which is
    off for profiles, and that of the detector's box, which is on a grid.
    """
    eyes = landmarks[:4].mean(axis=0)
    across = np.linalg.norm(landmarks[:2].mean(axis=0) - landmarks[2:4].mean(axis=0))
    down = landmarks[4] - eyes
    smallest, largest = found.width / COARSEST_BOX, found.width * COARSEST_BOX
    diagonal = np.hypot(across, np.linalg.norm(down))
    width = round(min(max(WIDTH_BY_LANDMARKS * diagonal, smallest), largest))
    grid_middle = np.array([found.left + found.right, found.top + found.bottom]) / 2
    middle = (grid_middle + eyes + MIDDLE_DOWN * down) / 2
    left, top = np.rint(middle - (width - 1) / 2).astype(int).tolist()
    return Box(left, top, left + width - 1, top + width - 1)


def stack_chips(chips: Sequence[RgbImage]) -> RgbImage:
    """Stack chips into one uint8 array (count, 150, 150, 3).

    Raises:
        ValueError: a chip has the wrong shape; the encoder would read it as noise.
    """
    expected = (DLIB.chip_pixels, DLIB.chip_pixels, 3)
    for chip in chips:
        if chip.shape != expected or chip.dtype != np.uint8:
            raise ValueError(f"A chip is uint8 {expected}, not {chip.dtype} {chip.shape}.")
    return np.ascontiguousarray(np.stack(chips))
