"""Finds the face in a photo that shows one person, or says why it cannot be used."""

from function.engines.protocol import Engine
from function.errors import PhotoUnusableError
from function.faces.faces import Face, faces_of_image
from function.faces.quality import BLURRED
from function.media.photos import PhotoRefusedError
from function.media.stills import decode_photo

DETECTION_PIXELS = 1280
"""Longest side of the picture in which a photo's face is searched: a still may take longer."""

SMALLEST_PIXELS = 40
"""Narrower faces are enrolled only on request: enrolled faces are compared with for years."""

BYSTANDER_SHARE = 0.5
"""Faces narrower than this share of the widest are people passing in the background."""


def find_only_face(
    content: bytes,
    engine: Engine,
    *,
    largest_face: bool = False,
    smallest_pixels: int = SMALLEST_PIXELS,
    allow_blurred: bool = False,
) -> Face:
    """Find the face in a photo that shows one person, or the largest if that is allowed.

    Raises:
        PhotoRefusedError: the photo is unreadable or blurred, or shows no face, several, or one
        that is too small.
    """
    found = faces_of_image(decode_photo(content), engine, DETECTION_PIXELS)
    # A detector finds faces in folds and shadows too, but with low scores.
    sure = [face for face in found if not face.is_doubtful]
    widest = max((face.box.width for face in sure), default=0)
    faces = [face for face in sure if face.box.width >= BYSTANDER_SHARE * widest]
    if not faces:
        raise PhotoRefusedError("no face found")
    if len(faces) > 1 and not largest_face:
        raise PhotoRefusedError(f"several faces: {len(faces)}; crop it to one")
    face = max(faces, key=lambda one: one.box.width)
    if face.box.width < smallest_pixels:
        raise PhotoRefusedError(
            f"too small: the face is {face.box.width} px wide, {smallest_pixels} are needed"
        )
    if BLURRED in face.weaknesses and not allow_blurred:
        raise PhotoRefusedError("blurred: choose a sharper one")
    return face


def find_face_asked_for(content: bytes, engine: Engine) -> Face:
    """Find the face in a photo that a request brings.

    Raises:
        PhotoUnusableError: it is refused, for a reason of `find_only_face`.
    """
    try:
        return find_only_face(content, engine)
    except PhotoRefusedError as error:
        raise PhotoUnusableError(f"{error}.") from error
