"""VR films: everybody is shown twice, once for each eye."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from db.records import Vector
from function.engines.models import PRIMARY
from function.engines.protocol import Box, Engine
from function.faces.face import Face
from function.faces.faces import find_faces
from function.media.frames import Frame
from function.media.images import RgbPicture
from function.media.pictures import RgbImage
from function.people.halves import MOST_IN_FRAME, frames_by_eye
from tests.support.crowds import Crowd, make_face
from tests.support.people import group_faces
from tools.footage.videos import read_portrait

EYE = 960
"""Side of the picture for one eye, in pixels."""

FAR_ANGLE = 0.34
"""The encodings of the two eyes may be farther apart than those of a mirror image."""


def placed(encoding: Vector, frame: int, x: int, y: int) -> Face:
    return replace(make_face(encoding, frame), box=Box(x - 50, y - 50, x + 49, y + 49))


def film(*, above: bool = False) -> list[Face]:
    """Two people in ten frames, each at both eyes; in every third frame one is seen differently."""
    crowd = Crowd()
    faces = []
    for person, (x, y) in ((crowd.person(), (300, 400)), (crowd.person(), (700, 500))):
        for frame in range(10):
            encoding = person + crowd.direction(0.1)
            other = encoding + crowd.direction(0.1 if frame % 3 else FAR_ANGLE)
            right = (x + 12, y + EYE) if above else (x + EYE - 12, y)
            faces += [placed(encoding, frame, x, y), placed(other, frame, *right)]
    return faces


def test_each_half_of_a_frame_is_a_picture_of_its_own() -> None:
    for faces in (film(), film(above=True)):
        eyes = frames_by_eye(faces, PRIMARY).reshape(-1, 2)
        np.testing.assert_array_equal(eyes[:, 0] + 1, eyes[:, 1])
        assert len(np.unique(eyes)) == 20


def test_both_eyes_see_one_person() -> None:
    assert [len(person) for person in group_faces(film())] == [20, 20]


def test_sisters_who_sit_side_by_side_stay_two_people() -> None:
    crowd = Crowd()
    sister = crowd.person()
    other = sister + crowd.direction(FAR_ANGLE)
    faces = [
        placed(person + crowd.direction(0.03), frame, x, 400)
        for frame in range(10)
        for person, x in ((sister, 300), (other, 900))
    ]
    assert [len(person) for person in group_faces(faces)] == [10, 10]
    assert frames_by_eye(faces, PRIMARY).tolist() == [face.frame for face in faces]


def test_a_mirror_beside_other_people_does_not_make_halves() -> None:
    crowd = Crowd()
    someone, *others = (crowd.person() for _ in range(4))
    faces = [
        placed(encoding, frame, x, 400)
        for frame in range(10)
        for encoding, x in (
            (someone, 200),
            (someone, 700),
            *zip(others, (1200, 1500, 1800), strict=True),
        )
    ]
    assert frames_by_eye(faces, PRIMARY).tolist() == [face.frame for face in faces]


def test_crowded_frames_cost_nothing() -> None:
    crowd = Crowd()
    someone = crowd.person()
    faces = [placed(someone, 0, 200 * number, 400) for number in range(MOST_IN_FRAME + 1)]
    assert frames_by_eye(faces, PRIMARY).tolist() == [0] * len(faces)
    assert frames_by_eye([], PRIMARY).tolist() == []


def warp(portrait: RgbImage, right_degrees: float, up_degrees: float) -> RgbImage:
    """Show a portrait as half a sphere does, 30 degrees wide, at an angle from straight ahead."""
    height, width = portrait.shape[:2]
    span = (np.arange(EYE) + 0.5) / EYE - 0.5
    across, down = np.meshgrid(span * np.pi, span * np.pi)
    across, down = across - np.radians(right_degrees), down + np.radians(up_degrees)
    x, y = np.tan(across) * np.cos(down), np.sin(down) / np.cos(across).clip(0.1)
    size = width / (2 * np.tan(np.radians(15)))
    to_x, to_y = (
        (width / 2 + size * x).astype(np.float32),
        (height / 2 + size * y).astype(np.float32),
    )
    seen = cv2.remap(
        portrait,
        to_x,
        to_y,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(90,) * 3,
    )
    return seen.astype(np.uint8)


def vr_frames(photos: Path, *, above: bool) -> Iterator[Frame]:
    """Two portraits that drift through a film, which shows them to two eyes 3 degrees apart."""
    one, other = (read_portrait(photos / name) for name in ("obama1.jpg", "biden.jpg"))
    for number in range(4):
        eyes = []
        for parallax in (1.5, -1.5):
            left = warp(one, -35 + 2 * number + parallax, 5)
            right = warp(other, 30 - number + parallax, -10)
            eyes.append(np.hstack([left[:, : EYE // 2], right[:, EYE // 2 :]]))
        picture = RgbPicture(np.vstack(eyes) if above else np.hstack(eyes))
        yield Frame(number, float(number), float(number + 1), picture)


@pytest.mark.parametrize("above", [False, True])
def test_two_people_in_a_vr_film_are_two_people(
    photos: Path, engine: Engine, *, above: bool
) -> None:
    frames = vr_frames(photos, above=above)
    faces = [face for _, found in find_faces(frames, engine, 960) for face in found]
    assert len(set(frames_by_eye(faces, PRIMARY).tolist())) == 8
    people = group_faces(faces)
    assert [len(person) for person in people] == [8, 8]
    for person in people:
        assert len({face.frame for face in person}) == 4
