"""Videos for the tests, made in code: pictures in, a file with known timing and known flaws out."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from function.engines import RgbImage

NUMBER_BITS = 12
"""A numbered picture carries its number as this many black or white bars, lowest bit at left."""


def write_video(
    path: Path,
    pictures: Iterable[RgbImage],
    *,
    fps: float = 25,
    keyframe_every: int = 50,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    b_frames: int = 2,
    rotation: float | None = None,
    mirrored: bool = False,
    pixel_aspect: Fraction | None = None,
    seconds: Sequence[float] | None = None,
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write RGB pictures (equal sizes, even sides) as a video, and return its path.

    A keyframe stands at every `keyframe_every`-th picture and nowhere else. `rotation` is in
    degrees counter-clockwise, as the player turns the picture, with `mirrored` left and right
    exchanged after. `seconds` gives each picture's own time instead of an even rate. `container`
    names the format where the suffix does not, and `container_options` go to its writer; `options`
    go to the encoder.
    """
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(str(path), "w", format=container, options=container_options) as output:
        stream = output.add_stream(codec, rate=rate, options=_encoder_options(codec, options))
        stream.pix_fmt = pixel_format
        stream.gop_size = keyframe_every
        if codec in {"libx264", "mpeg4", "mpeg2video"}:
            stream.max_b_frames = b_frames
        if pixel_aspect:
            stream.sample_aspect_ratio = pixel_aspect
        if rotation is not None or mirrored:
            stream.set_display_rotation(rotation or 0, hflip=mirrored)
        if seconds is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index, picture in enumerate(pictures):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            if seconds is not None:
                frame.pts, frame.time_base = round(seconds[index] * 1000), Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def numbered_pictures(
    count: int, *, width: int = 192, height: int = 128, first: int = 0
) -> Iterator[RgbImage]:
    """Yield pictures that say which they are: `number_in` reads it back after any codec."""
    for number in range(first, first + count):
        bits = [255 * (number >> bit & 1) for bit in range(NUMBER_BITS)]
        bars = np.repeat(np.array(bits, np.uint8), width // NUMBER_BITS)
        picture = np.zeros((height, width, 3), np.uint8)
        picture[:, : bars.size] = bars[None, :, None]
        yield picture


def number_in(picture: RgbImage) -> int:
    """Read the number of a picture that `numbered_pictures` drew."""
    height, width = picture.shape[:2]
    bar = width // NUMBER_BITS
    centres = [bar * bit + bar // 2 for bit in range(NUMBER_BITS)]
    lit = picture[height // 2, centres].mean(axis=1) > 127
    return int(sum(1 << bit for bit in range(NUMBER_BITS) if lit[bit]))


def moving_picture(
    photo: RgbImage,
    seconds: float,
    *,
    fps: float = 25,
    size: tuple[int, int] = (640, 360),
    reach: float = 0.1,
) -> Iterator[RgbImage]:
    """Yield a photo that sways over a plain ground, as someone who moves before a camera.

    The photo is scaled to the full height of `size` (width, height), and its middle travels
    `reach` of the width to either side, once in four seconds.
    """
    width, height = size
    scale = height / photo.shape[0]
    for index in range(round(seconds * fps)):
        sway = reach * width * np.sin(2 * np.pi * index / fps / 4)
        left = (width - photo.shape[1] * scale) / 2 + sway
        placement = np.array([[scale, 0, left], [0, scale, 0]])
        yield cv2.warpAffine(photo, placement, size, borderValue=(96, 112, 128))


def still_picture(picture: RgbImage, seconds: float, *, fps: float = 25) -> Iterator[RgbImage]:
    """Yield the same picture for so long."""
    for _ in range(round(seconds * fps)):
        yield picture


def write_sound(path: Path, seconds: float = 1.0, cover: bytes | None = None) -> Path:
    """Write a file of silence; with `cover`, a JPEG, as music with a picture on its sleeve."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=44100, layout="mono")
        if cover is not None:
            output.add_attachment("cover.jpg", "image/jpeg", cover)
        for start in range(0, round(seconds * 44100), 1024):
            samples = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.rate, frame.pts = 44100, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def _encoder_options(codec: str, options: dict[str, str] | None) -> dict[str, str]:
    keyframes_only_where_asked = {"sc_threshold": "0"} if codec != "libvpx-vp9" else {}
    quick = {
        "libx264": {"preset": "veryfast", "crf": "20"},
        "libx265": {"preset": "ultrafast", "x265-params": "scenecut=0:log-level=none"},
        "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime", "crf": "20"},
    }
    return keyframes_only_where_asked | quick.get(codec, {}) | (options or {})
