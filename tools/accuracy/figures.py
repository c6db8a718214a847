"""Turns outcomes of trials into figures: how often names are right, wrong or missing.

The terms are those of ISO/IEC 19795-1 and of NIST's face recognition tests. FPIR: the share of
searches for someone not enrolled that name anyone. FNIR: the share of searches for someone enrolled
that do not name them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from function.matching.matches import MATCH_FROM
from tools.accuracy.intervals import Estimate, estimate_share
from tools.accuracy.outcomes import Outcome, TrialOutcome

FPIR_TARGETS = (0.01, 0.001)

CURVE_SCORES = tuple(
    sorted({MATCH_FROM, *range(5, 100, 5), *range(91, 100), *(99.2, 99.4, 99.6, 99.8, 99.9)})
)
"""Thresholds at which misses are weighed against strangers named; denser where scores are."""


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
    """How well people are named.

    `rank_1`: the right performer is first, whatever the score. `named_right`, `named_wrong`:
    searches for enrolled people that give the right or a wrong name; `strangers_named`: searches
    for strangers that give any name.
    """

    enrolled_searches: int
    stranger_searches: int
    rank_1: Estimate
    named_right: Estimate
    named_wrong: Estimate
    strangers_named: Estimate
    misses: tuple[MissRate, ...]


@dataclass(frozen=True)
class CurvePoint:
    """What a threshold of `score` percent would do: shares (0 to 1) of strangers and of enrolled.

    `missed` are the enrolled who are not named right.
    """

    score: float
    strangers_named: float
    missed: float


def measure_searches(people: Sequence[str], outcomes: Sequence[Outcome]) -> SearchFigures:
    """Count what happened in searches for enrolled people and for strangers.

    Element i of both is about search i: whom it is for, and what came of it.
    """
    pairs = list(zip(people, outcomes, strict=True))
    enrolled = [(name, outcome) for name, outcome in pairs if outcome.enrolled]
    strangers = [(name, outcome) for name, outcome in pairs if not outcome.enrolled]
    names, known = [name for name, _ in enrolled], [outcome for _, outcome in enrolled]
    unknown = [outcome for _, outcome in strangers]
    return SearchFigures(
        enrolled_searches=len(known),
        stranger_searches=len(unknown),
        rank_1=estimate_share(names, [one.first_is_right for one in known]),
        named_right=estimate_share(names, [one.named and one.first_is_right for one in known]),
        named_wrong=estimate_share(names, [one.named and not one.first_is_right for one in known]),
        strangers_named=estimate_share([n for n, _ in strangers], [one.named for one in unknown]),
        misses=tuple(_miss_rate(known, unknown, fpir) for fpir in FPIR_TARGETS),
    )


def count_verdicts(outcomes: Sequence[TrialOutcome]) -> dict[str, dict[str, Estimate]]:
    """Estimate the share of each verdict, for `enrolled` and for `strangers`."""
    shares = {}
    for kind, enrolled in (("enrolled", True), ("strangers", False)):
        of_kind = [one for one in outcomes if one.ours.enrolled == enrolled]
        names = [one.name for one in of_kind]
        shares[kind] = {
            verdict: estimate_share(names, [one.verdict == verdict for one in of_kind])
            for verdict in ("match", "uncertain", "unknown")
        }
    return shares


def draw_curve(outcomes: Sequence[Outcome]) -> tuple[CurvePoint, ...]:
    """Weigh misses against strangers named, at each threshold of CURVE_SCORES, lowest first."""
    points = []
    for score in CURVE_SCORES:
        named = [outcome.nameable and outcome.score >= score for outcome in outcomes]
        pairs = list(zip(outcomes, named, strict=True))
        found = _share(is_named and one.first_is_right for one, is_named in pairs if one.enrolled)
        strangers = _share(is_named for one, is_named in pairs if not one.enrolled)
        points.append(CurvePoint(score, strangers, 1 - found))
    return tuple(points)


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
