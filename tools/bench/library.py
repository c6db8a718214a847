"""Measures how a library grows, at up to 100,000 people seen.

Run `make bench-library`, or `python -m tools.bench.library [SIGHTINGS...]`. Everything is made up:
a gallery of 10,000 performers with five photos each, by both nets, and videos with four people
each, half of whom are enrolled. Measures storing what a scan finds, matching it, enrolling one more
performer until all names follow, listing, grouping strangers, and forgetting one performer. Prints
a table on stderr and JSON on stdout; CPU seconds are those of all threads.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import click
import numpy as np

from db.galleries import Store
from db.people import PersonFound, Seen, View
from db.records import Encoding, Performer, Vector, Vectors
from db.sqlite.ledger import SqliteLedger
from db.stores import open_store
from db.videos import Scanned, Stamp, VideoFile, VideoFound
from function.engines.models import BOTH, PRIMARY, SECOND
from function.library.naming import Naming
from function.library.rematching import rematch
from function.library.results import results_of
from function.library.strangers import place_strangers
from function.recognition import take_snapshot
from function.settings import Settings

SIZES = (100, 1_000, 10_000, 100_000)
PERFORMERS, PHOTOS = 10_000, 5
PEOPLE_A_VIDEO, VIEWS = 4, 4
PICTURE = b"\xff\xd8\xff" + bytes(8_000)
MODELS = (PRIMARY.id, SECOND.id)

MIDDLE_LENGTH, PERSON_SPREAD, DAY_SPREAD, MOMENT_SPREAD = 1.4, 0.45, 0.29, 0.2
"""Of dlib's encodings: how far they are from zero, people from their middle, days, moments."""

SECOND_SPREAD = 0.6
"""Of the second net's, before they are brought to length 1."""


STEPS = ("stored", "matched", "one enrolled", "listed", "grouped", "forgotten")


@dataclass(frozen=True)
class Growth:
    """Each step's seconds and CPU seconds at one size, the size of the file, and the most memory.

    The memory is the most so far.
    """

    sightings: int
    seconds: dict[str, float]
    cpu_seconds: dict[str, float]
    file_megabytes: float
    peak_megabytes: int


class MadeUp:
    """Draws people as both nets see them, all but one of whom begin in the gallery."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(1)
        self.middle = MIDDLE_LENGTH * self.directions(1)
        self.first = self.middle + PERSON_SPREAD * self.directions(PERFORMERS + 1)
        self.second = self.directions(PERFORMERS + 1, SECOND.dimensions)

    def directions(self, count: int, dimensions: int = PRIMARY.dimensions) -> Vectors:
        """Draw directions, float32 (count, dimensions), of length 1."""
        drawn = self._random.normal(size=(count, dimensions)).astype(np.float32)
        unit: Vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        return unit

    def enrol(self, store: Store, numbers: Iterable[int]) -> None:
        """Enrol performers with photos from different days."""
        with store.changing(create=True) as gallery:
            for number in numbers:
                performer = Performer(0, f"P{number}", source_id=str(number))
                gallery.enrol(performer, self._photos(number), None)

    def person(self, number: int) -> PersonFound:
        """Draw a person in a video: every other one is enrolled."""
        chosen = (number // 2) % PERFORMERS
        enrolled = number % 2 == 0
        first = (
            self.first[chosen]
            if enrolled
            else (self.middle + PERSON_SPREAD * self.directions(1))[0]
        )
        second = self.second[chosen] if enrolled else self.directions(1, SECOND.dimensions)[0]
        day = first + DAY_SPREAD * self.directions(1)[0]
        views = tuple(self._view(moment, day, second) for moment in range(VIEWS))
        at = 30.0 * (number % PEOPLE_A_VIDEO)
        seen = tuple(Seen(int(at) + i, at + i, at + i + 0.5, at + i - 0.5) for i in range(1, 25))
        return PersonFound(views, seen, at + 1, PICTURE)

    def _photos(self, number: int) -> list[Encoding]:
        person = min(number, PERFORMERS)
        first = self.first[person] + DAY_SPREAD * self.directions(PHOTOS)
        second = self._unit(self._spread(self.second[person], PHOTOS))
        return [
            Encoding(vector, model, 0.9, f"{number}-{photo}", f"{photo}.jpg")
            for model, vectors in zip(MODELS, (first, second), strict=True)
            for photo, vector in enumerate(vectors)
        ]

    def _view(self, moment: int, day: Vector, second: Vector) -> View:
        first = day + MOMENT_SPREAD * self.directions(1)[0]
        again = self._unit(self._spread(second, 1))[0]
        return View(float(moment), 0.9, 6, (), (first.astype(np.float32), again))

    def _spread(self, second: Vector, count: int) -> Vectors:
        """Draw encodings by the second net around a person's, not yet of length 1."""
        spread: Vectors = second + SECOND_SPREAD * self.directions(count, SECOND.dimensions)
        return spread

    @staticmethod
    def _unit(vectors: Vectors) -> Vectors:
        unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(
            np.float32
        )
        return unit


