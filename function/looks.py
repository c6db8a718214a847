"""Faces become looks, near-duplicates counted once, and looks become groups of one person each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_matrix
from scipy.spatial.distance import squareform

from db.records import Vectors
from db.templates import average_encodings, weigh_qualities

DUPLICATE_WITHIN = 0.12
"""Faces of one video that are nearer than this to another show the same look again."""

MOST_LOOKS = 3000
"""More looks than this are made coarser: their distances would take over 100 MB."""

TWICE_IN_FRAME_WITHIN = 0.3
"""Two faces of one frame that are nearer than this are one person shown twice (a mirror, a split
screen, two boxes on one face): a face and its mirror image lie 0.14 to 0.28 apart."""

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

LOOKS_SHARE = 0.75
"""One video shows at most this share of how a person varies from day to day."""


@dataclass(frozen=True, eq=False)
class Looks:
    """Distinct looks: each the mean of near-duplicate faces, with the best one's quality.

    Face i shows look `of_face[i]`; `forbidden[a, b]` says that a frame shows both looks at once.
    """

    encodings: Vectors
    qualities: NDArray[np.float32]
    of_face: NDArray[np.intp]
    forbidden: NDArray[np.bool_]


def find_looks(
    encodings: Vectors, qualities: NDArray[np.float32], frames: NDArray[np.int_]
) -> Looks:
    """Count near-duplicate faces once, so that a held shot does not outvote the rest.

    Row i of each argument is one face, with its encoding, quality and frame number.
    """
    within = DUPLICATE_WITHIN
    of_face = _follow_leaders(encodings, within)
    while of_face.max() >= MOST_LOOKS:
        within *= 1.3
        of_face = _follow_leaders(encodings, within)
    count = int(of_face.max()) + 1
    means = average_encodings(encodings, qualities, of_face, count).means
    best = np.zeros(count, np.float32)
    np.maximum.at(best, of_face, qualities)
    return Looks(means, best, of_face, _find_forbidden(means, of_face, frames))


def group_looks(looks: Looks) -> NDArray[np.intp]:
    """Group looks into people: the answer numbers each look's group from 0.

    Average linkage cuts low, so that groups are pure; then groups whose means are the same but for
    noise are joined. Single faces of two people under one lamp can be nearer than those of one
    person that moves; means of several cannot.
    """
    groups = _link(looks)
    while groups.max() > 0:
        gaps = _gaps(looks, groups)
        first, second = np.unravel_index(int(np.argmin(gaps)), gaps.shape)
        if gaps[first, second] >= SAME_PERSON_BELOW:
            break
        groups[groups == max(first, second)] = min(first, second)
        groups = np.unique(groups, return_inverse=True)[1]
    return groups


def _follow_leaders(encodings: Vectors, within: float) -> NDArray[np.intp]:
    """Give each face the number of the nearest leader within reach, or make it one."""
    leaders = np.empty_like(encodings)
    norms = np.empty(len(encodings), np.float32)
    of_face = np.zeros(len(encodings), np.intp)
    count = 0
    for row, encoding in enumerate(encodings):
        own_norm = float(encoding @ encoding)
        squared = norms[:count] - 2 * (leaders[:count] @ encoding) + own_norm
        nearest = int(np.argmin(squared)) if count else 0
        if count == 0 or squared[nearest] > within**2:
            nearest = count
            leaders[count], norms[count] = encoding, own_norm
            count += 1
        of_face[row] = nearest
    return of_face


def _find_forbidden(
    means: Vectors, of_face: NDArray[np.intp], frames: NDArray[np.int_]
) -> NDArray[np.bool_]:
    shown = csr_matrix((np.ones(len(frames), np.int32), (of_face, frames - frames.min())))
    together = (shown @ shown.T).toarray() > 0
    np.fill_diagonal(together, val=False)
    forbidden: NDArray[np.bool_] = together & (_square_distances(means) > TWICE_IN_FRAME_WITHIN**2)
    return forbidden


def _link(looks: Looks) -> NDArray[np.intp]:
    if len(looks.encodings) == 1:
        return np.zeros(1, np.intp)
    distances = np.sqrt(_square_distances(looks.encodings))
    distances[looks.forbidden] = FORBIDDEN
    # scipy's linkage is C, and scipy is needed anyway; scikit-learn would be one more package.
    tree = linkage(squareform(distances, checks=False), "average")
    labels: NDArray[np.intp] = fcluster(tree, CUT, "distance").astype(np.intp) - 1
    return labels


def _gaps(looks: Looks, groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Measure how far each two groups are apart beyond what noise explains (squared distance)."""
    count = int(groups.max()) + 1
    sizes = np.bincount(groups, minlength=count)
    weights = weigh_qualities(looks.qualities)
    means = average_encodings(looks.encodings, looks.qualities, groups, count).means
    off_mean = np.square(looks.encodings - means[groups]).sum(axis=1)
    spreads = np.bincount(groups, weights * off_mean / weights.mean(), count)
    noise = (spreads + 2 * FACE_SPREAD) / (sizes + 1) / sizes
    doubt = NOISE_OF_ONE * np.sqrt(1 / sizes[:, None] + 1 / sizes[None, :])
    gaps = _square_distances(means) - noise[:, None] - noise[None, :] + doubt
    members = csr_matrix((np.ones(len(groups)), (groups, np.arange(len(groups)))))
    together = members @ (members @ looks.forbidden.astype(np.float32)).T
    gaps[together > 0] = np.inf
    np.fill_diagonal(gaps, np.inf)
    result: NDArray[np.float64] = gaps.astype(np.float64)
    return result


def _square_distances(rows: Vectors) -> NDArray[np.float32]:
    norms = np.einsum("ij,ij->i", rows, rows)
    squared: NDArray[np.float32] = norms[:, None] + norms[None, :] - 2 * (rows @ rows.T)
    np.maximum(squared, 0, out=squared)
    np.fill_diagonal(squared, 0)
    return squared
