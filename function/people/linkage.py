"""Groups views into people: links them in pairs, then joins groups by their means.

Average linkage stops early, so that no group mixes two people. Then groups whose means are the same
except for noise are joined. Single faces of two people under one lamp can be nearer to each other
than those of one person who moves; means of several faces cannot.
"""

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel
from db.templates import sum_by_owner, weigh_qualities
from db.vectors import square_distances
from function.people.views import Views


def group_views(views: Views, model: EncodingModel) -> NDArray[np.intp]:
    """Group views into people: the answer numbers each view's group from 0.

    Views that share a frame are never in one group.
    """
    groups = link_views(views, model)
    joining = _Joining(views, groups, model)
    while (pair := joining.gaps.find_nearest(model.same_person_below)) is not None:
        kept, dropped = pair
        groups[groups == dropped] = kept
        joining.join(kept, dropped)
    return _numbered(groups)


def link_views(views: Views, model: EncodingModel) -> NDArray[np.intp]:
    """Link by average distance up to `model.linked_below`.

    scipy.cluster.hierarchy gives the same groups (a test compares them), but in a new process
    importing it would take as long as loading all nets.
    """
    distances = np.sqrt(square_distances(views.encodings, views.encodings))
    distances[views.forbidden] = np.inf
    return link_by_average(distances, np.ones(len(distances), np.float32), model.linked_below)


def link_by_average(
    distances: NDArray[np.floating], sizes: NDArray[np.floating], below: float
) -> NDArray[np.intp]:
    """Link the nearest groups while their average distance is less than `below`: (rows,), from 0.

    `distances` are those between all rows, and are overwritten; row i counts `sizes[i]` times.
    """
    np.fill_diagonal(distances, np.inf)
    gaps = _Gaps(distances)
    groups, sizes = np.arange(len(distances)), sizes.copy()
    while (pair := gaps.find_nearest(below)) is not None:
        kept, dropped = pair
        groups[groups == dropped] = kept
        summed = sizes[kept] * gaps.of(kept) + sizes[dropped] * gaps.of(dropped)
        sizes[kept] += sizes[dropped]
        gaps.join(kept, dropped, summed / sizes[kept])
    return _numbered(groups)


def _numbered(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    numbered: NDArray[np.intp] = np.unique(groups, return_inverse=True)[1]
    return numbered


class _Gaps:
    """The gaps between all groups, and each one's nearest; joining two updates one row, not all.

    `matrix` is symmetric, and infinite on its diagonal and between groups that may not be joined.
    """

    def __init__(self, matrix: NDArray[np.floating]) -> None:
        self._matrix = matrix
        self._rows = np.arange(len(matrix))
        self._nearest = matrix.argmin(axis=1)

    def of(self, group: int) -> NDArray[np.floating]:
        """Return a group's gaps to all groups."""
        gaps: NDArray[np.floating] = self._matrix[group]
        return gaps

    def find_nearest(self, below: float) -> tuple[int, int] | None:
        """Find the two groups with the smallest gap, if it is smaller than `below`."""
        first = int(np.argmin(self._matrix[self._rows, self._nearest]))
        second = int(self._nearest[first])
        return (first, second) if self._matrix[first, second] < below else None

    def join(self, kept: int, dropped: int, gaps: NDArray[np.floating]) -> None:
        """Join two groups; the new group's gaps to all others are `gaps`."""
        matrix = self._matrix
        matrix[dropped] = matrix[:, dropped] = np.inf
        gaps[[kept, dropped]] = np.inf
        matrix[kept] = matrix[:, kept] = gaps
        stale = np.isin(self._nearest, (kept, dropped))
        stale[kept] = True
        self._nearest[stale] = matrix[stale].argmin(axis=1)
        self._nearest[gaps < matrix[self._rows, self._nearest]] = kept


class _Joining:
    """Sums of each group, and the gaps between all: joining two adds their sums.

    A gap is the squared distance of two means beyond what noise explains.
    """

    def __init__(self, views: Views, groups: NDArray[np.intp], model: EncodingModel) -> None:
        self._model = model
        weights = weigh_qualities(views.qualities).astype(np.float64)
        weights /= weights.mean()
        encodings = views.encodings.astype(np.float64)
        squares = np.square(encodings).sum(axis=1)
        self._sizes = np.bincount(groups).astype(np.float64)
        self._totals = np.bincount(groups, weights)
        self._sums = sum_by_owner(encodings, weights, groups, len(self._sizes))
        self._squares = np.bincount(groups, weights * squares)
        self._forbidden = _any_between(views.forbidden, groups)
        self._means = np.empty_like(self._sums)
        self._norms, self._noise = np.empty_like(self._totals), np.empty_like(self._totals)
        self._renew(slice(None))
        self.gaps = _Gaps(np.stack([self._gaps_from(group) for group in range(len(self._sizes))]))

    def join(self, kept: int, dropped: int) -> None:
        """Join two groups."""
        for sums in (self._sizes, self._totals, self._sums, self._squares):
            sums[kept] += sums[dropped]
        self._renew(slice(kept, kept + 1))
        self._forbidden[kept] |= self._forbidden[dropped]
        self._forbidden[:, kept] = self._forbidden[kept]
        self._forbidden[dropped] = self._forbidden[:, dropped] = True
        self.gaps.join(kept, dropped, self._gaps_from(kept))

    def _renew(self, groups: slice) -> None:
        """Compute the means of some groups from their sums, and the noise in the means."""
        sizes, totals = self._sizes[groups], self._totals[groups]
        self._means[groups] = self._sums[groups] / totals[:, None]
        self._norms[groups] = np.square(self._means[groups]).sum(axis=1)
        spreads = np.maximum(self._squares[groups] - totals * self._norms[groups], 0)
        self._noise[groups] = (spreads + 2 * self._model.spread_in_video) / (sizes + 1) / sizes

    def _gaps_from(self, group: int) -> NDArray[np.float64]:
        squared = self._norms + self._norms[group] - 2 * self._means @ self._means[group]
        doubt = self._model.noise_of_one * np.sqrt(1 / self._sizes + 1 / self._sizes[group])
        gaps: NDArray[np.float64] = squared - self._noise - self._noise[group] + doubt
        gaps[self._forbidden[group]] = np.inf
        gaps[group] = np.inf
        return gaps


def _any_between(pairs: NDArray[np.bool_], groups: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Say which two groups have a pair: a member of one paired with a member of the other."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    by_row = np.logical_or.reduceat(pairs[order], starts, axis=0)
    found: NDArray[np.bool_] = np.logical_or.reduceat(by_row[:, order], starts, axis=1)
    return found
