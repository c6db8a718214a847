"""A scan goes through the queue; what goes wrong with one video costs that video alone."""

import errno
import os
import shutil
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.errors import GalleryError, GalleryLockedError, GalleryMissingError
from db.records import Vector
from db.sqlite.ledger import SqliteLedger
from db.videos import MOST_TRIES, Lease, Outcome, Scanned
from function.engines.models import PRIMARY
from function.errors import (
    DiskMissingError,
    EngineUnavailableError,
    RecognitionError,
    StoppingError,
    TimeLimitError,
    VideoOverLimitError,
)
from function.faces.found import Progress, Task
from function.library import scanning
from function.library.depths import QUICK_PICTURES, is_unclear
from function.library.finding import find_videos
from function.library.jobs import pause, resume
from function.library.scan_events import Advanced, Done, Event, Started
from function.library.scanning import OUTSIDE, Scanner
from function.media.files import MediaFile
from function.people.gathering import PeopleFound
from function.sandbox.readers import Sandboxed
from function.settings import Settings
from tests.support.engines import made_up_photo
from tests.support.ledgers import AT, SCANNED, Clock, assert_whole, made_up_video, open_with
from tests.support.scans import (
    SquaresReader,
    enrol,
    failures,
    make_gallery,
    make_scanner,
    offer_all,
    write_many,
    write_squares,
)
from tools.footage.videos import write_video


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return make_gallery(tmp_path / "g.db")


@pytest.fixture
def media(tmp_path: Path) -> Path:
    write_many(tmp_path / "media", 3)
    return tmp_path / "media"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, media: Path, clock: Clock) -> Iterator[SqliteLedger]:
    with open_with(clock, tmp_path / "l.db") as opened:
        offer_all(opened, media)
        yield opened


def kinds(events: list[Event]) -> list[type[Any]]:
    return [type(one) for one in events if not isinstance(one, Advanced)]


def reasons(ledger: SqliteLedger) -> list[str]:
    return [one.reason for one in ledger.iterate("failed")]


def look_of(ledger: SqliteLedger, video: int, position: int = 0) -> Vector:
    return ledger.sightings([video])[video][position].person.views[0].encodings[0]


def test_every_video_is_scanned_and_who_is_in_it_is_stored(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path
) -> None:
    reader = SquaresReader()
    events = list(make_scanner(ledger, gallery, reader).scan_all())
    assert kinds(events) == [Started, Done] * 3
    assert reader.read == ["00.mp4", "01.mp4", "02.mp4"]
    assert [(one.faces, one.people, one.named) for one in events if isinstance(one, Done)] == [
        (2, 2, 0)
    ] * 3
    assert [len(found) for found in ledger.sightings([1, 2, 3]).values()] == [2, 2, 2]
    (record, *_) = ledger.videos()
    assert (record.state, record.faces) == ("done", 2)
    assert record.scanned == Scanned("normal", None, (PRIMARY.id,))
    assert record.seconds == pytest.approx(2.0, abs=0.3)
    assert_whole(tmp_path / "l.db")
    assert list(make_scanner(ledger, gallery).scan_all()) == []


def test_people_are_named_by_the_gallery_as_it_is_when_their_video_ends(
    ledger: SqliteLedger, gallery: Path
) -> None:
    with closing(make_scanner(ledger, gallery).scan_all()) as events:
        next(one for one in events if isinstance(one, Done))
        enrol(gallery, "Ada", look_of(ledger, 1))
    ledger.want([1], "deep")
    (done, *_) = (one for one in make_scanner(ledger, gallery).scan_all() if isinstance(one, Done))
    assert (done.people, done.named) == (2, 1)
    said = ledger.outcomes([1])[1]
    assert sorted(one.verdict for one in said) == ["match", "unknown"]


def test_strangers_are_counted_but_not_kept_without_leave(
    ledger: SqliteLedger, gallery: Path
) -> None:
    (first, *_) = (
        one
        for one in make_scanner(ledger, gallery, strangers=False).scan_all()
        if isinstance(one, Done)
    )
    assert (first.people, first.left_out) == (2, 2)
    assert list(ledger.sightings([1, 2, 3]).values()) == [[], [], []]
    assert [one.left_out for one in ledger.videos()] == [2, 2, 2]


