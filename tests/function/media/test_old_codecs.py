"""Codecs that FFmpeg does not write, or writes only with options of their own."""

from pathlib import Path

import pytest

from function.media.frames import sample_frames
from function.media.moments import find_moment
from function.media.stretches import WHOLE, plan_stretches
from function.media.videos import open_video
from tests.support.old_codecs import OLD_CODECS, PLAIN_CODECS, camtasia_of_changes, write_avi
from tests.support.videos import number_in, numbered_pictures
from tools.footage.videos import write_video

WITH_OPTIONS = {
    "dnxhr.mov": ("dnxhd", "yuv422p", {"profile": "dnxhr_lb"}),
    "dnxhr.mxf": ("dnxhd", "yuv422p", {"profile": "dnxhr_lb"}),
    "divx.avi": ("msmpeg4v2", "yuv420p", {}),
    "h263p.avi": ("h263p", "yuv420p", {}),
    "v410.mov": ("v410", "yuv444p10le", {}),
    "v408.mov": ("v408", "yuva444p", {}),
}


def check(path: Path, decoder: str = "", spread: int | None = None) -> None:
    with open_video(path, 0.4) as video:
        assert decoder in video.stream.codec_context.name
        frames = list(sample_frames(video, spread))
        assert not video.unreadable_seconds
    assert len(frames) >= 3
    for frame in frames:
        assert number_in(frame.picture.rgb()) == pytest.approx(frame.seconds * 25, abs=1)


@pytest.mark.parametrize("name", OLD_CODECS)
def test_an_old_codec_is_read_picture_by_picture(name: str, tmp_path: Path) -> None:
    pictures = list(numbered_pictures(30))
    check(write_avi(tmp_path / f"{name}.avi", pictures, OLD_CODECS[name]), name)


@pytest.mark.parametrize("name", PLAIN_CODECS)
def test_a_codec_of_which_only_plain_pictures_can_be_made_is_read(
    name: str, tmp_path: Path
) -> None:
    path = write_avi(tmp_path / "v.avi", list(numbered_pictures(30)), PLAIN_CODECS[name])
    with open_video(path, 0.4) as video:
        assert video.stream.codec_context.name == name
        (frame,) = sample_frames(video)
        assert not video.unreadable_seconds
    assert frame.until_seconds == pytest.approx(0.8, abs=0.05)
    rows = frame.picture.rgb().mean(axis=(1, 2))
    assert 100 < rows[0] < 150
    assert (rows[-1] > 200) == (name == "indeo2")


@pytest.mark.parametrize("name", WITH_OPTIONS)
def test_a_codec_of_editors_is_read_picture_by_picture(name: str, tmp_path: Path) -> None:
    codec, pixel_format, options = WITH_OPTIONS[name]
    pictures = numbered_pictures(30, width=288, height=160)
    path = tmp_path / name
    write_video(path, pictures, codec=codec, pixel_format=pixel_format, b_frames=0, options=options)
    check(path)


OF_CHANGES = {
    "cinepak.avi": "rgb24",
    "cinepak.mov": "rgb24",
    "msvideo1.avi": "rgb555le",
    "flashsv.avi": "bgr24",
    "qtrle.mov": "rgb24",
    "zmbv.avi": "bgr0",
    "svq1.mov": "yuv410p",
}
INDEXES = {".avi": (b"idx1", b"JUNK"), ".mov": (b"stss", b"free")}


@pytest.mark.parametrize("name", OF_CHANGES)
def test_without_an_index_no_picture_of_changes_is_taken_for_a_whole_one(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    pictures = numbered_pictures(120)
    kind = {"codec": path.stem, "pixel_format": OF_CHANGES[name]}
    write_video(path, pictures, **kind, keyframe_every=50, b_frames=0)
    check(path)
    content, (index, nothing) = path.read_bytes(), INDEXES[path.suffix]
    assert index in content
    path.write_bytes(content.replace(index, nothing))
    check(path)
    check(path, spread=4)
    assert find_moment(path, name, 3.0).seconds == pytest.approx(3.0, abs=0.05)
    with open_video(path, 0.1) as video:
        assert plan_stretches(video) == WHOLE or video.trusts_keyframes


def test_a_recorded_screen_on_which_nothing_happens_is_all_seen(tmp_path: Path) -> None:
    held = [picture for picture in numbered_pictures(10) for _ in range(25)]
    path = write_avi(tmp_path / "camtasia.avi", held, camtasia_of_changes())
    with open_video(path, 0.4) as video:
        frames = list(sample_frames(video))
        assert video.unreadable_seconds == 0
    assert [number_in(frame.picture.rgb()) for frame in frames] == list(range(10))
    for number, frame in enumerate(frames):
        assert number <= frame.seconds <= frame.until_seconds < number + 1
        assert frame.until_seconds - frame.seconds > 0.3
    assert find_moment(path, "camtasia.avi", 4.5).seconds == pytest.approx(4.5, abs=0.05)
