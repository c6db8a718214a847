"""Quick scans for the tests: real videos of coloured squares, each of which counts as a face."""

import json
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from click.testing import Result

from db.ledgers import Ledger
from db.records import Encoding, Performer, Vector, Vectors
from db.sqlite.store import StoredGallery
from db.stores import open_store
from function.engines.models import PRIMARY
from function.errors import CrashedVideoError
from function.faces.found import Progress, Task
from function.library.finding import find_videos
from function.library.offering import offer_files
from function.library.scan_events import Event, Failed
from function.library.scanning import Scanner
from function.media.files import MediaFile
from function.media.pictures import RgbImage
from function.people.gathering import PeopleFound
from function.sandbox.readers import Reader
from function.settings import Settings
from tests.support.engines import EngineReader, QuickEngine
from tests.support.galleries import made_up_vector
from tools.footage.videos import still_picture, write_video

FPS = 5
SIDE = 4


class SquaresEngine(QuickEngine):
    """Sees a face in every picture of `squares`; its encoding is the same after any codec."""

    model = PRIMARY

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        return np.stack([made_up_vector(_number_in(chip)) for chip in chips])


def squares(seed: int) -> RgbImage:
    """A picture of 16 squares, each light or dark in each colour, different for each seed."""
    lit = np.random.default_rng(seed).integers(0, 2, (SIDE, SIDE, 3), np.uint8)
    return np.kron(30 + 190 * lit, np.ones((16, 16, 1), np.uint8)).astype(np.uint8)


def _number_in(chip: RgbImage) -> int:
    side = chip.shape[0] // SIDE
    middles = [side * number + side // 2 for number in range(SIDE)]
    lit = chip[np.ix_(middles, middles)] > 127
    return int("".join("1" if one else "0" for one in lit.flat), 2)


def write_squares(path: Path, *seeds: int) -> Path:
    """Write a video in which each of these people is seen for a second, one after the other."""
    pictures = (one for seed in seeds for one in still_picture(squares(seed), 1, fps=FPS))
    return write_video(path, pictures, fps=FPS, keyframe_every=FPS)


def write_many(folder: Path, count: int) -> list[Path]:
    """Write videos with two people each."""
    folder.mkdir(exist_ok=True)
    return [
        write_squares(folder / f"{number:02}.mp4", 100 + number, 200 + number)
        for number in range(count)
    ]


@dataclass
class SquaresReader(EngineReader):
    """Reads videos at once, but crashes on some, and sees nobody in others, given by name."""

    crashing: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()
    read: list[str] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(SquaresEngine())

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        self.read.append(media.name)
        self.tasks.append(task)
        if media.name in self.crashing:
            raise CrashedVideoError(f"{media.name} crashed the process that read it.")
        for event in super().find_people(media, task):
            if isinstance(event, PeopleFound) and media.name in self.unseen:
                yield replace(event, people=(), links=(), faces=0)
            else:
                yield event


def write_album(folder: Path, pictures: Mapping[str, int]) -> Path:
    """Write pictures into a folder: a PNG of each name that shows the person of that number."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in pictures.items():
        (folder / name).write_bytes(picture_of(seed))
    return folder


def picture_of(seed: int) -> bytes:
    """A picture that shows one person, as PNG."""
    encoded: bytes = cv2.imencode(".png", squares(seed)[..., ::-1])[1].tobytes()
    return encoded


def make_gallery(path: Path) -> Path:
    """An empty gallery."""
    StoredGallery(path, create=True).close()
    return path


def enrol(gallery: Path, name: str, vector: Vector, count: int = 3) -> Performer:
    """Enrol somebody with photos that look exactly like `vector`."""
    encodings = [
        Encoding(vector, PRIMARY.id, 0.9, f"{name}{number}", f"{name}/{number}.jpg")
        for number in range(count)
    ]
    with open_store(gallery).changing() as opened:
        opened.enrol(Performer(0, name, source_id=name), encodings, None)
        return opened.find_performer(name)


def offer_all(ledger: Ledger, *places: Path, pictures: bool = False) -> None:
    """Look for videos, and queue what is new."""
    found = find_videos(places, ledger.stamps(), pictures=pictures)
    offer_files(ledger, found.files, "normal")


def make_scanner(
    ledger: Ledger,
    gallery: Path,
    reader: Reader | None = None,
    *,
    strangers: bool = True,
    only: frozenset[int] | None = None,
) -> Scanner:
    reader = reader or SquaresReader()
    return Scanner(
        ledger,
        reader,
        open_store(gallery),
        Settings(sandbox="off"),
        strangers=strangers,
        stopping=threading.Event(),
        only=only,
        pictures=reader,
    )


def failures(events: Iterable[Event]) -> list[tuple[str, str, bool]]:
    """The name, the reason and whether it is for good, of each failure among events."""
    return [
        (Path(one.path.decode(errors="replace")).name, one.reason, one.for_good)
        for one in events
        if isinstance(one, Failed)
    ]


def read(result: Result) -> Any:
    """Return the JSON that a verb printed."""
    return json.loads(result.stdout)


def names_in(found: Any) -> dict[str, list[str | None]]:
    return {
        Path(one["path"]).name: sorted(
            (person["performer"] for person in one["people"]), key=lambda name: name or ""
        )
        for one in found
    }
