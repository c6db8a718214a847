"""One time that is a mistake costs its own picture at most, wherever it stands."""

import struct
from collections.abc import Callable, Sequence
from itertools import accumulate, cycle, islice, product
from pathlib import Path

import pytest

from function.errors import VideoOverLimitError
from function.media.frames import sample_frames
from function.media.limits import VideoLimits
from function.media.moments import find_moment
from function.media.strays import Stamp, is_doubtful, is_stray, without_strays
from function.media.videos import open_video
from tests.support.stray_times import put_flv, put_ivf, put_matroska, put_ogg, put_ts
from tests.support.timed_videos import Edit, with_durations, write_edits
from tests.support.videos import number_in, numbered_pictures
from tools.footage.videos import write_video

FPS, COUNT = 25, 150
SECONDS = COUNT / FPS
DAY = 86_400.0
GIANTS = (2**62, -(2**62), 2**40)
SHIFTS = (1800.0, -1800.0, 5.0, -5.0, 2 * DAY)
PLACES = ((1,), (25,), (70,), (60, 61, 62), (30, 90, 120), tuple(range(80, 90)))

Put = Callable[[bytes, Sequence[int], float], bytes]
KINDS: dict[str, tuple[str, str | None, Put]] = {
    "ivf": ("libvpx", None, put_ivf),
    "flv": ("libx264", None, put_flv),
    "ts": ("libx264", None, put_ts),
    "mkv": ("libx264", None, put_matroska),
    "ogv": ("libvpx", "ogg", put_ogg),
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for suffix, (codec, container, _) in KINDS.items():
        write_video(
            folder / f"film.{suffix}",
            numbered_pictures(COUNT, width=96, height=64),
            codec=codec,
            b_frames=0,
            keyframe_every=25,
            container=container,
            container_options={"page_duration": "1"} if container == "ogg" else None,
        )
    return folder


def check(path: Path) -> None:
    """Check that a film of even pictures is read whole, each at its own time."""
    with open_video(path, 0.5) as video:
        frames = list(sample_frames(video))
        assert not video.seconds or video.seconds == pytest.approx(SECONDS, abs=0.3)
        assert video.unreadable_seconds < 1.2
    shown = [(frame.seconds, number_in(frame.picture.rgb()) / FPS) for frame in frames]
    assert all(seconds == pytest.approx(true, abs=0.13) for seconds, true in shown), shown
    assert len(frames) >= 10
    assert frames[-1].until_seconds >= SECONDS - 1.1
    assert find_moment(path, "film", 4.0).seconds == pytest.approx(4.0, abs=0.6)


@pytest.mark.parametrize(
    ("suffix", "value"), [*product(KINDS, SHIFTS), *product(("ivf", "mkv", "ogv"), GIANTS)]
)
def test_a_stray_time_costs_its_own_picture_at_most(
    suffix: str, value: float, films: Path, tmp_path: Path
) -> None:
    content = (films / f"film.{suffix}").read_bytes()
    put = KINDS[suffix][2]
    for places in PLACES:
        path = tmp_path / f"{places[0]}.{suffix}"
        path.write_bytes(put(content, places, value))
        check(path)


@pytest.mark.parametrize(("suffix", "value"), [*product(("ivf", "mkv"), (2**62, 1800.0))])
def test_a_stray_time_of_the_first_picture_moves_no_other(
    suffix: str, value: float, films: Path, tmp_path: Path
) -> None:
    path = tmp_path / f"film.{suffix}"
    path.write_bytes(KINDS[suffix][2]((films / path.name).read_bytes(), (0,), value))
    check(path)


@pytest.mark.parametrize("value", [2**62, 2 * DAY])
def test_a_stray_time_of_the_last_picture_makes_no_film_longer(
    value: float, films: Path, tmp_path: Path
) -> None:
    path = tmp_path / "film.ivf"
    path.write_bytes(put_ivf((films / path.name).read_bytes(), (COUNT - 1,), value))
    check(path)


@pytest.mark.parametrize("units", [12_800 * 100_000, 2**31 - 1, 2**31])
def test_a_duration_beyond_all_time_in_an_mp4_is_a_leap(units: int, tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "film.mp4",
        numbered_pictures(COUNT, width=96, height=64),
        b_frames=0,
        keyframe_every=25,
        container_options={"use_editlist": "0"},
    )
    with_durations(path, COUNT // 2, units)
    check(path)


@pytest.mark.parametrize("place", [12, 16])  # how long the one entry lasts, and where it begins
@pytest.mark.parametrize("units", [0, 2**30, 2**31 - 1, 2**31, 2**32 - 1])
def test_an_edit_list_that_shows_nothing_is_not_believed(
    place: int, units: int, tmp_path: Path
) -> None:
    path = write_video(
        tmp_path / "film.mp4",
        numbered_pictures(COUNT, width=96, height=64),
        keyframe_every=25,
    )
    content = bytearray(path.read_bytes())
    struct.pack_into(">I", content, content.rindex(b"elst") + place, units)
    path.write_bytes(content)
    check(path)


def test_an_edit_list_that_hides_thousands_of_pictures_and_shows_the_rest_is_followed(
    tmp_path: Path,
) -> None:
    pictures = [*numbered_pictures(COUNT, width=64, height=48)]
    path = write_video(
        tmp_path / "film.mp4",
        (pictures[number % COUNT] for number in range(36 * COUNT)),
        b_frames=0,
        keyframe_every=36 * COUNT,
    )
    write_edits(path, [Edit(35 * SECONDS, SECONDS)])
    with open_video(path, 0.5) as video:
        assert video.seconds == pytest.approx(SECONDS, abs=0.1)
        for frame in sample_frames(video):
            assert number_in(frame.picture.rgb()) / FPS == pytest.approx(frame.seconds, abs=0.05)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -float("inf"), 1e300, -5.0, 0.0])
