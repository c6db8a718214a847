import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from function.engines.dlib_nets.alignment import fit_box
from function.engines.loading import load_engine
from function.engines.protocol import Box, Detection, Engine, EngineOptions
from function.faces.face import best_face
from function.faces.faces import faces_of_image, find_faces
from function.matching.matches import match_people
from function.media.frames import Frame
from function.media.images import RgbPicture
from tests.support.engines import align, detect
from tests.support.people import group_faces, person_of
from tests.support.turning import close_up, place_face
from tools.accuracy.labelled import Source
from tools.accuracy.trials import make_gallery
from tools.footage.videos import read_portrait


@pytest.mark.parametrize("name", ["obama1.jpg", "obama2.jpg", "biden.jpg", "hopper.jpg"])
def test_the_box_of_a_face_is_as_large_as_hog_draws_it_whatever_the_detectors_was(
    name: str, photos: Path, engine: Engine
) -> None:
    picture = read_portrait(photos / name)
    hog = detect(load_engine("onnx", EngineOptions(detector="hog")), picture)[0].box
    margin = hog.width // 8
    smaller = Box(hog.left + margin, hog.top + margin, hog.right - margin, hog.bottom - margin)
    larger = Box(hog.left - margin, hog.top - margin, hog.right + margin, hog.bottom + margin)
    exact, *others = (
        align(engine, picture, Detection(box, 1.0)).box for box in (hog, smaller, larger)
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


@pytest.mark.parametrize("degrees", [30, 90, 135, 180, 270])
def test_a_face_that_leans_has_the_encoding_that_it_has_upright(
    degrees: float, photos: Path, engine: Engine
) -> None:
    head = close_up(read_portrait(photos / "obama1.jpg"))
    (upright,) = faces_of_image(place_face(head, 200).picture, engine, 960)
    (leaning,) = faces_of_image(place_face(head, 200, degrees).picture, engine, 960)
    assert leaning.weaknesses == ()
    assert leaning.quality == pytest.approx(upright.quality, abs=0.15)
    assert np.linalg.norm(leaning.encoding - upright.encoding) < 0.2


def test_people_far_away_are_told_apart_and_named_and_strangers_are_not(
    photos: Path, engine: Engine
) -> None:
    portraits = [
        (read_portrait(photos / "obama2.jpg"), 92),
        (read_portrait(photos / "biden.jpg"), 140),
    ]
    (enrolled,) = faces_of_image(read_portrait(photos / "obama1.jpg"), engine, 1280)
    source = Source("Obama", "", (enrolled,), is_video=False)
    gallery = make_gallery({"Obama": [source]}, engine.encoder.model)
    frames = []
    for index in range(6):
        picture = np.full((1080, 1920, 3), 96, np.uint8)
        for place, (portrait, side) in enumerate(portraits):
            small = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
            left = 300 + 900 * place + 40 * index
            picture[500 : 500 + side, left : left + side] = small
        frames.append(Frame(index, float(index), float(index), RgbPicture(picture)))
    faces = [face for _, new in find_faces(frames, engine, 960) for face in new]
    assert {face.box.width for face in faces} <= set(range(32, 60))
    people = group_faces(faces, len(frames))
    assert [len(group) for group in people] == [6, 6]
    verdicts = {
        one.verdict for one in match_people([person_of(group) for group in people], gallery)
    }
    assert verdicts == {"match", "unknown"}


@pytest.mark.parametrize(("width", "is_small"), [(70, True), (120, True), (240, False)])
def test_a_small_face_of_a_halved_picture_is_cut_from_the_whole_one(
    width: int, photos: Path, engine: Engine, *, is_small: bool
) -> None:
    head = close_up(read_portrait(photos / "obama1.jpg"))
    whole = place_face(head, width, size=(3840, 2160)).picture
    half = cv2.resize(whole, (1920, 1080), interpolation=cv2.INTER_AREA).astype(np.uint8)
    frame = Frame(0, 0.0, 0.0, RgbPicture(half), whole=RgbPicture(whole))
    (face,) = [face for _, new in find_faces([frame], engine, 720) for face in new]
    (of_whole,) = faces_of_image(whole, engine, 720)
    (of_half,) = faces_of_image(half, engine, 720)
    like = of_whole if is_small else of_half
    assert np.linalg.norm(face.encoding - like.encoding) < 0.05
    assert face.quality == pytest.approx(like.quality, abs=0.05)
    assert (face.crop == of_half.crop) != is_small
    assert face.weaknesses == of_whole.weaknesses
    assert abs(face.box.left - of_half.box.left) <= 2
    assert abs(face.box.width - of_half.box.width) <= 2


def test_a_frame_is_done_before_the_next_one_is_asked_for(photos: Path, engine: Engine) -> None:
    picture = RgbPicture(read_portrait(photos / "obama2.jpg"))
    asked: list[int] = []

    def frames() -> Iterator[Frame]:
        for index in range(2):
            asked.append(index)
            yield Frame(index, float(index), float(index), picture)

    steps = find_faces(frames(), engine, 640)
    assert next(steps) == (0.0, [])  # its face waits for others to be encoded with
    assert asked == [0]
    assert [(seconds, len(faces)) for seconds, faces in steps] == [(1.0, 0), (1.0, 2)]


def test_a_huge_face_that_leans_is_cut_out_within_bounds(photos: Path, engine: Engine) -> None:
    head = close_up(read_portrait(photos / "obama1.jpg"))
    huge = place_face(head, 2400, 40, size=(7680, 4320))
    (found,) = engine.open_detector(960).detect(RgbPicture(huge.picture))
    tracemalloc.start()
    alignment = align(engine, huge.picture, found)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 40_000_000
    (upright,) = faces_of_image(place_face(head, 200).picture, engine, 960)
    (encoding,) = engine.encoder.encode([alignment.chip])
    assert np.linalg.norm(encoding - upright.encoding) < 0.25


def test_what_may_be_no_face_is_not_the_one_that_is_shown(photos: Path, engine: Engine) -> None:
    (face,) = faces_of_image(read_portrait(photos / "biden.jpg"), engine, 1280)
    hand = replace(face, quality=1.0, weaknesses=("doubtful",))
    assert best_face([hand, face]) is face
    assert best_face([hand]) is hand
