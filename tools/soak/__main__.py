"""`python -m tools.soak`: sends thousands of broken files and checks that the server survives."""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from function.media.formats import CODECS
from tools.footage.photos import fetch_photos
from tools.soak.bombs import write_bombs
from tools.soak.decoders import decoders_of, try_decoders
from tools.soak.doors import PLUGIN_TOKEN
from tools.soak.paths import CANARY, lay_out_library
from tools.soak.seeds import write_film, write_seeds
from tools.soak.servers import Server, serving
from tools.soak.trials import (
    Figures,
    canary_server,
    try_crashes,
    try_crowd,
    try_doors,
    try_files,
    try_mutations,
    try_paths,
    try_patience,
    try_photos,
)

TRIALS = (
    "bombs",
    "mutations",
    "photos",
    "paths",
    "crashes",
    "crowd",
    "memory",
    "doors",
    "decoders",
)
LIMIT_SECONDS = 10.0
SLOTS = 2
MOST_DRIFT_PERCENT = 5.0
GOOD = "good.mp4"
PORTRAIT = "obama1.jpg"
FILM = "film-of-ten-seconds.mp4"
COLUMNS = "{:<14} {:>8} {:>9} {:>9} {:>7}  {}"


@dataclass(frozen=True)
class Plan:
    """How much to try, and when to stop."""

    mutations: range
    photos: range
    crashes: int
    requests: int
    doors: int
    packets: int
    until: float


@click.command()
@click.option("--trial", "trials", type=click.Choice(TRIALS), multiple=True, help="Only these.")
@click.option("--mutations", default=10_000, show_default=True, help="How many broken files.")
@click.option("--photos", default=2_000, show_default=True, help="How many broken photos.")
@click.option("--first", default=0, help="The number of the first broken file, to resume from.")
@click.option("--crashes", default=100, show_default=True, help="How many SIGSEGVs.")
@click.option("--requests", default=2_000, show_default=True, help="How many to watch memory with.")
@click.option("--doors", default=10_000, show_default=True, help="How many malformed requests.")
@click.option("--packets", default=2_000, show_default=True, help="How many for each decoder.")
@click.option("--minutes", default=60.0, show_default=True, help="When to stop, even half-way.")
def main(  # noqa: PLR0917  # click gives each option a parameter
    trials: tuple[str, ...],
    mutations: int,
    photos: int,
    first: int,
    crashes: int,
    requests: int,
    doors: int,
    packets: int,
    minutes: float,
) -> None:
    """Run every trial against a server; a table on stderr, JSON on stdout, exit 1 for a fault."""
    plan = Plan(
        mutations=range(first, first + mutations),
        photos=range(photos),
        crashes=crashes,
        requests=requests,
        doors=doors,
        packets=packets,
        until=time.monotonic() + minutes * 60,
    )
    with tempfile.TemporaryDirectory() as name:
        found = _try_all(Path(name), trials or TRIALS, plan)
    _check_drift(found)
    _print(found)
    sys.exit(any(figures.faults for figures in found))


def _try_all(folder: Path, trials: Sequence[str], plan: Plan) -> list[Figures]:
    library = lay_out_library(folder)
    seeds = write_seeds(library)
    (library / GOOD).write_bytes(seeds[0].read_bytes())
    write_film(library / FILM)
    settings = {"TIME_LIMIT_SECONDS": f"{LIMIT_SECONDS:g}", "SLOTS": f"{SLOTS}"}
    settings |= {"THREADS": "1", "PLUGIN_TOKEN": PLUGIN_TOKEN}
    with serving(folder, library, **settings) as server:
        ways = _ways(server, library, seeds, plan)
        return [ways[trial]() for trial in trials]


def _ways(
    server: Server, library: Path, seeds: list[Path], plan: Plan
) -> dict[str, Callable[[], Figures]]:
    portrait = fetch_photos() / PORTRAIT
    videos = [GOOD, *(seed.name for seed in seeds)]
    return {
        "bombs": lambda: _try_bombs(server, library, seeds[0]),
        "mutations": lambda: try_mutations(
            server,
            library,
            seeds,
            plan.mutations,
            good=GOOD,
            limit_seconds=LIMIT_SECONDS,
            workers=SLOTS,
            until=plan.until,
        ),
        "photos": lambda: try_photos(server, portrait, plan.photos, LIMIT_SECONDS, plan.until),
        "paths": lambda: try_paths(server, library, LIMIT_SECONDS),
        "crashes": lambda: try_crashes(server, FILM, GOOD, plan.crashes, LIMIT_SECONDS),
        "crowd": lambda: try_crowd(server, GOOD, 50, LIMIT_SECONDS),
        "doors": lambda: try_doors(server, GOOD, range(plan.doors), LIMIT_SECONDS, plan.until),
        "decoders": lambda: try_decoders(
            CODECS, decoders_of(seeds), range(plan.packets), LIMIT_SECONDS, plan.until
        ),
        "memory": lambda: try_patience(server, videos, plan.requests, plan.until, LIMIT_SECONDS),
    }


def _try_bombs(server: Server, library: Path, seed: Path) -> Figures:
    canary = library.parent / "canary.ts"
    canary.write_text(CANARY)
    with canary_server() as (port, heard):
        bombs = write_bombs(library, seed, canary, port)
        figures = try_files(server, bombs, GOOD, LIMIT_SECONDS)
    figures.notes["connections to the canary server"] = len(heard)
    if heard:
        figures.faults.append(f"{len(heard)} connections reached the canary server")
    return figures


def _check_drift(found: list[Figures]) -> None:
    for figures in found:
        drift = figures.notes.get("drift %", 0.0)
        if drift > MOST_DRIFT_PERCENT:
            figures.faults.append(f"memory grew by {drift:.1f} %")


def _print(found: list[Figures]) -> None:
    print(
        COLUMNS.format("trial", "requests", "seconds", "slowest s", "faults", "statuses"),
        file=sys.stderr,
    )
    for one in found:
        statuses = ", ".join(f"{status}: {times}" for status, times in sorted(one.statuses.items()))
        notes = "; ".join(f"{name} {value:.1f}" for name, value in one.notes.items())
        numbers = (
            one.requests,
            f"{one.seconds:.0f}",
            f"{one.slowest_seconds:.1f}",
            len(one.faults),
        )
        print(COLUMNS.format(one.trial, *numbers, f"{statuses}; {notes}"), file=sys.stderr)
        for fault in one.faults[:10]:
            print(f"    {fault}", file=sys.stderr)
    print(json.dumps([vars(figures) for figures in found], indent=2))


if __name__ == "__main__":
    main()
