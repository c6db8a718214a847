"""Measures how fast and how reliably people are matched with up to a million encodings.

Run `python -m tools.bench.search [PHOTOS]`. Made-up performers surround real ones; with a folder
of labelled photos (PHOTOS/<Name>/*.jpg) it also measures whether strangers by the hundred thousand
displace a right name. Prints a table on stderr and JSON on stdout.
"""

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from db.people import PersonFound
from db.records import Performer, Vectors
from db.snapshots import Snapshot, no_rejections
from function.engines.loading import load_engine
from function.engines.models import PRIMARY
from function.engines.protocol import Box, EngineOptions
from function.faces.face import Face
from function.matching.comparisons import choose_densities
from function.matching.densities import shipped_densities
from function.matching.matches import identify_people, match_people
from function.people.people import person_of
from tools.accuracy.crowds import add_strangers, make_strangers
from tools.accuracy.labelled import read_dataset
from tools.accuracy.trials import make_trials

SIZES = ((1_000, 10), (10_000, 10), (100_000, 1), (100_000, 10))
PEOPLE = 30
STRANGERS = (0, 1_000, 10_000, 100_000)


@dataclass(frozen=True)
class Speed:
    """Seconds to make the templates (once per generation) and to match PEOPLE people."""

    performers: int
    encodings: int
    template_seconds: float
    match_seconds: float
    peak_megabytes: int


@dataclass(frozen=True)
class Crowd:
    """What became of probes of enrolled people among this many strangers."""

    strangers: int
    probes: int
    named_right: int
    named_wrong: int
    uncertain: int
    unknown: int


def measure_speed(performers: int, encodings_each: int) -> Speed:
    """Match PEOPLE people with a gallery of made-up performers."""
    random = np.random.default_rng(1)
    vectors = make_strangers(performers * encodings_each, random)
    gallery = Snapshot(
        generation=(0, 0),
        model=PRIMARY,
        performers=tuple(Performer(index + 1, f"P{index}") for index in range(performers)),
        vectors=vectors,
        # Shuffled, as after years of adding photos here and there.
        owners=random.permutation(np.arange(len(vectors)) % performers),
        qualities=np.ones(len(vectors), np.float32),
        rejections=no_rejections(PRIMARY),
    )
    people = [_someone(index, vectors) for index in range(PEOPLE)]
    start = time.perf_counter()
    templates = gallery.templates
    made = time.perf_counter()
    match_people(people, gallery)
    matched = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Speed(len(templates.means), len(vectors), made - start, matched - made, peak)


def measure_crowds(photos: Path) -> list[Crowd]:
    """Search for people in labelled photos among strangers: three enrolled, three searched for."""
    engine = load_engine("auto", EngineOptions())
    dataset = read_dataset(photos, engine)
    trials = [
        trial
        for trial in make_trials(
            dataset.sources, engine.encoder.model, enrol=3, probe=3, rounds=1, seed=1
        )
        if trial.enrolled
    ]
    crowds = []
    for count in STRANGERS:
        gallery = add_strangers(trials[0].gallery, count, np.random.default_rng(2))
        people = [person_of(trial.faces, engine.encoder.model) for trial in trials]
        # Each alone: they come from different videos.
        found = identify_people(people, gallery, choose_densities(gallery))
        verdicts = [one.verdict for one in found]
        right = [
            one.verdict == "match" and one.matches[0].performer.name == trial.name
            for one, trial in zip(found, trials, strict=True)
        ]
        crowds.append(
            Crowd(
                strangers=count,
                probes=len(trials),
                named_right=sum(right),
                named_wrong=verdicts.count("match") - sum(right),
                uncertain=verdicts.count("uncertain"),
                unknown=verdicts.count("unknown"),
            )
        )
    return crowds


def _someone(index: int, vectors: Vectors) -> PersonFound:
    face = Face(index, index, index, Box(0, 0, 99, 99), 1.0, vectors[index], 1.0, (), b"")
    return person_of([face], PRIMARY)


def main() -> None:
    """Measure, and print."""
    speeds = [measure_speed(*size) for size in SIZES]
    crowds = [crowd for photos in sys.argv[1:2] for crowd in measure_crowds(Path(photos))]
    for speed in speeds:
        print(
            f"{speed.performers:>8,} performers {speed.encodings:>10,} encodings: templates "
            f"{speed.template_seconds:.2f} s, {PEOPLE} people {speed.match_seconds:.2f} s, "
            f"peak {speed.peak_megabytes} MB",
            file=sys.stderr,
        )
    for crowd in crowds:
        print(
            f"{crowd.strangers:>8,} strangers added: of {crowd.probes} probes named right "
            f"{crowd.named_right}, wrong {crowd.named_wrong}, uncertain {crowd.uncertain}",
            file=sys.stderr,
        )
    record = {
        "densities": asdict(shipped_densities()),
        "speed": [asdict(speed) for speed in speeds],
        "crowds": [asdict(crowd) for crowd in crowds],
    }
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
