"""A frame becomes faces: found, turned upright, encoded and weighed. Pictures end here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from db.records import Vector
from function.crops import cut_crop
from function.engines import Box, Engine, RgbImage
from function.frames import Frame
from function.quality import weigh_face

BATCH_FACES = 8
"""Chips encoded in one call: larger batches are no faster (5.3 ms a face at 8, 5.25 at 32)."""

SMALLEST_PICTURE_PIXELS = 40
"""No face that could be told apart fits into less, and dlib's nets refuse much less."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one frame, as numbers and one small picture.

    `box` is in pixels of the frame; `quality` runs from 0 to 1; `weaknesses` says in words why a
    face is weak, and is empty for a good one; `crop` is a JPEG, levelled at the eyes.
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

    @property
    def is_weak(self) -> bool:
        """Whether the face may join a person but not found one."""
        return bool(self.weaknesses)


@dataclass(frozen=True, eq=False)
class _Found:
    """A face still without its encoding, and the chip to make it from; the frame is let go."""

    face: Face
    chip: RgbImage


_NOT_YET = np.empty(0, dtype=np.float32)


def find_faces(
    frames: Iterable[Frame], engine: Engine, detection_pixels: int
) -> Iterator[tuple[float, list[Face]]]:
    """Find, align and encode the faces of a video, those of several frames in one call.

    Faces are looked for in a picture of at most `detection_pixels` on its longest side, and cut
    from the full-size frame, where the encoder sees more. Yields, for each frame, the seconds done
    and the faces that were encoded since; the last ones come by themselves at the end.
    """
    waiting: list[_Found] = []
    seconds = 0.0
    for frame in frames:
        seconds = frame.seconds
        waiting.extend(_find(frame, engine, detection_pixels))
        ready = len(waiting) - len(waiting) % BATCH_FACES
        yield seconds, _encode(waiting[:ready], engine)
        del waiting[:ready]
    if waiting:
        yield seconds, _encode(waiting, engine)


def faces_of_image(image: RgbImage, engine: Engine, detection_pixels: int) -> list[Face]:
    """Find the faces of one photo, surest first."""
    frame = Frame(index=0, seconds=0.0, until_seconds=0.0, rgb=image)
    found = find_faces([frame], engine, detection_pixels)
    return [face for _, faces in found for face in faces]


def best_face(faces: Sequence[Face]) -> Face:
    """Choose the face to show: the one with the highest quality, the earliest of equals."""
    return max(faces, key=lambda face: (face.quality, -face.seconds))


def _find(frame: Frame, engine: Engine, detection_pixels: int) -> Iterator[_Found]:
    if min(frame.rgb.shape[:2]) < SMALLEST_PICTURE_PIXELS:
        return
    small, scale = shrink(frame.rgb, detection_pixels)
    for detection in engine.detect(small):
        box = detection.box.scaled(1 / scale)
        alignment = engine.align(frame.rgb, box)
        quality = weigh_face(box, alignment)
        face = Face(
            frame=frame.index,
            seconds=frame.seconds,
            until_seconds=frame.until_seconds,
            box=box,
            detection_score=detection.score,
            encoding=_NOT_YET,
            quality=quality.value,
            weaknesses=quality.weaknesses,
            crop=cut_crop(frame.rgb, box, alignment.landmarks),
        )
        yield _Found(face, alignment.chip)


def shrink(image: RgbImage, longest_side: int) -> tuple[RgbImage, float]:
    """Scale a picture down until its longest side is `longest_side` pixels; never up.

    Returns the picture and the factor it was scaled by (1.0 where it was small enough).
    """
    height, width = image.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return image, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False), scale


def _encode(found: Sequence[_Found], engine: Engine) -> list[Face]:
    if not found:
        return []
    encodings = engine.encode([one.chip for one in found])
    return [
        replace(one.face, encoding=encoding) for one, encoding in zip(found, encodings, strict=True)
    ]
