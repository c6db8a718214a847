"""What files say wrongly about their pictures, and what they do not say, costs no picture."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from random import Random

import av
import numpy as np
import pytest
from PIL import Image

from function.media.frames import Frame, sample_frames
from function.media.moments import find_moment
from function.media.pictures import RgbImage
from function.media.videos import open_video
from tests.support.plain_h264 import Fields, write_fields, write_without_clock
from tests.support.timed_videos import from_picture
from tests.support.videos import number_in, numbered_pictures
from tools.footage.videos import write_video

FPS = 25


def sample(path: Path, every_seconds: float = 0.4, spread: int | None = None) -> list[Frame]:
    with open_video(path, every_seconds) as video:
        return list(sample_frames(video, spread))


def unreadable_seconds(path: Path, every_seconds: float = 0.4) -> float:
    with open_video(path, every_seconds) as video:
        list(sample_frames(video))
        return video.unreadable_seconds


def check(frames: list[Frame], count: int, slack: float = 1.01) -> None:
    assert len(frames) >= count
    for frame in frames:
        number = number_in(frame.picture.rgb()[:128])
        assert number == pytest.approx(frame.seconds * FPS, abs=slack)


def noisy_pictures(count: int, noisy_rows: int) -> Iterator[RgbImage]:
    """Numbered pictures with so much noise below that each takes many packets."""
    noise = np.random.default_rng(0)
    for one in numbered_pictures(count):
        below = noise.integers(0, 255, (noisy_rows, one.shape[1], 3), dtype=np.uint8)
        yield np.vstack([one, below])


@pytest.mark.parametrize("keyframe_every", [5, 12, 40])
@pytest.mark.parametrize("kind", ["I and P", "I and I"])
def test_fields_in_packets_of_their_own_are_put_together(
    kind: Fields, keyframe_every: int, tmp_path: Path
) -> None:
    pictures = numbered_pictures(80, width=192, height=64)
    path = write_fields(tmp_path / "v.ts", pictures, keyframe_every=keyframe_every, kind=kind)
    check(sample(path), 6)
    assert unreadable_seconds(path) == 0
    assert find_moment(path, "v.ts", 1.6).seconds == pytest.approx(1.6, abs=0.05)


def test_a_raw_stream_without_a_clock_is_looked_at_to_its_end(tmp_path: Path) -> None:
    pictures = numbered_pictures(100, width=192, height=64)
    path = write_without_clock(tmp_path / "v.h264", pictures, keyframe_every=10)
    check(sample(path), 9)


FALSE_MARKS = {"a.mp4": "mpeg4", "b.mov": "mpeg4", "c.mp4": "libx264", "d.mp4": "libx265"}


@pytest.mark.parametrize("name", FALSE_MARKS)
def test_a_file_that_calls_every_picture_a_keyframe_is_decoded_whole(
    name: str, tmp_path: Path
) -> None:
    path = write_video(
        tmp_path / name, numbered_pictures(120), codec=FALSE_MARKS[name], keyframe_every=50
    )
    content = path.read_bytes()
    assert b"stss" in content
    path.write_bytes(content.replace(b"stss", b"free"))
    check(sample(path), 10)
    check(sample(path, spread=4), 2)
    assert find_moment(path, name, 3.0).seconds == pytest.approx(3.0, abs=0.05)


@pytest.mark.parametrize("name", ["a.mp4", "c.mp4"])
def test_marks_on_the_wrong_pictures_are_not_believed(name: str, tmp_path: Path) -> None:
    path = write_video(
        tmp_path / name, numbered_pictures(120), codec=FALSE_MARKS[name], keyframe_every=12
    )
    content = bytearray(path.read_bytes())
    place = content.index(b"stss") + 12
    for number in range(1, 10):  # the first mark stays
        content[place + 4 * number + 3] += 5
    path.write_bytes(content)
    check(sample(path), 10)


@pytest.mark.parametrize("name", ["v.mp4", "v.ts"])
def test_a_film_that_is_refreshed_strip_by_strip_is_decoded_whole(
    name: str, tmp_path: Path
) -> None:
    options = {"x264-params": "intra-refresh=1:keyint=25:cpu-independent=1"}
    pictures = numbered_pictures(200)
    path = write_video(tmp_path / name, pictures, keyframe_every=25, b_frames=0, options=options)
    check(sample(path), 18)
    assert unreadable_seconds(path) == 0


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
def test_lost_packets_of_a_broadcast_cost_pictures_and_show_no_smear(
    codec: str, tmp_path: Path
) -> None:
    pictures = noisy_pictures(150, noisy_rows=64)
    path = write_video(tmp_path / "v.ts", pictures, codec=codec, keyframe_every=12)
    content, chance = path.read_bytes(), Random(1)
    packets = [content[start : start + 188] for start in range(0, len(content), 188)]
    kept = [one for place, one in enumerate(packets) if place < 4 or chance.random() > 0.005]
    assert len(kept) < len(packets) - 2
    path.write_bytes(b"".join(kept))
    check(sample(path, 0.2), 15)
    assert 0.1 < unreadable_seconds(path, 0.2) < 5


@pytest.mark.parametrize("leap_seconds", [5000, -2, -500])
def test_a_leap_of_the_clock_is_no_part_of_the_film(leap_seconds: int, tmp_path: Path) -> None:
    parts = []
    for name, first, start in (("1.ts", 0, 3000), ("2.ts", 100, 3004 + leap_seconds)):
        seconds = [start + number / FPS for number in range(100)]
        pictures = numbered_pictures(100, first=first)
        part = write_video(tmp_path / name, pictures, keyframe_every=25, seconds=seconds)
        parts.append(part.read_bytes())
    path = tmp_path / "v.ts"
    path.write_bytes(b"".join(parts))
    with open_video(path, 0.4) as video:
        check(list(sample_frames(video)), 14, slack=3)
        assert video.seconds == pytest.approx(8.0, abs=0.2)
        assert video.unreadable_seconds < 0.5


def test_a_photo_with_exif_as_a_video_is_turned_as_it_says(tmp_path: Path) -> None:
    """FFmpeg hands EXIF on with the picture, under a name that PyAV does not know."""
    picture = next(numbered_pictures(1, first=5))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    jpeg = io.BytesIO()
    Image.fromarray(picture).save(jpeg, "JPEG", exif=exif)
    path = tmp_path / "v.avi"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=FPS)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuvj420p"
        output.start_encoding()
        for number in range(30):
            packet = av.Packet(jpeg.getvalue())
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.is_keyframe = True
            output.mux(packet)
    (frame,) = sample(path)
    assert frame.picture.rgb().shape == (192, 128, 3)
    assert number_in(np.rot90(frame.picture.rgb()).copy()) == 5


def test_a_title_that_is_not_utf_8_is_no_reason_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    write_video(path, numbered_pictures(30), container_options={"movflags": "faststart"})
    with av.open(str(path)) as source, av.open(str(tmp_path / "t.mp4"), "w") as output:
        output.metadata["title"] = "Gruesse aus Muenchen"
        copy = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    content = (tmp_path / "t.mp4").read_bytes()
    assert b"Muenchen" in content
    path.write_bytes(content.replace(b"Muenchen", b"M\xfcnchen!"))
    check(sample(path), 2)


def test_a_recording_whose_first_keyframe_comes_late_begins_with_it(tmp_path: Path) -> None:
    pictures = numbered_pictures(600)
    whole = write_video(tmp_path / "whole.ts", pictures, keyframe_every=500)
    content = whole.read_bytes()
    with av.open(str(whole)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    path = tmp_path / "v.ts"
    path.write_bytes(content[: 3 * 188] + content[places[10] // 188 * 188 :])
    frames = sample(path)
    assert len(frames) >= 8
    assert frames[0].seconds == pytest.approx(490 / FPS, abs=0.1)
    assert unreadable_seconds(path) > 15


@pytest.mark.parametrize("before", [3, 8, 11])
@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
def test_a_short_recording_that_starts_between_keyframes_has_its_first_whole_picture(
    codec: str, before: int, tmp_path: Path
) -> None:
    pictures = numbered_pictures(50)
    whole = write_video(tmp_path / "whole.ts", pictures, codec=codec, keyframe_every=25, b_frames=0)
    content = whole.read_bytes()
    with av.open(str(whole)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    path = tmp_path / "v.ts"
    start, end = (places[place] // 188 * 188 for place in (25 - before, 35))
    path.write_bytes(content[: 3 * 188] + content[start:end])
    for frames in (sample(path, 0.5), sample(path, 5.0)):
        assert number_in(frames[0].picture.rgb()) == 25


@pytest.mark.parametrize("name", ["v.mkv", "v.ts", "v.flv"])
def test_a_hole_in_a_file_costs_what_was_there_and_is_told(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / name, numbered_pictures(300), keyframe_every=25, b_frames=0)
    assert unreadable_seconds(path) == 0
    content = bytearray(path.read_bytes())
    start, length = len(content) // 2, len(content) // 6  # two seconds
    content[start : start + length] = bytes(length)
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert 1.0 <= unreadable_seconds(path) <= 4.0
    assert "cannot be read" in caplog.text
    check(sample(path), 18)


def test_a_pause_at_a_varying_rate_is_no_damage(tmp_path: Path) -> None:
    chance, now, seconds = Random(0), 0.0, []
    for _ in range(100):
        seconds.append(round(now, 3))
        now += chance.choice((0.04, 0.04, 0.08, 0.4, 1.5))
    path = write_video(tmp_path / "v.mkv", numbered_pictures(100), seconds=seconds)
    assert unreadable_seconds(path) == 0


def test_a_cover_that_calls_itself_the_film_loses_against_the_film(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as output:
        cover = output.add_stream("libx264", rate=FPS)
        cover.width, cover.height, cover.pix_fmt = 640, 480, "yuv420p"
        film = output.add_stream("libx264", rate=FPS)
        film.width, film.height, film.pix_fmt = 192, 128, "yuv420p"
        blank = av.VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8), format="rgb24")
        output.mux(cover.encode(blank))
        for picture in numbered_pictures(50):
            output.mux(film.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(cover.encode())
        output.mux(film.encode())
    check(sample(path), 4)


MID_GROUP = {
    "v.avi": "mpeg4",
    "v.nut": "msmpeg4",
    "v.mp4": "mpeg4",
    "v.asf": "wmv2",
    "v.flv": "flv",
    "v.3gp": "h263",
    "v.mpg": "mpeg1video",
    "v.wtv": "mpeg2video",
    "v.mkv": "libvpx-vp9",
    "v.mov": "libx264",
    "v.ts": "libx265",
}


@pytest.mark.parametrize("unmarked", [False, True])
@pytest.mark.parametrize("name", MID_GROUP)
def test_a_film_cut_between_keyframes_shows_nothing_that_its_decoder_invents(
    name: str, tmp_path: Path, *, unmarked: bool
) -> None:
    size = {"width": 352, "height": 288} if name == "v.3gp" else {}
    pictures = numbered_pictures(150, **size)
    whole = write_video(tmp_path / f"whole{name[1:]}", pictures, codec=MID_GROUP[name], b_frames=0)
    path = from_picture(whole, tmp_path / name, 30)
    if unmarked:  # then all are taken for keyframes, or nobody believes that any is
        path.write_bytes(path.read_bytes().replace(b"stss", b"free"))
    with open_video(path, every_seconds=0.2) as video:
        frames = list(sample_frames(video))
        assert video.unreadable_seconds == pytest.approx(0.8, abs=0.3)
    for frame in frames:
        assert number_in(frame.picture.rgb()) == pytest.approx(30 + frame.seconds * 25, abs=1)


@pytest.mark.parametrize("name", ["v.avi", "v.mp4", "v.asf", "v.mkv", "v.mpg"])
def test_before_the_first_keyframe_of_a_film_that_was_cut_the_first_whole_picture_is_shown(
    name: str, tmp_path: Path
) -> None:
    pictures = numbered_pictures(150)
    whole = write_video(tmp_path / f"whole{name[1:]}", pictures, codec=MID_GROUP[name], b_frames=0)
    path = from_picture(whole, tmp_path / name, 30)
    for asked, shown in ((0.0, 0.8), (0.5, 0.8), (1.0, 1.0), (4.0, 4.0)):
        moment = find_moment(path, path.name, asked)
        picture = np.asarray(Image.open(io.BytesIO(moment.picture)).convert("RGB"))
        assert moment.seconds == pytest.approx(shown, abs=0.05)
        assert number_in(picture) == pytest.approx(30 + shown * 25, abs=1)
