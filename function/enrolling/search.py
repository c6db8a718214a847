"""Finds the faces in a photo."""

from function.engines.protocol import Engine
from function.enrolling.choosing import PhotoFound
from function.faces.faces import faces_of_image
from function.media.photo_decoder import decode_photo

DETECTION_PIXELS = 1280
"""Longest side of the copy in which faces are searched: a photo may take longer than a frame."""


def search_photo(content: bytes, engine: Engine) -> PhotoFound:
    """Find the faces in a photo.

    Raises:
        PhotoRefusedError: the photo is unreadable.
    """
    return PhotoFound(tuple(faces_of_image(decode_photo(content), engine, DETECTION_PIXELS)))
