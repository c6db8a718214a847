"""Finds people of one video who may be one person: one was seen where the other was just before.

A head that turns away is encoded as somebody else, and grouping, which knows neither place nor
time, makes it a person of its own.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from db.models import EncodingModel
from db.people import Link
from function.faces.face import Face
from function.people.tracks import MOST_IN_FRAME, find_following

MOSTLY = 0.5
"""More than this share of a fragment's faces are in the other's shots. In films of 27 people,
sampled twice a second, 9 of 12 pairs of groups of one person that followed each other passed, and
neither of two that were of two people: they had one face in three and one in thirteen there."""

MOST_LINKS = 5_000
"""This many are kept, the most alike ones: only an endless crowd has more."""

Shown = list[tuple[int, Face]]
"""The faces in one frame, each with the number of its group."""


def find_links(groups: Sequence[Sequence[Face]], model: EncodingModel) -> tuple[Link, ...]:
    """Find groups of faces that follow each other in place and time, the most alike first."""
    frames: dict[int, Shown] = defaultdict(list)
    for number, group in enumerate(groups):
        for face in group:
            if len(frames[face.frame]) < MOST_IN_FRAME:
                frames[face.frame].append((number, face))
    nearest: dict[tuple[int, int], float] = {}
    for before, after in pairwise(sorted(frames)):
        if after == before + 1:
            for pair, distance in _find_following(frames[before], frames[after], model):
                nearest[pair] = min(distance, nearest.get(pair, np.inf))
    shown = [{face.frame for face in group} for group in groups]
    links = sorted(
        Link(round(distance, 4), *pair)
        for pair, distance in nearest.items()
        if shown[pair[0]].isdisjoint(shown[pair[1]])
        and _is_fragment(*sorted((groups[number] for number in pair), key=len))
    )
    return tuple(links[:MOST_LINKS])


def _is_fragment(smaller: Sequence[Face], larger: Sequence[Face]) -> bool:
    """Whether most faces of the smaller group are in shots that show the larger one too.

    If few are, it is somebody with shots of their own who was given a turned head by mistake.
    """
    shots = {face.shot for face in larger}
    return sum(face.shot in shots for face in smaller) > MOSTLY * len(smaller)


def _find_following(
    before: Shown, after: Shown, model: EncodingModel
) -> Iterator[tuple[tuple[int, int], float]]:
    """Find faces of two groups that may be one in two frames: the groups, and how far apart."""
    first, second = ([face for _, face in shown] for shown in (before, after))
    for row, column, distance in find_following(first, second, model):
        number, other_number = before[row][0], after[column][0]
        if number != other_number:
            yield (min(number, other_number), max(number, other_number)), distance
