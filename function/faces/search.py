"""Reads a video, and finds the faces in its pictures: in a long one, stretch by stretch."""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from function.engines.protocol import Engine
from function.faces.crews import Alone, Crew
from function.faces.cuts import Sample, note_samples, stretch_to_cuts
from function.faces.face import Face
from function.faces.faces import find_faces
from function.faces.found import FacesFound, Progress, StageSeconds, StretchFound, Task
from function.faces.joining import Looked, join_rounds, join_stretches
from function.media.conversion import Thumbnail
from function.media.decoders import DecoderName
from function.media.frames import (
    Frame,
    note_unreadable,
    read_ahead,
    sample_frames,
    sample_keyframes,
    sample_stretch,
)
from function.media.packets import UnsplitError, may_be_searched
from function.media.rounds import count_evenly, plan_rounds
from function.media.schedule import Schedule, missed_by_all
from function.media.stretches import WHOLE, Stretch, plan_stretches
from function.media.videos import Video, open_video

log = logging.getLogger(__name__)

Item = TypeVar("Item")

IsEnough = Callable[[Sequence[Face], int], bool]
"""Says whether more pictures would hardly show anybody else, given the faces found in some number
of them."""


@dataclass(frozen=True)
class Means:
    """What a video is searched with: an engine, pixels as in Task, and the thread that decodes."""

    engine: Engine
    detection_pixels: int
    thread: Executor | None = None


@dataclass(frozen=True)
class Hands:
    """Who does the work: the thread that decodes, and a crew; if not given, they are made.

    `decoder` is the processor's, or a GPU's.
    """

    thread: Executor | None = None
    crew: Crew | None = None
    decoder: DecoderName = "cpu"


def search_video(
    source: Path | int,
    name: str,
    engine: Engine,
    task: Task,
    hands: Hands = Hands(),
    *,
    is_enough: IsEnough | None = None,
) -> Iterator[Progress | FacesFound]:
    """Find the faces in a video that is a path or an open descriptor.

    The stretches of a long one are shared out to a crew; what is found does not depend on it. A
    quick look ends after its second round, or a later one, once what it found `is_enough`.

    Raises:
        UnreadableVideoError: the file cannot be read as a video.
        VideoOverLimitError: it is larger or longer than the limits allow.
    """
    means = Means(engine, task.detection_pixels, hands.thread)
    opened = partial(open_video, source, task.every_seconds, name=name, decoder=hands.decoder)
    with opened() as video:
        rounds = _plan_rounds(video, task.spread)
        stretches = WHOLE if task.spread else plan_stretches(video)
        if rounds:
            found = yield from _search_rounds(video, rounds, means, is_enough)
        elif len(stretches) == 1:
            yield from _search_whole(video, means, task.spread)
            return
        else:
            found = yield from _search_stretches(video, stretches, means, hands.crew or Alone())
    if found:
        yield found
        return
    log.info("%s is searched from beginning to end, because its index does not hold.", name)
    with opened() as video:
        yield from _search_whole(video, means, task.spread)


def _search_whole(
    video: Video, means: Means, spread: int | None
) -> Iterator[Progress | FacesFound]:
    watch, looked = Stopwatch(), Looked()
    frames = sample_frames(video, spread and count_evenly(video.seconds, spread))
    for done_seconds in _look(frames, means, watch, looked):
        yield Progress(done_seconds, max(video.seconds, done_seconds), len(looked.faces))
    seen = stretch_to_cuts(looked.faces, looked.samples, video.keyframes_seconds, video.seconds)
    stages = watch.stages()
    yield FacesFound(seen, len(looked.samples), stages, video.unreadable_seconds, video.decoded_by)


def _look(
    frames: Iterator[Frame], means: Means, watch: "Stopwatch", looked: Looked
) -> Iterator[float]:
    """Find the faces in frames, note them, and yield the progress, in seconds of the video."""
    with closing(read_ahead(frames, means.thread)) as ahead:
        noted = note_samples(_note_grey(watch.time(ahead), looked.grey), looked.samples)
        for done_seconds, new_faces in find_faces(noted, means.engine, means.detection_pixels):
            looked.faces.extend(new_faces)
            yield done_seconds


def _plan_rounds(video: Video, spread: int | None) -> list[list[float]]:
    """Plan the rounds of a quick look; none if the file is short, or has to be read through."""
    if not spread or not video.trusts_keyframes or not may_be_searched(video):
        return []
    return plan_rounds(video.seconds, spread)


