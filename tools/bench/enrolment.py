"""Measures what enrolling a folder of photos costs: `python -m tools.bench.enrolment`.

The photos are variations of six portraits, 600 px on the longest side, four per performer.
"""

import io
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageEnhance

from db.stores import open_store
from function.imports.photos import Demands
from function.settings import Settings
from function.sources.records import Refusal, SourceRecord
from tools.footage.photos import fetch_photos
from tools.imports.imports import import_records
from tools.sources.folder import read_performers
from tools.verbs.shared import load_chosen_engine

PORTRAITS = ("obama1.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "hopper.jpg", "astronaut.png")
SIDE_PIXELS = 600
PHOTOS_EACH = 4


@dataclass(frozen=True)
class Measured:
    """One run; memory is the process's peak in MB after a quarter of the photos, and at the end."""

    engine: str
    detector: str
    cores: int
    photos: int
    enrolled: int
    refused: int
    seconds: float
    milliseconds_per_photo: float
    peak_mb_at_a_quarter: float
    peak_mb: float


def make_folder(folder: Path, photos: int) -> None:
    """Fill a folder with made-up performers of four photos each; no two files are the same."""
    portraits = [Image.open(fetch_photos() / name).convert("RGB") for name in PORTRAITS]
    chance = np.random.default_rng(0)
    for number in range(photos):
        performer = folder / f"Performer {number // PHOTOS_EACH:05}"
        performer.mkdir(exist_ok=True)
        picture = portraits[number % len(portraits)].copy()
        picture.thumbnail((SIDE_PIXELS, SIDE_PIXELS))
        picture = ImageEnhance.Brightness(picture).enhance(chance.uniform(0.8, 1.2))
        (performer / f"{number:05}.jpg").write_bytes(_jpeg(picture, int(chance.integers(75, 95))))


def measure(folder: Path, photos: int) -> Measured:
    """Enrol the folder into a new gallery next to it."""
    settings = Settings.from_env()
    engine = load_chosen_engine(settings)
    quarter: list[float] = []
    records = list(read_performers(folder))
    with open_store(folder.with_suffix(".db")).changing(create=True) as gallery:
        begun = time.perf_counter()
        watched = _watch(records, len(records) // 4, quarter)
        report = import_records(watched, gallery, engine, Demands(), kind="benchmark")
        seconds = time.perf_counter() - begun
    counts = report.counts()
    return Measured(
        engine=engine.name,
        detector=settings.detector,
        cores=len(os.sched_getaffinity(0)),
        photos=photos,
        enrolled=counts["photos"],
        refused=counts["refused"],
        seconds=round(seconds, 1),
        milliseconds_per_photo=round(1000 * seconds / photos, 1),
        peak_mb_at_a_quarter=round(quarter[0], 0),
        peak_mb=round(_peak_mb(), 0),
    )


def _watch(
    records: list[SourceRecord], at: int, peaks: list[float]
) -> Iterator[SourceRecord | Refusal]:
    for index, record in enumerate(records):
        if index == at:
            peaks.append(_peak_mb())
        yield record


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@click.command()
@click.option("--photos", default=1000, show_default=True, type=click.IntRange(min=PHOTOS_EACH))
def main(photos: int) -> None:
    """Print a table on stderr and JSON on stdout."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "people"
        folder.mkdir()
        make_folder(folder, photos)
        measured = asdict(measure(folder, photos))
    for name, value in measured.items():
        click.echo(f"{name.replace('_', ' '):>24}  {value}", err=True)
    click.echo(json.dumps(measured))


if __name__ == "__main__":
    main()
