"""Makes people of faces, and templates of people."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel, EncodingSpace, Fusion
from db.people import Evidence, PersonFound, Seen, View
from db.records import Vector, Vectors
from db.templates import average_encodings
from db.vectors import square_distances
from function.faces.face import DOUBTFUL, Face, best_face
from function.people.views import VIDEO_SHARE, find_views

WEAK_PERSON_EVIDENCE = 0.5
"""The evidence for a person known only from weak faces: too little for a match."""


@dataclass(frozen=True, eq=False)
class Template:
    """The mean of a person's views, and the evidence: how much the views weigh.

    A template of evidence n is as good as the mean of n photographs from different days. Views
    from one video weigh less than that. Evidence below 1 means that all views are weak.
    """

    mean: Vector
    evidence: float


def person_of(faces: Sequence[Face], model: EncodingModel) -> PersonFound:
    """Make a person of faces that were grouped as one."""
    # Which faces are counted as one view depends on their order.
    ordered = sorted(faces, key=lambda face: (face.seconds, face.frame))
    strong = [face for face in ordered if not face.is_weak]
    weak = [face for face in ordered if face.is_weak]
    best = best_face(ordered)
    moments = {
        Seen(face.frame, face.seconds, face.until_seconds, face.since_seconds) for face in faces
    }
    return PersonFound(
        views=(*_views_of(strong, model), *_views_of(weak, model)),
        seen=tuple(sorted(moments)),
        best_seconds=best.seconds,
        picture=best.crop,
    )


def template_of(person: PersonFound, model: EncodingModel) -> Template:
    """Average the strong views of a person, or all views if none is strong."""
    (template,) = templates_of([person], model)
    return template


def templates_of(people: Sequence[PersonFound], model: EncodingModel) -> list[Template]:
    """Average the views of several people, each as `template_of` does."""
    seen = [person.evidence for person in people]
    return _average(
        seen,
        np.concatenate([one.first for one in seen]),
        np.concatenate([one.qualities for one in seen]),
        [len(one.qualities) for one in seen],
        model,
    )


def fused_template_of(person: PersonFound, fusion: Fusion) -> Template | None:
    """Average the views that have encodings of both nets, in the space of their fusion.

    Returns None if there are none, or if those of the second net are of another length: then they
    are damaged, or whatever says which net's they are.
    """
    (template,) = fused_templates_of([person], fusion)
    return template


def fused_templates_of(people: Sequence[PersonFound], fusion: Fusion) -> list[Template | None]:
    """Average the views of several people, each as `fused_template_of` does."""
    seen = [person.evidence for person in people]
    width = fusion.parts[1].dimensions
    rows = [row for row, one in enumerate(seen) if len(one.second) and one.second.shape[1] == width]
    templates: list[Template | None] = [None] * len(people)
    if rows:
        chosen = [seen[row] for row in rows]
        has_second = np.concatenate([one.has_second for one in chosen])
        # Nearly always all have, and choosing all of them takes as long as joining them.
        has_both = slice(None) if has_second.all() else has_second
        first = np.concatenate([one.first for one in chosen])[has_both]
        joined = _average(
            chosen,
            fusion.join(first, np.concatenate([one.second for one in chosen])),
            np.concatenate([one.qualities for one in chosen])[has_both],
            [len(one.second) for one in chosen],
            fusion.space,
        )
        for row, template in zip(rows, joined, strict=True):
            templates[row] = template
    return templates


def _average(
    people: Sequence[Evidence],
    encodings: Vectors,
    qualities: NDArray[np.float32],
    counts: Sequence[int],
    space: EncodingSpace,
) -> list[Template]:
    """Average encodings, `counts` for each of the people, in order."""
    averaged = average_encodings(
        encodings,
        qualities,
        np.repeat(np.arange(len(people)), counts).astype(np.intp),
        people=len(people),
        face_variance=space.face_variance,
        largest_share=VIDEO_SHARE,
    )
    return [
        Template(mean, evidence if person.is_strong else WEAK_PERSON_EVIDENCE)
        for person, mean, evidence in zip(
            people, averaged.means, averaged.evidence.tolist(), strict=True
        )
    ]


def join_people(first: PersonFound, second: PersonFound, model: EncodingModel) -> PersonFound:
    """Join two people who turned out to be the same."""
    better = max((first, second), key=_rank_of_best)
    strong = _fold(first.strong_views, second.strong_views, model.same_view_within)
    weak = _fold(first.weak_views, second.weak_views, model.same_view_within)
    return PersonFound(
        views=(*strong, *weak),
        seen=tuple(sorted({*first.seen, *second.seen})),
        best_seconds=better.best_seconds,
        picture=better.picture,
    )


def share_a_frame(first: PersonFound, second: PersonFound) -> bool:
    """Whether two people share a frame. One person is in a frame twice only if mirrored."""
    return not {one.frame for one in first.seen}.isdisjoint(one.frame for one in second.seen)


def _views_of(faces: Sequence[Face], model: EncodingModel) -> list[View]:
    """Make one view of all faces that are nearly the same."""
    if not faces:
        return []
    found = find_views(
        np.stack([face.encoding for face in faces]),
        np.array([face.quality for face in faces], np.float32),
        np.arange(len(faces)),
        model,
    )
    return [
        _view_of([faces[row] for row in np.flatnonzero(found.of_face == number).tolist()], mean)
        for number, mean in enumerate(found.encodings)
    ]


def _view_of(faces: Sequence[Face], mean: Vector) -> View:
    best = best_face(faces)
    quality = max(face.quality for face in faces)
    again = [face.second for face in faces if face.second is not None]
    second = (np.mean(again, axis=0, dtype=np.float32),) if again else ()
    return View(best.seconds, quality, len(faces), best.weaknesses, (mean, *second))


def _fold(first: Sequence[View], second: Sequence[View], within: float) -> list[View]:
    """Merge each view of the second person into the first's nearest within reach, or add it."""
    views = list(first)
    if not first or not second:
        return [*first, *second]
    ours, theirs = (np.stack([view.encodings[0] for view in one]) for one in (first, second))
    apart = square_distances(theirs, ours)
    for row, nearest in enumerate(apart.argmin(axis=1).tolist()):
        if apart[row, nearest] <= within**2:
            views[nearest] = _merge(views[nearest], second[row])
        else:
            views.append(second[row])
    return views


def _merge(first: View, second: View) -> View:
    best = max((first, second), key=_rank)
    faces = first.faces + second.faces
    means = tuple(
        one if other is None else other if one is None else _weigh(first, one, second, other)
        for one, other in zip_longest(first.encodings, second.encodings)
    )
    return View(best.seconds, max(first.quality, second.quality), faces, best.weaknesses, means)


def _weigh(first: View, one: Vector, second: View, other: Vector) -> Vector:
    mean = (first.faces * one + second.faces * other) / (first.faces + second.faces)
    return mean.astype(np.float32)


def _rank(view: View) -> tuple[bool, float, float]:
    return DOUBTFUL not in view.weaknesses, view.quality, -view.seconds


def _rank_of_best(person: PersonFound) -> tuple[bool, float, float]:
    return max(_rank(view) for view in person.views)
