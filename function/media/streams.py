"""Opens a file's container, and chooses the stream in it that a player would show."""

import logging
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from function.errors import UnreadableVideoError, VideoOverLimitError
from function.media.broadcasts import CleanBroadcast, is_short_broadcast
from function.media.formats import CODECS, FORMATS, SOUND_CODECS, STILL_CODECS
from function.media.limits import VideoLimits

log = logging.getLogger(__name__)

PROBED_BYTES = 5_000_000  # FFmpeg's own default, fixed here so that it stays
QUICKLY = {"probesize": str(PROBED_BYTES)}
PATIENTLY = {"probesize": str(20 * PROBED_BYTES), "analyzeduration": "60000000"}
"""How FFmpeg looks for a file's first whole picture; the second is for one minute of any film."""

AS_WRITTEN: Mapping[str, str] = {}
WITHOUT_EDITS: Mapping[str, str] = {"ignore_editlist": "1"}
"""What else FFmpeg is told: the second is for an MP4 whose edit list shows nothing."""


def open_stream(
    source: Path | int,
    name: str,
    limits: VideoLimits,
    extra: Mapping[str, str],
    hwaccel: HWAccel | None = None,
    *,
    cleaned_pid: int = 0,
) -> tuple[InputContainer, VideoStream]:
    """Open a file, and probe it for longer if its first keyframe comes late, as in a recording.

    With `cleaned_pid`, packets of this stream of a broadcast are left out that would do harm.

    Raises:
        UnreadableVideoError: it may not be read, or it is not a video that can be decoded.
        VideoOverLimitError: its picture or its number of streams is over `limits`.
    """
    file = CleanBroadcast(source, cleaned_pid) if cleaned_pid else source
    container = _open_container(file, name, limits, {**QUICKLY, **extra}, hwaccel)
    try:
        _check_streams(container, name, limits)
        stream = _choose_stream(container, name)
        if not stream.codec_context.width:
            container.close()
            container = _open_container(file, name, limits, {**PATIENTLY, **extra}, hwaccel)
            stream = _choose_stream(container, name)
        _check_picture(stream, name, limits)
    except BaseException:
        container.close()
        raise
    return container, stream


def _open_container(
    source: Path | int | CleanBroadcast,
    name: str,
    limits: VideoLimits,
    probing: Mapping[str, str],
    hwaccel: HWAccel | None,
) -> InputContainer:
    address, options = _address(source)
    options |= {
        "format_whitelist": ",".join(FORMATS),
        "codec_whitelist": ",".join((*CODECS, *SOUND_CODECS)),
        "max_streams": str(limits.max_streams + 1),  # one more, so that an excess shows
        "max_pixels": str(limits.max_pixels),  # while probing; decoding has its own below
        "threads": "1",
        **probing,
    }
    is_broadcast = isinstance(source, CleanBroadcast) or is_short_broadcast(source)
    kind = "mpegts" if is_broadcast else None
    opening = partial(
        av.open, address, mode="r", format=kind, options=options, metadata_errors="replace"
    )
    if hwaccel:  # an error may be the GPU's: whoever asked for it must know
        return opening(hwaccel=hwaccel)
    try:
        return opening()
    except PermissionError:
        if isinstance(source, Path):
            raise UnreadableVideoError(f"{name} may not be read. Check its permissions.") from None
        raise _unsupported(name) from None  # it is open already: FFmpeg means its content
    except MemoryError:
        raise  # PyAV's is an FFmpegError too, but the file may be good
    except (av.FFmpegError, ValueError, UnicodeError):
        raise _unsupported(name) from None


def _unsupported(name: str) -> UnreadableVideoError:
    return UnreadableVideoError(
        f"{name} was found, but it is not a video in a supported format, or is damaged. "
        "Check that it plays, or convert it to MP4."
    )


def _address(source: Path | int | CleanBroadcast) -> tuple[str | CleanBroadcast, dict[str, str]]:
    """Say in FFmpeg's terms what to open, and the only protocol that may open anything."""
    if isinstance(source, CleanBroadcast):
        source.seek(0)
        return source, {"protocol_whitelist": ""}
    if isinstance(source, int):
        os.lseek(source, 0, os.SEEK_SET)
        return "fd:", {"fd": str(source), "protocol_whitelist": "fd"}
    # An absolute path does not begin with a scheme, so it cannot be taken for a URL.
    return os.path.abspath(source), {"protocol_whitelist": "file"}  # noqa: PTH100  # keeps links


def _check_streams(container: InputContainer, name: str, limits: VideoLimits) -> None:
    if len(container.streams) > limits.max_streams:
        raise VideoOverLimitError(
            f"{name} holds more than {limits.max_streams} streams. Give a file with only the video."
        )


def _choose_stream(container: InputContainer, name: str) -> VideoStream:
    """Choose what a player would show: the default stream, of those the largest picture.

    Of several programmes in a broadcast, too, it is the largest, and of equal ones the first. A
    track of one picture is a cover, whatever it calls itself, if there is another.
    """
    moving = _moving(container)
    if not moving:
        found = "a still picture, not a video" if container.streams.video else "no picture"
        raise UnreadableVideoError(f"{name} holds {found}. Give the path of a video.")
    readable = [s for s in moving if s.codec_context and s.codec_context.name in CODECS]
    if not readable:
        codec = moving[0].codec_context.name if moving[0].codec_context else "an unknown codec"
        raise UnreadableVideoError(
            f"The pictures of {name} are coded as {codec}, which is not supported. "
            "Convert the video to H.264."
        )
    return max(readable, key=_likelihood)


def _moving(container: InputContainer) -> list[VideoStream]:
    picture_on_the_sleeve = Disposition.attached_pic | Disposition.timed_thumbnails
    return [s for s in container.streams.video if not s.disposition & picture_on_the_sleeve]


def tell_choice(container: InputContainer, stream: VideoStream, name: str) -> None:
    """Say in the log which of several videos in a file is looked at."""
    count = len(_moving(container))
    if count > 1:
        size = stream.width, stream.height
        log.info("%s holds %d videos; that of %dx%d pixels is looked at.", name, count, *size)


def _likelihood(stream: VideoStream) -> tuple[bool, int, int]:
    """Say by what a stream is likelier to be the film than another, the weightiest first."""
    is_still = (
        stream.codec_context.name in STILL_CODECS if not stream.frames else stream.frames == 1
    )
    return not is_still, stream.disposition & Disposition.default, stream.width * stream.height


def _check_picture(stream: VideoStream, name: str, limits: VideoLimits) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if not width * height:  # FFmpeg gave up, or probing met a picture over the limit
        raise UnreadableVideoError(
            f"{name} has pictures that are damaged, or larger than {limits.max_pixels} pixels. "
            "Check that it plays; give a smaller copy if it does."
        )
    if width * height > limits.max_pixels:
        raise VideoOverLimitError(
            f"{name} has pictures of {width}x{height}; the limit is {limits.max_pixels} pixels. "
            "Give a smaller copy of the video."
        )


def read_only(container: InputContainer, stream: VideoStream) -> None:
    """Have only one stream read: in a file that was cut off, another may end long before it."""
    for other in container.streams:
        other.discard = Discard.default if other.index == stream.index else Discard.all
