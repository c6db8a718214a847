"""Grouping and choosing as they are done with the primary model's encodings."""

from collections.abc import Sequence

from db.people import PersonFound
from function.engines.models import PRIMARY
from function.faces.face import Face
from function.people import grouping, people
from function.people.grouping import SHORT_VIDEO_FRAMES
from function.people.people import Template


def group_faces(faces: Sequence[Face], frames: int = SHORT_VIDEO_FRAMES) -> list[list[Face]]:
    return grouping.group_faces(faces, PRIMARY, frames)


def person_of(faces: Sequence[Face]) -> PersonFound:
    return people.person_of(faces, PRIMARY)


def template_of(faces: Sequence[Face]) -> Template:
    return people.template_of(person_of(faces), PRIMARY)
