"""Finds out how long a video is, and when it begins, from its first and last packets."""

from collections.abc import Sequence
from itertools import islice
from math import inf
from statistics import median
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from function.media.formats import KINDLESS_CODECS
from function.media.strays import (
    KEYFRAME_BACK_SECONDS,
    LEAP_SECONDS,
    MOST_REORDERED,
    NOMINAL_SECONDS,
    Stamp,
    without_strays,
)

CLOCK_PER_PROGRAMME = ("mpegts", "mpegtsraw", "mpeg", "wtv", "pva")
LONGEST_ON_ONE_CLOCK = 12 * 3600.0
"""The clock of a broadcast wraps after 26.5 hours, and a step back in it passes for that."""

LATEST_PICTURE_SECONDS = 60.0  # after the sound of the same programme
LATEST_START_SECONDS = 24 * 3600.0  # of the pictures, after that of the sound in any other file
DELAYED_PICTURES = 2.5  # at most, that a decoder in an AVI waits for before it gives the first
FIRST_PACKETS = MOST_REORDERED + 1  # that say when the film begins
ENDS_BEFORE_SECONDS = (-1, 10, 100)  # of what the file claims, as an edit list may end it sooner
LATEST_SOUGHT = 2**63 - 1  # in FFmpeg's units: a claimed length may be beyond what it can seek
HIDDEN_PACKETS = 500  # so many at the beginning that none of which is shown: the index is asked
LAST_PACKETS = 5_000  # read at the end of a file to learn its length
THINNEST_STREAM = 100  # bytes per second; a claimed length that implies less is not believed


def hides_all(container: InputContainer, stream: VideoStream) -> bool:
    """Say whether an edit list leaves nothing to be shown, which must be damage."""
    if "mov" not in container.format.name.split(","):
        return False
    pictures = (packet for packet in islice(container.demux(stream), HIDDEN_PACKETS) if packet.size)
    hidden = (packet.is_discard for packet in pictures)
    try:
        # Far more can be hidden of a film that was trimmed, but then its index has one to show.
        return all(hidden) and all(entry.is_discard for entry in stream.index_entries)
    except MemoryError:
        raise
    except (av.FFmpegError, IndexError, ValueError):
        return False


def marks_every_picture(container: InputContainer, stream: VideoStream) -> bool:
    """Say whether a file calls every picture a keyframe, and its decoder cannot tell if that is so.

    So does an AVI whose index is missing. Nothing is lost if it is true: all are decoded.
    """
    if stream.codec_context.name not in KINDLESS_CODECS:
        return False
    try:
        container.seek(0)
        first = _read_pictures(container, stream, FIRST_PACKETS)
    except MemoryError:
        raise
    except (av.FFmpegError, IndexError, ValueError):
        return False
    return all(packet.is_keyframe for packet in first)


def measure_seconds(
    container: InputContainer,
    stream: VideoStream,
    max_seconds: float,
    *,
    seconds_if_cut: float = 0.0,
) -> tuple[float, float]:
    """Return where a video's own clock begins, and how long it runs; 0.0 if nothing says so.

    Of a file that was cut off it is what the file claims, with what is missing: `seconds_if_cut`,
    unless an MP4's index tells. More than `max_seconds` that the file is too small for, as after a
    leap of its clock, is not believed.
    """
    start_seconds = _find_start(container, stream)
    seconds = _measure_from(container, stream, start_seconds)
    most_seconds = max(max_seconds, container.size / THINNEST_STREAM)
    believed = [one for one in (seconds, seconds_if_cut) if one <= most_seconds]
    return start_seconds, max(believed, default=0.0)


def _measure_from(container: InputContainer, stream: VideoStream, start_seconds: float) -> float:
    """Read the length from the last packets; only if that fails, use what the file claims."""
    claimed_seconds = (container.duration or 0) / av.time_base
    if claimed_seconds > container.size / THINNEST_STREAM:
        claimed_seconds = 0.0
    if claimed_seconds and _ends_before_index(container, stream):
        return claimed_seconds
    try:
        end_seconds = _find_last_seconds(container, stream, claimed_seconds)
    except MemoryError:
        raise
    except (av.FFmpegError, OverflowError, IndexError):
        return max(claimed_seconds, 0.0)
    measured_seconds = end_seconds - start_seconds if end_seconds else claimed_seconds
    if container.format.name in CLOCK_PER_PROGRAMME and measured_seconds > LONGEST_ON_ONE_CLOCK:
        return 0.0
    return max(measured_seconds, 0.0)


