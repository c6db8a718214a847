"""Spoils photographs as videos do: blur, dark, covered parts, heads that lean, turn or are far.

Each way takes an RGB picture and the box of the face in it, and returns the picture spoilt.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from function.engines.protocol import Box
from function.media.images import decode_jpeg, encode_jpeg
from function.media.pictures import RgbImage

Spoil = Callable[[RgbImage, Box], RgbImage]

SKIN = (180, 140, 120)
"""What a hand over a face looks like, roughly."""

GLASS = (25, 25, 30)
"""The colour of dark glasses, and of thick frames."""

HEAD_WIDTHS = 1.25
"""A head is about this many times as wide as the box of its face."""


def leave(image: RgbImage, _: Box) -> RgbImage:
    """Return the picture as it is."""
    return image


def grey(image: RgbImage, _: Box) -> RgbImage:
    """Take the colour away."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB).astype(
        np.uint8
    )


def darken(image: RgbImage, _: Box) -> RgbImage:
    """Leave 15 % of the light, with noise."""
    noise = np.random.default_rng(1).normal(0, 3, image.shape)
    return np.clip(image * 0.15 + noise, 0, 255).astype(np.uint8)


def compress(image: RgbImage, _: Box) -> RgbImage:
    """Compress hard: JPEG of quality 10."""
    return decode_jpeg(encode_jpeg(image, 10))


def blur(image: RgbImage, box: Box) -> RgbImage:
    """Blur by 3 % of the face's width."""
    return cv2.GaussianBlur(image, (0, 0), max(0.5, 0.03 * box.width)).astype(np.uint8)


def move(image: RgbImage, box: Box) -> RgbImage:
    """Blur sideways by 12 % of the face's width, as a moving head is."""
    length = max(2, round(0.12 * box.width))
    return cv2.blur(image, (length, 1)).astype(np.uint8)


def shrink(image: RgbImage, box: Box) -> RgbImage:
    """Scale until the face is 32 pixels wide, in a wide grey picture."""
    scale = min(1.0, 32 / box.width)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    margin = 60
    return cv2.copyMakeBorder(
        small, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(90, 90, 90)
    ).astype(np.uint8)


def lean(image: RgbImage, box: Box) -> RgbImage:
    """Turn the picture by 45 degrees around the face, with its border repeated."""
    centre = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    turn = cv2.getRotationMatrix2D(centre, 45, 1.0)
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, turn, size, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


def turn(image: RgbImage, box: Box) -> RgbImage:
    """Turn the head by 30 degrees."""
    return _turn(image, box, 30)


def turn_far(image: RgbImage, box: Box) -> RgbImage:
    """Turn the head by 50 degrees."""
    return _turn(image, box, 50)


def wear_glasses(image: RgbImage, box: Box) -> RgbImage:
    """Put thick frames around the eyes."""
    return _wear(image, box, thickness=max(1, round(0.035 * box.width)))


def wear_dark_glasses(image: RgbImage, box: Box) -> RgbImage:
    """Put dark glasses over the eyes."""
    return _wear(image, box, thickness=cv2.FILLED)


def cover_side(image: RgbImage, box: Box) -> RgbImage:
    """Put a hand over one half of the face, from the forehead to the chin."""
    covered = image.copy()
    middle = box.left + box.width // 2
    covered[max(0, box.top) : box.bottom + 1, max(0, box.left) : max(0, middle)] = SKIN
    return covered


def cover_mouth(image: RgbImage, box: Box) -> RgbImage:
    """Put a hand over the mouth and chin."""
    return _cover(image, box, 0.62, 1.05)


def cover_eyes(image: RgbImage, box: Box) -> RgbImage:
    """Put a band over the eyes."""
    return _cover(image, box, 0.2, 0.45)


def _turn(image: RgbImage, box: Box, degrees: float) -> RgbImage:
    """Turn a head to a side as if it were a cylinder: one half narrows, the other comes forward."""
    height, width = image.shape[:2]
    middle, radius = (box.left + box.right) / 2, HEAD_WIDTHS * box.width / 2
    across = np.arange(width, dtype=np.float64) - middle
    angles = np.arcsin(np.clip(across / radius, -1, 1)) - np.radians(degrees)
    on_head = middle + radius * np.sin(np.maximum(angles, -np.pi / 2))
    from_column = np.where(np.abs(across) < radius, on_head, across + middle).astype(np.float32)
    columns, rows = np.meshgrid(from_column, np.arange(height, dtype=np.float32))
    return cv2.remap(
        image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8)


def _wear(image: RgbImage, box: Box, thickness: int) -> RgbImage:
    """Draw two lenses over the eyes, and the bridge between them."""
    worn = image.copy()
    side = box.width
    size, height = (round(0.17 * side), round(0.13 * side)), box.top + round(0.33 * side)
    for share in (0.29, 0.71):
        centre = (box.left + round(share * side), height)
        cv2.ellipse(worn, centre, size, 0, 0, 360, GLASS, thickness, cv2.LINE_AA)
    left, right = ((box.left + round(share * side), height) for share in (0.46, 0.54))
    cv2.line(worn, left, right, GLASS, max(1, round(0.035 * side)), cv2.LINE_AA)
    return worn


def _cover(image: RgbImage, box: Box, first: float, last: float) -> RgbImage:
    covered = image.copy()
    top, bottom = (max(0, round(box.top + part * box.width)) for part in (first, last))
    covered[top:bottom, max(0, box.left) : max(0, box.right)] = SKIN
    return covered


SPOILS: Mapping[str, Spoil] = {
    "as it is": leave,
    "grey": grey,
    "leaning by 45 degrees": lean,
    "turned by 30 degrees": turn,
    "turned by 50 degrees": turn_far,
    "glasses with thick frames": wear_glasses,
    "32 pixels wide": shrink,
    "compressed hard (JPEG 10)": compress,
    "15 % of the light, with noise": darken,
    "moved by 12 % of its width": move,
    "blurred by 3 % of its width": blur,
    "mouth covered": cover_mouth,
    "one side covered": cover_side,
    "dark glasses": wear_dark_glasses,
    "eyes covered": cover_eyes,
}
"""Each way by its name, roughly from harmless to worst."""
