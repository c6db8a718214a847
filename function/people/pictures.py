"""Gathers the faces found in the pictures of an album into people, and says who is on which."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from db.videos import Area, Shown
from function.engines.protocol import Box
from function.faces.face import Face
from function.faces.found import Details, FacesFound, PictureFound, StageSeconds
from function.people.gathering import PeopleFound, gather_groups


@dataclass(frozen=True, eq=False)
class Gathered:
    """The people in some pictures, and where each of them is shown, picture by picture."""

    found: PeopleFound
    shown: tuple[Shown, ...]


def gather_pictures(pictures: Sequence[PictureFound], models: Sequence[str]) -> Gathered:
    """Group the faces of some pictures into people.

    The position of a picture takes the place of the time: somebody in the fourth picture is seen in
    frame 3, at second 3. No two pictures are taken for neighbours, since they may be of different
    days. The faces have their own pictures, and second encodings if there are `models`.
    """
    faces = tuple(
        _placed(face, number) for number, one in enumerate(pictures) for face in one.faces
    )

    def fetch(chosen: Sequence[int], again: Sequence[int]) -> Details:
        second = [one for number in again if (one := faces[number].second) is not None]
        joined = np.concatenate(second) if second else None
        return Details(tuple(faces[number].crop for number in chosen), joined)

    found = FacesFound(faces, len(pictures), StageSeconds(0.0, 0.0))
    people, groups = gather_groups(found, models, fetch, len(faces))
    shown = (
        Shown(person, face.frame, _area(face.box, pictures[face.frame]))
        for person, group in enumerate(groups)
        for face in group
    )
    return Gathered(people, tuple(sorted(shown, key=lambda one: (one.picture, one.person))))


def with_details(found: PictureFound, details: Details) -> PictureFound:
    """Give the faces of a picture, in their order, their own pictures and second encodings."""
    count = len(found.faces)
    second = [None] * count if details.second is None else details.second.reshape(count, -1)
    faces = tuple(
        replace(face, crop=crop, chip=b"", second=again)
        for face, crop, again in zip(found.faces, details.pictures, second, strict=True)
    )
    return replace(found, faces=faces)


def _placed(face: Face, number: int) -> Face:
    at = float(number)
    return replace(face, frame=number, shot=number, seconds=at, until_seconds=at, since_seconds=at)


def _area(box: Box, picture: PictureFound) -> Area:
    """Return where a box is; a child may say anything of it."""
    edges = (
        box.left / picture.width,
        box.top / picture.height,
        (box.right + 1) / picture.width,
        (box.bottom + 1) / picture.height,
    )
    return Area(*(round(min(max(edge, 0.0), 1.0), 4) for edge in edges))
