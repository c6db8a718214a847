"""Reads a video, and finds the faces in its pictures."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from function.engines.protocol import Engine
from function.faces.cuts import Sample, find_cuts, note_samples, stretch_to_cuts
from function.faces.face import Face
from function.faces.faces import find_faces
from function.faces.found import FacesFound, Progress, StageSeconds, Task
from function.media.decoders import DecoderName
from function.media.frames import read_ahead, sample_frames
from function.media.videos import open_video

Item = TypeVar("Item")


def search_video(
    source: Path | int,
    name: str,
    engine: Engine,
    task: Task,
    thread: Executor | None = None,
    *,
    decoder: DecoderName = "cpu",
) -> Iterator[Progress | FacesFound]:
    """Find the faces in a video that is a path or an open descriptor.

    It is decoded in `thread`, or in one of its own, by the processor or a GPU's `decoder`.

    Raises:
        UnreadableVideoError: the file cannot be read as a video.
        VideoOverLimitError: it is larger or longer than the limits allow.
    """
    faces: list[Face] = []
    samples: list[Sample] = []
    watch = Stopwatch()
    with (
        open_video(source, task.every_seconds, name=name, decoder=decoder) as video,
        closing(read_ahead(sample_frames(video, task.spread), thread)) as ahead,
    ):
        sampled = note_samples(watch.time(ahead), samples)
        for done_seconds, new_faces in find_faces(sampled, engine, task.detection_pixels):
            faces.extend(new_faces)
            yield Progress(done_seconds, max(video.seconds, done_seconds), len(faces))
    spent = StageSeconds(frames=watch.spent, faces=watch.elapsed() - watch.spent)
    cuts = find_cuts(samples, video.keyframes_seconds)
    seen = stretch_to_cuts(faces, samples, cuts, video.seconds)
    yield FacesFound(seen, len(samples), spent, video.unreadable_seconds, video.decoded_by)


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
