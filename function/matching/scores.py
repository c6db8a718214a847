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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.records import Vectors
from db.templates import Templates
from db.vectors import Pairs, find_near, square_distances
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
"""How many of the nearest performers are weighed. All others together add about a thousandth, or up
to 4 points of a score for somebody seen only weakly (measured among 1,000)."""

NEGLIGIBLE = 1e-5
"""Candidates who cannot reach this probability are left out before the cohort is looked at, which
takes nearly all of the time. In a gallery of 10,000 few are left, and a probe takes an eighth of
the time; all who are left out together could not move a score by a tenth."""

COHORT = 512
"""How many performers are used to see how near strangers come; more add nothing."""

PRIOR_WEIGHT = 0.5
"""The fitted stranger density weighs as much as this many strangers seen in this gallery."""

NEAREST = 10.0
"""Of the cohort the nearest counts as one, and the weight falls by a factor of e with every ten
that are nearer. In a gallery that mixes several sets of people a stranger looks like few of them:
with all counted alike, twice as many strangers from the set of people most alike are named."""

MOST_SEEN = 100
"""Only this many of the cohort are looked at, the nearest: the next would weigh e^-10."""

COHORT_SCALE, FINEST_SCALE = 0.1, 0.04
"""Width of the density around each stranger seen: COHORT_SCALE / n^(1/5) for n of them
(Silverman 1986), never under FINEST_SCALE."""

NEAREST_PART = 0.3
"""However large the noise, this share of a squared distance remains."""


PAIRS_AT_ONCE = 4_096
"""This many candidates are weighed at once: some 50 MB."""

REACH_STEPS, FARTHEST = 12, 1e3
"""How finely the farthest useful distance of a candidate is searched for, and from where: farther
than any is. A few thousandths too far cost less than more steps; candidates in between are left out
later."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Probes next to performers, all in one space.

    `probes` are the means of their templates, float32 (probes, dimensions); `evidence`, float64
    (probes,), says how good they are. `columns` are the rows of `templates` of the performers who
    are compared here.
    """

    probes: Vectors
    evidence: Numbers
    columns: NDArray[np.intp]
    templates: Templates
    densities: Densities

    @property
    def noise(self) -> Numbers:
        """What averaging has left in the template of each performer compared."""
        evidence = self.templates.evidence[self.columns].astype(np.float64)
        noise: Numbers = self.densities.own_variance / np.maximum(evidence, 1e-9)
        return noise

    @property
    def probe_noise(self) -> Numbers:
        """What averaging has left in each probe's template."""
        noise: Numbers = self.densities.own_variance / self.evidence
        return noise


@dataclass(frozen=True, eq=False)
class Ratios:
    """How much likelier one person is than strangers: row `rows[i]` and performer `positions[i]`.

    `logs` are the logarithms of the density for one person over that for strangers, before
    calibration. They come by probe, the nearest performer first.
    """

    rows: NDArray[np.intp]
    positions: NDArray[np.intp]
    logs: Numbers


@dataclass(frozen=True, eq=False)
class Posterior:
    """Probabilities (0 to 1) that the probes in `rows` are the performers at `positions`.

    They come in no particular order. `raised` says whose prior a hint has raised, `spaces` in which
    of the comparisons they were compared.
    """

    rows: NDArray[np.intp]
    positions: NDArray[np.intp]
    probabilities: Numbers
    raised: NDArray[np.bool_]
    spaces: NDArray[np.intp]


def weigh_candidates(
    comparisons: Sequence[Comparison],
    enrolled: int,
    hinted: Mapping[int, Numbers] | None = None,
) -> Posterior:
    """Weigh probes' distances to performers against each other, each probe for itself.

    The comparisons are of the same probes, and none of a performer whom another one has; `enrolled`
    is the number of performers who have encodings. `hinted` are the priors that hints give them,
    (performers,), by the rows of the probes that have hints.
    """
    share = PRIOR_ENROLLED / max(enrolled, 1)
    found = [compare(one, NEGLIGIBLE / share) for one in comparisons]
    rows = np.concatenate([np.empty(0, np.intp), *(one.rows for one in found)])
    positions = np.concatenate([np.empty(0, np.intp), *(one.positions for one in found)])
    spaces = np.repeat(np.arange(len(found)), [len(one.rows) for one in found])
    logs = [
        calibrated(ratios.logs, one.evidence[ratios.rows], one.densities)
        for one, ratios in zip(comparisons, found, strict=True)
    ]
    likely = np.exp(np.concatenate([np.empty(0), *logs]))
    here = np.zeros(len(rows))
    for row, priors in (hinted or {}).items():
        here[rows == row] = priors[positions[rows == row]]
    factors = raise_odds(here, share, likely)
    weights = share * factors * likely
    sums = np.bincount(rows, weights)
    probabilities = weights / (1 - PRIOR_ENROLLED + sums[rows])
    return Posterior(rows, positions, probabilities, factors > 1, spaces)


