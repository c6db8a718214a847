"""From a video to the people in it, not named yet: reads it, finds the faces and groups them."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from function.engines.protocol import Engine
from function.faces.faces import Face, best_face, find_faces
from function.media.frames import read_ahead, sample_frames
from function.media.videos import open_video
from function.people.people import Person, group_faces

Item = TypeVar("Item")


@dataclass(frozen=True)
class Progress:
    """How far a recognition is: seconds of video done, of how many, and faces so far."""

    done_seconds: float
    of_seconds: float
    faces: int


@dataclass(frozen=True)
class Task:
    """How to process a video; the fields are those of Settings."""

    every_seconds: float | None
    detection_pixels: int


@dataclass(frozen=True)
class StageSeconds:
    """How long each stage took: waiting for frames, finding faces in them, grouping them."""

    frames: float
    faces: float
    people: float


@dataclass(frozen=True, eq=False)
class Findings:
    """Everyone in a video, not named yet, and how many frames and faces that took.

    Only the best face of each person keeps its picture.
    """

    people: tuple[Person, ...]
    frames: int
    faces: int
    seconds: StageSeconds


def find_people(
    source: Path | int, name: str, engine: Engine, task: Task
) -> Iterator[Progress | Findings]:
    """Find everyone in a video that is a path or an open descriptor, without naming anyone.

    Raises:
        UnreadableVideoError: the file cannot be read as a video.
        VideoOverLimitError: it is larger or longer than the limits allow.
    """
    faces: list[Face] = []
    frames = 0
    watch = Stopwatch()
    with (
        open_video(source, task.every_seconds, name=name) as video,
        closing(read_ahead(sample_frames(video))) as ahead,
    ):
        sampled = watch.time(ahead)
        for done_seconds, new_faces in find_faces(sampled, engine, task.detection_pixels):
            frames += 1
            faces.extend(new_faces)
            yield Progress(done_seconds, max(video.seconds, done_seconds), len(faces))
    looked = watch.elapsed()
    people = tuple(
        _keep_best_picture(person) for person in group_faces(faces, engine.encoder.model, frames)
    )
    seconds = StageSeconds(
        frames=watch.spent,
        faces=looked - watch.spent,
        people=watch.elapsed() - looked,
    )
    yield Findings(people, frames, len(faces), seconds)


def _keep_best_picture(person: Person) -> Person:
    best = best_face(person.faces)
    faces = (face if face is best else replace(face, crop=b"") for face in person.faces)
    return replace(person, faces=tuple(faces))


class Stopwatch:
    """Starts when it is created; `spent` is the time that went into what it measures."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.spent = 0.0

    def elapsed(self) -> float:
        """Return the seconds since it was created."""
        return time.perf_counter() - self._started

    def time(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items, and add up how long producing each of them takes."""
        remaining = iter(items)
        while True:
            before = self.elapsed()
            try:
                item = next(remaining)
            except StopIteration:
                return
            finally:
                self.spent += self.elapsed() - before
            yield item
