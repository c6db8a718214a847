"""The server's worker: finds videos, scans them, gives way, and survives being stopped."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.addresses import StoreAddress
from db.ledgers import Ledger
from db.sqlite.ledger import SqliteLedger
from db.sqlite.store import SqliteStore
from db.stores import claim_ledger, open_ledger
from db.videos import Counts
from function.engines.models import PRIMARY
from function.faces.found import Progress, Task
from function.library import jobs
from function.library import worker as worker_module
from function.library.finding import Found, find_videos
from function.library.gate import Gate
from function.library.jobs import WantedScan
from function.library.offering import find_within
from function.library.worker import Worker
from function.media.files import MediaFile
from function.people.gathering import PeopleFound
from function.setting_kinds import ALL_DAY, Hours
from function.settings import Settings
from tests.support.engines import EngineReader, QuickEngine
from tests.support.scans import write_album
from tools.footage.videos import write_video

IN_TIME_SECONDS = 20.0


class OneFaceEngine(QuickEngine):
    """Sees one face in every picture, with encodings of the primary model."""

    model = PRIMARY


def write_films(folder: Path, *names: str, frames: int = 12) -> None:
    """Write short films of noise, each of another one."""
    for name in names:
        random = np.random.default_rng(list(name.encode()))
        pictures = (random.integers(60, 200, (64, 64, 3), np.uint8) for _ in range(frames))
        write_video(folder / name, pictures, fps=4, codec="mjpeg", pixel_format="yuvj444p")


class SlowReader(EngineReader):
    """Takes so long for each picture that a video is seen at work."""

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        for event in super().find_people(media, task):
            time.sleep(0.2)
            yield event


class Place:
    """A media root with three films, a gallery without anybody, and workers for them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "media"
        (self.root / "sub").mkdir(parents=True)
        write_films(self.root, "a.avi", "b.avi", "sub/c.avi")
        self.path = folder / "library.db"
        self.store = SqliteStore(StoreAddress(str(folder / "g.db")))
        self.store.create()
        self.workers: list[Worker] = []
        self.readers = 0
        self.reader: type[EngineReader] = EngineReader

    def worker(self, hours: Hours = ALL_DAY, every: timedelta | None = None) -> Worker:
        settings = Settings(
            media_root=(self.root,),
            library_db=StoreAddress(str(self.path)),
            sandbox="off",
            second_encoder="off",
            scan_hours=hours,
            scan_every=every or "off",
        )
        worker = Worker(settings, self.store, self._open_reader)
        self.workers.append(worker)
        return worker

    def _open_reader(self, _: Settings) -> EngineReader:
        self.readers += 1
        return self.reader(OneFaceEngine())

    def everything(self) -> WantedScan:
        return WantedScan((str(self.root),))

    def ledger(self) -> Ledger:
        return open_ledger(self.path)

    def counts(self) -> Counts:
        with self.ledger() as ledger:
            return ledger.counts()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    for worker in made.workers:
        worker.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + IN_TIME_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def stays(condition: Callable[[], bool], seconds: float = 1.5) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not condition():
            return False
        time.sleep(0.05)
    return True


def test_while_a_disk_is_missing_the_ledger_stays_ours_and_it_is_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "AGAIN_AFTER_SECONDS", 0.1)
    claims: list[SqliteLedger] = []

    def note(ledger: SqliteLedger) -> None:
        claims.append(ledger)

    monkeypatch.setattr(SqliteLedger, "take_over", note)
    with place.ledger() as ledger:
        jobs.pause(ledger)
        worker = place.worker()
        worker.want(place.everything())
        wait_until(lambda: place.counts().queued == 3)
        place.root.rename(place.root.with_name("unplugged"))
        place.root.mkdir()
        jobs.resume(ledger)
    wait_until(lambda: place.readers > 2)
    counts = place.counts()
    assert counts.queued + counts.working == 3
    place.root.rmdir()
    place.root.with_name("unplugged").rename(place.root)
    wait_until(lambda: place.counts().done == 3)
    assert len(claims) == 1