def open_gallery(store: Store) -> Naming:
    """Read the gallery, to name people by both nets."""
    return Naming(take_snapshot(store, PRIMARY.id, [BOTH]), (BOTH,), None, Settings())


def measure(sightings: int, made_up: MadeUp, store: Store, folder: Path) -> Growth:
    """Fill a ledger, and take every step with it."""
    path = folder / f"{sightings}.db"
    naming = open_gallery(store)
    marks = [(time.perf_counter(), time.process_time())]
    with SqliteLedger(path) as ledger:
        marks += [
            (time.perf_counter(), time.process_time())
            for _ in _steps(ledger, sightings, made_up, store, naming)
        ]
    wall, cpu = (
        {
            step: round(after[clock] - before[clock], 2)
            for step, (before, after) in zip(STEPS, pairwise(marks), strict=True)
        }
        for clock in (0, 1)
    )
    return Growth(
        sightings=sightings,
        seconds=wall,
        cpu_seconds=cpu,
        file_megabytes=round(path.stat().st_size / 2**20, 1),
        peak_megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def _steps(
    ledger: SqliteLedger, sightings: int, made_up: MadeUp, store: Store, naming: Naming
) -> Iterator[None]:
    for _ in _fill(ledger, sightings, made_up):
        pass
    yield
    for _ in rematch(ledger, naming):
        pass
    yield
    made_up.enrol(store, [PERFORMERS + sightings])
    naming = open_gallery(store)
    for _ in rematch(ledger, naming):
        pass
    yield
    performers = {one.id: one for one in naming.gallery.performers}
    listed = sum(len(one.people) for one in results_of(ledger, ledger.iterate(), performers))
    if listed != sightings:
        raise AssertionError(f"{sightings} people were stored, {listed} listed")
    yield
    place_strangers(ledger, naming)
    yield
    gallery, forgotten = naming.gallery.generation[0], naming.gallery.performers[0].id
    ledger.begin_forgetting(gallery, forgotten)
    if not ledger.erase_performer(gallery, forgotten):
        raise AssertionError("nobody was matched with the first performer")
    ledger.end_forgetting(gallery, forgotten)
    yield


def _fill(ledger: SqliteLedger, sightings: int, made_up: MadeUp) -> Iterator[None]:
    videos = range(sightings // PEOPLE_A_VIDEO)
    stamp = Stamp(1_000_000, 1)
    ledger.offer(
        [VideoFile(b"/videos/%d.mp4" % video, stamp, f"{video:016x}") for video in videos], "normal"
    )
    for video in videos:
        lease = ledger.lease("bench", 600)
        if lease is None:
            raise AssertionError("the queue is empty too soon")
        people = tuple(
            (position, made_up.person(video * PEOPLE_A_VIDEO + position))
            for position in range(PEOPLE_A_VIDEO)
        )
        found = VideoFound(120.0, 240, 100, people, ())
        ledger.finish(lease, found, Scanned("normal", None, MODELS), (), (0, 0))
        yield


def _told(one: Growth) -> str:
    steps = ", ".join(
        f"{step} in {one.seconds[step]:.1f} s ({one.cpu_seconds[step]:.1f} of CPU)"
        for step in STEPS
    )
    file, peak = one.file_megabytes, one.peak_megabytes
    return f"{one.sightings:>8,} people seen: {steps}; file {file:.0f} MB, peak {peak} MB"


@click.command()
@click.argument("sightings", nargs=-1, type=click.IntRange(min=PEOPLE_A_VIDEO))
def main(sightings: tuple[int, ...]) -> None:
    """Measure at so many SIGHTINGS: people seen in videos."""
    made_up = MadeUp()
    grown = []
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "gallery.db")
        made_up.enrol(store, range(PERFORMERS))
        for size in sightings or SIZES:
            one = measure(size, made_up, store, Path(folder))
            grown.append(one)
            print(_told(one), file=sys.stderr, flush=True)
    print(json.dumps([asdict(one) for one in grown], indent=2))


if __name__ == "__main__":
    main()
