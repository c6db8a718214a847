"""Tells which keyframes of a video begin a shot, and which of those are sampled too.

Encoders place a keyframe where a shot begins, and otherwise at a fixed interval.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from statistics import median

EARLY_SHARE = 0.9
"""If keyframes come sooner than this share of the longest interval, it is because shots begin."""

JITTER_SECONDS = 0.06
"""Intervals that differ by less are the same: a picture and a half, 25 times a second."""

SHORTEST_SECONDS = 0.25
"""What lasts less is no shot. If most keyframes follow each other sooner, each picture is one, or
nearly, and where one is missing the rest only seem to come early."""

LEAST_SHARE = 0.2
"""A shot that lasts less than this share of the interval between samples is not worth one of its
own."""


MOST_SPARE = 2
"""This many samples at most are spared for a quick succession of shots."""


def find_beginnings(keyframes_seconds: Sequence[float]) -> list[float]:
    """Find the keyframes that begin shots, in order of time; none if their rhythm is steady.

    Nor are there any where most pictures are keyframes, however they follow each other.
    """
    ordered = sorted(keyframes_seconds)
    intervals = [after - before for before, after in pairwise(ordered)]
    if intervals and median(intervals) < SHORTEST_SECONDS:
        return []
    rhythm = Rhythm()
    for interval in intervals:
        rhythm.note(interval)
    return [
        seconds
        for seconds, interval in zip(ordered[1:], intervals, strict=True)
        if rhythm.is_early(interval)
    ]


class Rhythm:
    """The intervals between keyframes that were seen so far, in seconds."""

    def __init__(self) -> None:
        self._shortest, self._longest = inf, 0.0

    def note(self, interval: float) -> None:
        """Take note of an interval."""
        self._shortest = min(self._shortest, interval)
        self._longest = max(self._longest, interval)

    def is_early(self, interval: float) -> bool:
        """Say whether a keyframe that comes after an interval begins a shot.

        In a film that marks shots, it need only come a picture or two early.
        """
        marks_shots = self._shortest < EARLY_SHARE * self._longest
        return marks_shots and interval < self._longest - JITTER_SECONDS


class Beginnings:
    """Chooses beginnings of shots to be sampled too: at most as many as there are samples due.

    Of keyframes in steady rhythm it chooses none. How long the longest interval will be is not
    known from the start, so some that begin a shot are not noticed; but the interval after a
    keyframe is known as well as that before it, and tells of the first shot too.
    """

    def __init__(self) -> None:
        self._rhythm = Rhythm()
        self._before: float | None = None
        self._is_early = False
        self._spare = 0

    def note(self, seconds: float, next_seconds: float | None = None) -> None:
        """Take note of a keyframe, in seconds of the video, and of when the next one comes.

        That is None if no other keyframe follows, or if it is not known yet.
        """
        if next_seconds is not None:
            self._rhythm.note(next_seconds - seconds)
        if self._before is not None:
            interval = seconds - self._before
            self._rhythm.note(interval)
            self._is_early = self._rhythm.is_early(interval)
        self._before = seconds

    def note_due(self) -> None:
        """Take note that samples are due, before the next beginning: one more can be spared."""
        self._spare = min(self._spare + 1, MOST_SPARE)

    def choose(self, lasting_seconds: float, every_seconds: float) -> bool:
        """Say whether the latest keyframe is sampled though it is not due.

        The next one comes after `lasting_seconds`; samples are due `every_seconds`.
        """
        is_long = lasting_seconds >= max(SHORTEST_SECONDS, LEAST_SHARE * every_seconds)
        is_chosen = self._is_early and is_long and self._spare > 0
        self._spare -= is_chosen
        return is_chosen
