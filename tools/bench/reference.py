"""The usual way, for comparison: every frame decoded, HOG on full frames.

Written from scratch after a description of a common pipeline around face_recognition. It is
measured and never used: each step is what such pipelines do, even where a better one is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from function.engines.dlib_engine import import_face_recognition
from function.engines.weights import find_weights
from function.media.pictures import RgbImage
from tools.accuracy.reference import group_greedily

CROP_PADDING_PIXELS = 45

Location = tuple[int, int, int, int]
"""A face as face_recognition gives it: top, right, bottom, left."""


@dataclass(frozen=True, eq=False)
class ReferenceFace:
    """One face: when it was seen, its crop, and its encoding."""

    seconds: float
    crop: RgbImage
    encoding: np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class ReferenceResult:
    """What the reference found: frames it processed, faces, and the groups it made of them."""

    frames: int
    faces: tuple[ReferenceFace, ...]
    groups: tuple[tuple[ReferenceFace, ...], ...]


def load_library() -> Any:
    """Import face_recognition, which loads all its nets."""
    return import_face_recognition(find_weights())


def run_reference(video: Path, every_seconds: float, library: Any) -> ReferenceResult:
    """Find faces and groups the usual way; takes about two seconds for each sampled 1080p frame."""
    frames = 0
    faces: list[ReferenceFace] = []
    for seconds, frame in read_every_frame(video, every_seconds):
        frames += 1
        faces.extend(_find_faces(library, seconds, frame))
    numbered = list(zip(group_greedily(faces), faces, strict=True))
    groups = [
        tuple(face for number, face in numbered if number == group)
        for group in sorted({number for number, _ in numbered})
    ]
    for faces_of_one in groups:
        max(faces_of_one, key=lambda face: _rate(library, face.crop))
    return ReferenceResult(frames, tuple(faces), tuple(groups))


def read_every_frame(video: Path, every_seconds: float) -> Iterator[tuple[float, RgbImage]]:
    """Decode every frame with OpenCV and keep one every `every_seconds`, as RGB."""
    capture = cv2.VideoCapture(str(video))
    fps = capture.get(cv2.CAP_PROP_FPS)
    step = max(1, round(fps * every_seconds))
    index = 0
    while True:
        is_read, frame = capture.read()
        if not is_read:
            break
        if index % step == 0:
            rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            yield index / fps, rgb.astype(np.uint8, copy=False)
        index += 1
    capture.release()


def _find_faces(library: Any, seconds: float, frame: RgbImage) -> Iterator[ReferenceFace]:
    for location in library.face_locations(frame):
        crop = _level(library, frame, _padded(frame, location))
        encodings = library.face_encodings(crop)
        if encodings:
            yield ReferenceFace(seconds, crop, encodings[0])


def _padded(frame: RgbImage, location: Location) -> Location:
    top, right, bottom, left = location
    height, width = frame.shape[:2]
    return (
        max(0, top - CROP_PADDING_PIXELS),
        min(width, right + CROP_PADDING_PIXELS),
        min(height, bottom + CROP_PADDING_PIXELS),
        max(0, left - CROP_PADDING_PIXELS),
    )


def _level(library: Any, frame: RgbImage, location: Location) -> RgbImage:
    """Cut the face out and level it, using eyes found in the frame and in the crop."""
    library.face_landmarks(frame)
    top, right, bottom, left = location
    crop = np.ascontiguousarray(frame[top:bottom, left:right])
    landmarks = library.face_landmarks(crop)
    if not landmarks:
        return crop
    left_eye = np.mean(landmarks[0]["left_eye"], axis=0)
    right_eye = np.mean(landmarks[0]["right_eye"], axis=0)
    angle = np.degrees(np.arctan2(right_eye[1] - left_eye[1], right_eye[0] - left_eye[0]))
    height, width = crop.shape[0], crop.shape[1]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(angle), 1.0)
    return cv2.warpAffine(crop, turn, (width, height)).astype(np.uint8, copy=False)


def _rate(library: Any, crop: RgbImage) -> float:
    """Rate a crop by the size and the position of its face, detecting twice on the way."""
    first = library.face_locations(crop)
    second = library.face_locations(crop)
    if not first or not second:
        return 0.0
    top, right, bottom, left = first[0]
    share: float = (right - left) * (bottom - top) / (crop.shape[0] * crop.shape[1])
    return share
