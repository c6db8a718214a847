"""Divides groups of faces in which both nets together see several people.

Grouping knows only the first net, which may take two people for one if they look very alike, are
seen in the dark, or have the mouth covered. The second net tells them apart, but is only asked
about chosen faces: some of each group, and more of a group that hardly shows only one person.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel, Fusion
from db.records import Vector, Vectors
from db.vectors import square_distances
from function.engines.models import BOTH, BOTH_BEFORE
from function.faces.face import Face
from function.people.linkage import link_by_average

FEWEST_IN_PART = 2
"""One face alone says too little: it may be spoilt."""

MOST_ROUNDS = 3
"""How often each shot may move to the person it is nearest to by then."""

MOST_IN_DOUBT = 60
"""This many faces of a group in doubt are encoded a second time before it is divided; its parts may
be looked at again. Of 173 people found in albums of 18 to 60 photographs of six who look alike, 10
hold somebody else's with 20, one with 40, and none with this. In films other bounds are lower."""

EACH_SHOT = 2
"""And this many of a shot that is like no other of its group, as one face may be spoilt."""


@dataclass(frozen=True)
class Division:
    """Where both nets see two people: measured for one fusion, and only valid there.

    They are two if pairs of shots, one of each, are on average `two_from` apart in the fusion's
    space, as a squared distance.
    """

    fusion: Fusion
    two_from: float


DIVISIONS = (
    # Of seven people who look very alike, each shot another photograph in good light, 98 % of pairs
    # of shots of one person that the first net had grouped are nearer, and 99 % of pairs of two are
    # not. In films of 79 others 2 of 804 groups are divided that show one person. From 0.38 to 0.44
    # as many people are found.
    Division(BOTH, 0.40),
    # Of the same seven 95 %, and 86 %. In films of 52 others nobody is divided from 0.31 on; from
    # 0.34 on more of the seven are taken for one.
    Division(BOTH_BEFORE, 0.32),
)
"""The fusions that were measured. A net of the user's own divides no group."""


@dataclass(frozen=True, eq=False)
class _Shots:
    """The shots of a group that hold faces encoded by both nets, in order of time.

    `means` are their faces' means in the nets' common space, (shots, dimensions), and `sizes` says
    of how many. The first net's encodings of those faces are `first`, and `of_face` their shots.
    """

    numbers: tuple[int, ...]
    means: Vectors
    sizes: NDArray[np.float32]
    first: Vectors
    of_face: NDArray[np.intp]


def find_division(models: Sequence[str]) -> Division | None:
    """Find how the encodings of two models divide groups, by their ids; None if not at all."""
    ids = tuple(models)
    return next((one for one in DIVISIONS if ids == tuple(p.id for p in one.fusion.parts)), None)


def divide_groups(
    groups: Sequence[list[Face]], second: Mapping[int, Vector], division: Division
) -> list[list[Face]]:
    """Divide each group in which both nets see several people; the one seen most comes first.

    `second` holds the second encodings that there are, by the face's id(). The faces of a shot stay
    together; those of a shot without second encodings go with the nearest shot that has some, by
    the first net.
    """
    # Of people seen equally often from one moment on the last comes first, as replies have had it.
    divided = [part for group in reversed(groups) for part in _divide(group, second, division)]
    return sorted(divided, key=lambda group: (-len(group), group[0].seconds))


def choose_doubted(
    groups: Sequence[Sequence[Face]], second: Mapping[int, Vector], division: Division
) -> list[Face]:
    """Choose more faces to encode a second time, of groups that may show several people.

    They are the best of each shot of which nothing is known, and one more of each shot that is like
    no other of its group, until enough of the group are known. One of each shot of every group
    comes first, as perhaps not all can be encoded. `second` holds what is known, as for
    `divide_groups`.
    """
    ranked = [one for group in groups for one in _choose_more(group, second, division)]
    return [face for _, face in sorted(ranked, key=lambda one: one[0])]


def choose_unlike(
    groups: Sequence[Sequence[Face]], second: Mapping[int, Vector], model: EncodingModel
) -> list[Face]:
    """Choose faces to encode again where others may be seen, the most doubtful first.

    They are the best of shots of which nothing is known, if the first net finds them farther from
    each known face of their group than it links faces.
    """
    ranked: list[tuple[float, Face]] = []
    for group in groups:
        known = [face for face in group if id(face) in second]
        shots = {face.shot: face for face in sorted(group, key=_rank, reverse=True)}
        best = [shots[shot] for shot in sorted({*shots} - {face.shot for face in known})]
        if known and best:
            squared = square_distances(_stack(best), _stack(known)).min(axis=1)
            ranked += zip(squared.tolist(), best, strict=True)
    far = [one for one in ranked if one[0] > model.linked_below**2]
    return [face for _, face in sorted(far, key=lambda one: (-one[0], one[1].seconds))]


