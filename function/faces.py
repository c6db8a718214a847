"""A frame becomes faces: found, turned upright, encoded and weighed. Pictures end here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from db.records import Vector
from function.crops import cut_crop
from function.detection import detect_faces
from function.engines import Box, Engine, Landmarks, RgbImage
from function.frames import Frame
from function.quality import weigh_face

BATCH_FACES = 8
"""Chips encoded in one call: larger batches are no faster (5.3 ms a face at 8, 5.25 at 32)."""

WIDTH_BY_LANDMARKS, MIDDLE_DOWN = 2.04, 0.62
"""A face's box is so many times as wide as the diagonal over both eyes and down to the nose, and
its middle lies so far on the way from the eyes to the nose: HOG's boxes of 107 photographs, whose
widths vary by 8 % around that."""

COARSEST_BOX = 1.4
"""A detector's box is at most so many times too large or too small (levels are 1.6 apart)."""


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
    frames: Iterable[Frame], engine: Engine, detection_pixels: int, *, enlarges: bool = True
) -> Iterator[tuple[float, list[Face]]]:
    """Find, align and encode the faces of a video, those of several frames in one call.

    Faces are looked for in a smaller picture (see `detect_faces`), and cut from the full-size
    frame, where the encoder sees more. Yields for each frame the seconds done and the faces that
    were encoded since.
    """
    waiting: list[_Found] = []
    done: tuple[float, list[Face]] | None = None
    for frame in frames:
        if done:
            yield done
        waiting.extend(_find(frame, engine, detection_pixels, enlarges=enlarges))
        ready = len(waiting) - len(waiting) % BATCH_FACES
        done = frame.seconds, _encode(waiting[:ready], engine)
        del waiting[:ready]
    if done:
        seconds, faces = done
        yield seconds, faces + _encode(waiting, engine)


def faces_of_image(image: RgbImage, engine: Engine, detection_pixels: int) -> list[Face]:
    """Find the faces of one photo, surest first; enlarged only if none are seen at its own size."""
    frame = Frame(index=0, seconds=0.0, until_seconds=0.0, rgb=image)
    for enlarges in (False, True):
        found = find_faces([frame], engine, detection_pixels, enlarges=enlarges)
        faces = [face for _, new in found for face in new]
        if faces:
            return faces
    return []


def best_face(faces: Sequence[Face]) -> Face:
    """Choose the face to show: the one with the highest quality, the earliest of equals."""
    return max(faces, key=lambda face: (face.quality, -face.seconds))


def _find(
    frame: Frame, engine: Engine, detection_pixels: int, *, enlarges: bool
) -> Iterator[_Found]:
    for detection in detect_faces(frame.rgb, engine, detection_pixels, enlarges=enlarges):
        alignment = engine.align(frame.rgb, detection.box)
        box = fit_box(detection.box, alignment.landmarks)
        frontal_score = engine.rate_frontal(alignment.chip)
        quality = weigh_face(replace(detection, box=box), alignment, frontal_score)
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


def fit_box(found: Box, landmarks: Landmarks) -> Box:
    """Give the box that a detector found the size that the landmarks speak of.

    A detector's box is as large as its window at some level of its pyramid; the landmarks found in
    it hardly depend on that. The middle is taken between theirs, which profiles shift, and the
    detector's, which falls on a grid.
    """
    eyes = landmarks[:4].mean(axis=0)
    across = np.linalg.norm(landmarks[:2].mean(axis=0) - landmarks[2:4].mean(axis=0))
    down = landmarks[4] - eyes
    smallest, largest = found.width / COARSEST_BOX, found.width * COARSEST_BOX
    diagonal = np.hypot(across, np.linalg.norm(down))
    width = round(min(max(WIDTH_BY_LANDMARKS * diagonal, smallest), largest))
    grid_middle = np.array([found.left + found.right, found.top + found.bottom]) / 2
    middle = (grid_middle + eyes + MIDDLE_DOWN * down) / 2
    left, top = np.rint(middle - (width - 1) / 2).astype(int).tolist()
    return Box(left, top, left + width - 1, top + width - 1)


def _encode(found: Sequence[_Found], engine: Engine) -> list[Face]:
    if not found:
        return []
    encodings = engine.encode([one.chip for one in found])
    return [
        replace(one.face, encoding=encoding) for one, encoding in zip(found, encodings, strict=True)
    ]
