"""Every encoder keeps what its model promises."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from function.engines.loading import load_engine
from function.engines.protocol import Detection, Encoder, Engine, EngineOptions
from function.media.images import RgbPicture
from tests.support.engines import detect
from tests.support.tiny_encoder import TinyEncoder
from tools.footage.videos import read_portrait

ENCODERS: Mapping[str, Callable[[], Encoder]] = {
    "onnx": lambda: load_engine("onnx", EngineOptions()).encoder,
    "dlib": lambda: load_engine("dlib", EngineOptions()).encoder,
    "tiny": TinyEncoder,
}


@pytest.fixture(scope="module", params=ENCODERS)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return ENCODERS[request.param]()


@pytest.fixture(scope="module")
def portrait(photos: Path) -> RgbPicture:
    return RgbPicture(read_portrait(photos / "obama1.jpg"))


@pytest.fixture(scope="module")
def detection(engine: Engine, portrait: RgbPicture) -> Detection:
    (found,) = detect(engine, portrait.rgb())
    return found


def test_a_cut_shows_the_face_upright_and_names_its_parts(
    encoder: Encoder, portrait: RgbPicture, detection: Detection
) -> None:
    cut = encoder.cut(portrait, detection)
    side = encoder.model.chip_pixels
    assert (cut.chip.shape, cut.chip.dtype) == ((side, side, 3), np.uint8)
    left, right, nose = cut.points.left_eye, cut.points.right_eye, cut.points.nose
    assert left[0] < nose[0] < right[0]
    assert nose[1] > max(left[1], right[1])
    assert cut.box.left < nose[0] < cut.box.right


def test_encodings_have_the_dimensions_of_the_model(
    encoder: Encoder, portrait: RgbPicture, detection: Detection
) -> None:
    chip = encoder.cut(portrait, detection).chip
    encodings = encoder.encode([chip, chip[:, ::-1].copy()])
    assert (encodings.shape, encodings.dtype) == ((2, encoder.model.dimensions), np.float32)
    assert np.isfinite(encodings).all()
    assert encoder.encode([]).shape == (0, encoder.model.dimensions)


def test_a_face_has_the_same_encoding_alone_and_among_others(
    encoder: Encoder, portrait: RgbPicture, detection: Detection
) -> None:
    chip = encoder.cut(portrait, detection).chip
    (alone,) = encoder.encode([chip])
    *_, among = encoder.encode([np.roll(chip, 7, axis=1), np.zeros_like(chip), chip])
    assert np.linalg.norm(alone - among) < 1e-5


def test_the_distances_of_the_model_tell_one_person_from_another(
    encoder: Encoder, engine: Engine, photos: Path
) -> None:
    encodings = []
    for name, shift in (("obama1.jpg", 0), ("obama1.jpg", 3), ("biden.jpg", 0)):
        picture = RgbPicture(np.roll(read_portrait(photos / name), shift, axis=0))
        chip = encoder.cut(picture, detect(engine, picture.rgb())[0]).chip
        encodings.append(encoder.encode([chip])[0])
    same = np.linalg.norm(encodings[0] - encodings[1])
    other = np.linalg.norm(encodings[0] - encodings[2])
    assert same < encoder.model.rejected_within
    assert other > encoder.model.linked_below
