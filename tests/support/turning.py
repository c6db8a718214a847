"""Pictures in which a portrait is seen at a size and an angle, for tests of finding faces."""

from dataclasses import dataclass

import cv2
import numpy as np

from function.engines.protocol import Detection
from function.media.pictures import RgbImage

CLOSE_UP_WIDTH = 268
"""The face of obama1.jpg is so wide in `close_up`, and its middle is the picture's."""


@dataclass(frozen=True)
class Placed:
    """A picture and the middle of the one face in it."""

    picture: RgbImage
    x: float
    y: float
    width: float

    def is_at(self, found: Detection) -> bool:
        """Whether a find is this face: its middle within a quarter, its width within two fifths."""
        across = (found.box.left + found.box.right) / 2 - self.x
        down = (found.box.top + found.box.bottom) / 2 - self.y
        return (
            float(np.hypot(across, down)) < 0.25 * self.width
            and 0.7 < found.box.width / self.width < 1.4
        )


def close_up(portrait: RgbImage) -> RgbImage:
    """Cut the head out of obama1.jpg as read_portrait gives it."""
    return portrait[40:490, 270:720]


def place_face(
    head: RgbImage,
    width: float,
    degrees: float = 0.0,
    size: tuple[int, int] = (1920, 1080),
    at: tuple[float, float] = (0.55, 0.5),
) -> Placed:
    """Place a close-up in a grey picture, its face so wide, turned clockwise by so many degrees."""
    scale = width / CLOSE_UP_WIDTH
    x, y = size[0] * at[0], size[1] * at[1]
    middle = ((head.shape[1] - 1) / 2, (head.shape[0] - 1) / 2)
    if scale < 0.5:
        half = (round(head.shape[1] * 2 * scale), round(head.shape[0] * 2 * scale))
        head, scale = cv2.resize(head, half, interpolation=cv2.INTER_AREA), 0.5
        middle = ((half[0] - 1) / 2, (half[1] - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, -degrees, scale)
    turn[:, 2] += np.array([x, y]) - np.array(middle)
    picture = np.full((size[1], size[0], 3), 96, np.uint8)
    shown = cv2.warpAffine(
        head, turn, size, dst=picture, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    return Placed(shown.astype(np.uint8), x, y, width)
