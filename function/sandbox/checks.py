"""Checks the answers of a child, and refuses what cannot be true."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from db.blobs import LARGEST_NUMBER
from db.people import PersonFound, View
from db.records import Vector
from function.enrolling.choosing import PhotoFound
from function.enrolling.worth import LOWEST_QUALITY
from function.faces.face import Face
from function.faces.found import FRAMES_BETWEEN_SHOTS, MOST_IN_PICTURE, PictureFound, Progress
from function.media.decoders import DECODED_BY
from function.media.pictures import (
    LONGEST_NAME,
    MOST_LEFT_OUT,
    MOST_PICTURES,
    Contents,
    Entry,
    Moment,
)
from function.people.gathering import PeopleFound
from function.people.links import MOST_LINKS
from function.sandbox.messages import Answer, Ready
from function.sandbox.portions import (
    MOST_FACES,
    MOST_PEOPLE,
    MOST_PEOPLE_BYTES,
    Portion,
    weigh_people,
)
from function.sandbox.wire import WireError

Dimensions: TypeAlias = tuple[int, int]
"""How many numbers the encodings of both encoders have; 0 without a second one."""

JPEG_BEGINS = b"\xff\xd8\xff"

MOST_WEAKNESSES = 16
LONGEST_WEAKNESS = 100


def check_answer(answer: Answer, dimensions: Dimensions) -> None:
    """Check the answer of a child whose encodings have `dimensions` numbers.

    Raises:
        WireError: the answer cannot be true.
    """
    if isinstance(answer, PeopleFound):
        check_people(answer, dimensions)
    if isinstance(answer, Ready):
        _check_decoder(answer.decoder)
    if isinstance(answer, Progress) and min(vars(answer).values()) < 0:
        raise WireError("progress is negative")
    if isinstance(answer, PhotoFound):
        _check_faces(answer.faces, dimensions)
        _check_pictures([face.crop for face in answer.faces])
    _check_pictured(answer, dimensions)


def check_portion(portion: Portion, dimensions: Dimensions) -> None:
    """Check a part of an answer, before it is kept.

    Raises:
        WireError: it cannot be true.
    """
    _check_faces(portion.faces, dimensions)
    _check_files(portion.files)
    for person in portion.people:
        _check_pictures([person.picture] if person.picture else [])
        for view in person.views:
            _check_view(view, dimensions)


def check_people(found: PeopleFound, dimensions: Dimensions) -> None:
    """Check the people that a child or another machine found, by encodings of `dimensions`.

    Raises:
        WireError: they cannot be true.
    """
    if (taken := weigh_people(found.people)) > MOST_PEOPLE_BYTES:
        raise WireError(f"people of {taken} bytes are too many")
    if len(found.people) > MOST_PEOPLE:
        raise WireError(f"{len(found.people)} people are too many")
    if len(found.links) > MOST_LINKS:
        raise WireError(f"{len(found.links)} links are too many")
    _check_decoder(found.decoder)
    for person in found.people:
        _check_person(person, found.frames, dimensions)
    for link in found.links:
        least, most = sorted((link.first, link.second))
        if not 0 <= least < most < len(found.people):
            raise WireError("a link is between people who are not there")
    numbers = (
        *(found.frames, found.faces, found.unreadable_seconds),
        *vars(found.seconds).values(),
    )
    if min(*numbers, *(link.distance for link in found.links)) < 0:
        raise WireError("a count, a time or a distance is negative")


def _check_person(person: PersonFound, frames: int, dimensions: Dimensions) -> None:
    _check_pictures([person.picture])
    if not person.views or not person.seen or person.best_seconds < 0:
        raise WireError("a person is seen nowhere")
    for view in person.views:
        _check_view(view, dimensions)
    if len(person.seen) > frames:
        raise WireError("a person is in more frames than there are")
    for seen in person.seen:
        if not 0 <= seen.since_seconds <= seen.seconds <= seen.until_seconds:
            raise WireError("a person is seen at an impossible time")
        if not 0 <= seen.frame <= (1 + FRAMES_BETWEEN_SHOTS) * (frames - 1):
            raise WireError("a person is in no frame")
    if any(after.frame <= before.frame for before, after in pairwise(person.seen)):
        raise WireError("a person is seen in no order")


def _check_view(view: View, dimensions: Dimensions) -> None:
    if not 1 <= len(view.encodings) <= len(dimensions):
        raise WireError("a view has the wrong number of encodings")
    for encoding, expected in zip(view.encodings, dimensions, strict=False):
        _check_encoding(encoding, expected, expected)
    _check_weaknesses(view.weaknesses)
    if not LOWEST_QUALITY <= view.quality <= 1 or view.faces < 1 or view.seconds < 0:
        raise WireError("a view has impossible numbers")


def _check_pictured(answer: Answer, dimensions: Dimensions) -> None:
    """Check what is said of a moment, a picture or an archive, if it is that."""
    if isinstance(answer, Moment):
        _check_pictures([answer.picture])
        if answer.seconds < 0:
            raise WireError("a moment is before the video begins")
    if isinstance(answer, Contents):
        _check_contents(answer)
    if isinstance(answer, PictureFound):
        _check_faces(answer.faces, dimensions)
        _check_size(answer, dimensions)


def _check_size(found: PictureFound, dimensions: Dimensions) -> None:
    if min(found.width, found.height) < 1:
        raise WireError("a picture has no size")
    if len(found.faces) > MOST_IN_PICTURE:
        raise WireError(f"{len(found.faces)} faces are too many for a picture")
    for face in found.faces:
        if face.frame or face.seconds or face.until_seconds:
            raise WireError("a face in a picture has a time")
        if not face.crop or (face.second is None) != (not dimensions[1]):
            raise WireError("a face in a picture lacks its own picture, or an encoding")


def _check_contents(contents: Contents) -> None:
    if len(contents.pictures) > MOST_PICTURES or len(contents.left_out) > MOST_LEFT_OUT:
        raise WireError("an archive holds too many pictures")
    _check_files((*contents.pictures, *contents.left_out))
    if contents.left_over < 0 or any(one.place < 0 for one in contents.pictures):
        raise WireError("a file is nowhere in its archive")


def _check_files(files: Sequence[Entry]) -> None:
    if any(max(len(one.name), len(one.reason), len(one.content)) > LONGEST_NAME for one in files):
        raise WireError("a name in an archive is too long")


def _check_faces(faces: Sequence[Face], dimensions: Dimensions) -> None:
    if len(faces) > MOST_FACES:
        raise WireError(f"{len(faces)} faces are too many")
    for face in faces:
        _check_face(face, dimensions)


def _check_face(face: Face, dimensions: Dimensions) -> None:
    _check_encoding(face.encoding, dimensions[0], dimensions[0])
    if face.second is not None:
        _check_encoding(face.second, dimensions[1], dimensions[1])
    _check_pictures([picture for picture in (face.crop, face.chip) if picture])
    _check_weaknesses(face.weaknesses)
    if not 0 <= face.since_seconds <= face.seconds <= face.until_seconds:
        raise WireError("a face is seen at an impossible time")
    if not LOWEST_QUALITY <= face.quality <= 1 or face.frame < 0:
        raise WireError("a face has impossible numbers")


def _check_weaknesses(weaknesses: Sequence[str]) -> None:
    """Check the words for what is weak about a face: they reach the gallery, and are shown."""
    if len(weaknesses) > MOST_WEAKNESSES:
        raise WireError("a face has too many weaknesses")
    if any(len(one) > LONGEST_WEAKNESS or not one.isascii() for one in weaknesses):
        raise WireError("a face has a weakness that is too long, or in no words of ours")
    if not all(map(str.isprintable, weaknesses)):
        raise WireError("a face has a weakness with control characters")


def _check_encoding(encoding: Vector, numbers: int, dimensions: int) -> None:
    """Check an encoding, or several one after the other, that should hold `numbers` numbers."""
    if not dimensions or numbers % dimensions or encoding.shape != (numbers,):
        raise WireError("an encoding has the wrong length")
    if not np.abs(encoding).max() <= LARGEST_NUMBER:
        raise WireError("an encoding has impossible numbers")


def _check_decoder(name: str) -> None:
    if name not in DECODED_BY:
        raise WireError("a decoder has no such name")


def _check_pictures(pictures: Sequence[bytes]) -> None:
    if not all(picture.startswith(JPEG_BEGINS) for picture in pictures):
        raise WireError("a picture is not a JPEG")
