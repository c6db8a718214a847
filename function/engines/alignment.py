"""Alignments: the five landmarks of a face, and the upright chip that is cut along them."""

from collections.abc import Sequence
from typing import Any

import dlib
import numpy as np

from function.engines import Alignment, Box, RgbImage

CHIP_PIXELS = 150
"""Side of the chip; the encoder was trained on this size (dlib, dnn_face_recognition_ex)."""

CHIP_PADDING = 0.25
"""Share of the face's size left around it; what the encoder was trained with (same source)."""


def align_face(image: RgbImage, box: Box, predictor: Any) -> Alignment:
    """Find a face's five landmarks inside `box` and cut its chip from the same image.

    `predictor` is a dlib.shape_predictor of five points. Only dlib's own cut gives the encodings
    that others compute: a plain similarity warp moves them by 0.085 on average.
    """
    pixels = np.ascontiguousarray(image)
    rectangle = dlib.rectangle(box.left, box.top, box.right, box.bottom)
    shape = predictor(pixels, rectangle)
    chip = dlib.get_face_chip(pixels, shape, size=CHIP_PIXELS, padding=CHIP_PADDING)
    landmarks = np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float32)
    return Alignment(landmarks=landmarks, chip=chip)


def stack_chips(chips: Sequence[RgbImage]) -> RgbImage:
    """Stack chips into one uint8 array (count, 150, 150, 3).

    Raises:
        ValueError: a chip has another shape; the encoder would read it as noise.
    """
    expected = (CHIP_PIXELS, CHIP_PIXELS, 3)
    for chip in chips:
        if chip.shape != expected or chip.dtype != np.uint8:
            raise ValueError(f"A chip is uint8 {expected}, not {chip.dtype} {chip.shape}.")
    return np.ascontiguousarray(np.stack(chips))
