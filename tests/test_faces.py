from pathlib import Path

import numpy as np
import pytest

from function.engines import Box, Engine, EngineOptions, load_engine
from function.faces import faces_of_image, fit_box
from tools.videos import read_portrait


@pytest.mark.parametrize("name", ["obama1.jpg", "obama2.jpg", "biden.jpg", "hopper.jpg"])
def test_the_box_of_a_face_is_as_large_as_hog_draws_it_whatever_the_detectors_was(
    name: str, photos: Path, engine: Engine
) -> None:
    picture = read_portrait(photos / name)
    hog = load_engine("onnx", EngineOptions(detector="hog")).detect(picture)[0].box
    margin = hog.width // 8  # levels are 1.6 apart: up to 1.27 too small or too large
    smaller = Box(hog.left + margin, hog.top + margin, hog.right - margin, hog.bottom - margin)
    larger = Box(hog.left - margin, hog.top - margin, hog.right + margin, hog.bottom + margin)
    exact, *others = (
        fit_box(box, engine.align(picture, box).landmarks) for box in (hog, smaller, larger)
    )

    assert exact.width / hog.width == pytest.approx(1, abs=0.2)
    assert abs(exact.left + exact.right - hog.left - hog.right) / 2 < 0.07 * hog.width
    assert abs(exact.top + exact.bottom - hog.top - hog.bottom) / 2 < 0.07 * hog.width
    for other in others:
        assert other.width / exact.width == pytest.approx(1, abs=0.1)


def test_the_box_of_a_face_grows_with_the_face_not_in_steps(photos: Path, engine: Engine) -> None:
    picture = read_portrait(photos / "obama1.jpg")
    widths = []
    for cut in range(0, 300, 60):
        (face,) = faces_of_image(picture[: 910 - cut, cut // 2 : 910 - cut // 2], engine, 640)
        widths.append(face.box.width)

    assert max(widths) / min(widths) < 1.1


def test_landmarks_that_cannot_be_true_leave_the_box_nearly_as_it_was() -> None:
    found = Box(100, 100, 199, 199)
    for spread, width in ((0.0, 71), (1.0, 140)):
        points = np.array([(90, 40), (60, 40), (10, 40), (40, 40), (50, 70)], np.float32)
        box = fit_box(found, 150 + (points - 50) * spread * 3)
        assert box.width == width
        assert abs(box.left + box.right - 299) <= 20
