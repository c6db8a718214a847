"""Confirms or drops candidate faces: checks them closely, levelled and at YuNet's best size."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

import numpy as np

from function.engines.copies import Copies
from function.engines.heads import Head, LevelCut, fit_head
from function.engines.mirrors import mirror
from function.engines.protocol import Detection, Points
from function.engines.yunet.net import Guesses, YunetNet
from function.media.pictures import RgbImage

Result = TypeVar("Result")

CLOSE_PIXELS, CLOSE_FACE_PIXELS = 128, 64.0
"""Side of the picture for the close check, and the width to which it scales the face. If smaller,
heads that fill their picture score less; if closer up, hands pass for faces."""

SEEN_FROM = 0.2
"""A close check with a lower score has found nothing."""

SURE_FROM = 0.89
"""After a close check with this score no other is needed; 95 % of faces in photographs have more. A
face that is checked upside down can have 0.86."""

FACE_FROM = 0.6
"""If the last close check has this score or more, the candidate is a face."""

LIKELY_FROM = 0.5
"""What has scored this much is checked together with its mirror image in one run, which costs an
eighth less than two. Below, four in five are no faces, and most of them show nothing as they are;
then the mirror image need not be checked."""

FIRST_DEGREES, OTHER_DEGREES = (120.0, -60.0), (60.0, 180.0, -120.0)
"""The other angles at which a candidate is checked if it does not look like a face as it is. If
nothing is seen there and at the first ones, the others are left out. In films that holds for half
of the candidates that show nothing as they are, a ninth of all close checks; of 54 of them that
would pass for faces it loses three, none with a score above 0.67."""

LEAN_GAIN = 2.8
"""YuNet draws a leaning head straighter than it is: if it leans by 5 to 20 degrees, the points show
a third of that (31 photographs)."""

NEAR_DEGREES, NEAR_SHIFT, NEAR_GROWTH = 8.0, 0.15, 1.25
"""A close check is repeated if it was off by more: in degrees, in face widths, or in size (a
factor)."""

MIRRORED = [1, 0, 2, 4, 3]
"""The order of the five points in a mirror image."""


Steps: TypeAlias = Generator[list[RgbImage], list[Guesses], Result]
"""A check that asks what the net sees in pictures, is told, and goes on, until it has a result."""


class CloseLook:
    """Checks candidates closely with one net."""

    def __init__(self, net: YunetNet) -> None:
        self._net = net

    def look(
        self, copies: Copies, candidates: Sequence[tuple[float, Head]]
    ) -> list[Detection | None]:
        """Find the face of each candidate head, with its exact place and angle; or nothing.

        Candidates have the score of the quick pass, which decides only what is checked in one run.
        What is checked of all of them next is one run of the net: on a GPU, that costs as much as
        for one of them. What is found of each is the same as if it was checked alone.
        """
        # There a picture and its mirror image cost as much as one, so that all are likely enough.
        least = 1.0 if self._net.is_on_gpu else 0.0
        checks = [_check(copies, head, max(score, least)) for score, head in candidates]
        found: list[Detection | None] = [None] * len(checks)
        asked = {number: next(check) for number, check in enumerate(checks)}
        while asked:
            pictures = [picture for batch in asked.values() for picture in batch]
            seen = iter(self._net.look(pictures, SEEN_FROM))
            for number, batch in [*asked.items()]:
                try:
                    asked[number] = checks[number].send([next(seen) for _ in batch])
                except StopIteration as end:
                    found[number] = end.value
                    del asked[number]
        return found


def _check(copies: Copies, head: Head, score: float) -> Steps[Detection | None]:
    seen = yield from _check_both_ways(copies, head, score)
    if seen is None or seen.score < SURE_FROM:
        head, seen = yield from _check_around(copies, head, seen)
    if seen is None:
        return None
    exact = _correct(head, seen)
    if not _is_near(head, exact):
        seen = yield from _check_both_ways(copies, exact, seen.score)
    return seen if seen is not None and seen.score >= FACE_FROM else None


def _check_both_ways(copies: Copies, head: Head, score: float) -> Steps[Detection | None]:
    """Check a head and its mirror image, and take the mean of both: half the noise."""
    cut = copies.cut(head, CLOSE_FACE_PIXELS, CLOSE_PIXELS)
    batches = [[cut.pixels, mirror(cut.pixels)]]
    if score < LIKELY_FROM:
        batches = [[pixels] for pixels in batches[0]]
    seen: list[tuple[float, Points]] = []
    for batch in batches:
        for central in map(_central, (yield batch)):
            if central is None:
                return None
            seen.append(central)
    straight, other = seen
    unmirrored = other[1][MIRRORED]
    unmirrored[:, 0] = CLOSE_PIXELS - 1 - unmirrored[:, 0]
    points = ((straight[1] + unmirrored) / 2).astype(np.float32)
    return _detection(cut, (straight[0] + other[0]) / 2, points)


def _check_around(
    copies: Copies, head: Head, seen: Detection | None
) -> Steps[tuple[Head, Detection | None]]:
    """Check a head at other angles; return the most certain one, and what is found there."""
    best = yield from _check_turned(copies, head, FIRST_DEGREES, (head, seen))
    if best[1] is None:
        return best
    return (yield from _check_turned(copies, head, OTHER_DEGREES, best))


def _check_turned(
    copies: Copies, head: Head, turns: Sequence[float], best: tuple[Head, Detection | None]
) -> Steps[tuple[Head, Detection | None]]:
    heads = [replace(head, roll_degrees=head.roll_degrees + turn) for turn in turns]
    cuts = [copies.cut(one, CLOSE_FACE_PIXELS, CLOSE_PIXELS) for one in heads]
    looks = yield [cut.pixels for cut in cuts]
    for turned, cut, guesses in zip(heads, cuts, looks, strict=True):
        central = _central(guesses)
        if central and (best[1] is None or central[0] > best[1].score):
            best = turned, _detection(cut, *central)
    return best


def head_of(face: Detection) -> Head:
    """Find the head of a face that has points.

    Raises:
        TypeError: it has none, so another detector found it.
    """
    if face.points is None:
        raise TypeError("this face has no points")
    return fit_head(face.points)


def _central(guesses: Guesses) -> tuple[float, Points] | None:
    """Return score and points of the most certain candidate near the middle of a close check."""
    if not len(guesses.scores):
        return None
    middles = (guesses.boxes[:, :2] + guesses.boxes[:, 2:]) / 2
    offsets = np.linalg.norm(middles - (CLOSE_PIXELS - 1) / 2, axis=1)
    scores = np.where(offsets < CLOSE_FACE_PIXELS / 2, guesses.scores, 0)
    if not scores.any():
        return None
    surest = int(scores.argmax())
    return float(scores[surest]), guesses.points[surest]


def _detection(cut: LevelCut, score: float, points: Points) -> Detection:
    in_picture = cut.to_picture(points)
    return Detection(fit_head(in_picture).box(), score, in_picture)


def _correct(head: Head, seen: Detection) -> Head:
    """Correct the place of a head by what was seen there."""
    exact = head_of(seen)
    lean = (exact.roll_degrees - head.roll_degrees + 180) % 360 - 180
    return replace(exact, roll_degrees=head.roll_degrees + LEAN_GAIN * lean)


def _is_near(head: Head, exact: Head) -> bool:
    """Whether a candidate was near enough to the true place to keep what was seen there."""
    lean = abs(exact.roll_degrees - head.roll_degrees)
    shift = np.hypot(exact.x - head.x, exact.y - head.y) / exact.width
    growth = max(exact.width / head.width, head.width / exact.width)
    return bool(lean < NEAR_DEGREES and shift < NEAR_SHIFT and growth < NEAR_GROWTH)
