"""A face looks the same to the encoder however a film codes its colours."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from function.engines.protocol import Engine
from function.faces.faces import faces_of_image
from function.media.colours import BT_2020, DISPLAY_P3, HLG, PQ, convert_to_srgb
from function.media.frames import sample_frames
from function.media.pictures import RgbImage
from function.media.videos import open_video
from tools.footage.videos import read_portrait

Light = NDArray[np.float64]

FROM_BT_709 = np.array(
    [(0.627404, 0.329283, 0.043313), (0.069097, 0.919540, 0.011362), (0.016391, 0.088013, 0.895595)]
)
"""ITU-R BT.2087: linear light of BT.709 to that of BT.2020."""


def light_of(picture: RgbImage) -> Light:
    """The linear light of sRGB, 1 for white."""
    code = picture / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def as_pq(picture: RgbImage) -> Light:
    share = (light_of(picture) @ FROM_BT_709.T * 203 / 10_000).clip(0, 1) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * share) / (1 + 2392 / 128 * share)) ** (2523 / 32)


def as_hlg(picture: RgbImage) -> Light:
    display = light_of(picture) @ FROM_BT_709.T * 203 / 1000
    luminance = display @ (0.2627, 0.6780, 0.0593)
    scene = display * (np.maximum(luminance, 1e-9) ** (1 / 1.2 - 1))[..., None]
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def as_wide_gamut(picture: RgbImage) -> Light:
    return ((picture / 255) ** 2.4 @ FROM_BT_709.T).clip(0, 1) ** (1 / 2.4)


def as_it_is(picture: RgbImage) -> Light:
    return picture / 255


KINDS: dict[str, tuple[Callable[[RgbImage], Light], tuple[int, int, int], str]] = {
    "PQ": (as_pq, (PQ, BT_2020, 9), "yuv420p10le"),
    "HLG": (as_hlg, (HLG, BT_2020, 9), "yuv420p10le"),
    "BT.2020": (as_wide_gamut, (14, BT_2020, 9), "yuv420p10le"),
    "10 bits": (as_it_is, (1, 1, 1), "yuv420p10le"),
    "12 bits": (as_it_is, (1, 1, 1), "yuv444p12le"),
    "8 bits": (as_it_is, (1, 1, 1), "yuv420p"),
}
"""How it is coded; FFmpeg's numbers of the curve, the primaries and the matrix; the pixels."""


def write_coded(path: Path, picture: RgbImage, kind: str, *, full_range: bool) -> Path:
    code, (curve, primaries, matrix), pixel_format = KINDS[kind]
    deep = np.ascontiguousarray((code(picture) * 65535).round().astype(np.uint16))
    span = 2 if full_range else 1
    frame = av.VideoFrame.from_ndarray(deep, format="rgb48le")
    frame = frame.reformat(format=pixel_format, dst_colorspace=matrix, dst_color_range=span)
    with av.open(str(path), "w") as output:
        options = {"crf": "4", "x265-params": "log-level=none", "preset": "ultrafast"}
        stream = output.add_stream("libx265", rate=25, options=options)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        context.color_trc, context.color_primaries = curve, primaries
        context.colorspace, context.color_range = matrix, span
        for number in range(3):
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


@pytest.fixture(scope="module", params=["obama1.jpg", "hopper.jpg", "astronaut.png"])
def portrait(request: pytest.FixtureRequest, photos: Path) -> RgbImage:
    whole = read_portrait(photos / request.param)
    return cv2.resize(whole, (480, 480), interpolation=cv2.INTER_AREA).astype(np.uint8)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_face_is_encoded_as_in_an_ordinary_picture(
    kind: str, portrait: RgbImage, engine: Engine, tmp_path: Path, *, full_range: bool
) -> None:
    path = write_coded(tmp_path / "video.mkv", portrait, kind, full_range=full_range)
    with open_video(path) as video:
        shown = next(sample_frames(video)).picture.rgb()
    assert np.abs(shown.astype(int) - portrait).mean() < 4
    (plain,) = faces_of_image(portrait, engine, 640)
    (face,) = faces_of_image(shown, engine, 640)
    assert np.linalg.norm(face.encoding - plain.encoding) < 0.1


@pytest.mark.parametrize("curve", [PQ, HLG])
def test_highlights_are_pressed_together_and_keep_their_order(curve: int) -> None:
    ramp = np.repeat(np.linspace(0, 65535, 256, dtype=np.uint16)[None, :, None], 3, axis=2)
    shown = convert_to_srgb(ramp, curve, BT_2020)[0, :, 0].astype(int)
    assert shown[0] == 0
    assert shown[-1] >= 253
    assert (np.diff(shown) >= 0).all()
    assert shown[140] < 250, "white paper in PQ is at 148, in HLG at 191"


def test_grey_is_grey_in_every_gamut() -> None:
    grey = np.full((2, 2, 3), 30_000, np.uint16)
    for primaries in (BT_2020, DISPLAY_P3):
        assert np.abs(convert_to_srgb(grey, 1, primaries).astype(int) - 30_000 / 257).max() <= 1
