"""Scans with a real scheduler and workers: everything is done once, whoever is lost or late."""

import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from db.sqlite.ledger import SqliteLedger
from function.errors import EngineUnavailableError, StoppingError
from function.faces.found import PictureFound
from function.library.jobs import pause, resume
from function.library.scan_events import Done, Event, Failed
from function.library.scanning import LEASE_SECONDS, Scanner
from function.media.files import MediaFile
from function.settings import Settings
from tests.support.clusters import DaskCluster, wait_until
from tests.support.scans import (
    SquaresReader,
    make_gallery,
    make_scanner,
    offer_all,
    write_album,
    write_many,
)
from tools.cluster.connecting import Certificates
from tools.cluster.hands import cluster_hands
from tools.library.hands import Hands

VIDEOS = 6


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library") / "media"
    write_many(folder, VIDEOS)
    return folder


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def ledger(tmp_path: Path, media: Path) -> Iterator[SqliteLedger]:
    make_gallery(tmp_path / "g.db")
    with SqliteLedger(tmp_path / "l.db") as ledger:
        offer_all(ledger, media)
        yield ledger


class Scan:
    """A scan by a cluster, in a thread; what happens and what is said is kept."""

    def __init__(self, scanner: Scanner, hands: Hands, said: list[str]) -> None:
        self.events: list[Event] = []
        self.said = said
        self.error: BaseException | None = None
        self._scanner, self._hands = scanner, hands
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with closing(self._hands.run(self._scanner)) as events:
                self.events.extend(events)
        except BaseException as error:  # noqa: BLE001  # the test looks at it
            self.error = error

    def end(self) -> None:
        self._thread.join(120)
        assert not self._thread.is_alive()

    def stop(self) -> None:
        self._scanner.stopping.set()
        self._thread.join(60)

    def done(self) -> list[str]:
        return sorted(Path(one.path.decode()).name for one in self.events if isinstance(one, Done))

    def failed(self) -> list[Failed]:
        return [one for one in self.events if isinstance(one, Failed)]


@contextmanager
def scanning(
    cluster: DaskCluster,
    ledger: SqliteLedger,
    media: Path,
    *,
    most: int | None = None,
    only: frozenset[int] | None = None,
    certificates: Certificates | None = None,
) -> Iterator[Scan]:
    settings = Settings(media_root=(media,), second_encoder="off")
    said: list[str] = []
    assert ledger.path
    with cluster_hands(
        cluster.address, certificates or Certificates(), settings, said.append, most
    ) as hands:
        scanner = make_scanner(ledger, ledger.path.parent / "g.db", only=only)
        scan = Scan(replace(scanner, reader=hands.reader, settings=settings), hands, said)
        try:
            yield scan
        finally:
            scan.stop()


def everything_in(ledger: SqliteLedger) -> list[object]:
    """What a scan stored, by the name of the video; without what differs from run to run."""
    found: list[object] = []
    for video in sorted(ledger.iterate(), key=lambda one: one.paths):
        people = [
            (
                one.position,
                one.person.seen,
                one.person.picture,
                [(view.seconds, view.quality, view.faces) for view in one.person.views],
                [e.tobytes() for view in one.person.views for e in view.encodings],
            )
            for one in ledger.sightings([video.id])[video.id]
        ]
        outcomes = ledger.outcomes([video.id])[video.id]
        found.append((video.paths, video.state, video.faces, video.seconds, people, outcomes))
    return found


def test_one_is_killed_and_one_is_late_and_everything_is_done_once_as_it_would_be_here(
    cluster: DaskCluster, ledger: SqliteLedger, media: Path, tmp_path: Path
) -> None:
    cluster.hold.touch()
    killed, other = cluster.worker(media), cluster.worker(media)
    with scanning(cluster, ledger, media) as scan:
        wait_until(lambda: len(cluster.lines()) == 2)
        assert {process for _, process in cluster.lines()} == {killed.pid, other.pid}
        lost = next(name for name, process in cluster.lines() if process == killed.pid)
        killed.send_signal(signal.SIGKILL)
        late = cluster.worker(media)
        wait_until(lambda: late.pid in [process for _, process in cluster.lines()])
        wait_until(lambda: any("was lost" in line for line in scan.said))
        cluster.hold.unlink()
        scan.end()
    assert scan.error is None
    names = [f"{number:02}.mp4" for number in range(VIDEOS)]
    assert scan.done() == names
    assert sorted(name for name, _ in cluster.lines()) == sorted([*names, lost])
    assert [process for name, process in cluster.lines() if name == lost][-1] != killed.pid
    (failed,) = scan.failed()
    assert "was lost" in failed.reason
    assert not failed.for_good
    assert ledger.counts() == (0, 0, VIDEOS, 0, 0)
    with SqliteLedger(tmp_path / "here.db") as here:
        offer_all(here, media)
        list(make_scanner(here, tmp_path / "g.db").scan_all())
        for there, own in zip(everything_in(ledger), everything_in(here), strict=True):
            assert there == own


