"""Keeps account of the moments of a video that are due, and of those that came to nothing."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

Span: TypeAlias = tuple[float, float]
"""From when to when, in seconds of the video."""

FAILED_GROUPS = 3
"""If this many groups give nothing while at most one gives a picture, it is their marks that are
wrong, not their data."""


class Schedule:
    """The moments to be sampled, as they fall due and are met, in seconds of the video.

    `expected` are those that were due so far, `met` those that came to something.
    """

    def __init__(self) -> None:
        self.expected: list[float] = []
        self.met: set[float] = set()
        self._due: list[float] = []
        self._latest: float | None = None
        self._failed = self._succeeded = 0
        self._is_met: bool | None = None

    def begin_again(self) -> None:
        """Expect the moments after the last sample again, from the start of the file."""
        self.expected = sorted(self.met)
        self._due = []

    def expect(self, moments: Sequence[float], *, begins: bool) -> None:
        """Take note of a group's moments; what earlier ones still owe is lost if it `begins`."""
        new = [one for one in moments if self._latest is None or one > self._latest]
        self.expected += new
        self._due = new if begins else self._due + new
        self._is_met = False if new else None

    def take(self, seconds: float, early: float = 0.0) -> float | None:
        """Return when a picture is sampled, or None if none was due by then.

        A picture may be up to `early` seconds early.
        """
        if not self._due or seconds < self._due[0] - early:
            return None
        passed = bisect_right(self._due, max(seconds, self._due[0]))
        self.met.add(self._due[passed - 1])
        self._due = self._due[passed:]
        self._latest = max(seconds, self._latest or 0.0)
        self._is_met = True
        return self._latest

    def end_group(self) -> bool:
        """Count the group, and say whether so many gave nothing that the file must be lying."""
        self._failed += self._is_met is False
        self._succeeded += self._is_met is True
        self._is_met = None
        return self._failed >= FAILED_GROUPS and self._succeeded <= 1

    def missed(self) -> list[Span]:
        """Return when the video showed what could not be decoded.

        Each moment stands for the time to midway to its neighbours.
        """
        return missed_by_all([self])


def missed_by_all(schedules: Sequence[Schedule]) -> list[Span]:
    """Return what `missed` does, for the moments of several schedules of one video together."""
    moments = sorted({moment for one in schedules for moment in one.expected})
    met = {moment for one in schedules for moment in one.met}
    middles = [(one + other) / 2 for one, other in pairwise(moments)]
    edges = [*moments[:1], *middles, *moments[-1:]]
    spans = zip(moments, pairwise(edges), strict=False)
    return [span for moment, span in spans if moment not in met]


def length_of(spans: Iterable[Span]) -> float:
    """Return how long spans last together; where they overlap, once."""
    seconds = reached = 0.0
    for start, end in sorted(spans):
        seconds += max(end - max(start, reached), 0.0)
        reached = max(reached, end)
    return seconds
