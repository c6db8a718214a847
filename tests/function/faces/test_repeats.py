"""A face seen again just so is counted and not encoded again; anything else is looked at anew."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from db.records import Vectors
from function.engines.protocol import Alignment, Detection, Detector, DetectorName, Encoder, Engine
from function.faces.face import Face
from function.faces.faces import find_faces
from function.media.frames import Frame
from function.media.images import RgbPicture
from function.media.pictures import Picture, RgbImage
from tests.support.turning import close_up, place_face
from tools.footage.videos import read_portrait


class Counting:
    """An engine, and its encoder, that counts the faces that it cuts out and encodes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.provider, self.model = engine.name, engine.provider, engine.encoder.model
        self.detector: DetectorName = engine.detector
        self.second = engine.second
        self.cuts = self.encoded = 0

    @property
    def encoder(self) -> Encoder:
        return self

    def open_detector(self, longest_pixels: int) -> Detector:
        return self._engine.open_detector(longest_pixels)

    def rate_frontal(self, chip: RgbImage) -> float:
        return self._engine.rate_frontal(chip)

    def cut(self, picture: Picture, detection: Detection) -> Alignment:
        self.cuts += 1
        return self._engine.encoder.cut(picture, detection)

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        self.encoded += len(chips)
        return self._engine.encoder.encode(chips)


@pytest.fixture(scope="module")
def head(photos: Path) -> RgbImage:
    return close_up(read_portrait(photos / "obama1.jpg"))


def look(pictures: Sequence[RgbImage], engine: Engine) -> tuple[list[Face], Counting]:
    counting = Counting(engine)
    frames = [
        Frame(index, float(index), float(index), RgbPicture(picture))
        for index, picture in enumerate(pictures)
    ]
    found = find_faces(iter(frames), counting, 960)
    return [face for _, faces in found for face in faces], counting


def noisy(picture: RgbImage, seed: int) -> RgbImage:
    noise = np.random.default_rng(seed).normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def test_a_held_face_is_encoded_once_and_counted_each_time(head: RgbImage, engine: Engine) -> None:
    still = place_face(head, 150).picture
    faces, counting = look([noisy(still, seed) for seed in range(12)], engine)

    assert counting.cuts == 1
    assert counting.encoded == 1 + 1  # and the blank chip
    assert [face.seconds for face in faces] == list(range(12))
    assert all(np.array_equal(face.encoding, faces[0].encoding) for face in faces)
    assert all(face.crop for face in faces)


def test_a_face_that_is_held_over_several_batches_keeps_its_encoding(
    head: RgbImage, engine: Engine, photos: Path
) -> None:
    other = cv2.resize(read_portrait(photos / "biden.jpg"), (300, 300)).astype(np.uint8)
    pictures = []
    for index in range(24):
        picture = place_face(head, 150, at=(0.25, 0.5)).picture.copy()
        left = 1100 + 20 * index
        picture[300:600, left : left + 300] = other  # who moves is encoded in each frame
        pictures.append(picture)
    faces, counting = look(pictures, engine)

    held = [face for face in faces if face.box.left < 900]
    assert len(held) == 24
    assert all(np.array_equal(face.encoding, held[0].encoding) for face in held)
    assert counting.encoded == 1 + 1 + 24


def test_another_person_in_the_same_place_is_looked_at(photos: Path, engine: Engine) -> None:
    pictures = [
        cv2.resize(read_portrait(photos / name), (600, 600)).astype(np.uint8)
        for name in ("obama1.jpg", "biden.jpg", "obama1.jpg")
    ]
    faces, counting = look(pictures, engine)
    assert counting.encoded == 1 + 3
    assert np.linalg.norm(faces[0].encoding - faces[1].encoding) > 0.6


@pytest.mark.parametrize(
    ("degrees", "width", "across"), [(12, 150, 0.55), (0, 180, 0.55), (0, 150, 0.6)]
)
def test_who_turns_comes_nearer_or_moves_is_looked_at_again(
    degrees: float, width: float, across: float, head: RgbImage, engine: Engine
) -> None:
    first = place_face(head, 150).picture
    second = place_face(head, width, degrees, at=(across, 0.5)).picture
    _, counting = look([first, second], engine)
    assert counting.encoded == 1 + 2


def test_darker_light_alone_makes_no_other_face(head: RgbImage, engine: Engine) -> None:
    still = place_face(head, 150).picture
    _, counting = look([still, (still * 0.8).astype(np.uint8)], engine)
    assert counting.encoded == 1 + 1


def test_a_slow_zoom_is_looked_at_again_whenever_the_face_has_grown_by_a_tenth(
    head: RgbImage, engine: Engine
) -> None:
    pictures = [place_face(head, 100 * 1.02**index).picture for index in range(30)]
    faces, counting = look(pictures, engine)
    assert counting.cuts >= 5
    grown = [one.box.width / other.box.width for one, other in zip(faces[1:], faces, strict=False)]
    assert max(grown) < 1.1


def test_held_faces_are_told_of_while_the_film_goes_on(head: RgbImage, engine: Engine) -> None:
    still = place_face(head, 150).picture
    frames = (Frame(index, float(index), float(index), RgbPicture(still)) for index in range(70))
    told = [len(faces) for _, faces in find_faces(frames, engine, 960)]
    assert sum(told) == 70
    assert sum(told[:40]) >= 32


def test_the_blank_chip_is_encoded_once_for_each_engine(head: RgbImage, engine: Engine) -> None:
    counting = Counting(engine)
    for _ in range(3):
        frame = Frame(0, 0.0, 0.0, RgbPicture(place_face(head, 150).picture))
        assert [faces for _, faces in find_faces([frame], counting, 960)]
    assert counting.encoded == 1 + 3
