"""Moves a camera over pictures: closer, farther, across, and around the head."""

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np

from function.engines.protocol import Box
from function.media.pictures import RgbImage

CLOSEST_SHARE = 0.6
"""A window has at least this share of a picture's sides."""

TURNED_SHOTS = 0.5
"""In this share of shots the head turns."""

TURN_DEGREES, LEAN_DEGREES = (30.0, 65.0), 30.0
"""How far it turns to a side, and leans at most."""

NEARNESS = 1.5
"""The camera is so many picture widths away when it goes around a picture."""


@dataclass(frozen=True)
class Camera:
    """How a shot is taken, each pair from its beginning to its end.

    A window with a share of the picture's sides is shown. It lies as far left and up as it can if
    its place is 0, and as far right and down if it is 1. The head turns and leans by so many
    degrees until the middle of the shot, and then back.
    """

    shares: tuple[float, float] = (1.0, 1.0)
    places: tuple[float, float] = (0.5, 0.5)
    turn_degrees: float = 0.0
    lean_degrees: float = 0.0


def draw_camera(chance: random.Random) -> Camera:
    """Draw a camera: a quarter of them stand still, others come closer, go back or pan."""
    close = chance.uniform(CLOSEST_SHARE, 0.9)
    shares = chance.choice([(1.0, 1.0), (1.0, close), (close, 1.0), (close, close)])
    places = chance.choice([(0.0, 1.0), (1.0, 0.0)])
    if chance.random() > TURNED_SHOTS:
        return Camera(shares, places)
    turn = chance.choice([-1, 1]) * chance.uniform(*TURN_DEGREES)
    return Camera(shares, places, turn, chance.uniform(-LEAN_DEGREES, LEAN_DEGREES))


def take_picture(
    picture: RgbImage, area: Box, camera: Camera, progress: float, size: tuple[int, int]
) -> RgbImage:
    """Show a picture as a camera does at a moment of its shot: RGB uint8 of `size`, letterboxed.

    `area` always stays in the window. `progress` goes from 0 to 1, `size` is (width, height).
    """
    shown = _cut_window(picture, area, camera, progress)
    shown = _resize(shown, min(size[0] / shown.shape[1], size[1] / shown.shape[0]))
    bend = math.sin(math.pi * progress)
    if camera.turn_degrees:
        shown = _turn(shown, bend * camera.turn_degrees, bend * camera.lean_degrees)
    return _letterbox(shown, size)


def _cut_window(picture: RgbImage, area: Box, camera: Camera, progress: float) -> RgbImage:
    height, width = picture.shape[:2]
    least = max((area.right - area.left + 1) / width, (area.bottom - area.top + 1) / height)
    share = min(1.0, max(least, _between(camera.shares, progress)))
    place = _between(camera.places, progress)
    across, down = round(share * width), round(share * height)
    left = _place(area.left, area.right + 1, across, width, place)
    top = _place(area.top, area.bottom + 1, down, height, place)
    return picture[top : top + down, left : left + across]


def _place(first: int, end: int, length: int, whole: int, place: float) -> int:
    """Choose where a window begins that holds `first` to `end`, and stays in the picture."""
    lowest, highest = max(0, end - length), min(whole - length, max(0, first))
    return max(0, round(_between((lowest, highest), place)))


def _between(ends: tuple[float, float], progress: float) -> float:
    return ends[0] + progress * (ends[1] - ends[0])


def _resize(picture: RgbImage, scale: float) -> RgbImage:
    height, width = picture.shape[:2]
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, size, interpolation=how).astype(np.uint8, copy=False)


def _turn(picture: RgbImage, turn_degrees: float, lean_degrees: float) -> RgbImage:
    """Show a picture as seen after going around it; its edges go on where it is left.

    Black there would look like a cut: the light of the whole picture would change.
    """
    height, width = picture.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    turn, lean = math.radians(turn_degrees), math.radians(lean_degrees)
    across, down = (corners - (width / 2, height / 2)).T
    far = NEARNESS * width
    nearer = far / (far + across * math.sin(turn))
    across, down = across * math.cos(turn) * nearer, down * nearer
    seen = np.stack(
        [
            across * math.cos(lean) - down * math.sin(lean) + width / 2,
            across * math.sin(lean) + down * math.cos(lean) + height / 2,
        ],
        axis=1,
    )
    warp = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    turned = cv2.warpPerspective(picture, warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return turned.astype(np.uint8, copy=False)


def _letterbox(picture: RgbImage, size: tuple[int, int]) -> RgbImage:
    """Put a picture between black bars."""
    height, width = picture.shape[:2]
    shown = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    shown[top : top + height, left : left + width] = picture
    return shown