def _ends_before_index(container: InputContainer, stream: VideoStream) -> bool:
    """Say whether the index at the beginning of a file names a picture after its end."""
    if "mov" not in container.format.name.split(","):
        return False
    entries = stream.index_entries
    last = entries[len(entries) - 1] if len(entries) else None
    return last is not None and last.pos + last.size > container.size


def _find_start(container: InputContainer, stream: VideoStream) -> float:
    """Return where the file's clock begins; each programme of a broadcast has its own.

    If most of the first pictures lie before that, or an impossible time after it, it is a mistake.
    An AVI stores no times: FFmpeg counts the delay of the decoder in.
    """
    start_seconds = (container.start_time or 0) / av.time_base
    first_seconds = _find_first_seconds(container, stream)
    if first_seconds is None:
        return start_seconds
    late_seconds = first_seconds - start_seconds
    if container.format.name == "avi" and 0 < late_seconds < DELAYED_PICTURES * _lasting(stream):
        return first_seconds
    is_broadcast = container.format.name in CLOCK_PER_PROGRAMME
    if is_broadcast and container.start_time is None:  # FFmpeg needs two pictures to tell
        return first_seconds
    latest = LATEST_PICTURE_SECONDS if is_broadcast else LATEST_START_SECONDS
    return start_seconds if -KEYFRAME_BACK_SECONDS < late_seconds < latest else first_seconds


def _lasting(stream: VideoStream) -> float:
    """Return how long a picture lasts at the stream's rate, in seconds."""
    return float(1 / stream.average_rate) if stream.average_rate else NOMINAL_SECONDS


def _find_first_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """Return when the first picture is shown, by the file's own clock; None if nothing says so."""
    try:
        times = _times_of(_read_pictures(container, stream, FIRST_PACKETS), stream)
    except MemoryError:
        raise
    except (av.FFmpegError, IndexError, ValueError):
        return None
    if not times:
        return None
    most = [one for one in times if one > median(times) - LEAP_SECONDS]
    return min(most if len(most) * 2 > len(times) else times)


def _find_last_seconds(
    container: InputContainer, stream: VideoStream, claimed_seconds: float
) -> float | None:
    """Return when the last picture is shown, by the file's own clock; None if nothing says so."""
    end = (container.start_time or 0) + (container.duration or 0)
    stated_seconds = end / av.time_base if claimed_seconds > 0 else inf
    for seconds_before in ENDS_BEFORE_SECONDS:
        container.seek(min(max(end - seconds_before * av.time_base, 0), LATEST_SOUGHT))
        pictures = _read_pictures(container, stream, LAST_PACKETS)
        times = _times_of(pictures, stream, stated_seconds)
        if times or not pictures:
            return max(times, default=None)
    return None


def _read_pictures(
    container: InputContainer, stream: VideoStream, count: int
) -> "list[Packet[VideoStream]]":
    return [packet for packet in islice(container.demux(stream), count) if packet.size]


def _times_of(
    packets: "Sequence[Packet[VideoStream]]", stream: VideoStream, end_seconds: float = inf
) -> list[float]:
    """Return when the pictures in packets are shown, by the file's own clock, in seconds."""
    unit_seconds = float(stream.time_base or 0)
    stamps: list[Stamp] = []
    decoded: int | None = None
    for packet in packets:
        stamp = packet_stamp(packet)
        if stamp is not None and not packet.is_discard:
            stamps.append(Stamp(stamp * unit_seconds, is_in_order(packet, decoded)))
            decoded = packet.dts
    return without_strays(stamps, end_seconds)


def is_in_order(packet: "Packet[Any]", before: int | None) -> bool | None:
    """Say whether a packet is decoded after the one `before`, and no later than it is shown.

    None: nothing says so.
    """
    decoded, shown = packet.dts, packet.pts
    if decoded is None:
        return None
    if before is None:  # the first pictures of a Matroska file do not say when they are decoded
        return True if shown is not None and decoded < shown else None
    return before < decoded and (shown is None or decoded <= shown)


def packet_stamp(packet: "Packet[Any]") -> int | None:
    """When a packet's picture is shown, in the stream's own unit; otherwise, when it is decoded."""
    return packet.dts if packet.pts is None else packet.pts
