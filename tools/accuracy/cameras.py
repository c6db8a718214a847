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
    shown = _fit(_cut_window(picture, area, camera, progress), size)
    bend = math.sin(math.pi * progress)
    if not camera.turn_degrees:
        return shown
    corners = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    turned = _turn(corners, size, bend * camera.turn_degrees, bend * camera.lean_degrees)
    warp = cv2.getPerspectiveTransform(corners, turned)
    return cv2.warpPerspective(shown, warp, size).astype(np.uint8, copy=False)


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


def _fit(picture: RgbImage, size: tuple[int, int]) -> RgbImage:
    """Scale a picture to fit, with black bars."""
    height, width = picture.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    across, down = max(1, round(scale * width)), max(1, round(scale * height))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shown = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - across) // 2, (size[1] - down) // 2
    shown[top : top + down, left : left + across] = cv2.resize(
        picture, (across, down), interpolation=how
    )
    return shown


def _turn(
    corners: "np.ndarray[tuple[int, int], np.dtype[np.float32]]",
    size: tuple[int, int],
    turn_degrees: float,
    lean_degrees: float,
) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """Return where corners (count, 2) of a picture are seen after the camera went around it."""
    middle = np.array(size, np.float32) / 2
    turn, lean = math.radians(turn_degrees), math.radians(lean_degrees)
    across, down = (corners - middle).T
    far = NEARNESS * size[0]
    nearer = far / (far + across * math.sin(turn))
    across, down = across * math.cos(turn) * nearer, down * nearer
    turned = np.stack(
        [
            across * math.cos(lean) - down * math.sin(lean),
            across * math.sin(lean) + down * math.cos(lean),
        ],
        axis=1,
    )
    return (turned + middle).astype(np.float32)
