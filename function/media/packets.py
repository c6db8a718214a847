"""Splits a video's packets into groups of pictures, each with the moments to be sampled.

A group is a keyframe and what cannot be decoded without it. A keyframe costs one picture to decode;
any other picture costs all that come before it in its group. So keyframes are sampled, and others
only where keyframes are too far apart.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import floor, inf
from typing import NamedTuple, TypeAlias

import av
from av.packet import Packet
from av.video.stream import VideoStream

from function.media.beginnings import Beginnings
from function.media.clocks import Ahead, Clock, unit_seconds
from function.media.encryption import is_encrypted
from function.media.formats import WAITING_CODECS
from function.media.jumps import Jumps
from function.media.sampling import choose_moments, widen_interval
from function.media.videos import Video, check_length

log = logging.getLogger(__name__)

GROUP_BYTES = 32 * 2**20
GROUP_PACKETS = 3_000
"""A group larger than either is passed on in parts: a video may have only one keyframe."""

FIELD_SECONDS = 0.022  # between the two fields of a picture: at most a 46th of a second
BROKEN_READS = 20  # damaged places in a file that are skipped
SOUGHT_EARLIER_SECONDS = 1.0  # pictures are shown later than they are stored
FARTHEST_SECONDS = 30.0  # before a moment, that a keyframe may stand for it
INDEXED_FORMATS = frozenset(("mov", "matroska", "avi", "asf", "mxf"))
"""Files of these formats have one clock from beginning to end, so that moments can be found; others
are read from the beginning, because their clock may restart half-way."""


Within: TypeAlias = Callable[[Iterator["Packet[VideoStream]"]], Iterator["Packet[VideoStream]"]]
"""Leaves of a file's packets those that lie within the part that is to be read."""


class UnsplitError(Exception):
    """A file is not as its index says, or not whole: it must be read from beginning to end."""


class TimedPacket(NamedTuple):
    """A packet, and when its picture is shown, in seconds from the start of the video."""

    seconds: float
    packet: "Packet[VideoStream]"


@dataclass
class Group:
    """Packets in decoding order, and the moments among them to be sampled.

    `begins` says that decoding can start with the first packet, `ends` that nothing later needs
    this group; a group that is too large comes in several parts. `next_packet` is the one that
    follows in the file: it may hold the second field of the last picture.
    """

    packets: list[TimedPacket] = field(default_factory=list)
    wanted_seconds: list[float] = field(default_factory=list)
    begins: bool = True
    ends: bool = True
    next_packet: TimedPacket | None = None

    def shown_seconds(self) -> list[float]:
        """Return when each picture is shown, in decoding order, leaving out those that never are.

        An edit list may begin in the middle of a group: what comes before is only decoded.
        """
        return [seconds for seconds, packet in self.packets if not packet.is_discard]


def read_groups(video: Video, within: Within = iter, *, beginnings: bool = True) -> Iterator[Group]:
    """Read a video once, and yield the groups, or parts of groups, that must be decoded.

    Only the packets that `within` leaves are read. With `beginnings`, a shot that begins between
    two samples may have one too.

    Raises:
        VideoOverLimitError: the video goes on for longer than its limits allow.
    """
    plan = _Plan(video, Beginnings() if beginnings else None)
    for group, end_seconds in _split_groups(video, within, Jumps(video, unit_seconds(video))):
        times = group.shown_seconds()
        if not times:
            if not group.ends:
                yield group
            continue
        group.wanted_seconds = plan.choose(group, times, end_seconds)
        if group.ends:
            _cut_after_last_wanted(group, video)
        if group.packets:
            yield group


