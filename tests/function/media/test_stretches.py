"""A long video falls into stretches that show together what the whole one shows."""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from function.media.frames import sample_frames, sample_stretch
from function.media.limits import VideoLimits
from function.media.packets import UnsplitError
from function.media.schedule import length_of
from function.media.stretches import WHOLE, Stretch, plan_stretches
from function.media.videos import Video, open_video
from tests.support.videos import number_in, numbered_pictures
from tools.footage.videos import write_video

FPS, PICTURES = 10, 500
EVERY_SECONDS = 0.5

SPLIT: dict[str, dict[str, Any]] = {
    "film.mp4": {},
    "film.mkv": {},
    "film.mov": {"b_frames": 0},
    "open_groups.mp4": {"options": {"x264-params": "open-gop=1"}},
    "hevc.mp4": {"codec": "libx265"},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "uneven.mp4": {"seconds": [index / FPS + 0.02 * (index % 3) for index in range(PICTURES)]},
}
"""How films are written that fall into stretches."""

WHOLE_ONLY: dict[str, dict[str, Any]] = {
    "no_index.ts": {},
    "one_keyframe.mp4": {"keyframe_every": PICTURES},
    "no_format_that_is_split.avi": {"codec": "mpeg4", "b_frames": 0},
}


def write(folder: Path, name: str, how: dict[str, Any]) -> Path:
    options = {"fps": FPS, "keyframe_every": 20} | how
    return write_video(folder / name, numbered_pictures(PICTURES), **options)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("film"), "film.mp4", {})


@pytest.fixture
def video(film: Path) -> Iterator[Video]:
    with open_video(film, EVERY_SECONDS) as video:
        yield video


def shown(video: Video, stretch: Stretch) -> list[tuple[float, float]]:
    frames = sample_stretch(video, stretch)
    return [(frame.seconds, number_in(frame.picture.rgb())) for frame in frames]


@pytest.mark.parametrize("name", SPLIT)
def test_stretches_show_together_what_the_whole_video_shows(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, SPLIT[name])
    with open_video(path, EVERY_SECONDS) as video:
        whole = [(one.seconds, number_in(one.picture.rgb())) for one in sample_frames(video)]
        keyframes = set(video.keyframes_seconds)
    with open_video(path, EVERY_SECONDS) as video:
        stretches = plan_stretches(video)
        together, keys = [], set()
        for stretch in stretches:
            together += shown(video, stretch)
            keys |= set(video.keyframes_seconds)
    assert len(stretches) >= 4
    assert together == whole
    assert keys == keyframes


def test_what_a_stretch_shows_does_not_depend_on_what_was_read_before(video: Video) -> None:
    stretches = plan_stretches(video)
    forwards = {stretch: shown(video, stretch) for stretch in stretches}
    backwards = {stretch: shown(video, stretch) for stretch in reversed(stretches)}
    assert forwards == backwards
    assert all(len(numbers) >= 16 for numbers in forwards.values())


def test_each_stretch_begins_where_the_one_before_ends(video: Video) -> None:
    stretches = plan_stretches(video)
    assert stretches[0].start is None
    assert stretches[-1].end is None
    assert all(before.end == after.start for before, after in pairwise(stretches))


@pytest.mark.parametrize("name", WHOLE_ONLY)
def test_a_video_that_cannot_be_split_is_one_stretch(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, WHOLE_ONLY[name])
    with open_video(path, EVERY_SECONDS) as video:
        assert plan_stretches(video) == WHOLE
        assert len(list(sample_frames(video))) >= 95


@pytest.mark.parametrize(
    ("samples", "stretches"), [(7, 1), (8, 2), (19, 2), (20, 4), (50, 4), (100, 6)]
)
def test_a_short_video_falls_into_few_stretches(samples: int, stretches: int, film: Path) -> None:
    with open_video(film, PICTURES / FPS / samples) as video:
        assert len(plan_stretches(video)) == stretches


def test_a_video_near_the_limit_of_frames_is_one_stretch(film: Path) -> None:
    with open_video(film, EVERY_SECONDS, VideoLimits(max_frames=105)) as video:
        assert plan_stretches(video) == WHOLE


@pytest.mark.parametrize(("start", "end"), [(7, None), (None, 7), (10**9, None), (None, 10**9)])
def test_an_index_that_does_not_hold_is_noticed(
    start: int | None, end: int | None, video: Video
) -> None:
    with pytest.raises(UnsplitError):
        list(sample_stretch(video, Stretch(start, end)))


def test_a_clock_that_leaps_within_a_stretch_is_noticed(tmp_path: Path) -> None:
    leap = [index / FPS + (7200 if index >= 300 else 0) for index in range(PICTURES)]
    path = write(tmp_path, "leap.mkv", {"seconds": leap})
    with open_video(path, 100) as video:
        stretches = plan_stretches(video)
        assert len(stretches) > 1
        with pytest.raises(UnsplitError):
            deque(frame for stretch in stretches for frame in sample_stretch(video, stretch))


def test_stretches_tell_together_what_of_the_video_is_damaged(film: Path, tmp_path: Path) -> None:
    content = bytearray(film.read_bytes())
    with av.open(str(film)) as container:
        (stream,) = container.streams.video
        entries = list(stream.index_entries)
        broken = [one for one in entries if 12 <= one.timestamp * (stream.time_base or 0) < 16]
    for entry in broken:
        content[entry.pos + 8 : entry.pos + entry.size] = bytes(entry.size - 8)
    (path := tmp_path / "damaged.mp4").write_bytes(content)
    with open_video(path, EVERY_SECONDS) as video:
        list(sample_frames(video))
        whole_seconds = video.unreadable_seconds
    missing = []
    with open_video(path, EVERY_SECONDS) as video:
        for stretch in plan_stretches(video):
            list(sample_stretch(video, stretch))
            missing += video.missing
    assert whole_seconds > 3
    assert len(missing) == len({*missing})  # each stretch tells of its own
    assert length_of(missing) == pytest.approx(whole_seconds, abs=EVERY_SECONDS)
    assert all(11 < start < end < 18 for start, end in missing)
