"""Vectors are searched exactly: every encoding is compared, in blocks that stay in the cache."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from db.records import Candidate, Snapshot, Vector, Vectors

ROWS_PER_BLOCK = 16_384
"""Encodings compared at once: with 30 probes a block of distances takes 2 MB."""


def nearest(probes: Sequence[Vector], gallery: Snapshot, limit: int) -> list[list[Candidate]]:
    """Rank the performers nearest to each probe by the distance to their nearest encoding.

    Returns one list per probe, nearest first, of at most `limit` performers. A performer without
    encodings is not in it.
    """
    if not probes or not len(gallery.vectors):
        return [[] for _ in probes]
    distances = distances_to_performers(np.stack(probes), gallery)
    return [_candidates(row, gallery, limit) for row in distances]


def distances_to_performers(probes: Vectors, gallery: Snapshot) -> NDArray[np.float32]:
    """Measure from every probe to every performer's nearest encoding.

    `probes` is float32 (count, 128); the answer is float32 (count, performers), infinite for a
    performer without encodings. Uses |x|^2 - 2xq + |q|^2, so the work is one matrix product.
    """
    nearest_squared = np.full((len(gallery.performers), len(probes)), np.inf, np.float32)
    probe_norms = np.einsum("ij,ij->i", probes, probes)
    for start in range(0, len(gallery.vectors), ROWS_PER_BLOCK):
        rows = slice(start, start + ROWS_PER_BLOCK)
        squared = gallery.vectors[rows] @ (-2 * probes.T)
        squared += gallery.squared_norms[rows, None]
        owners = gallery.owners[rows]
        order = np.argsort(owners, kind="stable")
        runs = np.flatnonzero(np.diff(owners[order], prepend=-1))
        minima = np.minimum.reduceat(squared[order], runs, axis=0)
        found = owners[order][runs]
        nearest_squared[found] = np.minimum(nearest_squared[found], minima)
    squared_distances: NDArray[np.float32] = np.maximum(nearest_squared.T + probe_norms[:, None], 0)
    return np.sqrt(squared_distances)


def _candidates(distances: NDArray[np.float32], gallery: Snapshot, limit: int) -> list[Candidate]:
    count = min(limit, len(distances))
    front = np.argpartition(distances, count - 1)[:count] if count else np.empty(0, np.intp)
    ranked = front[np.argsort(distances[front], kind="stable")]
    return [
        Candidate(gallery.performers[index], float(distances[index]))
        for index in ranked
        if np.isfinite(distances[index])
    ]
