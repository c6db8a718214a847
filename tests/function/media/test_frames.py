import gc
import logging
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from function.errors import UnreadableVideoError
from function.media import frames
from function.media.conversion import THUMBNAIL_SIDE
from function.media.frames import Frame, sample_frames, sample_keyframes
from function.media.images import RgbPicture
from function.media.limits import VideoLimits
from function.media.packets import Group, UnsplitError
from function.media.pictures import RgbImage
from function.media.schedule import Schedule
from function.media.videos import Video, open_video
from tests.support.memory import read_video_in_memory
from tests.support.videos import number_in, numbered_pictures, write_sound
from tools.footage.videos import still_picture, write_video

FPS = 25

READABLE: dict[str, dict[str, Any]] = {
    "h264.mp4": {},
    "h264.mkv": {},
    "h264.ts": {},
    "h264.flv": {},
    "without_b_frames.mp4": {"b_frames": 0},
    "open_groups.mp4": {"options": {"x264-params": "open-gop=1"}},
    "ten_bit.mkv": {"pixel_format": "yuv420p10le"},
    "interlaced.ts": {"options": {"x264-params": "tff=1"}},
    "hevc.mp4": {"codec": "libx265"},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "mpeg4.avi": {"codec": "mpeg4", "b_frames": 0},
    "mpeg2.mpg": {"codec": "mpeg2video"},
    "motion_jpeg.mov": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "wmv2.wmv": {"codec": "wmv2"},
}


def sample(path: Path, every_seconds: float | None = None) -> list[Frame]:
    with open_video(path, every_seconds) as video:
        return list(sample_frames(video))


@pytest.mark.parametrize("name", READABLE)
def test_each_frame_is_the_picture_that_its_time_says(name: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / name, numbered_pictures(120), **READABLE[name])
    frames = sample(path, 0.5)
    first = number_in(frames[0].picture.rgb()) - frames[0].seconds * FPS
    for frame in frames:
        assert number_in(frame.picture.rgb()) == pytest.approx(frame.seconds * FPS + first, abs=0.1)
    assert abs(first) <= 1
    assert [frame.index for frame in frames] == list(range(len(frames)))


@pytest.mark.parametrize("name", READABLE)
def test_gaps_between_keyframes_are_filled_and_keyframes_thinned(name: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / name, numbered_pictures(120), **READABLE[name])
    seconds = [frame.seconds for frame in sample(path, 0.5)]
    gaps = np.diff(seconds)
    assert gaps.min() > 0.25
    assert gaps.max() < 0.5 * 1.02 + 2 / FPS
    assert seconds[0] <= 1 / FPS
    assert seconds[-1] > 4.2


