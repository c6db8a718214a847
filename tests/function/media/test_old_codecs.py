"""Codecs that FFmpeg does not write, or writes only with options of their own."""

from pathlib import Path

import pytest

from function.media.frames import sample_frames
from function.media.videos import open_video
from tests.support.old_codecs import OLD_CODECS, write_avi
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


def check(path: Path, decoder: str = "") -> None:
    with open_video(path, 0.4) as video:
        assert decoder in video.stream.codec_context.name
        frames = list(sample_frames(video))
    assert len(frames) >= 3
    for frame in frames:
        assert number_in(frame.picture.rgb()) == pytest.approx(frame.seconds * 25, abs=1)


@pytest.mark.parametrize("name", OLD_CODECS)
def test_an_old_codec_is_read_picture_by_picture(name: str, tmp_path: Path) -> None:
    pictures = list(numbered_pictures(30))
    check(write_avi(tmp_path / f"{name}.avi", pictures, OLD_CODECS[name]), name)


@pytest.mark.parametrize("name", WITH_OPTIONS)
def test_a_codec_of_editors_is_read_picture_by_picture(name: str, tmp_path: Path) -> None:
    codec, pixel_format, options = WITH_OPTIONS[name]
    pictures = numbered_pictures(30, width=288, height=160)
    path = tmp_path / name
    write_video(path, pictures, codec=codec, pixel_format=pixel_format, b_frames=0, options=options)
    check(path)
