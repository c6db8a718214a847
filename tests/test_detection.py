from pathlib import Path

import cv2
import numpy as np
import pytest

from function.detection import detect_faces, fit
from function.engines import Detection, DetectorName, Engine, EngineOptions, RgbImage, load_engine
from function.faces import faces_of_image
from tests.engines import QuickEngine
from tools.videos import read_portrait


class Watched(QuickEngine):
    """Notes the size of the pictures it is shown."""

    def __init__(self, detector: DetectorName) -> None:
        super().__init__()
        self.detector = detector
        self.seen: list[tuple[int, int]] = []

    def detect(self, image: RgbImage) -> list[Detection]:
        self.seen.append((image.shape[1], image.shape[0]))
        return super().detect(image)


@pytest.mark.parametrize(
    ("detector", "width", "looked_at"),
    [
        ("fast", 2000, 1120),
        ("fast", 1120, 1120),
        ("fast", 640, 1120),
        ("fast", 300, 600),
        ("cnn", 2000, 1120),
        ("cnn", 640, 640),
        ("hog", 640, 640),
    ],
)
def test_pictures_are_looked_at_in_one_size_and_enlarged_to_no_more_than_twice_theirs(
    detector: DetectorName, width: int, looked_at: int
) -> None:
    engine = Watched(detector)
    (found,) = detect_faces(np.zeros((width // 2, width, 3), np.uint8), engine, 1120)
    assert engine.seen == [(looked_at, looked_at // 2)]
    assert found.box.width == pytest.approx(width, abs=1)


def test_a_photo_can_be_looked_at_without_enlarging_it() -> None:
    engine = Watched("fast")
    detect_faces(np.zeros((300, 600, 3), np.uint8), engine, 1120, enlarges=False)
    assert engine.seen == [(600, 300)]


@pytest.mark.parametrize("width", [1921, 3840, 7680])
def test_a_picture_made_smaller_shows_the_same_without_a_shift(width: int) -> None:
    ramp = np.linspace(0, 255, width).round().astype(np.uint8)
    picture = np.repeat(np.repeat(ramp[None, :, None], width // 2, axis=0), 3, axis=2)
    smaller, scale = fit(picture, 1120, enlarges=True)
    assert smaller.shape == (round(width // 2 * scale), 1120, 3)
    expected = np.linspace(0, 255, 1120)
    assert np.abs(smaller[smaller.shape[0] // 2, :, 0] - expected).max() <= 2


@pytest.mark.parametrize("height", [240, 360])
def test_faces_of_a_fifth_of_the_height_are_seen_in_small_videos_too(
    height: int, photos: Path, engine: Engine
) -> None:
    portrait = read_portrait(photos / "obama1.jpg")
    picture = np.full((height, height * 16 // 9, 3), 96, np.uint8)
    side = round(height * 0.45)
    picture[:side, :side] = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    (found,) = faces_of_image(picture, engine, 1120)
    assert found.box.right < side
    assert found.box.width < height / 5


@pytest.mark.parametrize("width", [135, 180, 240, 320, 430, 570])
def test_faces_of_every_size_are_seen_upright_tilted_and_in_the_dark(
    width: int, photos: Path, engine: Engine
) -> None:
    close_up = read_portrait(photos / "obama1.jpg")[40:490, 270:720]  # the face is 268 pixels wide
    side = round(450 * width / 268)
    upright = cv2.resize(close_up, (side, side), interpolation=cv2.INTER_AREA)
    tilt = cv2.getRotationMatrix2D((side / 2, side / 2), 25, 1)
    tilted = cv2.warpAffine(upright, tilt, (side, side), borderMode=cv2.BORDER_REPLICATE)
    for face in (upright, tilted, upright // 4):
        picture = np.full((1080, 1920, 3), 96, np.uint8)
        picture[50 : 50 + side, 900 : 900 + side] = face
        (found,) = detect_faces(picture, engine, 1120)
        assert 0.7 < found.box.width / width < 1.4
        # Its middle is at 224, 225 of the close-up; the detector's grid is a tenth of a face.
        assert abs((found.box.left + found.box.right) / 2 - 900 - side * 224 / 450) < 0.16 * width
        assert abs((found.box.top + found.box.bottom) / 2 - 50 - side * 225 / 450) < 0.16 * width


def test_a_picture_too_small_for_a_face_is_not_looked_at(engine: Engine) -> None:
    assert detect_faces(np.zeros((39, 400, 3), np.uint8), engine, 1120) == []


@pytest.mark.parametrize("name", ["auto", "dlib"])
def test_every_engine_has_a_fast_detector(name: str, photos: Path) -> None:
    engine = load_engine(name, EngineOptions(detector="fast"))
    picture = read_portrait(photos / "biden.jpg")
    (found,) = detect_faces(picture, engine, 640)
    assert 0.25 < found.box.width / picture.shape[1] < 0.45
