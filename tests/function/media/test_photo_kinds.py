"""One picture is told from a film by how the file begins."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from function.media.photo_kinds import is_still


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


def test_jpegs_one_after_the_other_are_a_film_and_those_of_a_phone_a_picture(
    tmp_path: Path,
) -> None:
    one = saved(tmp_path, "JPEG", exif=b"Exif\0\0 with the end \xff\xd9\xff\xd8\xff of another")
    assert told(one, tmp_path)
    assert not told(one * 3, tmp_path)
    assert told(one + b"what a camera adds", tmp_path)
    more = [Image.new("RGB", (64, 64), "red")]
    assert told(saved(tmp_path, "MPO", save_all=True, append_images=more), tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"text", b"\xff\xd8\xff\xe0\0\0" * 9])
def test_what_is_broken_off_is_told_without_an_error(content: bytes, tmp_path: Path) -> None:
    assert told(content, tmp_path) == content.startswith(b"\xff\xd8")
