from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from function.media.conversion import PictureConverter
from function.media.halving import halve_down
from function.media.pictures import RgbImage
from tools.footage.videos import still_picture, write_video

PQ, BT_2020 = 16, 9


def scene(width: int, height: int) -> RgbImage:
    noise = np.random.default_rng(3).integers(60, 196, (height // 32, width // 32, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def picture_of(rgb: RgbImage, pixel_format: str) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format=pixel_format, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )


@pytest.mark.parametrize("size", [(640, 352), (650, 354), (644, 357)])
@pytest.mark.parametrize(
    "pixel_format",
    ["yuv420p", "yuvj420p", "yuv420p10le", "yuv422p", "yuv444p12le", "gray", "rgb24"],
)
def test_each_pixel_is_the_mean_of_four(pixel_format: str, size: tuple[int, int]) -> None:
    rgb = scene(*size)
    half = halve_down(picture_of(rgb, pixel_format), 320)
    assert (half.width, half.height, half.format.name) == (size[0] // 2, size[1] // 2, pixel_format)
    expected = cv2.resize(rgb, (half.width, half.height), interpolation=cv2.INTER_AREA)
    if pixel_format == "gray":
        expected = cv2.cvtColor(cv2.cvtColor(expected, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    made = PictureConverter(None, 10**7).to_rgb(half)
    assert np.abs(made.astype(int) - expected).mean() < 4


@pytest.mark.parametrize(("width", "left"), [(639, 639), (640, 320), (1279, 639), (1280, 320)])
def test_a_picture_is_halved_as_often_as_enough_is_left(width: int, left: int) -> None:
    assert halve_down(av.VideoFrame(width, 64, "yuv420p"), 320).width == left


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv444p10le"])
def test_half_a_picture_has_its_colours_and_its_times(pixel_format: str) -> None:
    picture = av.VideoFrame(640, 320, pixel_format)
    picture.colorspace, picture.color_range = Colorspace.BT2020, ColorRange.JPEG
    picture.color_trc, picture.color_primaries = PQ, BT_2020
    picture.pts, picture.opaque = 7, 2.5
    half = halve_down(picture, 320)
    assert (half.colorspace, half.color_range) == (Colorspace.BT2020, ColorRange.JPEG)
    assert (half.color_trc, half.color_primaries) == (PQ, BT_2020)
    assert (half.pts, half.opaque) == (7, 2.5)


def test_a_wide_picture_that_names_no_colours_has_those_of_its_own_height() -> None:
    picture = picture_of(np.full((1080, 3840, 3), (200, 60, 60), np.uint8), "yuv420p")
    picture.colorspace = 2
    converter = PictureConverter(None, 10**7)
    half, matrix = converter.halve(picture, 1920)
    assert np.abs(converter.to_rgb(half, matrix)[9, 9].astype(int) - (200, 60, 60)).max() <= 4


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "yuv422p"])
def test_fine_patterns_become_grey_and_no_coarse_ones(pixel_format: str) -> None:
    checks = np.indices((64, 640)).sum(axis=0) % 2 * 200
    rgb = np.repeat(checks[:, :, None], 3, axis=2).astype(np.uint8)
    half = halve_down(picture_of(rgb, pixel_format), 320)
    assert np.abs(PictureConverter(None, 10**7).to_rgb(half).astype(int) - 100).max() <= 4


def test_a_picture_of_two_fields_is_not_halved(tmp_path: Path) -> None:
    options = {"x264-params": "tff=1"}
    path = write_video(tmp_path / "v.mp4", still_picture(scene(640, 352), 3), options=options)
    with av.open(str(path)) as video:
        picture = next(video.decode(video=0))
    assert picture.interlaced_frame
    assert halve_down(picture, 320) is picture