def test_keyframes_are_sampled_where_they_fall(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", numbered_pictures(120), keyframe_every=30)
    assert [number_in(frame.picture.rgb()) for frame in sample(path, 1.2)] == [0, 30, 60, 90]


def test_pictures_without_timestamps_are_timed_by_their_order(tmp_path: Path) -> None:
    path = write_video(tmp_path / "raw", numbered_pictures(100), container="h264", b_frames=0)
    frames = sample(path, 1.0)
    assert [number_in(frame.picture.rgb()) for frame in frames] == [0, 25, 50, 75]
    assert [frame.seconds for frame in frames] == pytest.approx([0, 1, 2, 3])


def test_a_varying_frame_rate_keeps_each_picture_at_its_own_time(tmp_path: Path) -> None:
    times = [number**2 / 400 for number in range(100)]
    path = write_video(tmp_path / "video.mkv", numbered_pictures(100), seconds=times)
    frames = sample(path, 2.0)
    assert [frame.seconds for frame in frames] == pytest.approx(
        [times[number_in(frame.picture.rgb())] for frame in frames], abs=0.001
    )
    assert np.diff([frame.seconds for frame in frames]).max() < 2.0 * 1.02 + 0.5


def test_a_recording_that_starts_between_keyframes_begins_with_the_first_one(
    tmp_path: Path,
) -> None:
    whole = write_video(tmp_path / "whole.ts", numbered_pictures(100), keyframe_every=40)
    packets = 188
    stream = whole.read_bytes()
    with av.open(str(whole)) as container:
        second_packet = [p.pos for p in container.demux(video=0) if p.size][10]
    cut = tmp_path / "cut.ts"
    head = stream[: 3 * packets]  # the tables that name the streams
    cut.write_bytes(head + stream[second_packet // packets * packets :])
    frames = sample(cut, 1.0)
    assert number_in(frames[0].picture.rgb()) == 40


@pytest.mark.parametrize("every_seconds", [0.2, 1.0])
def test_time_runs_on_evenly_over_a_splice(every_seconds: float, tmp_path: Path) -> None:
    first = write_video(tmp_path / "1.ts", numbered_pictures(100))
    second = write_video(tmp_path / "2.ts", numbered_pictures(100, first=100))
    spliced = tmp_path / "spliced.ts"
    spliced.write_bytes(first.read_bytes() + second.read_bytes())
    frames = sample(spliced, every_seconds)
    seconds = [frame.seconds for frame in frames]
    assert np.diff(seconds).min() > 0.5 * every_seconds
    assert np.diff(seconds).max() < 1.02 * every_seconds + 3 / FPS
    assert seconds == pytest.approx([number_in(f.picture.rgb()) / FPS for f in frames], abs=0.2)


def test_time_never_runs_backwards_where_the_container_stores_no_order(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.avi", numbered_pictures(100), b_frames=3)
    frames = sample(path, 1 / FPS)
    seconds = [frame.seconds for frame in frames]
    assert seconds == sorted(seconds)
    assert [f.seconds for f in frames] == pytest.approx(
        [number_in(f.picture.rgb()) / FPS for f in frames], abs=5 / FPS
    )


@pytest.mark.parametrize("pixel_aspect", [Fraction(2), Fraction(1, 2)])
def test_pictures_with_oblong_pixels_are_stretched(pixel_aspect: Fraction, tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", numbered_pictures(50), pixel_aspect=pixel_aspect)
    expected = (128, 384, 3) if pixel_aspect > 1 else (256, 192, 3)
    assert {frame.picture.rgb().shape for frame in sample(path)} == {expected}


def four_corners(count: int = 10) -> Iterator[RgbImage]:
    picture = np.zeros((96, 160, 3), np.uint8)
    picture[:48, :80], picture[:48, 80:] = (220, 40, 40), (40, 220, 40)
    picture[48:, :80], picture[48:, 80:] = (40, 40, 220), (220, 220, 220)
    return still_picture(picture, count, fps=1)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_video_comes_out_upright(tmp_path: Path, rotation: int, *, mirrored: bool) -> None:
    path = write_video(tmp_path / "video.mp4", four_corners(), rotation=rotation, mirrored=mirrored)
    shown = np.rot90(next(four_corners()), rotation // 90)
    shown = shown[:, ::-1] if mirrored else shown
    (frame,) = sample(path)
    assert frame.picture.rgb().shape == shown.shape
    assert frame.picture.rgb().flags.c_contiguous
    assert np.abs(frame.picture.rgb().astype(int) - shown).mean() < 6


def test_a_picture_of_one_pixel_is_a_picture(tmp_path: Path) -> None:
    dot = np.full((1, 1, 3), 200, np.uint8)
    path = write_video(tmp_path / "dot.mov", [dot] * 5, codec="mjpeg", pixel_format="yuvj444p")
    assert [frame.picture.rgb().shape for frame in sample(path)] == [(1, 1, 3)]


def test_a_still_picture_is_one_frame_that_lasts(tmp_path: Path) -> None:
    pictures = [*still_picture(next(numbered_pictures(1)), 4.0), *numbered_pictures(50, first=900)]
    path = write_video(tmp_path / "video.mp4", pictures, keyframe_every=25)
    frames = sample(path, 1.0)
    assert [number_in(frame.picture.rgb()) for frame in frames] == [0, 900, 925]
    assert [frame.seconds for frame in frames] == pytest.approx([0, 4, 5])
    assert [frame.until_seconds for frame in frames] == pytest.approx([3, 4, 5])


def test_a_still_picture_is_one_frame_whatever_the_camera_noise(tmp_path: Path) -> None:
    noise, picture = np.random.default_rng(0), next(four_corners()).astype(int)
    noisy = (np.clip(picture + noise.normal(0, 4, picture.shape), 0, 255) for _ in range(75))
    path = write_video(tmp_path / "video.mp4", (p.astype(np.uint8) for p in noisy))
    (frame,) = sample(path, 0.5)
    assert frame.until_seconds > 2.0


def test_a_slow_drift_does_not_pass_for_a_still(tmp_path: Path) -> None:
    drift = (np.full((96, 160, 3), 60 + number // 4, np.uint8) for number in range(400))
    path = write_video(tmp_path / "video.mp4", drift, keyframe_every=25)
    assert len(sample(path, 1.0)) >= 12


def test_a_small_face_that_turns_a_little_is_not_taken_for_a_still(
    photos: Path, tmp_path: Path
) -> None:
    with av.open(str(photos / "astronaut.png")) as container:
        portrait = next(container.decode(video=0)).reformat(64, 64).to_ndarray(format="rgb24")
    room = np.full((360, 640, 3), 90, np.uint8)
    before, after = room.copy(), room.copy()
    before[100:164, 300:364] = portrait
    after[100:164, 302:366] = portrait
    pictures = [*still_picture(before, 1.0), *still_picture(after, 1.0)]
    path = write_video(tmp_path / "video.mp4", pictures, keyframe_every=25)
    assert [frame.seconds for frame in sample(path, 1.0)] == pytest.approx([0, 1])


def test_a_talking_head_is_not_skipped_over(development_data: Path) -> None:
    frames = sample(development_data / "clip" / "short_hamilton_clip.mp4", 0.5)
    assert len(frames) >= 17
    assert all(frame.seconds == frame.until_seconds for frame in frames)


@pytest.mark.parametrize("name", ["video.ts", "video.mkv"])
def test_a_video_cut_short_gives_what_is_there(name: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / name, numbered_pictures(100))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames = sample(path, 0.5)
    assert 2 <= len(frames) <= 6
    assert all(number_in(f.picture.rgb()) == round(f.seconds * FPS) for f in frames)


@pytest.mark.parametrize("keyframe_every", [50, 1000])
def test_a_half_copied_mp4_gives_what_is_there_and_a_warning(
    keyframe_every: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(
        tmp_path / "v.mp4",
        numbered_pictures(500),
        keyframe_every=keyframe_every,
        container_options={"movflags": "faststart"},
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with caplog.at_level(logging.WARNING), open_video(path, 0.5) as video:
        frames = list(sample_frames(video))
        assert video.seconds == pytest.approx(20, abs=0.1)
        assert video.unreadable_seconds == pytest.approx(20 - frames[-1].until_seconds, abs=0.6)
    assert 10 < len(frames) < 30
    assert "v.mp4 ends after" in caplog.text


@pytest.mark.parametrize(
    ("name", "codec"), [("v.mkv", "libx264"), ("v.webm", "libvpx-vp9"), ("v.flv", "flv")]
)
@pytest.mark.parametrize("cut_bytes", [0, 1, None])
def test_a_file_that_says_how_long_it_is_was_cut_off_if_it_is_shorter(
    cut_bytes: int | None, name: str, codec: str, tmp_path: Path
) -> None:
    path = write_video(tmp_path / name, numbered_pictures(400), keyframe_every=20, codec=codec)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[: size // 2 if cut_bytes is None else size - cut_bytes])
    with open_video(path, 0.5) as video:
        frames = list(sample_frames(video))
        assert video.seconds == pytest.approx(16, abs=0.1)
        missing = video.seconds - frames[-1].until_seconds if cut_bytes is None else 0
        assert video.unreadable_seconds == pytest.approx(missing, abs=0.6)


@pytest.mark.parametrize("name", ["v.mkv", "v.flv"])
def test_a_file_that_does_not_say_how_long_it_is_ends_where_it_ends(
    name: str, tmp_path: Path
) -> None:
    """A recording that is still going on, say."""
    codec, size_of = {"v.mkv": ("libx264", b"\x18\x53\x80\x67"), "v.flv": ("flv", b"filesize\0")}[
        name
    ]
    path = write_video(tmp_path / name, numbered_pictures(400), keyframe_every=20, codec=codec)
    whole = bytearray(path.read_bytes())
    place = whole.index(size_of) + len(size_of)
    whole[place : place + 8] = b"\x01" + b"\xff" * 7 if name == "v.mkv" else bytes(8)
    path.write_bytes(whole[: len(whole) // 2])
    with open_video(path, 0.5) as video:
        frames = list(sample_frames(video))
        assert video.seconds == pytest.approx(frames[-1].until_seconds, abs=0.6)
        assert video.unreadable_seconds == 0


def test_no_more_is_missing_than_a_video_is_long(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / "v.mp4", numbered_pictures(2 * FPS))
    with open_video(path) as video:
        video.missing = [(0.0, 0.5), (1.0, 8.2)]
        frames.note_unreadable(video, 1.9)
        assert video.unreadable_seconds == pytest.approx(2, abs=0.05)
    assert "2.0 of 2 s cannot be read" in caplog.text


def test_sound_that_is_missing_from_a_file_hides_no_picture(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", numbered_pictures(100), keyframe_every=200)
    path = tmp_path / "v.mp4"
    sound = write_sound(tmp_path / "sound.m4a", 4.0)
    with (
        av.open(str(film)) as seen,
        av.open(str(sound)) as heard,
        av.open(str(path), "w") as output,
    ):
        sources = [(one, output.add_stream_from_template(one.streams[0])) for one in (seen, heard)]
        for source, stream in sources:
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = stream
                    output.mux(packet)
    content = bytearray(path.read_bytes())
    places = content.rindex(b"stco") + 8  # of the sound
    (count,) = struct.unpack_from(">I", content, places)
    content[places + 4 : places + 4 + 4 * count] = struct.pack(">I", 2**31) * count
    path.write_bytes(content)
    with open_video(path, 0.5) as video:
        frames = list(sample_frames(video))
        assert video.seconds == pytest.approx(3.96, abs=0.1)
    assert frames[-1].seconds > 3.4


@pytest.mark.parametrize("name", ["video.mp4", "video.mkv", "video.ts"])
def test_damage_in_the_middle_costs_a_group_and_shows_no_smear(name: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / name, numbered_pictures(200), keyframe_every=25)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle - 1500 : middle + 1500] = np.random.default_rng(0).bytes(3000)
    path.write_bytes(content)
    frames = sample(path, 1 / FPS)
    assert all(number_in(f.picture.rgb()) == round(f.seconds * FPS) for f in frames)
    assert 100 < len(frames) < 180
    assert frames[0].seconds == 0
    assert frames[-1].seconds > 7.8


def test_a_filled_sample_is_the_very_picture_that_is_due(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", numbered_pictures(100), b_frames=3)
    numbers = [number_in(frame.picture.rgb()) for frame in sample(path, 0.28)]
    assert numbers == [0, 7, 13, 19, 25, 32, 38, 44, 50, 57, 64, 71, 78, 85, 92]


def test_a_picture_that_grows_over_the_limit_on_the_way_is_not_decoded(tmp_path: Path) -> None:
    small = write_video(tmp_path / "1.ts", numbered_pictures(50))
    large = write_video(tmp_path / "2.ts", numbered_pictures(50, width=1920, height=1080))
    path = tmp_path / "both.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    assert len({frame.picture.rgb().shape for frame in sample(path, 1.0)}) == 2
    with open_video(path, 1.0, VideoLimits(max_pixels=640 * 360)) as video:
        assert {frame.picture.rgb().shape for frame in sample_frames(video)} == {(128, 192, 3)}


def test_a_video_of_which_nothing_can_be_decoded_is_an_error(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mkv", numbered_pictures(50), codec="mpeg4")
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    content = bytearray(path.read_bytes())
    for place, size in places:
        content[place + 10 : place + 10 + size] = b"\0" * size
    path.write_bytes(content)
    with pytest.raises(UnreadableVideoError, match=r"video\.mkv"):
        sample(path)


def test_only_the_frames_in_hand_are_held_in_memory(tmp_path: Path) -> None:
    large = (
        np.roll(p, 7 * i, axis=1)
        for i, p in enumerate(numbered_pictures(60, width=1920, height=1080))
    )
    path = write_video(tmp_path / "video.mp4", large, keyframe_every=1)
    count, grown_mib = read_video_in_memory(path, 1 / FPS)
    assert count == 60
    assert grown_mib < 90  # the decoder's share; 60 such frames would take 180 more, in RGB 360


def test_keyframes_are_taken_where_they_are_asked_for_each_once_and_little_else_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "video.mp4", numbered_pictures(2000), keyframe_every=10)
    packets = []
    whole = frames.decode_group

    def counting(video: Video, group: Group) -> Iterator[VideoFrame]:
        packets.append(len(group.packets))
        return whole(video, group)

    monkeypatch.setattr(frames, "decode_group", counting)
    taken: set[float] = set()
    with open_video(path) as video:
        first, second = (
            list(sample_keyframes(video, moments, taken, Schedule()))
            for moments in ([5, 25, 45, 65], [5, 15, 15.1, 75])
        )
        assert not video.keyframes_seconds
    assert packets == [1] * 6
    for found, moments in ((first, [5, 25, 45, 65]), (second, [15, 75])):
        numbers = [number_in(frame.picture.rgb()) for frame in found]
        assert all(number % 10 == 0 for number in numbers)
        assert [frame.seconds for frame in found] == pytest.approx([one / FPS for one in numbers])
        assert [frame.seconds for frame in found] == pytest.approx(moments, abs=1.5)


def test_keyframes_are_not_looked_for_in_a_file_that_cannot_be_searched(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.ts", numbered_pictures(500), keyframe_every=10)
    with open_video(path) as video, pytest.raises(UnsplitError):
        list(sample_keyframes(video, [5, 10], set(), Schedule()))


def wide_corners(count: int) -> Iterator[RgbImage]:
    picture = np.kron(next(four_corners()), np.ones((1, 24, 1), np.uint8))  # 3840 x 96
    for number in range(count):
        yield np.roll(picture, 96 * number, axis=1)


@pytest.mark.parametrize("rotation", [0, 90])
def test_a_quick_look_halves_what_is_twice_as_large_as_need_be_and_keeps_the_whole(
    rotation: int, tmp_path: Path
) -> None:
    path = tmp_path / "v.mp4"
    write_video(path, wide_corners(60), fps=1, keyframe_every=10, rotation=rotation)
    with open_video(path) as video:
        found = list(frames.read_ahead(sample_keyframes(video, [15, 35], set(), Schedule())))
    with open_video(path) as video:
        found += [next(sample_frames(video, spread=8))]
    assert [frame.whole is not None for frame in found] == [True] * 3
    expected = np.rot90(next(wide_corners(1)), rotation // 90)
    frame = found[-1]
    assert frame.whole
    assert frame.whole.rgb().shape == expected.shape
    assert np.abs(frame.whole.rgb().astype(int) - expected).mean() < 6
    assert np.abs(frame.picture.rgb().astype(int) - expected[::2, ::2]).mean() < 8
    for one in found[:-1]:
        with pytest.raises(ValueError, match="released"):
            one.whole.rgb() if one.whole else None
    (usual, *_) = sample(path)
    assert usual.whole is None
    assert usual.picture.rgb().shape == expected.shape


@pytest.mark.parametrize(
    ("size", "codec", "spares"),
    [(3840, "libx265", True), (1920, "libx265", False), (3840, "libx264", False)],
)
def test_a_quick_look_spares_smoothing_only_of_pictures_that_it_halves(
    size: int, codec: str, tmp_path: Path, *, spares: bool
) -> None:
    slope = np.linspace(0, 60, size) + np.linspace(0, 40, 96)[:, None]
    noise = np.random.default_rng(1).normal(0, 6, (96, size))
    picture = np.repeat(np.clip(slope + noise, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    turned = (np.roll(picture, 40 * number, axis=1) for number in range(40))
    path = write_video(
        tmp_path / "v.mp4", turned, fps=1, keyframe_every=10, codec=codec, options={"crf": "40"}
    )
    with open_video(path) as video:
        usual = next(sample_frames(video)).picture.rgb()
    with open_video(path) as video:
        (frame,) = sample_keyframes(video, [5], set(), Schedule())
        quick = (frame.whole or frame.picture).rgb()
    assert np.array_equal(usual, quick) != spares
    assert np.abs(usual.astype(int) - quick).mean() < 3


def cut_off(path: Path) -> Path:
    options = {"movflags": "faststart"}
    write_video(path, numbered_pictures(1000), fps=5, keyframe_every=10, container_options=options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    return path


def partly_zero(path: Path) -> Path:
    write_video(path, numbered_pictures(1000), fps=5, keyframe_every=10)
    content = bytearray(path.read_bytes())
    start, end = len(content) * 5 // 10, len(content) * 7 // 10
    content[start:end] = bytes(end - start)
    path.write_bytes(content)
    return path


def with_one_keyframe(path: Path) -> Path:
    return write_video(path, numbered_pictures(1000), fps=5, keyframe_every=5000)


def with_a_leap(path: Path) -> Path:
    seconds = [number / 5 + 3600 * (number > 500) for number in range(1000)]
    return write_video(path, numbered_pictures(1000), fps=5, keyframe_every=10, seconds=seconds)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (cut_off, "video.mp4"),
        (partly_zero, "video.mkv"),
        (with_one_keyframe, "video.mp4"),
        (with_a_leap, "video.mkv"),
    ],
)
def test_a_file_without_a_keyframe_near_each_moment_is_read_through(
    make: Callable[[Path], Path], name: str, tmp_path: Path
) -> None:
    path = make(tmp_path / name)
    with open_video(path) as video:
        moments = [video.seconds * (number + 0.5) / 18 for number in range(18)]
        with pytest.raises(UnsplitError):
            list(sample_keyframes(video, moments, set(), Schedule()))


@pytest.mark.parametrize("name", ["video.ts", "short.mp4"])
def test_only_some_pictures_are_taken_of_a_file_that_is_read_through(
    name: str, tmp_path: Path
) -> None:
    count = 500 if name == "video.ts" else 30
    path = write_video(tmp_path / name, numbered_pictures(count), keyframe_every=10)
    with open_video(path) as video:
        found = [number_in(frame.picture.rgb()) for frame in sample_frames(video, spread=8)]
    assert found == sorted(set(found))
    assert found[0] <= 10
    assert found[-1] >= 0.6 * count
    assert len(found) <= 9


def test_frames_are_decoded_in_the_thread_that_is_given_and_it_is_left_for_the_next() -> None:
    threads: list[str] = []

    def slow_frames() -> Iterator[Frame]:
        for number in range(100):
            threads.append(threading.current_thread().name)
            time.sleep(0.01)
            yield frame_of(number)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="given") as decoder:
        for _ in range(2):
            threads.clear()
            ahead = frames.read_ahead(slow_frames(), decoder)
            assert [frame.index for frame in islice(ahead, 3)] == [0, 1, 2]
            ahead.close()
            decoded = len(threads)
            time.sleep(0.05)
            assert len(threads) == decoded, "closing waits for the frame that is being decoded"
            assert {*threads} == {"given_0"}
    assert [frame.index for frame in frames.read_ahead(map(frame_of, [1, 2]))] == [1, 2]


def frame_of(number: int) -> Frame:
    picture = RgbPicture(np.zeros((8, 8, 3), np.uint8))
    return Frame(number, float(number), float(number), picture)


def test_a_frame_read_ahead_is_there_until_the_next_is_asked_for(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", numbered_pictures(60), keyframe_every=5)
    with open_video(path, 0.2) as video:
        ahead = frames.read_ahead(sample_frames(video))
        held, places = [], []
        for frame in ahead:
            assert number_in(frame.picture.rgb()) == pytest.approx(frame.seconds * FPS, abs=1.1)
            places.append(frame.picture.rgb().__array_interface__["data"][0])
            held.append(frame)
    assert len(places) == 12
    assert len({*places[1:]}) == 1, "pictures but the first take turns in one place"
    for frame in held[:-1]:
        with pytest.raises(ValueError, match="released"):
            frame.picture.rgb()


@pytest.mark.parametrize("kind", ["moving", "still"])
def test_whoever_is_interrupted_while_a_thread_decodes_closes_the_video_after_it(
    kind: str, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), dtype=np.uint8)
    step = 4 if kind == "moving" else 0
    pictures = (np.roll(noise, step * number, axis=1) for number in range(60))
    path = write_video(tmp_path / "video.mp4", pictures, keyframe_every=30)
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.support.interrupted"]
    done = subprocess.run(
        [*command, str(path), "60"], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 30


def test_no_picture_waits_for_the_garbage_collector(tmp_path: Path) -> None:
    path = write_video(tmp_path / "turned.mp4", numbered_pictures(60), rotation=90)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            sample(path, 0.2)[0].picture.rgb()
        kept = [one.width for one in gc.get_objects() if isinstance(one, VideoFrame)]
    finally:
        gc.enable()
    assert not [width for width in kept if width > THUMBNAIL_SIDE]