def test_a_deep_look_samples_more_often(ledger: SqliteLedger, gallery: Path) -> None:
    reader = SquaresReader()
    list(make_scanner(ledger, gallery, reader).scan_all())
    ledger.want([1], "deep")
    list(make_scanner(ledger, gallery, reader).scan_all())
    assert [task.every_seconds for task in reader.tasks] == [None, None, None, 0.5]
    looks = [
        one.scanned and (one.scanned.depth, one.scanned.every_seconds) for one in ledger.videos()
    ]
    assert looks == [("deep", 0.5), ("normal", None), ("normal", None)]


def test_a_video_that_crashes_what_reads_it_is_set_aside_and_the_rest_goes_on(
    ledger: SqliteLedger, gallery: Path
) -> None:
    reader = SquaresReader(crashing=frozenset(["00.mp4"]))
    events = list(make_scanner(ledger, gallery, reader).scan_all())
    assert reader.read == [*["00.mp4"] * MOST_TRIES, "01.mp4", "02.mp4"]
    crash = "00.mp4 crashed the process that read it."
    assert failures(events) == [("00.mp4", crash, last) for last in (False, False, True)]
    assert ledger.counts() == (0, 0, 2, 1, 0)
    assert reasons(ledger) == [crash]


def test_a_video_whose_children_die_is_set_aside_and_the_rest_goes_on(
    gallery: Path, tmp_path: Path
) -> None:
    long, *_ = write_many(tmp_path / "long", 3)
    write_squares(long, *range(100, 140))  # so that it is not done before its children die
    reader = Sandboxed(Settings())
    events: list[Event] = []
    with open_with(Clock(), tmp_path / "own.db") as ledger, closing(reader):
        offer_all(ledger, tmp_path / "long")
        with closing(make_scanner(ledger, gallery, reader).scan_all()) as scan:
            for event in scan:
                events.append(event)
                if isinstance(event, Started) and event.path.endswith(b"00.mp4"):
                    reader.ready()
                if isinstance(event, Advanced) and event.path.endswith(b"00.mp4"):
                    for child in reader.pool.processes():
                        os.kill(child, signal.SIGSEGV)
        assert [one[2] for one in failures(events)] == [False, False, True]
        crashed = "crashed the process that read it (SIGSEGV)"
        assert all(crashed in one[1] for one in failures(events))
        assert ledger.counts() == (0, 0, 2, 1, 0)


