"""The reference method, to compare with ours: nearest face within 0.6, greedy groups.

It does what face_recognition's examples do: compare_faces with its default tolerance.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from db.records import Vector
from db.snapshots import Snapshot
from function.faces.face import Face

TOLERANCE = 0.6
"""face_recognition's default: two faces within it are the same person."""


def nearest_face(faces: Sequence[Face], gallery: Snapshot) -> tuple[int, float]:
    """Find the enrolled face that is nearest to any face of the probe.

    Returns the position of its performer, and the distance.
    """
    distances = np.stack(
        [np.linalg.norm(gallery.vectors - face.encoding, axis=1) for face in faces]
    ).min(axis=0)
    row = int(np.argmin(distances))
    return int(gallery.owners[row]), float(distances[row])


def distance_to(faces: Sequence[Face], gallery: Snapshot, position: int) -> float:
    """Measure the distance from the probe to the nearest face of one performer; infinite if none.

    All of a performer's photos may have been refused.
    """
    own = gallery.vectors[gallery.owners == position]
    nearest = (np.linalg.norm(own - face.encoding, axis=1).min(initial=np.inf) for face in faces)
    return float(min(nearest))


class Encoded(Protocol):
    """Whatever has an encoding."""

    @property
    def encoding(self) -> Vector:
        """The encoding of one face."""


def group_greedily(faces: Sequence[Encoded]) -> list[int]:
    """Put each face in the group of the first known face within the tolerance, or in a new one."""
    groups: list[int] = []
    for face in faces:
        near = (
            group
            for group, known in zip(groups, faces, strict=False)
            if np.linalg.norm(known.encoding - face.encoding) <= TOLERANCE
        )
        groups.append(next(near, max(groups, default=-1) + 1))
    return groups
