from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from function.media.conversion import PictureConverter, turn_upright
from function.media.pictures import RgbImage

UNSPECIFIED = 2
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 150, 120)]


def stripes(width: int, height: int) -> RgbImage:
    bars = np.repeat(np.array(COLOURS, np.uint8), width // len(COLOURS), axis=0)
    return np.ascontiguousarray(np.broadcast_to(bars, (height, *bars.shape)))


def encoded(
    rgb: RgbImage, pixel_format: str, colours: Colorspace, levels: ColorRange
) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    return frame.reformat(format=pixel_format, dst_colorspace=colours, dst_color_range=levels)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "nv12", "yuv444p"])
@pytest.mark.parametrize("colours", [Colorspace.ITU601, Colorspace.ITU709, Colorspace.BT2020])
@pytest.mark.parametrize("levels", [ColorRange.MPEG, ColorRange.JPEG])
def test_colours_come_back_as_they_were(
    pixel_format: str, colours: Colorspace, levels: ColorRange
) -> None:
    rgb = stripes(192, 64)
    picture = encoded(rgb, pixel_format, colours, levels)
    back = PictureConverter(None, 10**6).to_rgb(picture)
    middles = [16 + 32 * bar for bar in range(len(COLOURS))]
    assert np.abs(back[32, middles].astype(int) - COLOURS).max() <= 4


@pytest.mark.parametrize(
    ("width", "height", "colours"), [(192, 64, Colorspace.ITU601), (1320, 720, Colorspace.ITU709)]
)
def test_unnamed_colours_are_those_that_players_assume(
    width: int, height: int, colours: Colorspace
) -> None:
    picture = encoded(stripes(width, height), "yuv444p", colours, ColorRange.MPEG)
    picture.colorspace = UNSPECIFIED
    picture.color_range = ColorRange.UNSPECIFIED
    back = PictureConverter(None, 10**7).to_rgb(picture)
    middles = [width // 12 + width // 6 * bar for bar in range(len(COLOURS))]
    assert np.abs(back[height // 2, middles].astype(int) - COLOURS).max() <= 4


@pytest.mark.parametrize("number", [0, 3, 8, 14, 99])
def test_colours_that_make_no_sense_are_converted_all_the_same(number: int) -> None:
    picture = av.VideoFrame(64, 64, "yuv420p")
    picture.colorspace = picture.color_trc = picture.color_primaries = number
    picture.color_range = number
    converter = PictureConverter(None, 10**6)
    assert converter.to_thumbnail(picture).shape == (32, 32)
    assert converter.to_rgb(picture).shape == (64, 64, 3)


@pytest.mark.parametrize("pixel_format", ["gray", "gray10le", "rgb24", "gbrp", "yuva420p"])
def test_pictures_without_chroma_or_with_transparency_become_rgb(pixel_format: str) -> None:
    rgb = np.full((64, 64, 3), 150, np.uint8)
    picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixel_format)
    back = PictureConverter(None, 10**6).to_rgb(picture)
    assert back.dtype == np.uint8
    assert np.abs(back.astype(int) - 150).max() <= 4


@pytest.mark.parametrize("nonsense", [Fraction(100), Fraction(1, 1000), Fraction(0), None])
def test_pixels_of_a_shape_that_makes_no_sense_are_taken_for_square(
    nonsense: Fraction | None,
) -> None:
    picture = av.VideoFrame(64, 32, "yuv420p")
    assert PictureConverter(nonsense, 10**9).to_rgb(picture).shape == (32, 64, 3)


def test_square_pixels_do_not_grow_a_picture_beyond_the_limit() -> None:
    picture = av.VideoFrame(64, 32, "yuv420p")
    assert PictureConverter(Fraction(3), 64 * 32 * 2).to_rgb(picture).shape == (32, 64, 3)


def test_a_thumbnail_cell_is_the_mean_of_what_it_covers() -> None:
    checks = np.indices((320, 320)).sum(axis=0) % 2 * 200
    rgb = np.repeat(checks[:, :, None], 3, axis=2).astype(np.uint8)
    picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    thumbnail = PictureConverter(None, 10**6).to_thumbnail(picture)
    assert np.abs(thumbnail - 100).max() <= 3
    assert (thumbnail[0] - thumbnail[1]).dtype == np.int16


def test_a_matrix_of_no_turn_leaves_an_image_as_it_is() -> None:
    rgb = stripes(12, 4)
    identity = np.array([1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30], np.int32).tobytes()
    assert np.array_equal(turn_upright(rgb, identity), rgb)
