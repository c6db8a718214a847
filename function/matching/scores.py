"""Turns distances into probabilities: is a person someone enrolled, and who, or nobody?

With L(d) the density of a distance for one person over that for strangers, N performers and a
prior p that the person is enrolled at all,

    P(i) = (p/N) L(d_i) / ((1-p) + (p/N) sum_j L(d_j)).

How near strangers come differs between galleries: under one lamp, among relatives, in one part of
the world people are more alike. So the stranger density is shrunk towards what is seen here, the
idea of score normalisation against a cohort (Auckenthaler, Carey and Lloyd-Thomas 2000: z-norm and
t-norm): how far the others enrolled are from the candidate, and from the probe.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.records import Vectors
from db.templates import Templates
from db.vectors import nearest_columns, square_distances
from function.matching.densities import (
    Densities,
    Numbers,
    density_near,
    own_density,
    stranger_density,
)

PRIOR_ENROLLED = 0.5
"""The prior: how likely a person in a video is enrolled at all."""

CANDIDATES = 64
"""How many of the nearest performers are weighed; all others together add under a thousandth."""

COHORT = 512
"""How many performers are used to see how near strangers come; more add nothing."""

PRIOR_WEIGHT = 0.5
"""The fitted stranger density weighs as much as this many strangers seen in this gallery."""

COHORT_SCALE, FINEST_SCALE = 0.1, 0.04
"""Width of the density around each stranger seen: COHORT_SCALE / n^(1/5) for n of them
(Silverman 1986), never under FINEST_SCALE."""

NEAREST_PART = 0.3
"""However large the noise, this share of a squared distance remains."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Probabilities (0 to 1) that a probe is the performers at `positions`, nearest first."""

    positions: NDArray[np.intp]
    probabilities: Numbers


@dataclass(frozen=True, eq=False)
class _Comparison:
    """A probe next to everyone enrolled; `noise` is what averaging has left in each template."""

    distances: NDArray[np.float32]
    probe_noise: float
    means: Vectors
    noise: Numbers


def weigh_candidates(
    distances: NDArray[np.float32], evidence: float, templates: Templates, densities: Densities
) -> Posterior:
    """Weigh one probe's distances to all performers against each other.

    `distances` is float32 (performers,), infinite for those without encodings; `evidence` says how
    good the probe's template is.
    """
    positions = nearest_columns(distances, CANDIDATES)
    if not len(positions):
        return Posterior(positions, np.empty(0))
    noise = densities.own_variance / np.maximum(templates.evidence.astype(np.float64), 1e-9)
    probe_noise = densities.own_variance / evidence
    comparison = _Comparison(distances, probe_noise, templates.means, noise)
    near = distances[positions].astype(np.float64)
    residual = probe_noise + noise[positions]
    own = own_density(near, residual, densities)
    enrolled = np.flatnonzero(templates.evidence)
    seen = _see_strangers(comparison, positions, _choose_cohort(enrolled))
    ratios = own / _strangers_here(
        near, stranger_density(near, residual, densities), seen, densities
    )
    share = PRIOR_ENROLLED / len(enrolled)
    return Posterior(positions, share * ratios / (1 - PRIOR_ENROLLED + share * ratios.sum()))


def _strangers_here(near: Numbers, fitted: Numbers, seen: Numbers, densities: Densities) -> Numbers:
    """Shrink the fitted density of strangers at `near` towards the distances `seen` here."""
    counts = np.isfinite(seen).sum(axis=1)
    scale = np.maximum(FINEST_SCALE, COHORT_SCALE * np.maximum(counts / 2, 1) ** -0.2)[:, None]
    around_seen = density_near(near[:, None], seen, scale, densities).sum(axis=1)
    density: Numbers = (PRIOR_WEIGHT * fitted + around_seen) / (PRIOR_WEIGHT + counts)
    return density


def _choose_cohort(enrolled: NDArray[np.intp]) -> NDArray[np.intp]:
    """Choose performers evenly, so that the same gallery always gives the same scores."""
    chosen = np.linspace(0, len(enrolled) - 1, min(COHORT, len(enrolled))).round().astype(np.intp)
    cohort: NDArray[np.intp] = enrolled[chosen]
    return cohort


def _see_strangers(
    comparison: _Comparison, positions: NDArray[np.intp], cohort: NDArray[np.intp]
) -> Numbers:
    """Measure how near strangers come to candidates: (candidates, 2 x cohort), infinite for none.

    First the cohort as if each were the probe, then the probe as if each of the cohort were the
    candidate; in both, the noise of one is replaced by that of the other. Someone as near to the
    candidate as one person's photos is not a stranger, but may be enrolled twice.
    """
    noise = comparison.noise
    means = comparison.means
    to_candidate = square_distances(means[positions], means[cohort]).astype(np.float64)
    to_probe = np.square(comparison.distances[cohort].astype(np.float64))[None, :]
    as_probe = to_candidate - noise[cohort] + comparison.probe_noise
    as_candidate = to_probe - noise[cohort] + noise[positions][:, None]
    as_probe = np.maximum(as_probe, NEAREST_PART * to_candidate)
    as_candidate = np.maximum(as_candidate, NEAREST_PART * to_probe)
    is_same = to_candidate <= noise[positions][:, None] + noise[cohort]
    is_same |= positions[:, None] == cohort[None, :]
    squared = np.hstack(
        [np.where(is_same, np.inf, as_probe), np.where(is_same, np.inf, as_candidate)]
    )
    distances: Numbers = np.sqrt(squared)
    return distances
