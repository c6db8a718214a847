"""Finds the faces in a frame, turns them upright, encodes and rates them. Keeps no whole frame."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from db.records import Vector
from function.engines.heads import fit_head
from function.engines.protocol import Detection, Encoder, Engine
from function.faces.crops import cut_crop
from function.faces.face import Face
from function.faces.quality import (
    doubt_encoding,
    make_blank_chip,
    rate_chip,
    rate_points,
    weigh_face,
)
from function.faces.repeats import Repeats
from function.faces.second_encodings import cut_chip
from function.media.frames import Frame
from function.media.images import RgbPicture
from function.media.pictures import Picture, RgbImage

BATCH_FACES = 8
"""Chips encoded in one call: larger batches are no faster (5.3 ms a face at 8, 5.25 at 32)."""

MOST_WAITING = 4 * BATCH_FACES
"""At most this many faces wait for a batch to fill, including those that need no encoding."""


LEAST_HALVED_PIXELS = 80
"""A face narrower than this in a halved picture is cut from the whole one."""


@dataclass(eq=False)
class _Found:
    """A face that has no encoding yet, and the chip to encode; the frame is released.

    A face that repeats an earlier one has no chip: it takes the encoding of that one.
    """

    face: Face
    chip: RgbImage | None
    repeats: "_Found | None" = None


_NOT_YET = np.empty(0, dtype=np.float32)


def find_faces(
    frames: Iterable[Frame], engine: Engine, detection_pixels: int
) -> Iterator[tuple[float, list[Face]]]:
    """Find, align and encode the faces of a video, those of several frames in one call.

    Faces are searched for in smaller pictures (see `Engine.open_detector`), and cut from the
    full-size frame, where the encoder sees more. Yields for each frame the seconds done and the
    faces encoded since the last one; in the end once more if some are left to be encoded.
    """
    finder = _Finder(engine, detection_pixels)
    waiting: list[_Found] = []
    seconds = 0.0
    for frame in frames:
        seconds = frame.seconds
        waiting.extend(finder.find(frame))
        fresh = sum(one.chip is not None for one in waiting)
        ready = len(waiting) if fresh >= BATCH_FACES or len(waiting) >= MOST_WAITING else 0
        yield seconds, finder.encode(waiting[:ready])
        del waiting[:ready]
    if waiting:
        yield seconds, finder.encode(waiting)


def faces_of_image(image: RgbImage, engine: Engine, detection_pixels: int) -> list[Face]:
    """Find the faces in one photo, the most certain first."""
    frame = Frame(index=0, seconds=0.0, until_seconds=0.0, picture=RgbPicture(image))
    return [face for _, faces in find_faces([frame], engine, detection_pixels) for face in faces]


class _Finder:
    """Finds the faces in one video, and remembers those of the frame before."""

    def __init__(self, engine: Engine, detection_pixels: int) -> None:
        self._engine = engine
        self._detector = engine.open_detector(detection_pixels)
        self._repeats: Repeats[_Found] = Repeats()

    def find(self, frame: Frame) -> Iterator[_Found]:
        """Find the faces in a frame, the most certain first."""
        self._repeats.next_frame()
        rgb = frame.picture.rgb()
        for detection in self._detector.detect(frame.picture):
            earlier = self._repeats.find(rgb, detection)
            if earlier is not None:
                yield _Found(_seen_again(earlier.face, frame, detection), None, repeats=earlier)
                continue
            found = self._look_at(frame, detection)
            self._repeats.remember(rgb, detection, found)
            yield found

    def _look_at(self, frame: Frame, detection: Detection) -> _Found:
        picture, scale = _choose_picture(frame, detection)
        detection = detection.scaled(scale)
        alignment = self._engine.encoder.cut(picture, detection)
        detection = replace(detection, box=alignment.box)
        if detection.points is None:
            frontal = rate_chip(self._engine.rate_frontal(alignment.chip))
        else:
            frontal = rate_points(detection)
        quality = weigh_face(detection, alignment, frontal)
        face = Face(
            frame=frame.index,
            seconds=frame.seconds,
            until_seconds=frame.until_seconds,
            box=detection.box.scaled(1 / scale),
            detection_score=detection.score,
            encoding=_NOT_YET,
            quality=quality.value,
            weaknesses=quality.weaknesses,
            crop=cut_crop(picture.rgb(), detection.box, alignment.points),
            chip=cut_chip(picture.rgb(), detection, self._engine.second),
            shot=frame.shot,
            sharpness=quality.sharpness,
            roll_degrees=0.0
            if detection.points is None
            else fit_head(detection.points).roll_degrees,
        )
        return _Found(face, alignment.chip)

    def encode(self, found: Sequence[_Found]) -> list[Face]:
        """Encode faces in one call, and give the encodings to those that repeat them."""
        fresh = [(one, one.chip) for one in found if one.chip is not None]
        if fresh:
            encodings = self._engine.encoder.encode([chip for _, chip in fresh])
            for (one, _), encoding in zip(fresh, encodings, strict=True):
                one.face = self._with_encoding(one.face, encoding)
        for one in found:
            if one.repeats is not None:
                first = one.repeats.face
                one.face = replace(one.face, encoding=first.encoding, weaknesses=first.weaknesses)
        return [one.face for one in found]

    def _with_encoding(self, face: Face, encoding: Vector) -> Face:
        blank = encode_blank(self._engine.encoder)
        weaknesses = doubt_encoding(
            face.weaknesses, face.detection_score, encoding, blank, self._engine.encoder.model
        )
        return replace(face, encoding=encoding, weaknesses=weaknesses)


def _choose_picture(frame: Frame, detection: Detection) -> tuple[Picture, float]:
    """Return the picture to cut a face from, and how many times larger it is than the frame's."""
    if frame.whole is None or detection.box.width >= LEAST_HALVED_PIXELS:
        return frame.picture, 1.0
    return frame.whole, frame.whole.width / frame.picture.width


_BLANKS: WeakKeyDictionary[Any, Vector] = WeakKeyDictionary()


def encode_blank(encoder: Encoder) -> Vector:
    """Return an encoder's encoding of a chip that shows nothing; it is computed once."""
    if encoder not in _BLANKS:
        (_BLANKS[encoder],) = encoder.encode([make_blank_chip(encoder.model)])
    return _BLANKS[encoder]


def _seen_again(face: Face, frame: Frame, detection: Detection) -> Face:
    """Return a copy of a face that is seen again unchanged, with the new time, box and score."""
    return replace(
        face,
        frame=frame.index,
        seconds=frame.seconds,
        until_seconds=frame.until_seconds,
        box=detection.box,
        detection_score=detection.score,
        shot=frame.shot,
    )
