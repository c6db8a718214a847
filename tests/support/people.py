"""Grouping and choosing as they are done with the primary model's encodings."""

from collections.abc import Sequence

from function.engines.models import PRIMARY
from function.faces.faces import Face
from function.people import people
from function.people.people import SHORT_VIDEO_FRAMES, Person
from function.web import results


def group_faces(faces: Sequence[Face], frames: int = SHORT_VIDEO_FRAMES) -> list[Person]:
    return people.group_faces(faces, PRIMARY, frames)


def person_of(faces: Sequence[Face]) -> Person:
    return people.person_of(faces, PRIMARY)


def choose_faces(faces: Sequence[Face]) -> list[Face]:
    return results.choose_faces(faces, PRIMARY)
