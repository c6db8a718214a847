"""Copy protection is named, wherever a file states it; damage is not taken for it."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from function.errors import UnreadableVideoError
from function.media.elements import MARK
from function.media.encryption import states_encryption
from function.media.frames import Frame, sample_frames
from function.media.moments import find_moment
from function.media.videos import open_video
from tests.support.encrypted_videos import (
    cenc,
    content_encryption,
    lock_matroska,
    protected_asf,
    scramble,
    scramble_disc,
)
from tests.support.timed_videos import break_counters, join_programmes, with_stream_type
from tests.support.videos import number_in, numbered_pictures, write_sound
from tools.footage.videos import write_video

FRAGMENTS = "frag_keyframe+empty_moov"


def sample(path: Path) -> list[Frame]:
    with open_video(path) as video:
        return list(sample_frames(video))


def broadcast(path: Path, codec: str = "libx264") -> Path:
    return write_video(path, numbered_pictures(100), codec=codec)


def locked_matroska(codec: str, key: bytes) -> Callable[[Path], Path]:
    return lambda path: lock_matroska(broadcast(path, codec), content_encryption(key))


KEY_ID = bytes(range(16))
LOCKED: dict[str, Callable[[Path], Path]] = {
    "whole.mp4": cenc,
    "fragments.mp4": lambda path: cenc(path, FRAGMENTS),
    "dash.mp4": lambda path: cenc(path, "dash"),
    "first-in-index.mp4": lambda path: cenc(path, "frag_keyframe"),
    "cbcs.mp4": lambda path: cenc(path, FRAGMENTS, **{"\0\0\0\0cenc": "\0\0\0\0cbcs"}),
    "fairplay.mp4": lambda path: cenc(path, encv="drmi", sinf="free"),
    "no-scheme.mp4": lambda path: cenc(path, FRAGMENTS, sinf="free"),
    "only-in-fragments.mp4": lambda path: cenc(path, FRAGMENTS, encv="avc1", sinf="free"),
    "only-keys.mp4": lambda path: cenc(
        path, FRAGMENTS, encv="avc1", sinf="free", saiz="free", saio="free"
    ),
    "header.wmv": protected_asf,
    "long-header.wmv": lambda path: protected_asf(path, 400_000),
    "whole.ts": lambda path: scramble(broadcast(path)),
    "stray-bytes.ts": lambda path: scramble(broadcast(path), stray_bytes=77),
    "disc.m2ts": lambda path: scramble(broadcast(path)),
    "dvb.ts": lambda path: scramble(broadcast(path, "mpeg2video")),
    "hevc.ts": lambda path: scramble(broadcast(path, "libx265")),
    "pictures.ts": lambda path: scramble(broadcast(path), in_stream=True),
    "disc.vob": lambda path: scramble_disc(broadcast(path, "mpeg2video")),
    "key.mkv": locked_matroska("libx264", KEY_ID),
    "no-key.mkv": locked_matroska("libx264", b""),
    "key.webm": locked_matroska("libvpx-vp9", KEY_ID),
    "no-key.webm": locked_matroska("libvpx", b""),
}


@pytest.mark.parametrize("name", LOCKED)
def test_encrypted_pictures_are_said_to_be_encrypted(name: str, tmp_path: Path) -> None:
    path = LOCKED[name](tmp_path / name)
    for read in (sample, lambda path: find_moment(path, path.name, 1.0)):
        with pytest.raises(UnreadableVideoError, match=rf"The pictures of {name} are encrypted"):
            read(path)


@pytest.mark.parametrize(
    ("name", "old", "new"), [("v.mp4", b"avc1", b"XXXX"), ("v.mkv", b"V_MPEG4", b"V_XXXX4")]
)
def test_what_cannot_be_read_for_another_reason_is_not_said_to_be_encrypted(
    name: str, old: bytes, new: bytes, tmp_path: Path
) -> None:
    path = broadcast(tmp_path / name)
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(UnreadableVideoError) as caught:
        sample(path)
    assert "encrypted" not in str(caught.value)


def noise(path: Path) -> Path:
    path.write_bytes(Random(1).randbytes(400_000))
    return path


def noise_without_index(path: Path) -> Path:
    head = b"\0\0\0\x18ftypisom\0\0\2\0isomavc1" + b"\0\x20\0\0mdat"
    path.write_bytes(head + Random(1).randbytes(400_000))
    return path


def noise_in_broadcast(path: Path) -> Path:
    content = broadcast(path).read_bytes()[: 188 * 3]
    path.write_bytes(content + Random(1).randbytes(400_000))
    return path


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (noise, "v.avi", "not a video in a supported format"),
        (noise_without_index, "v.mp4", "lacks its index"),
        (noise_in_broadcast, "v.ts", "not a video in a supported format"),
    ],
)
def test_bytes_that_look_like_scrambled_packets_by_chance_are_not_said_to_be_encrypted(
    make: Callable[[Path], Path], name: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableVideoError, match=message):
        sample(make(tmp_path / name))


def test_a_header_of_impossible_length_is_damage(tmp_path: Path) -> None:
    path = broadcast(tmp_path / "v.wmv", "wmv2")
    content = bytearray(path.read_bytes())
    content[46:54] = b"\xff" * 8
    path.write_bytes(content)
    with pytest.raises(UnreadableVideoError, match="not a video in a supported format"):
        sample(path)


def test_sound_that_is_encrypted_says_nothing_of_pictures(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "sound.mkv")
    lock_matroska(path, content_encryption(KEY_ID), kind=2)
    with pytest.raises(UnreadableVideoError, match="holds no picture"):
        sample(path)


def test_a_broadcast_with_wrong_counters_is_not_said_to_be_encrypted(tmp_path: Path) -> None:
    assert len(sample(break_counters(broadcast(tmp_path / "v.ts")))) >= 4


def test_what_is_scrambled_at_the_end_of_a_recording_counts_as_not_read(tmp_path: Path) -> None:
    path = scramble(write_video(tmp_path / "v.ts", numbered_pictures(500)), start=0.4)
    with open_video(path) as video:
        frames = list(sample_frames(video))
        assert video.seconds == pytest.approx(20, abs=3)
        assert video.unreadable_seconds == pytest.approx(12, abs=3)
    for frame in frames:
        assert number_in(frame.picture.rgb()) == pytest.approx(frame.seconds * 25, abs=3)


def test_a_scrambled_programme_beside_a_clear_one_does_not_make_that_longer(tmp_path: Path) -> None:
    clear, locked = broadcast(tmp_path / "clear.ts"), scramble(broadcast(tmp_path / "locked.ts"))
    with open_video(join_programmes(clear, locked, tmp_path / "both.ts")) as video:
        frames = list(sample_frames(video))
        assert video.seconds == pytest.approx(4, abs=0.2)
        assert video.unreadable_seconds == 0
    assert number_in(frames[-1].picture.rgb()) > 80


@pytest.mark.parametrize("kind", [0xDB, 0xEA, 0x80])
def test_a_kind_of_stream_that_is_no_text_is_no_reason_to_refuse(kind: int, tmp_path: Path) -> None:
    path = with_stream_type(broadcast(tmp_path / "v.ts"), kind)
    try:
        frames = sample(path)
    except UnreadableVideoError:
        assert kind != 0xDB
    else:
        assert len(frames) >= 4


def test_elements_that_reach_over_what_holds_them_have_no_place_read_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = bytes.fromhex("18538067" + "8c")
    tracks = bytes.fromhex("1654ae6b" + "0100000000ffffff")  # far longer than its segment
    path = tmp_path / "nested.mkv"
    path.write_bytes(MARK + b"\x80" + 900 * (segment + tracks))
    reads: list[int] = []
    read = os.pread

    def counted(descriptor: int, count: int, place: int) -> bytes:
        reads.append(place)
        return read(descriptor, count, place)

    monkeypatch.setattr(os, "pread", counted)
    assert not states_encryption(path)
    assert len(reads) < 3000
