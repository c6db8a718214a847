import itertools

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from function.media.recycling import Recycler

NAMED = [Colorspace.ITU709, Colorspace.ITU601, Colorspace.BT2020]
RANGES = [ColorRange.UNSPECIFIED, ColorRange.MPEG, ColorRange.JPEG, ColorRange.UNSPECIFIED]


def noise(width: int, height: int, pixel_format: str = "yuv420p", seed: int = 0) -> VideoFrame:
    picture = VideoFrame(width, height, pixel_format)
    drawn = np.random.default_rng(seed)
    for plane in picture.planes:
        plane.update(drawn.integers(0, 256, plane.buffer_size, np.uint8).tobytes())
    picture.colorspace = Colorspace.ITU709
    return picture


def recycled(recycler: Recycler, picture: VideoFrame) -> VideoFrame:
    rgb = recycler.to_rgb(picture) or recycler.to_rgb(picture)
    assert rgb is not None
    return rgb


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p"])
@pytest.mark.parametrize("size", [(640, 360), (854, 480), (321, 241)])
def test_colours_are_those_of_pyav_to_the_bit(pixel_format: str, size: tuple[int, int]) -> None:
    recycler = Recycler()
    for colours, levels in itertools.product(NAMED, RANGES):
        picture = noise(*size, pixel_format)
        picture.colorspace, picture.color_range = colours, levels
        expected = picture.reformat(format="rgb24").to_ndarray()
        assert np.array_equal(recycled(recycler, picture).to_ndarray(), expected)


def test_memory_serves_again_when_nobody_holds_the_picture() -> None:
    recycler = Recycler()
    recycled(recycler, noise(640, 360))
    places = set()
    for seed in range(8):
        places.add(recycled(recycler, noise(640, 360, seed=seed)).planes[0].buffer_ptr)
    assert len(places) == 1


def test_a_picture_that_is_held_stays_as_it_is() -> None:
    recycler = Recycler()
    held = [recycled(recycler, noise(640, 360, seed=seed)).to_ndarray() for seed in range(6)]
    for seed, rgb in enumerate(held):
        expected = noise(640, 360, seed=seed).reformat(format="rgb24").to_ndarray()
        assert np.array_equal(rgb, expected)


def test_pictures_whose_size_changes_all_have_their_own() -> None:
    recycler = Recycler()
    for width, height in [(640, 360), (320, 180), (320, 180), (640, 360)]:
        rgb = recycled(recycler, noise(width, height)).to_ndarray()
        assert rgb.shape == (height, width, 3)


def test_a_single_picture_is_left_to_pyav() -> None:
    recycler = Recycler()
    assert recycler.to_rgb(noise(640, 360)) is None
    assert recycler.to_rgb(noise(320, 180)) is None


@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv420p10le", "nv12", "rgb24"])
def test_other_formats_are_left_to_pyav(pixel_format: str) -> None:
    recycler = Recycler()
    assert all(recycler.to_rgb(noise(64, 64, pixel_format)) is None for _ in range(3))


def test_interlaced_pictures_are_left_to_pyav() -> None:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 64, 64, "yuv420p"
    encoder.options = {"x264-params": "tff=1"}
    packets = [*encoder.encode(noise(64, 64)), *encoder.encode(None)]
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    (picture,) = [one for packet in [*packets, None] for one in decoder.decode(packet)]
    recycler = Recycler()
    assert picture.interlaced_frame
    assert all(recycler.to_rgb(picture) is None for _ in range(3))
