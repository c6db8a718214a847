from pathlib import Path

import cv2
import numpy as np
import pytest

from function.detection import detect_faces
from function.engines import (
    Box,
    Detection,
    Engine,
    EngineOptions,
    GreyImage,
    RgbImage,
    load_engine,
)
from tests.engines import QuickEngine
from tools.videos import read_portrait


class TwoEyed(QuickEngine):
    """Sees with HOG what it is told, and with the CNN what it is told; counts the wide looks."""

    detector = "both"

    def __init__(self, frontal: list[Detection], turned: list[Detection]) -> None:
        super().__init__()
        self.wide_looks = 0
        self._frontal, self._turned = frontal, turned

    def detect_frontal(self, grey: GreyImage) -> list[Detection]:
        assert grey.shape == (512, 1024)
        return self._frontal

    def detect(self, image: RgbImage) -> list[Detection]:
        assert image.shape[:2] == (320, 640)
        self.wide_looks += 1
        return self._turned


PICTURE = np.zeros((1000, 2000, 3), np.uint8)
SURE = Detection(Box(100, 100, 199, 199), 0.9)
DOUBTFUL = Detection(Box(500, 100, 599, 199), 0.1)


def test_a_sure_frontal_face_spares_the_wide_look_unless_it_is_a_thorough_one() -> None:
    engine = TwoEyed([SURE], [])
    (found,) = detect_faces(PICTURE, engine, 640, thoroughly=False)
    assert (found.box.left, found.box.right) == (195, 389)
    assert engine.wide_looks == 0
    detect_faces(PICTURE, engine, 640, thoroughly=True)
    assert engine.wide_looks == 1


def test_a_doubtful_frontal_face_is_left_to_the_wide_look() -> None:
    engine = TwoEyed([DOUBTFUL], [])
    assert detect_faces(PICTURE, engine, 640, thoroughly=False) == []
    assert engine.wide_looks == 1


def test_a_face_that_both_looks_see_counts_once() -> None:
    same = Detection(Box(64, 64, 126, 126), 0.8)
    other = Detection(Box(400, 64, 460, 126), 0.7)
    found = detect_faces(PICTURE, TwoEyed([SURE], [same, other]), 640)
    assert [one.score for one in found] == [0.9, 0.7]


@pytest.mark.parametrize(("width", "looked_at"), [(1024, 1024), (640, 1024), (300, 600)])
def test_a_small_picture_is_looked_at_once_and_enlarged_to_no_more_than_twice_its_size(
    width: int, looked_at: int
) -> None:
    seen: list[int] = []

    class OneEyed(QuickEngine):
        detector = "both"

        def detect(self, image: RgbImage) -> list[Detection]:
            seen.append(image.shape[1])
            return super().detect(image)

        def detect_frontal(self, grey: GreyImage) -> list[Detection]:
            raise AssertionError(grey)

    small = np.zeros((width // 2, width, 3), np.uint8)
    (found,) = detect_faces(small, OneEyed(), 640, thoroughly=False)
    assert seen == [looked_at]
    assert found.box.width == pytest.approx(width, abs=1)


@pytest.mark.parametrize("height", [240, 360])
def test_faces_of_a_fifth_of_the_height_are_seen_in_small_videos_too(
    height: int, photos: Path, engine: Engine
) -> None:
    portrait = read_portrait(photos / "obama1.jpg")
    picture = np.full((height, height * 16 // 9, 3), 96, np.uint8)
    side = round(height * 0.45)
    picture[:side, :side] = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    (found,) = detect_faces(picture, engine, 640)
    assert found.box.right < side
    assert found.box.width < height / 5


def test_a_picture_too_small_for_a_face_is_not_looked_at(engine: Engine) -> None:
    assert detect_faces(np.zeros((39, 400, 3), np.uint8), engine, 640) == []


def test_both_detectors_together_find_what_each_would(photos: Path) -> None:
    engine = load_engine("auto", EngineOptions(detector="both"))
    picture = read_portrait(photos / "biden.jpg")
    (found,) = detect_faces(picture, engine, 640)
    assert 0.25 < found.box.width / picture.shape[1] < 0.45
