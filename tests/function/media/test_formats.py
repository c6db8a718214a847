"""Every container and codec that is read, as far as FFmpeg can write it, and every suffix."""

import os
import struct
import sys
from pathlib import Path

import av
import pytest

from function.library.finding import find_videos
from function.media.formats import CODECS, FORMATS, SOUND_CODECS, SUFFIXES_BY_FORMAT, VIDEO_SUFFIXES
from function.media.frames import sample_frames
from function.media.roots import find_root_trouble
from function.media.videos import open_video
from function.web.page.folders import list_folder
from tests.conftest import SeedOf
from tests.support.videos import number_in, numbered_pictures
from tools.soak.seeds import SEEDS, size_of, write_seed

NOT_SOUGHT = {".gif", ".apng"}
"""Suffixes of files that are rather pictures: they are read if they are named."""


@pytest.mark.parametrize("name", SEEDS)
def test_a_video_of_this_kind_is_read_picture_by_picture(name: str, seed_of: SeedOf) -> None:
    _, height = size_of(name)
    with open_video(seed_of(name), 0.4) as video:
        frames = list(sample_frames(video))
    assert len(frames) >= 3
    for frame in frames:
        assert frame.picture.rgb().shape[0] == height
        assert number_in(frame.picture.rgb()) == pytest.approx(frame.seconds * 25, abs=3)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the priority")
def test_writing_a_video_leaves_the_priority_of_the_process_as_it_was(tmp_path: Path) -> None:
    before = os.sched_getscheduler(0)
    write_seed(tmp_path / "av1.mp4", numbered_pictures(3, width=192, height=128))
    assert os.sched_getscheduler(0) == before


@pytest.mark.parametrize("name", SEEDS)
def test_a_video_of_this_kind_is_found_by_its_suffix(name: str) -> None:
    suffix = Path(name).suffix
    assert suffix in VIDEO_SUFFIXES | NOT_SOUGHT
    assert (suffix in NOT_SOUGHT) == (suffix not in VIDEO_SUFFIXES)


def test_every_name_on_the_lists_is_one_that_ffmpeg_knows() -> None:
    for codec in (*CODECS, *SOUND_CODECS):
        av.Codec(codec, "r")
    for name in FORMATS:
        assert av.ContainerFormat(name).is_input


def test_no_reader_is_listed_that_opens_other_files() -> None:
    opens_others = {"hls", "concat", "dash", "sdp", "rtsp", "image2", "tty", "lavfi", "imf", "avs"}
    assert not opens_others & set(FORMATS)


def test_suffixes_are_written_as_they_are_compared() -> None:
    every = [suffix for suffixes in SUFFIXES_BY_FORMAT.values() for suffix in suffixes]
    assert len(every) == len(set(every))
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in every)


def write_pva(path: Path, film: Path) -> Path:
    """Repack a film of MPEG-2 as DVB cards recorded it, with silence beside it."""
    content = b""
    silence = (
        b"\0\0\1\xc0" + struct.pack(">H", 72) + b"\x80\0\5" + b"\xff" * 6 + b"\xfd" + bytes(62)
    )
    with av.open(str(film)) as source:
        for packet in source.demux(source.streams.video[0]):
            if packet.pts is not None:
                content += _pva_packet(1, 0x10, struct.pack(">I", packet.pts) + bytes(packet))
                content += _pva_packet(2, 0, silence)
    path.write_bytes(content)
    return path


def _pva_packet(stream: int, flags: int, payload: bytes) -> bytes:
    return b"AV" + bytes([stream, 0, 0x55, flags]) + struct.pack(">H", len(payload)) + payload


def test_a_recording_of_a_dvb_card_is_read(tmp_path: Path) -> None:
    film = write_seed(tmp_path / "mpeg2.mpg", numbered_pictures(50, width=192, height=128))
    with open_video(write_pva(tmp_path / "film.pva", film), 0.4) as video:
        frames = list(sample_frames(video))
    assert video.container.format.name == "pva"
    assert len(frames) >= 4
    for frame in frames:
        assert number_in(frame.picture.rgb()) == pytest.approx(frame.seconds * 25, abs=3)


@pytest.mark.parametrize("name", ["a.MPE", "a.evo", "a.3gpp", "a.dvr-ms", "a.wm", "a.insv"])
def test_a_video_with_a_rare_suffix_is_found_by_scans_and_the_page(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"a video")
    (found,) = find_videos([tmp_path], {}).files
    assert Path(os.fsdecode(found.path)).name == name
    assert [one["name"] for one in list_folder("", [tmp_path])["videos"]] == [name]
    assert find_root_trouble([tmp_path]) == ""
