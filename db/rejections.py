"""A performer rejected for a person is never offered for that person again."""

import numpy as np
from numpy.typing import NDArray

from db.records import Vectors
from db.snapshots import Snapshot


def leave_out_rejected(
    distances: NDArray[np.float32], probes: Vectors, gallery: Snapshot
) -> NDArray[np.float32]:
    """Return the distances, with infinity for rejected performers.

    `distances` is float32 (probes, performers), `probes` float32 (probes, dimensions). A probe that
    is nearer to the performer than to the rejection keeps its distance: it is the performer.
    """
    rejections = gallery.rejections
    allowed = distances.copy()
    for row, probe in enumerate(probes):
        apart = np.linalg.norm(rejections.vectors - probe, axis=1)
        rejected = apart < np.minimum(
            gallery.model.rejected_within, distances[row, rejections.owners]
        )
        allowed[row, rejections.owners[rejected]] = np.inf
    return allowed
