"""Encodings of faces together with their mirror images, which say more than the faces alone."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from db.records import Vectors
from function.media.pictures import RgbImage


def average_mirrored(
    encode: Callable[[Sequence[RgbImage]], Vectors], chips: Sequence[RgbImage]
) -> Vectors:
    """Encode chips and their mirror images in one call, and average each pair.

    A net is not quite the same from left to right, so the mean is nearer to the person than either:
    on 728 photographs of 52 people it misses 20 % of pairs of one person at 0.1 % of strangers with
    dlib's net, where the chips alone miss 23 %.
    """
    both = encode([*chips, *map(mirror, chips)])
    averaged: Vectors = (both[: len(chips)] + both[len(chips) :]) / np.float32(2)
    return averaged


def mirror(picture: RgbImage) -> RgbImage:
    """Return a picture as a mirror shows it, contiguous in memory."""
    return cv2.flip(picture, 1).astype(np.uint8, copy=False)
