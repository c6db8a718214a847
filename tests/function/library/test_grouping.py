"""Grouping joins who is one, only mutual likeliest, and never those apart."""

import numpy as np
import pytest
from numpy.typing import NDArray

from db.records import Vectors
from function.engines.models import PRIMARY
from function.library.grouping import Grouping, Part
from function.matching.densities import densities_of
from tests.support.crowds import Crowd
from tools.accuracy.groups import measure_groups


def grouping(
    means: Vectors,
    evidence: float = 4.0,
    fresh: NDArray[np.bool_] | None = None,
    apart: dict[int, set[int]] | None = None,
) -> Grouping:
    known = np.full(len(means), evidence, np.float32)
    part = Part(densities_of(PRIMARY.id), means.astype(np.float32), known)
    return Grouping([part], np.ones(len(means), np.bool_) if fresh is None else fresh, apart or {})


def roots(made: Grouping) -> list[int]:
    for _ in made.run():
        pass
    return made.root.tolist()


def line(*places: float) -> Vectors:
    """People on a line, at these distances from the first."""
    means = np.zeros((len(places), PRIMARY.dimensions), np.float32)
    means[:, 0] = 1.4
    means[:, 1] = places
    return means


def test_the_near_are_joined_and_the_far_are_not() -> None:
    assert roots(grouping(line(0, 0.1, 0.9, 1.0))) == [0, 0, 2, 2]


def test_of_two_who_look_alike_each_keeps_their_own() -> None:
    # Seen once each, they could be one person; the third of each must not be left over for the
    # other's third while the first two are joined.
    assert roots(grouping(line(0.02, 0.19))) == [0, 0]
    assert roots(grouping(line(0, 0.01, 0.02, 0.2, 0.21, 0.19))) == [0, 0, 0, 3, 3, 3]


def test_nobody_is_joined_with_those_apart_or_with_whoever_they_became() -> None:
    assert roots(grouping(line(0, 0.01), apart={0: {1}, 1: {0}})) == [0, 1]
    assert roots(grouping(line(0, 0.01, 0.05), apart={1: {2}, 2: {1}})) == [0, 0, 2]


def test_the_known_are_joined_only_along_with_somebody_fresh() -> None:
    old = np.array([False, False, False])
    assert roots(grouping(line(0, 0.05, 0.1), fresh=old)) == [0, 1, 2]
    assert roots(grouping(line(0, 0.05, 0.1), fresh=np.array([False, False, True]))) == [0, 0, 0]


def test_people_of_whom_too_little_is_known_are_nobody_else() -> None:
    assert roots(grouping(line(0, 0.01), evidence=0.5)) == [0, 1]


def test_a_joined_group_is_as_good_as_the_mean_of_all_its_members() -> None:
    made = grouping(line(0, 0.04, 0.08))
    roots(made)
    (part,) = made.parts
    assert part.means[0, 1] == pytest.approx(0.04, abs=1e-6)
    assert part.evidence[0] == 12


def test_the_order_in_which_people_come_changes_nothing() -> None:
    crowd = Crowd(5)
    people = [crowd.person() for _ in range(30)]
    means = np.concatenate([crowd.encodings(one, 6, 0.1) for one in people])
    names = np.repeat(np.arange(30), 6)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(means))
        figures = measure_groups(roots(grouping(means[order])), names[order].astype(str).tolist())
        assert (figures.people_found, figures.b_cubed_f) == (30, 1.0)
