"""The time that is given to a picture is when a player shows it, whatever the file does to it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

import av
import pytest

from function.media.frames import Frame, sample_frames
from function.media.moments import find_moment
from function.media.videos import open_video
from tests.support.timed_videos import (
    Edit,
    break_counters,
    join_programmes,
    shown_at,
    trim,
    write_edits,
)
from tests.support.videos import number_in, numbered_pictures
from tools.footage.videos import write_video

COUNT = 100
MOST_REORDERED = 3
"""So many B-frames stand between two others at most."""

EVERY = 0.5
CONTAINERS = ("mp4", "mov", "mkv", "ts", "flv", "mpg", "avi", "asf", "3gp", "m2ts")
CODECS = {"mpg": "mpeg2video", "avi": "mpeg4", "asf": "msmpeg4", "3gp": "mpeg4"}


def sample(path: Path, every_seconds: float = EVERY) -> tuple[list[Frame], float]:
    """The sampled frames of a file, and its length."""
    with open_video(path, every_seconds) as video:
        return list(sample_frames(video)), video.seconds


def check(path: Path, times: Sequence[Iterable[float]], slack: float, gap: float = EVERY) -> None:
    """Check that each frame shows the picture that a player shows then, and none is far apart.

    `times` are, for each picture, the moments at which a player shows it.
    """
    frames, seconds = sample(path)
    assert frames
    for frame in frames:
        number = number_in(frame.picture.rgb())
        apart = min((abs(frame.seconds - one) for one in times[number]), default=99.0)
        assert apart <= slack, (path.name, frame.seconds, number, list(times[number]))
        assert 0 <= frame.seconds <= frame.until_seconds
        assert frame.until_seconds <= (seconds or 1e9) + slack
    shown = sorted(one for some in times for one in some)
    assert frames[0].seconds <= shown[0] + gap + slack
    assert frames[-1].until_seconds >= shown[-1] - 2 * gap - slack
    before = frames[0].until_seconds
    for frame in frames[1:]:
        between = [one for one in shown if before + slack < one < frame.seconds - slack]
        lonely = not [one for one in between if before + gap / 2 < one < before + 1.02 * gap]
        assert lonely or frame.seconds - before <= 2 * gap + slack, (before, frame.seconds)
        before = frame.until_seconds


def make(path: Path, chance: Random, seconds: Sequence[float] | None = None) -> float:
    """Write a numbered video with chosen rate, keyframes and B-frames; return its rate."""
    suffix = path.suffix[1:]
    fps = chance.choice((12.0, 24.0, 25.0, 30.0, 50.0)) if suffix != "mpg" else 25.0
    can_reorder = suffix not in ("avi", "asf", "3gp")
    write_video(
        path,
        numbered_pictures(COUNT, width=96, height=64),
        fps=fps,
        codec=CODECS.get(suffix, "libx264"),
        keyframe_every=chance.choice((1, 7, 12, 40, 250)),
        b_frames=chance.choice((0, 1, 3)) if can_reorder else 0,
        seconds=seconds,
    )
    return fps


@pytest.mark.parametrize("number", range(80))
def test_an_even_rate(number: int, tmp_path: Path) -> None:
    path = tmp_path / f"video.{CONTAINERS[number % len(CONTAINERS)]}"
    fps = make(path, Random(number))
    check(path, [[one / fps] for one in range(COUNT)], 1.5 / fps)


@pytest.mark.parametrize("fps", [0.5, 2.0, 5.0, 24.0])
@pytest.mark.parametrize(
    ("codec", "b_frames", "slack"),
    [("mpeg4", 0, 0.01), ("mpeg4", 2, 0.01), ("libx264", 0, 0.01), ("libx264", 3, 1.01)],
)
def test_an_avi_however_slow(
    codec: str, b_frames: int, slack: float, fps: float, tmp_path: Path
) -> None:
    path = write_video(
        tmp_path / "video.avi",
        numbered_pictures(40, width=96, height=64),
        fps=fps,
        codec=codec,
        keyframe_every=15,
        b_frames=b_frames,
    )
    frames, seconds = sample(path, 2 / fps)
    assert len(frames) >= 10
    for frame in frames:
        assert frame.seconds * fps == pytest.approx(number_in(frame.picture.rgb()), abs=slack)
    assert seconds * fps == pytest.approx(39, abs=slack)
    moment = find_moment(path, "video.avi", 20 / fps).seconds
    assert moment * fps == pytest.approx(20, abs=slack)


@pytest.mark.parametrize("number", range(50))
def test_a_late_start_and_a_varying_rate(number: int, tmp_path: Path) -> None:
    chance = Random(number)
    path = tmp_path / f"video.{('mp4', 'mkv', 'ts', 'mov', 'flv')[number % 5]}"
    now, seconds = chance.choice((0.0, 0.0, 4.0, 2_000.0)), []
    for _ in range(COUNT):
        seconds.append(round(now, 3))
        now += chance.choice((0.04, 0.04, 0.05, 0.1, 0.3, 0.7))
    make(path, chance, seconds)
    check(path, [[one - seconds[0]] for one in seconds], 0.05)


@pytest.mark.parametrize("number", range(40))
def test_a_copy_from_a_moment_on(number: int, tmp_path: Path) -> None:
    chance = Random(number)
    suffix = ("mp4", "mov")[number % 2]
    whole = tmp_path / f"whole.{suffix}"
    fps = make(whole, chance)
    start = round(chance.uniform(0.2, 0.8) * COUNT / fps, 2)
    path = trim(whole, tmp_path / f"video.{suffix}", start)
    times = [[one / fps - start] if one / fps >= start - 1e-3 else [] for one in range(COUNT)]
    check(path, times, 1.5 / fps)


@pytest.mark.parametrize("number", range(100))
def test_edit_lists(number: int, tmp_path: Path) -> None:
    chance = Random(number)
    path = tmp_path / ("video.mp4", "video.mov")[number % 2]
    fps = make(path, chance)
    length = COUNT / fps
    edits = []
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        start = round(chance.uniform(0, 0.7) * length, 2)
        edits.append(Edit(start, round(chance.uniform(0.2, 0.3) * length, 2)))
    write_edits(path, edits)
    times = [list(shown_at(edits, one / fps)) for one in range(COUNT)]
    shown, is_reordered = times_in_ffmpeg(path)
    check(path, shown, 0.5 / fps, gap=1.0)  # as in Chromium, mpv and what Stash makes of a film
    # FFmpeg counts each entry from the picture that is stored first, not from that shown first.
    is_exact = len(edits) == 1 or not is_reordered
    check(path, times, (1.5 if is_exact else 1.5 + MOST_REORDERED) / fps, gap=1.0)


def times_in_ffmpeg(path: Path) -> tuple[list[list[float]], bool]:
    """When FFmpeg shows each picture if it decodes all, and whether their order was changed."""
    times: list[list[float]] = [[] for _ in range(COUNT)]
    with av.open(str(path)) as film:
        for picture in film.decode(video=0):
            assert picture.time is not None
            times[number_in(picture.to_ndarray(format="rgb24"))].append(picture.time)
        return times, film.streams.video[0].codec_context.has_b_frames


def test_an_empty_edit_delays_nothing_that_a_player_does_not_delay(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    fps = make(path, Random(1))
    write_edits(path, [Edit(None, 3.0), Edit(0.0, COUNT / fps)])
    check(path, [[one / fps] for one in range(COUNT)], 1.5 / fps)


@pytest.mark.parametrize("number", range(10))
def test_a_clock_that_wraps(number: int, tmp_path: Path) -> None:
    wraps_at = 2**33 / 90_000
    start = wraps_at - 0.3 * number - 0.1
    path = tmp_path / "video.ts"
    make(path, Random(number), [start + one / 25 for one in range(COUNT)])
    check(path, [[one / 25] for one in range(COUNT)], 0.06)


def test_a_programme_has_its_own_clock(tmp_path: Path) -> None:
    early = write_video(tmp_path / "1.ts", numbered_pictures(50, width=96, height=64))
    late = write_video(
        tmp_path / "2.ts",
        numbered_pictures(COUNT, width=192, height=128),
        seconds=[20_000 + one / 25 for one in range(COUNT)],
    )
    path = join_programmes(early, late, tmp_path / "both.ts")
    check(path, [[one / 25] for one in range(COUNT)], 0.06)


def test_wrong_counters_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "video.ts"
    fps = make(path, Random(2))
    check(break_counters(path), [[one / fps] for one in range(COUNT)], 1.5 / fps)
    with open_video(path, EVERY) as video:
        list(sample_frames(video))
        assert video.unreadable_seconds == 0


@pytest.mark.parametrize("suffix", ["h264", "hevc", "m4v"])
def test_a_raw_stream_is_timed_by_its_rate(suffix: str, tmp_path: Path) -> None:
    codec = {"h264": "libx264", "hevc": "libx265", "m4v": "mpeg4"}[suffix]
    path = write_video(
        tmp_path / f"video.{suffix}",
        numbered_pictures(COUNT),
        codec=codec,
        b_frames=0,
        container=suffix,
    )
    check(path, [[one / 25] for one in range(COUNT)], 0.3)
    assert sample(path)[1] == pytest.approx(4.0, abs=0.3)


def test_a_moment_of_a_trimmed_file_is_what_a_player_shows_then(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    write_video(whole, numbered_pictures(200), keyframe_every=200)
    path = trim(whole, tmp_path / "video.mp4", 4.0)
    moment = find_moment(path, "video.mp4", 2.0)
    assert moment.seconds == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", ["v.mpg", "v.vob", "v.wtv", "v.mkv", "v.mp4", "v.avi"])
def test_a_film_of_one_or_two_pictures_begins_with_the_first(
    name: str, count: int, tmp_path: Path
) -> None:
    codec = "mpeg2video" if name[2:] in {"mpg", "vob", "wtv"} else "mpeg4"
    path = write_video(tmp_path / name, numbered_pictures(count), codec=codec)
    frames, seconds = sample(path)
    assert frames[0].seconds == 0
    assert seconds <= 0.1
