"""Scans in processes of their own: ended, killed, at a terminal, and beside a server."""

import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from db.sqlite.ledger import SqliteLedger
from function.library.jobs import note_worker_roots
from tests.support.ledgers import assert_whole
from tests.support.scans import (
    make_scanner,
    names_in,
    offer_all,
    read,
)
from tests.support.servers import own_server
from tools.cli import main
from tools.footage.videos import moving_picture, read_portrait, write_video
from tools.library.watching import places_to_scan

ROOT = Path(__file__).parents[4]


MOST_SECONDS_TO_END = 30.0


SLOW = {"cnn": {"SECOND_ENCODER": "off"}, "yunet": {}}
"""Without a GPU, the detector `cnn` takes a second for a frame; it takes no second net."""


class Scan:
    """`python -m tools scan` in a process of its own."""

    def __init__(self, folder: Path, *places: Path, detector: str = "cnn", **streams: Any) -> None:
        command = [sys.executable, "-m", "tools", "scan", "--workers", "2"]
        command += ["--library", folder / "l.db", "--db", folder / "g.db", *places]
        self.folder = folder
        self.log = folder / f"log{time.monotonic_ns()}"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "DETECTOR": detector, **SLOW[detector]},
                **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **streams},
            )

    def wait_until_working(self, videos: int = 1) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.text()
            if self.in_work() == videos:
                return
            time.sleep(0.05)
        raise AssertionError(self.text())

    def in_work(self) -> int:
        """How many videos this process has in work."""
        sql = "SELECT count(*) FROM videos WHERE state = 'working' AND lease_owner = ?"
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"file:{self.folder}/l.db?mode=ro", uri=True)) as raw,
        ):
            count: int = raw.execute(sql, (f"process {self.process.pid}",)).fetchone()[0]
            return count
        return 0

    def text(self) -> str:
        return self.log.read_text()

    def wait_until_watching(self) -> None:
        deadline = time.monotonic() + 60
        while "Another process scans for this library" not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.05)

    def end(self, number: int) -> float:
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(60)
        return time.monotonic() - started


