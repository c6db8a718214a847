"""Files that are missing are noted as gone, unless their disk may be."""

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.sqlite.ledger import SqliteLedger
from function.library.finding import Found, find_videos
from function.library.offering import note_missing, queue_videos


class Shop:
    """A folder of videos, and a ledger that knows them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "media"
        self.ledger = SqliteLedger(folder / "l.db")

    def write(self, *names: str) -> None:
        for name in names:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(name.encode() * 100)

    def scan(self, *places: Path, gone: bool = False) -> Found:
        """Note what is missing as a scan does, and queue the rest."""
        at = list(places or (self.root,))
        found = note_missing(self.ledger, find_videos(at, self.ledger.stamps()), at, gone=gone)
        queue_videos(self.ledger, found, "normal")
        return found

    def gone(self) -> int:
        return self.ledger.counts().gone


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    made.write("a.mp4", "b.mp4", "disk/sub/c.mp4", "disk/sub/d.mp4")
    made.scan()
    with made.ledger:
        yield made


def test_files_that_were_deleted_are_gone_and_so_is_a_folder_with_all_in_it(shop: Shop) -> None:
    (shop.root / "a.mp4").unlink()
    assert shop.scan().unreadable == ()
    assert shop.gone() == 1
    for name in ("c.mp4", "d.mp4"):
        (shop.root / "disk" / "sub" / name).unlink()
    (shop.root / "disk" / "sub").rmdir()
    (shop.root / "disk").rmdir()
    assert shop.scan().unreadable == ()
    assert shop.gone() == 3
    shop.write("a.mp4", "disk/sub/c.mp4", "disk/sub/d.mp4")
    shop.scan()
    assert shop.gone() == 0


@pytest.mark.parametrize("is_hiding", [False, True])
def test_a_folder_that_is_empty_now_may_be_a_disk_that_is_not_there(
    shop: Shop, *, is_hiding: bool
) -> None:
    for name in ("c.mp4", "d.mp4"):
        (shop.root / "disk" / "sub" / name).unlink()
    (shop.root / "disk" / "sub").rmdir()
    if is_hiding:
        (shop.root / "disk" / ".nothing").touch()
    (shop.root / "a.mp4").unlink()
    ((folder, reason),) = shop.scan().unreadable
    assert folder == bytes(shop.root / "disk")
    assert reason.startswith("2 videos that were scanned there are missing")
    assert shop.gone() == 1, "what is elsewhere is noted all the same"
    assert shop.scan(gone=True).unreadable == ()
    assert shop.gone() == 3


def test_a_place_that_is_empty_or_not_there_has_lost_nothing(shop: Shop) -> None:
    shop.root.rename(shop.root.with_name("unplugged"))
    assert len(shop.scan().unreadable) == 1
    shop.root.mkdir()
    assert "is its disk connected" in shop.scan().unreadable[0][1]
    assert shop.gone() == 0


def test_a_disk_that_goes_while_it_is_looked_at_takes_nothing_with_it(shop: Shop) -> None:
    shop.write(*(f"{number}.mp4" for number in range(30)))
    shop.scan()
    (shop.root.parent / "another disk").mkdir()
    found = find_videos([shop.root], shop.ledger.stamps())
    shop.root.rename(shop.root.with_name("unplugged"))
    half = replace(found, paths=found.paths[:20])
    ((folder, _),) = note_missing(shop.ledger, half, [shop.root]).unreadable
    assert folder == bytes(shop.root)
    assert shop.gone() == 0


def test_a_file_that_was_named_and_deleted_is_gone(shop: Shop) -> None:
    found = find_videos([], shop.ledger.stamps())
    (shop.root / "a.mp4").unlink()
    assert note_missing(shop.ledger, found, [shop.root / "a.mp4"]).unreadable == ()
    assert shop.gone() == 1


def test_of_many_videos_more_than_half_are_not_taken_for_gone_at_once(shop: Shop) -> None:
    shop.write(*(f"{number}.mp4" for number in range(16)))
    shop.scan()
    for number in range(10):
        (shop.root / f"{number}.mp4").unlink()
    assert shop.scan().unreadable == (), "half are believed"
    assert shop.gone() == 10
    shop.write(*(f"{number}.mp4" for number in range(10)))
    shop.scan()
    for name in ("10", *range(10)):
        (shop.root / f"{name}.mp4").unlink()
    ((folder, reason),) = shop.scan().unreadable
    assert (folder, reason[:9]) == (bytes(shop.root), "11 videos")
    assert shop.gone() == 0


def test_what_was_moved_is_not_missing(shop: Shop) -> None:
    (shop.root / "disk" / "sub").rename(shop.root / "elsewhere")
    assert shop.scan().unreadable == ()
    paths = [path for one in shop.ledger.iterate() for path in one.paths]
    assert bytes(shop.root / "elsewhere" / "c.mp4") in paths
    assert bytes(shop.root / "disk" / "sub" / "c.mp4") not in paths
    assert shop.gone() == 0


@pytest.mark.parametrize("is_emptied", [False, True])
@pytest.mark.parametrize("is_known_there", [False, True])
def test_a_library_that_was_moved_is_no_longer_where_it_was(
    shop: Shop, *, is_emptied: bool, is_known_there: bool
) -> None:
    new = shop.root.with_name("new disk")
    shutil.copytree(shop.root, new)
    if is_known_there:
        shop.scan(new)
    shutil.rmtree(shop.root)
    if is_emptied:
        shop.root.mkdir()
    assert shop.scan(new).unreadable == ()
    paths = [path for one in shop.ledger.iterate() for path in one.paths]
    assert sorted(paths) == sorted(bytes(path) for path in new.rglob("*.mp4"))
    assert shop.gone() == 0
    (new / "a.mp4").unlink()
    shop.scan(new)
    assert shop.gone() == 1


def test_what_was_copied_stays_known_at_both_places(shop: Shop) -> None:
    new = shop.root.with_name("copy")
    shutil.copytree(shop.root / "disk", new)
    (shop.root / "b.mp4").unlink()
    shop.scan(new)
    assert len([path for one in shop.ledger.iterate() for path in one.paths]) == 6
    assert shop.gone() == 0, "that another file is not there was not looked at"


@pytest.mark.parametrize("in_turn", [False, True])
def test_a_copy_on_a_disk_that_is_away_is_not_dropped_for_a_film_that_replaced_the_other(
    shop: Shop, *, in_turn: bool
) -> None:
    disk = shop.root.with_name("other disk")
    shutil.copytree(shop.root, disk)
    shop.scan(disk)
    disk.rename(disk.with_name("unplugged"))
    disk.mkdir()
    (shop.root / "a.mp4").write_bytes(b"another film" * 100)
    shop.scan(*([shop.root] if in_turn else [shop.root, disk]))
    assert shop.gone() == 0
    places = [one.paths for one in shop.ledger.iterate()]
    assert places[0] == (bytes(disk / "a.mp4"),), "the only copy that is left"
    assert places[1] == (bytes(shop.root / "b.mp4"),), "its copy is known again with its disk"


def test_a_copy_on_a_disk_that_fails_is_not_taken_for_gone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = shop.root.with_name("other disk")
    shutil.copytree(shop.root, disk)
    shop.scan(disk)
    stat = os.stat

    def failing(path: Any, **options: Any) -> os.stat_result:
        if isinstance(path, bytes) and path.startswith(bytes(disk)):
            raise OSError(errno.EIO, "Input/output error", path)
        return stat(path, **options)

    with monkeypatch.context() as failed:
        failed.setattr(os, "stat", failing)
        shop.scan()
    assert len([path for one in shop.ledger.iterate() for path in one.paths]) == 8


def test_a_file_that_was_named_stays_though_its_folder_is_scanned_without_it(shop: Shop) -> None:
    shop.write(".hidden.mp4", "no suffix")
    shop.scan(shop.root / ".hidden.mp4", shop.root / "no suffix")
    assert len(shop.scan().paths) == 4
    assert shop.gone() == 0
    (shop.root / "no suffix").unlink()
    shop.scan()
    assert shop.gone() == 1


def test_a_link_that_leads_nowhere_any_more_is_gone(shop: Shop) -> None:
    target = shop.root.parent / "target"
    target.write_bytes(b"film" * 100)
    (shop.root / "link.mp4").symlink_to(target)
    shop.scan()
    target.unlink()
    assert shop.scan().unreadable == ()
    assert shop.gone() == 1
