"""Chooses the face in a photo to enrol, or gives the reason why there is none."""

from dataclasses import dataclass

from function.enrolling.worth import NAMELESS, refusal_of, remark_on
from function.faces.face import Face
from function.media.photos import PhotoRefusedError

SMALLEST_PIXELS = 24
"""Narrower faces are enrolled only on request. Beside a good photograph, one with a face of 24
pixels helps: 87 % of 57 people are named instead of 83 %. With one of 16 pixels, 78 % are."""

TOLD_FROM_PIXELS = 12
"""A possible face too small to be sure of is not mentioned below this width: it is mostly none."""

BYSTANDER_SHARE = 0.5
"""Faces narrower than this share of the widest belong to people in the background."""

TOLD_SHARE = 0.25
"""Faces in the background with at least this share are mentioned: the widest face may be on a
poster behind the person meant. Smaller ones are mostly passers-by."""


@dataclass(frozen=True)
class PhotoDemands:
    """What a photo must be like to be enrolled."""

    largest_face: bool = False
    smallest_pixels: int = SMALLEST_PIXELS


USUAL_DEMANDS = PhotoDemands()


@dataclass(frozen=True, eq=False)
class PhotoFound:
    """The faces in a photo, each with its picture."""

    faces: tuple[Face, ...]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The face to enrol, and the other faces of its photo that may be meant, the widest first."""

    face: Face
    others: tuple[Face, ...] = ()

    @property
    def remark(self) -> str:
        """What to know of the photo: whose face was taken, and why it counts less; else empty."""
        parts = (_remark_on_others(self), remark_on(self.face))
        return "; ".join(part for part in parts if part)


def choose_face(found: PhotoFound, demands: PhotoDemands = USUAL_DEMANDS) -> Face:
    """Choose the face to enrol, as `choose_among` does."""
    return choose_among(found, demands).face


def choose_among(found: PhotoFound, demands: PhotoDemands = USUAL_DEMANDS) -> Chosen:
    """Choose the face in a photo that shows one person, or the largest if that is allowed.

    Raises:
        PhotoRefusedError: the photo shows no face, several, or one that is too small or does not
            show who it is.
    """
    # A detector finds faces in folds and shadows too, but with low scores.
    sure = sorted((one for one in found.faces if not one.is_doubtful), key=_width, reverse=True)
    widest = sure[0].box.width if sure else 0
    faces = [face for face in sure if face.box.width >= BYSTANDER_SHARE * widest]
    if not faces:
        raise PhotoRefusedError(_why_no_face(found, demands.smallest_pixels))
    if len(faces) > 1 and not demands.largest_face:
        raise PhotoRefusedError(f"several faces: {len(faces)}; crop it to one")
    face = faces[0]
    smallest = demands.smallest_pixels
    if face.box.width < smallest:
        raise PhotoRefusedError(
            f"too small: the face is {face.box.width} px wide, {smallest} are needed"
        )
    if NAMELESS in face.weaknesses:
        raise PhotoRefusedError(refusal_of(face))
    return Chosen(face, tuple(one for one in sure[1:] if one.box.width >= TOLD_SHARE * widest))


def _width(face: Face) -> int:
    return face.box.width


def _remark_on_others(chosen: Chosen) -> str:
    if not chosen.others:
        return ""
    return (
        f"of {1 + len(chosen.others)} faces the largest was taken, {chosen.face.box.width} px wide "
        f"(the next is {chosen.others[0].box.width}): if that is somebody else, crop the photo"
    )


def _why_no_face(found: PhotoFound, smallest: int) -> str:
    widest = max((face.box.width for face in found.faces), default=0)
    if not TOLD_FROM_PIXELS <= widest < smallest:
        return "no face found"
    return f"no face found; a possible one is {widest} px wide, {smallest} are needed"
