"""A frame becomes faces: found, turned upright, encoded and weighed. Pictures end here."""

from dataclasses import dataclass

from db.records import Vector
from function.engines import Box


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one frame, as numbers and one small picture.

    `box` is in pixels of the frame; `quality` runs from 0 to 1; `weaknesses` says in words why a
    face is weak, and is empty for a good one; `crop` is a JPEG, levelled at the eyes.
    """

    frame: int
    seconds: float
    box: Box
    detection_score: float
    encoding: Vector
    quality: float
    weaknesses: tuple[str, ...]
    crop: bytes

    @property
    def is_weak(self) -> bool:
        """Whether the face may join a person but not found one."""
        return bool(self.weaknesses)
