"""How the work on a video is shared out among its stages: `make bench-profile`.

Everything runs in one thread, and each stage counts the CPU time spent in its functions, less that
of other stages inside them. Prints tables like those of `docs/speed.md`.
"""

import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click

from function.engines.loading import load_engine
from function.engines.models import models_of
from function.engines.protocol import Engine, EngineOptions
from function.faces.found import Details, FacesFound
from function.faces.search import Hands, search_video
from function.faces.second_encodings import details_of
from function.people.gathering import gather_people
from function.recognition import task_of
from function.settings import Settings
from tools.footage.bench_footage import loop_footage, make_footage

KEYFRAME_SECONDS = 5.0

STAGES = (
    ("open", "function.faces.search", "open_video"),
    ("decode", "function.media.frames", "decode_group"),
    ("compare", "function.media.conversion", "PictureConverter.to_thumbnail"),
    ("colours", "function.media.conversion", "PictureConverter.to_rgb"),
    ("scale", "function.engines.copies", "Copies.at"),
    ("detect", "function.engines.yunet.net", "YunetNet.look"),
    ("check", "function.engines.yunet.close_look", "CloseLook.look"),
    ("cut", "function.engines.copies", "Copies.cut"),
    ("landmarks", "function.engines.onnx_engine", "OnnxEncoder.cut"),
    ("rate", "function.faces.faces", "weigh_face"),
    ("repeats", "function.faces.repeats", "_read_cells"),
    ("pictures", "function.faces.faces", "cut_crop"),
    ("pictures", "function.faces.faces", "cut_chip"),
    ("encode", "function.engines.onnx_engine", "OnnxEncoder.encode"),
    ("encode again", "function.engines.onnx.late_encoder", "LateEncoder.encode"),
    ("group", "function.people.gathering", "group_faces"),
    ("group", "function.people.gathering", "find_links"),
    ("group", "function.people.gathering", "person_of"),
)
"""Each stage's functions: where they are looked up, and under which name."""


class Shares:
    """Adds up the CPU seconds of each stage; what one stage calls of another counts there."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)
        self._stages = ["rest"]
        self._since = time.thread_time()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside as this stage's."""
        self._turn()
        self._stages.append(name)
        try:
            yield
        finally:
            self._turn()
            self._stages.pop()

    def finish(self) -> None:
        """Count what has happened since the last stage."""
        self._turn()

    def _turn(self) -> None:
        now = time.thread_time()
        self.seconds[self._stages[-1]] += now - self._since
        self._since = now

    def count(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function, or a generator function, that counts as this stage's."""

        def counted(*arguments: Any, **options: Any) -> Any:
            self.calls[name] += 1
            with self.stage(name):
                result = function(*arguments, **options)
            return self._steps(name, result) if isinstance(result, Iterator) else result

        return counted

    def _steps(self, name: str, items: Iterator[Any]) -> Iterator[Any]:
        while True:
            with self.stage(name):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item


class AtOnce(Executor):
    """Does everything in the thread that asks for it, so that one clock measures it all."""

    def submit(self, fn: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        """Call a function, and return its result; what it raises is raised at once."""
        future: Future[Any] = Future()
        future.set_result(fn(*arguments, **options))
        return future


@dataclass(frozen=True)
class Profile:
    """CPU seconds and calls by stage, the largest first, and the numbers of samples and faces."""

    seconds: dict[str, float]
    calls: dict[str, int]
    frames: int
    faces: int


def profile(video: Path, engine: Engine, every_seconds: float | None = None) -> Profile:
    """Find the people in a video, and measure each stage."""
    shares = Shares()
    with ExitStack() as patched:
        for name, module, path in STAGES:
            patched.enter_context(_counting(shares, name, module, path))
        found = _find_people(video, engine, every_seconds)
    shares.finish()
    ordered = dict(sorted(shares.seconds.items(), key=lambda one: -one[1]))
    return Profile(ordered, dict(shares.calls), found.frames, len(found.faces))


def _counting(shares: Shares, name: str, module: str, path: str) -> Any:
    *owners, function = path.split(".")
    owner = importlib.import_module(module)
    for one in owners:
        owner = getattr(owner, one)
    return patch.object(owner, function, shares.count(name, getattr(owner, function)))


def _find_people(video: Path, engine: Engine, every_seconds: float | None) -> FacesFound:
    task = replace(task_of(Settings()), every_seconds=every_seconds)
    *_, found = search_video(video, video.name, engine, task, Hands(AtOnce()))
    if not isinstance(found, FacesFound):
        raise TypeError(found)

    def fetch(pictures: Sequence[int], encode: Sequence[int]) -> Details:
        return details_of(found.faces, pictures, encode, engine.second)

    gather_people(found, models_of(engine), fetch)
    return found


def render(profile: Profile) -> str:
    """Render a profile as a table of Markdown."""
    total = sum(profile.seconds.values())
    rows = [
        f"| {name} | {100 * seconds / total:.0f} % | {1000 * seconds / profile.frames:.1f} |"
        f" {profile.calls.get(name, 0) / profile.frames:.1f} |"
        for name, seconds in profile.seconds.items()
    ]
    return "\n".join(
        (
            f"{profile.frames} samples, {profile.faces} faces, {total:.1f} CPU s\n",
            "| stage | share | ms a sample | times a sample |",
            "| --- | --- | --- | --- |",
            *rows,
        )
    )


@click.command()
@click.argument("videos", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--hours", default=1.0, show_default=True, help="Length of each film made here.")
@click.option("--every", type=float, help="Seconds between samples; default as for a request.")
def main(videos: tuple[Path, ...], hours: float, every: float | None) -> None:
    """Print the shares of VIDEOS, or of two films of 1080p made here: of people, and of nobody."""
    engine = load_engine("onnx", EngineOptions())
    for video in videos or _make_films(KEYFRAME_SECONDS * round(3600 * hours / KEYFRAME_SECONDS)):
        click.echo(f"\n{video.name}: {render(profile(video, engine, every))}")


def _make_films(seconds: float) -> Iterator[Path]:
    for is_empty in (False, True):
        yield loop_footage(make_footage(120, KEYFRAME_SECONDS, is_empty=is_empty), seconds)


if __name__ == "__main__":
    main()
