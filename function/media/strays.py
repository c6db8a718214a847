"""Tells a time that is a mistake from a leap of a file's clock: most pictures are right."""

from collections.abc import Iterable, Sequence
from itertools import islice
from math import inf
from typing import NamedTuple

LEAP_SECONDS = 3600.0  # no picture is shown for as long as this
REORDERED_BACK_SECONDS = 10.0  # a picture is stored at most this long after one shown later
KEYFRAME_BACK_SECONDS = 1.0  # less for a keyframe: an earlier one begins a new recording
STRAY_SECONDS = 1.0  # a picture that comes sooner than this after the one before is not doubted
GAP_TIMES = 2.0  # nor one that comes sooner than so many times the gap before
NOMINAL_SECONDS = 1 / 25  # how long a picture lasts if nothing says so

MOST_REORDERED = 16
"""This many pictures are stored at most between one and another that is shown before it (H.264,
A.3.1; H.265, A.4.2)."""

LOOKED_AHEAD = 300
"""This many pictures are asked whether they go on from the one before: a part of a Matroska file
that has one time, a cluster, lasts five seconds."""


class Stamp(NamedTuple):
    """When a picture is shown, in seconds, and whether its order of storage bears that out.

    It does if the picture is to be decoded after the one before, and not after it is shown; None
    says that nothing is known of that.
    """

    seconds: float
    is_in_order: bool | None = None


def is_plausible(
    seconds: float, expected_seconds: float, back_seconds: float = REORDERED_BACK_SECONDS
) -> bool:
    """Say whether a picture may be shown at a time, if the next was expected at another."""
    return -back_seconds < seconds - expected_seconds < LEAP_SECONDS


def is_doubtful(stamp: Stamp, expected_seconds: float, gap_seconds: float) -> bool:
    """Say whether a picture's time should be compared with those that follow.

    `gap_seconds` is by how much the one before came late. An early one that is stored in order is
    not doubted: in a film with a picture every few seconds it lies far before those it is among.
    """
    late = stamp.seconds - expected_seconds
    if late < 0:
        back = STRAY_SECONDS if stamp.is_in_order is False else REORDERED_BACK_SECONDS
        return not stamp.is_in_order and late < -back
    return late > max(STRAY_SECONDS, GAP_TIMES * gap_seconds)


def is_stray(
    stamp: Stamp,
    expected_seconds: float,
    following: Iterable[Stamp],
    lasting_seconds: float = NOMINAL_SECONDS,
    end_seconds: float = inf,
) -> bool:
    """Say whether a doubtful time is a mistake, by those of the pictures that are stored next.

    A late one is if more of them come before it than can be stored in another order; an early one
    if most go on from where it was expected. If nothing follows, one that cannot be is, or that
    lies after the stated end. All are seconds; a picture lasts `lasting_seconds`.
    """
    if stamp.seconds > expected_seconds:
        latest = min(end_seconds + STRAY_SECONDS, expected_seconds + LEAP_SECONDS)
        return _is_too_late(stamp.seconds, latest, following)
    asked = [one.seconds for one in islice(following, MOST_REORDERED)]
    witnesses = sum(
        abs(one - expected_seconds - number * lasting_seconds)
        < abs(one - stamp.seconds - number * lasting_seconds)
        for number, one in enumerate(asked, 1)
    )
    if not asked:
        return not is_plausible(stamp.seconds, expected_seconds)
    return witnesses * 2 > len(asked)


def _is_too_late(seconds: float, latest_seconds: float, following: Iterable[Stamp]) -> bool:
    earlier, is_alone = 0, True
    for one in following:
        is_alone = False
        if one.seconds < seconds - STRAY_SECONDS:
            earlier += 1
            if earlier > MOST_REORDERED or one.is_in_order is False:
                return True
    return is_alone and seconds >= latest_seconds


def is_stray_at_first(stamp: Stamp, following: Iterable[Stamp]) -> bool:
    """Say whether the first picture's time is a mistake: most of the next ones lie before it.

    As many may be stored in another order. If none of the very next does, no more are asked.
    """
    rest = iter(following)
    asked = list(islice(rest, MOST_REORDERED + 1))
    earlier = [one for one in asked if _is_before(one, stamp)]
    if not earlier:
        return False
    is_order_lost = any(one.is_in_order is False for one in earlier)
    if is_order_lost and len(earlier) * 2 > len(asked):
        return True
    return len(earlier) + sum(_is_before(one, stamp) for one in rest) > MOST_REORDERED


def _is_before(one: Stamp, first: Stamp) -> bool:
    return one.seconds <= first.seconds - KEYFRAME_BACK_SECONDS


def without_strays(stamps: Sequence[Stamp], end_seconds: float = inf) -> list[float]:
    """Return the times of pictures in order of storage, in seconds, without the mistakes.

    The file states that it ends after `end_seconds`.
    """
    kept: list[float] = []
    expected = gap = 0.0
    for number, stamp in enumerate(stamps):
        following = islice(stamps, number + 1, number + 1 + LOOKED_AHEAD)
        if not kept:
            is_wrong = is_stray_at_first(stamp, following)
        elif is_doubtful(stamp, expected, gap):
            is_wrong = is_stray(stamp, expected, following, end_seconds=end_seconds)
        else:
            is_wrong = False
        if not is_wrong:
            goes_on = bool(kept) and is_plausible(stamp.seconds, expected)
            gap = max(stamp.seconds - expected, 0.0) if goes_on else 0.0
            expected = max(expected, stamp.seconds) if goes_on else stamp.seconds
            kept.append(stamp.seconds)
    return kept
