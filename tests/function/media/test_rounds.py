"""A quick look is planned round by round, each between those before."""

from itertools import chain, pairwise

import pytest

from function.media.rounds import (
    SEARCHED_FROM_SECONDS,
    SPREAD_SECONDS,
    count_evenly,
    plan_rounds,
)


@pytest.mark.parametrize("seconds", [150, 230, 400, 1500, 3600, 9000])
def test_each_round_is_spread_over_the_video_and_all_of_them_evenly(seconds: float) -> None:
    rounds = plan_rounds(seconds, 18)
    assert len(rounds) == min(4, seconds // (18 * SEARCHED_FROM_SECONDS))
    for one in rounds:
        assert len(one) >= 18
        assert one == sorted(one)
        assert one[0] < seconds / len(one)
        assert one[-1] > seconds - seconds / len(one)
    gaps = [after - before for before, after in pairwise(sorted(chain(*rounds)))]
    assert max(gaps) == pytest.approx(min(gaps))
    assert min(gaps) >= SEARCHED_FROM_SECONDS - 1e-6
    assert max(gaps) <= max(SPREAD_SECONDS, seconds / (4 * 18)) + 1e-6


def test_the_first_two_rounds_of_four_are_spread_evenly() -> None:
    first, second, *_ = plan_rounds(1500, 18)
    gaps = [after - before for before, after in pairwise(sorted(first + second))]
    assert max(gaps) == pytest.approx(min(gaps))


def test_a_short_video_is_read_through_and_none_has_too_few_pictures() -> None:
    assert plan_rounds(140, 18) == []
    assert count_evenly(140, 18) == 36
    assert count_evenly(7200, 18) == 240
