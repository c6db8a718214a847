import os
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from function.errors import (
    RecognitionError,
    UnreadableVideoError,
    VideoNotFoundError,
    VideoOverLimitError,
)
from function.media.frames import sample_frames
from function.media.images import encode_jpeg
from function.media.limits import VideoLimits
from function.media.videos import open_video
from tests.support.memory import read_video_in_memory
from tests.support.videos import numbered_pictures, write_sound
from tools.footage.videos import write_video


@pytest.fixture(scope="module")
def video_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("videos") / "four seconds.mp4"
    return write_video(path, numbered_pictures(100))


def refusal(path: Path, limits: VideoLimits | None = None) -> RecognitionError:
    """The error that opening or reading a file ends with; its message holds no folder."""
    with (
        pytest.raises(RecognitionError) as caught,
        open_video(path, None, limits or VideoLimits()) as video,
    ):
        list(sample_frames(video))
    assert path.name in str(caught.value)
    assert str(path.parent) not in str(caught.value)
    return caught.value


def test_a_decoder_has_no_thread_that_could_wait_for_ours(video_path: Path) -> None:
    """With two, one mutated HEVC in several thousand stopped for good, and only now and then."""
    with open_video(video_path) as video:
        assert video.stream.codec_context.thread_count == 1


def test_an_open_video_says_how_long_and_how_large_it_is(video_path: Path) -> None:
    with open_video(video_path) as video:
        assert (video.width, video.height) == (192, 128)
        assert video.seconds == pytest.approx(4.0, abs=0.1)
        assert video.every_seconds == 0.5


