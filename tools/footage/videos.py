"""Videos made in code, for the demo, the benchmarks and the tests."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from function.media.pictures import RgbImage


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

    Every `keyframe_every`-th picture is a keyframe, and no other. `rotation` is in degrees
    counter-clockwise, as the player turns the picture; with `mirrored`, left and right are swapped
    afterwards. `seconds` gives each picture its own time instead of an even rate. `container` names
    the format if the suffix does not, and `container_options` go to its writer; `options` go to the
    encoder.
    """
    rate = Fraction(fps).limit_denominator(1001)
    opened = av.open(str(path), "w", format=container, options=container_options)
    with _same_priority(), opened as output:
        added = output.add_stream(codec, rate=rate, options=_encoder_options(codec, options))
        stream = cast("VideoStream", added)
        stream.pix_fmt = pixel_format
        stream.gop_size = keyframe_every
        if codec in {"libx264", "mpeg4", "mpeg2video"}:
            stream.max_b_frames = b_frames
        if pixel_aspect:
            stream.sample_aspect_ratio = pixel_aspect
        if rotation is not None or mirrored:
            stream.set_display_rotation(rotation or 0, hflip=mirrored)
        _encode(output, stream, pictures, seconds)
    return path


@contextmanager
def _same_priority() -> Iterator[None]:
    """Take back what libsvtav1 does if root runs it: real-time priority, for good, ahead of all."""
    if sys.platform != "linux":
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def _encode(
    output: OutputContainer,
    stream: VideoStream,
    pictures: Iterable[RgbImage],
    seconds: Sequence[float] | None,
) -> None:
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


def moving_picture(
    photo: RgbImage,
    seconds: float,
    *,
    fps: float = 25,
    size: tuple[int, int] = (640, 360),
    reach: float = 0.1,
) -> Iterator[RgbImage]:
    """Yield a photo that sways over a plain background, like someone moving before a camera.

    The photo is scaled to the full height of `size` (width, height), and its middle moves by
    `reach` of the width to either side, once every four seconds.
    """
    width, height = size
    scale = height / photo.shape[0]
    for index in range(round(seconds * fps)):
        sway = reach * width * np.sin(2 * np.pi * index / fps / 4)
        left = (width - photo.shape[1] * scale) / 2 + sway
        placement = np.array([[scale, 0, left], [0, scale, 0]])
        shown = cv2.warpAffine(photo, placement, size, borderValue=(96, 112, 128))
        yield shown.astype(np.uint8, copy=False)


def still_picture(picture: RgbImage, seconds: float, *, fps: float = 25) -> Iterator[RgbImage]:
    """Yield the same picture for `seconds`."""
    for _ in range(round(seconds * fps)):
        yield picture


def _encoder_options(codec: str, options: dict[str, str] | None) -> dict[str, str]:
    keyframes_only_where_asked = {"sc_threshold": "0"} if codec != "libvpx-vp9" else {}
    quick = {
        # Or what is in the video would depend on the processor and on what lies in memory.
        "libx264": {"preset": "veryfast", "crf": "20", "x264-params": "cpu-independent=1"},
        "libx265": {"preset": "ultrafast", "x265-params": "scenecut=0:log-level=none"},
        "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime", "crf": "20"},
    }
    return keyframes_only_where_asked | quick.get(codec, {}) | (options or {})


def read_picture(path: Path) -> RgbImage:
    """Read a picture file as RGB uint8, (height, width, 3)."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise FileNotFoundError(path)
    return picture.astype(np.uint8, copy=False)


def read_portrait(path: Path) -> RgbImage:
    """Read the top square of a portrait, which shows the face: RGB uint8, (side, side, 3)."""
    picture = read_picture(path)
    side = min(picture.shape[:2])
    left = (picture.shape[1] - side) // 2
    return picture[:side, left : left + side]
