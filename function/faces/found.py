"""The search of a video: its task, its progress and its result."""

from dataclasses import dataclass

from db.records import Vector
from function.faces.face import Face

PICTURE_PIXELS = 1280
"""Longest side of the copy of a picture that is searched for faces: a picture of an album may take
longer than a frame of a video."""

MOST_IN_PICTURE = 300
"""This many faces of a crowd in one picture are kept, the most certain ones."""

FRAMES_BETWEEN_SHOTS = 2
"""From one shot to the next the numbers of frames leap by this many: frames of two shots are never
taken for a frame and the next but one of the same shot."""


@dataclass(frozen=True)
class Progress:
    """How far a recognition has got: seconds of video done, of the total, and faces so far."""

    done_seconds: float
    of_seconds: float
    faces: int


@dataclass(frozen=True)
class Task:
    """How to process a video; the first two fields are those of Settings.

    `spread` makes it a quick look at this many pictures, spread over the video, and as many again
    until they are enough (see `plan_rounds`). With None, samples are as far apart as
    `every_seconds` says.
    """

    every_seconds: float | None
    detection_pixels: int
    spread: int | None = None


@dataclass(frozen=True)
class StageSeconds:
    """How long each stage took: waiting for frames, finding faces in them, grouping them.

    If several processes searched a video, the first two are added up over them.
    """

    frames: float
    faces: float
    people: float = 0.0


@dataclass(frozen=True, eq=False)
class Details:
    """What only chosen faces need: JPEGs, and second encodings, each in the order requested.

    `second` holds the encodings one after the other, float32 (count x dimensions,), or None.
    """

    pictures: tuple[bytes, ...]
    second: Vector | None


@dataclass(frozen=True, eq=False)
class PictureFound:
    """The faces in one picture, the most certain first, and the size that their boxes belong to.

    `width` and `height` are in pixels of the picture as it was searched, which may be a smaller
    copy.
    """

    width: int
    height: int
    faces: tuple[Face, ...]


@dataclass(frozen=True, eq=False)
class FacesFound:
    """All faces in a video, in order of time, and the number of frames searched.

    `unreadable_seconds` is how much of the video is damaged and was not seen. `decoder` is what
    decoded it, one of `DECODED_BY`.
    """

    faces: tuple[Face, ...]
    frames: int
    seconds: StageSeconds
    unreadable_seconds: float = 0.0
    decoder: str = "cpu"


@dataclass(frozen=True, eq=False)
class StretchFound:
    """What was found in one stretch of a video; frames and shots are counted from 0 in it.

    `samples` holds seconds, until seconds and shot of each frame. `edges` are the grey cells of the
    first and the last frame, int16, by which shots are joined; empty without frames. `missing` are
    the spans that could not be read, in seconds. `decoder` is what decoded it, one of `DECODED_BY`.
    """

    number: int
    faces: tuple[Face, ...]
    samples: tuple[tuple[float, float, int], ...]
    edges: tuple[bytes, ...]
    keyframes_seconds: tuple[float, ...]
    missing: tuple[tuple[float, float], ...]
    seconds: StageSeconds
    decoder: str = "cpu"
