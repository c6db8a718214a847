"""Several scanners at once: they share the work, end together, and say why."""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from db.errors import GalleryError
from db.sqlite.ledger import SqliteLedger
from function.errors import DiskMissingError, StoppingError
from function.faces.found import Progress, Task
from function.library.crew import run_scanners
from function.library.scan_events import Done, Started
from function.media.files import MediaFile
from function.people.gathering import PeopleFound
from tests.support.scans import (
    SquaresReader,
    make_gallery,
    make_scanner,
    offer_all,
    write_many,
    write_squares,
)

VIDEOS = 6


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return make_gallery(tmp_path / "g.db")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    write_many(tmp_path / "media", VIDEOS)
    with SqliteLedger(tmp_path / "l.db") as opened:
        offer_all(opened, tmp_path / "media")
        yield opened


class Endless(SquaresReader):
    """Goes on reading its video until it is stopped."""

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        for number in range(10_000_000):
            yield Progress(number, 1e9, 0)
        yield from super().find_people(media, task)


@pytest.mark.parametrize("workers", [1, 3, 20])
def test_all_videos_are_scanned_once(ledger: SqliteLedger, gallery: Path, workers: int) -> None:
    events = list(run_scanners(make_scanner(ledger, gallery), workers))
    done = [one.path for one in events if isinstance(one, Done)]
    assert len(done) == len(set(done)) == VIDEOS
    assert ledger.counts().done == VIDEOS


def test_videos_are_read_at_the_same_time(ledger: SqliteLedger, gallery: Path) -> None:
    meeting = threading.Barrier(3, timeout=20)

    class Meets(SquaresReader):
        def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
            meeting.wait()
            yield from super().find_people(media, task)

    list(run_scanners(make_scanner(ledger, gallery, Meets()), 3))
    assert ledger.counts().done == VIDEOS


def test_closing_it_ends_all_soon_though_nobody_takes_their_events(
    ledger: SqliteLedger, gallery: Path
) -> None:
    with closing(run_scanners(make_scanner(ledger, gallery, Endless()), 3)) as events:
        assert isinstance(next(events), Started)
        time.sleep(0.2)
        started = time.monotonic()
    assert time.monotonic() - started < 3
    assert ledger.counts() == (VIDEOS, 0, 0, 0, 0)
    assert {one.tries for one in ledger.videos()} == {0}
    assert not [one for one in threading.enumerate() if one.name.startswith("scan")]


def test_what_ended_one_scanner_ends_all_and_is_told_rather_than_that_they_ended(
    ledger: SqliteLedger, gallery: Path
) -> None:
    class Breaks(Endless):
        def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
            if media.name == "02.mp4":
                yield Progress(1.0, 2.0, 0)
                raise GalleryError("the disk is full")
            yield from super().find_people(media, task)

    with pytest.raises(GalleryError, match="the disk is full"):
        list(run_scanners(make_scanner(ledger, gallery, Breaks()), 3))
    assert ledger.counts() == (VIDEOS, 0, 0, 0, 0)


def test_a_missing_disk_stops_nobody_who_scans_what_is_there(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "media"
    write_many(tmp_path / "other", 2)
    for number, path in enumerate(sorted((tmp_path / "other").iterdir())):
        write_squares(path, 90 + number)
    offer_all(ledger, tmp_path / "other")
    disk.rename(tmp_path / "unplugged")
    disk.mkdir()
    scanner = replace(make_scanner(ledger, gallery), roots=[disk, tmp_path / "other"])
    with pytest.raises(DiskMissingError, match="media"):
        list(run_scanners(scanner, 4))
    assert ledger.counts() == (VIDEOS, 0, 2, 0, 0)


def test_stopping_it_in_the_middle_of_a_video_is_told(ledger: SqliteLedger, gallery: Path) -> None:
    scanner = make_scanner(ledger, gallery, Endless())
    threading.Timer(0.2, scanner.stopping.set).start()
    with pytest.raises(StoppingError):
        list(run_scanners(scanner, 2))
    assert ledger.counts().queued == VIDEOS
