"""Says when each picture of a video is shown, though the file's own clock may err, leap or stop."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from math import inf

from av.packet import Packet
from av.video.stream import VideoStream

from function.media.lengths import is_in_order, packet_stamp
from function.media.strays import (
    KEYFRAME_BACK_SECONDS,
    LEAP_SECONDS,
    LOOKED_AHEAD,
    MOST_REORDERED,
    NOMINAL_SECONDS,
    REORDERED_BACK_SECONDS,
    STRAY_SECONDS,
    Stamp,
    is_doubtful,
    is_plausible,
    is_stray,
    is_stray_at_first,
    without_strays,
)
from function.media.videos import Video

AHEAD_BYTES = 16 * 2**20
"""At most this much is held in memory to recognise a mistaken time by what follows."""

SHORTEST_PICTURE_SECONDS = 0.001  # a shorter claim is a unit of the clock, not a duration
HOLE_SECONDS, HOLE_TIMES, EVEN_PACKETS = 0.5, 5.0, 25
"""A gap between two packets is a hole if it is as long as this, and longer than so many times the
longest among the packets before it, which are at least so many. At a varying rate there is none."""


class Ahead:
    """Packets in order, of which the next can be looked at before it is their turn."""

    def __init__(self, packets: "Iterator[Packet[VideoStream]]") -> None:
        self._packets = packets
        self._seen: deque[Packet[VideoStream]] = deque()

    def __iter__(self) -> "Iterator[Packet[VideoStream]]":
        return self

    def __next__(self) -> "Packet[VideoStream]":
        return self._seen.popleft() if self._seen else next(self._packets)

    @property
    def is_ahead(self) -> bool:
        """Whether packets were looked at whose turn has not come."""
        return bool(self._seen)

    def look(self) -> "Iterator[Packet[VideoStream]]":
        """Yield those that come next, as far ahead as may be looked."""
        size = 0
        for number in range(LOOKED_AHEAD):
            if number == len(self._seen):
                self._seen.extend(islice(self._packets, 1))
            if number == len(self._seen) or size > AHEAD_BYTES:
                return
            size += self._seen[number].size
            yield self._seen[number]


class Clock:
    """Counts seconds from the start of the video, across gaps and breaks in the packets' times.

    The first packet that is shown is trusted, at the start of the file as after a seek, unless
    those that follow deny it. A time that they deny is a mistake, and the picture is shown when it
    was expected; one that they share is a leap of the file's clock, which is left out.
    """

    def __init__(self, video: Video, packets: Ahead) -> None:
        self._unit_seconds = unit_seconds(video)
        self._video = video
        self._packets = packets
        self._is_anywhere = True
        self._longest_seconds, self._seen = 0.0, 0
        # In units, which are whole: of 2**62 of them a sum in seconds would be off by a second.
        self._first_origin = self._origin = round(video.survey.start_seconds / self._unit_seconds)
        self._steady_origin, self._held = self._origin, 0
        self._next_seconds = self._gap_seconds = 0.0
        self._end_seconds = video.survey.seconds or inf
        self._decoded: int | None = None
        self._key: tuple[int, float] | None = None
        rate = video.stream.guessed_rate or video.stream.average_rate
        self._nominal_seconds = _believe(1 / float(rate)) if rate else NOMINAL_SECONDS

    @property
    def end_seconds(self) -> float:
        """When the latest of the pictures that were read is over, in seconds from the start."""
        return self._next_seconds

    def pass_over(self, count: int, packet: "Packet[VideoStream]") -> None:
        """Expect a keyframe before which so many packets were left out, all stored evenly."""
        self._seen += count
        stamp = packet_stamp(packet)
        if self._key is None or packet.dts is None or stamp is None:
            return
        decoded, seconds = self._key
        expected = seconds + (packet.dts - decoded) * self._unit_seconds
        told = self._seconds_of(stamp)
        # Sooner may be right too, as one before may be shown long after it is decoded.
        is_likely = packet.dts <= stamp and told - expected < STRAY_SECONDS
        self._next_seconds = told if is_likely else expected

    def read(self, packet: "Packet[VideoStream]") -> float:
        """Return when the packet's picture is shown, in seconds from the start of the video.

        One that is never shown may lie before the start, and says nothing about the others.
        """
        stamp = packet_stamp(packet)
        seconds = self._next_seconds if stamp is None else self._seconds_of(stamp)
        if packet.is_discard:
            return seconds if is_plausible(seconds, self._next_seconds, LEAP_SECONDS) else 0.0
        lasting = (packet.duration or 0) * self._unit_seconds
        lasting = _believe(lasting, otherwise=self._nominal_seconds)
        if stamp is not None:
            seconds = self._settle(packet, stamp, lasting)
        expected = self._next_seconds
        self._note_gap(seconds - expected)
        self._next_seconds = max(expected, seconds + lasting)
        if packet.is_keyframe and packet.dts is not None:
            self._key = packet.dts, seconds
        return max(seconds, 0.0)

    def _settle(self, packet: "Packet[VideoStream]", stamp: int, lasting_seconds: float) -> float:
        """Return when a picture is shown whose stamp may be a mistake, or after a leap."""
        told = Stamp(self._seconds_of(stamp), is_in_order(packet, self._decoded))
        self._decoded = packet.dts
        if self._is_anywhere:
            self._is_anywhere = False
            self._next_seconds = self._find_first(packet, told)
            return self._next_seconds
        expected = self._next_seconds
        leaps = not is_plausible(told.seconds, expected, self._back_seconds(packet, told))
        if leaps or is_doubtful(told, expected, self._gap_seconds):
            if self._goes_back_to_before(stamp):
                return self._seconds_of(stamp)
            following = self._following(packet)
            if is_stray(told, expected, following, lasting_seconds, self._end_seconds):
                return expected
        if leaps:
            self._set_clock(stamp - round(expected / self._unit_seconds))
            return expected
        self._held += 1
        self._gap_seconds = max(told.seconds - expected, 0.0)
        return told.seconds

    def _back_seconds(self, packet: "Packet[VideoStream]", told: Stamp) -> float:
        """Return how long before the latest picture one that is stored after it may be shown."""
        if packet.is_keyframe:
            return KEYFRAME_BACK_SECONDS
        is_steady = self._steady_origin == self._origin
        return inf if told.is_in_order and is_steady else REORDERED_BACK_SECONDS

    def _seconds_of(self, stamp: int) -> float:
        return (stamp - self._origin) * self._unit_seconds

    def _following(self, packet: "Packet[VideoStream]") -> Iterator[Stamp]:
        """Yield when the next pictures are shown, by the clock as it is."""
        decoded = packet.dts
        for one in self._packets.look():
            stamp = packet_stamp(one)
            if stamp is not None and not one.is_discard:
                yield Stamp(self._seconds_of(stamp), is_in_order(one, decoded))
                decoded = one.dts

    def _find_first(self, packet: "Packet[VideoStream]", told: Stamp) -> float:
        """Return when a picture is shown before which nothing was read."""
        is_possible = told.seconds > -KEYFRAME_BACK_SECONDS
        if is_possible and not is_stray_at_first(told, self._following(packet)):
            return told.seconds
        others = without_strays([*self._following(packet)])
        possible = (one for one in others if one > -KEYFRAME_BACK_SECONDS)
        return next(possible, max(told.seconds, 0.0))

    def _goes_back_to_before(self, stamp: int) -> bool:
        """Go on with the clock that held before the last leap, if that soon shows to be damage."""
        if self._held > MOST_REORDERED:
            self._steady_origin = self._origin
        seconds = (stamp - self._steady_origin) * self._unit_seconds
        has_gone = self._steady_origin != self._origin
        if has_gone and abs(seconds - self._next_seconds) < REORDERED_BACK_SECONDS:
            self._set_clock(self._steady_origin)
            return True
        return False

    def _set_clock(self, origin: int) -> None:
        """Leave a leap of the file's clock out, here and in the length that was taken from it."""
        self._origin, self._held = origin, 0
        self._video.leaps += 1
        if self._video.survey.seconds:
            leapt = (origin - self._first_origin) * self._unit_seconds
            left = self._video.survey.seconds - leapt
            is_possible = 0 < left <= self._video.limits.max_seconds
            self._video.seconds = left if is_possible else 0.0

    def _note_gap(self, gap_seconds: float) -> None:
        """Note a hole in a film whose pictures otherwise come evenly: packets are missing there."""
        longest = max(HOLE_SECONDS, HOLE_TIMES * self._longest_seconds)
        if self._seen >= EVEN_PACKETS and gap_seconds > longest:
            self._video.missing.append((self._next_seconds, self._next_seconds + gap_seconds))
        else:
            self._longest_seconds = max(self._longest_seconds, gap_seconds)
        self._seen += 1


def _believe(lasting_seconds: float, otherwise: float = NOMINAL_SECONDS) -> float:
    """Return how long a picture lasts, unless it cannot be."""
    is_possible = SHORTEST_PICTURE_SECONDS < lasting_seconds < 1
    return lasting_seconds if is_possible else otherwise


def unit_seconds(video: Video) -> float:
    """Return the length of one unit of the stream's own clock."""
    return float(video.stream.time_base or Fraction(1, 1000))