def _choose_more(
    group: Sequence[Face], second: Mapping[int, Vector], division: Division
) -> list[tuple[int, Face]]:
    """Choose the best faces of shots, each with its rank there: the best of every shot first.

    There are none unless two shots are as far apart as two people are.
    """
    known = _find_shots(group, second, division.fusion)
    if known is None:
        return []
    apart = square_distances(known.means, known.means) >= division.two_from
    if not apart.any():
        return []
    alone = np.count_nonzero(apart, axis=1) == len(apart) - 1  # no shot is apart from itself
    most = dict(zip(known.numbers, np.where(alone, EACH_SHOT, 1).tolist(), strict=True))
    counts = dict(zip(known.numbers, known.sizes.astype(int).tolist(), strict=True))
    unknown = _sort_by_shot([face for face in group if id(face) not in second])
    ranked = [
        (rank, face)
        for shot, faces in unknown.items()
        for rank, face in enumerate(faces, start=counts.get(shot, 0))
        if rank < most.get(shot, 1)
    ]
    ranked.sort(key=lambda one: one[0])
    return ranked[: max(0, MOST_IN_DOUBT - len(known.of_face))]


def _sort_by_shot(group: Sequence[Face]) -> Mapping[int, Sequence[Face]]:
    """Return the faces of each shot, the best first."""
    shots: dict[int, list[Face]] = defaultdict(list)
    for face in sorted(group, key=_rank):
        shots[face.shot].append(face)
    return shots


def _rank(face: Face) -> tuple[bool, float, float]:
    """Sort faces by how much they say, the best first."""
    return face.is_weak, -face.quality, face.seconds


def _stack(faces: Sequence[Face]) -> Vectors:
    return np.stack([face.encoding for face in faces])


def _find_shots(
    group: Sequence[Face], second: Mapping[int, Vector], fusion: Fusion
) -> _Shots | None:
    """Find the shots of a group that both nets encoded; None if there are fewer than two."""
    known = [face for face in group if id(face) in second]
    numbers = sorted({face.shot for face in known})
    if len(numbers) < 2:  # noqa: PLR2004  # to be of two people
        return None
    first = _stack(known)
    joined = fusion.join(first, np.stack([second[id(face)] for face in known]))
    of_face = np.searchsorted(numbers, [face.shot for face in known])
    means = np.stack([joined[of_face == shot].mean(axis=0) for shot in range(len(numbers))])
    sizes = np.bincount(of_face).astype(np.float32)
    return _Shots(tuple(numbers), means, sizes, first, of_face)


def _divide(
    group: list[Face], second: Mapping[int, Vector], division: Division
) -> Sequence[list[Face]]:
    """Divide a group into as many people as it shows, as far as both nets can tell."""
    shots = _find_shots(group, second, division.fusion)
    if shots is None:
        return [group]
    apart = square_distances(shots.means, shots.means)
    people = _find_people(apart, shots.sizes, division.two_from)
    if people.max() == 0:
        return [group]
    person_in = dict(zip(shots.numbers, people.tolist(), strict=True))
    parts: list[list[Face]] = [[] for _ in range(people.max() + 1)]
    for face in group:
        if face.shot in person_in:
            parts[person_in[face.shot]].append(face)
        else:
            nearest = int(square_distances(face.encoding[None], shots.first).argmin())
            parts[people[shots.of_face[nearest]]].append(face)
    return parts


def _find_people(apart: Vectors, sizes: NDArray[np.float32], two_from: float) -> NDArray[np.intp]:
    """Number the person in each shot, from 0, given how far apart they are: (shots, shots)."""
    people = link_by_average(apart.copy(), sizes, two_from)
    for _ in range(MOST_ROUNDS):
        nearest = _measure(people, apart, sizes, two_from).argmin(axis=1)
        if np.array_equal(nearest, people):
            break
        people = np.unique(nearest, return_inverse=True)[1]
    while (faces := np.bincount(people, sizes)).min() < FEWEST_IN_PART and len(faces) > 1:
        few = people == faces.argmin()
        far = sizes[few] @ _measure(people, apart, sizes, two_from, few)
        far[faces.argmin()] = np.inf
        people = np.unique(np.where(few, far.argmin(), people), return_inverse=True)[1]
    return people


def _measure(
    people: NDArray[np.intp],
    apart: Vectors,
    sizes: NDArray[np.float32],
    two_from: float,
    shots: NDArray[np.bool_] | slice = slice(None),
) -> NDArray[np.float32]:
    """Return how far some shots are from each person, on average over other shots: (shots, people).

    A person's only shot counts as being as far from that person as two people are.
    """
    faces = np.where(people[:, None] == np.arange(people.max() + 1), sizes[:, None], 0)
    others: NDArray[np.float32] = faces.sum(axis=0) - faces[shots]
    far: NDArray[np.float32] = np.full_like(others, two_from)
    return np.divide(apart[shots] @ faces, others, out=far, where=others > 0)