@pytest.mark.parametrize("suffix", ["mkv", "flv"])
def test_a_stated_length_that_is_no_length_is_passed_over(
    suffix: str, seconds: float, films: Path, tmp_path: Path
) -> None:
    content = bytearray((films / f"film.{suffix}").read_bytes())
    mark = b"\x44\x89\x88" if suffix == "mkv" else b"duration\0"
    struct.pack_into(">d", content, content.index(mark) + len(mark), seconds)
    path = tmp_path / f"film.{suffix}"
    path.write_bytes(content)
    check(path)


def test_a_film_whose_every_picture_says_that_it_is_too_long_is_refused(tmp_path: Path) -> None:
    times = [number * 0.5 for number in range(COUNT)]
    path = write_video(tmp_path / "film.mkv", numbered_pictures(COUNT), seconds=times)
    with pytest.raises(VideoOverLimitError, match="lasts 74 s; the limit is 60 s"):
        open_video(path, limits=VideoLimits(max_seconds=60))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("fps", [0.5, 1.0])
def test_slow_films_whose_order_was_changed_keep_their_length(
    suffix: str, fps: float, tmp_path: Path
) -> None:
    path = write_video(
        tmp_path / f"film.{suffix}",
        numbered_pictures(30, width=96, height=64),
        keyframe_every=3,
        seconds=[number / fps for number in range(30)],
    )
    with open_video(path, 0.5) as video:
        assert video.seconds == pytest.approx(29 / fps, abs=0.1)
        frames = list(sample_frames(video))
    times = [(frame.seconds, number_in(frame.picture.rgb()) / fps) for frame in frames]
    assert all(seconds == pytest.approx(true, abs=0.1) for seconds, true in times)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "flv"])
@pytest.mark.parametrize("steps", [(5.0,), (0.04, 0.04, 3.0, 8.0, 30.0)])
def test_slides_that_are_stored_far_from_their_place_are_all_seen(
    suffix: str, steps: Sequence[float], tmp_path: Path
) -> None:
    waits = islice(cycle(steps), 39)
    times = [*accumulate(waits, initial=0.0)]
    path = write_video(
        tmp_path / f"film.{suffix}",
        numbered_pictures(40, width=96, height=64),
        keyframe_every=30,
        b_frames=3,
        seconds=times,
    )
    with open_video(path, 0.5) as video:
        frames = list(sample_frames(video))
        assert video.unreadable_seconds == 0
    shown = [(frame.seconds, times[number_in(frame.picture.rgb())]) for frame in frames]
    assert all(seconds == pytest.approx(true, abs=0.1) for seconds, true in shown), shown
    assert len(frames) >= 20


def test_a_second_recording_whose_clock_is_behind_follows_the_first(tmp_path: Path) -> None:
    late = [5_000 + number / FPS for number in range(50)]
    first = write_video(tmp_path / "1.ts", numbered_pictures(50), seconds=late)
    second = write_video(tmp_path / "2.ts", numbered_pictures(100, first=50))
    path = tmp_path / "both.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    check(path)


def test_pictures_stored_in_another_order_are_no_strays() -> None:
    slow = [Stamp(float(one)) for one in (0, 9, 3, 6, 18, 12, 15, 27, 21, 24)]
    assert without_strays(slow) == [one.seconds for one in slow]


def test_a_leap_that_the_next_pictures_share_is_no_stray() -> None:
    after = [Stamp(9000 + number / FPS) for number in range(1, 40)]
    assert is_doubtful(Stamp(9000.0), 2.0, 0.0)
    assert not is_stray(Stamp(9000.0), 2.0, after)
    assert not is_stray(Stamp(1.0, is_in_order=False), 9000.0, [Stamp(1.04), Stamp(1.08)])


def test_a_late_last_picture_is_believed_unless_the_file_ends_before() -> None:
    assert not is_stray(Stamp(100.0), 2.0, [])
    assert is_stray(Stamp(100.0), 2.0, [], end_seconds=2.0)
    assert is_stray(Stamp(4000.0), 2.0, [])
