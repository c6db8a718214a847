"""Footage for the benchmark: two minutes of 1080p from the demo's portraits, with known faces.

Shots of five seconds show one or two portraits that sway, zoom and blur over a moving background,
or a cat, with hard cuts between them. What each moment shows is known, so that found faces can be
checked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np

from function.media.pictures import RgbImage
from tools.footage.photos import fetch_photos
from tools.footage.videos import read_portrait, write_video

FOOTAGE_FOLDER = Path(__file__).parents[2] / ".cache" / "footage"
WIDTH, HEIGHT, FPS = 1920, 1080, 25
SHOT_SECONDS = 5.0
FAR_SHARE = 0.2


@dataclass(frozen=True)
class Shot:
    """Some seconds with the same people: portraits, and their size in heights of the picture."""

    portraits: tuple[str, ...]
    heights: float
    blur_pixels: int = 0


SHOTS = (
    Shot(("obama1.jpg",), 1.0),
    Shot(("obama3.jpg", "biden.jpg"), 0.7),
    Shot(("astronaut.png",), 0.9, blur_pixels=3),
    Shot(("cat.png",), 1.0),
    Shot(("hopper.jpg", "astronaut.png"), 0.6),
    Shot(("biden.jpg",), 0.8),
    Shot(("obama2.jpg",), 0.9),
    Shot(("hopper.jpg",), 0.5, blur_pixels=2),
)
"""Played in turn until the time is full; faces are 10 to 36 % of the picture's height."""

EMPTY_SHOTS = (
    Shot((), 1.0),
    Shot(("cat.png",), 1.0),
    Shot((), 1.0),
    Shot(("cat.png", "cat.png"), 0.6),
)
"""The same with nobody in it: the background, and a cat, whose face is like a person's."""


def make_footage(
    seconds: float,
    keyframe_seconds: float,
    folder: Path = FOOTAGE_FOLDER,
    *,
    is_far: bool = False,
    is_empty: bool = False,
) -> Path:
    """Make a 1080p H.264 video with a given length and keyframe interval, unless it exists.

    `is_far` shows the same people at FAR_SHARE of the size: faces of 40 to 80 pixels. `is_empty`
    shows nobody.
    """
    kind = "-empty" if is_empty else "-far" if is_far else ""
    path = folder / f"{seconds:g}s-keyframe-{keyframe_seconds:g}s{kind}.mp4"
    shots = EMPTY_SHOTS if is_empty else SHOTS
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.mp4")
        write_video(
            partial,
            _pictures(seconds, shots, FAR_SHARE if is_far else 1.0),
            fps=FPS,
            keyframe_every=round(keyframe_seconds * FPS),
        )
        partial.replace(path)
    return path


def loop_footage(source: Path, seconds: float) -> Path:
    """Repeat footage until it lasts `seconds`, without encoding it again.

    `seconds` must be on a keyframe, and the source last at least a whole round of shots.
    """
    path = source.with_name(f"{seconds:g}s-of-{source.name}")
    if not path.exists():
        partial = path.with_suffix(".partial.mp4")
        _copy_packets(source, partial, seconds)
        partial.replace(path)
    return path


def _copy_packets(source: Path, target: Path, seconds: float) -> None:
    with av.open(str(target), "w") as output, av.open(str(source)) as original:
        template = original.streams.video[0]
        copied = output.add_stream_from_template(template)
        length = template.duration or 0
        end = round(seconds / float(template.time_base or 1))
        for start in range(0, end, length):
            original.seek(0)
            for packet in original.demux(template):
                if packet.dts is None or packet.pts is None or packet.pts + start >= end:
                    continue  # shown after the end, though stored before it
                packet.pts, packet.dts = packet.pts + start, packet.dts + start
                packet.stream = copied
                output.mux(packet)


def is_footage(video: Path) -> bool:
    """Say whether a video was made here, so that its faces are known."""
    return video.resolve().parent == FOOTAGE_FOLDER.resolve()


def true_faces(seconds: float) -> int:
    """Count the faces shown at a moment of the footage."""
    return sum(portrait != "cat.png" for portrait in _shot_at(seconds, SHOTS).portraits)


def _shot_at(seconds: float, shots: Sequence[Shot]) -> Shot:
    return shots[int(seconds / SHOT_SECONDS) % len(shots)]


def _pictures(seconds: float, shots: Sequence[Shot], share: float) -> Iterator[RgbImage]:
    photos = fetch_photos()
    portraits = {name: read_portrait(photos / name) for shot in shots for name in shot.portraits}
    ground = make_ground()
    for index in range(round(seconds * FPS)):
        now = index / FPS
        shot = _shrink(_shot_at(now, shots), share)
        picture = np.roll(ground, index * 2, axis=1)
        for place, name in enumerate(shot.portraits):
            _draw(picture, portraits[name], shot, (place + 1) / (len(shot.portraits) + 1), now)
        yield picture


def _shrink(shot: Shot, share: float) -> Shot:
    return replace(shot, heights=shot.heights * share, blur_pixels=round(shot.blur_pixels * share))


def _draw(picture: RgbImage, portrait: RgbImage, shot: Shot, across: float, now: float) -> None:
    """Draw a portrait that sways by 2 % of the width, zooms by 10 %, and blurs as the shot says."""
    zoom = 1 + 0.1 * np.sin(now * 0.9)
    side = min(HEIGHT, round(shot.heights * HEIGHT * zoom))
    scaled = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    if shot.blur_pixels:
        scaled = cv2.GaussianBlur(scaled, (0, 0), shot.blur_pixels)
    left = round(across * WIDTH - side / 2 + 0.02 * WIDTH * np.sin(now * 1.7))
    top = (HEIGHT - side) // 2
    picture[top : top + side, left : left + side] = scaled


def make_ground() -> RgbImage:
    """Paint a textured background, so that the encoder and the detectors have something to do."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = np.sin(rows / 17) * np.cos(columns / 23) + np.sin((rows + columns) / 61)
    noise = np.random.default_rng(1).normal(0, 4, (HEIGHT, WIDTH, 1))
    tint = np.array([90, 110, 130])
    ground = tint + 22 * waves[:, :, None] + noise
    pixels: RgbImage = np.clip(ground, 0, 255).astype(np.uint8)
    return pixels
