"""What lies between near keyframes is not read where an index tells what it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from function.media import jumps
from function.media.frames import sample_frames
from function.media.videos import Video, open_video
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


def shown(video: Video) -> tuple[Any, ...]:
    frames = [
        (one.seconds, one.until_seconds, one.shot, number_in(one.picture.rgb()))
        for one in sample_frames(video)
    ]
    return frames, video.keyframes_seconds, video.missing, video.seconds


@pytest.fixture
def read_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def read(path: Path) -> tuple[Any, ...]:
        with monkeypatch.context() as patched, open_video(path, EVERY_SECONDS) as video:
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
