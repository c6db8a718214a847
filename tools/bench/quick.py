"""Measures what a quick look at a film finds and costs, next to the usual look.

Run `make bench-quick CLIPS=folder`, or `python -m tools.bench.quick CLIPS [FILM...]`. CLIPS is laid
out as for `python -m tools evaluate-films`; half of its people are enrolled, by one face that no
film shows. Films are cut from it: each person in several shots, and shots of nobody. A FILM is
minutes, people and kind, such as 20/6/4K. Prints a table on stderr and JSON on stdout.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import click
import numpy as np

from db.snapshots import Snapshot
from db.videos import Outcome
from function.engines.loading import load_engine
from function.engines.protocol import Engine, EngineOptions
from function.faces.found import Task
from function.faces.search import Hands
from function.library.depths import is_unclear, quick_task
from function.matching.matches import Identification
from function.media.pictures import RgbImage
from function.people.finding import find_people
from function.people.gathering import PeopleFound
from function.recognition import name_people, task_of
from function.settings import Settings
from function.sources.records import UnusableSourceError
from tools.accuracy.cameras import draw_camera, take_picture
from tools.accuracy.casts import Cast, Footage, read_cast
from tools.accuracy.films import play
from tools.accuracy.trials import make_gallery
from tools.footage.videos import write_video

FPS, KEYFRAMES_EVERY = 25, 250
SHOTS_EACH, SHOT_SECONDS = 4, (3.0, 6.0)
NOBODY = 3
"""This many shots show nobody; a third of those in a film are of these."""

FILMS = ("10/5/1080p", "30/8/1080p", "60/10/1080p", "20/6/4K")
KINDS = {"1080p": ((1920, 1080), "libx264"), "4K": ((3840, 2160), "libx265")}


@dataclass(frozen=True)
class Look:
    """CPU seconds of a look, and how many performers of those there it named, right and wrong."""

    cpu_seconds: float
    pictures: int
    named: int
    named_wrong: int
    is_unclear: bool


@dataclass(frozen=True)
class Compared:
    """A film looked at quickly and as usual; `performers` are the enrolled who are in it."""

    film: str
    performers: int
    normal: Look
    quick: Look

    @property
    def quick_cpu_seconds(self) -> float:
        """What depth `quick` costs: if its look leaves a question, the usual one comes as well."""
        return self.quick.cpu_seconds + self.normal.cpu_seconds * self.quick.is_unclear

    @property
    def quick_named(self) -> int:
        """How many depth `quick` names in the end."""
        return self.normal.named if self.quick.is_unclear else self.quick.named


def compare(film: str, cast: Cast, engine: Engine, folder: Path) -> Compared:
    """Make a film, look at it both ways, and delete it."""
    minutes, people, kind = film.split("/")
    path = folder / "film.mp4"
    there = make_film(path, cast, float(minutes), int(people), kind)
    gallery = make_gallery(cast.enrolled, engine.encoder.model)
    performers = there & cast.enrolled.keys()
    tasks = task_of(Settings()), quick_task(Settings())
    normal, first = (look(path, task, engine, gallery, performers) for task in tasks)
    path.unlink()
    return Compared(film, len(performers), normal, first)


def look(path: Path, task: Task, engine: Engine, gallery: Snapshot, performers: set[str]) -> Look:
    """Find and name the people of a film, as a scan does."""
    started = time.process_time()
    *_, found = find_people(path, path.name, engine, task, Hands())
    if not isinstance(found, PeopleFound):
        raise TypeError("The search ended without a result.")
    named = name_people(found, gallery, Settings()).identifications
    spent = time.process_time() - started
    names = {one.matches[0].performer.name for one in named if one.verdict == "match"}
    leads = [_outcome(number, one) for number, one in enumerate(named)]
    right, wrong = len(names & performers), len(names - performers)
    return Look(spent, found.frames, right, wrong, is_unclear(len(leads), leads))


def _outcome(number: int, one: Identification) -> Outcome:
    return Outcome(number, number, verdict=one.verdict)


def make_film(path: Path, cast: Cast, minutes: float, people: int, kind: str) -> set[str]:
    """Write a film of so many minutes, and return who is in it.

    Each shot is encoded once, and comes several times.
    """
    chance = random.Random(f"{minutes}/{people}/{kind}")  # noqa: S311  # the same films each time
    names = chance.sample(sorted(cast.footage), people)
    size, codec = KINDS[kind]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        shown, nobody = list[Path](), list[Path]()
        for number in range(people * SHOTS_EACH):
            footage = chance.choice(cast.footage[names[number % people]])
            pictures = _shoot(footage, chance, size)
            shown.append(_write(Path(folder) / f"{number}.mp4", pictures, codec))
        for number in range(NOBODY):
            pictures = _pan(chance, size)
            nobody.append(_write(Path(folder) / f"nobody-{number}.mp4", pictures, codec))
        turns = iter(lambda: chance.choice(chance.choice([shown, shown, nobody])), None)
        _join(path, turns, 60 * minutes)
    return set(names)


def _write(path: Path, pictures: Iterator[RgbImage], codec: str) -> Path:
    return write_video(path, pictures, fps=FPS, keyframe_every=KEYFRAMES_EVERY, codec=codec)


def _shoot(footage: Footage, chance: random.Random, size: tuple[int, int]) -> Iterator[RgbImage]:
    seconds = min(footage.end_seconds - footage.start_seconds, chance.uniform(*SHOT_SECONDS))
    start = chance.uniform(footage.start_seconds, footage.end_seconds - seconds)
    camera, count = draw_camera(chance), round(seconds * FPS)
    pictures = zip(range(count), play(footage.clip, start), strict=False)
    for number, picture in pictures:
        yield take_picture(picture, footage.area, camera, number / count, size)


def _pan(chance: random.Random, size: tuple[int, int]) -> Iterator[RgbImage]:
    """Move over a textured wall."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    waves = np.sin(rows / chance.uniform(9, 30)) * np.cos(columns / chance.uniform(9, 30))
    wall = (120 + 40 * waves[:, :, None] + np.array([0, 15, 30])).astype(np.uint8)
    for number in range(round(chance.uniform(*SHOT_SECONDS) * FPS)):
        yield np.roll(wall, 2 * number, axis=1)


