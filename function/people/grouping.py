"""Groups the faces of one video into people."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel
from function.faces.face import Face
from function.people.linkage import group_views
from function.people.people import person_of, template_of
from function.people.views import Views, find_views

_log = logging.getLogger(__name__)

WEAK_PEOPLE_FROM_FRAMES, SHORT_VIDEO_FRAMES = 3, 60
"""Weak faces that are near no person become a new person if at least the first number of frames
show them. In a video of fewer frames than the second number, fewer are enough, in proportion:
someone may be seen for only two seconds, in profile."""


def group_faces(
    faces: Sequence[Face], model: EncodingModel, frames: int = SHORT_VIDEO_FRAMES
) -> list[list[Face]]:
    """Group the faces of one video into people, the one who is seen most first.

    `model` is the model of the encodings, `frames` the number of frames that were searched.

    Weak faces join a person. If no person is near and several frames show the same weak face, they
    form a new person, who cannot be matched with confidence. A doubtful face can only join. A face
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
    ordered = [
        sorted(group, key=lambda face: (face.seconds, face.frame)) for group in groups + weak
    ]
    return sorted(ordered, key=lambda group: (-len(group), group[0].seconds))


def _leave_out_damaged(faces: Sequence[Face]) -> list[Face]:
    sound = [face for face in faces if np.isfinite(face.encoding).all()]
    if len(sound) < len(faces):
        _log.error("Left out %d faces encoded as NaN or infinity.", len(faces) - len(sound))
    return sound


def _group(faces: Sequence[Face], model: EncodingModel) -> list[list[Face]]:
    if not faces:
        return []
    views = _views(faces, model)
    groups = group_views(views, model)
    return [
        [faces[row] for row in np.flatnonzero(groups[views.of_face] == group).tolist()]
        for group in range(int(groups.max()) + 1)
    ]


def _views(faces: Sequence[Face], model: EncodingModel) -> Views:
    return find_views(
        np.stack([face.encoding for face in faces]),
        np.array([face.quality for face in faces], np.float32),
        np.array([face.frame for face in faces]),
        model,
    )


def _join_weak(weak: Sequence[Face], groups: list[list[Face]], model: EncodingModel) -> list[Face]:
    """Add each weak face to the nearest group, and return those with no group near."""
    if not weak or not groups:
        return list(weak)
    templates = np.stack([template_of(person_of(group, model), model).mean for group in groups])
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
