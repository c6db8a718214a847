"""Two samples are of one shot if light and darkness are distributed alike."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from function.media.conversion import Thumbnail
from function.media.frames import sample_frames
from function.media.pictures import RgbImage
from function.media.shots import is_same_shot
from function.media.videos import open_video
from tools.footage.videos import write_video

DRAWN = np.random.default_rng(5)


def room(darkest: int, brightest: int, dancer_at: int = 0) -> Thumbnail:
    """A wall that grows lighter towards its foot, and somebody bright in front of it."""
    wall = np.linspace(darkest, brightest, 32).astype(np.int16)
    cells = np.repeat(wall[:, None], 32, axis=1)
    cells[8:24, dancer_at : dancer_at + 6] = 200
    return cells


@pytest.mark.parametrize(
    ("after", "same"),
    [
        (room(20, 90), True),
        (room(20, 90, dancer_at=20), True),
        (room(22, 93, dancer_at=9), True),
        (room(60, 200), False),
        (room(20, 50), False),
    ],
    ids=["nothing moves", "somebody moves", "the light flickers", "a lit room", "a dark room"],
)
def test_a_cut_changes_the_light_and_movement_does_not(after: Thumbnail, *, same: bool) -> None:
    assert is_same_shot(room(20, 90), after) == same


def test_noise_in_the_dark_is_no_cut() -> None:
    one, other = (DRAWN.integers(0, 2, (32, 32)).astype(np.int16) for _ in range(2))
    assert is_same_shot(one, other)


def test_frames_carry_the_number_of_their_shot(tmp_path: Path) -> None:
    def film() -> Iterator[RgbImage]:
        for brightness in (60, 200, 60):
            for number in range(50):
                picture = np.full((90, 160, 3), brightness // 2, np.uint8)
                picture[20:60, number : number + 50] = brightness
                yield picture

    path = write_video(tmp_path / "film.mp4", film())
    with open_video(path, 0.5) as video:
        frames = list(sample_frames(video))
    assert sorted({frame.shot for frame in frames}) == [0, 1, 2]
    assert [frame.shot for frame in frames] == [min(2, int(frame.seconds / 2)) for frame in frames]
