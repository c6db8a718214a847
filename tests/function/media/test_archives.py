"""Archives are read without unpacking anything, and what cannot be used in one is named."""

import io
import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from function.errors import UnreadableVideoError, VideoOverLimitError
from function.media import archives
from function.media.archives import list_archive, read_entry
from function.media.photos import MAX_PHOTO_BYTES, PhotoRefusedError
from function.media.pictures import MOST_LEFT_OUT, Contents
from tests.support.memory import least_peak
from tests.support.zips import write_list


@contextmanager
def opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def pack(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # about names that are there twice
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def listed(path: Path) -> Contents:
    with opened(path) as descriptor:
        return list_archive(descriptor, path.name)


def names(contents: Contents) -> list[str]:
    return [one.name for one in contents.pictures]


def reasons(contents: Contents) -> dict[str, str]:
    return {one.name: one.reason for one in contents.left_out}


def test_pictures_come_in_the_order_in_which_people_count(tmp_path: Path) -> None:
    files = {f"set/{number}.jpg": b"x" for number in (10, 9, 100, 1)}
    assert names(listed(pack(tmp_path / "a.zip", files))) == [
        "set/1.jpg",
        "set/9.jpg",
        "set/10.jpg",
        "set/100.jpg",
    ]


def test_what_is_no_picture_is_named_with_the_reason(tmp_path: Path) -> None:
    path = pack(
        tmp_path / "a.cbz",
        {
            "ok.JPG": b"x",
            "ComicInfo.xml": b"<x/>",
            "more.zip": b"PK",
            "../../evil.jpg": b"x",
            "/etc/evil.jpg": b"x",
            "..\\evil.jpg": b"x",
        },
    )
    found = listed(path)
    assert names(found) == ["ok.JPG"]
    out = "its name leads out of the archive"
    assert reasons(found) == {
        "ComicInfo.xml": "not a picture",
        "more.zip": "an archive within an archive",
        "../../evil.jpg": out,
        "/etc/evil.jpg": out,
        "..\\evil.jpg": out,
    }


def test_a_file_without_a_name_is_listed_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("1.jpg", "", "2.jpg"):
            archive.writestr(zipfile.ZipInfo(name or "\0"), b"x")
    assert names(listed(path)) == ["1.jpg", "2.jpg"]
    assert reasons(listed(path)) == {"": "not a picture"}


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    hidden = {"a/": b"", "a/.b.jpg": b"x", "__MACOSX/a/c.jpg": b"x", ".d/e.jpg": b"x"}
    found = listed(pack(tmp_path / "a.zip", {"a/b.jpg": b"x", **hidden}))
    assert (names(found), found.left_out) == (["a/b.jpg"], ())


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_picture_is_read_whatever_packed_it(tmp_path: Path, method: int) -> None:
    path = pack(tmp_path / "a.zip", {"a.jpg": b"first", "b.jpg": b"second" * 1000}, method)
    with opened(path) as descriptor:
        assert read_entry(descriptor, 1) == b"second" * 1000
        assert os.lseek(descriptor, 0, os.SEEK_CUR) in (0, path.stat().st_size)


def test_an_album_has_its_list_read_once_and_anew_if_the_archive_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pack(tmp_path / "a.zip", {f"{number}.jpg": b"%d" % number for number in range(50)})
    other = pack(tmp_path / "b.zip", {f"{number}.jpg": b"other" for number in range(50)})
    made: list[str] = []

    class Counted(zipfile.ZipInfo):
        def __init__(self, name: str = "", *more: Any) -> None:
            made.append(name)
            super().__init__(name, *more)

    monkeypatch.setattr(zipfile, "ZipInfo", Counted)
    archives.forget_list()
    with opened(first) as descriptor, opened(other) as another:
        contents = [read_entry(descriptor, number, "first") for number in range(50)]
        assert contents == [b"%d" % number for number in range(50)]
        assert len(made) == 50, "each file once, not once for each picture"
        assert read_entry(another, 7, "other") == b"other"
        assert read_entry(descriptor, 7, "first") == b"7"
        assert (read_entry(another, 7), read_entry(another, 8)) == (b"other", b"other")
        assert len(made) == 250


def test_an_encrypted_picture_is_left_out(tmp_path: Path) -> None:
    content = bytearray(pack(tmp_path / "a.zip", {"a.jpg": b"x", "b.jpg": b"y"}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    content[6] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    found = listed(tmp_path / "a.zip")
    assert (names(found), reasons(found)) == (["b.jpg"], {"a.jpg": "encrypted"})
    with opened(tmp_path / "a.zip") as descriptor, pytest.raises(PhotoRefusedError):
        read_entry(descriptor, 0)


def test_a_bomb_is_left_out_by_the_size_it_names(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"bomb.jpg": bytes(MAX_PHOTO_BYTES + 1), "ok.jpg": b"x"})
    assert path.stat().st_size < 100_000
    found = listed(path)
    assert (names(found), reasons(found)) == (["ok.jpg"], {"bomb.jpg": "too large: over 64 MB"})


def test_a_bomb_that_names_a_small_size_is_read_only_so_far(tmp_path: Path) -> None:
    content = bytearray(pack(tmp_path / "a.zip", {"bomb.jpg": bytes(1_000_000)}).read_bytes())
    lied = (1000).to_bytes(4, "little")
    central = content.index(b"PK\x01\x02")
    content[central + 24 : central + 28] = lied
    content[22:26] = lied
    (tmp_path / "a.zip").write_bytes(content)
    with opened(tmp_path / "a.zip") as descriptor, pytest.raises(PhotoRefusedError):
        read_entry(descriptor, 0)


def test_a_damaged_picture_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    files = {"a.jpg": os.urandom(5000), "b.jpg": b"fine"}
    content = bytearray(pack(tmp_path / "a.zip", files).read_bytes())
    content[200:300] = bytes(100)
    (tmp_path / "a.zip").write_bytes(content)
    with opened(tmp_path / "a.zip") as descriptor:
        with pytest.raises(PhotoRefusedError, match="unreadable"):
            read_entry(descriptor, 0)
        assert read_entry(descriptor, 1) == b"fine"
        with pytest.raises(PhotoRefusedError, match="no longer in the archive"):
            read_entry(descriptor, 2)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"Rar!" * 100])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(UnreadableVideoError, match=r"a\.zip cannot be read as a zip archive"):
        listed(tmp_path / "a.zip")


