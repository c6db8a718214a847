"""What is said of a media root that cannot be meant."""

import errno
import os
import sys
from pathlib import Path

import pytest

from function.media import roots
from function.media.roots import find_root_trouble


def test_a_folder_with_a_video_anywhere_below_is_well(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "Film.MP4").touch()
    assert find_root_trouble([tmp_path]) == ""


def test_a_folder_without_videos_is_named_with_what_to_do(tmp_path: Path) -> None:
    for name in ("notes.txt", ".hidden.mp4"):
        (tmp_path / name).touch()
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash" / "old.mp4").touch()
    trouble = find_root_trouble([tmp_path])
    assert trouble.startswith(f"There is no video in {tmp_path}. Start the server")


def test_a_folder_that_is_not_there_is_named_though_another_holds_videos(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    missing = tmp_path / "unmounted"
    assert f"{missing} is not there" in find_root_trouble([tmp_path, missing])


def test_nothing_is_said_of_a_folder_too_large_to_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        (tmp_path / f"{number}.txt").touch()
    assert find_root_trouble([tmp_path])
    monkeypatch.setattr(roots, "MOST_NAMES", 9)
    assert find_root_trouble([tmp_path]) == ""


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_folder_that_cannot_be_asked_about_is_named_and_no_fault(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    said = f"The media folder {tmp_path} cannot be read ({os.strerror(number)})."
    assert said in find_root_trouble([tmp_path])


def test_a_file_is_no_media_folder(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    assert "film.mp4 is a file. Start the server" in find_root_trouble([tmp_path / "film.mp4"])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_folder_whose_name_is_not_utf8_is_named_with_escapes(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"vid\xe9")
    assert r"vid\xe9 is not there" in find_root_trouble([folder])
    folder.mkdir()
    assert r"vid\xe9. Start the server" in find_root_trouble([folder])
