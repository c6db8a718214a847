"""Chooses the face in a photo to enrol, or gives the reason why there is none."""

from dataclasses import dataclass

from function.faces.face import BLURRED, Face
from function.media.photos import PhotoRefusedError

SMALLEST_PIXELS = 40
"""Narrower faces are enrolled only on request: an enrolled face is used for years."""

BYSTANDER_SHARE = 0.5
"""Faces narrower than this share of the widest belong to people in the background."""


@dataclass(frozen=True)
class PhotoDemands:
    """What a photo must be like to be enrolled."""

    largest_face: bool = False
    smallest_pixels: int = SMALLEST_PIXELS
    allow_blurred: bool = False


USUAL_DEMANDS = PhotoDemands()


@dataclass(frozen=True, eq=False)
class PhotoFound:
    """The faces in a photo, each with its picture."""

    faces: tuple[Face, ...]


def choose_face(found: PhotoFound, demands: PhotoDemands = USUAL_DEMANDS) -> Face:
    """Choose the face in a photo that shows one person, or the largest if that is allowed.

    Raises:
        PhotoRefusedError: the photo shows no face, several, or one that is too small or blurred.
    """
    # A detector finds faces in folds and shadows too, but with low scores.
    sure = [face for face in found.faces if not face.is_doubtful]
    widest = max((face.box.width for face in sure), default=0)
    faces = [face for face in sure if face.box.width >= BYSTANDER_SHARE * widest]
    if not faces:
        raise PhotoRefusedError("no face found")
    if len(faces) > 1 and not demands.largest_face:
        raise PhotoRefusedError(f"several faces: {len(faces)}; crop it to one")
    face = max(faces, key=lambda one: one.box.width)
    smallest = demands.smallest_pixels
    if face.box.width < smallest:
        raise PhotoRefusedError(
            f"too small: the face is {face.box.width} px wide, {smallest} are needed"
        )
    if BLURRED in face.weaknesses and not demands.allow_blurred:
        raise PhotoRefusedError("blurred: choose a sharper one")
    return face