class _Plan:
    """Chooses which pictures of a video are sampled, group by group."""

    def __init__(self, video: Video, beginnings: Beginnings | None) -> None:
        self._video = video
        self._beginnings = beginnings
        self._last_wanted: float | None = None
        self._count = 0
        self._has_begun = False

    def choose(self, group: Group, times: Sequence[float], end_seconds: float) -> list[float]:
        """Choose of a group's pictures, shown at these times and until the end, in seconds."""
        video = self._video
        key_seconds = max(times[0], group.packets[0].seconds)
        is_keyframe = group.begins and video.trusts_keyframes
        if is_keyframe:
            video.keyframes_seconds.append(key_seconds)
            if group.packets[0].packet.is_keyframe and not self._has_begun:
                self._has_begun, self._last_wanted = True, None  # nothing before may be decodable
        video.every_seconds = widen_interval(video, end_seconds, self._count)
        due = choose_moments(
            times if times[0] == group.packets[0].seconds else sorted(times),
            end_seconds,
            self._last_wanted,
            video.every_seconds,
            video.gap_slack,
            begins=group.begins,
            ends=group.ends,
        )
        begins_shot = (
            is_keyframe
            and self._begins_shot(group, key_seconds, end_seconds, is_due=bool(due))
            and not group.packets[0].packet.is_discard
        )
        left = video.limits.max_frames - self._count
        chosen = ([key_seconds] if begins_shot else due)[:left]
        self._count += len(chosen)
        if chosen and not begins_shot:
            self._last_wanted = chosen[-1]
        return chosen

    def _begins_shot(
        self, group: Group, key_seconds: float, end_seconds: float, *, is_due: bool
    ) -> bool:
        """Say whether a keyframe is sampled that is not due, as the shot that it begins is new."""
        if self._beginnings is None:
            return False
        has_next = group.ends and group.next_packet is not None
        self._beginnings.note(key_seconds, end_seconds if has_next else None)
        if is_due:
            self._beginnings.note_due()
            return False
        video = self._video
        has_room = 2 * video.seconds <= video.every_seconds * video.limits.max_frames
        lasting_seconds = end_seconds - key_seconds
        return has_room and self._beginnings.choose(lasting_seconds, video.every_seconds)


def read_groups_from(video: Video, seconds: float) -> Iterator[Group]:
    """Yield the group, or parts of one, that shows a moment, then what comes after it.

    In each, the first picture from that moment on is wanted. Beyond the end, the last picture is.

    Raises:
        VideoOverLimitError: the video goes on for longer than its limits allow.
    """
    skipped: Group | None = None
    may_seek = video.trusts_keyframes and may_be_searched(video)
    if may_seek and not _seek(video, seconds):
        video.open_again()  # a search that fails may end anywhere
    for group, _ in _split_groups(video):
        shown = group.shown_seconds()
        later = [moment for moment in shown if moment >= seconds]
        is_before = not later and group.begins and group.ends
        skipped = group if is_before and shown else skipped if is_before else None
        if is_before:
            continue
        group.wanted_seconds = [min(later)] if later else []
        if later and group.ends:
            _cut_after_last_wanted(group, video)
        yield group
    if skipped:
        skipped.wanted_seconds = [max(skipped.shown_seconds())]
        yield skipped


def read_keyframes_at(video: Video, moments: Sequence[float], taken: set[float]) -> Iterator[Group]:
    """Yield the keyframe at each of some moments, in seconds, and read nothing in between.

    None comes twice: `taken` are the times of those that came before, and new ones are added.

    Raises:
        UnsplitError: the file cannot be searched, has no keyframe near a moment, as where it is
            damaged, or its clock leaps; it must be read from beginning to end.
        VideoOverLimitError: the video goes on for longer than its limits allow.
    """
    for moment in moments:
        found = _read_keyframe(video) if _seek(video, moment) else None
        seconds = found.packets[0].seconds if found else inf
        if not found or not 0 <= moment - seconds <= FARTHEST_SECONDS or video.leaps:
            raise UnsplitError
        if seconds not in taken:
            taken.add(seconds)
            yield found


def _read_keyframe(video: Video) -> Group | None:
    """Read the next keyframe that is shown, and the packet that follows it."""
    packets = _read_packets(video)
    for timed in packets:
        if timed.packet.is_keyframe and not timed.packet.is_discard:
            return Group([timed], [timed.seconds], next_packet=next(packets, None))
    return None


def may_be_searched(video: Video) -> bool:
    """Say whether moments can be found in a video's file without reading up to them."""
    return bool(INDEXED_FORMATS & set(video.container.format.name.split(",")))


