"""Of a file that was cut off the missing end is counted; of a whole one, whatever it says, none."""

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from function.media import chunks, elements, objects
from function.media.descriptors import DescriptorFile, size_of
from function.media.endings import find_seconds_if_cut
from function.media.frames import sample_frames
from function.media.videos import open_video
from tests.support.videos import numbered_pictures
from tools.footage.videos import write_video

COUNT, FPS = 400, 25
CODECS = {"v.avi": "mpeg4", "v.wmv": "wmv2"}
PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
CONTENT = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")


def film(folder: Path, name: str, count: int = COUNT) -> Path:
    codec = CODECS[name]
    pictures = numbered_pictures(count)
    return write_video(folder / name, pictures, keyframe_every=20, codec=codec, b_frames=0)


def seconds_if_cut(path: Path) -> float:
    with av.open(str(path)) as container:
        return find_seconds_if_cut(path, container)


def look(path: Path | int) -> tuple[float, float, float]:
    """How long a file is, until when something is shown, and how long nothing can be read."""
    with open_video(path, 0.5) as video:
        frames = list(sample_frames(video))
        return video.seconds, frames[-1].until_seconds, video.unreadable_seconds


def change(path: Path, patch: Callable[[bytearray], None], share: float = 1.0) -> Path:
    """Change a file's bytes, and leave a share of them."""
    content = bytearray(path.read_bytes())
    patch(content)
    path.write_bytes(content[: round(len(content) * share)])
    return path


def put(content: bytearray, after: bytes, place: int, kind: str, *numbers: int) -> None:
    struct.pack_into(kind, content, content.index(after) + place, *numbers)


def leave(_: bytearray) -> None:
    pass


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("name", CODECS)
def test_the_missing_end_of_an_avi_or_wmv_is_counted(
    name: str, share: float, tmp_path: Path
) -> None:
    seconds, shown, unreadable = look(change(film(tmp_path, name), leave, share))
    assert seconds == pytest.approx(16, abs=0.05)
    assert shown == pytest.approx(16 * share, abs=1.5)
    assert unreadable == pytest.approx(16 - shown, abs=0.6)


def with_index_of_two_parts(content: bytearray) -> None:
    """Turn what is reserved for it into an index of indexes, whose second part is farther on."""
    room = content.index(b"JUNK")
    part = struct.pack("<QII", 5_000, 100, COUNT) + struct.pack("<QII", 10**6, 100, COUNT)
    length = len(part) + 24
    (reserved,) = struct.unpack_from("<I", content, room + 4)
    head = struct.pack("<4sIHBBI4s3I", b"indx", length, 4, 0, 0, 2, b"00dc", 0, 0, 0)
    rest = struct.pack("<4sI", b"JUNK", reserved - length - 8)
    content[room : room + len(head + part + rest)] = head + part + rest


def count_in_stream(content: bytearray) -> None:
    put(content, b"strh", 8 + 32, "<I", 2 * COUNT)


def count_in_all_parts(content: bytearray) -> None:
    room = content.rindex(b"JUNK", 0, content.index(b"INFO"))
    about = b"LIST", 260, b"odml", b"dmlh", 248, 2 * COUNT
    struct.pack_into("<4sI4s4sII", content, room, *about)


@pytest.mark.parametrize("state", [count_in_stream, count_in_all_parts])
def test_an_avi_that_lacks_its_second_gigabyte_was_cut_off(
    state: Callable[[bytearray], None], tmp_path: Path
) -> None:
    path = change(change(film(tmp_path, "v.avi"), state), with_index_of_two_parts)
    assert look(path)[::2] == pytest.approx((32, 16), abs=0.6)


def recorded(path: Path, codec: str, *, can_seek: bool) -> Path:
    """Write a file that was never ended, as of a recorder that lost its power, or for a pipe."""
    target = io.BytesIO()
    target.seekable = lambda: can_seek  # type: ignore[method-assign]
    kind = {".avi": "avi", ".wmv": "asf"}[path.suffix]
    output = av.open(target, "w", format=kind)
    stream = cast("VideoStream", output.add_stream(codec, rate=FPS))
    stream.pix_fmt, stream.gop_size = "yuv420p", 20
    for number, picture in enumerate(numbered_pictures(COUNT)):
        if not number:
            stream.height, stream.width = picture.shape[:2]
        output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    path.write_bytes(target.getvalue())
    output.close()
    return path


@pytest.mark.parametrize("can_seek", [True, False])
@pytest.mark.parametrize("name", CODECS)
def test_a_recording_that_was_not_ended_lacks_nothing(
    name: str, tmp_path: Path, *, can_seek: bool
) -> None:
    seconds, shown, unreadable = look(recorded(tmp_path / name, CODECS[name], can_seek=can_seek))
    assert 12 < shown <= seconds <= 16
    assert unreadable == 0


def put_lengths(content: bytearray) -> None:
    put(content, b"RIFF", 4, "<I", 2**32 - 1)
    put(content, b"movi", -4, "<I", 2**31 - 1)


