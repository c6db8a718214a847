"""Turns distances into probabilities: is a person someone enrolled, and who, or nobody?

With L(d) the density of a distance for one person over that for strangers, N performers and a
prior p that the person is enrolled at all,

    P(i) = (p/N) L(d_i) / ((1-p) + (p/N) sum_j L(d_j)).

A hint, such as the name in the file's path, multiplies p/N of that performer (`hints.py`).

How near strangers come differs between galleries: under one lamp, among relatives, in one part of
the world people are more alike. So the stranger density is shrunk towards what is seen here, the
idea of score normalisation against a cohort (Auckenthaler, Carey and Lloyd-Thomas 2000: z-norm and
t-norm): how far the others enrolled are from the candidate, and from the probe. Those who look like
the probe or the candidate weigh most (Sturim and Reynolds 2005: the adapted cohort).

Performers may be compared in different spaces, some by one net and some by two: each has the ratio
of the densities of its own space.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.templates import Templates
from db.vectors import nearest_columns, square_distances
from function.matching.densities import (
    Densities,
    Numbers,
    calibrated,
    density_near,
    own_density,
    stranger_density,
)
from function.matching.hints import raise_odds

PRIOR_ENROLLED = 0.5
"""The prior: how likely a person in a video is enrolled at all."""

CANDIDATES = 64
"""How many of the nearest performers are weighed; all others together add under a thousandth."""

NEGLIGIBLE = 1e-5
"""Of those, whoever cannot have a greater probability is left out before the cohort is looked at,
which takes nearly all of the time. In a gallery of 10,000 that leaves few, and a probe takes an
eighth of the time; all left out together could not move a score by a tenth."""

COHORT = 512
"""How many performers are used to see how near strangers come; more add nothing."""

PRIOR_WEIGHT = 0.5
"""The fitted stranger density weighs as much as this many strangers seen in this gallery."""

NEAREST = 10.0
"""Of the cohort the nearest counts as one, and the weight falls by a factor of e with every ten
that are nearer. In a gallery that mixes several sets of people a stranger looks like few of them:
with all counted alike, twice as many strangers from the set of people most alike are named."""

MOST_SEEN = 100
"""Only so many of the cohort are looked at, the nearest: the next would weigh e^-10."""

COHORT_SCALE, FINEST_SCALE = 0.1, 0.04
"""Width of the density around each stranger seen: COHORT_SCALE / n^(1/5) for n of them
(Silverman 1986), never under FINEST_SCALE."""

NEAREST_PART = 0.3
"""However large the noise, this share of a squared distance remains."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Probabilities (0 to 1) that a probe is the performers at `positions`, in no certain order.

    `raised` says whose prior a hint has raised.
    """

    positions: NDArray[np.intp]
    probabilities: Numbers
    raised: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Comparison:
    """A probe next to performers, all in one space.

    `distances` is float32 (performers,), infinite for those who are not compared here; `evidence`
    says how good the probe's template is.
    """

    distances: NDArray[np.float32]
    evidence: float
    templates: Templates
    densities: Densities

    @property
    def noise(self) -> Numbers:
        """What averaging has left in each performer's template."""
        evidence = np.maximum(self.templates.evidence.astype(np.float64), 1e-9)
        noise: Numbers = self.densities.own_variance / evidence
        return noise

    @property
    def probe_noise(self) -> float:
        """What averaging has left in the probe's template."""
        return self.densities.own_variance / self.evidence


@dataclass(frozen=True, eq=False)
class Ratios:
    """How much likelier one person is than strangers, for the performers at `positions`.

    `logs` are the logarithms of the density for one person over that for strangers, before
    calibration.
    """

    positions: NDArray[np.intp]
    logs: Numbers


def weigh_candidates(
    comparisons: Sequence[Comparison], enrolled: int, hinted: Numbers | None = None
) -> Posterior:
    """Weigh one probe's distances to all performers against each other.

    A performer has a finite distance in one of the comparisons at most; `enrolled` is the number of
    performers who have encodings. `hinted` are the priors that hints give them, (performers,), if
    there are any.
    """
    share = PRIOR_ENROLLED / max(enrolled, 1)
    found = [(one, compare(one, NEGLIGIBLE / share)) for one in comparisons]
    positions = np.concatenate([np.empty(0, np.intp), *(ratios.positions for _, ratios in found)])
    logs = [calibrated(ratios.logs, one.evidence, one.densities) for one, ratios in found]
    likely = np.exp(np.concatenate([np.empty(0), *logs]))
    here = np.zeros(len(positions)) if hinted is None else hinted[positions]
    factors = raise_odds(here, share, likely)
    weights = share * factors * likely
    return Posterior(positions, weights / (1 - PRIOR_ENROLLED + weights.sum()), factors > 1)


def compare(comparison: Comparison, least_ratio: float = 0.0) -> Ratios:
    """Compare a probe with the nearest performers of a comparison, and with strangers there.

    Performers whose calibrated ratio is certainly below `least_ratio` are left out.
    """
    densities = comparison.densities
    positions = nearest_columns(comparison.distances, CANDIDATES)
    if not len(positions):
        return Ratios(positions, np.empty(0))
    near = comparison.distances[positions].astype(np.float64)
    noise = comparison.noise
    residual = comparison.probe_noise + noise[positions]
    own = own_density(near, residual, densities)
    fitted = stranger_density(near, residual, densities)
    likely = _highest_ratio(own, fitted, comparison) >= least_ratio
    if not likely.any():
        return Ratios(positions[likely], np.empty(0))
    near, own, fitted, residual = (one[likely] for one in (near, own, fitted, residual))
    cohort = _choose_cohort(np.flatnonzero(np.isfinite(comparison.distances)))
    seen, weights = _see_strangers(comparison, noise, positions[likely], cohort)
    strangers = _strangers_here(near, fitted, seen, weights, densities)
    return Ratios(positions[likely], np.log(own) - np.log(strangers))


