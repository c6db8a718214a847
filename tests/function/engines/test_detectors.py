"""Every detector keeps what the interface promises."""

from pathlib import Path

import numpy as np
import pytest

from function.engines.loading import load_engine
from function.engines.protocol import DETECTORS, Engine, EngineOptions
from function.media.images import RgbPicture, fit
from function.media.pictures import RgbImage
from tools.footage.videos import read_portrait

SIDE = 480


@pytest.fixture(scope="module", params=DETECTORS)
def detecting(request: pytest.FixtureRequest) -> Engine:
    return load_engine("onnx", EngineOptions(detector=request.param))


@pytest.fixture(scope="module")
def two(photos: Path) -> RgbImage:
    """Two people beside each other."""
    portraits = [read_portrait(photos / name) for name in ("obama1.jpg", "biden.jpg")]
    return np.hstack([fit(portrait, SIDE)[0] for portrait in portraits])


def test_it_is_the_one_that_was_asked_for(
    detecting: Engine, request: pytest.FixtureRequest
) -> None:
    assert detecting.detector == request.node.callspec.params["detecting"]


def test_faces_are_found_in_the_pictures_own_pixels_the_surest_first(
    detecting: Engine, two: RgbImage
) -> None:
    for longest in (two.shape[1], two.shape[1] // 2):
        found = detecting.open_detector(longest).detect(RgbPicture(two))
        assert len(found) == 2
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        middles = sorted((one.box.left + one.box.right) / 2 for one in found)
        assert middles[0] < two.shape[1] / 2 < middles[1]
        for one in found:
            assert 0.2 < one.box.width / two.shape[0] < 0.9


def test_nothing_is_found_where_nobody_is(detecting: Engine) -> None:
    detector = detecting.open_detector(640)
    for shape in ((360, 640), (1, 1), (30, 900)):
        assert detector.detect(RgbPicture(np.full((*shape, 3), 90, np.uint8))) == []


def test_one_detector_sees_pictures_of_any_size_after_each_other(
    detecting: Engine, two: RgbImage
) -> None:
    detector = detecting.open_detector(800)
    for picture in (two, two[:, :SIDE], two):
        assert detector.detect(RgbPicture(picture))
