"""`make bench-faces`: which faces each detector finds, by size, turn, blur and light, and its cost.

One portrait at a time is drawn into a 1080p picture with a textured background; a face counts as
found if the middle of a detector's box is within half a face of where it was drawn. Every picture
is new to the detector, so YuNet runs all its passes, as for a photo. Prints a Markdown table.
"""

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
from tqdm import tqdm

from function.engines.loading import load_engine
from function.engines.protocol import Box, Detection, DetectorName, EngineOptions
from function.enrolling.search import DETECTION_PIXELS
from function.faces.faces import faces_of_image
from function.media.images import RgbPicture
from function.media.photo_decoder import decode_photo
from function.media.photos import PhotoRefusedError
from function.media.pictures import RgbImage
from tools.footage.bench_footage import HEIGHT, WIDTH, make_ground
from tools.footage.photos import fetch_photos

PORTRAITS = ("obama1.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png", "hopper.jpg")
SMALLEST_SOURCE_PIXELS = 90
"""Photos with a narrower face are left out: it could not be drawn larger."""

SURROUNDINGS = 0.9
"""A photo must show this many face widths on each side of the face's middle."""

SPARE = 10
"""This many times more photos of the folders are tried than needed, evenly spread."""

DISC = 1.25
"""A portrait is drawn as a disc that reaches this many face widths from the face's middle."""


@dataclass(frozen=True)
class Condition:
    """How a face is drawn: its width, turn, blur (in widths) and the share of light left."""

    width: int
    degrees: int = 0
    blur: float = 0.0
    light: float = 1.0

    def __str__(self) -> str:
        """Describe it in a few words, for a row of the table."""
        parts = [f"{self.width} px"]
        parts += [f"turned by {self.degrees}"] if self.degrees else []
        parts += [f"blurred by {self.blur:.0%} of its width"] if self.blur else []
        parts += [f"{self.light:.0%} of the light"] if self.light < 1 else []
        return ", ".join(parts)


CONDITIONS = (
    *(Condition(width) for width in (22, 28, 32, 45, 59, 72, 100, 128, 400)),
    *(Condition(100, degrees) for degrees in (15, 30, 45, 60, 90, 135, 180)),
    *(Condition(60, degrees) for degrees in (30, 45, 60, 90, 135, 180)),
    *(Condition(72, blur=blur) for blur in (0.03, 0.06)),
    *(Condition(72, light=light) for light in (0.25, 0.1)),
)


@dataclass(frozen=True)
class Way:
    """A way to find faces: a detector, and the size of the picture it is given."""

    name: str
    detector: DetectorName
    longest_pixels: int


WAYS = (
    Way("yunet", "yunet", 960),
    Way("cnn", "cnn", 960),
    Way("hog", "hog", 960),
    Way("the usual way", "hog", WIDTH),
)
"""The last is HOG on the whole picture, enlarged once: face_recognition's default."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A photo, and the middle and width of the one face in it."""

    picture: RgbImage
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Cell:
    """How many faces of one condition one way found, and its median time."""

    found: int
    milliseconds: float