@pytest.fixture(scope="module")
def long_videos(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos that the slow detector looks at for longer than a test."""
    folder = tmp_path_factory.mktemp("long")
    portrait = read_portrait(photos / "obama3.jpg")
    for number, seconds in enumerate((100, 110)):
        moving = moving_picture(portrait, seconds, fps=1, size=(640, 480))
        write_video(folder / f"{number}.mp4", moving, fps=1, keyframe_every=1)
    return folder


@pytest.fixture
def started(tmp_path: Path, gallery_path: Path) -> Iterator[Any]:
    """Starts scans with the gallery of real people, and ends them after the test."""
    shutil.copy(gallery_path, tmp_path / "g.db")
    running: list[Scan] = []

    def start(*places: Any, **how: Any) -> Scan:
        running.append(Scan(tmp_path, *places, **how))
        return running[-1]

    yield start
    for one in running:
        one.process.kill()
        one.process.wait()


def assert_untouched(path: Path, queued: int) -> None:
    assert_whole(path)
    with SqliteLedger(path) as ledger:
        assert ledger.counts() == (queued, 0, 0, 0, 0)
        assert {one.tries for one in ledger.videos()} == {0}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_scan_that_is_asked_to_end_does_so_at_once_and_leaves_the_queue_whole(
    started: Any, long_videos: Path, tmp_path: Path, number: int
) -> None:
    scan = started(long_videos)
    scan.wait_until_working(2)
    if number == signal.SIGINT:
        time.sleep(3.0)  # or it would only be seen while the nets load
    assert scan.end(number) < MOST_SECONDS_TO_END
    last = scan.text().replace("\r", "\n").strip().splitlines()[-1]
    assert last == "Stopped. Run it again to go on.", scan.text()
    assert scan.process.returncode == 1
    assert "Traceback" not in scan.text()
    assert_untouched(tmp_path / "l.db", 2)


def test_the_real_engine_scans_in_the_sandbox_and_a_rematch_says_the_same(
    started: Any, photos: Path, tmp_path: Path
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    for name, portraits in {
        "two.mp4": ("obama3.jpg", "hopper.jpg"),
        "cat.mp4": ("cat.png",),
    }.items():
        shots = (
            picture
            for portrait in portraits
            for picture in moving_picture(
                read_portrait(photos / portrait), 4, fps=10, size=(640, 480)
            )
        )
        write_video(media / name, shots, fps=10, keyframe_every=10)
    (media / os.fsdecode(b"no text \xff.mp4")).write_bytes(b"no video")
    scan = started(media, "--strangers", "off", detector="yunet")
    assert scan.process.wait(120) == 3, scan.text()
    result = CliRunner().invoke(
        main, ["results", "--library", str(tmp_path / "l.db"), "--db", str(tmp_path / "g.db")]
    )
    assert names_in(json.loads(result.stdout)) == {
        "cat.mp4": [],
        "no text \\xff.mp4": [],
        "two.mp4": ["Barack Obama", "Grace Hopper"],
    }
    (two,) = (one for one in json.loads(result.stdout) if one["path"].endswith("two.mp4"))
    for person, (start, end) in {"Barack Obama": (0.0, 4.0), "Grace Hopper": (4.0, 8.0)}.items():
        (found,) = (one for one in two["people"] if one["performer"] == person)
        assert found["verdict"] == "match"
        assert found["appearances"][0][0] == pytest.approx(start, abs=0.6)
        assert found["appearances"][-1][1] == pytest.approx(end, abs=0.6)
    again = CliRunner().invoke(
        main, ["rematch", "--library", str(tmp_path / "l.db"), "--db", str(tmp_path / "g.db")]
    )
    assert json.loads(again.stdout) == {"videos": 0, "people": 0, "changed": 0}


def test_a_second_scan_goes_on_when_the_first_is_killed(
    started: Any, long_videos: Path, tmp_path: Path
) -> None:
    first = started(long_videos)
    first.wait_until_working(2)
    second = started(long_videos)
    second.wait_until_watching()
    first.end(signal.SIGKILL)
    second.wait_until_working(2)
    assert second.end(signal.SIGTERM) < MOST_SECONDS_TO_END
    with SqliteLedger(tmp_path / "l.db") as ledger:
        assert ledger.counts() == (2, 0, 0, 0, 0)
        assert [one.tries for one in ledger.videos()] == [1, 1], "the killed one counts"


@pytest.mark.usefixtures("gallery")
def test_a_second_scan_watches_the_first_and_ends_with_it(tmp_path: Path, media: Path) -> None:
    with SqliteLedger(tmp_path / "l.db") as ledger:
        offer_all(ledger, media)
        with ledger.working():
            watching, ended = Scan(tmp_path, media), Scan(tmp_path, media)
            watching.wait_until_watching()
            ended.wait_until_watching()
            assert ended.end(signal.SIGINT) < MOST_SECONDS_TO_END
            assert ended.process.returncode == 1
            assert "Stopped watching. The other process goes on" in ended.text()
            assert "Aborted!" not in ended.text()
            assert watching.process.poll() is None
            list(make_scanner(ledger, tmp_path / "g.db").scan_all())
            assert watching.process.wait(MOST_SECONDS_TO_END) == 0
    report = json.loads(watching.text()[watching.text().index("{\n") :])
    assert report["scanned"] == 3
    assert f"faces={report['faces']}, people={report['people']}]" in watching.text()


def test_the_first_scan_of_all_is_the_job_of_a_server_that_runs(
    gallery: Path, tmp_path: Path, media: Path
) -> None:
    settings = {"MEDIA_ROOT": media, "PERFORMERS_DB": gallery, "LIBRARY_DB": tmp_path / "l.db"}
    with own_server(tmp_path / "server", **settings):
        assert not (tmp_path / "l.db").exists()
        scan = Scan(tmp_path, media, detector="yunet")
        assert scan.process.wait(120) == 0, scan.text()
    assert "Another process scans for this library" in scan.text()
    with SqliteLedger(tmp_path / "l.db") as ledger:
        assert ledger.counts().done == 3


REFUSED = (
    "Error: {place} is not inside the media root of the server that scans for this library "
    "({root}). Nothing was queued. Stop the server and scan it here, or start the server with that "
    "folder: make run MEDIA=FOLDER (MEDIA_ROOT)."
)


def test_what_the_server_would_not_read_is_refused_in_one_line_and_not_queued(
    run: Any, gallery: Path, tmp_path: Path, media: Path
) -> None:
    inside = media / "inside"
    inside.mkdir()
    (media / "00.mp4").rename(inside / "00.mp4")
    settings = {"MEDIA_ROOT": inside, "PERFORMERS_DB": gallery, "LIBRARY_DB": tmp_path / "l.db"}
    with own_server(tmp_path / "server", **settings):
        one, other = media / "01.mp4", media / "02.mp4"
        for places, named in (([media], media), ([inside, one, other], f"{one} (and 1 more)")):
            refused = run("scan", *places, exit_code=1)
            assert refused.stderr.splitlines() == [REFUSED.format(place=named, root=inside)]
            assert read(run("results")) == []
        assert read(run("scan"))["scanned"] == 1, "the server's media root"
    assert read(run("scan", media))["scanned"] == 2, "no server runs"


def test_what_an_ended_server_would_not_read_is_left_to_the_shell_that_scans(
    tmp_path: Path, media: Path
) -> None:
    with SqliteLedger(tmp_path / "l.db") as ours, SqliteLedger(tmp_path / "l.db") as theirs:
        note_worker_roots(theirs, [tmp_path / "elsewhere"])  # and then it was killed
        assert places_to_scan(ours, [media], []) == [media]
        with theirs.working() as is_theirs:  # another shell scans
            assert is_theirs
            assert places_to_scan(ours, [media], []) == [media]


def test_a_scan_without_an_input_asks_nobody_and_goes_through(
    gallery: Path, tmp_path: Path
) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "text.mp4").write_text("no video")
    code = (
        "import os, sys; os.close(0); "
        "os.execv(sys.executable, [sys.executable, '-m', 'tools', *sys.argv[1:]])"
    )
    where = ["--library", tmp_path / "l.db", "--db", gallery, tmp_path / "media"]
    done = subprocess.run(
        [sys.executable, "-c", code, "scan", *where],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    with SqliteLedger(tmp_path / "l.db") as ledger:
        assert (ledger.counts().failed, ledger.choice("strangers")) == (1, "")


@pytest.mark.usefixtures("gallery")
@pytest.mark.parametrize(
    ("answers", "chosen"),
    [([b"keep"], "keep"), ([b"yes", b"90D"], "90d"), ([b""], "off")],
)
def test_somebody_at_a_terminal_is_asked_once_whether_strangers_are_kept(
    tmp_path: Path, answers: list[bytes], chosen: str
) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "text.mp4").write_text("no video")
    ours, theirs = pty.openpty()
    scan = Scan(tmp_path, tmp_path / "media", stdin=theirs, stderr=theirs)
    os.close(theirs)
    told = b""
    for number, answer in enumerate(answers, 1):
        while told.count(b"keep, 90d or off [off]: ") < number:
            told += os.read(ours, 10_000)
        os.write(ours, answer + b"\n")
    with suppress(OSError):  # its end
        while more := os.read(ours, 10_000):
            told += more
    scan.process.wait(60)
    os.close(ours)
    assert b"Keep the faces of people you did not enrol?" in told
    assert told.count(b"Answer keep, off, or days like 90d") == len(answers) - 1
    with SqliteLedger(tmp_path / "l.db") as ledger:
        assert ledger.choice("strangers") == chosen