def _join(path: Path, shots: Iterator[Path], seconds: float) -> None:
    """Put the packets of shots one after the other until a film is long enough."""
    with av.open(str(path), "w") as output:
        copied, begin = None, 0
        while copied is None or begin * float(copied[1]) < seconds:
            with av.open(str(next(shots))) as shot:
                stream = shot.streams.video[0]
                if copied is None:
                    unit = stream.time_base or 0
                    copied = output.add_stream_from_template(stream), unit
                for packet in shot.demux(stream):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + begin, packet.dts + begin
                    packet.stream = copied[0]
                    output.mux(packet)
                begin += stream.duration or 0


def render(compared: Sequence[Compared]) -> str:
    """Format what was measured as a Markdown table."""
    headings = (
        "| minutes / people / kind | enrolled | usual look: CPU s | named | quick look: CPU s "
        "| named | of the CPU | depth quick in all: CPU s | named |"
    )
    lines = [headings, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    lines += [
        f"| {one.film} | {one.performers} | {one.normal.cpu_seconds:.1f} | {one.normal.named} "
        f"| {one.quick.cpu_seconds:.1f} | {one.quick.named} "
        f"| {one.quick.cpu_seconds / one.normal.cpu_seconds:.0%} "
        f"| {one.quick_cpu_seconds:.1f} | {one.quick_named} |"
        for one in compared
    ]
    return "\n".join(lines)


@click.command()
@click.argument("clips", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("films", nargs=-1, metavar="[FILM]...")
def main(clips: Path, films: tuple[str, ...]) -> None:
    """Compare on films cut from CLIPS, labelled as for `python -m tools evaluate-films`.

    A FILM is minutes, people and kind, such as 20/6/4K.
    """
    engine = load_engine("onnx", EngineOptions(threads=1))
    try:
        cast = read_cast(clips, engine, random.Random(1))  # noqa: S311  # the same people
    except UnusableSourceError as error:
        raise click.ClickException(str(error)) from error
    compared = []
    with tempfile.TemporaryDirectory() as folder:
        for film in films or FILMS:
            compared.append(compare(film, cast, engine, Path(folder)))
            print(render(compared[-1:]), file=sys.stderr, flush=True)
    print(render(compared), file=sys.stderr)
    print(json.dumps([asdict(one) for one in compared], indent=2))


if __name__ == "__main__":
    main()
