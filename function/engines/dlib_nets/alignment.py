"""Alignments: the five landmarks of a face, and the upright chip that is cut along them."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dlib
import numpy as np

from function.engines.copies import Copies
from function.engines.heads import Head, fit_head
from function.engines.protocol import Alignment, Box, Detection, Landmarks
from function.media.pictures import RgbImage

CHIP_PIXELS = 150
"""Side of the chip; the encoder was trained on this size (dlib, dnn_face_recognition_ex)."""

CHIP_PADDING = 0.25
"""Margin around the face, as a share of its size; as in the encoder's training (same source)."""


LEVEL_WITHIN_DEGREES = 20.0
"""A face that leans less is read from the image as it is; dlib's landmarks fail beyond 30."""

CUT_WIDTHS = 2.2
"""A face that leans more is cut out level, this many face widths wide: the chip needs 1.7."""

MOST_CUT_PIXELS = 400.0
"""A wider face is cut out smaller, so that the cut needs little memory."""


def align_face(image: RgbImage, detection: Detection, predictor: Any) -> Alignment:
    """Find the five landmarks of a face and cut its chip from the same image.

    `predictor` is a dlib.shape_predictor of five points. Only dlib's own cut gives the encodings
    that others compute: a plain similarity warp moves them by 0.085 on average.
    """
    head = None if detection.points is None else fit_head(detection.points)
    if head is None or abs(head.roll_degrees) <= LEVEL_WITHIN_DEGREES:
        return _align(np.ascontiguousarray(image), detection.box, predictor)
    return _align_leaning(image, head, predictor)


def _align(pixels: RgbImage, box: Box, predictor: Any) -> Alignment:
    rectangle = dlib.rectangle(box.left, box.top, box.right, box.bottom)
    shape = predictor(pixels, rectangle)
    chip = dlib.get_face_chip(pixels, shape, size=CHIP_PIXELS, padding=CHIP_PADDING)
    landmarks = np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float32)
    return Alignment(landmarks=landmarks, chip=chip)


def _align_leaning(image: RgbImage, head: Head, predictor: Any) -> Alignment:
    """Align a face in a copy of its surroundings that was rotated until it is level."""
    width = min(head.width, MOST_CUT_PIXELS)
    side = max(8, round(CUT_WIDTHS * width))
    smaller = math.ceil(max(image.shape[:2]) * width / head.width)
    cut = Copies(image, {smaller}).cut(head, face_pixels=width, side_pixels=side)
    middle = (side - 1) / 2
    level = replace(head, x=middle, y=middle, width=width, roll_degrees=0.0)
    found = _align(cut.pixels, level.box(), predictor)
    landmarks: Landmarks = cut.to_picture(found.landmarks)
    return Alignment(landmarks=landmarks, chip=found.chip)


def stack_chips(chips: Sequence[RgbImage]) -> RgbImage:
    """Stack chips into one uint8 array (count, 150, 150, 3).

    Raises:
        ValueError: a chip has the wrong shape; the encoder would read it as noise.
    """
    expected = (CHIP_PIXELS, CHIP_PIXELS, 3)
    for chip in chips:
        if chip.shape != expected or chip.dtype != np.uint8:
            raise ValueError(f"A chip is uint8 {expected}, not {chip.dtype} {chip.shape}.")
    return np.ascontiguousarray(np.stack(chips))
