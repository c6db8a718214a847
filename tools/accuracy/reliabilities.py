"""Measures whether scores come true: of the names given with a score of 90, are nine in ten right?

ECE, the calibration error: Naeini, Cooper and Hauskrecht 2015.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.accuracy.intervals import Estimate, estimate_from_sums
from tools.accuracy.outcomes import TrialOutcome

RELIABILITY_BINS = 10


@dataclass(frozen=True)
class ReliabilityBin:
    """Scores within a tenth (0 to 9): what they promised on average, and how many came true."""

    tenth: int
    count: int
    promised: float
    true: float


@dataclass(frozen=True)
class Reliability:
    """Whether a score of 90 is right nine times in ten.

    `calibration_error` (ECE) is the mean gap between score and truth, weighted by count;
    `log_loss` is the mean of -ln of the probability given to what was true.
    """

    bins: tuple[ReliabilityBin, ...]
    calibration_error: float
    log_loss: float


def measure_scores(outcomes: Sequence[TrialOutcome]) -> Reliability:
    """Measure how well the scores of trials came true; half of them search for strangers.

    Searches without a usable face are left out: they got no score.
    """
    scored = [outcome for outcome in outcomes if outcome.found_face]
    promised, true = _promises(scored)
    return measure_reliability(promised, true, [outcome.log_loss for outcome in scored])


def estimate_calibration_error(outcomes: Sequence[TrialOutcome]) -> Estimate:
    """Estimate the calibration error (ECE) of the same scores, with its interval.

    Drawing people again adds noise to every tenth, and noise adds to the error, so the interval
    lies a little high.
    """
    scored = [outcome for outcome in outcomes if outcome.found_face]
    if not scored:
        return Estimate(0.0, 0.0, 1.0)
    promised, true = _promises(scored)
    rows = np.zeros((len(scored), RELIABILITY_BINS + 1))
    rows[np.arange(len(scored)), _tenths(promised)] = promised - true
    rows[:, -1] = 1
    return estimate_from_sums(
        [outcome.name for outcome in scored],
        rows,
        lambda sums: np.abs(sums[:, :-1]).sum(axis=1) / sums[:, -1],
    )


def measure_reliability(
    probabilities: Sequence[float] | NDArray[np.float64],
    came_true: Sequence[bool] | NDArray[np.float64],
    log_losses: Sequence[float],
) -> Reliability:
    """Compare what scores promised (0 to 1) with what came true, for each tenth."""
    promised, true = np.array(probabilities, float), np.array(came_true, float)
    bin_of = _tenths(promised)
    bins = tuple(
        ReliabilityBin(
            number, int(inside.sum()), float(promised[inside].mean()), float(true[inside].mean())
        )
        for number in range(RELIABILITY_BINS)
        if (inside := bin_of == number).any()
    )
    gaps = sum(one.count * abs(one.promised - one.true) for one in bins)
    losses = float(np.mean(log_losses)) if len(log_losses) else 0.0
    return Reliability(bins, gaps / max(len(promised), 1), losses)


def pool_bins(reliabilities: Iterable[Reliability]) -> tuple[ReliabilityBin, ...]:
    """Join the tenths of several measurements, as if their searches were of one."""
    by_tenth: dict[int, list[ReliabilityBin]] = {}
    for reliability in reliabilities:
        for one in reliability.bins:
            by_tenth.setdefault(one.tenth, []).append(one)
    return tuple(_join_bins(by_tenth[tenth]) for tenth in sorted(by_tenth))


def _join_bins(bins: Sequence[ReliabilityBin]) -> ReliabilityBin:
    count = sum(one.count for one in bins)
    promised = sum(one.count * one.promised for one in bins) / count
    true = sum(one.count * one.true for one in bins) / count
    return ReliabilityBin(bins[0].tenth, count, promised, true)


def _promises(outcomes: Sequence[TrialOutcome]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each first score promised (0 to 1), and 1 where it came true."""
    promised = np.array([outcome.ours.score / 100 for outcome in outcomes], np.float64)
    true = [outcome.ours.enrolled and outcome.ours.first_is_right for outcome in outcomes]
    return promised, np.array(true, np.float64)


def _tenths(promised: NDArray[np.float64]) -> NDArray[np.intp]:
    tenths: NDArray[np.intp] = (promised * RELIABILITY_BINS).astype(np.intp)
    return np.minimum(tenths, RELIABILITY_BINS - 1)
