"""Divides groups of faces in which both nets together see two people.

Grouping knows the first net only, by which two who are seen in the dark, or with the mouth covered,
may be one. The second net tells them apart, but is only asked about the best faces of each group.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from db.models import Fusion
from db.records import Vector, Vectors
from db.vectors import square_distances
from function.faces.face import Face

TWO_FROM = 0.15
"""The squared distance between the means of two halves, less noise, from which they are two people.
Of two of seven people who look very alike, two to five photographs each, nine in ten pairs are so
far apart; of one person's of different days, divided in the same way, 2 % in halves of two and none
in larger ones. And the first net has to group them before."""

FEWEST_IN_HALF = 2
"""One face alone says too little: it may be spoilt."""


def divide_groups(
    groups: Sequence[list[Face]], second: Mapping[int, Vector], fusion: Fusion
) -> list[list[Face]]:
    """Divide each group in which both nets see several people; the one seen most comes first.

    `second` holds the second encodings that there are, by the face's id(). The faces of a shot stay
    together; those of a shot without any go with the nearest that has one, by the first net.
    """
    divided = []
    due = list(groups)
    while due:
        group = due.pop()
        halves = _divide(group, second, fusion)
        if halves is None:
            divided.append(group)
        else:
            due += halves
    return sorted(divided, key=lambda group: (-len(group), group[0].seconds))


def _divide(
    group: Sequence[Face], second: Mapping[int, Vector], fusion: Fusion
) -> tuple[list[Face], list[Face]] | None:
    """Divide a group into two people; None if it shows one, as far as both nets can tell."""
    known = [face for face in group if id(face) in second]
    shots = sorted({face.shot for face in known})
    if len(shots) < 2:  # noqa: PLR2004  # two halves
        return None
    first = np.stack([face.encoding for face in known])
    joined = fusion.join(first, np.stack([second[id(face)] for face in known]))
    shot_of = np.searchsorted(shots, [face.shot for face in known])
    is_other = _find_other(joined, shot_of, fusion.space.face_variance)
    if is_other is None:
        return None
    sides = {shots[shot_of[row]]: bool(is_other[row]) for row in range(len(known))}
    halves: tuple[list[Face], list[Face]] = ([], [])
    for face in group:
        nearest = int(square_distances(face.encoding[None], first).argmin())
        halves[sides.get(face.shot, bool(is_other[nearest]))].append(face)
    return halves


def _find_other(
    joined: Vectors, shot_of: NDArray[np.intp], face_variance: float
) -> NDArray[np.bool_] | None:
    """Say which faces are of another person than the rest; None if all are of one.

    The two shots that are farthest apart attract the others.
    """
    means = np.stack([joined[shot_of == shot].mean(axis=0) for shot in range(shot_of.max() + 1)])
    apart = square_distances(means, means)
    one, other = np.unravel_index(int(apart.argmax()), apart.shape)
    is_other: NDArray[np.bool_] = (apart[other] < apart[one])[shot_of]
    halves = joined[~is_other], joined[is_other]
    if min(map(len, halves)) < FEWEST_IN_HALF:
        return None
    noise = face_variance * sum(1 / len(half) for half in halves)
    gap = np.square(halves[0].mean(axis=0) - halves[1].mean(axis=0)).sum() - noise
    return is_other if gap >= TWO_FROM else None
