"""Groups faces into people, and represents each person by the mean of their good faces."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel
from db.records import Vector
from db.templates import average_encodings
from function.faces.faces import Face
from function.people.linkage import group_looks
from function.people.views import LOOKS_SHARE, Looks, find_looks

_log = logging.getLogger(__name__)

WEAK_PEOPLE_FROM_FRAMES, SHORT_VIDEO_FRAMES = 3, 60
"""Weak faces near nobody become a person of their own if this many frames agree; fewer, in
proportion, if the video has fewer than SHORT_VIDEO_FRAMES: two seconds in profile may be all there
is of someone."""

WEAK_PERSON_LOOKS = 0.5
"""The quality of a person known only from weak faces: too low for a match."""


@dataclass(frozen=True, eq=False)
class Person:
    """Someone in a video: their faces in order of time, and what represents all of them.

    `template` is the quality-weighted mean encoding of the good faces, float32 (dimensions,).
    `looks` says how good it is: as good as the mean of so many photographs of different days. Faces
    of one video are fewer looks than faces, and below 1 all of them are weak.
    """

    faces: tuple[Face, ...]
    template: Vector
    looks: float


def group_faces(
    faces: Sequence[Face], model: EncodingModel, frames: int = SHORT_VIDEO_FRAMES
) -> list[Person]:
    """Group the faces of one video into people, the one who is seen most first.

    `frames` is how many pictures of it were looked at, `model` that of the encodings.

    Weak faces join a person or, if nobody is near and several frames agree, form a person who
    cannot be matched with confidence. Something that may be no face at all can only join. A face
    whose encoding holds NaN or infinity is left out.
    """
    sound = _leave_out_damaged(faces)
    groups = _group([face for face in sound if not face.is_weak], model)
    alone = _join_weak([face for face in sound if face.is_weak], groups, model)
    strangers = [face for face in alone if not face.is_doubtful]
    short = WEAK_PEOPLE_FROM_FRAMES * min(frames, SHORT_VIDEO_FRAMES) // SHORT_VIDEO_FRAMES
    fewest = max(1, short) if groups else 1
    weak = [
        group for group in _group(strangers, model) if len({face.frame for face in group}) >= fewest
    ]
    people = [person_of(group, model) for group in groups + weak]
    return sorted(people, key=lambda person: (-len(person.faces), person.faces[0].seconds))


def person_of(faces: Sequence[Face], model: EncodingModel) -> Person:
    """Make a person of faces that are known to be one's: what group_faces does with each group."""
    ordered = tuple(sorted(faces, key=lambda face: (face.seconds, face.frame)))
    strong = [face for face in ordered if not face.is_weak]
    looks = _looks(strong or ordered, model)
    whole = np.zeros(len(looks.encodings), np.intp)
    template = average_encodings(
        looks.encodings,
        looks.qualities,
        whole,
        people=1,
        face_variance=model.face_variance,
        largest_share=LOOKS_SHARE,
    )
    count = float(template.looks[0]) if strong else WEAK_PERSON_LOOKS
    return Person(ordered, template.means[0], count)


def join_people(first: Person, second: Person, model: EncodingModel) -> Person:
    """Make one person of two who turned out to be the same."""
    return person_of([*first.faces, *second.faces], model)


def share_a_frame(first: Person, second: Person) -> bool:
    """Whether two people are seen at once, which one person is only in a mirror."""
    return not {face.frame for face in first.faces}.isdisjoint(face.frame for face in second.faces)


def _leave_out_damaged(faces: Sequence[Face]) -> list[Face]:
    sound = [face for face in faces if np.isfinite(face.encoding).all()]
    if len(sound) < len(faces):
        _log.error("Left out %d faces: encoded as NaN or infinity.", len(faces) - len(sound))
    return sound


def _group(faces: Sequence[Face], model: EncodingModel) -> list[list[Face]]:
    if not faces:
        return []
    looks = _looks(faces, model)
    groups = group_looks(looks, model)
    return [
        [faces[row] for row in np.flatnonzero(groups[looks.of_face] == group).tolist()]
        for group in range(int(groups.max()) + 1)
    ]


def _looks(faces: Sequence[Face], model: EncodingModel) -> Looks:
    return find_looks(
        np.stack([face.encoding for face in faces]),
        np.array([face.quality for face in faces], np.float32),
        np.array([face.frame for face in faces]),
        model,
    )


def _join_weak(weak: Sequence[Face], groups: list[list[Face]], model: EncodingModel) -> list[Face]:
    """Add each weak face to the nearest group, and return those that none is near."""
    if not weak or not groups:
        return list(weak)
    templates = np.stack([person_of(group, model).template for group in groups])
    frames = [{face.frame for face in group} for group in groups]
    distances = _distances_between(weak, templates)
    strangers = []
    for row in np.argsort(distances.min(axis=1), kind="stable").tolist():
        face = weak[row]
        free = [g for g in range(len(groups)) if face.frame not in frames[g]]
        best = min(free, key=lambda g: float(distances[row, g]), default=None)
        if best is None or distances[row, best] > model.weak_joins_within:
            strangers.append(face)
        else:
            groups[best].append(face)
            frames[best].add(face.frame)
    return strangers


def _distances_between(
    faces: Sequence[Face], templates: NDArray[np.float32]
) -> NDArray[np.float32]:
    rows = [np.linalg.norm(templates - face.encoding, axis=1) for face in faces]
    return np.stack(rows).astype(np.float32)
