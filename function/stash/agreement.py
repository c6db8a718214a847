"""Decides which faces of a performer's scenes are surely that performer's."""

from collections.abc import Sequence

import numpy as np

from db.people import PersonFound
from db.records import Vector

FEWEST_FACES = 3
"""Somebody of whom fewer faces were seen may be a bystander."""

CLEARLY_MOST = 1.5
"""The person a scene is about is seen so many times as often as anybody else in it."""

AGREE_WITHIN = 0.35
"""Mean encodings this near are one person's: those of one person in two videos are 0.25 +- 0.04
apart, those of two people 0.43 and more (as for decisions, see `function.library.decisions`)."""


def dominant_of(people: Sequence[PersonFound]) -> PersonFound | None:
    """Return the person who is clearly seen most in a video; None if nobody is."""
    ranked = sorted(people, key=lambda one: -one.faces)
    if not ranked or ranked[0].faces < FEWEST_FACES:
        return None
    if len(ranked) > 1 and ranked[0].faces < CLEARLY_MOST * ranked[1].faces:
        return None
    return ranked[0]


def agreeing(templates: Sequence[Vector]) -> tuple[int, ...]:
    """Return the positions of the most mean encodings that agree with one of them.

    One alone agrees with nobody, so at least two are returned, or none.
    """
    if not templates:
        return ()
    stacked = np.stack(templates)
    near = np.linalg.norm(stacked[:, None] - stacked[None], axis=2) <= AGREE_WITHIN
    (rows,) = np.nonzero(near[int(near.sum(axis=1).argmax())])
    return tuple(rows.tolist()) if len(rows) > 1 else ()
