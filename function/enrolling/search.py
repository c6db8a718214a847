"""Finds the faces in a photo."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from function.engines.protocol import Engine
from function.enrolling.choosing import PhotoFound
from function.enrolling.worth import LEAST_CHANCE, estimate_chance, rate_photo
from function.faces.face import Face
from function.faces.faces import encode_blank, faces_of_image
from function.faces.second_encodings import encode_with_likeness
from function.media.images import decode_jpeg, encode_jpeg
from function.media.photo_decoder import decode_photo
from function.media.pictures import RgbImage

DETECTION_PIXELS = 1280
"""Longest side of the copy in which faces are searched: a photo may take longer than a frame."""

QUARTER_DEGREES = 90

SHOWN_QUALITY = 80
"""A face of 128 pixels is about 4 KB as a JPEG of this quality."""

ANY_TURN = (2, 1, 3)
"""Quarter turns to try with a photo whose faces show nobody: upside down comes first, because
an upside-down face is at times taken for an upright one, with its mouth for eyes."""


@dataclass(frozen=True, eq=False)
class _Looked:
    """The faces found in a photo turned one way, and the widest one's chance to name its person.

    The chance is -1 without a face. `lean` is how many quarter turns counterclockwise would set
    the widest upright.
    """

    faces: tuple[Face, ...]
    chance: float
    lean: int


def search_photo(content: bytes, engine: Engine) -> PhotoFound:
    """Decode a photo and find the faces in it; see `search_picture`.

    Raises:
        PhotoRefusedError: the photo is unreadable.
    """
    return search_picture(decode_photo(content), engine)


def search_picture(image: RgbImage, engine: Engine) -> PhotoFound:
    """Find the faces in a picture; the widest, which alone may be enrolled, is rated and encoded.

    A picture whose widest face lies on its side or upside down is turned and searched again, so
    that its encodings are those of the upright one; boxes are then those in the turned one. If
    there are faces but nobody can be told by them, every way to hold it is tried.
    """
    found = _look_at(image, engine)
    turns: Sequence[int] = (found.lean,) if found.lean else ()
    if found.faces and found.chance < LEAST_CHANCE:
        turns = ANY_TURN
    for turn in turns:
        turned = _look_at(np.ascontiguousarray(np.rot90(image, turn)), engine)
        # The same face read upright is worth about as much; anything worth far less is no face.
        upright = turned.lean == 0 and turned.chance >= LEAST_CHANCE
        if upright or turned.chance > found.chance >= LEAST_CHANCE:
            found = turned
            break
    return PhotoFound(tuple(replace(face, chip=_reduced(face.chip)) for face in found.faces))


def _reduced(chip: bytes) -> bytes:
    """Compress a chip, which is 128 pixels wide, as far as it is only to be looked at."""
    return encode_jpeg(decode_jpeg(chip), SHOWN_QUALITY) if chip else b""


def _look_at(image: RgbImage, engine: Engine) -> _Looked:
    """Find the faces in a photo as it is held, and rate the widest."""
    faces = faces_of_image(image, engine, DETECTION_PIXELS)
    widest = max((face for face in faces if not face.is_doubtful), key=_width, default=None)
    if widest is None:
        return _Looked(tuple(faces), chance=-1.0, lean=0)
    again, likeness = encode_with_likeness(widest, engine.second)
    chance = estimate_chance(again, encode_blank(engine.encoder), likeness)
    rated = rate_photo(again, chance)
    lean = round(widest.roll_degrees / QUARTER_DEGREES) % 4
    return _Looked(tuple(rated if face is widest else face for face in faces), chance, lean)


def _width(face: Face) -> int:
    return face.box.width