def compare(comparison: Comparison, least_ratio: float = 0.0) -> Ratios:
    """Compare probes with the nearest performers of a comparison, and with strangers there.

    Performers whose calibrated ratio is certainly below `least_ratio` are left out.
    """
    none = np.empty(0, np.intp)
    if not len(comparison.columns) or not len(comparison.probes):
        return Ratios(none, none, np.empty(0))
    noise = comparison.noise
    means = comparison.templates.means
    if len(comparison.columns) < len(means):
        means = means[comparison.columns]
    reach = _reach(comparison, noise.max(), least_ratio)
    near = find_near(comparison.probes, means, reach, CANDIDATES)
    near = near.only(_highest_ratio(near, comparison, noise) >= least_ratio)
    cohort = _choose_cohort(len(comparison.columns))
    parts = (_part(near, start) for start in range(0, len(near), PAIRS_AT_ONCE))
    logs = [_weigh_pairs(part, comparison, noise, means, cohort) for part in parts]
    positions = comparison.columns[near.columns]
    return Ratios(near.rows, positions, np.concatenate([np.empty(0), *logs]))


def _part(near: Pairs, start: int) -> Pairs:
    part = slice(start, start + PAIRS_AT_ONCE)
    return Pairs(near.rows[part], near.columns[part], near.distances[part])


def _weigh_pairs(
    near: Pairs,
    comparison: Comparison,
    noise: Numbers,
    means: Vectors,
    cohort: NDArray[np.intp],
) -> Numbers:
    """Return the logarithm of each pair's ratio; `noise` and `means` are the performers'."""
    residual = comparison.probe_noise[near.rows] + noise[near.columns]
    own = own_density(near.distances, residual, comparison.densities)
    fitted = stranger_density(near.distances, residual, comparison.densities)
    seen, weights = _see_strangers(near, comparison, noise, means, cohort)
    strangers = _strangers_here(near.distances, fitted, seen, weights, comparison.densities)
    logs: Numbers = np.log(own) - np.log(strangers)
    return logs


def _highest_ratio(near: Pairs, comparison: Comparison, noise: Numbers) -> Numbers:
    """Bound calibrated ratios from above, as if no stranger of the gallery came near."""
    residual = comparison.probe_noise[near.rows] + noise[near.columns]
    return _bound(near.distances, residual, comparison.evidence[near.rows], comparison.densities)


def _bound(
    distances: Numbers, residual: Numbers, evidence: Numbers, densities: Densities
) -> Numbers:
    """Bound calibrated ratios from above.

    The fitted density of strangers keeps at least its share next to both halves of the cohort,
    whose weights add up to no more than those of an endless one.
    """
    endless = 2 / (1 - np.exp(-1 / NEAREST))
    own = own_density(distances, residual, densities)
    fitted = stranger_density(distances, residual, densities)
    least_strangers = fitted * PRIOR_WEIGHT / (PRIOR_WEIGHT + endless)
    logs = np.log(own) - np.log(least_strangers)
    highest: Numbers = np.exp(calibrated(logs, evidence, densities))
    return highest


def _reach(comparison: Comparison, largest_noise: float, least_ratio: float) -> Numbers:
    """Find how far a performer may be from each probe to have at least this ratio: (probes,).

    The ratio falls with the distance and rises with the noise, with which the density for one
    person rises and that for strangers falls.
    """
    densities, evidence = comparison.densities, comparison.evidence
    rises = densities.slope > 0 and densities.slope + densities.bend > 0
    if least_ratio <= 0 or not rises:
        return np.full(len(evidence), np.inf)
    residual = comparison.probe_noise + largest_noise
    low = np.full(len(evidence), np.log(densities.nearest_distance))
    high = np.full(len(evidence), np.log(FARTHEST))
    for _ in range(REACH_STEPS):
        middle = (low + high) / 2
        is_within = _bound(np.exp(middle), residual, evidence, densities) >= least_ratio
        low, high = np.where(is_within, middle, low), np.where(is_within, high, middle)
    reach: Numbers = np.exp(high)
    return reach


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


