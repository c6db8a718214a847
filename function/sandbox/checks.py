"""Checks what a child says it saw, and refuses what cannot be true."""

from function.faces.faces import Face
from function.media.moments import Moment
from function.people.people import Person
from function.people.search import Findings
from function.sandbox.messages import Answer
from function.sandbox.wire import WireError

JPEG_BEGINS = b"\xff\xd8\xff"


def check_answer(answer: Answer, dimensions: int) -> None:
    """Doubt what a child says it found; its encodings have `dimensions` numbers.

    Raises:
        WireError: it cannot be true.
    """
    if isinstance(answer, Findings):
        for person in answer.people:
            _check_person(person, dimensions)
    if isinstance(answer, Face):
        _check_face(answer, dimensions)
        _require_picture((answer,))
    if isinstance(answer, Moment):
        _check_moment(answer)


def _check_moment(moment: Moment) -> None:
    if moment.seconds < 0 or not moment.picture.startswith(JPEG_BEGINS):
        raise WireError("a moment has no picture, or is before the beginning")


def _check_person(person: Person, dimensions: int) -> None:
    if not person.faces or person.template.shape != (dimensions,):
        raise WireError("a person has no faces, or no template")
    for face in person.faces:
        _check_face(face, dimensions)
    _require_picture(person.faces)


def _check_face(face: Face, dimensions: int) -> None:
    if face.encoding.shape != (dimensions,):
        raise WireError("an encoding has another length")
    if face.crop and not face.crop.startswith(JPEG_BEGINS):
        raise WireError("a picture is not a JPEG")
    if not 0 <= face.seconds <= face.until_seconds or not 0 <= face.quality <= 1:
        raise WireError("a face has impossible numbers")


def _require_picture(faces: tuple[Face, ...]) -> None:
    if not any(face.crop for face in faces):
        raise WireError("nobody has a picture")
