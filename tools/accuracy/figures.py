"""Turns outcomes of trials into figures: how often names are right, wrong or missing, and so on.

The terms are those of ISO/IEC 19795-1 and of NIST's face recognition tests. FPIR: the share of
searches for someone not enrolled that name anyone. FNIR: the share of searches for someone enrolled
that do not name them. B-cubed: Bagga and Baldwin 1998. ECE: Naeini, Cooper and Hauskrecht 2015.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RELIABILITY_BINS = 10
FPIR_TARGETS = (0.01, 0.001)


@dataclass(frozen=True)
class Outcome:
    """One search: was the person enrolled, is the first name right, its score, and was it named.

    `score` may be on any scale where higher is more certain; `right_score` is the right name's.
    """

    enrolled: bool
    first_is_right: bool
    score: float
    right_score: float
    named: bool


@dataclass(frozen=True)
class MissRate:
    """FNIR at the threshold that keeps FPIR at `fpir`.

    If the sample has too few strangers to show such an FPIR, `bound` says which one it can show.
    """

    fpir: float
    fnir: float
    threshold: float
    bound: float | None


@dataclass(frozen=True)
class SearchFigures:
    """How well people are named; shares are from 0 to 1.

    `rank_1`: the right performer is first, whatever the score. `named_right`, `named_wrong`:
    searches for enrolled people that give the right or a wrong name; `strangers_named`: searches
    for strangers that give any name.
    """

    enrolled_searches: int
    stranger_searches: int
    rank_1: float
    named_right: float
    named_wrong: float
    strangers_named: float
    misses: tuple[MissRate, ...]


@dataclass(frozen=True)
class ReliabilityBin:
    """Scores within a tenth: what they promised on average, and how many came true."""

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


@dataclass(frozen=True)
class GroupFigures:
    """How well faces are grouped into people; `b_cubed_f` is the harmonic mean of the other two."""

    b_cubed_precision: float
    b_cubed_recall: float
    b_cubed_f: float
    people_found: int
    people_true: int


def measure_searches(outcomes: Sequence[Outcome]) -> SearchFigures:
    """Count what happened in searches for enrolled people and for strangers."""
    enrolled = [outcome for outcome in outcomes if outcome.enrolled]
    strangers = [outcome for outcome in outcomes if not outcome.enrolled]
    return SearchFigures(
        enrolled_searches=len(enrolled),
        stranger_searches=len(strangers),
        rank_1=_share(outcome.first_is_right for outcome in enrolled),
        named_right=_share(outcome.named and outcome.first_is_right for outcome in enrolled),
        named_wrong=_share(outcome.named and not outcome.first_is_right for outcome in enrolled),
        strangers_named=_share(outcome.named for outcome in strangers),
        misses=tuple(_miss_rate(enrolled, strangers, fpir) for fpir in FPIR_TARGETS),
    )


def measure_reliability(
    probabilities: Sequence[float], came_true: Sequence[bool], log_losses: Sequence[float]
) -> Reliability:
    """Compare what scores promised (0 to 1) with what came true, for each tenth."""
    promised, true = np.array(probabilities), np.array(came_true, float)
    bin_of = np.minimum((promised * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    bins = tuple(
        ReliabilityBin(
            int(inside.sum()), float(promised[inside].mean()), float(true[inside].mean())
        )
        for inside in (bin_of == number for number in range(RELIABILITY_BINS))
        if inside.any()
    )
    gaps = sum(one.count * abs(one.promised - one.true) for one in bins)
    return Reliability(bins, gaps / max(len(promised), 1), float(np.mean(log_losses)))


def measure_groups(groups: Sequence[int], names: Sequence[str]) -> GroupFigures:
    """Compare groups with names: element i of both is about face i.

    For a face, B-cubed precision is the share of its group that has its name, and recall the share
    of its name that is in its group; both are averaged over the faces. A negative group means that
    the face belongs to nobody; it does not count as a person found.
    """
    group_of = np.unique(np.array(groups), return_inverse=True)[1]
    name_of = np.unique(np.array(names), return_inverse=True)[1]
    table = np.zeros((group_of.max() + 1, name_of.max() + 1))
    np.add.at(table, (group_of, name_of), 1)
    precision = float((table**2 / table.sum(axis=1, keepdims=True)).sum() / table.sum())
    recall = float((table**2 / table.sum(axis=0, keepdims=True)).sum() / table.sum())
    f_measure = 2 * precision * recall / (precision + recall)
    found = len({group for group in groups if group >= 0})
    return GroupFigures(precision, recall, f_measure, found, table.shape[1])


def _miss_rate(enrolled: Sequence[Outcome], strangers: Sequence[Outcome], fpir: float) -> MissRate:
    scores: NDArray[np.float64] = np.sort([outcome.score for outcome in strangers])[::-1]
    allowed = int(fpir * len(scores))
    threshold = float(scores[allowed]) if len(scores) else float("-inf")
    found = _share(
        outcome.first_is_right and outcome.right_score > threshold for outcome in enrolled
    )
    bound = None if allowed else 1 / max(len(scores), 1)
    return MissRate(fpir, 1 - found, threshold, bound)


def _share(answers: Iterable[bool]) -> float:
    values = list(answers)
    return sum(values) / len(values) if values else 0.0
