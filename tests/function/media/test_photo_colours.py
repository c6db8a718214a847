"""Photos in wide gamuts, in inks, and with profiles that are odd or broken."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from function.engines.protocol import Engine
from function.enrolling.choosing import choose_face
from function.enrolling.search import search_photo
from function.faces.face import Face
from function.media.photo_decoder import decode_photo
from function.media.pictures import RgbImage
from tests.support.colour_profiles import (
    WIDE,
    in_ink,
    in_wide,
    ink_profile,
    profile,
    wide_profile,
)


@pytest.fixture(scope="module")
def portrait(photos: Path) -> RgbImage:
    with Image.open(photos / "obama1.jpg") as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def plain(portrait: RgbImage, engine: Engine) -> Face:
    return choose_face(search_photo(saved(Image.fromarray(portrait), "PNG"), engine))


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def apart(picture: RgbImage, other: RgbImage) -> float:
    return float(np.abs(picture.astype(int) - other).mean())


@pytest.mark.parametrize("gamut", WIDE)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_face_in_a_wide_gamut_is_encoded_as_in_srgb(
    gamut: str, form: str, portrait: RgbImage, plain: Face, engine: Engine
) -> None:
    wide = Image.fromarray(in_wide(portrait, gamut))
    options = {} if form in ("PNG", "TIFF") else {"quality": 95}
    photo = saved(wide, form, icc_profile=wide_profile(gamut), **options)
    assert apart(decode_photo(photo), portrait) < 3 < apart(np.asarray(wide), portrait)
    face = choose_face(search_photo(photo, engine))
    assert np.linalg.norm(face.encoding - plain.encoding) < 0.1
    if form in ("PNG", "TIFF"):  # compression alone, without a profile, moves SFace's by up to 0.18
        assert face.second is not None
        assert plain.second is not None
        assert np.linalg.norm(face.second - plain.second) < 0.1


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_a_face_in_inks_is_encoded_as_in_srgb(
    form: str, portrait: RgbImage, plain: Face, engine: Engine
) -> None:
    inks = Image.fromarray(in_ink(portrait), "CMYK")
    photo = saved(inks, form, icc_profile=ink_profile(), quality=95)
    assert apart(decode_photo(photo), portrait) < 6
    assert apart(decode_photo(saved(inks, form, quality=95)), portrait) > 15
    face = choose_face(search_photo(photo, engine))
    assert np.linalg.norm(face.encoding - plain.encoding) < 0.1


def test_grey_goes_by_its_profile_too(portrait: RgbImage) -> None:
    grey = Image.fromarray(portrait).convert("L")
    curve = b"curv" + bytes(4) + b"\0\0\0\x01" + b"\x01\x00"  # light itself
    photo = saved(grey, "PNG", icc_profile=profile(b"GRAY", {b"kTRC": curve}))
    assert decode_photo(photo).mean() > np.asarray(grey).mean() + 20


def test_transparency_does_not_hide_the_profile(portrait: RgbImage) -> None:
    wide = Image.fromarray(in_wide(portrait, "ProPhoto")).convert("RGBA")
    photo = saved(wide, "PNG", icc_profile=wide_profile("ProPhoto"))
    assert apart(decode_photo(photo), portrait) < 3


@pytest.mark.parametrize(
    "odd",
    [
        ink_profile(),  # of inks, in a picture of light
        wide_profile("P3")[:300],
        wide_profile("P3")[:-200],
        wide_profile("P3").replace(b"rTRC", b"none"),
        wide_profile("P3").replace(b"mntr", b"link"),
        wide_profile("P3").replace(b"curv", b"text"),
        b"\xff" * 2000,
        bytes(128),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_profile_that_is_odd_or_broken_changes_no_colour(
    odd: bytes, form: str, portrait: RgbImage
) -> None:
    image = Image.fromarray(portrait)
    with_it, without = saved(image, form, icc_profile=odd), saved(image, form)
    assert (decode_photo(with_it) == decode_photo(without)).all()


def test_damage_anywhere_in_a_profile_leaves_a_picture(portrait: RgbImage) -> None:
    image = Image.fromarray(portrait[::8, ::8])
    dice = np.random.default_rng(3)
    for content in (wide_profile("P3"), ink_profile()):
        for _ in range(200):
            broken = bytearray(content)
            for place in dice.integers(0, min(len(broken), 700), 4):
                broken[place] = dice.integers(0, 256)
            mode = "CMYK" if len(content) > 5000 else "RGB"
            photo = saved(image.convert(mode), "TIFF", icc_profile=bytes(broken))
            assert decode_photo(photo).shape == (*portrait[::8, ::8].shape[:2], 3)
