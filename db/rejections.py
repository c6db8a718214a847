"""A performer rejected for a person is never offered for that person again."""

import numpy as np

from db.records import Vectors
from db.snapshots import Snapshot
from db.vectors import Pairs, find_near, measure_pairs


def find_rejected(probes: Vectors, gallery: Snapshot) -> Pairs:
    """Find who was rejected for whom: probes, float32 (count, dimensions), next to performers.

    A probe that is nearer to the performer than to the rejection is the performer after all. A
    performer may come several times, with the distances of several rejections.
    """
    rejections = gallery.rejections
    reach = np.full(len(probes), gallery.model.rejected_within)
    near = find_near(probes, rejections.vectors, reach, len(rejections.vectors))
    owners = rejections.owners[near.columns]
    to_owner = measure_pairs(probes, gallery.templates.means, near.rows, owners)
    to_owner[gallery.templates.evidence[owners] == 0] = np.inf
    return Pairs(near.rows, owners, near.distances).only(near.distances < to_owner)