def test_what_is_no_video_fails_at_once_with_the_reason(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    for name in (b"text.mp4", b"no text \xff\n.mp4"):
        (media / os.fsdecode(name)).write_bytes(b"not a video, " + name)
    (media / "empty.mp4").touch()
    offer_all(ledger, media)
    events = list(make_scanner(ledger, gallery).scan_all())
    failed = failures(events)
    assert sorted(name for name, _, _ in failed) == [
        "empty.mp4",
        "no text \ufffd\n.mp4",
        "text.mp4",
    ]
    assert all(for_good for _, _, for_good in failed)
    assert sorted(reasons(ledger)) == sorted(reason for _, reason, _ in failed)
    assert all("not a video" in reason or "empty" in reason for reason in reasons(ledger))
    assert ledger.counts().done == 3


def test_a_file_that_changed_since_it_was_found_is_refused(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    write_squares(media / "00.mp4", 7)
    ((name, reason, for_good),) = failures(list(make_scanner(ledger, gallery).scan_all()))
    assert (name, for_good) == ("00.mp4", True)
    assert "has changed since it was found" in reason
    assert ledger.counts() == (0, 0, 2, 1, 0)
    offer_all(ledger, media)
    list(make_scanner(ledger, gallery).scan_all())
    assert ledger.counts() == (0, 0, 3, 0, 1)


def test_a_file_that_is_not_there_is_gone_rather_than_failed(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    (media / "00.mp4").rename(media / "away")
    ((name, reason, _),) = failures(list(make_scanner(ledger, gallery).scan_all()))
    assert (name, reason[:16]) == ("00.mp4", "There is no file")
    assert ledger.counts() == (0, 0, 2, 0, 1)
    (media / "away").rename(media / "00.mp4")
    offer_all(ledger, media)
    list(make_scanner(ledger, gallery).scan_all())
    assert ledger.counts() == (0, 0, 3, 0, 0)


def test_of_two_files_of_one_content_the_one_that_is_there_is_read(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    shutil.copy(media / "00.mp4", media / "copy.mp4")
    offer_all(ledger, media)
    (media / "00.mp4").unlink()
    reader = SquaresReader()
    list(make_scanner(ledger, gallery, reader).scan_all())
    assert reader.read[0] == "copy.mp4"
    assert ledger.counts().done == 3


def test_a_file_that_cannot_be_read_fails_alone(
    ledger: SqliteLedger, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int, _: bytes) -> list[str]:
        monkeypatch.undo()
        raise OSError(5, "Input/output error", descriptor)

    monkeypatch.setattr(scanning, "fingerprints_of", fail)
    ((name, reason, for_good),) = failures(list(make_scanner(ledger, gallery).scan_all()))
    assert (name, for_good) == ("00.mp4", True)
    assert reason == "00.mp4 cannot be read (Input/output error). Check the disk that it is on."
    assert ledger.counts().done == 2


class Interrupted(SquaresReader):
    """Does something in the middle of each video."""

    def interrupt(self) -> None:
        raise NotImplementedError

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        for event in super().find_people(media, task):
            if isinstance(event, PeopleFound):
                self.interrupt()
                yield Progress(1.0, 2.0, 1)
            yield event


def test_a_scan_that_is_told_to_stop_gives_its_video_back(
    ledger: SqliteLedger, gallery: Path
) -> None:
    class Stopped(Interrupted):
        def interrupt(self) -> None:
            scanner.stopping.set()

    scanner = make_scanner(ledger, gallery, Stopped())
    with pytest.raises(StoppingError):
        list(scanner.scan_all())
    assert ledger.counts() == (3, 0, 0, 0, 0)
    assert [one.tries for one in ledger.videos()] == [0, 0, 0]
    assert list(scanner.scan_all()) == []


def test_closing_a_scan_gives_its_video_back(ledger: SqliteLedger, gallery: Path) -> None:
    with closing(make_scanner(ledger, gallery).scan_all()) as events:
        assert isinstance(next(events), Started)
        assert ledger.counts().working == 1
    assert ledger.counts() == (3, 0, 0, 0, 0)
    assert [one.tries for one in ledger.videos()] == [0, 0, 0]


@pytest.mark.parametrize("error", [EngineUnavailableError("no engine"), GalleryError("gone")])
def test_what_is_wrong_with_everything_ends_the_scan_and_blames_no_video(
    ledger: SqliteLedger, gallery: Path, error: Exception
) -> None:
    class Broken(Interrupted):
        def interrupt(self) -> None:
            raise error

    with pytest.raises(type(error)):
        list(make_scanner(ledger, gallery, Broken()).scan_all())
    assert ledger.counts() == (3, 0, 0, 0, 0)
    assert [one.tries for one in ledger.videos()] == [0, 0, 0]


@pytest.mark.parametrize("leaves", ["an empty folder", "nothing"])
def test_a_disk_that_goes_during_a_scan_ends_it_and_nothing_is_gone(
    ledger: SqliteLedger, gallery: Path, media: Path, tmp_path: Path, leaves: str
) -> None:
    class Unplugged(Interrupted):
        def interrupt(self) -> None:
            media.rename(tmp_path / "unplugged")
            if leaves == "an empty folder":
                media.mkdir()

    scanner = replace(make_scanner(ledger, gallery, Unplugged()), places=[media])
    with pytest.raises(DiskMissingError, match="--gone"):
        list(scanner.scan_all())
    assert ledger.counts() == (2, 0, 1, 0, 0), "the first was open when it happened"
    assert len(ledger.stamps()) == 3
    shutil.rmtree(media, ignore_errors=True)
    (tmp_path / "unplugged").rename(media)
    list(make_scanner(ledger, gallery).scan_all())
    assert ledger.counts() == (0, 0, 3, 0, 0)


def test_a_disk_that_is_missing_keeps_nobody_from_what_is_on_another(
    ledger: SqliteLedger, gallery: Path, media: Path, tmp_path: Path
) -> None:
    second, third = tmp_path / "second", tmp_path / "third"
    for folder in (second, third):
        folder.mkdir()
        shutil.copy(media / "00.mp4", folder)
        offer_all(ledger, folder)
    write_squares(third / "own.mp4", 77)
    offer_all(ledger, third)
    for folder in (media, second):
        shutil.rmtree(folder)
        folder.mkdir()
    roots = [media, second, third]
    with pytest.raises(DiskMissingError, match="media"):
        list(replace(make_scanner(ledger, gallery), roots=roots).scan_all())
    assert ledger.counts() == (2, 0, 2, 0, 0), "a copy of the first is on the third"
    shutil.rmtree(third)
    third.mkdir()
    ledger.want([1], "deep")
    with pytest.raises(DiskMissingError, match="media"):
        list(replace(make_scanner(ledger, gallery), roots=roots).scan_all())
    assert ledger.counts() == (3, 0, 1, 0, 0)
    assert {one.tries for one in ledger.videos()} == {0}


def test_a_gallery_that_goes_during_a_scan_ends_it(ledger: SqliteLedger, gallery: Path) -> None:
    gallery.unlink()
    with pytest.raises(GalleryMissingError):
        list(make_scanner(ledger, gallery).scan_all())
    assert ledger.counts() == (3, 0, 0, 0, 0)


def test_a_worker_that_was_paused_too_long_stores_nothing(
    ledger: SqliteLedger, gallery: Path, clock: Clock
) -> None:
    taken: list[Lease] = []

    class Paused(Interrupted):
        def interrupt(self) -> None:
            if not taken:
                clock.seconds += scanning.LEASE_SECONDS + 1
                other = ledger.lease("other", 60)
                assert other is not None
                taken.append(other)

    events = list(make_scanner(ledger, gallery, Paused()).scan_all())
    assert kinds(events) == [Started, *[Started, Done] * 2]
    assert ledger.sightings([1]) == {1: []}
    assert ledger.finish(taken[0], made_up_video(), SCANNED, (), AT)


@pytest.mark.parametrize("is_paused", [True, False])
def test_a_video_that_was_paused_past_its_time_limit_is_begun_again(
    ledger: SqliteLedger, gallery: Path, *, is_paused: bool
) -> None:
    class Limited(SquaresReader):
        def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
            if self.read:
                yield from super().find_people(media, task)
                return
            self.read.append(media.name)
            if is_paused:
                pause(ledger)
                threading.Timer(0.3, resume, [ledger]).start()
            yield Progress(1.0, 2.0, 0)
            raise TimeLimitError("It took longer than its limit.")

    reader = Limited()
    events = list(make_scanner(ledger, gallery, reader).scan_all())
    if is_paused:
        assert failures(events) == []
        assert reader.read == ["00.mp4", "00.mp4", "01.mp4", "02.mp4"]
        assert ledger.counts() == (0, 0, 3, 0, 0)
    else:
        assert failures(events) == [("00.mp4", "It took longer than its limit.", True)]


def test_a_file_outside_the_roots_is_refused_whoever_queued_it(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    (media / "inside").mkdir()
    shutil.copy(media / "01.mp4", media / "inside" / "copy.mp4")
    (media / "inside" / "link.mp4").symlink_to(media / "02.mp4")
    offer_all(ledger, media)
    reader = SquaresReader()
    scanner = replace(make_scanner(ledger, gallery, reader), roots=[media / "inside"])
    assert [one[0] for one in failures(scanner.scan_all())] == ["00.mp4", "02.mp4"]
    assert reader.read == ["copy.mp4"], "of two files of one content the one inside is read"
    assert reasons(ledger) == [OUTSIDE, OUTSIDE]


def test_an_unexpected_error_costs_its_own_video_and_no_other(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    class Odd(SquaresReader):
        def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
            for event in super().find_people(media, task):
                if media.name == "00.mp4":
                    raise OSError(errno.EIO, "the disk is damaged")
                yield event

    offer_all(ledger, media)
    reader = Odd()
    reason = "An unexpected error ended its scan (OSError)."
    assert failures(make_scanner(ledger, gallery, reader).scan_all()) == [
        *[("00.mp4", reason, False)] * (MOST_TRIES - 1),
        ("00.mp4", reason, True),
    ]
    counts = ledger.counts()
    assert (counts.done, counts.failed) == (2, 1)


def test_where_no_process_can_be_started_no_video_is_blamed(
    ledger: SqliteLedger, gallery: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("function.sandbox.starting.subprocess.Popen", refuse)
    offer_all(ledger, media)
    with pytest.raises(EngineUnavailableError, match=os.strerror(errno.EAGAIN)):
        list(make_scanner(ledger, gallery, Sandboxed(Settings(slots=1))).scan_all())
    assert (ledger.counts().queued, ledger.counts().failed) == (3, 0)


def test_a_ledger_that_cannot_be_written_fails_no_video(
    ledger: SqliteLedger, gallery: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise GalleryLockedError("Another process is writing.")

    offer_all(ledger, media)
    monkeypatch.setattr(ledger, "finish", refuse)
    monkeypatch.setattr(scanning, "LOCKED_SECONDS", 0.0)
    with pytest.raises(GalleryLockedError):
        list(make_scanner(ledger, gallery).scan_all())
    assert ledger.counts().queued == 3


def test_what_was_read_is_stored_however_long_the_ledger_is_being_rewritten(
    ledger: SqliteLedger,
    gallery: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As after a forgetting, where the file is large and the disk is slow."""
    ledger._db.execute("PRAGMA busy_timeout = 10")
    reader = SquaresReader()
    with open_with(Clock(), tmp_path / "l.db") as rewriting:
        rewriting._db.execute("BEGIN IMMEDIATE")
        ending = threading.Timer(1.0, rewriting._db.execute, ("COMMIT",))
        ending.start()
        with caplog.at_level("WARNING"):
            list(make_scanner(ledger, gallery, reader).scan_all())
        ending.join()
    assert (ledger.counts().done, sorted(reader.read)) == (3, sorted(set(reader.read)))
    assert "A scan waits: Another process has been writing" in caplog.text


def test_a_lease_is_renewed_while_its_video_is_read(
    ledger: SqliteLedger, gallery: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "RENEWED_EVERY_SECONDS", 0.0)

    class Slow(Interrupted):
        def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
            for event in super().find_people(media, task):
                clock.seconds += scanning.LEASE_SECONDS * 0.9
                yield Progress(0.5, 2.0, 0)
                yield event

        def interrupt(self) -> None:
            assert ledger.lease("other", 60, frozenset([1])) is None

    list(make_scanner(ledger, gallery, Slow()).scan_all())
    assert ledger.counts().done == 3
    assert all(one.tries == 0 for one in ledger.videos())


def test_a_video_is_as_long_as_is_known_in_the_end(ledger: SqliteLedger, gallery: Path) -> None:
    class Leaping(SquaresReader):
        def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
            *events, found = super().find_people(media, task)
            yield Progress(1.0, 4_200.0, 0)
            yield from (replace(one, of_seconds=600.0) for one in events)
            yield found

    events = list(make_scanner(ledger, gallery, Leaping(), only=frozenset([1])).scan_all())
    assert [one.seconds for one in events if isinstance(one, Done)] == [600.0]


def test_two_scanners_share_a_queue(ledger: SqliteLedger, gallery: Path) -> None:
    readers = [SquaresReader(), SquaresReader()]
    scanners = [make_scanner(ledger, gallery, reader) for reader in readers]
    threads = [threading.Thread(target=run, args=(one,)) for one in scanners]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(readers[0].read + readers[1].read) == ["00.mp4", "01.mp4", "02.mp4"]
    assert ledger.counts().done == 3


def run(scanner: Scanner) -> list[Event]:
    return list(scanner.scan_all())


def test_only_some_videos_are_scanned_on_request(ledger: SqliteLedger, gallery: Path) -> None:
    reader = SquaresReader()
    list(make_scanner(ledger, gallery, reader, only=frozenset([2])).scan_all())
    assert reader.read == ["01.mp4"]
    assert ledger.counts() == (2, 0, 1, 0, 0)


def test_a_quick_look_that_leaves_a_question_is_followed_by_a_normal_one(
    tmp_path: Path, gallery: Path
) -> None:
    media = tmp_path / "quick"
    media.mkdir()
    write_video(media / "a empty.mp4", (np.zeros((64, 64, 3), np.uint8) for _ in range(10)))
    write_squares(media / "b full.mp4", 1, 2)
    reader = SquaresReader()
    with SqliteLedger(tmp_path / "quick.db") as ledger:
        ledger.offer(find_videos([media], {}).files, "quick")
        reader.unseen = frozenset({"a empty.mp4"})
        events = list(make_scanner(ledger, gallery, reader).scan_all())
        assert reader.read == ["a empty.mp4", "b full.mp4", "a empty.mp4"]
        assert [task.spread for task in reader.tasks] == [QUICK_PICTURES, QUICK_PICTURES, None]
        assert [one.again for one in events if isinstance(one, Done)] == [True, False, False]
        depths = [one.scanned.depth for one in ledger.videos() if one.scanned]
        assert depths == ["normal", "quick"]
        assert ledger.counts().queued == 0


def test_a_quick_look_with_somebody_uncertain_leaves_a_question() -> None:
    sure, unsure = Outcome(0, 0, 7, 97.0, "match"), Outcome(1, 1, 8, 40.0, "uncertain")
    stranger = Outcome(2, 2)
    assert not is_unclear(2, [sure, stranger])
    assert is_unclear(2, [sure, unsure])
    assert is_unclear(0, [])


def _bad_name(path: Path, content: bytes) -> None:
    (path.parent / os.fsdecode(os.fsencode(path.stem) + b"\xff\n.mp4")).write_bytes(content)


BAD: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.touch(),
    "text": lambda path: path.write_text("no video"),
    "a playlist": lambda path: path.write_text("#EXTM3U\n/etc/passwd\n"),
    "noise": lambda path: path.write_bytes(np.random.default_rng(1).bytes(50_000)),
    "no index": lambda path: path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(50_000)),
    "cut off": lambda path: path.write_bytes(write_squares(path, 1).read_bytes()[:400]),
    "an odd name": lambda path: _bad_name(path, b"no video"),
    "a pipe": os.mkfifo,
    "a folder": os.mkdir,
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a photo": lambda path: path.write_bytes(made_up_photo(1)),
    "gone meanwhile": lambda path: write_squares(path, 9),
    "changed meanwhile": lambda path: write_squares(path, 9),
    "kills what reads it": lambda path: write_squares(path, 9),
    "too large": lambda path: write_squares(path, 9),
    "a fault of ours": lambda path: write_squares(path, 9),
}
"""What may lie among videos; the last ones are good when they are found."""


class Faulty(SquaresReader):
    """Fails at bad videos as their names say."""

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        if media.name.endswith("too large.mp4"):
            raise VideoOverLimitError("too large")
        if media.name.endswith("a fault of ours.mp4"):
            raise RecognitionError("a fault")
        yield from super().find_people(media, task)


@pytest.mark.parametrize("place", ["0", "1", "2"])
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_costs_only_itself_wherever_it_stands(
    kind: str, place: str, tmp_path: Path, gallery: Path, clock: Clock
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    good = [write_squares(folder / f"{number} good.mp4", 100 + number) for number in (0, 1)]
    bad = folder / f"{place} {kind}.mp4"  # before, between or after them
    if place == "0":
        bad = folder / f" {kind}.mp4"
    BAD[kind](bad)
    with open_with(clock, tmp_path / "films.db") as opened:
        offer_all(opened, folder)
        if kind == "gone meanwhile":
            bad.unlink()
        if kind == "changed meanwhile":
            bad.write_bytes(b"changed")
        crashing = frozenset([bad.name] if kind == "kills what reads it" else [])
        scanner = make_scanner(opened, gallery, Faulty(crashing=crashing))
        events = list(scanner.scan_all())
        done = [Path(os.fsdecode(one.path)) for one in events if isinstance(one, Done)]
        assert done == good
        assert opened.counts().queued == opened.counts().working == 0
        assert opened.counts().done == 2
        for one in opened.iterate("failed"):
            assert len(one.reason) > 3
            assert os.fsencode(bad.stem) in one.paths[0]


def test_small_files_of_one_oshash_are_each_scanned(tmp_path: Path) -> None:
    for name, content in (("a.mp4", b"A" * 8 + b"B" * 8), ("b.mp4", b"B" * 8 + b"A" * 8)):
        (tmp_path / name).write_bytes(content)
    with SqliteLedger() as ledger:
        offer_all(ledger, tmp_path)
        found = failures(make_scanner(ledger, make_gallery(tmp_path / "g.db")).scan_all())
    assert [name for name, *_ in found] == ["a.mp4", "b.mp4"]
    assert not any("has changed" in reason for _, reason, _ in found)
