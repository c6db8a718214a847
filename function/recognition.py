"""From a video to the people in it: the table of contents of this package."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from db.records import Snapshot
from function.engines import Engine
from function.faces import Face, find_faces
from function.frames import read_ahead, sample_frames
from function.matches import Identification, match_people
from function.people import group_faces
from function.settings import Settings
from function.videos import open_video

DECODER_THREADS = 1
"""A second one costs a quarter more CPU time where gaps are filled, and saves little waiting."""


@dataclass(frozen=True)
class Progress:
    """How far a recognition has come: seconds of video done, of how many, and faces so far."""

    done_seconds: float
    of_seconds: float
    faces: int


@dataclass(frozen=True, eq=False)
class Recognition:
    """The outcome: everyone who was found, and how many frames that took."""

    identifications: tuple[Identification, ...]
    frames: int
    faces: int


def recognize_video(
    path: Path, engine: Engine, gallery: Snapshot, settings: Settings
) -> Iterator[Progress | Recognition]:
    """Find who is in a video: yields progress after each frame, and last the Recognition.

    Closing the iterator ends the work.

    Raises:
        UnreadableVideoError: the file cannot be read as a video.
        VideoOverLimitError: it is larger than the limits allow.
    """
    faces: list[Face] = []
    frames = 0
    with (
        open_video(path, settings.every_seconds, threads=DECODER_THREADS) as video,
        closing(read_ahead(sample_frames(video))) as sampled,
    ):
        for done_seconds, new_faces in find_faces(sampled, engine, settings.detection_pixels):
            frames += 1
            faces.extend(new_faces)
            yield Progress(done_seconds, max(video.seconds, done_seconds), len(faces))
    people = group_faces(faces)
    identifications = match_people(
        people, gallery, min_score=settings.min_score, limit=settings.max_matches
    )
    yield Recognition(tuple(identifications), frames, len(faces))
