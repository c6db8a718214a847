"""Goes from one keyframe of a file to the next, if its index says that no sample lies between.

Most of such a file is never read: of a film with a keyframe every five seconds, 98 packets in 100.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor

import av
from av.index import IndexEntries
from av.packet import Packet
from av.video.stream import VideoStream

from function.media.lengths import packet_stamp
from function.media.videos import Video

STEADY_SECONDS = 0.5
"""What is left out has a packet each time this has passed. Longer gaps are for the clock to judge:
there the film may have a hole."""

MOST_WRONG = 3
"""After so many jumps that went wrong all is read: each has cost more than it was to save."""

LEAST_COUNT = 2
"""A keyframe and the packet after it are read in any case."""

MOST_PASSED_TO_SEEK = 10_000
"""Going to a keyframe, FFmpeg passes over the index of all streams up to there; that takes a ten
thousandth of what reading and judging as many packets takes. So the later in a long film, the more
a jump must leave out."""


@dataclass(frozen=True)
class _Jump:
    """A jump from a keyframe to another, and how many packets it leaves out.

    The first is decoded at `start`, the other at `decoded`; FFmpeg finds that by `shown`. It must
    be shown by `latest`, or samples are needed before it. All are in the stream's own unit.
    """

    start: int
    decoded: int
    shown: int
    latest: float
    left_out: int


class Jumps:
    """Leaves out packets of a video between keyframes that are near enough to each other.

    The packet after a keyframe is always read: it may hold its second field, or make a decoder give
    a picture that it holds back.
    """

    def __init__(self, video: Video, unit_seconds: float) -> None:
        self._video = video
        self._unit_seconds = unit_seconds
        self._is_possible = "mov" in video.container.format.name.split(",")
        self._next: _Jump | None = None
        self._sought: _Jump | None = None
        self._read_to: int | None = None
        self._wrong = 0
        self._later: int | None = None

    def may_go_on(self, packet: "Packet[VideoStream]") -> None:
        """Take note of a packet; after that which follows a keyframe, go to the next keyframe.

        What was read before must have been decoded: decoders forget what they hold.
        """
        jump, self._next = self._next, None
        if packet.is_keyframe:
            self._next = self._find_next(packet) if self._may_jump() else None
        elif jump and packet.dts is not None and self._seek(jump.shown):
            self._sought, self._read_to = jump, packet.dts

    def stay(self) -> None:
        """Do not go on after a keyframe whose next packet was read ahead with others."""
        self._next = None

    def keep_on_course(
        self, packets: "Iterator[Packet[VideoStream]]"
    ) -> "Iterator[Packet[VideoStream]]":
        """Yield packets as they come from the file; after a jump that went wrong, as without it."""
        for packet in packets:
            if not self._is_astray(packet):
                yield packet

    def take_left_out(self) -> int:
        """Return how many packets were left out before the one that has come; ask once for each."""
        sought, self._sought = self._sought, None
        return sought.left_out if sought else 0

    def _is_astray(self, packet: "Packet[VideoStream]") -> bool:
        """Say whether a packet comes again later, or came before."""
        if self._sought and self._read_to is not None:
            if not self._has_landed(self._sought, packet):
                self._go_back(self._sought)
                return True
            self._read_to = None
        if self._read_to is not None and packet.dts is not None and packet.dts > self._read_to:
            self._read_to = None
        return self._read_to is not None

    def _has_landed(self, jump: _Jump, packet: "Packet[VideoStream]") -> bool:
        """Say whether a packet is the keyframe that was sought, and shown as soon as it must be."""
        if packet.dts != jump.decoded:
            self._is_possible = False
            return False
        stamp = packet_stamp(packet)
        return stamp is not None and stamp <= jump.latest

    def _go_back(self, jump: _Jump) -> None:
        """Go to the keyframe where the jump began, or to one before."""
        self._sought, self._wrong = None, self._wrong + 1
        self._is_possible = self._is_possible and self._wrong < MOST_WRONG
        self._seek(jump.start - abs(jump.shown - jump.decoded))

    def _seek(self, stamp: int) -> bool:
        try:
            self._video.container.seek(stamp, stream=self._video.stream)
        except MemoryError:
            raise
        except (av.FFmpegError, OverflowError):
            self._is_possible = False
            return False
        return True

    def _may_jump(self) -> bool:
        return self._is_possible and self._video.trusts_keyframes

    def _find_next(self, key: "Packet[VideoStream]") -> "_Jump | None":
        """Find the next keyframe, if no sample can be needed before it, and the index is right."""
        decoded, shown = key.dts, packet_stamp(key)
        if decoded is None or shown is None or key.is_discard:
            return None
        reach = self._video.every_seconds * self._video.gap_slack / self._unit_seconds
        steps = range(1, floor(STEADY_SECONDS / self._unit_seconds) + 1)
        entries = self._video.stream.index_entries
        left_out = _count_to_keyframe(entries, decoded, reach, steps) - LEAST_COUNT
        place = entries.search_timestamp(decoded) + LEAST_COUNT + left_out
        if left_out <= 0 or self._count_passed(place) > MOST_PASSED_TO_SEEK * left_out:
            return None
        found = entries[place]
        if found.pos + found.size > self._video.container.size:  # of a file that was cut off
            return None
        if self._later is None:
            self._later = _later_shown(self._video.stream)
        stamp = found.timestamp
        return _Jump(decoded, stamp, stamp + self._later, shown + reach, left_out)

    def _count_passed(self, place: int) -> float:
        """Count what the indexes of all streams hold up to a place in the video's own, nearly."""
        counts = [len(one.index_entries) for one in self._video.container.streams]
        return place / len(self._video.stream.index_entries) * sum(counts)


def _later_shown(stream: VideoStream) -> int:
    """Return how much later than it is decoded FFmpeg expects a picture of a stream to be shown.

    It goes by when pictures are shown, and takes that of the first that an edit list leaves.
    """
    shown = (entry.timestamp for entry in stream.index_entries if not entry.is_discard)
    return (stream.start_time or 0) - next(shown, 0)


def _count_to_keyframe(entries: IndexEntries, start: int, reach: float, steps: range) -> int:
    """Count from one keyframe to the next; 0 if that is farther than `reach`, or not in `steps`."""
    place, before = entries.search_timestamp(start), start
    if place < 0 or entries[place].timestamp != start:
        return 0
    for number in range(place + 1, len(entries)):
        entry = entries[number]
        stamp = entry.timestamp
        if entry.is_discard or stamp - before not in steps or stamp - start > reach:
            return 0
        if entry.is_keyframe:
            return number - place
        before = stamp
    return 0
