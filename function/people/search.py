"""A video becomes the people in it, still without names: read, looked through, grouped."""

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
    """How far a recognition has come: seconds of video done, of how many, and faces so far."""

    done_seconds: float
    of_seconds: float
    faces: int


@dataclass(frozen=True)
class Task:
    """How a video is to be looked at; the fields are those of Settings."""

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
    """Everyone in a video, still without a name, and how many frames and faces that took.

    Of each person's faces only the best one keeps its picture.
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
        VideoOverLimitError: it is larger than the limits allow.
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
    """Runs from when it is made; `spent` is the part that went into what it times."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.spent = 0.0

    def elapsed(self) -> float:
        """Return the seconds since it was made."""
        return time.perf_counter() - self._started

    def time(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items, and count what making each of them takes."""
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