def test_an_archive_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    whole = pack(tmp_path / "a.zip", {"a.jpg": os.urandom(1000)}).read_bytes()
    (tmp_path / "a.zip").write_bytes(whole[:-200])
    with pytest.raises(UnreadableVideoError):
        listed(tmp_path / "a.zip")


def test_more_pictures_than_are_looked_at_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_PICTURES", 3)
    files = {f"{number}.jpg": b"x" for number in range(MOST_LEFT_OUT + 10)}
    found = listed(pack(tmp_path / "a.zip", files))
    assert names(found) == ["0.jpg", "1.jpg", "2.jpg"]
    assert len(found.left_out) == MOST_LEFT_OUT
    assert found.left_over == 7
    assert set(reasons(found).values()) == {"more than 3 pictures"}


def test_an_archive_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 2)
    files = {f"{number}.jpg": b"x" for number in range(3)}
    with pytest.raises(VideoOverLimitError, match="holds more than 2 files"):
        listed(pack(tmp_path / "a.zip", files))
    assert names(listed(pack(tmp_path / "b.zip", dict([*files.items()][:2])))) == [*files][:2]


def test_a_long_list_takes_little_memory_before_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_list(tmp_path / "a.zip", 50_000)
    monkeypatch.setattr(archives, "MOST_FILES", 100)

    def refuse(words: str) -> None:
        with pytest.raises(VideoOverLimitError, match=words):
            listed(path)

    peak = least_peak(lambda: refuse("more than 100 files"))
    assert peak < 2.5 * path.stat().st_size
    monkeypatch.setattr(archives, "LONGEST_LIST_BYTES", 1_000_000)
    peak = least_peak(lambda: refuse("a list of its files of 2 MB"))
    assert peak < path.stat().st_size / 2
    with opened(path) as descriptor, pytest.raises(PhotoRefusedError, match="of 2 MB"):
        read_entry(descriptor, 0)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_picture_may_be_larger_than_any_list(
    method: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "LONGEST_LIST_BYTES", 1_000)
    content = os.urandom(1_000_000)
    path = pack(tmp_path / "a.zip", {"a.png": content}, method)
    with opened(path) as descriptor:
        for _ in range(2):  # with a list that is read, and with one that is kept
            assert read_entry(descriptor, 0, f"packed by {method}") == content


def test_nothing_is_written_while_an_archive_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / "a.zip", {"a.jpg": b"x", "../b.jpg": b"y"})
    monkeypatch.setattr(io, "open", lambda *_: pytest.fail("a file was opened"))
    with opened(path) as descriptor:
        assert read_entry(descriptor, 0) == b"x"
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]