def _search_rounds(
    video: Video, rounds: Sequence[Sequence[float]], means: Means, is_enough: IsEnough | None
) -> Generator[Progress, None, FacesFound | None]:
    """Look at a video round by round, until it is enough; None if it must be read through."""
    watch = Stopwatch()
    done, schedules, taken = list[Looked](), list[Schedule](), set[float]()
    faces, count = tuple[Face, ...](), 0
    for number, moments in enumerate(rounds):
        done.append(Looked())
        schedules.append(Schedule())
        frames = sample_keyframes(video, moments, taken, schedules[-1])
        try:
            for seconds in _look(frames, means, watch, done[-1]):
                share = (number + seconds / max(video.seconds, seconds)) / len(rounds)
                found = sum(len(one.faces) for one in done)
                yield Progress(share * video.seconds, video.seconds, found)
        except UnsplitError:
            return None
        faces, count = join_rounds(done, video.seconds)
        if number and is_enough and is_enough(faces, count):  # one round may be luck
            break
    if not count:
        return None
    video.missing += missed_by_all(schedules)
    note_unreadable(video, video.seconds)
    return FacesFound(faces, count, watch.stages(), video.unreadable_seconds, video.decoded_by)


def _search_stretches(
    video: Video, stretches: Sequence[Stretch], means: Means, crew: Crew
) -> Generator[Progress, None, FacesFound | None]:
    """Search a video together with a crew; None if it must be read from beginning to end."""
    found: dict[int, StretchFound] = {}
    part = Part(video, stretches, means, crew)
    crew.deal(len(stretches), video.survey)
    try:
        while (number := crew.take()) is not None:
            found[number] = yield from part.search(number)
        found |= {one.number: one for one in crew.collect()}
        yield part.progress()
        for number in sorted({*range(len(stretches))} - found.keys()):  # somebody failed at it
            found[number] = yield from part.search(number)
    except UnsplitError:
        crew.clear()
        return None
    return _join(video, [found[number] for number in range(len(stretches))])


class Part:
    """One process's part in the search of a video."""

    def __init__(
        self, video: Video, stretches: Sequence[Stretch], means: Means, crew: Crew
    ) -> None:
        self._video = video
        self._stretches = stretches
        self._means = means
        self._crew = crew
        self._seconds = 0.0
        self._faces = 0

    def search(self, number: int) -> Generator[Progress, None, StretchFound]:
        """Find the faces in a stretch; it begins with a detector that has seen nothing.

        Raises:
            UnsplitError: the video must be read from beginning to end.
            VideoOverLimitError: it goes on for longer than its limits allow.
        """
        faces: list[Face] = []
        samples: list[Sample] = []
        grey: list[Thumbnail] = []
        watch = Stopwatch()
        engine, pixels = self._means.engine, self._means.detection_pixels
        frames = sample_stretch(self._video, self._stretches[number])
        with closing(read_ahead(frames, self._means.thread)) as ahead:
            noted = note_samples(_note_grey(watch.time(ahead), grey), samples)
            for seconds, new_faces in find_faces(noted, engine, pixels):
                faces.extend(new_faces)
                yield self.progress(self._covered(samples[0].seconds, seconds), len(faces))
        self._seconds += self._covered(samples[0].seconds, samples[-1].seconds) if samples else 0.0
        self._faces += len(faces)
        return StretchFound(
            number,
            tuple(faces),
            tuple(samples),
            tuple(one.tobytes() for one in (*grey[:1], *grey[-1:])),
            tuple(self._video.keyframes_seconds),
            tuple(self._video.missing),
            watch.stages(),
            self._video.decoded_by,
        )

    def progress(self, seconds: float = 0.0, faces: int = 0) -> Progress:
        """Note what was searched of the current stretch; return how far the whole crew has got."""
        done, found = self._crew.note(self._seconds + seconds, self._faces + faces)
        return Progress(min(done, self._video.seconds), self._video.seconds, found)

    def _covered(self, first_seconds: float, last_seconds: float) -> float:
        """Return how much of the video its samples from one to another stand for."""
        return last_seconds - first_seconds + self._video.every_seconds


def _note_grey(frames: Iterable[Frame], grey: list[Thumbnail]) -> Iterator[Frame]:
    """Yield frames, and add the grey cells of each to a list."""
    for frame in frames:
        if frame.thumbnail is not None:
            grey.append(frame.thumbnail)
        yield frame


def _join(video: Video, stretches: Sequence[StretchFound]) -> FacesFound | None:
    """Join what was found; None if that is nothing at all, which reading it whole will explain."""
    untils = [one.samples[-1][1] for one in stretches if one.samples]
    if not untils:
        return None
    video.missing = [span for one in stretches for span in one.missing]
    note_unreadable(video, untils[-1])
    return join_stretches(stretches, video.seconds, video.unreadable_seconds)


class Stopwatch:
    """Starts when it is created; `spent` is the time that went into what it measures."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.spent = 0.0

    def elapsed(self) -> float:
        """Return the seconds since it was created."""
        return time.perf_counter() - self._started

    def stages(self) -> StageSeconds:
        """Return how long waiting for frames took, and how long the rest."""
        return StageSeconds(frames=self.spent, faces=self.elapsed() - self.spent)

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
