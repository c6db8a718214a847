"""Groups the faces of one video into people."""

import logging
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel
from db.records import Vectors
from db.vectors import square_distances
from function.faces.face import Face
from function.people.halves import frames_by_eye
from function.people.linkage import group_views
from function.people.people import person_of, template_of
from function.people.tracks import SeenIn, Steps, find_steps, follow_steps
from function.people.views import find_views

_log = logging.getLogger(__name__)

WEAK_PEOPLE_FROM_FRAMES, SHORT_VIDEO_FRAMES = 3, 60
"""Weak faces that are near no person become a new person if at least the first number of frames
show them. In a video of fewer frames than the second number, fewer are enough, in proportion:
someone may be seen for only two seconds, in profile."""


AT_ONCE = 1024
"""This many faces are compared with everybody at once: more would take much memory in a crowd."""


def group_faces(
    faces: Sequence[Face],
    model: EncodingModel,
    frames: int = SHORT_VIDEO_FRAMES,
) -> list[list[Face]]:
    """Group the faces of one video into people, the one who is seen most first.

    `model` is the model of the encodings, `frames` the number of frames that were searched.

    Weak faces join a person. If no person is near and several frames show the same weak face, they
    form a new person, who cannot be matched with confidence. A doubtful face can only join. In the
    end weak faces join the faces that they follow in place and time, rather than nobody, or
    somebody elsewhere. Faces of one frame are different people, except for the two halves of a VR
    film. A face whose encoding holds NaN or infinity is left out.
    """
    sound = _leave_out_damaged(faces)
    eyes = frames_by_eye(sound, model).tolist()
    seen_in = {id(face): number for face, number in zip(sound, eyes, strict=True)}
    groups = _group([face for face in sound if not face.is_weak], seen_in, model)
    weak = [face for face in sound if face.is_weak]
    alone = _join_weak(weak, groups, seen_in, model)
    strangers = [face for face in alone if not face.is_doubtful]
    short = WEAK_PEOPLE_FROM_FRAMES * min(frames, SHORT_VIDEO_FRAMES) // SHORT_VIDEO_FRAMES
    fewest = max(1, short) if groups else 1
    unknown = [
        group
        for group in _group(strangers, seen_in, model)
        if len({face.frame for face in group}) >= fewest
    ]
    steps = find_steps(sound, model) if weak else {}
    _take_back(groups, unknown, seen_in, steps, model)
    grouped = {id(face) for group in groups + unknown for face in group}
    left = [face for face in weak if id(face) not in grouped]
    follow_steps(groups + unknown, left, seen_in, steps)
    ordered = [
        sorted(group, key=lambda face: (face.seconds, face.frame)) for group in groups + unknown
    ]
    return sorted(ordered, key=lambda group: (-len(group), group[0].seconds))


def _leave_out_damaged(faces: Sequence[Face]) -> list[Face]:
    sound = [face for face in faces if np.isfinite(face.encoding).all()]
    if len(sound) < len(faces):
        _log.error("Left out %d faces encoded as NaN or infinity.", len(faces) - len(sound))
    return sound


def _group(faces: Sequence[Face], seen_in: SeenIn, model: EncodingModel) -> list[list[Face]]:
    if not faces:
        return []
    views = find_views(
        np.stack([face.encoding for face in faces]),
        np.array([face.quality for face in faces], np.float32),
        np.array([seen_in[id(face)] for face in faces]),
        model,
    )
    groups = group_views(views, model)
    return [
        [faces[row] for row in np.flatnonzero(groups[views.of_face] == group).tolist()]
        for group in range(int(groups.max()) + 1)
    ]


def _join_weak(
    weak: Sequence[Face],
    groups: list[list[Face]],
    seen_in: SeenIn,
    model: EncodingModel,
) -> list[Face]:
    """Add each weak face to the nearest group, and return those with no group near.

    A group has one face in a picture; if several are near, the nearest face comes first.
    """
    if not weak or not groups:
        return list(weak)
    people = [person_of(group, model) for group in groups]
    templates = np.stack([template_of(person, model).mean for person in people])
    shown: dict[int, set[int]] = defaultdict(set)
    for number, group in enumerate(groups):
        for face in group:
            shown[seen_in[id(face)]].add(number)
    nearest, distances = _find_nearest(weak, templates)
    strangers = []
    for row in np.argsort(distances, kind="stable").tolist():
        face, best, distance = weak[row], int(nearest[row]), float(distances[row])
        if distance <= model.weak_joins_within and best in shown[seen_in[id(face)]]:
            best, distance = _find_free(face, templates, shown[seen_in[id(face)]])
        if distance > model.weak_joins_within:
            strangers.append(face)
        else:
            groups[best].append(face)
            shown[seen_in[id(face)]].add(best)
    return strangers


def _take_back(
    groups: Sequence[list[Face]],
    unknown: Sequence[list[Face]],
    seen_in: SeenIn,
    steps: Steps,
    model: EncodingModel,
) -> None:
    """Give weak faces back to the unknown people whom they follow, if those are nearer.

    They joined people for lack of others: until then, whoever is seen only in the dark is no
    person. A face next to a good one of its group, in place and time, stays there.
    """
    owners = {id(face): group for group in unknown for face in group}
    shown = {id(group): {seen_in[id(face)] for face in group} for group in unknown}
    for group in groups if unknown else ():
        good = {id(face) for face in group if not face.is_weak}
        mean = template_of(person_of(group, model), model).mean
        for face in [face for face in group if face.is_weak]:
            near = steps.get(id(face), ())
            led = [
                (distance, owners[id(other)])
                for distance, other in near
                if id(other) in owners and seen_in[id(face)] not in shown[id(owners[id(other)])]
            ]
            distance, owner = min(led, key=lambda one: one[0], default=(np.inf, group))
            is_nearer = distance < float(np.linalg.norm(mean - face.encoding))
            if is_nearer and not any(id(other) in good for _, other in near):
                group.remove(face)
                owner.append(face)
                shown[id(owner)].add(seen_in[id(face)])
                owners[id(face)] = owner


def _find_nearest(
    faces: Sequence[Face], templates: Vectors
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Find the template nearest to each face, and its distance."""
    nearest = np.empty(len(faces), np.intp)
    squared = np.empty(len(faces), np.float32)
    for start in range(0, len(faces), AT_ONCE):
        block = np.stack([face.encoding for face in faces[start : start + AT_ONCE]])
        apart = square_distances(block, templates)
        nearest[start : start + len(block)] = apart.argmin(axis=1)
        squared[start : start + len(block)] = apart.min(axis=1)
    return nearest, np.sqrt(squared)


def _find_free(face: Face, templates: Vectors, taken: set[int]) -> tuple[int, float]:
    """Find the nearest template that is not taken; infinitely far if all are."""
    apart = np.linalg.norm(templates - face.encoding, axis=1)
    apart[list(taken)] = np.inf
    best = int(apart.argmin())
    return best, float(apart[best])
