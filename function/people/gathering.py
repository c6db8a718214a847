"""The faces found in a video become the people in it, with a picture of each."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from db.models import EncodingModel
from function.faces.face import best_face
from function.faces.found import FacesFound, StageSeconds
from function.people.grouping import group_faces
from function.people.people import PersonFound, person_of
from function.people.views import Check, go_on

Pictures = Callable[[Sequence[int]], Sequence[bytes]]
"""Fetches the pictures of faces, by their numbers among those found."""


@dataclass(frozen=True, eq=False)
class PeopleFound:
    """Everyone in a video, the one seen most first, and how many frames and faces that took.

    `models` are the ids of the encodings' models, the primary one first.
    """

    people: tuple[PersonFound, ...]
    models: tuple[str, ...]
    frames: int
    faces: int
    seconds: StageSeconds


def gather_people(
    found: FacesFound, model: EncodingModel, pictures: Pictures, check: Check = go_on
) -> PeopleFound:
    """Group the faces of a video; the best face of each person keeps its picture."""
    started = time.perf_counter()
    numbers = {id(face): number for number, face in enumerate(found.faces)}
    groups = group_faces(found.faces, model, found.frames, check)
    fetched = pictures([numbers[id(best_face(group))] for group in groups])
    people = tuple(
        replace(person_of(group, model), picture=picture)
        for group, picture in zip(groups, fetched, strict=True)
    )
    seconds = replace(found.seconds, people=time.perf_counter() - started)
    return PeopleFound(people, (model.id,), found.frames, len(found.faces), seconds)
