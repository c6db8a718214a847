"""What lies between near keyframes is not read where an index tells what it is."""

from collections.abc import Callable, Iterable
from itertools import accumulate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

from function.media import jumps
from function.media.clocks import Ahead, Clock, unit_seconds
from function.media.frames import Frame, sample_frames, sample_stretch
from function.media.stretches import plan_stretches
from function.media.videos import Video, open_video
from tests.support.timed_videos import Edit, write_edits
from tests.support.videos import number_in, numbered_pictures
from tools.footage.videos import write_video

FPS, PICTURES, KEYFRAME_EVERY = 10, 500, 20
EVERY_SECONDS = 2.0

JUMPED: dict[str, dict[str, Any]] = {
    "film.mp4": {},
    "film.mov": {"b_frames": 0},
    "open_groups.mp4": {"options": {"x264-params": "open-gop=1"}},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "hevc.mp4": {"codec": "libx265"},
    "hevc_open_groups.mp4": {"codec": "libx265", "options": {"x265-params": "open-gop=1"}},
}
READ: dict[str, dict[str, Any]] = {
    "film.mkv": {},
    "far_keyframes.mp4": {"keyframe_every": 5 * KEYFRAME_EVERY},
    "hole.mp4": {
        "keyframe_every": 10,
        "seconds": [index / FPS + (1.02 if index > 31 else 0) for index in range(PICTURES)],
    },
    "rare_pictures.mp4": {"seconds": [index * 0.6 for index in range(500)]},
}
"""Not jumped over: what has no such index; what samples lie in; and what may have a hole."""


def write(folder: Path, name: str, how: dict[str, Any]) -> Path:
    options = {"fps": FPS, "keyframe_every": KEYFRAME_EVERY} | how
    return write_video(folder / name, numbered_pictures(PICTURES), **options)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("film"), "film.mp4", {})


def seen(frames: Iterable[Frame]) -> list[tuple[Any, ...]]:
    return [
        (one.seconds, one.until_seconds, one.shot, number_in(one.picture.rgb())) for one in frames
    ]


def shown(video: Video) -> tuple[Any, ...]:
    frames = seen(sample_frames(video))
    return frames, video.keyframes_seconds, video.missing, video.seconds


@pytest.fixture
def read_all(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Any, ...]]:
    def read(path: Path, every_seconds: float = EVERY_SECONDS) -> tuple[Any, ...]:
        with monkeypatch.context() as patched, open_video(path, every_seconds) as video:
            patched.setattr(jumps, "_count_to_keyframe", lambda *_: 0)
            found = shown(video)
            assert video.packets_read == PICTURES
            return found

    return read


@pytest.mark.parametrize("name", JUMPED)
def test_a_film_is_sampled_alike_without_reading_most_of_it(
    name: str, tmp_path: Path, read_all: Any
) -> None:
    path = write(tmp_path, name, JUMPED[name])
    with open_video(path, EVERY_SECONDS) as video:
        assert shown(video) == read_all(path)
        assert video.packets_read < PICTURES / 5


@pytest.mark.parametrize("name", READ)
def test_all_of_a_film_is_read_where_more_than_keyframes_matters(
    name: str, tmp_path: Path, read_all: Any
) -> None:
    path = write(tmp_path, name, READ[name])
    with open_video(path, EVERY_SECONDS) as video:
        assert shown(video) == read_all(path)
        assert (video.packets_read == PICTURES) == (name != "hole.mp4")
        assert bool(video.missing) == (name == "hole.mp4")


