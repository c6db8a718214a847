"""Exact vector search: probes are compared with every performer, in one matrix product."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from db.records import Encoding, Vectors

Number = TypeVar("Number", np.float32, np.float64)

NUMBERS_AT_ONCE = 2_000_000
"""This many products are made at once: 8 MB, whatever the gallery's size. Twice as many no longer
stay in the processor's cache until they are looked at, which takes a fifth longer."""

PAIRS_AT_ONCE = 4_096
"""This many pairs are measured exactly at once: 8 MB for encodings of two nets."""

ROUNDING = 1e-4
"""The largest error of a product in single precision, as a share of two squared lengths; it is some
1e-6 in a thousand dimensions."""

SPARE = 16
"""This many more than asked for are measured exactly, in case rounding has changed their order."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Probes next to performers: row `rows[i]` of the one is `distances[i]` from `columns[i]`."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    distances: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, chosen: NDArray[np.bool_]) -> "Pairs":
        """Return those of the pairs that are chosen."""
        return Pairs(self.rows[chosen], self.columns[chosen], self.distances[chosen])


def find_near(probes: Vectors, others: Vectors, reach: NDArray[np.float64], most: int) -> Pairs:
    """Find the nearest of `others` to each probe, `most` at most, none farther than `reach[row]`.

    `probes` is float32 (count, dimensions), `others` (performers, dimensions), `reach` (count,).
    The pairs come by probe, the nearest first. A product in single precision only chooses them;
    distances are measured in double, so that a probe's do not depend on what it is compared with
    at once.
    """
    halves = np.einsum("ij,ij->i", others, others) / 2
    lengths = np.einsum("ij,ij->i", probes, probes)
    slack = ROUNDING * (lengths + 2 * halves.max(initial=0.0))
    # Half of |x|^2 - |x - q|^2 is xq - |q|^2 / 2: large where the distance is small.
    least = ((lengths - np.square(reach)) / 2 - slack).astype(np.float32)
    at_once = max(NUMBERS_AT_ONCE // max(len(others), 1), 1)
    rows, columns = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for start in range(0, len(probes), at_once):
        part = slice(start, start + at_once)
        chosen = _choose_near(probes[part], others, halves, least[part], most)
        rows.append(chosen[0] + start)
        columns.append(chosen[1])
    places = np.concatenate(rows), np.concatenate(columns)
    pairs = Pairs(*places, measure_pairs(probes, others, *places))
    return _nearest_first(pairs.only(pairs.distances <= reach[pairs.rows]), most)


def _choose_near(
    probes: Vectors,
    others: Vectors,
    halves: NDArray[np.float32],
    least: NDArray[np.float32],
    most: int,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose those who may be near some probes: rows, and columns of the same length."""
    products = probes @ others.T
    products -= halves
    rows, columns = np.divmod(np.flatnonzero(products >= least[:, None]), len(others))
    counts = np.bincount(rows, minlength=len(probes))
    most += SPARE
    crowded = np.flatnonzero(counts > most)
    if not len(crowded):
        return rows, columns
    is_few = ~np.isin(rows, crowded)
    nearest = [np.argpartition(-products[row], most)[:most] for row in crowded]
    rows = np.concatenate([rows[is_few], np.repeat(crowded, most)])
    return rows, np.concatenate([columns[is_few], *nearest])


def _nearest_first(pairs: Pairs, most: int) -> Pairs:
    order = np.lexsort((pairs.columns, pairs.distances, pairs.rows))
    rows = pairs.rows[order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = order[rank < most]
    return Pairs(pairs.rows[kept], pairs.columns[kept], pairs.distances[kept])


def measure_pairs(
    probes: Vectors, others: Vectors, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Measure the distance of some rows of `probes` to rows of `others`, one by one: (pairs,)."""
    distances = np.empty(len(rows))
    for start in range(0, len(rows), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        apart = probes[rows[part]].astype(np.float64) - others[columns[part]]
        distances[part] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    return distances


def square_distances(rows: NDArray[Number], columns: NDArray[Number]) -> NDArray[Number]:
    """Measure the squared distance of each row to each column: (rows, columns), in their precision.

    |x|^2 - 2xq + |q|^2 takes a quarter of the time of the norm of differences.
    """
    norms = np.einsum("ij,ij->i", rows, rows)[:, None] + np.einsum("ij,ij->i", columns, columns)
    squared: NDArray[Number] = np.subtract(norms, 2 * rows @ columns.T, out=norms)
    return np.maximum(squared, 0, out=squared)


def distances_to_others(encodings: Sequence[Encoding]) -> list[float | None]:
    """Measure how far each encoding is from the mean of the performer's others; None if alone."""
    if len(encodings) < 2:  # noqa: PLR2004  # one has no others
        return [None] * len(encodings)
    vectors = np.stack([one.vector for one in encodings])
    others = (vectors.sum(axis=0) - vectors) / (len(vectors) - 1)
    return [float(distance) for distance in np.linalg.norm(vectors - others, axis=1)]
