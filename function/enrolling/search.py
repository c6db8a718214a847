"""Finds the faces in a photo."""

from dataclasses import replace

from function.engines.protocol import Engine
from function.enrolling.choosing import PhotoFound
from function.faces.face import Face
from function.faces.faces import faces_of_image
from function.faces.second_encodings import encode_again
from function.media.photo_decoder import decode_photo

DETECTION_PIXELS = 1280
"""Longest side of the copy in which faces are searched: a photo may take longer than a frame."""


def search_photo(content: bytes, engine: Engine) -> PhotoFound:
    """Find the faces in a photo; the widest, which alone may be enrolled, is encoded twice.

    Raises:
        PhotoRefusedError: the photo is unreadable.
    """
    faces = faces_of_image(decode_photo(content), engine, DETECTION_PIXELS)
    widest = max((face for face in faces if not face.is_doubtful), key=_width, default=None)
    again = [encode_again(face, engine.second) if face is widest else face for face in faces]
    return PhotoFound(tuple(replace(face, chip=b"") for face in again))


def _width(face: Face) -> int:
    return face.box.width