def uneven(*gaps: float, each: int, count: int = PICTURES) -> list[float]:
    """Return when pictures are shown: so many at one gap, so many at the next, and so on."""
    steps = (gaps[index // each % len(gaps)] for index in range(count - 1))
    return list(accumulate(steps, initial=0.0))


UNEVEN = (
    (8, (0.04, 0.3, 0.04, 0.04), 1.0),  # some are shown so much later that FFmpeg goes too far
    (8, (0.04, 0.3, 0.04, 0.04), 2.0),  # keyframes that are decoded near each other are shown apart
    (6, (0.03, 0.2, 0.03, 0.03), 1.0),
    (12, (0.3, 0.03), 5.0),
)
"""How many pictures come at one gap before the next one, the gaps, and the time between samples."""


@pytest.mark.parametrize(("each", "gaps", "every_seconds"), UNEVEN)
def test_a_film_of_varying_rate_is_sampled_alike(
    each: int, gaps: tuple[float, ...], every_seconds: float, tmp_path: Path, read_all: Any
) -> None:
    how = {"keyframe_every": each, "b_frames": 3, "seconds": uneven(*gaps, each=each)}
    path = write(tmp_path, "film.mp4", how)
    with open_video(path, every_seconds) as video:
        assert shown(video) == read_all(path, every_seconds)
        assert video.packets_read < PICTURES * 1.2


def test_stretches_of_a_film_of_varying_rate_are_sampled_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    each, gaps, every_seconds = UNEVEN[1]
    how = {"keyframe_every": each, "b_frames": 3, "seconds": uneven(*gaps, each=each)}
    path = write(tmp_path, "film.mp4", how)
    found = []
    for count in (jumps._count_to_keyframe, lambda *_: 0):
        monkeypatch.setattr(jumps, "_count_to_keyframe", count)
        with open_video(path, every_seconds) as video:
            stretches = plan_stretches(video)
            found.append([seen(sample_stretch(video, one)) for one in stretches])
    assert found[0] == found[1]
    assert len(stretches) > 1


def test_no_jump_goes_back_after_packets_were_read_ahead(tmp_path: Path, read_all: Any) -> None:
    slow = uneven(0.45, 0.03, each=10, count=50)
    seconds = [*slow, *(slow[-1] + 0.03 * index for index in range(1, PICTURES - 49))]
    how = {"keyframe_every": 10, "b_frames": 2, "seconds": seconds}
    path = write(tmp_path, "film.mp4", how)
    with open_video(path, 5.0) as video:
        assert shown(video) == read_all(path, 5.0)


@pytest.mark.parametrize("edits", [[Edit(0.5, 49.5)], [Edit(None, 2), Edit(0.5, 49.5)]])
def test_a_film_that_begins_between_keyframes_is_jumped_through(
    edits: list[Edit], tmp_path: Path, read_all: Any
) -> None:
    how = {"keyframe_every": 8, "options": {"x264-params": "b-pyramid=normal:bframes=5"}}
    path = write_edits(write(tmp_path, "film.mp4", how), edits)
    with open_video(path, EVERY_SECONDS) as video:
        assert shown(video) == read_all(path)
        assert video.packets_read < PICTURES / 2


@pytest.mark.parametrize("share", [0.6, 0.85])
def test_no_jump_goes_beyond_the_end_of_a_film_that_was_cut_off(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = {"keyframe_every": 15, "container_options": {"movflags": "faststart"}}
    path = write(tmp_path, "film.mp4", how)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    found = []
    for count in (jumps._count_to_keyframe, lambda *_: 0):
        monkeypatch.setattr(jumps, "_count_to_keyframe", count)
        with open_video(path, EVERY_SECONDS) as video:
            found.append(shown(video))
    assert found[0] == found[1]


def test_a_keyframe_that_waits_less_than_the_one_before_a_jump_is_no_leap(film: Path) -> None:
    with open_video(film, EVERY_SECONDS) as video:
        clock, units = Clock(video, Ahead(iter(()))), 1 / unit_seconds(video)

        def key(decoded: float, shown: float) -> Any:
            stamps = {"dts": round(decoded * units), "pts": round(shown * units)}
            return SimpleNamespace(**stamps, duration=1, is_keyframe=True, is_discard=False)

        clock.read(key(0.0, 1.2))
        clock.pass_over(10, key(0.5, 0.52))
        assert clock.read(key(0.5, 0.52)) == pytest.approx(0.52, abs=0.001)
        assert not video.leaps


class OtherSeek:
    """A file's reader that goes elsewhere, or nowhere, when a keyframe is sought."""

    def __init__(self, container: Any, early_by: int | None) -> None:
        self._container = container
        self._early_by = early_by

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def seek(self, offset: int, **options: Any) -> None:
        if self._early_by is None:
            raise av.FFmpegError(1, "cannot seek")
        self._container.seek(max(offset - self._early_by, 0), **options)


@pytest.mark.parametrize("early_by", [None, 1, 10 * KEYFRAME_EVERY * 1024])
def test_a_seek_that_fails_or_lands_too_early_changes_nothing(
    early_by: int | None, film: Path, read_all: Any
) -> None:
    with open_video(film, EVERY_SECONDS) as video:
        video.container = OtherSeek(video.container, early_by)  # type: ignore[assignment]
        assert shown(video) == read_all(film)


def test_where_going_to_a_keyframe_takes_longer_than_reading_up_to_it_all_is_read(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count_read() -> int:
        with open_video(film, EVERY_SECONDS) as video:
            shown(video)
            return video.packets_read

    counts = []
    for most in (jumps.MOST_PASSED_TO_SEEK, 10, 0):
        monkeypatch.setattr(jumps, "MOST_PASSED_TO_SEEK", most)
        counts.append(count_read())
    assert counts[0] < counts[1] < counts[2] == PICTURES
