"""How often names are right, wrong or missing."""

from dataclasses import replace
from typing import Literal

import pytest

from tools.accuracy.figures import draw_curve, measure_searches
from tools.accuracy.outcomes import Outcome


def _outcome(who: Literal["right", "wrong", "stranger"], score: float) -> Outcome:
    right = who == "right"
    return Outcome(
        enrolled=who != "stranger",
        first_is_right=right,
        score=score,
        right_score=score if right else 0.0,
        nameable=True,
        named=True,
    )


def test_misses_are_counted_at_the_threshold_that_strangers_set() -> None:
    strangers = [_outcome("stranger", score) for score in range(100)]
    enrolled = [_outcome("right", 98.5), _outcome("right", 50), _outcome("wrong", 99.9)]
    outcomes = [*strangers, *enrolled]
    figures = measure_searches(["someone"] * len(outcomes), outcomes)
    one_percent, one_per_mille = figures.misses
    assert (one_percent.threshold, one_percent.bound) == (98, None)
    assert one_percent.fnir == pytest.approx(2 / 3)
    assert one_per_mille.threshold == 99
    assert one_per_mille.bound == 0.01
    assert figures.rank_1.value == pytest.approx(2 / 3)
    assert figures.named_wrong.value == pytest.approx(1 / 3)
    assert figures.strangers_named.value == 1


def test_a_higher_threshold_misses_more_and_names_fewer_strangers() -> None:
    strangers = [_outcome("stranger", score) for score in (5, 60, 93)]
    enrolled = [_outcome("right", 99), _outcome("right", 92), _outcome("wrong", 99)]
    curve = {point.score: point for point in draw_curve([*strangers, *enrolled])}
    assert (curve[90].missed, curve[90].strangers_named) == pytest.approx((1 / 3, 1 / 3))
    assert (curve[95].missed, curve[95].strangers_named) == pytest.approx((2 / 3, 0))
    assert (curve[5].missed, curve[5].strangers_named) == pytest.approx((1 / 3, 1))


def test_somebody_who_cannot_be_named_is_missed_at_every_threshold() -> None:
    weak = replace(_outcome("right", 99), nameable=False, named=False)
    assert {point.missed for point in draw_curve([weak])} == {1}
