"""Encodes the small picture that a gallery keeps of an enrolled photo's face once more."""

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from db.records import Vector
from function.engines.chip_points import ARCFACE_PIXELS, ARCFACE_POINTS
from function.engines.lightcnn.model import CHIP_PIXELS, POINTS
from function.engines.protocol import Box, Engine, Points
from function.media.images import RgbPicture
from function.media.photo_decoder import decode_photo
from function.media.photos import PhotoRefusedError
from function.media.pictures import RgbImage

CHIPS: Mapping[int, NDArray[np.float64]] = {ARCFACE_PIXELS: ARCFACE_POINTS, CHIP_PIXELS: POINTS}
"""Where the five points of a face lie in the chips of second nets, by the pixels of a side."""

MOST_OFF = 0.07
"""Points found in a chip lie at most this far from where the chip should have them, on average and
as a share of its side; in 99 of 100 chips of photographs they do."""

DETECTION_PIXELS = 512
"""Kept pictures are half as wide at most."""


def encode_kept(picture: bytes, engine: Engine) -> Vector | None:
    """Return the second net's encoding of the face in a kept picture; None if none is found.

    The picture is the chip of the net that was second when the photo was enrolled, and need not
    show all that today's net looks at. That costs little: with chips of SFace in place of 1,045
    photographs Light CNN and dlib's net miss 1.4 % of pairs of one person at 0.1 % of strangers,
    and 1.2 % with the photographs.
    """
    if engine.second is None:
        return None
    try:
        chip = decode_photo(picture)
    except PhotoRefusedError:
        return None
    # The face fills the chip, and the detector wants to see something around it.
    framed = _frame(chip)
    points = _find_points(framed, engine)
    if points is None:
        return None
    (encoding,), _ = engine.second.encode_with_likeness([engine.second.cut(framed, points)])
    found: Vector = encoding
    return found


def _frame(chip: RgbImage) -> RgbImage:
    """Put black around a picture, half of its sides wide."""
    high, wide = chip.shape[0] // 2, chip.shape[1] // 2
    framed = cv2.copyMakeBorder(chip, high, high, wide, wide, cv2.BORDER_CONSTANT)
    return framed.astype(np.uint8, copy=False)


def _find_points(framed: RgbImage, engine: Engine) -> Points | None:
    """Return the points of the face in the middle: a chip's usual ones, if they are there.

    A kept picture is cut around its face, but somebody nearer to the camera may reach into it.
    """
    faces = engine.open_detector(DETECTION_PIXELS).detect(RgbPicture(framed))
    with_points = [
        (_off_centre(one.box, framed), one.points) for one in faces if one.points is not None
    ]
    if not with_points:
        return None
    _, found = min(with_points, key=lambda one: one[0])
    side = framed.shape[0] // 2
    template = CHIPS.get(side)
    if template is not None:
        expected: Points = (template + side // 2).astype(np.float32)
        if np.linalg.norm(found - expected, axis=1).mean() <= MOST_OFF * side:
            return expected
    return found


def _off_centre(box: Box, picture: RgbImage) -> float:
    """Return how far a box's middle is from the picture's, in pixels."""
    high, wide = picture.shape[:2]
    return math.hypot(box.left + box.right - wide, box.top + box.bottom - high) / 2
