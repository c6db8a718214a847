"""Small good videos in every container and codec that FFmpeg can write, to break in every way."""

from collections.abc import Iterable, Iterator
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
    "mpeg4.m4v": ("mpeg4", "yuv420p"),
    "h264.h264": ("libx264", "yuv420p"),
    "hevc.hevc": ("libx265", "yuv420p"),
    "h264.nut": ("libx264", "yuv444p"),
    "av1.mp4": ("libsvtav1", "yuv420p10le"),
    "av1.obu": ("libsvtav1", "yuv420p"),
    "vp8.ivf": ("libvpx", "yuv420p"),
    "mpeg2.wtv": ("mpeg2video", "yuv420p"),
    "mpeg2.ts": ("mpeg2video", "yuv420p"),
    "wmv1.asf": ("wmv1", "yuv420p"),
    "msmpeg4.avi": ("msmpeg4", "yuv420p"),
    "flv.flv": ("flv", "yuv420p"),
    "h263.3gp": ("h263", "yuv420p"),
    "h261.avi": ("h261", "yuv420p"),
    "rv10.rm": ("rv10", "yuv420p"),
    "rv20.rm": ("rv20", "yuv420p"),
    "svq1.mov": ("svq1", "yuv410p"),
    "asv1.avi": ("asv1", "yuv420p"),
    "asv2.avi": ("asv2", "yuv420p"),
    "snow.avi": ("snow", "yuv420p"),
    "dv.avi": ("dvvideo", "yuv420p"),
    "dv.dv": ("dvvideo", "yuv420p"),
    "mjpeg.mjpeg": ("mjpeg", "yuvj420p"),
    "cinepak.avi": ("cinepak", "rgb24"),
    "cinepak.mov": ("cinepak", "rgb24"),
    "msvideo1.avi": ("msvideo1", "rgb555le"),
    "raw.avi": ("rawvideo", "bgr24"),
    "raw.mov": ("rawvideo", "uyvy422"),
    "cineform.mov": ("cfhd", "yuv422p10le"),
    "animation.mov": ("qtrle", "rgb24"),
    "png.mov": ("png", "rgb24"),
    "jpeg2000.mov": ("jpeg2000", "rgb24"),
    "jpeg2000.mxf": ("jpeg2000", "yuv420p"),
    "v210.mov": ("v210", "yuv422p10le"),
    "v308.mov": ("v308", "yuv444p"),
    "r210.mov": ("r210", "gbrp10le"),
    "yuv4.mov": ("yuv4", "yuv420p"),
    "ffv1.mkv": ("ffv1", "yuv422p10le"),
    "ffv1.avi": ("ffv1", "yuv420p"),
    "huffyuv.avi": ("huffyuv", "rgb24"),
    "ffvhuff.avi": ("ffvhuff", "yuv420p"),
    "utvideo.avi": ("utvideo", "yuv420p"),
    "magicyuv.avi": ("magicyuv", "yuv420p"),
    "zlib.avi": ("zlib", "bgr24"),
    "zmbv.avi": ("zmbv", "bgr0"),
    "flashscreen.flv": ("flashsv", "bgr24"),
    "flashscreen2.flv": ("flashsv2", "bgr24"),
    "gif.gif": ("gif", "rgb8"),
    "apng.apng": ("apng", "rgb24"),
}
"""File name -> encoder and pixel format."""

SIZES = {"h261": (352, 288), "h263": (352, 288), "dv": (720, 576)}
"""Width and height that a codec demands, by the file's stem."""

USUAL_SIZE = (192, 128)
RAW = ("m4v", "h264", "hevc", "obu", "mjpeg", "dv")  # FFmpeg knows these writers by name only


def write_seeds(folder: Path) -> list[Path]:
    """Write every seed into a folder, and return their paths."""
    return [write_seed(folder / name, _pictures(size=size_of(name))) for name in SEEDS]


def write_seed(path: Path, pictures: Iterable[RgbImage]) -> Path:
    """Write pictures, of the size that `size_of` says, as the seed of this file name."""
    codec, pixel_format = SEEDS[path.name]
    suffix = path.suffix[1:]
    return write_video(
        path,
        pictures,
        codec=codec,
        pixel_format=pixel_format,
        keyframe_every=10,
        b_frames=0,
        container=suffix if suffix in RAW else None,
    )


def size_of(name: str) -> tuple[int, int]:
    """Return the width and height of a seed's pictures."""
    return SIZES.get(Path(name).stem, USUAL_SIZE)


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
