"""Films cut from clips, and whom they show when and where."""

import json
import random
from pathlib import Path

import av
import numpy as np
import pytest

from function.engines.protocol import Box
from tests.support.videos import number_in, numbered_pictures
from tools.accuracy.cameras import Camera
from tools.accuracy.casts import Footage
from tools.accuracy.films import FPS, WIDTH, Shot, Shown, Take, make_film, plan_film, write_truth
from tools.footage.videos import write_video

NOWHERE = Box(0, 0, 9, 9)


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 6 s that says which of its pictures is seen."""
    path = tmp_path_factory.mktemp("numbered") / "clip.mp4"
    return write_video(path, numbered_pictures(150, width=640, height=360), fps=25)


def footage(name: str, clip: Path, start: float = 0.0, end: float = 6.0) -> Footage:
    return Footage(name, clip, start, end, NOWHERE)


def take(one: Footage, start: float) -> Take:
    return Take(one, start, Camera())


def pictures_of(film: Path) -> list["np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"]:
    with av.open(str(film)) as container:
        return [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]


def test_a_film_shows_each_take_from_its_moment_on_and_says_so(
    numbered: Path, tmp_path: Path
) -> None:
    one, other = footage("A", numbered), footage("B", numbered)
    shots = [Shot((take(one, 3.0),), 1.0), Shot((take(other, 0.4),), 2.0)]
    shown = make_film(tmp_path / "film.mp4", shots, 250)
    assert shown == (Shown("A", 0.0, 1.0), Shown("B", 1.0, 3.0))
    numbers = [number_in(picture) for picture in pictures_of(tmp_path / "film.mp4")]
    assert numbers == [*range(75, 100), *range(10, 60)]


def test_a_clip_that_ends_sooner_than_it_promised_ends_its_shot(
    numbered: Path, tmp_path: Path
) -> None:
    shots = [Shot((take(footage("A", numbered, end=99), 5.0),), 4.0)]
    assert make_film(tmp_path / "film.mp4", shots, 50) == (Shown("A", 0.0, 1.0),)


def test_two_people_side_by_side_have_half_of_the_picture_each(
    numbered: Path, tmp_path: Path
) -> None:
    shot = Shot((take(footage("A", numbered), 0.0), take(footage("B", numbered), 2.0)), 1.0)
    left, right = shown = make_film(tmp_path / "film.mp4", [shot], 50)
    assert shown == (Shown("A", 0.0, 1.0, 0.0, 0.5), Shown("B", 0.0, 1.0, 0.5, 1.0))
    assert pictures_of(tmp_path / "film.mp4")[0].shape == (360, WIDTH, 3)
    at_left, at_right = Box(100, 100, 200, 200), Box(400, 100, 500, 200)
    assert (left.holds(0.5, at_left), left.holds(0.5, at_right)) == (True, False)
    assert (right.holds(0.5, at_left), right.holds(0.5, at_right)) == (False, True)


def test_a_shot_ends_before_the_first_picture_of_the_next() -> None:
    shown = Shown("A", 1.0, 2.0)
    moments = (1.0 - 1 / FPS, 1.0, 2.0 - 1 / FPS, 2.0)
    assert [shown.holds(seconds, NOWHERE) for seconds in moments] == [False, True, True, False]


def test_a_plan_has_everyone_in_several_shots_and_is_the_same_from_the_same_seed(
    numbered: Path,
) -> None:
    everyone = {f"P{number:02}": [footage(f"P{number:02}", numbered)] for number in range(20)}
    plans = [plan_film(everyone, random.Random(seed)) for seed in range(30)]
    assert plans[7] == plan_film(everyone, random.Random(7))
    counts = set()
    for shots in plans:
        names = [one.footage.name for shot in shots for one in shot.takes]
        counts.add(len(set(names)))
        assert all(2 <= names.count(name) <= 4 for name in names)
    assert (min(counts), max(counts)) == (3, 12)
    shots = [shot for plan in plans for shot in plan]
    assert 0.1 < sum(len(shot.takes) == 2 for shot in shots) / len(shots) < 0.3
    for shot in shots:
        assert 2.0 <= shot.seconds <= 6.0
        assert all(one.start_seconds + shot.seconds <= 6.0 for one in shot.takes)


def test_a_short_clip_is_a_short_shot_and_two_people_are_enough(numbered: Path) -> None:
    both = {"A": [footage("A", numbered, 1.0, 2.5)], "B": [footage("B", numbered)]}
    shots = plan_film(both, random.Random(1))
    short = [shot for shot in shots if shot.takes[0].footage.name == "A"]
    assert {shot.seconds for shot in short} == {1.5}
    assert all(one.start_seconds == 1.0 for shot in short for one in shot.takes[:1])


def test_the_truth_is_written_beside_a_film(tmp_path: Path) -> None:
    write_truth(tmp_path / "film.json", [Shown("Zoë", 0.0, 2.0, 0.5, 1.0)])
    (read,) = json.loads((tmp_path / "film.json").read_text(encoding="utf-8"))
    assert Shown(**read) == Shown("Zoë", 0.0, 2.0, 0.5, 1.0)