def test_whoever_has_lost_the_lease_cannot_finish(
    cluster: DaskCluster, ledger: SqliteLedger, media: Path
) -> None:
    cluster.hold.touch()
    cluster.worker(media)
    with scanning(cluster, ledger, media) as scan:
        wait_until(lambda: len(cluster.lines()) == 1)
        assert ledger.path
        with SqliteLedger(ledger.path) as thief:
            thief._clock = lambda: ledger._clock() + 2 * LEASE_SECONDS
            first = frozenset(one.id for one in ledger.iterate("working"))
            lease = thief.lease("somebody else", LEASE_SECONDS, first)
            assert lease
            cluster.hold.unlink()
            wait_until(lambda: len(cluster.lines("ended")) == VIDEOS)
            wait_until(lambda: ledger.counts().done == VIDEOS - 1)
            assert [one.id for one in ledger.iterate("working")] == [lease.video]
            assert ledger.sightings([lease.video]) == {lease.video: []}
            thief.release(lease)
        scan.end()
    assert scan.error is None
    assert len(scan.done()) == VIDEOS
    assert len(cluster.lines()) == VIDEOS + 1, "it was read again"
    assert scan.failed() == []


def test_a_scan_that_ends_frees_the_workers_and_gives_the_videos_back(
    cluster: DaskCluster, ledger: SqliteLedger, media: Path
) -> None:
    cluster.hold.touch()
    cluster.worker(media)
    with scanning(cluster, ledger, media) as scan:
        wait_until(lambda: len(cluster.lines()) == 1)
        scan.stop()
        assert ledger.counts() == (VIDEOS, 0, 0, 0, 0)
        assert [one.tries for one in ledger.iterate()] == [0] * VIDEOS
        wait_until(lambda: len(cluster.lines("ended")) == 1)
        assert cluster.hold.exists(), "it ended although it was held"
    with scanning(cluster, ledger, media) as scan:
        cluster.hold.unlink()
        scan.end()
    assert ledger.counts() == (0, 0, VIDEOS, 0, 0)


