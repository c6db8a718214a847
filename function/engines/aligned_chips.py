"""Cuts chips for second encoders: a face's five points come to lie where a net expects them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from function.engines.protocol import Points
from function.media.pictures import RgbImage


def cut_aligned(
    image: RgbImage, points: Points, template: NDArray[np.float64], side_pixels: int
) -> RgbImage:
    """Cut a face out of a picture: RGB uint8 (side, side, 3), its five points near `template`.

    `template` is (5, 2) in pixels of the chip. Outside the picture it is black.
    """
    turn = _fit(points.astype(np.float64), template)
    chip = cv2.warpAffine(image, turn, (side_pixels, side_pixels), flags=cv2.INTER_LINEAR)
    return chip.astype(np.uint8, copy=False)


def _fit(points: NDArray[np.float64], template: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the similarity that takes points nearest to a template (Umeyama 1991): (2, 3).

    Of so few points plain numbers are added four times as fast as arrays.
    """
    found, shape = ([complex(x, y) for x, y in one.tolist()] for one in (points, template))
    middle, target = sum(found) / len(found), sum(shape) / len(shape)
    found = [one - middle for one in found]
    turn = sum((to - target) * at.conjugate() for at, to in zip(found, shape, strict=True))
    turn /= max(sum(abs(at) ** 2 for at in found), 1e-6)
    shift = target - turn * middle
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
