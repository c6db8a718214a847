"""Faces become people: those of one person grouped, and the mean of the good ones for all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from db.records import Vector, Vectors
from function.faces import Face

CUT = 0.48
"""Mean distance between two groups above which they stay apart."""

FORBIDDEN = 1e9
"""Distance between two faces of one frame: one such pair keeps an average above any cut."""


@dataclass(frozen=True, eq=False)
class Person:
    """Someone in a video: their faces in order of time, and what stands for all of them.

    `template` is the quality-weighted mean encoding of the good faces, float32 (128,); `looks`
    counts how many of them tell something new (pose, shot, light): neighbouring frames do not.
    """

    faces: tuple[Face, ...]
    template: Vector
    looks: float


def group_faces(faces: Sequence[Face]) -> list[Person]:
    """Group the faces of one video into people, the one who is seen most first.

    Weak faces join the nearest person but found none.
    """
    strong = [face for face in faces if not face.is_weak]
    groups = [[strong[row] for row in rows] for rows in _agglomerate(strong)]
    for face in faces:
        if face.is_weak:
            _join_nearest(face, groups)
    return sorted((_person(group) for group in groups), key=lambda person: -len(person.faces))


def _agglomerate(faces: Sequence[Face]) -> list[NDArray[np.intp]]:
    if len(faces) < 2:  # noqa: PLR2004  # linkage wants a pair
        return [np.arange(len(faces))] if faces else []
    distances = _distances(np.stack([face.encoding for face in faces]))
    frames = np.array([face.frame for face in faces])
    distances[frames[:, None] == frames[None, :]] = FORBIDDEN
    np.fill_diagonal(distances, 0)
    labels = fcluster(linkage(squareform(distances), "average"), CUT, "distance")
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _distances(encodings: Vectors) -> NDArray[np.float64]:
    norms = np.einsum("ij,ij->i", encodings, encodings)
    squared = norms[:, None] + norms[None, :] - 2 * encodings @ encodings.T
    distances: NDArray[np.float64] = np.sqrt(np.maximum(squared, 0)).astype(np.float64)
    return (distances + distances.T) / 2


def _join_nearest(face: Face, groups: list[list[Face]]) -> None:
    free = [group for group in groups if all(other.frame != face.frame for other in group)]
    if not free:
        return
    distances = [float(np.linalg.norm(_template(group) - face.encoding)) for group in free]
    best = int(np.argmin(distances))
    if distances[best] < CUT:
        free[best].append(face)


def _person(faces: Sequence[Face]) -> Person:
    ordered = tuple(sorted(faces, key=lambda face: face.seconds))
    strong = [face for face in ordered if not face.is_weak]
    return Person(ordered, _template(strong), float(min(len(strong), 6)))


def _template(faces: Sequence[Face]) -> Vector:
    encodings = np.stack([face.encoding for face in faces])
    weights = np.array([max(face.quality, 1e-3) for face in faces])
    mean: Vector = np.average(encodings, axis=0, weights=weights).astype(np.float32)
    return mean
