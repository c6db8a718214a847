"""A face in a picture: the numbers and the one small picture that are kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.records import Vector
from function.engines.protocol import Box

BLURRED, DARK, DOUBTFUL = "blurred", "too dark", "doubtful"
"""Weaknesses: a blurred face is enrolled only on request, and a doubtful one may not be a face."""

FULL_SHARPNESS = 0.12
"""Above this, sharpness makes no difference: of two photographs that are sharper, the sharper one
is no nearer to its person's others."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one frame, as numbers and one small picture.

    The frame was sampled at `seconds` in a shot; it stands for the video from `since_seconds` until
    `until_seconds`. `box` is in pixels of the frame; `quality` is from 0 to 1; `weaknesses` says in
    words why a face is weak, and is empty for a good one; `crop` is a JPEG with level eyes. `chip`
    is a JPEG of the face as the second encoder takes it, empty without one; `second` is that
    encoder's encoding, if the face was encoded again. `sharpness` is what `measure_sharpness` says,
    and `roll_degrees` how far the head leans clockwise, -180 to 180; 0 if the detector cannot tell.
    """

    frame: int
    seconds: float
    until_seconds: float
    box: Box
    detection_score: float
    encoding: Vector
    quality: float
    weaknesses: tuple[str, ...]
    crop: bytes
    chip: bytes = b""
    second: Vector | None = None
    since_seconds: float = 0.0
    shot: int = 0
    sharpness: float = 1.0
    roll_degrees: float = 0.0

    @property
    def is_weak(self) -> bool:
        """Whether the face may join a person but not start one."""
        return bool(self.weaknesses)

    @property
    def is_doubtful(self) -> bool:
        """Whether it may not be a face at all."""
        return DOUBTFUL in self.weaknesses


@dataclass(frozen=True)
class Likeness:
    """How like its mirror image a net finds a face.

    The `cosine` between the encodings of both, at most 1; `model` is the net's, for each net finds
    other faces alike.
    """

    model: str
    cosine: float


def best_face(faces: Sequence[Face]) -> Face:
    """Choose the face to show: the best that is not doubtful; if equal, the earliest."""
    return max(faces, key=lambda face: (not face.is_doubtful, face.quality, -face.seconds))