def read_portraits(folders: Sequence[Path], count: int) -> list[Portrait]:
    """Read the demo's portraits, and photos from the folders, until there are `count`."""
    engine = load_engine("onnx", EngineOptions())
    own = [fetch_photos() / name for name in PORTRAITS]
    others = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    spread = others[:: max(1, len(others) // (SPARE * count))]
    portraits: list[Portrait] = []
    for path in [*own, *spread]:
        if len(portraits) == count:
            break
        try:
            picture = decode_photo(path.read_bytes())
        except PhotoRefusedError:
            continue
        faces = faces_of_image(picture, engine, DETECTION_PIXELS)
        sure = [face.box for face in faces if not face.is_doubtful]
        if len(sure) == 1 and sure[0].width >= SMALLEST_SOURCE_PIXELS:
            portraits += _with_surroundings(picture, sure[0])
    return portraits


def _with_surroundings(picture: RgbImage, box: Box) -> list[Portrait]:
    """Return the portrait, unless the photo is cut so tightly that its edge would show."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    room = min(x, y, picture.shape[1] - x, picture.shape[0] - y)
    return [Portrait(picture, x, y, box.width)] if room >= SURROUNDINGS * box.width else []


def draw(portrait: Portrait, condition: Condition, ground: RgbImage, seed: int) -> "Drawn":
    """Draw a portrait at a random place, as the condition says."""
    reach = DISC * condition.width
    chance = np.random.default_rng(seed)
    x = chance.uniform(min(reach, WIDTH / 2), max(WIDTH - reach, WIDTH / 2))
    y = chance.uniform(min(reach, HEIGHT / 2), max(HEIGHT - reach, HEIGHT / 2))
    source, middle = portrait.picture, np.array([portrait.x, portrait.y])
    scale = condition.width / portrait.width
    while scale <= 1 / 2:  # halved first, or warpAffine would skip pixels
        half = (source.shape[1] // 2, source.shape[0] // 2)
        source = cv2.resize(source, half, interpolation=cv2.INTER_AREA).astype(np.uint8)
        scale, middle = 2 * scale, middle / 2
    turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), -condition.degrees, scale)
    turn[:, 2] += np.array([x, y]) - middle
    shown = cv2.warpAffine(source, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    inside = np.hypot(columns - x, rows - y) < reach
    picture = np.where(inside[:, :, None], shown, ground).astype(np.uint8)
    if condition.blur:
        blurred = cv2.GaussianBlur(picture, (0, 0), condition.blur * condition.width)
        picture = blurred.astype(np.uint8)
    return Drawn((picture * condition.light).astype(np.uint8), x, y, condition.width)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture in which one face is drawn, and where."""

    picture: RgbImage
    x: float
    y: float
    width: float

    def is_found(self, found: Sequence[Detection]) -> bool:
        """Whether one of the detections is this face."""
        return any(
            np.hypot(
                (one.box.left + one.box.right) / 2 - self.x,
                (one.box.top + one.box.bottom) / 2 - self.y,
            )
            < self.width / 2
            for one in found
        )


def measure(way: Way, portraits: Sequence[Portrait]) -> Iterator[Cell]:
    """Search for every portrait in every condition."""
    engine = load_engine("onnx", EngineOptions(detector=way.detector))
    ground = make_ground()
    for condition in tqdm(CONDITIONS, desc=way.name, file=sys.stderr):
        found, seconds = 0, []
        for seed, portrait in enumerate(portraits):
            drawn = draw(portrait, condition, ground, seed)
            started = time.perf_counter()
            faces = engine.open_detector(way.longest_pixels).detect(RgbPicture(drawn.picture))
            seconds.append(time.perf_counter() - started)
            found += drawn.is_found(faces)
        yield Cell(found, 1000 * statistics.median(seconds))


def render(ways: Sequence[Way], columns: Sequence[Sequence[Cell]], count: int) -> str:
    """Render the table: a row for each condition, then the median cost of each way."""
    heading = [f"of {count} faces, found by", *(way.name for way in ways)]
    rows = [
        [str(condition), *(str(column[row].found) for column in columns)]
        for row, condition in enumerate(CONDITIONS)
    ]
    cost = [statistics.median(cell.milliseconds for cell in column) for column in columns]
    lines = [
        heading,
        ["---"] * len(heading),
        *rows,
        ["ms a picture", *(f"{ms:.0f}" for ms in cost)],
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@click.command(epilog="Example: python -m tools.bench.faces photos/ --pictures 20")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--pictures", default=20, show_default=True, help="Faces per condition.")
@click.option(
    "--way", "names", multiple=True, type=click.Choice([w.name for w in WAYS]), help="Default: all."
)
def main(folders: tuple[Path, ...], pictures: int, names: tuple[str, ...]) -> None:
    """Compare detectors on the demo's portraits, and on photos in FOLDERS with one face each.

    All ways together take about ten minutes with 20 pictures; the usual way is most of that.
    """
    portraits = read_portraits(folders, pictures)
    ways = [way for way in WAYS if not names or way.name in names]
    columns = [list(measure(way, portraits)) for way in ways]
    click.echo(render(ways, columns, len(portraits)))


if __name__ == "__main__":
    main()
