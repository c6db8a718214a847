"""Compares the processor and a GPU on this machine: `make bench-gpu`.

One film is searched by the locked child and its helpers, decoded and searched here and there, by
more and more processes; then several copies at once. Prints a table like those of `docs/speed.md`.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from function.cores import count_cores
from function.errors import EngineUnavailableError
from function.faces.found import Task
from function.media.files import open_any
from function.people.gathering import PeopleFound
from function.recognition import task_of
from function.sandbox.readers import Sandboxed
from function.settings import Settings
from tools.bench.start import seconds_used
from tools.footage.bench_footage import loop_footage, make_footage

HEADINGS = (
    *("every", "decoded by", "nets on", "videos", "processes"),
    *("wall s", "CPU s", "x real time", "faces", "people", "moved by"),
)


@dataclass(frozen=True)
class Way:
    """A way to search: DECODE and DEVICE, how many videos at once, and processes for each."""

    decode: str
    device: str
    videos: int
    processes: int


@dataclass(frozen=True, eq=False)
class Cost:
    """What a search cost, and what it found in the last video."""

    wall_seconds: float
    cpu_seconds: float
    people: PeopleFound


def measure(way: Way, film: Path, every_seconds: float | None) -> Cost:
    """Search a film as often as `way.videos` says, all at once; starting is not counted.

    Raises:
        EngineUnavailableError: this machine cannot search in that way.
    """
    settings = Settings.from_env(
        {
            "DECODE": way.decode,
            "DEVICE": way.device,
            "THREADS": str(way.processes),
            "SLOTS": str(way.videos),
            "TIME_LIMIT_SECONDS": "3600",
            "MEMORY_MEGABYTES": "8192",
        }
    )
    task = replace(task_of(settings), every_seconds=every_seconds)
    with closing(Sandboxed(settings)) as reader, ThreadPoolExecutor(way.videos) as pool:
        reader.ready()
        list(
            pool.map(
                lambda _: _find(reader, film, replace(task, every_seconds=60.0)), range(way.videos)
            )
        )
        children = reader.pool.processes()
        began, before = time.perf_counter(), seconds_used(children)
        (*_, people) = pool.map(lambda _: _find(reader, film, task), range(way.videos))
        wall = time.perf_counter() - began
        return Cost(wall, seconds_used(children) - before, people)


def _find(reader: Sandboxed, film: Path, task: Task) -> PeopleFound:
    with open_any(film) as media:
        *_, found = reader.find_people(media, task)
    if not isinstance(found, PeopleFound):
        raise TypeError(found)
    return found


def encodings_apart(one: PeopleFound, other: PeopleFound) -> float:
    """Return how far the first encodings of the people in two results are apart, at most."""
    ours, theirs = (
        np.array([person.views[0].encodings[0] for person in found.people])
        for found in (one, other)
    )
    if not len(ours) or not len(theirs):
        return 0.0 if len(ours) == len(theirs) else np.inf
    return float(np.linalg.norm(ours[:, None] - theirs[None], axis=2).min(axis=1).max())


def run(
    film: Path, seconds: float, ways: Sequence[Way], every_seconds: float | None
) -> Iterator[str]:
    """Yield a row of the table for each way that this machine has."""
    first: PeopleFound | None = None
    for way in ways:
        try:
            cost = measure(way, film, every_seconds)
        except EngineUnavailableError as error:
            yield f"({way.decode}, {way.device}: {error})"
            continue
        first = first or cost.people
        row = (
            "auto" if every_seconds is None else f"{every_seconds:g} s",
            cost.people.decoder,
            way.device,
            str(way.videos),
            str(way.processes),
            f"{cost.wall_seconds:.1f}",
            f"{cost.cpu_seconds:.1f}",
            f"{way.videos * seconds / cost.wall_seconds:.0f}",
            str(cost.people.faces),
            str(len(cost.people.people)),
            f"{encodings_apart(first, cost.people):.4f}",
        )
        yield "| " + " | ".join(row) + " |"


def ways_here(cores: int) -> list[Way]:
    """List the ways to compare on a machine with so many cores."""
    counts = sorted({1, *(2**power for power in range(1, 9) if 2**power <= cores), cores})
    alone = [Way("cpu", "cpu", 1, count) for count in counts]
    gpu = [
        Way(decode, device, 1, count)
        for decode, device in (("cuda", "cpu"), ("cpu", "cuda"), ("cuda", "cuda"))
        for count in sorted({1, max(1, cores // 2), cores})
    ]
    many = max(2, cores // 2)
    both = [Way(one, one, many, max(1, cores // many)) for one in ("cpu", "cuda")]
    return [*alone, *gpu, *both]


def _parse(text: str) -> Way:
    decode, device, videos, processes = text.split(":")
    return Way(decode, device, int(videos), int(processes))


@click.command()
@click.argument("film", required=False, type=click.Path(path_type=Path, exists=True))
@click.option("--minutes", default=60.0, show_default=True, help="Length of the film made here.")
@click.option("--every", type=float, help="Seconds between samples; default as for a request.")
@click.option("--way", multiple=True, help="DECODE:DEVICE:VIDEOS:PROCESSES; default: all.")
def main(film: Path | None, minutes: float, every: float | None, way: tuple[str, ...]) -> None:
    """Compare on FILM, or on a film of 1080p made here."""
    film = film or loop_footage(make_footage(120, 5), 60 * minutes)
    ways = [_parse(one) for one in way] or ways_here(count_cores())
    click.echo("| " + " | ".join(HEADINGS) + " |\n" + "| --- " * len(HEADINGS) + "|")
    for row in run(film, _length_of(film), ways, every):
        click.echo(row)


def _length_of(film: Path) -> float:
    import av  # noqa: PLC0415  # children must not be forked from a process that has decoders

    with av.open(str(film)) as container:
        return float((container.duration or 0) / av.time_base)


if __name__ == "__main__":
    main()
