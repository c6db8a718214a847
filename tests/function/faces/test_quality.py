"""What makes a face weak, and that it is what makes people unknowable, not merely less pretty."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from function.engines.protocol import Detection, Engine
from function.faces.face import DOUBTFUL, Face
from function.faces.faces import faces_of_image
from function.faces.quality import (
    SMALL_PIXELS,
    Quality,
    doubt_encoding,
    make_blank_chip,
    measure_sharpness,
    rate_points,
    weigh_face,
)
from function.matching.comparisons import choose_densities
from function.matching.matches import identify_people
from function.media.photo_decoder import decode_photo
from function.media.pictures import RgbImage
from tests.support.engines import align, detect, made_up_photo
from tests.support.people import person_of
from tests.support.turning import close_up, place_face
from tools.accuracy.labelled import Dataset, Source
from tools.accuracy.trials import make_gallery
from tools.footage.videos import read_portrait

Spoil = Callable[[RgbImage], RgbImage]
PORTRAITS = ["obama1.jpg", "obama2.jpg", "biden.jpg", "astronaut.png", "hopper.jpg"]
FACE_WIDTH = 115
"""Portraits are scaled until their face is as wide as those on which the limits were measured."""


def brighten(factor: float, levels: float = 0) -> Spoil:
    return lambda image: (
        np.clip(image.astype(float) * factor + levels, 0, 255).round().astype(np.uint8)
    )


def blur(pixels: float) -> Spoil:
    return lambda image: cv2.GaussianBlur(image, (0, 0), pixels).astype(np.uint8)


def move(pixels: int, *, down: bool) -> Spoil:
    kernel = np.full((pixels, 1) if down else (1, pixels), 1 / pixels)
    return lambda image: cv2.filter2D(image, -1, kernel).astype(np.uint8)


def weigh(image: RgbImage, spoil: Spoil, engine: Engine) -> Quality:
    """Weigh the face of a picture as it becomes when spoilt, or where it was if it is lost."""
    scale = FACE_WIDTH / _find(image, engine).box.width
    as_lfw = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    as_lfw = as_lfw.astype(np.uint8)
    spoilt = spoil(as_lfw)
    found = next(iter(detect(engine, spoilt)), _find(as_lfw, engine))
    return weigh_face(found, align(engine, spoilt, found), rate_points(found))


def _find(image: RgbImage, engine: Engine) -> Detection:
    return detect(engine, image)[0]


@pytest.mark.parametrize("name", PORTRAITS)
def test_a_portrait_is_not_weak_nor_is_it_in_dim_light_or_a_little_soft(
    name: str, photos: Path, engine: Engine
) -> None:
    portrait = read_portrait(photos / name)
    as_it_is = weigh(portrait, brighten(1), engine)
    dim = weigh(portrait, brighten(0.4), engine)
    soft, softer = (weigh(portrait, blur(pixels), engine) for pixels in (1, 2))
    assert (as_it_is.weaknesses, dim.weaknesses, soft.weaknesses) == ((), (), ())
    assert dim.value == pytest.approx(as_it_is.value, rel=0.2)
    assert soft.value == pytest.approx(as_it_is.value, rel=0.2)
    assert softer.value < min(as_it_is.value, soft.value)


@pytest.mark.parametrize(
    ("spoil", "weakness"),
    [
        (blur(5), "blurred"),
        (move(27, down=False), "blurred"),
        (move(27, down=True), "blurred"),
        (brighten(0.06), "too dark"),
        (brighten(2, 90), "too bright"),
    ],
)
def test_a_face_that_is_spoilt_says_how(
    spoil: Spoil, weakness: str, photos: Path, engine: Engine
) -> None:
    quality = weigh(read_portrait(photos / "obama1.jpg"), spoil, engine)
    assert weakness in quality.weaknesses


def test_faces_in_profile_are_known_as_turned_away_and_others_are_not(
    clip_faces: list[Face],
) -> None:
    faces = [face for face in clip_faces if DOUBTFUL not in face.weaknesses]
    # A pianist's profile fills the picture; then the singer faces the hall.
    profile = [face for face in faces if 1.5 < face.seconds < 2.3]
    singer = [face for face in faces if 3.5 < face.seconds < 7.5]
    assert len(profile) >= 2
    assert all("turned away" in face.weaknesses for face in profile)
    assert len(singer) >= 12
    assert not any("turned away" in face.weaknesses for face in singer)


@pytest.mark.parametrize(("width", "is_small"), [(24, True), (32, False)])
def test_a_face_of_24_pixels_is_weak_and_one_of_32_only_weighs_less(
    width: int, photos: Path, engine: Engine, *, is_small: bool
) -> None:
    head = close_up(read_portrait(photos / "obama1.jpg"))
    values = []
    for shown in (width, 64, 200):
        placed = place_face(head, shown)
        (found,) = detect(engine, placed.picture)
        quality = weigh_face(found, align(engine, placed.picture, found), rate_points(found))
        values.append(quality.value)
        smallness = [word for word in quality.weaknesses if word.startswith("small")]
        assert bool(smallness) == (is_small and shown == width)
    assert values == sorted(values)
    assert SMALL_PIXELS > 24


def test_who_is_known_from_24_pixels_alone_is_never_a_match(photos: Path, engine: Engine) -> None:
    portrait = read_portrait(photos / "obama1.jpg")
    (enrolled,) = faces_of_image(portrait, engine, 1280)
    gallery = make_gallery(
        {"Obama": [Source("Obama", "", (enrolled,), is_video=False)]}, engine.encoder.model
    )
    verdicts = []
    for width in (24, 64):
        placed = place_face(close_up(portrait), width, size=(960, 540))
        faces = faces_of_image(placed.picture, engine, 960)
        (found,) = identify_people([person_of(faces)], gallery, choose_densities(gallery))
        verdicts.append(found.verdict)
    assert verdicts[0] in ("uncertain", "unknown")
    assert verdicts[1] == "match"


def test_an_encoding_that_says_nothing_is_doubted_and_one_that_says_much_is_not(
    photos: Path, engine: Engine
) -> None:
    (blank,) = engine.encoder.encode([make_blank_chip(engine.encoder.model)])
    hand = cv2.GaussianBlur(np.full((150, 150, 3), (190, 150, 120), np.uint8), (0, 0), 3)
    portrait = read_portrait(photos / "biden.jpg")
    face = align(engine, portrait, detect(engine, portrait)[0]).chip
    nobody, somebody = engine.encoder.encode([hand.astype(np.uint8), face])
    assert doubt_encoding((), 0.95, nobody, blank, engine.encoder.model) == (DOUBTFUL,)
    assert doubt_encoding((DOUBTFUL,), 0.95, nobody, blank, engine.encoder.model) == (DOUBTFUL,)
    assert doubt_encoding(("blurred", DOUBTFUL), 0.8, somebody, blank, engine.encoder.model) == (
        "blurred",
    )
    assert doubt_encoding((DOUBTFUL,), 0.65, somebody, blank, engine.encoder.model) == (DOUBTFUL,)
    half_way = blank + (somebody - blank) * np.float32(0.52 / np.linalg.norm(somebody - blank))
    assert doubt_encoding((), 0.83, half_way, blank, engine.encoder.model) == (DOUBTFUL,)
    assert doubt_encoding((), 0.93, half_way, blank, engine.encoder.model) == ()


def test_sharpness_sees_no_light_and_takes_the_softer_axis() -> None:
    noise = decode_photo(made_up_photo(1))[:, :, 0]
    sharpness = measure_sharpness(noise)
    assert measure_sharpness((noise // 2).astype(np.uint8)) == pytest.approx(sharpness, rel=0.05)
    moved = cv2.blur(noise, (15, 1)).astype(np.uint8)
    assert measure_sharpness(moved) < sharpness / 4
    assert measure_sharpness(moved.T) == pytest.approx(measure_sharpness(moved))
    assert measure_sharpness(np.full((90, 90), 7, np.uint8)) == 0


@pytest.mark.parametrize(
    ("spoil", "fewest"), [(brighten(0.4), 0.95), (blur(1), 0.95), (blur(2), 0.85)]
)
def test_real_people_are_named_in_dim_light_and_soft_pictures_and_strangers_are_not(
    spoil: Spoil, fewest: float, lfw: Dataset, development_data: Path, engine: Engine
) -> None:
    spoilt = [
        _spoil(source, spoil, development_data, engine)
        for source in lfw.sources
        if source.origin[-5] in "4567"
    ]
    named = strangers = searches = 0
    for name in sorted({source.name for source in lfw.sources}):
        enrolled = {
            other: [one for one in lfw.sources if one.name == other][:3]
            for other in sorted({source.name for source in lfw.sources})
        }
        probes = [one for one in spoilt if one and one.name == name]
        faces = [replace(one.faces[0], frame=frame) for frame, one in enumerate(probes[:3])]
        everyone = make_gallery(enrolled, engine.encoder.model)
        others = make_gallery(
            {other: own for other, own in enrolled.items() if other != name}, engine.encoder.model
        )
        for gallery in (everyone, others):
            (found,) = identify_people([person_of(faces)], gallery, choose_densities(gallery))
            is_right = found.verdict == "match" and found.matches[0].performer.name == name
            named += is_right
            strangers += found.verdict == "match" and not is_right
        searches += 1
    assert strangers == 0
    assert named >= fewest * searches


def _spoil(source: Source, spoil: Spoil, development_data: Path, engine: Engine) -> Source | None:
    path = next((development_data / "lfw10").rglob(Path(source.origin).name))
    faces = faces_of_image(spoil(decode_photo(path.read_bytes())), engine, 1280)
    widest = max(faces, key=lambda face: face.box.width, default=None)
    return replace(source, faces=(widest,)) if widest else None