def _choose_cohort(performers: int) -> NDArray[np.intp]:
    """Choose performers evenly, so that the same gallery always gives the same scores."""
    count = min(COHORT, performers)
    return np.linspace(0, performers - 1, count).round().astype(np.intp)


def _see_strangers(
    near: Pairs,
    comparison: Comparison,
    noise: Numbers,
    means: Vectors,
    cohort: NDArray[np.intp],
) -> tuple[Numbers, Numbers]:
    """Measure how near strangers come to candidates: distances and weights, (pairs, seen).

    First the cohort as if each were the probe, then the probe as if each of the cohort were the
    candidate; in both, the noise of one is replaced by that of the other. Of the first, those count
    most who look like the probe, of the second those who look like the candidate. Someone as near
    to the candidate as one person's photos is not a stranger, but may be enrolled twice: the weight
    is 0.
    """
    rows, row = np.unique(near.rows, return_inverse=True)
    columns, column = np.unique(near.columns, return_inverse=True)
    others = means[cohort].astype(np.float64)
    to_probe = square_distances(comparison.probes[rows].astype(np.float64), others)
    to_candidate = square_distances(means[columns].astype(np.float64), others)
    is_same = to_candidate <= noise[columns][:, None] + noise[cohort]
    is_same |= columns[:, None] == cohort
    near_probe, weights = _nearest_to_probe(to_probe, is_same, row, column)
    there = to_candidate[column[:, None], near_probe]
    probe_noise = comparison.probe_noise[near.rows][:, None]
    as_probe = there - noise[cohort][near_probe] + probe_noise
    near_candidate, more_weights = _nearest_to_candidates(to_candidate, is_same)
    here = to_probe[row[:, None], near_candidate[column]]
    own_noise = noise[near.columns][:, None]
    as_candidate = here - noise[cohort][near_candidate[column]] + own_noise
    seen = [
        np.maximum(as_probe, NEAREST_PART * there),
        np.maximum(as_candidate, NEAREST_PART * here),
    ]
    return np.sqrt(np.hstack(seen)), np.hstack([weights, more_weights[column]])


def _nearest_to_probe(
    to_probe: Numbers,
    is_same: NDArray[np.bool_],
    row: NDArray[np.intp],
    column: NDArray[np.intp],
) -> tuple[NDArray[np.intp], Numbers]:
    """Choose the nearest of the cohort to the probe of each pair, and weigh them.

    Pair i is of the probe `row[i]` and the candidate `column[i]`. Returns places in the cohort and
    weights, both (pairs, seen).
    """
    most = MOST_SEEN + int(is_same.sum(axis=1).max())  # of whom some are the candidate again
    nearest = _sort_nearest(to_probe, most)[row]
    same = is_same[column[:, None], nearest]
    nearer = np.arange(nearest.shape[1]) - np.cumsum(same, axis=1)
    weights: Numbers = np.where(same | (nearer >= MOST_SEEN), 0.0, np.exp(-nearer / NEAREST))
    return nearest, weights


def _nearest_to_candidates(
    to_candidate: Numbers, is_same: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], Numbers]:
    """Choose the nearest of the cohort to each candidate, and weigh them: (candidates, seen)."""
    strangers = np.where(is_same, np.inf, to_candidate)
    nearest = _sort_nearest(strangers, MOST_SEEN)
    is_stranger = np.isfinite(np.take_along_axis(strangers, nearest, axis=1))
    ranks = np.arange(nearest.shape[1])
    weights: Numbers = np.where(is_stranger, np.exp(-ranks / NEAREST), 0.0)
    return nearest, weights


def _sort_nearest(distances: Numbers, most: int) -> NDArray[np.intp]:
    """Return the places of the smallest numbers of each row, in order: `most`, if there are."""
    most = min(most, distances.shape[1])
    front = np.sort(np.argpartition(distances, most - 1, axis=1)[:, :most], axis=1)
    order = np.argsort(np.take_along_axis(distances, front, axis=1), axis=1, kind="stable")
    return np.take_along_axis(front, order, axis=1)