def test_what_another_process_found_out_is_not_looked_for_again(
    video_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    really_open = av.open

    def open_and_note(address: str, **options: object) -> object:
        opened.append(address)
        return really_open(address, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(av, "open", open_and_note)
    with open_video(video_path) as measured:
        assert len(opened) == 2
    opened.clear()
    with open_video(video_path, survey=measured.survey) as told:
        assert len(opened) == 1
        for name in ("survey", "seconds", "every_seconds", "gap_slack", "width", "height"):
            assert getattr(told, name) == getattr(measured, name)


@pytest.mark.parametrize(
    ("seconds", "every_seconds"), [(60, 0.5), (480, 2.0), (1200, 5.0), (9000, 5.0)]
)
def test_the_automatic_interval_follows_the_length(
    seconds: int, every_seconds: float, tmp_path: Path
) -> None:
    times = [float(moment) for moment in range(0, seconds + 1, seconds // 60)]
    path = write_video(tmp_path / "v.mkv", numbered_pictures(len(times)), seconds=times)
    with open_video(path) as video:
        assert video.every_seconds == pytest.approx(every_seconds)


def test_a_given_interval_is_kept(video_path: Path) -> None:
    with open_video(video_path, every_seconds=0.7) as video:
        assert video.every_seconds == 0.7


def test_a_missing_video_is_reported_as_such(tmp_path: Path) -> None:
    assert isinstance(refusal(tmp_path / "missing.mp4"), VideoNotFoundError)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder.mp4"
    folder.mkdir()
    assert "is a folder" in str(refusal(folder))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    assert "is empty" in str(refusal(path))


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    assert "is not an ordinary file" in str(refusal(path))


@pytest.mark.parametrize(
    "content", [b"Not a video.\n" * 500, b"\0" * 9000, np.random.default_rng(1).bytes(9000)]
)
def test_a_file_of_something_else_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    assert isinstance(refusal(path), UnreadableVideoError)


@pytest.mark.parametrize("flags", [{}, {"movflags": "faststart"}])
@pytest.mark.parametrize("left", [0.0, 0.05, 0.3, 0.7])
def test_an_mp4_that_lacks_its_index_is_said_to(
    left: float, flags: dict[str, str], tmp_path: Path
) -> None:
    for suffix in ("mov", "mp4"):
        path = tmp_path / f"v.{suffix}"
        write_video(path, numbered_pictures(100), container_options=flags)
        content = path.read_bytes()
        start = content.rindex(b"moov") - 4
        (length,) = struct.unpack_from(">I", content, start)
        path.write_bytes(content[: start + round(left * length)])
        if flags and not left:  # nothing is left that says what it was
            assert "not a video" in str(refusal(path))
        else:
            assert "lacks its index" in str(refusal(path))


def test_a_file_that_is_damaged_elsewhere_is_not_said_to_lack_its_index(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", numbered_pictures(10))
    content = path.read_bytes().replace(b"avc1", b"XXXX").replace(b"vide", b"XXXX")
    path.write_bytes(content)
    assert "index" not in str(refusal(path))


def test_an_archive_is_no_video_of_its_first_picture(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("1.jpg", encode_jpeg(np.zeros((64, 64, 3), np.uint8)))
    assert "scan it as an album" in str(refusal(tmp_path / "set.zip"))


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    assert "holds no picture. Give" in str(refusal(write_sound(tmp_path / "sound.mp4")))


@pytest.mark.parametrize(
    "content",
    ["<!DOCTYPE html><title>404 Nicht gefunden: für später</title>", "#EXTM3U\nhttps://a/1.ts\n"],
)
def test_a_page_or_a_playlist_saved_as_a_video_is_said_to_be_text(
    content: str, tmp_path: Path
) -> None:
    path = tmp_path / "film.mp4"
    for encoding in ("utf-8", "latin-1", "utf-16"):
        path.write_text(content, encoding=encoding)
        assert "film.mp4 was found, but it is not a video: it holds text" in str(refusal(path))
    path.write_bytes(bytes(range(256)) * 8)
    assert "not a video in a supported format, or is damaged." in str(refusal(path))


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    jpeg = write_video(
        tmp_path / "cover.jpg",
        numbered_pictures(1),
        codec="mjpeg",
        pixel_format="yuvj420p",
        container="mjpeg",
    ).read_bytes()
    path = write_sound(tmp_path / "music.mkv", cover=jpeg)
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    assert "holds a still picture" in str(refusal(path))


def test_a_codec_that_nobody_uses_is_refused_by_name(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "odd.avi", numbered_pictures(10), codec="cljr", pixel_format="yuv411p"
    )
    assert "cljr" in str(refusal(path))


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{target}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
    '<Period><AdaptationSet><Representation id="1" bandwidth="1" mimeType="video/mp4">'
    "<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>",
}


@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_opens_nothing_whatever_it_is_called(
    kind: str, suffix: str, tmp_path: Path
) -> None:
    neighbour = tmp_path / "neighbour.ts"
    write_video(neighbour, numbered_pictures(50))
    path = tmp_path / f"playlist.{suffix}"
    path.write_text(PLAYLISTS[kind].format(target=neighbour.name))
    assert isinstance(refusal(path), UnreadableVideoError)


@pytest.mark.parametrize(
    "name", ["pictures%03d.mp4", "concat:a.mp4|b.mp4", "http:x.mp4", "a b#?&'\".mp4", "ünï.mp4"]
)
def test_a_name_is_only_a_name(
    name: str, video_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(video_path.read_bytes())
    monkeypatch.chdir(tmp_path)
    with open_video(Path(name)) as video:
        assert video.width == 192


@pytest.mark.parametrize(
    "name", ["pictures%03d.jpg", "concat:1.mp4|1.mp4", "subfile,,start,0,end,0,,:1.mp4"]
)
def test_a_name_that_is_a_pattern_or_a_scheme_finds_no_other_file(
    name: str, video_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1.mp4").write_bytes(video_path.read_bytes())
    (tmp_path / "pictures001.jpg").write_bytes(b"\xff\xd8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(VideoNotFoundError):
        open_video(Path(name))


def test_a_descriptor_can_be_opened_under_the_name_it_goes_by(video_path: Path) -> None:
    with video_path.open("rb") as file:
        path = Path(f"/proc/self/fd/{file.fileno()}")
        if not path.exists():
            pytest.skip("this system has no /proc")
        with open_video(path, name="holiday.mp4") as video:
            assert video.name == "holiday.mp4"
            assert next(sample_frames(video)).index == 0


def test_pictures_over_the_limit_are_refused(video_path: Path) -> None:
    error = refusal(video_path, VideoLimits(max_pixels=192 * 128 - 1))
    assert isinstance(error, UnreadableVideoError | VideoOverLimitError)
    assert str(192 * 128 - 1) in str(error)


def test_a_video_that_is_too_long_is_refused(video_path: Path) -> None:
    error = refusal(video_path, VideoLimits(max_seconds=3))
    assert isinstance(error, VideoOverLimitError)
    assert "lasts 4 s; the limit is 3 s" in str(error)


def write_square_streams(path: Path, sides: Sequence[int]) -> Path:
    """Write one file that holds a video of one picture for each side length."""
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("mjpeg", rate=25) for _ in sides]
        for stream, side in zip(streams, sides, strict=True):
            stream.width = stream.height = side
            stream.pix_fmt, stream.disposition = "yuvj420p", Disposition(0)
        for stream, side in zip(streams, sides, strict=True):
            output.mux(stream.encode(av.VideoFrame(side, side, "yuvj420p")))
            output.mux(stream.encode())
    return path


def test_of_several_streams_the_largest_is_read(tmp_path: Path) -> None:
    path = write_square_streams(tmp_path / "three.mkv", [32, 96, 64])
    with open_video(path) as video:
        assert [frame.picture.rgb().shape for frame in sample_frames(video)] == [(96, 96, 3)]


def test_a_file_of_too_many_streams_is_refused(tmp_path: Path) -> None:
    path = write_square_streams(tmp_path / "six.mkv", [32] * 6)
    with open_video(path, limits=VideoLimits(max_streams=6)) as video:
        assert video.width == 32
    assert isinstance(refusal(path, VideoLimits(max_streams=5)), VideoOverLimitError)


@pytest.mark.parametrize("name", ["bomb.mp4", "bomb.ts", "bomb.mkv"])
def test_a_pixel_bomb_does_not_go_off(name: str, tmp_path: Path) -> None:
    picture = np.zeros((4096, 16384, 3), np.uint8)
    path = write_video(tmp_path / name, [picture], options={"preset": "ultrafast"})
    assert path.stat().st_size < 300_000
    count, grown_mib = read_video_in_memory(path, 0.5)
    assert count == 0
    assert grown_mib < 60


def patched(source: Path, target: Path, box: bytes, offset: int, number: int) -> Path:
    """Copy an MP4 with a 32-bit number in every box of one kind replaced."""
    content = bytearray(source.read_bytes())
    place = content.find(box)
    while place >= 0:
        content[place + offset : place + offset + 4] = struct.pack(">I", number)
        place = content.find(box, place + 4)
    target.write_bytes(content)
    return target


@pytest.mark.parametrize("box", [b"mvhd", b"mdhd"])
def test_a_false_claim_of_length_is_not_believed(
    box: bytes, video_path: Path, tmp_path: Path
) -> None:
    path = patched(video_path, tmp_path / "claims.mp4", box, 20, 2**31 - 1)
    with open_video(path) as video:
        assert video.seconds == pytest.approx(4.0, abs=0.1)
        assert len(list(sample_frames(video))) == 8


def test_a_false_claim_of_a_million_frames_a_second_ends_soon(
    video_path: Path, tmp_path: Path
) -> None:
    path = patched(video_path, tmp_path / "claims.mp4", b"mdhd", 16, 512_000_000)
    with open_video(path) as video:
        assert 1 <= len(list(sample_frames(video))) <= 3


def test_a_claim_of_length_that_nothing_confirms_must_be_plausible(tmp_path: Path) -> None:
    path = write_video(tmp_path / "claims.flv", numbered_pictures(100))
    content = path.read_bytes()
    place = content.find(b"duration") + len("duration") + 1
    path.write_bytes(content[:place] + struct.pack(">d", 9e6) + content[place + 8 :])
    with open_video(path) as video:
        assert video.seconds == 0.0
        assert video.every_seconds == 1.0


@pytest.mark.parametrize("name", ["late.mkv", "late.mp4", "late.ts"])
def test_a_video_that_does_not_start_at_0_is_no_longer_for_that(name: str, tmp_path: Path) -> None:
    moments = [100 + index / 25 for index in range(100)]
    with open_video(write_video(tmp_path / name, numbered_pictures(100), seconds=moments)) as video:
        assert video.seconds == pytest.approx(4.0, abs=0.1)
        assert video.every_seconds == 0.5


def test_the_length_of_a_recording_that_does_not_say_it_is_read_at_its_end(tmp_path: Path) -> None:
    live = {"live": "1"}
    path = write_video(
        tmp_path / "live.webm", numbered_pictures(100), codec="libvpx-vp9", container_options=live
    )
    with open_video(path) as video:
        assert video.container.duration is None
        assert video.seconds == pytest.approx(4.0, abs=0.1)


def test_the_bundled_ffmpeg_is_one_without_known_holes() -> None:
    assert tuple(int(part) for part in av.ffmpeg_version_info.split(".")[:3]) >= (8, 1, 2)
