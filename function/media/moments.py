"""Finds the picture that a video shows at a moment."""

from pathlib import Path

from av.video.frame import VideoFrame

from function.errors import UnreadableVideoError
from function.media.conversion import PictureConverter
from function.media.decoding import FalseKeyframeError, decode_group, shown_at
from function.media.images import encode_jpeg, fit
from function.media.packets import read_groups_from
from function.media.pictures import Moment
from function.media.schedule import FAILED_GROUPS
from function.media.videos import Video, open_video

MAX_SIDE_PIXELS = 1280
"""Larger pictures are scaled down: the page shows no more."""

ROUNDED_SECONDS = 0.001
"""Moments are given to the millisecond; a picture may come this much before one."""


def find_moment(source: Path | int, name: str, seconds: float) -> Moment:
    """Find the first picture of a video from a moment on; beyond the end, the last one.

    If the moment is damaged, the next whole picture is used.

    Raises:
        UnreadableVideoError: the file cannot be read as a video, or not at that moment.
        VideoOverLimitError: it is larger or longer than the limits allow.
    """
    with open_video(source, name=name) as video:
        picture = _find_picture(video, seconds - ROUNDED_SECONDS)
        converter = PictureConverter(video.stream.sample_aspect_ratio, video.limits.max_pixels)
        rgb = converter.to_rgb(picture)
    return Moment(max(shown_at(picture), 0.0), encode_jpeg(fit(rgb, MAX_SIDE_PIXELS)[0]))


def _find_picture(video: Video, seconds: float) -> VideoFrame:
    try:
        last = _find_from(video, seconds)
    except FalseKeyframeError:
        video.begin_again()
        last = _find_from(video, seconds)
    if last is None and (video.is_encrypted or video.states_encryption()):
        raise video.refusal()
    if last is None:
        raise UnreadableVideoError(
            f"{video.name} has no picture at {seconds:.1f} s that can be decoded. It is damaged."
        )
    return last


def _find_from(video: Video, seconds: float) -> VideoFrame | None:
    last: VideoFrame | None = None
    failed = 0
    for group in read_groups_from(video, seconds):
        for picture in decode_group(video, group):
            last = picture
            if shown_at(picture) >= seconds:
                return picture
        failed += last is None and len(group.packets) == 1
        if failed == FAILED_GROUPS and video.trusts_keyframes:
            raise FalseKeyframeError
    return last
