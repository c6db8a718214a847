"""Whether scores come true."""

import numpy as np
import pytest

from tools.accuracy.outcomes import Outcome, TrialOutcome
from tools.accuracy.reliabilities import (
    estimate_calibration_error,
    measure_reliability,
    measure_scores,
    pool_bins,
)


def _search(name: str, score: float, *, right: bool, found_face: bool = True) -> TrialOutcome:
    outcome = Outcome(
        enrolled=True,
        first_is_right=right,
        score=score,
        right_score=score,
        nameable=found_face,
        named=score >= 90,
    )
    return TrialOutcome(
        name=name,
        found_face=found_face,
        ours=outcome,
        reference=outcome,
        verdict="match",
        log_loss=0.5,
    )


def test_scores_that_come_true_have_no_calibration_error() -> None:
    promised = [0.85] * 20 + [0.05] * 20
    true = [True] * 17 + [False] * 3 + [True] + [False] * 19
    assert measure_reliability(promised, true, [0.0]).calibration_error == pytest.approx(
        0, abs=1e-9
    )
    boasting = measure_reliability([0.95] * 20, [False] * 20, [3.0])
    assert boasting.calibration_error == pytest.approx(0.95)
    assert boasting.bins[0].count == 20


def test_the_calibration_error_with_an_interval_is_the_one_without() -> None:
    random = np.random.default_rng(3)
    searches = [
        _search(f"P{number % 20}", float(score), right=bool(random.random() < 0.8 * score / 100))
        for number, score in enumerate(random.uniform(0, 100, 400))
    ]
    estimate = estimate_calibration_error(searches)
    assert estimate.value == pytest.approx(measure_scores(searches).calibration_error)
    assert estimate.low < estimate.value < estimate.high


def test_a_search_without_a_face_promised_nothing() -> None:
    sure = _search("P1", 95, right=False)
    blank = _search("P1", 0, right=False, found_face=False)
    assert estimate_calibration_error([sure, blank]).value == pytest.approx(0.95)
    assert sum(one.count for one in measure_scores([sure, blank]).bins) == 1


def test_tenths_of_several_measurements_are_joined_by_their_counts() -> None:
    first = measure_reliability([0.91] * 3 + [0.3], [True] * 4, [0.0])
    second = measure_reliability([0.99], [False], [0.0])
    low, high = pool_bins([first, second])
    assert (low.tenth, low.count, low.promised, low.true) == (3, 1, 0.3, 1)
    assert (high.tenth, high.count) == (9, 4)
    assert (high.promised, high.true) == pytest.approx((0.93, 0.75))
