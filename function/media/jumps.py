"""Goes from one keyframe of a file to the next, if its index says that no sample lies between.

Most of such a file is never read: of a film with a keyframe every five seconds, 98 packets in 100.
"""

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

LEAST_COUNT = 2
"""A keyframe and the packet after it are read in any case."""

MOST_PASSED_TO_SEEK = 10_000
"""Going to a keyframe, FFmpeg passes over the index of all streams up to there; that takes a ten
thousandth of what reading and judging as many packets takes. So the later in a long film, the more
a jump must leave out."""


@dataclass(frozen=True)
class _Jump:
    """A jump to a keyframe: its stamps in the stream's own unit, and how many packets it leaves."""

    decoded: int
    shown: int
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

    def may_go_on(self, packet: "Packet[VideoStream]") -> None:
        """Take note of a packet; after that which follows a keyframe, go to the next keyframe.

        What was read before must have been decoded: decoders forget what they hold.
        """
        if packet.is_keyframe:
            self._next = self._find_next(packet) if self._may_jump() else None
            return
        jump, self._next = self._next, None
        if jump is None:
            return
        try:
            # FFmpeg goes by when pictures are shown.
            self._video.container.seek(jump.shown, stream=self._video.stream)
            self._sought = jump
        except MemoryError:
            raise
        except (av.FFmpegError, OverflowError):
            self._is_possible = False

    def came_too_soon(self, packet: "Packet[VideoStream]") -> bool:
        """Say whether a packet lies before the keyframe that was sought, and was read before."""
        if self._sought is None or packet.dts is None or packet.dts >= self._sought.decoded:
            return False
        self._is_possible = False
        return True

    def left_out_before(self, packet: "Packet[VideoStream]") -> int:
        """Return how many packets were left out before this one; ask once for each."""
        sought, self._sought = self._sought, None
        return sought.left_out if sought and packet.dts == sought.decoded else 0

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
        found = entries[place].timestamp
        return _Jump(found, found + shown - decoded, left_out)

    def _count_passed(self, place: int) -> float:
        """Count what the indexes of all streams hold up to a place in the video's own, nearly."""
        counts = [len(one.index_entries) for one in self._video.container.streams]
        return place / len(self._video.stream.index_entries) * sum(counts)


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
