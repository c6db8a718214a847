"""Splits a long video into stretches that can be searched apart, each from one keyframe to another.

Where they begin is decided by the file and the interval alone, never by who searches them, so that
what is found does not depend on how many do. Only files with an index are split.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor

import av
from av.packet import Packet
from av.video.stream import VideoStream

from function.media.packets import Group, UnsplitError, read_groups
from function.media.videos import Video

SAMPLES_PER_STRETCH = 16
"""About how many samples a stretch of a long video has. With more, fewer processes find work: 20
minutes at a sample each 5 s have 15. Searching each with a detector that has seen nothing costs
1 %."""

SHORT_STRETCHES = ((20, 4), (8, 2))
"""From so many samples on, a short video falls into at least so many stretches: an even number, as
two processes that share three take as long as for four. A new detector costs 1 to 5 % then."""

LARGEST_SHARE = 0.9
"""Of the samples that a video may have at most: above that, its interval grows while it is read."""


@dataclass(frozen=True)
class Stretch:
    """A part of a video, between two keyframes, by their stamps in the stream's own unit.

    `start` is None for the beginning of the file, `end` for its end.
    """

    start: int | None = None
    end: int | None = None


WHOLE = (Stretch(),)


def plan_stretches(video: Video) -> tuple[Stretch, ...]:
    """Plan the stretches of a video that was just opened; one, if it is short or has no index."""
    samples = round(video.seconds / video.every_seconds)
    count = _count_stretches(samples)
    is_near_limit = samples > LARGEST_SHARE * video.limits.max_frames
    may_be_split = _has_index(video) and video.trusts_keyframes and not video.is_encrypted
    if count <= 1 or is_near_limit or not may_be_split:
        return WHOLE
    unit = float(video.stream.time_base or Fraction(1, 1000))
    stamps = _find_keyframes(
        video,
        [
            floor((video.survey.start_seconds + video.seconds * number / count) / unit)
            for number in range(1, count)
        ],
    )
    edges = [None, *stamps, None]
    return tuple(Stretch(*pair) for pair in pairwise(edges))


def _count_stretches(samples: int) -> int:
    fewest = next((count for least, count in SHORT_STRETCHES if samples >= least), 1)
    return max(fewest, samples // SAMPLES_PER_STRETCH)


def read_stretch(video: Video, stretch: Stretch) -> Iterator[Group]:
    """Yield the groups of a stretch, as `read_groups` does those of a whole video.

    What was learned of the video before is forgotten first.

    Raises:
        UnsplitError: the stretch is not where the index says, or times leap within it.
        VideoOverLimitError: the video goes on for longer than its limits allow.
    """
    every_seconds = video.every_seconds
    edges = _Edges(stretch, by_shown=_is_matroska(video))
    _go_to(video, stretch)
    try:
        for group in read_groups(video, edges.within):
            if group.packets[0].packet is not edges.last:
                yield group
            if video.leaps:
                raise UnsplitError
    finally:
        video.every_seconds = every_seconds
    if not edges.has_begun or (stretch.end is not None and edges.last is None):
        raise UnsplitError


class _Edges:
    """Finds where a stretch begins and ends among the packets of a file.

    Matroska's index goes by when a picture is shown (`by_shown`), MP4's by when it is decoded.
    """

    def __init__(self, stretch: Stretch, *, by_shown: bool) -> None:
        self._stretch = stretch
        self._by_shown = by_shown
        self.has_begun = stretch.start is None
        self.last: Packet[VideoStream] | None = None

    def within(self, packets: "Iterator[Packet[VideoStream]]") -> "Iterator[Packet[VideoStream]]":
        """Yield the packets of the stretch, and the one after it, which ends its last group.

        Raises:
            UnsplitError: there is no keyframe where the stretch begins or ends.
        """
        for packet in packets:
            if packet.is_keyframe and packet.size:
                self._notice(packet)
            if self.has_begun:
                yield packet
            if self.last is not None:
                return

    def _notice(self, key: "Packet[VideoStream]") -> None:
        stamp = key.pts if self._by_shown else key.dts
        if not self.has_begun:
            self.has_begun = _is_reached(stamp, self._stretch.start)
        elif self._stretch.end is not None and _is_reached(stamp, self._stretch.end):
            self.last = key


def _is_reached(stamp: int | None, edge: int | None) -> bool:
    if stamp is None or edge is None or stamp > edge:
        raise UnsplitError
    return stamp == edge


def _go_to(video: Video, stretch: Stretch) -> None:
    is_fresh = not video.packets_read
    video.forget()
    if stretch.start is not None:
        try:
            video.container.seek(stretch.start, stream=video.stream)
        except MemoryError:
            raise
        except (av.FFmpegError, OverflowError):
            raise UnsplitError from None
    elif not is_fresh:
        video.open_again()


def _find_keyframes(video: Video, stamps: list[int]) -> list[int]:
    """Find the last keyframe in the index up to each stamp; each once, without the very first."""
    if _is_matroska(video):
        try:
            video.container.seek(stamps[-1], stream=video.stream)  # this reads the index
        except MemoryError:
            raise  # or the plan would depend on who makes it
        except (av.FFmpegError, OverflowError):
            pass
    entries = video.stream.index_entries
    places = {entries.search_timestamp(stamp) for stamp in stamps}
    found = sorted({entries[place].timestamp for place in places if place > 0})
    if _is_matroska(video):
        video.open_again()
    return found


def _has_index(video: Video) -> bool:
    return _is_matroska(video) or "mov" in video.container.format.name.split(",")


def _is_matroska(video: Video) -> bool:
    return "matroska" in video.container.format.name.split(",")
