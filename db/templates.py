"""Averages several encodings of one person into a template, and says how far to trust it.

Two templates of one person differ by the variance that averaging has not removed. For faces from
different days that is the variance of one face divided by their number. For frames of one scene it
is hardly less than that of one face, because they share the day, the light and the make-up.
`evidence` is the weight of the views on this scale: how many faces from different days they equal.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BELIEF_WEIGHT = 2.0
"""Until faces are seen to be alike, they are assumed to differ as much as faces can. This
assumption weighs as much as this many faces."""

USUAL_QUALITY, QUALITY_SLOPE = 0.73, 0.7
"""A model's face variance holds for a face of the usual quality. A face of quality 0 is taken to
vary 1.7 times as much as one of quality 1. Measured, it varies 2.4 times as much (same photographs,
some of them degraded), but it also comes nearer to strangers: with the full slope the most certain
stranger scored 84, with this one 78."""

MANY_ROWS = 50_000
"""With more rows a sparse product sums faster: it neither copies nor sorts them."""


@dataclass(frozen=True, eq=False)
class Templates:
    """One template per row: `means` float32 (people, dimensions), `evidence` float32 (people,).

    A template of evidence n is as good as the mean of n photographs from different days. Someone
    without encodings has no evidence, and a mean of zeros that must not be used.
    """

    means: NDArray[np.float32]
    evidence: NDArray[np.float32]


def average_encodings(
    vectors: NDArray[np.float32],
    qualities: NDArray[np.float32],
    owners: NDArray[np.intp],
    *,
    people: int,
    face_variance: float,
    largest_share: float = 1.0,
) -> Templates:
    """Average each person's encodings, weighting good faces more, and compute their evidence.

    Row i of `vectors` belongs to person `owners[i]`, below `people`; `face_variance` is that of
    the model (see EncodingModel). `largest_share` limits how much of the day-to-day variance may
    be seen in these faces: less than 1 for one video.
    """
    weights = weigh_qualities(qualities)
    sums = sum_by_owner(vectors, weights, owners, people)
    totals = np.bincount(owners, weights, people).astype(np.float64)
    counts = np.bincount(owners, minlength=people)
    means = (sums / np.maximum(totals, 1e-9)[:, None]).astype(np.float32)
    squares = np.bincount(owners, weights * np.einsum("ij,ij->i", vectors, vectors), people)
    spreads = squares / np.maximum(totals, 1e-9) - np.einsum("ij,ij->i", means, means)
    unbiased = np.maximum(spreads, 0) * counts / np.maximum(counts - 1, 1)
    evidence = count_evidence(totals, counts, unbiased, face_variance, largest_share)
    return Templates(means, evidence.astype(np.float32))


def sum_by_owner(
    vectors: NDArray[Any], weights: NDArray[Any], owners: NDArray[np.intp], people: int
) -> NDArray[Any]:
    """Sum each person's vectors, each times its weight: (people, dimensions)."""
    if len(vectors) > MANY_ROWS:
        # Imported here: it takes 0.2 s, which galleries with fewer rows save.
        from scipy.sparse import csr_matrix  # noqa: PLC0415

        places = (owners, np.arange(len(vectors)))
        found: NDArray[Any] = csr_matrix((weights, places), (people, len(vectors))) @ vectors
        return found
    sums = np.zeros((people, vectors.shape[1]), vectors.dtype)
    if len(vectors):
        if (owners[1:] < owners[:-1]).any():
            order = np.argsort(owners, kind="stable")
            vectors, weights, owners = vectors[order], weights[order], owners[order]
        present, starts = np.unique(owners, return_index=True)
        sums[present] = np.add.reduceat(vectors * weights[:, None], starts, axis=0)
    return sums


def weigh_qualities(qualities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn qualities (0 to 1) into weights, inverse to the variance; a usual face weighs 1."""
    usual = 1 + QUALITY_SLOPE * (1 - USUAL_QUALITY)
    return (usual / (1 + QUALITY_SLOPE * (1 - qualities))).astype(np.float32)


def count_evidence(
    totals: NDArray[np.float64],
    counts: NDArray[np.intp],
    spreads: NDArray[np.float64],
    face_variance: float,
    largest_share: float,
) -> NDArray[np.float64]:
    """Compute the evidence of `counts` faces with summed weight `totals` and variance `spreads`.

    Averaging removes the share of the variance that is seen among the faces, but not the rest:
    1 / evidence = (1 - share) + share / total.
    """
    believed = BELIEF_WEIGHT * largest_share * face_variance
    degrees = np.maximum(counts - 1, 0)
    variance = (believed + degrees * spreads) / (BELIEF_WEIGHT + degrees)
    share = np.where(counts > 1, np.minimum(variance / face_variance, largest_share), 1.0)
    evidence = 1 / ((1 - share) + share / np.maximum(totals, 1e-9))
    return np.where(counts > 0, evidence, 0.0)
