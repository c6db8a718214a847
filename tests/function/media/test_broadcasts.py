"""Packets of a broadcast that come twice, or are scrambled in between, smear no picture."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import cast

import av
import numpy as np
import pytest
from av.container import OutputContainer
from av.video.stream import VideoStream

from function.errors import UnreadableVideoError
from function.media.broadcasts import CleanBroadcast, Watch, find_faults
from function.media.files import open_any
from function.media.frames import Frame, sample_frames
from function.media.moments import find_moment
from function.media.pictures import RgbImage
from function.media.videos import open_video
from tests.support.timed_videos import change_packets, join_programmes, with_stream_type
from tests.support.videos import number_in, numbered_pictures
from tools.footage.videos import write_video

PID = 0x100
FPS, COUNT = 25, 250


def broadcast(path: Path, codec: str = "libx264") -> Path:
    return write_video(path, numbered_pictures(COUNT), codec=codec)


def twice(path: Path, share: float = 1.0) -> Path:
    chance = Random(1)
    return change_packets(path, lambda _, one: one * (1 + (chance.random() < share)))


def with_clock(packet: bytes) -> bytes:
    """Let the clock in a packet go on a little, if it has one."""
    if not packet[3] & 0x20 or not packet[4] or not packet[5] & 0x10:
        return packet
    return packet[:9] + bytes([packet[9] ^ 1]) + packet[10:]


def apart(path: Path) -> Path:
    """Send each packet of the pictures again, after one of another stream."""
    other = b"\x47\x1f\xfe\x10".ljust(188, b"\xff")
    return change_packets(path, lambda _, one: one + other + one)


def spaced(path: Path, before: int, after: int) -> Path:
    """Put bytes before or behind each packet, as discs and some receivers do."""
    return change_packets(path, lambda _, one: bytes(before) + one + b"\x55" * after)


def scramble_each(path: Path, every: int, *, start: float = 0, end: float = 1) -> Path:
    """Scramble one in so many packets of the pictures, between two shares of the file."""
    chance, places, size = Random(1), count(), path.stat().st_size // 188
    number = count(1)

    def change(pid: int, packet: bytes) -> bytes:
        place = next(places)
        if pid != PID or not start * size <= place < end * size or next(number) % every:
            return packet
        header = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
        flags = bytes([packet[3] | 0x80])
        return packet[:3] + flags + packet[4:header] + chance.randbytes(188 - header)

    return change_packets(path, change)


def sample(path: Path) -> tuple[list[Frame], float]:
    with open_video(path, every_seconds=0.5) as video:
        return list(sample_frames(video)), video.unreadable_seconds


def require_times(frames: list[Frame]) -> None:
    for frame in frames:
        assert number_in(frame.picture.rgb()) == pytest.approx(frame.seconds * FPS, abs=2)


REPEATS: dict[str, Callable[[Path], Path]] = {
    "all": twice,
    "some": partial(twice, share=0.1),
    "clocks": lambda path: change_packets(path, lambda _, one: one + with_clock(one)),
    "apart": apart,
    "disc": lambda path: spaced(twice(path), 4, 0),
    "checksums": lambda path: spaced(twice(path), 0, 16),
}


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", "libx265"])
@pytest.mark.parametrize("kind", REPEATS)
def test_packets_that_come_twice_are_decoded_once(kind: str, codec: str, tmp_path: Path) -> None:
    path = REPEATS[kind](broadcast(tmp_path / "v.ts", codec))
    frames, unreadable_seconds = sample(path)
    assert len(frames) >= 20
    assert unreadable_seconds == 0
    require_times(frames)


def test_a_moment_is_found_where_packets_come_twice(tmp_path: Path) -> None:
    with open_any(twice(broadcast(tmp_path / "v.ts"))) as media:
        moment = find_moment(media.descriptor, media.name, 7.0)
    assert moment.seconds == pytest.approx(7, abs=0.1)


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize("share", [(0, 1), (0.4, 0.7)])
def test_packets_that_are_scrambled_here_and_there_cost_their_pictures(
    share: tuple[float, float], codec: str, tmp_path: Path
) -> None:
    path = broadcast(tmp_path / "v.ts", codec)
    frames, unreadable_seconds = sample(scramble_each(path, 12, start=share[0], end=share[1]))
    assert frames
    assert unreadable_seconds > 0.5
    require_times(frames)


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", "libx265"])
def test_a_broadcast_with_a_scrambled_packet_in_three_is_said_to_be_encrypted(
    codec: str, tmp_path: Path
) -> None:
    path = scramble_each(broadcast(tmp_path / "v.ts", codec), 3)
    with pytest.raises(UnreadableVideoError, match=r"The pictures of v\.ts are encrypted"):
        sample(path)


def test_pictures_that_are_encrypted_one_by_one_are_said_to_be(tmp_path: Path) -> None:
    path = with_stream_type(broadcast(tmp_path / "v.ts"), 0xDB, b"\x0f\x04zavc")
    with pytest.raises(UnreadableVideoError, match=r"The pictures of v\.ts are encrypted"):
        sample(path)


def test_repeats_of_another_programme_are_none_of_ours(tmp_path: Path) -> None:
    ours, other = broadcast(tmp_path / "ours.ts"), twice(broadcast(tmp_path / "other.ts"))
    path = join_programmes(ours, other, tmp_path / "both.ts")
    assert not find_faults(path, PID).repeats
    assert find_faults(path, PID + 1).repeats


def test_a_whole_broadcast_is_left_to_ffmpeg(tmp_path: Path) -> None:
    with open_video(broadcast(tmp_path / "v.ts")) as video:
        assert not video.survey.cleaned_pid


def test_wherever_reading_begins_each_packet_is_there_once(tmp_path: Path) -> None:
    path = twice(broadcast(tmp_path / "v.ts"))
    whole = CleanBroadcast(path, PID)
    content = whole.read(path.stat().st_size)
    whole.close()
    descriptor = os.open(path, os.O_RDONLY)
    file, chance = CleanBroadcast(descriptor, PID), Random(1)
    for _ in range(500):
        place, length = chance.randrange(len(content) + 100), chance.randrange(1, 2_000)
        file.seek(place)
        found = file.read(length)
        if length >= 376:
            assert found == content[place : place + len(found)]
        assert len(found) or place >= len(content)
    file.close()
    os.close(descriptor)  # it is still open


@pytest.mark.parametrize("size", [3, 188, 4096, 32768])
def test_what_has_no_repeats_is_read_as_it_is(size: int, tmp_path: Path) -> None:
    path = spaced(broadcast(tmp_path / "film.ts"), 4, 0)
    content = bytearray(path.read_bytes())
    content[::192] = b"\x99" * len(content[::192])
    path.write_bytes(content)
    found = bytearray()
    with CleanBroadcast(path, PID) as clean:
        while length := clean.readinto(buffer := bytearray(size)):
            found += buffer[:length]
    assert found == content


def test_a_broadcast_of_a_few_bytes_is_refused(tmp_path: Path) -> None:
    path = twice(broadcast(tmp_path / "v.ts"))
    for size in (1, 4, 188, 376, 1_000):
        path.write_bytes(path.read_bytes()[:size])
        assert not find_faults(path, PID).scrambled
        assert len(CleanBroadcast(path, PID).read(2_000)) == path.stat().st_size


@pytest.mark.parametrize("suffix", ["ts", "m2ts"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", "libx265", "mpeg4"])
@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_a_broadcast_of_a_few_pictures_is_noticed_as_one(
    length: int, codec: str, suffix: str, tmp_path: Path
) -> None:
    path = write_video(tmp_path / f"v.{suffix}", numbered_pictures(length), codec=codec)
    with open_video(path, 0.04) as video:
        frames = list(sample_frames(video))
        assert video.seconds == pytest.approx(length / FPS, abs=0.09)
    assert len(frames) >= max(length - 2, 1)
    assert frames[0].seconds == 0
    for frame in frames:
        assert number_in(frame.picture.rgb()) == pytest.approx(frame.seconds * FPS, abs=0.1)


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("other", [(96, 64), (192, 128)])
@pytest.mark.parametrize("codecs", [("libx264", "mpeg2video"), ("mpeg2video", "libx265")])
def test_of_two_programmes_the_larger_is_looked_at_and_of_equals_the_first(
    codecs: tuple[str, str],
    other: tuple[int, int],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    is_first: bool,
) -> None:
    ours = write_video(tmp_path / "ours.ts", numbered_pictures(COUNT), codec=codecs[0])
    shapes = numbered_pictures(COUNT, width=other[0], height=other[1], first=1_000)
    theirs = write_video(tmp_path / "theirs.ts", shapes, codec=codecs[1])
    pair = (ours, theirs) if is_first else (theirs, ours)
    path = join_programmes(*pair, tmp_path / "both.ts")
    with caplog.at_level("INFO"):
        frames, unreadable_seconds = sample(path)
    shown = {number_in(frame.picture.rgb()) >= 1_000 for frame in frames}
    is_theirs = other == (192, 128) and not is_first
    assert shown == {is_theirs}
    assert len(frames) >= 18
    assert unreadable_seconds == 0
    assert "both.ts holds 2 videos; that of 192x128 pixels is looked at." in caplog.text


@pytest.mark.parametrize("sizes", [((192, 128), (96, 64)), ((96, 64), (192, 128))])
def test_of_two_videos_in_one_programme_the_larger_is_looked_at(
    sizes: tuple[tuple[int, int], tuple[int, int]], tmp_path: Path
) -> None:
    path = tmp_path / "v.ts"
    with av.open(str(path), "w") as output:
        streams = [add_stream(output, size) for size in sizes]
        films = [numbered_pictures(COUNT, width=size[0], height=size[1]) for size in sizes]
        for pictures in zip(*films, strict=True):
            for stream, picture in zip(streams, pictures, strict=True):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for stream in streams:
            output.mux(stream.encode())
    frames, _ = sample(path)
    assert frames[0].picture.rgb().shape[1] == 192
    assert len(frames) >= 18
    require_times(frames)


def add_stream(output: OutputContainer, size: tuple[int, int]) -> VideoStream:
    stream = cast("VideoStream", output.add_stream("libx264", rate=FPS))
    stream.pix_fmt, stream.gop_size = "yuv420p", 25
    stream.width, stream.height = size
    return stream


def in_noise(count: int, size: tuple[int, int] = (576, 384)) -> Iterator[RgbImage]:
    """Numbered pictures with noise in their upper quarter, so that a film takes megabytes."""
    chance = np.random.default_rng(1)
    width, height = size
    for picture in numbered_pictures(count, width=width, height=height):
        picture[: height // 4] = chance.integers(0, 256, (height // 4, width, 3), np.uint8)
        yield picture


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", "libx265"])
@pytest.mark.parametrize("every", [1, 12, 40])
def test_a_short_scrambled_stretch_costs_its_pictures_wherever_it_lies(
    every: int, codec: str, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "v.ts", in_noise(150), codec=codec, keyframe_every=25)
    scramble_each(path, every, start=0.325, end=0.35)
    assert not find_faults(path, PID).scrambled, "it is not where the file is looked at"
    with open_video(path, every_seconds=0.2) as video:
        frames = list(sample_frames(video))
        assert 0.2 < video.unreadable_seconds < 2.5
    assert len(frames) >= 18
    require_times(frames)


def test_a_stretch_is_watched_in_packets_of_any_kind(tmp_path: Path) -> None:
    clear = broadcast(tmp_path / "clear.ts")
    for before, after in ((0, 0), (4, 0), (0, 16)):
        path = tmp_path / "v.ts"
        path.write_bytes(clear.read_bytes())
        size, each = path.stat().st_size // 188, 188 + before + after
        spaced(scramble_each(path, 1, start=0.5, end=0.6), before, after)
        watch = Watch(path, PID)
        assert not watch.finds_scrambled(0, size // 2 * each - each)
        assert watch.finds_scrambled(0, path.stat().st_size)
        assert watch.finds_scrambled(size // 2 * each + 3, size // 2 * each + 8 * each)
        assert not Watch(path, PID + 1).finds_scrambled(0, path.stat().st_size)
        assert not watch.finds_scrambled(path.stat().st_size * 2, path.stat().st_size * 3)


@pytest.mark.parametrize(("before", "after"), [(0, 0), (4, 0), (0, 4), (0, 16)])
@pytest.mark.parametrize("lost_bytes", [0, 30])
def test_a_picture_is_watched_to_its_last_packet_and_no_further(
    before: int, after: int, lost_bytes: int, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "v.ts", in_noise(40), codec="mpeg2video", keyframe_every=10)
    spaced(path, before, after)
    content, each = bytearray(path.read_bytes()), 188 + before + after
    del content[10 * each : 10 * each + lost_bytes]
    path.write_bytes(content)
    with av.open(str(path)) as container:
        places = [one.pos for one in container.demux(video=0) if one.size and one.pos is not None]
    first, ours, following = places[-12:-9]
    sync = ours + each - 188
    packets = range(sync, following, each)
    last = max(one for one in packets if (content[one + 1] & 31) << 8 | content[one + 2] == PID)
    assert content[sync] == content[last] == 0x47
    content[last + 3] |= 0x80
    path.write_bytes(content)
    watch = Watch(path, PID)
    assert not watch.finds_scrambled(ours, following), "one alone may be damage"
    for far in (places[2], places[4]):
        content[far + each - 188 + 3] |= 0x80
    path.write_bytes(content)
    assert watch.finds_scrambled(ours, following)
    assert not watch.finds_scrambled(first, ours)
    assert not watch.finds_scrambled(following, places[-1])


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_a_broadcast_of_which_two_packets_are_marked_wrongly_is_read(
    codec: str, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "v.ts", numbered_pictures(60), codec=codec, keyframe_every=250)
    content = bytearray(path.read_bytes())
    ours = [one for one in range(0, len(content), 188) if content[one + 2] == PID & 0xFF]
    ours = [one for one in ours if content[one + 1] & 31 == PID >> 8]
    for place in ours[:2]:
        content[place + 3] |= 0x80
    path.write_bytes(content)
    frames, unreadable_seconds = sample(path)
    assert len(frames) >= 4
    assert unreadable_seconds == 0
    require_times(frames)


def test_nothing_is_watched_before_the_first_packet(tmp_path: Path) -> None:
    path = broadcast(tmp_path / "v.ts")
    path.write_bytes(bytes(100) + path.read_bytes())
    assert not Watch(path, PID).finds_scrambled(0, 40)
