"""A guess becomes a face, or is dropped: by a look at it turned level and at YuNet's best size."""

from dataclasses import replace

import numpy as np

from function.engines.copies import Copies
from function.engines.heads import Head, LevelCut, fit_head
from function.engines.protocol import Detection, Points
from function.engines.yunet.net import Guesses, YunetNet

CLOSE_PIXELS, CLOSE_FACE_PIXELS = 128, 64.0
"""Side of the close look's picture, and the width to which it brings the face. Smaller, and heads
that fill their picture score less; closer up, and hands pass for faces."""

SEEN_FROM = 0.2
"""A close look that scores less has seen nothing."""

SURE_FROM = 0.89
"""Score of a close look that needs no other; 95 % of faces in photographs have more. An upside-down
face can have 0.86 for the wrong side up."""

FACE_FROM = 0.6
"""Score of the last close look from which something is a face."""

CIRCLE_DEGREES = (60.0, 120.0, 180.0, -120.0, -60.0)
"""How else a guess is turned when it does not look like a face as it was guessed."""

LEAN_GAIN = 2.8
"""YuNet draws a head that leans straighter than it is: of 5 to 20 degrees its points show a third
(31 photographs)."""

NEAR_DEGREES, NEAR_SHIFT, NEAR_GROWTH = 8.0, 0.15, 1.25
"""A close look that was off by more (in degrees, face widths, and times) is taken again."""

MIRRORED = [1, 0, 2, 4, 3]
"""The order of the five points in a mirror."""


class CloseLook:
    """Looks closely at guesses with one net."""

    def __init__(self, net: YunetNet) -> None:
        self._net = net

    def look(self, copies: Copies, head: Head) -> Detection | None:
        """Find the face of a head that was guessed, its place and turn made exact; or nothing."""
        seen = self._look_both_ways(copies, head)
        if seen is None or seen.score < SURE_FROM:
            head, seen = self._look_around(copies, head, seen)
        if seen is None:
            return None
        exact = _correct(head, seen)
        if not _is_near(head, exact):
            seen = self._look_both_ways(copies, exact)
        return seen if seen is not None and seen.score >= FACE_FROM else None

    def _look_both_ways(self, copies: Copies, head: Head) -> Detection | None:
        """Look at a head and at its mirror image, and take the mean of both: half the noise."""
        cut = copies.cut(head, CLOSE_FACE_PIXELS, CLOSE_PIXELS)
        mirrored = np.ascontiguousarray(cut.pixels[:, ::-1])
        straight, mirror = map(_central, self._net.look([cut.pixels, mirrored], SEEN_FROM))
        if straight is None or mirror is None:
            return None
        unmirrored = mirror[1][MIRRORED]
        unmirrored[:, 0] = CLOSE_PIXELS - 1 - unmirrored[:, 0]
        points = ((straight[1] + unmirrored) / 2).astype(np.float32)
        return _detection(cut, (straight[0] + mirror[0]) / 2, points)

    def _look_around(
        self, copies: Copies, head: Head, seen: Detection | None
    ) -> tuple[Head, Detection | None]:
        """Look at a head turned in other ways; return how it is surest, and what is seen then."""
        heads = [replace(head, roll_degrees=head.roll_degrees + turn) for turn in CIRCLE_DEGREES]
        cuts = [copies.cut(one, CLOSE_FACE_PIXELS, CLOSE_PIXELS) for one in heads]
        looks = self._net.look([cut.pixels for cut in cuts], SEEN_FROM)
        for turned, cut, guesses in zip(heads, cuts, looks, strict=True):
            central = _central(guesses)
            if central and (seen is None or central[0] > seen.score):
                head, seen = turned, _detection(cut, *central)
        return head, seen


def head_of(face: Detection) -> Head:
    """Find the head of a face that has points.

    Raises:
        TypeError: it has none, so another detector found it.
    """
    if face.points is None:
        raise TypeError("this face has no points")
    return fit_head(face.points)


def _central(guesses: Guesses) -> tuple[float, Points] | None:
    """Return score and points of the surest guess about the middle of a close look."""
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
    """Say where a head is, after it was looked at where it was guessed."""
    exact = head_of(seen)
    lean = (exact.roll_degrees - head.roll_degrees + 180) % 360 - 180
    return replace(exact, roll_degrees=head.roll_degrees + LEAN_GAIN * lean)


def _is_near(head: Head, exact: Head) -> bool:
    """Whether a guess was so near the truth that what was seen there stands."""
    lean = abs(exact.roll_degrees - head.roll_degrees)
    shift = np.hypot(exact.x - head.x, exact.y - head.y) / exact.width
    growth = max(exact.width / head.width, head.width / exact.width)
    return bool(lean < NEAR_DEGREES and shift < NEAR_SHIFT and growth < NEAR_GROWTH)
