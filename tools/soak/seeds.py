"""Small good videos in a dozen containers and codecs, made in code, to break in every way."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from function.media.pictures import RgbImage
from tools.footage.videos import write_video

SEEDS: dict[str, tuple[str, str]] = {
    "h264.mp4": ("libx264", "yuv420p"),
    "h264.mkv": ("libx264", "yuv420p"),
    "h264.ts": ("libx264", "yuv420p"),
    "h264.flv": ("libx264", "yuv420p"),
    "hevc.mp4": ("libx265", "yuv420p"),
    "vp8.webm": ("libvpx", "yuv420p"),
    "vp9.webm": ("libvpx-vp9", "yuv420p"),
    "mpeg4.avi": ("mpeg4", "yuv420p"),
    "mjpeg.avi": ("mjpeg", "yuvj420p"),
    "mpeg2.mpg": ("mpeg2video", "yuv420p"),
    "mpeg1.mpg": ("mpeg1video", "yuv420p"),
    "wmv2.asf": ("wmv2", "yuv420p"),
    "prores.mov": ("prores", "yuv422p10le"),
    "mpeg4.mov": ("mpeg4", "yuv420p"),
}
"""File name -> encoder and pixel format."""


def write_seeds(folder: Path) -> list[Path]:
    """Write every seed into a folder, and return their paths."""
    paths = []
    for name, (codec, pixel_format) in SEEDS.items():
        path = folder / name
        write_video(
            path, _pictures(), codec=codec, pixel_format=pixel_format, keyframe_every=10, b_frames=0
        )
        paths.append(path)
    return paths


def write_film(path: Path) -> Path:
    """Write a video that takes a second or more to process."""
    return write_video(path, _pictures(seconds=10, size=(640, 360)))


def _pictures(seconds: int = 2, size: tuple[int, int] = (160, 128)) -> Iterator[RgbImage]:
    width, height = size
    for number in range(seconds * 25):
        picture = np.full((height, width, 3), 40, np.uint8)
        centre = (20 + 2 * number % (width - 40), height // 2)
        cv2.circle(picture, centre, 20, (200, 160, 120), thickness=-1)
        yield picture
