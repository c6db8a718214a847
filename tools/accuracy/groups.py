"""Measures how well the faces of a labelled library are grouped into people.

B-cubed: Bagga and Baldwin 1998.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from db.models import EncodingModel
from function.faces.face import Face
from function.people.grouping import group_faces
from tools.accuracy.labelled import Source
from tools.accuracy.trials import join_sources


@dataclass(frozen=True)
class GroupFigures:
    """How well faces are grouped into people; `b_cubed_f` is the harmonic mean of the other two."""

    b_cubed_precision: float
    b_cubed_recall: float
    b_cubed_f: float
    people_found: int
    people_true: int


def measure_grouping(
    sources: Sequence[Source], group: Callable[[Sequence[Face]], list[int]]
) -> GroupFigures:
    """Group the faces of all sources as if they were one film, and compare with their names."""
    faces = join_sources(sources)
    names = [source.name for source in sources for _ in source.faces]
    return measure_groups(group(faces), names)


def group_our_way(faces: Sequence[Face], model: EncodingModel) -> list[int]:
    """Number each face's person; a weak face that fits nobody gets its own number."""
    person_of_face = {
        id(face): number for number, group in enumerate(group_faces(faces, model)) for face in group
    }
    return [person_of_face.get(id(face), -1 - row) for row, face in enumerate(faces)]


def measure_groups(groups: Sequence[int], names: Sequence[str]) -> GroupFigures:
    """Compare groups with names: element i of both is about face i.

    For a face, B-cubed precision is the share of its group that has its name, and recall the share
    of its name that is in its group; both are averaged over the faces. A negative group means that
    the face belongs to nobody; it does not count as a person found.
    """
    group_of = np.unique(np.array(groups), return_inverse=True)[1]
    name_of = np.unique(np.array(names), return_inverse=True)[1]
    table = np.zeros((group_of.max() + 1, name_of.max() + 1))
    np.add.at(table, (group_of, name_of), 1)
    precision = float((table**2 / table.sum(axis=1, keepdims=True)).sum() / table.sum())
    recall = float((table**2 / table.sum(axis=0, keepdims=True)).sum() / table.sum())
    f_measure = 2 * precision * recall / (precision + recall)
    found = len({group for group in groups if group >= 0})
    return GroupFigures(precision, recall, f_measure, found, table.shape[1])
