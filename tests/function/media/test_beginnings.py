"""A film whose encoder marked where shots begin is sampled there too, within a budget."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from function.media.beginnings import Beginnings, find_beginnings
from function.media.frames import sample_frames
from function.media.limits import VideoLimits
from function.media.packets import read_groups
from function.media.pictures import RgbImage
from function.media.videos import open_video
from tools.footage.videos import write_video

FPS = 10
MARKED = {"sc_threshold": "40"}
SHOTS = (6.0, 3.0, 2.5, 2.5, 3.0, 1.5, 4.0, 3.0, 0.5, 4.5, 2.0, 3.5)
"""How long each shot of a film is, in seconds."""


def film(shots: Sequence[float] = SHOTS) -> Iterator[RgbImage]:
    """Yield pictures that have nothing in common from shot to shot, and move a little in one."""
    for number, seconds in enumerate(shots):
        noise = np.random.default_rng(number).integers(0, 256, (18, 24, 3), np.uint8)
        picture = cv2.resize(noise, (192, 144), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        for moved in range(round(seconds * FPS)):
            yield np.roll(picture, 2 * moved, axis=1)


def begins(shots: Sequence[float] = SHOTS) -> list[float]:
    return [sum(shots[:number]) for number in range(len(shots))]


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_video(path, film(), fps=FPS, keyframe_every=50, options=MARKED)


def plan(path: Path, every_seconds: float, limits: VideoLimits, *, too: bool) -> list[float]:
    with open_video(path, every_seconds, limits) as video:
        groups = read_groups(video, beginnings=too)
        return [round(seconds, 3) for group in groups for seconds in group.wanted_seconds]


def test_shots_between_two_samples_are_sampled_where_they_begin(marked: Path) -> None:
    due = plan(marked, 5.0, VideoLimits(), too=False)
    more = plan(marked, 5.0, VideoLimits(), too=True)
    assert {*due} < {*more}
    assert more == sorted(more)
    assert {*more} - {*due} <= {*begins()}
    assert len(more) <= 2 * len(due)
    unseen = [
        start
        for start, end in pairwise([*begins(), sum(SHOTS)])
        if not any(start <= seconds < end for seconds in more)
    ]
    assert unseen == [25.5]  # that of half a second


@pytest.mark.parametrize("keyframe_every", [20, 50])
@pytest.mark.parametrize("every_seconds", [0.5, 1.5, 5.0])
def test_a_film_whose_keyframes_come_evenly_is_sampled_where_it_would_be_without(
    keyframe_every: int, every_seconds: float, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "even.mp4", film(), fps=FPS, keyframe_every=keyframe_every)
    due, more = (plan(path, every_seconds, VideoLimits(), too=too) for too in (False, True))
    assert due == more


def test_samples_that_suffice_for_what_is_due_are_not_spent_on_shots(marked: Path) -> None:
    due = plan(marked, 5.0, VideoLimits(), too=False)
    for most in (8, 12, 14):
        limits = VideoLimits(max_frames=most)
        assert plan(marked, 5.0, limits, too=True) == plan(marked, 5.0, limits, too=False)
    assert len(plan(marked, 5.0, VideoLimits(max_frames=16), too=True)) > len(due)


def test_a_quick_look_takes_no_more_pictures_because_of_shots(marked: Path) -> None:
    with open_video(marked) as video:
        quick = [round(frame.seconds, 3) for frame in sample_frames(video, 10)]
        every_seconds = video.every_seconds
    assert every_seconds == pytest.approx(sum(SHOTS) / 10, abs=0.1)
    usual = []
    for too in (False, True):
        with open_video(marked) as video:
            video.every_seconds = every_seconds
            groups = read_groups(video, beginnings=too)
            usual.append([round(one, 3) for group in groups for one in group.wanted_seconds])
    assert quick == usual[0]
    assert len(usual[1]) > len(quick)


@pytest.mark.parametrize(
    ("keyframes", "found"),
    [
        ((), []),
        ((0.0,), []),
        ((0.0, 2.0, 4.0, 6.0), []),
        ((0.0, 2.0, 4.04, 5.9, 7.95), []),  # even enough
        ((0.0, 2.0, 3.0, 5.0), [3.0]),
        ((5.0, 0.0, 3.0, 2.0), [3.0]),
        ((0.0, 2.0, 3.0, 4.9, 6.9), [3.0, 4.9]),  # some shots are nearly as long as the interval
        ((0.0, 2.0, 3.0, 4.96, 6.96), [3.0]),
        ((0.0, 0.04, 0.08, 0.24, 0.28, 0.32), []),  # each picture, but for three that are missing
        ((0.0, 0.5, 1.0, 1.3, 1.8), [1.3]),
    ],
)
def test_keyframes_out_of_rhythm_begin_shots(
    keyframes: Sequence[float], found: list[float]
) -> None:
    assert find_beginnings(keyframes) == found


def chosen(keyframes: Sequence[float], due: Sequence[float]) -> list[float]:
    """Return the keyframes that are chosen besides those that are due, with an interval of 5 s."""
    shots = Beginnings()
    found = []
    for seconds, following in pairwise(keyframes):
        shots.note(seconds, following)
        if seconds in due:
            shots.note_due()
        elif shots.choose(following - seconds, 5.0):
            found.append(seconds)
    return found


def test_no_more_is_chosen_than_is_due() -> None:
    keyframes = [0.0, 6.0, *(6 + 1.5 * number for number in range(1, 20))]
    assert chosen(keyframes, [0.0, 6.0]) == [7.5, 9.0]
    assert chosen(keyframes, [0.0, 6.0, 15.0]) == [7.5, 9.0, 16.5]
    assert chosen(keyframes, [0.0, 6.0, 7.5, 9.0]) == [10.5, 12.0]  # at most two are spared


def test_no_more_is_chosen_where_each_picture_is_a_keyframe_and_some_are_missing() -> None:
    shots = Beginnings()
    moments = [0.04 * number for number in range(100) if number % 7 not in (2, 3, 4)]
    for seconds, following in pairwise(moments):
        shots.note(seconds, following)
        shots.note_due()
        assert not shots.choose(following - seconds, 0.5)


def test_the_first_shot_of_a_stretch_is_told_by_the_one_after_it() -> None:
    assert chosen([0.0, 2.0, 4.9, 9.0], [0.0]) == [2.0]
    assert chosen([0.0, 2.0, 4.0, 6.0], [0.0]) == []
    shots = Beginnings()
    shots.note(0.0, 2.0)
    shots.note_due()
    shots.note(2.0)  # until the end of the film, which is no keyframe
    assert not shots.choose(2.9, 5.0)


def test_the_second_shot_of_a_film_is_sampled_where_it_begins(tmp_path: Path) -> None:
    shots = (2.0, 2.9, 4.0, 3.0, 2.0)
    path = write_video(
        tmp_path / "film.mp4", film(shots), fps=FPS, keyframe_every=100, options=MARKED
    )
    assert 2.0 not in plan(path, 5.0, VideoLimits(), too=False)
    assert 2.0 in plan(path, 5.0, VideoLimits(), too=True)


def test_how_soon_a_film_ends_says_nothing_of_its_rhythm(tmp_path: Path) -> None:
    """Keyframes at 0, 5 and 9.9 s are even enough, though only 1.8 s are left then."""
    path = write_video(
        tmp_path / "film.mp4", film((9.9, 1.8)), fps=FPS, keyframe_every=50, options=MARKED
    )
    due = plan(path, 7.0, VideoLimits(), too=False)
    assert plan(path, 7.0, VideoLimits(), too=True) == due == [0.0, 5.0]
