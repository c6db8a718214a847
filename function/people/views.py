"""Turns faces into views: near-duplicates count once, so that a long still shot is one view."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel
from db.records import Vectors
from db.templates import average_encodings
from db.vectors import square_distances

MOST_VIEWS, COARSER = 3000, 1.5
"""If there are more views, they are merged: their distances would take over 100 MB."""

VIDEO_SHARE = 0.75
"""One video shows at most this share of how a person varies from day to day."""


@dataclass(frozen=True, eq=False)
class Views:
    """Distinct views: each the mean of near-duplicate faces, with the best one's quality.

    Face i belongs to view `of_face[i]`; `forbidden[a, b]` says that both views share a frame, and
    so are different people.
    """

    encodings: Vectors
    qualities: NDArray[np.float32]
    of_face: NDArray[np.intp]
    forbidden: NDArray[np.bool_]


def find_views(
    encodings: Vectors,
    qualities: NDArray[np.float32],
    frames: NDArray[np.int_],
    model: EncodingModel,
) -> Views:
    """Count near-duplicate faces once, so that a long still shot does not outvote the rest.

    Row i of each argument is one face, with its encoding, quality and frame number.
    """
    within = model.same_view_within
    while (of_face := _follow_leaders(encodings, within)) is None:
        within *= COARSER
    count = int(of_face.max()) + 1
    means = average_encodings(
        encodings, qualities, of_face, people=count, face_variance=model.face_variance
    ).means
    best = np.zeros(count, np.float32)
    np.maximum.at(best, of_face, qualities)
    return Views(
        means, best, of_face, _find_forbidden(means, of_face, frames, model.twice_in_frame_within)
    )


def _follow_leaders(encodings: Vectors, within: float) -> NDArray[np.intp] | None:
    """Give each face the number of the nearest leader within reach, or make it a leader.

    Returns None if that takes more than MOST_VIEWS leaders.
    """
    leaders = np.empty((MOST_VIEWS, encodings.shape[1]), np.float32)
    norms = np.empty(MOST_VIEWS, np.float32)
    of_face = np.zeros(len(encodings), np.intp)
    count = 0
    for row, encoding in enumerate(encodings):
        own_norm = float(encoding @ encoding)
        squared = norms[:count] - 2 * (leaders[:count] @ encoding) + own_norm
        nearest = int(np.argmin(squared)) if count else 0
        if count == 0 or squared[nearest] > within**2:
            if count == MOST_VIEWS:
                return None
            nearest = count
            leaders[count], norms[count] = encoding, own_norm
            count += 1
        of_face[row] = nearest
    return of_face


def _find_forbidden(
    means: Vectors, of_face: NDArray[np.intp], frames: NDArray[np.int_], mirrored_within: float
) -> NDArray[np.bool_]:
    """Say which views share a frame and are not within `mirrored_within` of each other.

    Nearer views are one person shown twice: by a mirror, a split screen or two boxes on one face.
    """
    together = np.zeros((len(means), len(means)), np.bool_)
    order = np.argsort(frames, kind="stable")
    frame_starts = np.flatnonzero(np.diff(frames[order])) + 1
    for shown in np.split(of_face[order], frame_starts):
        once = np.unique(shown)  # a frame may show one view many times
        together[np.ix_(once, once)] = True
    np.fill_diagonal(together, val=False)
    forbidden: NDArray[np.bool_] = together & (square_distances(means, means) > mirrored_within**2)
    return forbidden
