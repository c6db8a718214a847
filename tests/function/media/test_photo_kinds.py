"""One picture is told from a film by how the file begins."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from function.media.photo_kinds import is_still

ROOT = Path(__file__).parents[3]


def told(content: bytes, folder: Path) -> bool:
    path = folder / "file"
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return is_still(descriptor)
    finally:
        os.close(descriptor)


def saved(folder: Path, kind: str, **how: object) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(folder / "picture", kind, **how)
    return (folder / "picture").read_bytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF"])
def test_a_picture_is_one(kind: str, tmp_path: Path) -> None:
    assert told(saved(tmp_path, kind), tmp_path)


def test_an_animation_is_a_film(tmp_path: Path) -> None:
    more = [Image.new("RGB", (64, 64), "red")]
    assert not told(saved(tmp_path, "GIF"), tmp_path)
    assert not told(saved(tmp_path, "PNG", save_all=True, append_images=more), tmp_path)
    assert not told(saved(tmp_path, "AVIF", save_all=True, append_images=more), tmp_path)
    for brand in (b"msf1", b"hevc"):
        assert not told(b"\0\0\0\x18ftyp" + brand + bytes(4) + b"mif1heic", tmp_path)
    assert told(b"\0\0\0\x18ftypheic" + bytes(4) + b"mif1heic", tmp_path)


def test_jpegs_one_after_the_other_are_a_film_and_those_of_a_phone_a_picture(
    tmp_path: Path,
) -> None:
    one = saved(tmp_path, "JPEG", exif=b"Exif\0\0 with the end \xff\xd9\xff\xd8\xff of another")
    assert told(one, tmp_path)
    assert not told(one * 3, tmp_path)
    assert told(one + b"what a camera adds", tmp_path)
    more = [Image.new("RGB", (64, 64), "red")]
    assert told(saved(tmp_path, "MPO", save_all=True, append_images=more), tmp_path)


def test_a_picture_that_never_gets_to_its_point_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff\xd8" + b"\xff\xe0\x00\x02" * 2_000_000)
    code = (
        "import os, time; from function.media.photo_kinds import is_still; "
        f"opened = os.open({str(tmp_path / 'file')!r}, os.O_RDONLY); before = time.process_time(); "
        "print(is_still(opened), time.process_time() - before)"
    )
    answer = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split()
    assert answer[0] == "True"
    assert float(answer[1]) < 0.3  # CPU seconds; parsed to its end it takes a whole one


def test_a_file_that_fails_half_way_is_left_to_the_reader_of_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: int, count: int, __: int) -> bytes:
        if count > 100_000:
            raise OSError(5, "Input/output error")
        return b"\xff\xd8\xff\xe0" * 10

    monkeypatch.setattr(os, "pread", read)
    assert not told(b"", tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"text", b"\xff\xd8\xff\xe0\0\0" * 9])
def test_what_is_broken_off_is_told_without_an_error(content: bytes, tmp_path: Path) -> None:
    assert told(content, tmp_path) == content.startswith(b"\xff\xd8")
