"""The stored numbers: where they are, on which processors they hold, and how new ones differ."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

REPLIES = Path(__file__).with_name("replies.json")

# Processors differ in the last bits: a score may move by this many points, all else by 0.001.
TOLERANCES = {"score": 0.05}
OTHER_TOLERANCE = 0.001


@dataclass(frozen=True)
class Difference:
    """A value that has changed; `place` leads to it: keys and positions, separated by /."""

    place: str
    stored: Any
    made: Any

    @property
    def size(self) -> float:
        """How far a score or a time has moved; infinite for a value that must be the same."""
        if isinstance(self.stored, float) and isinstance(self.made, float):
            return round(abs(self.made - self.stored), 9)
        return float("inf")

    @property
    def is_tolerable(self) -> bool:
        """Whether another processor may be the reason."""
        return self.size <= TOLERANCES.get(self.place.rpartition("/")[2], OTHER_TOLERANCE)


def find_differences(stored: Any, made: Any, place: str) -> Iterator[Difference]:
    """Walk through two values of JSON side by side, and yield where they differ."""
    if isinstance(stored, dict) and isinstance(made, dict) and list(stored) == list(made):
        for key in stored:
            yield from find_differences(stored[key], made[key], f"{place}/{key}")
    elif isinstance(stored, list) and isinstance(made, list) and len(stored) == len(made):
        for number, (one, other) in enumerate(zip(stored, made, strict=True)):
            yield from find_differences(one, other, f"{place}/{number}")
    elif stored != made:
        yield Difference(place, stored, made)


def name_arithmetic() -> str:
    """Identify how this processor rounds, by a digest of a turned picture and a matrix product.

    One pixel that is one level brighter moves the landmarks of a leaning face, and so its score by
    whole points. So numbers made on one kind of processor cannot be compared on another.
    """
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, (240, 320, 3), np.uint8)
    turn = cv2.getRotationMatrix2D((160, 120), 20, 0.8)
    turned = cv2.warpAffine(picture, turn, (320, 240))
    smaller = cv2.resize(picture, (100, 70), interpolation=cv2.INTER_AREA)
    matrix = random.normal(size=(128, 128)).astype(np.float32)
    # Eight rows at once: a larger product is split among cores, and rounded as many are free.
    products = [rows @ matrix for rows in np.split(matrix, 16)]
    parts = (turned, smaller, *products)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:12]


def read_replies() -> tuple[str, dict[str, Any]]:
    """Read the arithmetic on which the numbers were made, and the numbers of each case."""
    stored = json.loads(REPLIES.read_text(encoding="utf-8"))
    return stored["arithmetic"], stored["cases"]


def write_replies(cases: dict[str, Any]) -> None:
    """Store the numbers of each case as made here."""
    stored = {"arithmetic": name_arithmetic(), "cases": cases}
    text = json.dumps(stored, ensure_ascii=False, indent=1)
    REPLIES.write_text(text + "\n", encoding="utf-8")
