"""A moment of a video is shown by the picture that a player would show."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from function.errors import UnreadableVideoError
from function.media import packets as groups
from function.media.clocks import Clock
from function.media.moments import MAX_SIDE_PIXELS, find_moment
from function.media.pictures import Moment, RgbImage
from function.sandbox.wire import LARGEST_BYTES
from tests.support.videos import number_in, numbered_pictures
from tools.footage.videos import write_video

FPS = 25
PICTURES = 250


def shown(moment: Moment) -> RgbImage:
    picture = cv2.imdecode(np.frombuffer(moment.picture, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return picture.astype(np.uint8, copy=False)


def number_at(path: Path, seconds: float) -> int:
    return number_in(shown(find_moment(path, path.name, seconds)))


KINDS = {
    "film.mp4": "libx264",
    "film.mkv": "libx264",
    "film.ts": "libx264",
    "film.flv": "libx264",
    "film.avi": "mpeg4",
    "film.mpg": "mpeg2video",
    "film.webm": "libvpx-vp9",
    "film.h264": "libx264",
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for name, codec in KINDS.items():
        pictures = numbered_pictures(PICTURES)
        b_frames = 0 if name.endswith((".avi", ".h264")) else 2
        write_video(
            folder / name, pictures, fps=FPS, codec=codec, keyframe_every=60, b_frames=b_frames
        )
    return folder


@pytest.mark.parametrize("seconds", [0.0, 0.04, 1.0, 2.36, 2.4, 2.44, 7.2, 9.96])
@pytest.mark.parametrize("name", KINDS)
def test_the_picture_of_a_moment_is_the_first_from_then_on(
    name: str, seconds: float, films: Path
) -> None:
    late = number_at(films / name, seconds) - round(seconds * FPS)
    # MPEG-2 stores a keyframe before pictures that are shown before it, and need the group before.
    assert 0 <= late <= (name == "film.mpg")


def test_between_two_pictures_it_is_the_later_one(films: Path) -> None:
    moment = find_moment(films / "film.mp4", "film.mp4", 3.41)
    assert number_in(shown(moment)) == 86
    assert moment.seconds == pytest.approx(3.44)


@pytest.mark.parametrize("seconds", [9.97, 10.0, 60.0, 1e6])
@pytest.mark.parametrize("name", KINDS)
def test_beyond_the_end_it_is_the_last_picture(name: str, seconds: float, films: Path) -> None:
    assert number_at(films / name, seconds) == PICTURES - 1


def test_only_what_a_moment_needs_is_decoded(films: Path) -> None:
    """The seek, seen by what it spares: nine seconds of ten."""
    read = 0
    counted = Clock.read

    def count(clock: Clock, packet: object) -> float:
        nonlocal read
        read += 1
        return counted(clock, packet)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Clock, "read", count)
        assert number_at(films / "film.mp4", 9.8) == 245
    assert read < 80


def test_a_moment_of_a_film_with_one_keyframe_is_found_in_its_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "GROUP_PACKETS", 20)
    path = write_video(tmp_path / "one.mp4", numbered_pictures(200), fps=FPS, keyframe_every=1000)
    for number in (0, 19, 20, 21, 22, 59, 110, 199):
        assert number_at(path, number / FPS) == number


def test_a_clock_that_starts_anew_half_way_misleads_nobody(films: Path, tmp_path: Path) -> None:
    """Two recordings one after the other, as a television recorder joins them."""
    second = write_video(tmp_path / "second.ts", numbered_pictures(100, first=1000), fps=FPS)
    joined = tmp_path / "joined.ts"
    joined.write_bytes((films / "film.ts").read_bytes() + second.read_bytes())
    assert number_at(joined, 2.0) == 50
    assert number_at(joined, 12.0) == pytest.approx(1050, abs=3)


def test_a_video_that_begins_late_is_counted_from_its_beginning(tmp_path: Path) -> None:
    times = [100.0 + number / FPS for number in range(100)]
    path = write_video(tmp_path / "late.mkv", numbered_pictures(100), seconds=times, fps=FPS)
    assert number_at(path, 2.0) == 50


def test_a_large_picture_is_scaled_down_and_a_turned_one_upright(tmp_path: Path) -> None:
    wide = numbered_pictures(2, width=2560, height=720)
    path = write_video(tmp_path / "wide.mp4", wide, rotation=90)
    picture = shown(find_moment(path, path.name, 0.0))
    assert picture.shape == (MAX_SIDE_PIXELS, 360, 3)


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "wide.mp4", numbered_pictures(2, width=192), pixel_aspect=Fraction(2)
    )
    assert shown(find_moment(path, path.name, 0.0)).shape == (128, 384, 3)


def test_the_heaviest_picture_fits_into_an_answer(tmp_path: Path) -> None:
    side = MAX_SIDE_PIXELS
    noise = np.random.default_rng(1).integers(0, 255, (side, side, 3), np.uint8)
    path = write_video(tmp_path / "noise.mp4", [noise], options={"crf": "1"})
    assert len(find_moment(path, path.name, 0.0).picture) < LARGEST_BYTES


def test_where_it_is_damaged_the_next_picture_stands_for_it(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.ts", numbered_pictures(200), fps=FPS, keyframe_every=50)
    content = bytearray(path.read_bytes())
    third = len(content) // 4
    content[third : 2 * third] = bytes(third)
    path.write_bytes(content)
    assert number_at(path, 2.4) in range(60, 160)


def test_a_file_without_a_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no video")
    with pytest.raises(UnreadableVideoError):
        find_moment(path, path.name, 0.0)
