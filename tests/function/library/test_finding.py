"""Videos are found wherever and however they are named, quickly, and nothing else."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.sqlite.ledger import SqliteLedger
from db.videos import Stamp
from function.library.finding import Found, find_ids, find_videos, is_below
from tests.support.ledgers import Clock, open_with

MOST_SECONDS = 3.0
MANY = 10_000


def names(found: Found, folder: Path) -> list[str]:
    return [os.path.relpath(os.fsdecode(path), folder) for path in found.paths]


def touch(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(path.encode())


def test_videos_are_found_below_folders_in_order_of_name(tmp_path: Path) -> None:
    touch(
        tmp_path, "b.MP4", "a.mkv", "sub/deep/c.webm", "notes.txt", "sub/d.jpg", "mp4", "x.mp4.part"
    )
    found = find_videos([tmp_path], {})
    assert names(found, tmp_path) == ["a.mkv", "b.MP4", "sub/deep/c.webm"]
    assert [one.path for one in found.files] == list(found.paths)
    (first, *_) = found.files
    assert first.stamp == Stamp(5, (tmp_path / "a.mkv").stat().st_mtime_ns)
    assert found.unreadable == ()


@pytest.mark.parametrize("seconds", [2**53, 10**11, -(10**11)])
def test_a_date_that_no_store_can_hold_stops_nothing(seconds: int) -> None:
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name,
        open_with(Clock()) as ledger,
    ):
        folder = Path(name)
        touch(folder, "a.mp4", "b.mp4", "c.mp4", "album/1.jpg")
        for odd in ("b.mp4", "album/1.jpg", "album"):
            os.utime(folder / odd, ns=(0, seconds * 10**9))
        found = find_videos([folder], {}, pictures=True)
        assert sorted(names(found, folder)) == ["a.mp4", "album", "b.mp4", "c.mp4"]
        ledger.offer(found.files, "normal")
        assert find_videos([folder], ledger.stamps(), pictures=True).files == ()


def test_hidden_names_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, ".a.mp4", ".hidden/b.mp4", "sub/.trash/c.mp4", "sub/d.mp4", "._sub.mp4")
    assert names(find_videos([tmp_path], {}), tmp_path) == ["sub/d.mp4"]
    hidden = find_videos([tmp_path / ".hidden", tmp_path / ".a.mp4"], {})
    assert names(hidden, tmp_path) == [".hidden/b.mp4", ".a.mp4"], "unless they are asked for"


def test_a_file_that_is_named_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "film", "b.mp4")
    assert names(find_videos([tmp_path / "film"], {}), tmp_path) == ["film"]


def test_links_that_go_round_in_circles_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.mp4", "two/b.mp4")
    (tmp_path / "one" / "up").symlink_to(tmp_path)
    (tmp_path / "one" / "other").symlink_to(tmp_path / "two")
    (tmp_path / "two" / "self").symlink_to("self")
    found = find_videos([tmp_path], {})
    assert sorted(Path(name).name for name in names(found, tmp_path)) == ["a.mp4", "b.mp4"]
    assert found.unreadable == ()


def test_a_folder_that_is_asked_for_twice_is_looked_into_once(tmp_path: Path) -> None:
    touch(tmp_path, "sub/a.mp4")
    assert names(find_videos([tmp_path, tmp_path / "sub"], {}), tmp_path) == ["sub/a.mp4"]


def test_names_may_hold_any_bytes(tmp_path: Path) -> None:
    odd = [b"line\nbreak.mp4", b"no text \xff\xfe.mp4", "Ü 😀.mp4".encode(), b"\x1b[31m.mp4"]
    folder = tmp_path / os.fsdecode(b"folder \xff\n")
    folder.mkdir()
    for name in odd:
        (folder / os.fsdecode(name)).write_bytes(name)
    found = find_videos([tmp_path], {})
    assert sorted(found.paths) == sorted(os.fsencode(folder) + b"/" + name for name in odd)
    assert len({one.oshash for one in found.files}) == len(odd)


def test_what_cannot_be_read_is_named_with_the_reason_and_the_rest_is_found(
    tmp_path: Path,
) -> None:
    touch(tmp_path, "a.mp4")
    (tmp_path / "dangling.mp4").symlink_to("gone")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    named = [tmp_path / name for name in ("nowhere", "pipe.mp4", "dangling.mp4")]
    found = find_videos([tmp_path, *named], {})
    assert names(found, tmp_path) == ["a.mp4"]
    reasons = {os.path.relpath(os.fsdecode(path), tmp_path): why for path, why in found.unreadable}
    assert reasons == {
        "nowhere": "No such file or directory",
        "pipe.mp4": "Illegal seek",
        "dangling.mp4": "No such file or directory",
    }
    assert find_videos([tmp_path], {}).unreadable == (), "in folders these are no videos"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything, so it looks as nobody."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_folders_and_files_that_may_not_be_read_are_named() -> None:
    folder = Path(tempfile.mkdtemp(prefix="unreadable-"))
    try:
        folder.chmod(0o755)
        touch(folder, "a.mp4", "locked.mp4", "closed/b.mp4", "no-entry/c.mp4")
        for name, mode in (("locked.mp4", 0), ("closed", 0), ("no-entry", 0o444)):
            (folder / name).chmod(mode)
        with as_nobody():
            found = find_videos([folder], {})
    finally:
        (folder / "closed").chmod(0o700)
        (folder / "no-entry").chmod(0o700)
        shutil.rmtree(folder)
    assert names(found, folder) == ["a.mp4"]
    assert {(Path(os.fsdecode(path)).name, why) for path, why in found.unreadable} == {
        ("locked.mp4", "Permission denied"),
        ("closed", "Permission denied"),
        ("c.mp4", "Permission denied"),
    }


@pytest.mark.parametrize("is_listed", [False, True])
def test_a_folder_that_goes_while_we_look_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_listed: bool
) -> None:
    touch(tmp_path, "a/1.mp4", "b/sub/2.mp4", "c/3.mp4")
    going = os.fsencode(tmp_path / ("b" if is_listed else "a"))
    walk = os.walk

    def walk_while_it_goes(*how: Any, **options: Any) -> Iterator[Any]:
        for step in walk(*how, **options):
            if step[0] == going:
                shutil.rmtree(tmp_path / "b")
            yield step

    monkeypatch.setattr(os, "walk", walk_while_it_goes)
    found = find_videos([tmp_path], {})
    assert names(found, tmp_path) == ["a/1.mp4", "c/3.mp4"]
    assert [Path(os.fsdecode(path)).name for path, _ in found.unreadable] == ["b"]


def test_a_file_is_read_again_only_if_its_size_or_time_is_another(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.mp4", "c.mp4")
    known = {one.path: one.stamp for one in find_videos([tmp_path], {}).files}
    assert find_videos([tmp_path], known).files == ()
    assert len(find_videos([tmp_path], known).paths) == 3
    (tmp_path / "a.mp4").write_bytes(b"longer than before")
    os.utime(tmp_path / "b.mp4", ns=(1, 1))
    changed = find_videos([tmp_path], known).files
    assert [one.path.split(b"/")[-1] for one in changed] == [b"a.mp4", b"b.mp4"]


def test_ten_thousand_files_take_no_time_to_find(tmp_path: Path) -> None:
    for number in range(MANY):
        folder = tmp_path / f"{number // 500:02}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.mp4").touch()
    told: list[float] = []
    started = time.monotonic()
    found = find_videos([tmp_path], {}, lambda _: told.append(time.monotonic() - started))
    assert len(found.files) == MANY
    assert told[0] < MOST_SECONDS
    known = {one.path: one.stamp for one in found.files}
    started = time.monotonic()
    assert find_videos([tmp_path], known).files == ()
    assert time.monotonic() - started < MOST_SECONDS


BROADCAST = (b"\x47\x40\x00\x10\x00" + b"\xff" * 183) * 6
TEXTS = {
    "typings/node.d.ts": b"export declare const zero: number\n" * 100,
    "module.mts": "// caf\u00e9\u00a0\u2026\r\n".encode(),
    "LANG.TS": b'\xef\xbb\xbf<?xml version="1.0"?>\n<TS>',
    "cut in a letter.ts": b"x" * 1023 + "é".encode(),
    "latin.ts": "<TS language='fr'>\r\n<source>Général</source>".encode("latin-1"),
    "windows.ts": "// „Größe“ … 5 €\n".encode("cp1252"),
    "cyrillic.ts": "<TS><translation>Открыть</translation></TS>".encode("cp1251"),
    "wide.ts": "<TS>\r\n<translation>ファイル</translation>😀".encode("utf-16"),
    "wide, big.ts": "export const größe = 1\n".encode("utf-16-be"),
    "wide, cut.ts": ("\ufeff" + "x" * 510 + "😀").encode("utf-16-le"),
}
VIDEOS = {
    "a.ts": BROADCAST,
    "b.m2ts": b"\0\0\0\0" + BROADCAST,
    "empty.ts": b"",
    "letters.mp4": b"text",
    "odd.mts": b"\xff\xfe\x47" * 500,
    "sparse.ts": bytes([0x47, 0x00]) * 500 + b"\0\0",
    "torn.ts": BROADCAST[100:],
    "wide.mts": "開".encode("utf-16") * 500,
    "zeros.ts": b"GG\0",
}


def test_text_that_is_named_like_a_video_is_left_out_with_a_word(tmp_path: Path) -> None:
    for name, content in {**TEXTS, **VIDEOS}.items():
        touch(tmp_path, name)
        (tmp_path / name).write_bytes(content)
    found = find_videos([tmp_path], {})
    assert names(found, tmp_path) == list(VIDEOS)
    assert {os.path.relpath(os.fsdecode(one), tmp_path) for one in found.texts} == set(TEXTS)
    assert found.unreadable == ()
    assert found.texts_told.endswith(f"but hold text: 10, such as {tmp_path}/LANG.TS")
    asked = find_videos([tmp_path / "module.mts"], {})
    assert names(asked, tmp_path) == ["module.mts"]
    assert not asked.texts_told


def test_an_album_that_is_named_like_a_broadcast_is_found(tmp_path: Path) -> None:
    touch(tmp_path, "My show.ts/1.jpg")
    found = find_videos([tmp_path], {}, pictures=True)
    assert names(found, tmp_path) == ["My show.ts"]
    assert not found.unreadable


def test_thousands_of_texts_named_like_videos_are_passed_quickly(tmp_path: Path) -> None:
    for number in range(MANY):
        (tmp_path / f"{number}.d.ts").write_bytes(TEXTS["typings/node.d.ts"])
    (tmp_path / "film.ts").write_bytes(BROADCAST)
    started = time.monotonic()
    found = find_videos([tmp_path], {})
    assert time.monotonic() - started < MOST_SECONDS
    assert names(found, tmp_path) == ["film.ts"]
    assert len(found.texts) == MANY


def test_a_place_holds_itself_and_what_is_below_but_not_its_namesakes() -> None:
    places = [Path("/videos/a"), Path("/films")]
    inside = [b"/videos/a", b"/videos/a/b.mp4", b"/films/\xff/c.mp4"]
    assert all(is_below(path, places) for path in inside)
    assert not any(is_below(path, places) for path in (b"/videos/ab.mp4", b"/videos", b"/film"))
    assert is_below(b"/anything", [Path("/")])


def test_empty_files_are_told_apart_by_where_they_lie(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (tmp_path / name).touch()
    touch(tmp_path, "one.mp4")
    shutil.copy(tmp_path / "one.mp4", tmp_path / "two.mp4")
    found = find_videos([tmp_path], {})
    assert len({one.oshash for one in found.files}) == 4
    assert find_videos([tmp_path], {}) == found
    with SqliteLedger() as ledger:
        ledger.offer(found.files, "normal")
        assert ledger.counts().queued == 4
        (video,) = find_ids(ledger, tmp_path / "b.mp4")
        assert ledger.records([video])[0].paths == (bytes(tmp_path / "b.mp4"),)


def test_a_video_goes_by_the_name_of_its_file_and_not_of_a_link_to_it(tmp_path: Path) -> None:
    touch(tmp_path, "m.mp4", "sub/deep.mp4")
    (tmp_path / "a link.mp4").symlink_to("m.mp4")
    (tmp_path / "linked folder").symlink_to("sub")
    (tmp_path / "0.mp4").symlink_to("sub/deep.mp4")
    with SqliteLedger() as ledger:
        ledger.offer(find_videos([tmp_path], {}).files, "normal")
        first, second = sorted(
            [os.path.relpath(os.fsdecode(path), tmp_path) for path in one.paths]
            for one in ledger.videos()
        )
    assert first == ["m.mp4", "a link.mp4"]
    assert second == ["sub/deep.mp4", "0.mp4"]


def test_what_a_small_file_holds_is_filled_in_when_it_is_met_again(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"A" * 8 + b"B" * 8)
    (file,) = find_videos([tmp_path], {}).files
    with SqliteLedger() as ledger:
        ledger.offer([replace(file, content="")], "normal")
        ledger.offer([file], "normal")
        (one,) = ledger.videos()
        assert one.content == file.content
        (tmp_path / "b.mp4").write_bytes(b"B" * 8 + b"A" * 8)
        assert find_ids(ledger, tmp_path / "b.mp4") == frozenset()
        ledger.offer(find_videos([tmp_path], {}).files, "normal")
        assert len(ledger.videos()) == 2


def test_small_files_that_hold_the_same_numbers_in_another_order_are_two_videos(
    tmp_path: Path,
) -> None:
    one, other = b"A" * 8 + b"B" * 8, b"B" * 8 + b"A" * 8
    for name, content in (("a.mp4", one), ("b.mp4", other), ("copy of b.mp4", other)):
        (tmp_path / name).write_bytes(content)
    first, second, third = find_videos([tmp_path], {}).files
    assert first.oshash == second.oshash
    with SqliteLedger() as ledger:
        for _ in range(2):  # found again, they are known
            ledger.offer(find_videos([tmp_path], {}).files, "normal")
            assert [len(one.paths) for one in ledger.videos()] == [1, 2]
        (tmp_path / "copy of b.mp4").rename(tmp_path / "c.mp4")
        assert find_ids(ledger, tmp_path / "c.mp4") == ledger.ids([third.path])
        (tmp_path / "a.mp4").write_bytes(other)
        os.utime(tmp_path / "a.mp4", ns=(1, 1))
        ledger.offer(find_videos([tmp_path], {}).files, "normal")
        assert ledger.ids([first.path]) == ledger.ids([second.path])


def test_what_replaced_a_video_is_not_found_as_that_one(tmp_path: Path) -> None:
    place = tmp_path / "a.mp4"
    place.write_bytes(b"a film" * 99)
    with SqliteLedger(tmp_path / "l.db") as ledger:
        ledger.offer(find_videos([tmp_path], {}).files, "normal")
        assert find_ids(ledger, place) == {1}
        place.rename(tmp_path / "b.mp4")
        assert find_ids(ledger, place) == find_ids(ledger, tmp_path / "b.mp4") == {1}
        place.write_bytes(b"another" * 99)
        assert find_ids(ledger, place) == frozenset()
