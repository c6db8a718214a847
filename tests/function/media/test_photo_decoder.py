import io

import numpy as np
import pytest
from PIL import Image

from function.media import photo_decoder as stills
from function.media.photo_decoder import decode_photo
from function.media.photos import PhotoRefusedError


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def red_over_blue() -> Image.Image:
    picture = np.zeros((40, 20, 3), np.uint8)
    picture[:20, :, 0] = 255
    picture[20:, :, 2] = 255
    return Image.fromarray(picture)


def test_colours_are_rgb_and_shape_is_height_width() -> None:
    picture = decode_photo(saved(red_over_blue(), "PNG"))
    assert picture.shape == (40, 20, 3)
    assert picture[0, 0].tolist() == [255, 0, 0]


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    picture = decode_photo(saved(red_over_blue(), "JPEG", exif=exif, quality=95))
    assert picture.shape == (20, 40, 3)
    assert picture[10, 35, 0] > 200


@pytest.mark.parametrize("mode", ["CMYK", "L", "LA", "P", "RGBA", "1"])
def test_any_colour_mode_becomes_rgb(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    assert decode_photo(saved(red_over_blue().convert(mode), form)).shape == (40, 20, 3)


def test_of_an_animation_the_first_picture_counts() -> None:
    blue = Image.new("RGB", (20, 40), (0, 0, 255))
    animation = saved(red_over_blue(), "GIF", save_all=True, append_images=[blue])
    assert decode_photo(animation)[0, 0, 0] > 200


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"<html>not found</html>", "not a picture"),
        (saved(red_over_blue(), "PNG")[:60], "unreadable"),
        (saved(Image.effect_noise((200, 200), 90), "JPEG")[:2000], "truncated"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(PhotoRefusedError, match=reason):
        decode_photo(content)


def test_a_huge_photo_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stills, "MAX_PIXELS", 799)
    with pytest.raises(PhotoRefusedError, match="too large: 20x40"):
        decode_photo(saved(red_over_blue(), "PNG"))
