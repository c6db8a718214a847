"""Looks become groups, one for each person: linked in pairs, then joined by their means.

Average linkage cuts low, so that groups are pure. Then groups whose means are the same but for
noise are joined: single faces of two people under one lamp can be nearer than those of one person
who moves; the means of several cannot.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_matrix
from scipy.spatial.distance import squareform

from db.templates import weigh_qualities
from function.looks import Looks, square_distances

CUT = 0.46
"""Mean distance between two groups above which averaging faces pair by pair keeps them apart."""

FORBIDDEN = 1e9
"""A distance so large that one such pair keeps the mean of a million above the cut."""

SAME_PERSON_BELOW = 0.14
"""Squared distance between two groups, less the noise of their means, below which they are one
person. The fragments of one singer lie at 0.06 to 0.12; two people under one lamp at 0.17 and
more."""

NOISE_OF_ONE = 0.04
"""How much that squared distance errs for a group of one; it shrinks with the root of the size."""

FACE_SPREAD = 0.06
"""Variance of one person's encodings within one video, summed over dimensions; a group of few
takes it for its own."""


def group_looks(looks: Looks) -> NDArray[np.intp]:
    """Group looks into people: the answer numbers each look's group from 0.

    Looks that a frame shows at once are never in one group.
    """
    groups = _link(looks)
    joining = _Joining(looks, groups)
    while (pair := joining.find_nearest()) is not None:
        kept, dropped = pair
        groups[groups == dropped] = kept
        joining.join(kept, dropped)
    numbered: NDArray[np.intp] = np.unique(groups, return_inverse=True)[1]
    return numbered


def _link(looks: Looks) -> NDArray[np.intp]:
    if len(looks.encodings) == 1:
        return np.zeros(1, np.intp)
    distances = np.sqrt(square_distances(looks.encodings))
    distances[looks.forbidden] = FORBIDDEN
    # scipy's linkage is C, and scipy is needed anyway; scikit-learn would be one more package.
    tree = linkage(squareform(distances, checks=False), "average")
    labels: NDArray[np.intp] = fcluster(tree, CUT, "distance").astype(np.intp) - 1
    return labels


class _Joining:
    """Sums of each group, and the gaps between all; joining two renews one row, not the matrix.

    A gap is the squared distance of two means beyond what noise explains.
    """

    def __init__(self, looks: Looks, groups: NDArray[np.intp]) -> None:
        weights = weigh_qualities(looks.qualities).astype(np.float64)
        weights /= weights.mean()
        encodings = looks.encodings.astype(np.float64)
        rows = np.arange(len(groups))
        members = csr_matrix((np.ones(len(groups)), (groups, rows)))
        weighted = csr_matrix((weights, (groups, rows)))
        self._sizes = np.bincount(groups).astype(np.float64)
        self._totals = np.bincount(groups, weights)
        self._sums = weighted @ encodings
        self._squares = weighted @ np.square(encodings).sum(axis=1)
        forbidden = csr_matrix(looks.forbidden.astype(np.float64))
        self._forbidden = (members @ forbidden @ members.T).toarray() > 0
        self._means = np.empty_like(self._sums)
        self._norms, self._noise = np.empty_like(self._totals), np.empty_like(self._totals)
        self._renew(slice(None))
        self._gaps = np.stack([self._gaps_from(group) for group in range(len(self._sizes))])
        self._nearest = self._gaps.argmin(axis=1)

    def find_nearest(self) -> tuple[int, int] | None:
        """Find the two groups with the smallest gap, if they are one person."""
        rows = np.arange(len(self._gaps))
        first = int(np.argmin(self._gaps[rows, self._nearest]))
        second = int(self._nearest[first])
        if self._gaps[first, second] >= SAME_PERSON_BELOW:
            return None
        return first, second

    def join(self, kept: int, dropped: int) -> None:
        """Make one group of two."""
        for sums in (self._sizes, self._totals, self._sums, self._squares):
            sums[kept] += sums[dropped]
        self._renew(slice(kept, kept + 1))
        self._forbidden[kept] |= self._forbidden[dropped]
        self._forbidden[:, kept] = self._forbidden[kept]
        self._forbidden[dropped] = self._forbidden[:, dropped] = True
        self._gaps[dropped] = self._gaps[:, dropped] = np.inf
        self._gaps[kept] = self._gaps[:, kept] = self._gaps_from(kept)
        stale = np.isin(self._nearest, (kept, dropped))
        stale[kept] = True
        self._nearest[stale] = self._gaps[stale].argmin(axis=1)
        rows = np.arange(len(self._gaps))
        self._nearest[self._gaps[:, kept] < self._gaps[rows, self._nearest]] = kept

    def _renew(self, groups: slice) -> None:
        """Work out from the sums of some groups their means, and the noise in these."""
        sizes, totals = self._sizes[groups], self._totals[groups]
        self._means[groups] = self._sums[groups] / totals[:, None]
        self._norms[groups] = np.square(self._means[groups]).sum(axis=1)
        spreads = np.maximum(self._squares[groups] - totals * self._norms[groups], 0)
        self._noise[groups] = (spreads + 2 * FACE_SPREAD) / (sizes + 1) / sizes

    def _gaps_from(self, group: int) -> NDArray[np.float64]:
        squared = self._norms + self._norms[group] - 2 * self._means @ self._means[group]
        doubt = NOISE_OF_ONE * np.sqrt(1 / self._sizes + 1 / self._sizes[group])
        gaps: NDArray[np.float64] = squared - self._noise - self._noise[group] + doubt
        gaps[self._forbidden[group]] = np.inf
        gaps[group] = np.inf
        return gaps
