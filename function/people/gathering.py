"""Gathers the faces found in a video into people, each with one picture."""

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
"""Fetches the pictures of faces, given their positions in `FacesFound.faces`."""


@dataclass(frozen=True, eq=False)
class PeopleFound:
    """Everyone in a video, the one seen most first, and the numbers of frames and faces.

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
    """Group the faces of a video into people, and fetch the picture of each one's best face."""
    started = time.perf_counter()
    numbers = {id(face): number for number, face in enumerate(found.faces)}
    groups = group_faces(found.faces, model, found.frames, check)
    fetched = pictures([numbers[id(best_face(group))] for group in groups])
    people = tuple(
        replace(person_of(group, model, check), picture=picture)
        for group, picture in zip(groups, fetched, strict=True)
    )
    check()
    seconds = replace(found.seconds, people=time.perf_counter() - started)
    return PeopleFound(people, (model.id,), found.frames, len(found.faces), seconds)
