"""Splits a video's packets into groups of pictures, each with the moments to be sampled.

A group is a keyframe and what cannot be decoded without it. A keyframe costs one picture to decode;
any other picture costs all that come before it in its group. So keyframes are sampled, and others
only where keyframes are too far apart.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

import av
from av.packet import Packet
from av.video.stream import VideoStream

from function.media.videos import Video, check_length, packet_stamp

log = logging.getLogger(__name__)

GROUP_BYTES = 32 * 2**20
GROUP_PACKETS = 3_000
"""A group larger than either is passed on in parts: a video may have only one keyframe."""

NOMINAL_SECONDS = 1 / 25  # how long a picture lasts if nothing says so
REORDERED_BACK_SECONDS = 10.0  # a picture is stored at most this long after one shown later
KEYFRAME_BACK_SECONDS = 1.0  # less for a keyframe: an earlier one begins a new recording
LEAP_SECONDS = 3600.0  # no picture is shown for as long as this
OVERRUN = 1.1  # times the estimated length
BROKEN_READS = 20  # damaged places in a file that are skipped
SEARCHED_FROM_SECONDS = 4.0  # nearer moments are reached sooner by reading on
SOUGHT_EARLIER_SECONDS = 1.0  # pictures are shown later than they are stored
INDEXED_FORMATS = frozenset(("mov", "matroska", "avi", "asf", "mxf"))
"""Files of these formats have one clock from beginning to end, so that moments can be found; others
are read from the beginning, because their clock may restart half-way."""
_TINY_SECONDS = 1e-6


class TimedPacket(NamedTuple):
    """A packet, and when its picture is shown, in seconds from the start of the video."""

    seconds: float
    packet: "Packet[VideoStream]"


@dataclass
class Group:
    """Packets in decoding order, and the moments among them to be sampled.

    `begins` says that decoding can start with the first packet, `ends` that nothing later needs
    this group; a group that is too large comes in several parts.
    """

    packets: list[TimedPacket] = field(default_factory=list)
    wanted_seconds: list[float] = field(default_factory=list)
    begins: bool = True
    ends: bool = True


def read_groups(video: Video) -> Iterator[Group]:
    """Read a video once, and yield the groups, or parts of groups, that must be decoded.

    Raises:
        VideoOverLimitError: the video goes on for longer than its limits allow.
    """
    last_wanted: float | None = None
    count = 0
    for group, end_seconds in _split_groups(video):
        if group.begins:
            video.keyframes_seconds.append(group.packets[0].seconds)
        video.every_seconds = widen_interval(video, end_seconds, count)
        group.wanted_seconds = choose_moments(
            [packet.seconds for packet in group.packets],
            end_seconds,
            last_wanted,
            video.every_seconds,
            video.gap_slack,
            begins=group.begins,
            ends=group.ends,
        )[: video.limits.max_frames - count]
        count += len(group.wanted_seconds)
        if group.wanted_seconds:
            last_wanted = group.wanted_seconds[-1]
        if group.ends:
            _cut_after_last_wanted(group)
        if group.packets:
            yield group


def read_groups_from(video: Video, seconds: float) -> Iterator[Group]:
    """Yield the group, or parts of one, that shows a moment, then what comes after it.

    In each, the first picture from that moment on is wanted. Beyond the end, the last picture is.

    Raises:
        VideoOverLimitError: the video goes on for longer than its limits allow.
    """
    skipped: Group | None = None
    for group, _ in _split_groups(video, is_sought=_seek(video, seconds)):
        later = [packet.seconds for packet in group.packets if packet.seconds >= seconds]
        is_before = not later and group.begins and group.ends
        skipped = group if is_before else None
        if is_before:
            continue
        group.wanted_seconds = [min(later)] if later else []
        if later and group.ends:
            _cut_after_last_wanted(group)
        yield group
    if skipped:
        skipped.wanted_seconds = [max(packet.seconds for packet in skipped.packets)]
        yield skipped


def read_spread_keyframes(video: Video, count: int) -> Iterator[Group]:
    """Yield some `count` keyframes, spread evenly over a video, and read nothing in between.

    In a short file, or one that cannot be searched, every packet is read, and more may be decoded.

    Raises:
        VideoOverLimitError: the video goes on for longer than its limits allow.
    """
    spacing = video.seconds / count
    last_seconds = -1.0
    for number in range(count):
        if spacing < SEARCHED_FROM_SECONDS or not _seek(video, spacing * (number + 0.5)):
            video.every_seconds = max(video.every_seconds, spacing)
            yield from read_groups(video)
            return
        found = _read_keyframe(video)
        if found and found.seconds > last_seconds:
            last_seconds = found.seconds
            yield Group([found], [found.seconds])


def _read_keyframe(video: Video) -> TimedPacket | None:
    for timed in _read_packets(_Clock(video, is_sought=True), video):
        if timed.packet.is_keyframe:
            return timed
    return None


def _seek(video: Video, seconds: float) -> bool:
    """Go to a keyframe before a moment, and say whether that was possible."""
    if not INDEXED_FORMATS & set(video.container.format.name.split(",")):
        return False
    start_seconds = (video.container.start_time or 0) / av.time_base
    target = max(seconds - SOUGHT_EARLIER_SECONDS, 0.0) + start_seconds
    try:
        video.container.seek(floor(target / _unit_seconds(video)), stream=video.stream)
    except (av.FFmpegError, OverflowError):
        return False
    return True


def choose_moments(
    times: Sequence[float],
    end_seconds: float,
    last_seconds: float | None,
    every_seconds: float,
    gap_slack: float = 1.0,
    *,
    begins: bool = True,
    ends: bool = True,
) -> list[float]:
    """Choose which of a group's pictures to sample, so that no gap is longer than the interval.

    `times` are the pictures' times in decoding order, the keyframe's first; `last_seconds` is the
    last moment chosen before them (None: none yet), `end_seconds` the time of the next keyframe. A
    gap is filled if it is longer than `gap_slack` intervals. The keyframe is left out if it comes
    sooner than the interval and the next one comes soon enough; the gap that remains after it is
    cut into equal parts.
    """
    reach = every_seconds * gap_slack
    chosen: list[float] = []
    start = times[0] if last_seconds is None else last_seconds
    if begins:
        soon = last_seconds is not None and times[0] - last_seconds < every_seconds - _TINY_SECONDS
        if soon and ends and end_seconds - start <= reach:
            return []
        start = times[0]
        chosen.append(start)
    gap = end_seconds - start
    if ends and gap <= reach + _TINY_SECONDS:
        return chosen
    spacing = gap / ceil(gap / reach - _TINY_SECONDS) if ends else every_seconds
    latest = end_seconds - spacing / 2 if ends else end_seconds
    due = start + spacing
    for seconds in sorted(times):
        if due - _TINY_SECONDS <= seconds <= latest:
            chosen.append(seconds)
            due = start + spacing * (floor((seconds - start) / spacing + _TINY_SECONDS) + 1)
    return chosen


def widen_interval(video: Video, seconds: float, count: int) -> float:
    """Return the interval at which the remaining frames last for the remaining time.

    A video that goes well beyond its estimated length is assumed to last as long again.
    """
    has_overrun = seconds > OVERRUN * video.seconds
    ahead = seconds if has_overrun else video.seconds - seconds
    return max(video.every_seconds, ahead / max(video.limits.max_frames - count, 1))


def _cut_after_last_wanted(group: Group) -> None:
    wanted = set(group.wanted_seconds)
    needed = [i for i, packet in enumerate(group.packets, 1) if packet.seconds in wanted]
    del group.packets[max(needed, default=0) :]


def _split_groups(video: Video, *, is_sought: bool = False) -> Iterator[tuple[Group, float]]:
    """Yield each group, or part of a large one, with the time at which it ends."""
    group, size, end_seconds = Group(), 0, 0.0
    for seconds, packet in _read_packets(_Clock(video, is_sought=is_sought), video):
        is_full = size > GROUP_BYTES or len(group.packets) >= GROUP_PACKETS
        if group.packets and (packet.is_keyframe or is_full):
            group.ends = packet.is_keyframe
            yield group, seconds if packet.is_keyframe else end_seconds
            group, size = Group(begins=packet.is_keyframe), 0
        group.packets.append(TimedPacket(seconds, packet))
        size += packet.size
        end_seconds = max(end_seconds, seconds)
    if group.packets:
        yield group, end_seconds


def _read_packets(clock: "_Clock", video: Video) -> Iterator[TimedPacket]:
    for _ in range(BROKEN_READS):
        try:
            for packet in video.container.demux(video.stream):
                if packet.size:
                    seconds = clock.read(packet)
                    check_length(seconds, video.name, video.limits)
                    yield TimedPacket(seconds, packet)
        except (av.FFmpegError, ValueError, IndexError) as error:
            # IndexError: PyAV 18 loses count when a stream appears later in the file.
            log.warning("%s is damaged (%s); reading on.", video.name, error.__class__.__name__)
        else:
            return


class _Clock:
    """Counts seconds from the start of the video, across gaps and breaks in the packets' times.

    After a seek, the first packet is trusted.
    """

    def __init__(self, video: Video, *, is_sought: bool) -> None:
        self._unit_seconds = _unit_seconds(video)
        self._is_anywhere = is_sought
        self._offset = (video.container.start_time or 0) / av.time_base
        self._next_seconds = 0.0

    def read(self, packet: "Packet[VideoStream]") -> float:
        """Return when the packet's picture is shown, in seconds from the start of the video."""
        stamp = packet_stamp(packet)
        expected = self._next_seconds
        seconds = expected if stamp is None else stamp * self._unit_seconds - self._offset
        back = KEYFRAME_BACK_SECONDS if packet.is_keyframe else REORDERED_BACK_SECONDS
        is_plausible = self._is_anywhere or -back < seconds - expected < LEAP_SECONDS
        self._is_anywhere = False
        if not is_plausible:
            self._offset += seconds - expected
            seconds = expected
        lasting = (packet.duration or 0) * self._unit_seconds
        lasting = lasting if 0 < lasting < 1 else NOMINAL_SECONDS
        self._next_seconds = max(expected, seconds + lasting)
        return max(seconds, 0.0)


def _unit_seconds(video: Video) -> float:
    """Return the length of one unit of the stream's own clock."""
    return float(video.stream.time_base or Fraction(1, 1000))