def test_no_ledger_is_made_before_a_scan_is_asked_for_and_then_everything_is_scanned(
    place: Place,
) -> None:
    worker = place.worker()
    worker.start()
    assert stays(lambda: not place.path.exists())
    worker.want(place.everything())
    wait_until(lambda: place.counts().done == 3)
    with place.ledger() as ledger:
        assert jobs.wanted_scans(ledger) == ()
        assert all(one.faces > 3 for one in ledger.videos())
    wait_until(lambda: worker.at_work() == {})


def test_only_the_places_that_were_asked_for_are_scanned(place: Place) -> None:
    place.worker().want(WantedScan((str(place.root / "sub"),), "deep"))
    wait_until(lambda: place.counts().done == 1)
    with place.ledger() as ledger:
        (video,) = ledger.videos()
    assert video.paths == (bytes(place.root / "sub" / "c.avi"),)
    assert video.scanned
    assert video.scanned.depth == "deep"


def test_known_albums_are_scanned_again_with_everything_else(place: Place) -> None:
    write_album(place.root / "set", {"1.png": 101})
    worker = place.worker()
    worker.want(replace(place.everything(), pictures=True))
    wait_until(lambda: place.counts().done == 4)
    worker.close()
    with place.ledger() as ledger:
        jobs.pause(ledger)  # so that the queue is seen
    place.worker().want(replace(place.everything(), again=True))
    wait_until(lambda: place.counts().queued == 4)


def test_what_was_asked_for_before_a_stop_is_done_after_it(place: Place) -> None:
    first = place.worker()
    with first.gate.ahead():
        first.want(place.everything())
        wait_until(lambda: place.counts().queued == 3)
        first.close()
    assert place.counts()[:3] == (3, 0, 0)
    with place.ledger() as ledger:
        jobs.put_wanted(ledger, [place.everything()])  # as if stopped while still looking
    write_films(place.root, "d.avi")
    place.worker().start()
    wait_until(lambda: place.counts().done == 4)


def test_a_video_in_work_is_given_back_when_the_server_stops(place: Place) -> None:
    place.reader = SlowReader
    worker = place.worker()
    worker.want(place.everything())
    wait_until(lambda: place.path.exists() and bool(worker.at_work()))
    with worker.gate.ahead():
        worker.close()
    counts = place.counts()
    assert counts.working == 0
    with place.ledger() as ledger:
        assert {one.tries for one in ledger.videos()} <= {0}
    assert counts.queued + counts.done == 3


def test_a_request_holds_up_the_queue_and_the_video_in_work(place: Place) -> None:
    worker = place.worker()
    with worker.gate.ahead(), worker.gate.ahead():
        worker.want(place.everything())
        wait_until(lambda: place.path.exists() and place.counts().queued == 3)
        assert stays(lambda: place.counts().queued == 3)
    wait_until(lambda: place.counts().done == 3)


def test_what_is_paused_goes_on_when_it_is_resumed(place: Place) -> None:
    with place.ledger() as ledger:
        jobs.pause(ledger)
        place.worker().want(place.everything())
        wait_until(lambda: ledger.counts().queued == 3)
        assert stays(lambda: ledger.counts().queued == 3)
        jobs.resume(ledger)
        wait_until(lambda: ledger.counts().done == 3)


def test_what_is_cancelled_is_found_again_by_the_next_scan(place: Place) -> None:
    worker = place.worker()
    with place.ledger() as ledger:
        with worker.gate.ahead():
            worker.want(place.everything())
            wait_until(lambda: ledger.counts().queued == 3)
            assert jobs.cancel(ledger) == 3
        assert stays(lambda: sum(ledger.counts()) == 0, 1.0)
        worker.want(place.everything())
        wait_until(lambda: ledger.counts().done == 3)


