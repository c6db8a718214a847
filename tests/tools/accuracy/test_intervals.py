"""Intervals around figures."""

import numpy as np

from tools.accuracy.intervals import Estimate, estimate_share


def _searches(people: int, random: np.random.Generator) -> tuple[list[str], list[bool]]:
    """Twenty searches for each of `people`, whose own rates differ, but are 0.8 on average."""
    rates = random.beta(8, 2, people)
    names = [f"P{number}" for number in range(people) for _ in range(20)]
    happened = random.random(len(names)) < np.repeat(rates, 20)
    return names, happened.tolist()


def test_nineteen_intervals_in_twenty_hold_the_true_rate() -> None:
    random = np.random.default_rng(1)
    estimates = [estimate_share(*_searches(40, random)) for _ in range(100)]
    assert 88 <= sum(one.low <= 0.8 <= one.high for one in estimates) <= 99


def test_fewer_people_make_a_wider_interval_and_more_searches_for_them_no_narrower_one() -> None:
    random = np.random.default_rng(2)
    names, happened = _searches(10, random)
    few, many = estimate_share(names, happened), estimate_share(*_searches(160, random))
    assert few.high - few.low > 2.5 * (many.high - many.low)
    again = estimate_share(names * 16, happened * 16)
    assert again == few


def test_what_never_happened_may_happen_three_times_among_as_many_people() -> None:
    names = [f"P{number}" for number in range(30) for _ in range(7)]
    never, always = (estimate_share(names, [answer] * 210) for answer in (False, True))
    assert never == Estimate(0, 0, 0.1)
    assert always == Estimate(1, 0.9, 1)
    assert estimate_share(["P1", "P2"], [False, False]) == Estimate(0, 0, 1)


def test_without_searches_nothing_is_known() -> None:
    assert estimate_share([], []) == Estimate(0, 0, 1)