def test_a_worker_that_differs_is_not_used_and_one_that_lacks_files_is_helped_out(
    cluster: DaskCluster, ledger: SqliteLedger, media: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    other = tmp_path / "other"
    write_many(other, 1)[0].write_bytes(b"another file of this name" * 9)
    good = cluster.worker(media)
    cluster.worker(media, DETECTOR="hog")
    for folder in (tmp_path / "empty", other):
        cluster.worker(folder)
    wait_until(lambda: cluster.joined() == 4)  # whoever joins later is not asked
    cluster.hold.touch()
    with scanning(cluster, ledger, media) as scan:
        wait_until(lambda: sum("reads 1 at once" in line for line in scan.said) == 3)
        wait_until(lambda: any("its detector is hog" in line for line in scan.said))
        cluster.hold.unlink()
        scan.end()
    assert scan.error is None
    assert scan.failed() == []
    assert ledger.counts() == (0, 0, VIDEOS, 0, 0)
    assert {process for _, process in cluster.lines()} == {good.pid}
    assert sum("does not see" in line for line in scan.said) <= 2


def test_a_worker_that_is_still_joining_is_waited_for_before_a_video_is_given_up(
    cluster: DaskCluster, ledger: SqliteLedger, media: Path, tmp_path: Path
) -> None:
    late, empty = tmp_path / "late", tmp_path / "empty"
    late.touch()
    empty.mkdir()
    cluster.worker(media, LATE=str(late))
    cluster.worker(empty)
    wait_until(lambda: cluster.joined() == 2)
    with scanning(cluster, ledger, media) as scan:
        wait_until(lambda: any("does not see" in line for line in scan.said))
        late.unlink()
        scan.end()
    assert scan.failed() == []
    assert ledger.counts() == (0, 0, VIDEOS, 0, 0)


def test_a_video_that_no_worker_sees_fails_for_that_reason_and_the_others_go_on(
    cluster: DaskCluster, ledger: SqliteLedger, media: Path, tmp_path: Path
) -> None:
    part = tmp_path / "part"
    part.mkdir()
    for path in sorted(media.iterdir())[1:]:
        (part / path.name).write_bytes(path.read_bytes())
    cluster.worker(part)
    with scanning(cluster, ledger, media) as scan:
        scan.end()
    (failed,) = scan.failed()
    assert failed.for_good
    assert "00.mp4 is seen by no worker" in failed.reason
    assert "--retry" in failed.reason
    assert ledger.counts() == (0, 0, VIDEOS - 1, 1, 0)


def test_a_scheduler_that_goes_ends_the_scan_and_loses_nothing(
    cluster: DaskCluster, ledger: SqliteLedger, media: Path
) -> None:
    cluster.hold.touch()
    cluster.worker(media)
    with scanning(cluster, ledger, media) as scan:
        wait_until(lambda: len(cluster.lines()) == 1)
        cluster.scheduler.kill()
        scan.end()
    assert isinstance(scan.error, EngineUnavailableError)
    assert "scheduler has gone" in str(scan.error)
    assert ledger.counts() == (VIDEOS, 0, 0, 0, 0)


class _ClosingReader(SquaresReader):
    """Ends when it is closed, as a real one does, while the test holds it."""

    def __init__(self, hold: Path) -> None:
        super().__init__()
        self.hold, self.is_closed = hold, threading.Event()

    def find_in_picture(self, media: MediaFile, place: int | None = None) -> PictureFound:
        while self.hold.exists():
            if self.is_closed.wait(0.02):
                raise StoppingError("It was closed.")
        return super().find_in_picture(media, place)

    def close(self) -> None:
        self.is_closed.set()


@pytest.fixture
def own_reader(cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> _ClosingReader:
    reader = _ClosingReader(cluster.hold)
    monkeypatch.setattr("tools.library.hands.open_reader", lambda _: reader)
    return reader


@pytest.fixture
def albums(tmp_path: Path, ledger: SqliteLedger) -> Path:
    for number in range(2):
        write_album(tmp_path / "albums" / str(number), {"1.png": 300 + number, "2.png": 400})
    offer_all(ledger, tmp_path / "albums", pictures=True)
    return tmp_path / "albums"


@pytest.mark.usefixtures("own_reader", "albums")
def test_albums_are_read_here_while_the_workers_read_videos(
    cluster: DaskCluster, ledger: SqliteLedger, media: Path
) -> None:
    cluster.worker(media)
    with scanning(cluster, ledger, media) as scan:
        scan.end()
    assert scan.error is None
    assert ledger.counts() == (0, 0, VIDEOS + 2, 0, 0)
    assert {name for name, _ in cluster.lines()} == {f"{number:02}.mp4" for number in range(VIDEOS)}
    done = [one for one in ledger.iterate("done") if one.kind == "album"]
    assert [one.pictures for one in done] == [2, 2]
    assert {"0", "1"} <= set(scan.done())


@pytest.mark.usefixtures("own_reader", "albums")
def test_a_scan_that_is_paused_before_its_albums_ends_at_once(
    cluster: DaskCluster, ledger: SqliteLedger, media: Path
) -> None:
    pause(ledger)
    with scanning(cluster, ledger, media) as scan:
        wait_until(lambda: "scan albums" in [one.name for one in threading.enumerate()])
        scan.stop()
        is_ended = scan.error is not None
        resume(ledger)  # else what fails here would never end
    assert is_ended
    assert isinstance(scan.error, StoppingError)
    assert ledger.counts() == (VIDEOS + 2, 0, 0, 0, 0)


class _BrokenReader(SquaresReader):
    def find_in_picture(self, media: MediaFile, place: int | None = None) -> PictureFound:
        del media, place
        raise EngineUnavailableError("A net is broken.")


@pytest.mark.usefixtures("albums")
@pytest.mark.parametrize("is_opened", [True, False])
def test_where_albums_cannot_be_read_the_videos_are(
    cluster: DaskCluster,
    ledger: SqliteLedger,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_opened: bool,
) -> None:
    def open_broken(_: Settings) -> SquaresReader:
        if is_opened:
            return _BrokenReader()
        raise EngineUnavailableError("A net is broken.")

    monkeypatch.setattr("tools.library.hands.open_reader", open_broken)
    cluster.worker(media)
    with scanning(cluster, ledger, media) as scan:
        scan.end()
    assert scan.error is None
    assert ledger.counts() == (2, 0, VIDEOS, 0, 0)
    (said,) = (line for line in scan.said if "Albums are left" in line)
    assert "A net is broken." in said


def test_how_many_videos_are_in_work_says_nothing_of_the_readers_of_this_machine(
    cluster: DaskCluster,
    ledger: SqliteLedger,
    media: Path,
    albums: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[int] = []

    def note(settings: Settings) -> SquaresReader:
        opened.append(settings.slots)
        return SquaresReader()

    monkeypatch.setattr("tools.library.hands.open_reader", note)
    only = ledger.ids(map(bytes, albums.iterdir()))
    with scanning(cluster, ledger, media, most=64, only=only) as scan:
        scan.end()
    assert scan.error is None
    assert opened == [Settings().for_scanning(None).slots]


@pytest.mark.usefixtures("own_reader", "albums")
def test_a_scan_that_ends_gives_its_albums_back_too(
    cluster: DaskCluster, ledger: SqliteLedger, media: Path
) -> None:
    cluster.hold.touch()
    with scanning(cluster, ledger, media) as scan:  # albums wait for no worker
        wait_until(lambda: any(one.kind == "album" for one in ledger.iterate("working")))
        scan.stop()
    assert isinstance(scan.error, StoppingError)
    assert ledger.counts() == (VIDEOS + 2, 0, 0, 0, 0)
    assert [one.tries for one in ledger.iterate()] == [0] * (VIDEOS + 2)
