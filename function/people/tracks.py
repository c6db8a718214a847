"""Follows faces through a shot: whatever is in one place, sample after sample, is mostly one head.

Weak faces are all encoded much alike, and so are often nearer to somebody else than to their own
person, or near nobody. Their place says more than their encoding.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel
from db.vectors import square_distances
from function.faces.face import Face

OVERLAP_FROM = 0.3
"""Two boxes overlap if they share this much of what they cover together. A head that turns away
keeps 0.5 and more from sample to sample, if it stays in its place."""

MOST_IN_FRAME = 100
"""If a frame has more faces, only this many are looked at: the rest are a crowd's."""

SeenIn: TypeAlias = Mapping[int, int]
"""The picture that shows a face, by the face's id(): a frame, or half of a VR film's frame."""

Steps: TypeAlias = Mapping[int, Sequence[tuple[float, Face]]]
"""The faces right before and after a face in its place, with their distances, by its id()."""


def find_following(
    before: Sequence[Face], after: Sequence[Face], model: EncodingModel
) -> Iterator[tuple[int, int, float]]:
    """Find faces of two frames in a row that may be one: their positions, and how far apart."""
    squared = square_distances(
        np.stack([face.encoding for face in before]), np.stack([face.encoding for face in after])
    )
    for row, column in np.argwhere(_overlaps(before, after) > OVERLAP_FROM).tolist():
        face, other = before[row], after[column]
        within = model.follows_within
        if face.is_weak or other.is_weak:
            within = model.follows_weak_within
        distance = float(squared[row, column]) ** 0.5
        if face.shot == other.shot and distance <= within:
            yield row, column, distance


def find_steps(faces: Sequence[Face], model: EncodingModel) -> Steps:
    """Find what each face follows and is followed by, where weak faces are.

    Nothing doubtful follows anything doubtful: a pattern stays in its place, too.
    """
    frames: dict[int, list[Face]] = defaultdict(list)
    for face in faces:
        if len(frames[face.frame]) < MOST_IN_FRAME:
            frames[face.frame].append(face)
    steps: dict[int, list[tuple[float, Face]]] = defaultdict(list)
    for number, following in pairwise(sorted(frames)):
        before, after = frames[number], frames[following]
        if following == number + 1 and any(face.is_weak for face in (*before, *after)):
            for row, column, distance in find_following(before, after, model):
                face, other = before[row], after[column]
                if not (face.is_doubtful and other.is_doubtful):
                    steps[id(face)].append((distance, other))
                    steps[id(other)].append((distance, face))
    return steps


def follow_steps(
    groups: Sequence[list[Face]], alone: Sequence[Face], seen_in: SeenIn, steps: Steps
) -> None:
    """Add faces that are in no group to those that they follow, step by step, the nearest first.

    A group has one face in a picture.
    """
    free = {id(face) for face in alone}
    shown = [{seen_in[id(face)] for face in group} for group in groups]
    order = count()  # for steps that are equally far
    due = [
        (distance, next(order), number, face)
        for number, group in enumerate(groups)
        for one in group
        for distance, face in steps.get(id(one), ())
        if id(face) in free
    ]
    heapq.heapify(due)
    while due:
        _, _, number, face = heapq.heappop(due)
        if id(face) not in free or seen_in[id(face)] in shown[number]:
            continue
        free.discard(id(face))
        groups[number].append(face)
        shown[number].add(seen_in[id(face)])
        for distance, other in steps.get(id(face), ()):
            if id(other) in free:
                heapq.heappush(due, (distance, next(order), number, other))


def _overlaps(before: Sequence[Face], after: Sequence[Face]) -> NDArray[np.float64]:
    """Return what boxes share of the area that they cover together: (before, after), 0 to 1."""
    first, second = (
        np.array([(box.left, box.top, box.right + 1, box.bottom + 1) for box in boxes], float)
        for boxes in ([face.box for face in before], [face.box for face in after])
    )
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    overlaps: NDArray[np.float64] = shared / (areas[0][:, None] + areas[1][None, :] - shared)
    return overlaps
