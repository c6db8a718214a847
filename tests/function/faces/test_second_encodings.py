"""Faces are encoded a second time from the small pictures that were kept of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from function.engines.lightcnn.model import CHIP_PIXELS
from function.engines.protocol import Engine
from function.enrolling.search import search_photo
from function.faces.face import Face
from function.faces.faces import faces_of_image
from function.faces.second_encodings import details_of, encode_again, encode_with_likeness
from function.media.images import decode_jpeg
from tests.support.engines import detect
from tools.footage.videos import read_portrait


@pytest.fixture(scope="module")
def faces(photos: Path, engine: Engine) -> list[Face]:
    return [
        faces_of_image(read_portrait(photos / name), engine, 1280)[0]
        for name in ("obama1.jpg", "biden.jpg", "hopper.jpg")
    ]


def test_a_kept_chip_is_small_and_its_encoding_as_good_as_of_the_picture(
    faces: list[Face], photos: Path, engine: Engine
) -> None:
    picture = read_portrait(photos / "obama1.jpg")
    points = detect(engine, picture)[0].points
    assert engine.second is not None
    assert points is not None
    (direct,) = engine.second.encode([engine.second.cut(picture, points)])
    again = encode_again(faces[0], engine.second).second
    assert again is not None
    assert len(faces[0].chip) < 12_000
    assert np.linalg.norm(again - direct) < 0.25


def test_only_what_is_asked_for_is_fetched_in_the_order_asked(
    faces: list[Face], engine: Engine
) -> None:
    details = details_of(faces, [2, 0], [1], engine.second)
    assert details.pictures == (faces[2].crop, faces[0].crop)
    assert details.second is not None
    expected = encode_again(faces[1], engine.second).second
    assert expected is not None
    np.testing.assert_allclose(details.second, expected, atol=1e-5)
    assert details_of(faces, [1], [], engine.second).second is None
    assert details_of(faces, [1], [1], None).second is None


def test_a_thread_that_helps_changes_nothing(faces: list[Face], engine: Engine) -> None:
    with ThreadPoolExecutor(1) as thread:
        for chosen in ([], [0], [2, 0], [1, 2, 0]):
            alone = details_of(faces, [], chosen, engine.second).second
            helped = details_of(faces, [], chosen, engine.second, thread).second
            np.testing.assert_array_equal(helped, alone)


def test_an_error_in_the_helping_thread_is_raised(faces: list[Face], engine: Engine) -> None:
    broken = [faces[0], replace(faces[1], chip=faces[1].chip[:20])]
    with ThreadPoolExecutor(1) as thread, pytest.raises(Exception, match=r"."):
        details_of(broken, [], [0, 1], engine.second, thread)


def test_without_a_second_encoder_a_face_stays_as_it_is(faces: list[Face], engine: Engine) -> None:
    assert encode_again(faces[0], None) is faces[0]
    chipless = replace(faces[0], chip=b"")
    assert encode_again(chipless, engine.second) is chipless
    assert encode_with_likeness(chipless, engine.second) == (chipless, None)


def test_the_likeness_is_of_the_net_that_found_it_and_low_where_one_side_is_hidden(
    faces: list[Face], photos: Path, engine: Engine
) -> None:
    assert engine.second is not None
    picture, box = read_portrait(photos / "obama1.jpg").copy(), faces[0].box
    picture[box.top : box.bottom, box.left : (box.left + box.right) // 2] = (180, 140, 120)
    hidden = max(faces_of_image(picture, engine, 1280), key=lambda face: face.box.width)
    found = [encode_with_likeness(face, engine.second)[1] for face in (faces[0], hidden)]
    whole, half = (one.cosine for one in found if one is not None)
    assert 1 >= whole > half + 0.05
    assert {one.model for one in found if one is not None} == {engine.second.model.id}


def test_in_a_photo_the_widest_face_is_encoded_twice(photos: Path, engine: Engine) -> None:
    (face,) = search_photo((photos / "obama1.jpg").read_bytes(), engine).faces
    assert face.second is not None
    assert decode_jpeg(face.chip).shape == (CHIP_PIXELS, CHIP_PIXELS, 3)