@pytest.mark.parametrize("step", ["note_missing", "queue_videos"])
def test_what_is_cancelled_while_it_is_queued_is_not_scanned(
    step: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To queue a hundred thousand videos takes seconds."""
    do, cancelled = getattr(worker_module, step), threading.Event()

    def cancelled_before(ledger: Ledger, *arguments: Any, **options: Any) -> Any:
        jobs.cancel(ledger)
        done = do(ledger, *arguments, **options)
        cancelled.set()
        return done

    monkeypatch.setattr(worker_module, step, cancelled_before)
    place.worker().want(place.everything())
    assert cancelled.wait(60)
    wait_until(lambda: sum(place.counts()) == 0)
    assert stays(lambda: sum(place.counts()) == 0, 1.0)


def test_a_cancelled_rescan_leaves_what_was_known(place: Place) -> None:
    worker = place.worker()
    worker.want(place.everything())
    wait_until(lambda: place.path.exists() and place.counts().done == 3)
    with place.ledger() as ledger, worker.gate.ahead():
        worker.want(WantedScan((str(place.root),), "deep"))
        wait_until(lambda: ledger.counts().queued == 3)
        assert jobs.cancel(ledger) == 3
        assert ledger.counts().done == 3
        assert {one.scanned and one.scanned.depth for one in ledger.videos()} == {"normal"}


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        (Hours(1, 7), (1, 6), (0, 7, 23)),
        (Hours(22, 6), (22, 23, 0, 5), (6, 12, 21)),
        (ALL_DAY, range(24), ()),
    ],
)
def test_the_gate_is_open_in_its_hours(
    hours: Hours, inside: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    assert all(Gate(hours, lambda now=hour: now).is_within_hours() for hour in inside)
    assert not any(Gate(hours, lambda now=hour: now).is_within_hours() for hour in outside)


def test_outside_its_hours_nothing_is_begun(place: Place) -> None:
    hour = time.localtime().tm_hour
    worker = place.worker(Hours((hour + 2) % 24, (hour + 3) % 24 or 24))
    worker.want(place.everything())
    wait_until(lambda: place.path.exists() and place.counts().queued == 3)
    assert stays(lambda: place.counts().queued == 3)


def test_new_files_are_found_by_looking_again(place: Place) -> None:
    place.worker(every=timedelta(seconds=0.5)).start()
    wait_until(lambda: place.path.exists() and place.counts().done == 3)
    write_films(place.root, "new.avi")
    wait_until(lambda: place.counts().done == 4)


def test_while_the_server_works_no_other_process_scans(place: Place) -> None:
    worker = place.worker()
    worker.want(place.everything())
    wait_until(lambda: place.path.exists() and place.counts().done == 3)
    with place.ledger() as ledger, ledger.working() as is_ours:
        assert not is_ours
    write_films(place.root, "shell.avi")
    with place.ledger() as ledger:
        ledger.offer(find_videos([place.root], ledger.stamps()).files, "normal")
    wait_until(lambda: place.counts().done == 4)
    worker.close()
    with place.ledger() as ledger, ledger.working() as is_ours:
        assert is_ours


def is_claimed(path: Path) -> bool:
    with claim_ledger(path, "worker") as is_ours:
        return not is_ours


def test_whoever_makes_the_ledger_while_the_server_runs_leaves_the_scan_to_it(
    place: Place,
) -> None:
    worker = place.worker()
    worker.start()
    wait_until(lambda: is_claimed(place.path))
    with place.ledger() as ledger, ledger.working() as is_ours:
        assert not is_ours, "from the first moment on"
        ledger.offer(find_videos([place.root], ledger.stamps()).files, "normal")
    wait_until(lambda: place.counts().done == 3)
    worker.close()
    assert not is_claimed(place.path)


def test_a_server_whose_folder_cannot_be_written_waits_without_a_word(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = threading.Event()

    def refuse(*_: object) -> bool:
        asked.set()
        return False

    monkeypatch.setattr("os.access", refuse)  # root may write everywhere
    place.worker().start()
    assert asked.wait(IN_TIME_SECONDS)
    assert not is_claimed(place.path)
    assert not caplog.records


def test_what_a_link_leads_to_outside_the_media_root_is_left_out(
    place: Place, tmp_path: Path
) -> None:
    (tmp_path / "private").mkdir()
    write_films(tmp_path / "private", "x.avi")
    (place.root / "link").symlink_to(tmp_path / "private")
    place.worker().want(place.everything())
    wait_until(lambda: place.path.exists() and place.counts().done == 3)
    assert stays(lambda: sum(place.counts()) == 3, 0.5)


def test_a_scan_that_is_asked_for_while_an_equal_one_looks_is_not_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()
    written = threading.Event()

    def find_slowly(*arguments: Any, **options: Any) -> Found:
        found = find_within(*arguments, **options)
        looked.set()
        written.wait(IN_TIME_SECONDS)
        return found

    monkeypatch.setattr(worker_module, "find_within", find_slowly)
    worker = place.worker()
    worker.want(place.everything())
    assert looked.wait(IN_TIME_SECONDS)
    write_films(place.root, "late.avi")  # the look has passed it by
    for _ in range(3):
        worker.want(place.everything())
    with place.ledger() as ledger:
        assert len(jobs.wanted_scans(ledger)) == 2, "and three equal ones are one"
    written.set()
    wait_until(lambda: place.counts().done == 4)


def test_what_a_shell_queued_outside_the_media_root_is_left_to_a_shell(
    place: Place, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    write_films(tmp_path / "elsewhere", "x.avi")
    with place.ledger() as ledger:
        ledger.offer(find_videos([tmp_path / "elsewhere"], {}).files, "normal")
    place.worker().want(place.everything())
    wait_until(lambda: place.counts()[:4] == (0, 0, 3, 1))
    with place.ledger() as ledger:
        (failed,) = ledger.iterate("failed")
    assert failed.reason.startswith("It is outside the media root of the server")


def test_a_disk_that_is_not_there_is_told_and_nothing_is_gone(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    worker = place.worker()
    worker.want(place.everything())
    wait_until(lambda: place.path.exists() and place.counts().done == 3)
    (place.root / "sub" / "c.avi").unlink()
    worker.want(place.everything())
    wait_until(lambda: "is its disk connected?" in caplog.text)
    with place.ledger() as ledger:
        wait_until(lambda: not jobs.wanted_scans(ledger))
        assert ledger.counts().gone == 0
        worker.want(WantedScan((str(place.root),), gone=True))
        wait_until(lambda: ledger.counts().gone == 1)


def test_what_is_said_to_be_gone_stays_while_its_whole_root_is_missing(place: Place) -> None:
    worker = place.worker()
    worker.want(place.everything())
    wait_until(lambda: place.path.exists() and place.counts().done == 3)
    place.root.rename(place.root.with_name("unplugged"))
    with place.ledger() as ledger:
        worker.want(WantedScan((str(place.root / "sub"),), gone=True))
        wait_until(lambda: not jobs.wanted_scans(ledger))
        assert ledger.counts().gone == 0


def test_it_goes_on_with_another_ledger_where_its_own_was_deleted(place: Place) -> None:
    worker = place.worker()
    worker.want(place.everything())
    wait_until(lambda: place.path.exists() and place.counts().done == 3)
    for path in place.path.parent.glob("library.db*"):
        path.unlink()
    worker.want(place.everything())
    wait_until(lambda: place.path.exists() and place.counts().done == 3)


def test_without_a_gallery_no_video_is_read(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(place.store, SqliteStore)
    place.store.address.path.unlink()
    place.worker().want(place.everything())
    wait_until(lambda: "Scanning has stopped" in caplog.text)
    assert place.counts().queued == 3
    assert place.readers == 0