def _highest_ratio(own: Numbers, fitted: Numbers, comparison: Comparison) -> Numbers:
    """Bound the calibrated ratio from above: no stranger of the gallery comes near.

    The fitted density of strangers keeps at least its share next to both halves of the cohort,
    whose weights add up to no more than those of an endless one.
    """
    endless = 2 / (1 - np.exp(-1 / NEAREST))
    least_strangers = fitted * PRIOR_WEIGHT / (PRIOR_WEIGHT + endless)
    highest: Numbers = np.exp(
        calibrated(np.log(own) - np.log(least_strangers), comparison.evidence, comparison.densities)
    )
    return highest


def _strangers_here(
    near: Numbers, fitted: Numbers, seen: Numbers, weights: Numbers, densities: Densities
) -> Numbers:
    """Shrink the fitted density of strangers at `near` towards the distances `seen` here."""
    counts = weights.sum(axis=1)
    # As many equal weights would leave the same uncertainty (Kish 1965).
    equal = counts**2 / np.maximum(np.square(weights).sum(axis=1), 1e-9)
    scale = np.maximum(FINEST_SCALE, COHORT_SCALE * np.maximum(equal / 2, 1) ** -0.2)[:, None]
    around_seen = weights * density_near(near[:, None], seen, scale, densities)
    density: Numbers = (PRIOR_WEIGHT * fitted + around_seen.sum(axis=1)) / (PRIOR_WEIGHT + counts)
    return density


def _choose_cohort(enrolled: NDArray[np.intp]) -> NDArray[np.intp]:
    """Choose performers evenly, so that the same gallery always gives the same scores."""
    chosen = np.linspace(0, len(enrolled) - 1, min(COHORT, len(enrolled))).round().astype(np.intp)
    cohort: NDArray[np.intp] = enrolled[chosen]
    return cohort


def _see_strangers(
    comparison: Comparison, noise: Numbers, positions: NDArray[np.intp], cohort: NDArray[np.intp]
) -> tuple[Numbers, Numbers]:
    """Measure how near strangers come to candidates: distances and weights, (candidates, seen).

    First the cohort as if each were the probe, then the probe as if each of the cohort were the
    candidate; in both, the noise of one is replaced by that of the other. Of the first, those count
    most who look like the probe, of the second those who look like the candidate. Someone as near
    to the candidate as one person's photos is not a stranger, but may be enrolled twice: the weight
    is 0.
    """
    means = comparison.templates.means
    to_candidate = square_distances(means[positions], means[cohort]).astype(np.float64)
    to_probe = np.square(comparison.distances[cohort].astype(np.float64))
    own_noise, cohort_noise = noise[positions][:, None], noise[cohort]
    is_same = to_candidate <= own_noise + cohort_noise
    is_same |= positions[:, None] == cohort[None, :]
    near_probe, weights = _nearest_to_probe(to_probe, is_same)
    there = to_candidate[:, near_probe]
    as_probe = there - cohort_noise[near_probe] + comparison.probe_noise
    near_candidate, more_weights = _nearest_to_candidates(to_candidate, is_same)
    here = to_probe[near_candidate]
    as_candidate = here - cohort_noise[near_candidate] + own_noise
    seen = [
        np.maximum(as_probe, NEAREST_PART * there),
        np.maximum(as_candidate, NEAREST_PART * here),
    ]
    return np.sqrt(np.hstack(seen)), np.hstack([weights, more_weights])


def _nearest_to_probe(
    to_probe: Numbers, is_same: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], Numbers]:
    """Choose the nearest of the cohort to the probe, and weigh them for each candidate.

    Returns their places in the cohort, (seen,), and weights, (candidates, seen).
    """
    most = MOST_SEEN + len(is_same)  # of whom some may be the candidate again
    nearest = np.argsort(to_probe, kind="stable")[:most].astype(np.intp)
    same = is_same[:, nearest]
    nearer = np.arange(len(nearest)) - np.cumsum(same, axis=1)
    weights: Numbers = np.where(same, 0.0, np.exp(-nearer / NEAREST))
    return nearest, weights


def _nearest_to_candidates(
    to_candidate: Numbers, is_same: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], Numbers]:
    """Choose the nearest of the cohort to each candidate, and weigh them: (candidates, seen)."""
    strangers = np.where(is_same, np.inf, to_candidate)
    most = min(MOST_SEEN, strangers.shape[1])
    front = np.argpartition(strangers, most - 1, axis=1)[:, :most]
    order = np.argsort(np.take_along_axis(strangers, front, axis=1), axis=1, kind="stable")
    nearest = np.take_along_axis(front, order, axis=1)
    is_stranger = np.isfinite(np.take_along_axis(strangers, nearest, axis=1))
    weights: Numbers = np.where(is_stranger, np.exp(-np.arange(most) / NEAREST), 0.0)
    return nearest, weights
