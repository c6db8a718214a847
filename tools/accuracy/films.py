"""Cuts labelled clips into films, and knows who is seen in them, when and where.

A film has 3 to 12 people, each in several shots in any order. In some shots the camera moves or
the head turns, in others two people are side by side.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from function.engines.protocol import Box
from function.media.conversion import PictureConverter
from function.media.pictures import RgbImage
from function.media.videos import open_video
from tools.accuracy.cameras import Camera, draw_camera, take_picture
from tools.accuracy.casts import Footage
from tools.footage.videos import write_video

WIDTH, HEIGHT, FPS = 640, 360, 25
"""Small pictures, as old films have; faces are some 100 pixels wide, or 50 side by side."""

PEOPLE = (3, 12)
SHOTS_EACH = (2, 4)
SHOT_SECONDS = (2.0, 6.0)
SIDE_BY_SIDE = 0.2
"""This share of shots shows two people, each in half of the picture."""

KEYFRAMES_EVERY = (50, 100, 250)
"""Encoders place a keyframe where a shot begins, and at the latest after so many pictures."""

OF_TRUTH = b'"start_seconds": '
"""Stands near the beginning of each truth that `write_truth` writes: by it a file is known."""

ENCODER = {"crf": "23", "sc_threshold": "40"}
"""What x264 does unless told otherwise."""


@dataclass(frozen=True)
class Take:
    """One person as one camera took them: footage from `start_seconds` on."""

    footage: Footage
    start_seconds: float
    camera: Camera


@dataclass(frozen=True)
class Shot:
    """One stretch of film: a take, or two side by side."""

    takes: tuple[Take, ...]
    seconds: float


@dataclass(frozen=True)
class Shown:
    """Says that a film shows somebody from start to end, between two shares of its width."""

    name: str
    start_seconds: float
    end_seconds: float
    left: float = 0.0
    right: float = 1.0

    def holds(self, seconds: float, box: Box) -> bool:
        """Whether a face at this time and place is theirs."""
        middle = (box.left + box.right) / 2 / WIDTH
        half_picture = 0.5 / FPS  # times are rounded, in files and elsewhere
        in_time = self.start_seconds - half_picture <= seconds < self.end_seconds - half_picture
        return in_time and self.left <= middle <= self.right


def plan_film(footage: Mapping[str, Sequence[Footage]], chance: random.Random) -> tuple[Shot, ...]:
    """Draw who is in a film, and its shots, in order."""
    most = min(PEOPLE[1], len(footage))
    people = chance.sample(sorted(footage), chance.randint(min(PEOPLE[0], most), most))
    turns = [name for name in people for _ in range(chance.randint(*SHOTS_EACH))]
    chance.shuffle(turns)
    shots = []
    while turns:
        cast = [turns.pop()]
        if turns and turns[-1] != cast[0] and chance.random() < SIDE_BY_SIDE:
            cast.append(turns.pop())
        shots.append(_plan_shot([chance.choice(footage[name]) for name in cast], chance))
    return tuple(shots)


def _plan_shot(cast: Sequence[Footage], chance: random.Random) -> Shot:
    """Draw a shot, as long as its shortest footage lets it be."""
    longest = min(one.end_seconds - one.start_seconds for one in cast)
    seconds = min(longest, chance.uniform(*SHOT_SECONDS))
    takes = [
        Take(one, chance.uniform(one.start_seconds, one.end_seconds - seconds), draw_camera(chance))
        for one in cast
    ]
    return Shot(tuple(takes), seconds)


def make_film(path: Path, shots: Sequence[Shot], keyframe_every: int) -> tuple[Shown, ...]:
    """Write a film, and return whom it shows, in order of time."""
    shown: list[Shown] = []
    pictures = _shoot(shots, shown)
    write_video(path, pictures, fps=FPS, keyframe_every=keyframe_every, options=ENCODER)
    return tuple(shown)


def write_truth(path: Path, shown: Sequence[Shown]) -> None:
    """Write whom a film shows, as JSON."""
    path.write_text(json.dumps([asdict(one) for one in shown], indent=1, ensure_ascii=False))


def _shoot(shots: Sequence[Shot], shown: list[Shown]) -> Iterator[RgbImage]:
    """Yield every picture of a film, and add whom each shot showed, for as long as it did."""
    taken = 0
    for shot in shots:
        begin = taken
        for picture in _shoot_one(shot):
            yield picture
            taken += 1
        share = 1 / len(shot.takes)
        shown += [
            Shown(take.footage.name, begin / FPS, taken / FPS, place * share, (place + 1) * share)
            for place, take in enumerate(shot.takes)
            if taken > begin
        ]


def _shoot_one(shot: Shot) -> Iterator[RgbImage]:
    count = round(shot.seconds * FPS)
    size = (WIDTH // len(shot.takes), HEIGHT)
    clips = [play(take.footage.clip, take.start_seconds) for take in shot.takes]
    # A clip may end a picture sooner than its length promised; so does the shot then.
    for number, pictures in zip(range(count), zip(*clips, strict=False), strict=False):
        parts = [
            take_picture(picture, take.footage.area, take.camera, number / count, size)
            for picture, take in zip(pictures, shot.takes, strict=True)
        ]
        yield np.hstack(parts)


def play(clip: Path, start_seconds: float) -> Iterator[RgbImage]:
    """Yield what a clip shows from a moment on, 25 times a second, until it ends."""
    due = start_seconds
    with open_video(clip) as video:
        converter = PictureConverter(video.stream.sample_aspect_ratio, video.limits.max_pixels)
        unit = video.stream.time_base or Fraction(1, FPS)
        first, lasts = (video.stream.start_time or 0) * unit, 1 / (video.stream.average_rate or FPS)
        video.container.seek(round((start_seconds + first) / unit), stream=video.stream)
        for picture in video.container.decode(video.stream):
            ends = (picture.time or 0.0) - first + lasts
            rgb = converter.to_rgb(picture) if due < ends else None
            while rgb is not None and due < ends:
                yield rgb
                due += 1 / FPS