def _seek(video: Video, seconds: float) -> bool:
    """Go to a keyframe before a moment, and say whether that was possible."""
    if not may_be_searched(video):
        return False
    target = max(seconds - SOUGHT_EARLIER_SECONDS, 0.0) + video.survey.start_seconds
    try:
        video.container.seek(floor(target / unit_seconds(video)), stream=video.stream)
    except MemoryError:
        raise
    except (av.FFmpegError, OverflowError):
        return False
    return True


def _cut_after_last_wanted(group: Group, video: Video) -> None:
    wanted = set(group.wanted_seconds)
    waits = video.stream.codec_context.name in WAITING_CODECS
    needed = [i + waits for i, packet in enumerate(group.packets, 1) if packet.seconds in wanted]
    rest = group.packets[max(needed, default=0) :]
    if rest:
        group.next_packet = rest[0]
        del group.packets[-len(rest) :]


def _split_groups(
    video: Video, within: Within = iter, jumps: Jumps | None = None
) -> Iterator[tuple[Group, float]]:
    """Yield each group, or part of a large one, with the time at which it ends."""
    group, size, end_seconds = Group(), 0, 0.0
    for timed in _read_packets(video, within, jumps):
        is_full = size > GROUP_BYTES or len(group.packets) >= GROUP_PACKETS
        begins = _begins_group(timed, group, video)
        if group.packets and (begins or is_full):
            group.ends, group.next_packet = begins, timed
            is_shown_next = begins and not timed.packet.is_discard
            yield group, timed.seconds if is_shown_next else end_seconds
            before, group, size = group, Group(begins=begins), 0
            if video.has_fields_apart and _is_second_field(timed, before):
                group.packets.extend(before.packets)  # that they belong together is news
        group.packets.append(timed)
        size += timed.packet.size
        if not timed.packet.is_discard:
            end_seconds = max(end_seconds, timed.seconds)
    if group.packets:
        yield group, end_seconds


def _begins_group(timed: TimedPacket, group: Group, video: Video) -> bool:
    """Say whether decoding can begin here: at a keyframe, but not at its second field."""
    if not (timed.packet.is_keyframe and video.trusts_keyframes):
        return False
    return not (video.has_fields_apart and _is_second_field(timed, group))


def _is_second_field(timed: TimedPacket, group: Group) -> bool:
    """Say whether a packet may hold the second field of the one packet of a group."""
    is_lone = len(group.packets) == 1
    return is_lone and abs(timed.seconds - group.packets[0].seconds) < FIELD_SECONDS


def _read_packets(
    video: Video, within: Within = iter, jumps: Jumps | None = None
) -> Iterator[TimedPacket]:
    packets = Ahead(_read_whole(video, within, jumps))
    clock = Clock(video, packets)
    for packet in packets:
        if jumps and (count := jumps.take_left_out()):
            clock.pass_over(count, packet)
        seconds = clock.read(packet)
        check_length(seconds, video.name, video.limits)
        yield TimedPacket(seconds, packet)
        if jumps:
            jumps.stay() if packets.is_ahead else jumps.may_go_on(packet)
    if not video.seconds:  # nothing said so, as after a step back of the file's clock
        video.seconds = clock.end_seconds


def _read_whole(
    video: Video, within: Within, jumps: Jumps | None
) -> Iterator["Packet[VideoStream]"]:
    """Yield the packets that hold something to decode, and read on where the file is damaged."""
    on_course = jumps.keep_on_course if jumps else iter
    read_before = -1
    for _ in range(BROKEN_READS):
        try:
            for packet in within(on_course(video.container.demux(video.stream))):
                if is_encrypted(packet):
                    video.is_encrypted = True
                elif packet.size:
                    video.packets_read += 1
                    video.packets_marked += packet.is_corrupt
                    yield packet
        except MemoryError:
            raise  # PyAV's is an FFmpegError too, but the file is not damaged
        except (av.FFmpegError, ValueError, IndexError) as error:
            # IndexError: PyAV 18 loses count when a stream appears later in the file.
            if video.packets_read != read_before:
                log.warning("%s is damaged (%s); reading on.", video.name, error.__class__.__name__)
            read_before = video.packets_read
        else:
            return
