"""Cameras that move over a picture."""

import random

import numpy as np
import pytest

from function.engines.protocol import Box
from function.media.pictures import RgbImage
from tools.accuracy.cameras import Camera, draw_camera, take_picture

AREA = Box(150, 60, 249, 159)
SIZE = (320, 180)


@pytest.fixture(scope="module")
def picture() -> RgbImage:
    """Grey, with a red square at AREA."""
    made = np.full((360, 400, 3), 128, np.uint8)
    made[AREA.top : AREA.bottom + 1, AREA.left : AREA.right + 1] = (255, 0, 0)
    return made


def width_of_red(shown: RgbImage) -> int:
    red = (shown[..., 0] > 200) & (shown[..., 1] < 60)
    return int(red.any(axis=0).sum())


def bars_of(shown: RgbImage) -> int:
    return int((shown.max(axis=(0, 2)) == 0).sum())


def test_a_camera_that_stands_still_shows_the_whole_picture_between_bars(picture: RgbImage) -> None:
    shown = take_picture(picture, AREA, Camera(), 0.5, SIZE)
    assert shown.shape == (180, 320, 3)
    assert width_of_red(shown) == 50
    assert bars_of(shown) == 320 - 200


def test_a_camera_that_comes_closer_shows_the_face_larger_until_the_end(picture: RgbImage) -> None:
    closer = Camera(shares=(1.0, 0.6))
    widths = [
        width_of_red(take_picture(picture, AREA, closer, progress, SIZE))
        for progress in (0.0, 0.5, 1.0)
    ]
    assert widths == sorted(set(widths))
    assert widths[-1] == pytest.approx(50 / 0.6, abs=2)


@pytest.mark.parametrize("progress", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("places", [(0.0, 1.0), (1.0, 0.0)])
def test_a_camera_that_pans_keeps_the_face_in_sight(
    picture: RgbImage, progress: float, places: tuple[float, float]
) -> None:
    shown = take_picture(picture, AREA, Camera((0.6, 0.6), places), progress, SIZE)
    assert width_of_red(shown) == pytest.approx(50 / 0.6, abs=2)


def test_a_face_larger_than_the_window_widens_it(picture: RgbImage) -> None:
    wide = Box(-20, 10, 430, 350)
    shown = take_picture(picture, wide, Camera((0.6, 0.6), (0.0, 1.0)), 0.2, SIZE)
    assert width_of_red(shown) == 50


def test_a_head_turns_until_the_middle_of_the_shot_and_back(picture: RgbImage) -> None:
    turning = Camera(turn_degrees=45, lean_degrees=10)
    begin, middle, end = (
        take_picture(picture, AREA, turning, progress, SIZE) for progress in (0.0, 0.5, 1.0)
    )
    still = take_picture(picture, AREA, Camera(), 0.0, SIZE)
    np.testing.assert_array_equal(begin, still)
    np.testing.assert_array_equal(end, still)
    assert width_of_red(middle) < 45


def test_cameras_are_drawn_of_every_kind_and_the_same_again_from_the_same_seed() -> None:
    drawn = [draw_camera(random.Random(seed)) for seed in range(60)]
    assert drawn == [draw_camera(random.Random(seed)) for seed in range(60)]
    kinds = {(shares[0] < 1, shares[1] < 1) for shares in (camera.shares for camera in drawn)}
    assert len(kinds) == 4
    assert 10 < sum(camera.turn_degrees != 0 for camera in drawn) < 40
