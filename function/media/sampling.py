"""Chooses which pictures of a video are sampled: keyframes, and what lies far from any of them."""

from collections.abc import Sequence
from math import ceil, floor

from function.media.videos import Video

OVERRUN = 1.1  # times the estimated length

LATE_SHARE = 0.5
"""Where no picture is shown within this share of an interval after a moment, the one before it is
sampled, if that is near: at a varying frame rate the next may be an interval away."""

_TINY_SECONDS = 1e-6


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
    return chosen + _fill_gap(sorted(times), start, spacing, latest)


def _fill_gap(
    times: Sequence[float], start: float, spacing: float, latest_seconds: float
) -> list[float]:
    """Choose of the times, in order, those nearest to every `spacing` after `start`."""
    chosen: list[float] = []
    due, before = start + spacing, start
    for seconds in times:
        if due - _TINY_SECONDS <= seconds:
            if seconds - due > spacing * LATE_SHARE and before > due - spacing / 2:
                chosen.append(before)
                due += spacing
            if due - _TINY_SECONDS <= seconds <= latest_seconds:
                chosen.append(seconds)
                due = start + spacing * (floor((seconds - start) / spacing + _TINY_SECONDS) + 1)
        before = seconds
    return chosen


def widen_interval(video: Video, seconds: float, count: int) -> float:
    """Return the interval at which the remaining frames last for the remaining time.

    A video that goes well beyond its estimated length is assumed to last as long again.
    """
    has_overrun = seconds > OVERRUN * video.seconds
    ahead = seconds if has_overrun else video.seconds - seconds
    return max(video.every_seconds, ahead / max(video.limits.max_frames - count, 1))