ODD: dict[str, tuple[str, Callable[[bytearray], None]]] = {
    "a length of the whole, one too high": (
        "v.avi",
        lambda one: put(one, b"RIFF", 4, "<I", len(one)),
    ),
    "a length of the pictures beyond the file's": (
        "v.avi",
        lambda one: put(one, b"movi", -4, "<I", len(one) * 2),
    ),
    "lengths that were to be filled in": ("v.avi", put_lengths),
    "more pictures than there are": ("v.avi", lambda one: put(one, b"strh", 40, "<I", 10**6)),
    "a whole file longer than it is": (
        "v.wmv",
        lambda one: put(one, PROPERTIES, 40, "<Q", len(one) * 2),
    ),
    "more play than there is": ("v.wmv", lambda one: put(one, PROPERTIES, 64, "<Q", 10**10)),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_whole_file_that_says_something_odd_is_not_called_cut_off(
    kind: str, tmp_path: Path
) -> None:
    name, patch = ODD[kind]
    path = change(film(tmp_path, name), patch)
    assert seconds_if_cut(path) == 0
    assert look(path)[2] == 0


UNSAID: dict[str, tuple[str, Callable[[bytearray], None]]] = {
    "goes on": ("v.wmv", lambda one: put(one, PROPERTIES, 88, "<I", 1)),
    "no length": ("v.wmv", lambda one: put(one, PROPERTIES, 64, "<Q", 0)),
    "one of centuries": ("v.wmv", lambda one: put(one, PROPERTIES, 64, "<Q", 2**63)),
    "content beyond any file": ("v.wmv", lambda one: put(one, CONTENT, 16, "<Q", 50)),
    "no rate": ("v.avi", lambda one: put(one, b"strh", 8 + 20, "<II", 0, 0)),
    "half a rate": ("v.avi", lambda one: put(one, b"strh", 8 + 20, "<II", 1, 0)),
    "days of pictures": ("v.avi", lambda one: put(one, b"strh", 40, "<I", 2**32 - 1)),
}


@pytest.mark.parametrize("kind", UNSAID)
def test_a_file_that_was_cut_off_and_does_not_say_how_long_it_is_ends_where_it_ends(
    kind: str, tmp_path: Path
) -> None:
    name, patch = UNSAID[kind]
    seconds, shown, unreadable = look(change(film(tmp_path, name), patch, 0.5))
    assert seconds == pytest.approx(8, abs=0.5)
    assert unreadable == 0
    assert shown > 7


def test_headers_of_any_bytes_are_read_in_few_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, path, count = Random(1), tmp_path / "file", 0
    reading = os.pread

    def read(descriptor: int, length: int, place: int) -> bytes:
        nonlocal count
        count += 1
        return reading(descriptor, length, place)

    monkeypatch.setattr(os, "pread", read)
    seeds = [film(tmp_path, name, 20).read_bytes() for name in CODECS]
    for number in range(1_000):
        content = bytearray(seeds[number % 2])
        for _ in range(chance.randrange(1, 30)):
            place = chance.randrange(min(len(content), 6_000))
            content[place] = chance.choice((0, 1, 0xFF, chance.randrange(256)))
        path.write_bytes(content)
        os.truncate(path, chance.choice((chance.randrange(len(content)), 2**31)))
        with path.open("rb") as file:
            count = 0
            for module in (chunks, objects):
                assert module.find_seconds_if_cut(file.fileno(), 10_000) >= 0
            assert count < 10_000


HOSTILE: dict[str, tuple[bytes, bytes]] = {
    "matroska": (
        bytes.fromhex("1a45dfa3 80 18538067 01ffffffffffffff"),
        (bytes.fromhex("1654ae6b 43 fe") + (bytes.fromhex("ae 41 fc") + b"\x83\x80" * 254) * 2),
    ),
    "avi": (
        b"RIFF\xf0\xff\xff\x7fAVI LIST\xe0\xff\xff\x7fhdrl",
        b"LIST\x04\x10\0\0strl" + b"JUNK\0\0\0\0" * 512,
    ),
    "asf": (objects.MARK + bytes(14), bytes(16) + b"\x18" + bytes(7)),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("size", [10**7, 2**31])
def test_what_is_made_to_be_read_for_ever_is_not(
    kind: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, part = HOSTILE[kind]
    path = tmp_path / "file"
    path.write_bytes((head + part * (10**7 // len(part)))[: 10**7])
    os.truncate(path, size)
    count, reading = 0, os.pread

    def read(descriptor: int, length: int, place: int) -> bytes:
        nonlocal count
        count += 1
        return reading(descriptor, length, place)

    monkeypatch.setattr(os, "pread", read)
    with path.open("rb") as file:
        descriptor = file.fileno()
        assert chunks.find_seconds_if_cut(descriptor, size) == 0
        assert objects.find_seconds_if_cut(descriptor, size) == 0
        assert elements.find_end(descriptor) is None or kind == "matroska"
        assert not elements.states_locked_pictures(descriptor, size)
        assert not objects.states_locked_pictures(descriptor)
    assert 500 < count < 150_000


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.avi"])
def test_a_film_is_as_long_by_its_descriptor_as_by_its_path(tmp_path: Path, name: str) -> None:
    """The last keyframe was read at the beginning, and the rest is read from there on."""
    noise = np.random.default_rng(1)
    pictures = (noise.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(125))
    path = write_video(tmp_path / name, pictures, keyframe_every=1_000)
    assert path.stat().st_size > 64 * 1024
    by_path = look(path)
    with path.open("rb") as file:
        by_descriptor = look(file.fileno())
    assert by_descriptor == by_path
    assert by_path[0] == pytest.approx(5, abs=0.1)


def test_asking_how_large_a_file_is_moves_nobody_who_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    with path.open("rb", buffering=0) as file:
        file.read(4)
        assert size_of(file.fileno()) == 10
        assert DescriptorFile(file.fileno()).size_bytes == 10
        assert file.read() == b"456789"
