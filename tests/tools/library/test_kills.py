"""A scan can be killed at any moment: it loses the videos in work, and nothing else."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.errors import GalleryReadOnlyError
from db.records import Vector
from db.sqlite.ledger import SqliteLedger
from db.sqlite.ledger_queue import lease_clock
from db.stores import open_store
from db.videos import MOST_TRIES
from function.library.scanning import LEASE_SECONDS
from tests.support.crashing_library import (
    live,
    scan_and_sleep_before_storing,
    scan_with_little_room,
)
from tests.support.crashing_scan import POINTS, hold, scan
from tests.support.killed import Start, lines_of
from tests.support.ledgers import (
    AT,
    SCANNED,
    alone,
    assert_whole,
    bits,
    made_up_person,
    made_up_video,
    take,
)
from tests.support.scans import enrol, make_gallery, make_scanner, offer_all, write_many
from tests.support.servers import ROOT, own_server
from tools.footage.videos import write_video

KILLS = int(os.environ.get("KILLS", "10"))
"""How often a scan is killed at random, and a library at chosen points; `make soak` takes 50."""

SERVER_KILLS = KILLS if KILLS > 10 else 3
"""How often a server, its children, or the shell that watches it are killed, in turn."""

VIDEOS = 12
FILMS = 4
MOST_SECONDS_FOR_ONE = 0.05
"""A kill comes at any moment of the next video: while reading, writing, syncing."""


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library") / "media"
    write_many(folder, VIDEOS)
    return folder


@pytest.fixture(autouse=True)
def gallery(tmp_path: Path) -> Path:
    return make_gallery(tmp_path / "g.db")


def assert_all_done_once(path: Path, report: Path, *, failed: int = 0) -> None:
    assert_whole(path)
    reported = lines_of(report)
    assert len(reported) == len(set(reported)), "nothing was done twice"
    with SqliteLedger(path) as ledger:
        assert ledger.counts() == (0, 0, VIDEOS - failed, failed, 0)
        done = [one.id for one in ledger.iterate("done")]
        assert [len(people) for people in ledger.sightings(done).values()] == [2] * len(done)


def test_a_scan_that_is_killed_at_any_moment_goes_on_and_does_nothing_twice(
    start: Start, tmp_path: Path, media: Path
) -> None:
    path, report = tmp_path / "l.db", tmp_path / "report"
    chance = random.Random(11)
    interrupted = kills = 0
    while kills < KILLS:
        for file in (*tmp_path.glob("l.db*"), report):
            file.unlink(missing_ok=True)
        for _ in range(MOST_TRIES - 1):  # or the machine would be blamed on a video
            before = len(lines_of(report))
            process = start(scan, tmp_path, media, 2)
            some = before + chance.randrange(VIDEOS // 2)
            while process.is_alive() and len(lines_of(report)) < some:
                time.sleep(0.001)
            time.sleep(chance.uniform(0.0, MOST_SECONDS_FOR_ONE))
            process.kill()
            process.join()
            kills += 1
            if path.exists() and path.stat().st_size:
                with SqliteLedger(path) as ledger:
                    counts = ledger.counts()
                assert_whole(path)
                assert counts.done >= len(lines_of(report)), "what was reported is stored"
                assert counts.working <= 2
                interrupted += 0 < counts.done < VIDEOS
        start(scan, tmp_path, media, 2).join()
        assert_all_done_once(path, report)
    # Otherwise the moments were badly chosen, and nothing was tested.
    assert interrupted >= KILLS // 3


@pytest.mark.parametrize("point", POINTS)
def test_a_scan_that_ends_at_a_chosen_point_leaves_nothing_half(
    start: Start, tmp_path: Path, media: Path, point: str
) -> None:
    path = tmp_path / "l.db"
    process = start(scan, tmp_path, media, 1, point, "00.mp4")
    process.join()
    assert process.exitcode == -9, "it came to the point"
    assert_whole(path)
    with SqliteLedger(path) as ledger:
        counts = ledger.counts()
    assert sum(counts) == (0 if point == "in offer" else VIDEOS)
    expected = {"before finish": 1, "within finish": 1, "after finish": 2}
    assert counts.done == expected.get(point, 0)
    start(scan, tmp_path, media, 1, "", "00.mp4").join()
    with SqliteLedger(path) as ledger:
        assert [one.paths[0][-6:] for one in ledger.iterate("failed")] == [b"00.mp4"]
    assert_whole(path)
    with SqliteLedger(path) as ledger:
        assert ledger.counts() == (0, 0, VIDEOS - 1, 1, 0)


def test_a_video_in_work_when_its_scan_was_killed_is_not_waited_for(
    start: Start, tmp_path: Path, gallery: Path, media: Path
) -> None:
    path, ready = tmp_path / "l.db", tmp_path / "ready"
    with SqliteLedger(path) as ledger:
        offer_all(ledger, media)
        first = start(hold, path, ready, 60.0)
        while not ready.exists():
            time.sleep(0.01)
        with ledger.working() as is_ours:
            assert not is_ours
        first.kill()
        first.join()
        assert ledger.counts().working == 1
        with ledger.working() as is_ours:
            assert is_ours
            list(make_scanner(ledger, gallery).scan_all())
        assert ledger.counts() == (0, 0, VIDEOS, 0, 0)


def life_of(folder: Path) -> list[object]:
    """What a library and its gallery hold in the end, without numbers that may differ."""
    with open_store(folder / "g.db").gallery() as gallery:
        names = {one.id: (one.name, one.encodings) for one in gallery.performers()}
    with SqliteLedger(folder / "l.db") as ledger:
        videos = sorted(ledger.iterate(), key=lambda one: one.paths)
        numbers = [one.id for one in videos]
        paths = {one.id: one.paths for one in videos}
        seen, said = ledger.sightings(numbers), ledger.outcomes(numbers)
        return [
            sorted(names.values()),
            ledger.unfinished_forgetting(),
            [
                {(paths[place.video], place.position) for place in one.places}
                for one in ledger.strangers.everyone()
            ],
            [
                (
                    *(one.paths, one.state, one.scanned, one.faces, one.tries),
                    bits(seen[one.id]),
                    [names.get(it.performer or 0, (it.verdict, 0))[0] for it in said[one.id]],
                    ledger.forgotten_spans(one.id),
                )
                for one in videos
            ],
        ]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "media"
    write_many(folder, 3)
    return folder


@pytest.fixture(scope="module")
def look_of_ada(tmp_path_factory: pytest.TempPathFactory, few: Path) -> Vector:
    folder = tmp_path_factory.mktemp("look")
    with SqliteLedger(folder / "l.db") as ledger:
        offer_all(ledger, few)
        list(make_scanner(ledger, make_gallery(folder / "g.db")).scan_all())
        return ledger.sightings([1])[1][0].person.views[0].encodings[0]


def begin_life(folder: Path, look_of_ada: Vector) -> Path:
    folder.mkdir()
    enrol(make_gallery(folder / "g.db"), "Ada", look_of_ada)
    return folder


def test_a_library_that_is_killed_at_any_statement_ends_as_if_it_was_not(
    start: Start, tmp_path: Path, few: Path, look_of_ada: Vector
) -> None:
    whole = begin_life(tmp_path / "whole", look_of_ada)
    start(live, whole, few).join()
    expected = life_of(whole)
    statements = int((whole / "statements").read_text())
    assert len(expected[0]) == 1, "Ada was forgotten, Cleo was named"  # type: ignore[arg-type]
    for number in range(KILLS):
        folder = begin_life(tmp_path / str(number), look_of_ada)
        kill_at = 1 + number * statements // KILLS
        process = start(live, folder, few, kill_at)
        process.join()
        assert process.exitcode == -9, kill_at
        SqliteLedger(folder / "l.db").close()  # or there may be no tables yet
        assert_whole(folder / "l.db")
        start(live, folder, few).join()
        assert life_of(folder) == expected, f"killed at statement {kill_at} of {statements}"


def test_a_full_disk_is_told_and_loses_nothing(start: Start, tmp_path: Path, media: Path) -> None:
    start(scan, tmp_path, media, 1, "after lease").join()
    path = tmp_path / "l.db"
    for _ in range(MOST_TRIES + 1):
        wal = max(one.stat().st_size for one in tmp_path.glob("l.db*"))
        process = start(scan_with_little_room, tmp_path, media, wal + 8_000)
        process.join()
        assert process.exitcode == 3
        assert "Free space on the disk" in (tmp_path / "said").read_text()
        assert_whole(path)
    with SqliteLedger(path) as ledger:
        counts = ledger.counts()
        assert (counts.failed, sum(counts)) == (0, VIDEOS), "no video is blamed"
    start(scan, tmp_path, media, 1).join()
    assert_all_done_once(path, tmp_path / "report")


def test_a_ledger_that_cannot_be_written_is_told_and_loses_nothing(
    tmp_path: Path, gallery: Path, media: Path
) -> None:
    with SqliteLedger(tmp_path / "l.db") as ledger:
        offer_all(ledger, media)
        ledger._db.execute("PRAGMA query_only = ON")
        with pytest.raises(GalleryReadOnlyError, match="permissions"):
            list(make_scanner(ledger, gallery).scan_all())
        ledger._db.execute("PRAGMA query_only = OFF")
        assert ledger.counts() == (VIDEOS, 0, 0, 0, 0)
        list(make_scanner(ledger, gallery).scan_all())
        assert ledger.counts() == (0, 0, VIDEOS, 0, 0)


def test_a_worker_that_was_stopped_past_its_lease_stores_nothing(
    start: Start, tmp_path: Path, media: Path
) -> None:
    path, report = tmp_path / "l.db", tmp_path / "report"
    process = start(scan_and_sleep_before_storing, tmp_path, media)
    while not (tmp_path / "stopped").exists():
        time.sleep(0.01)
    later = lease_clock() + LEASE_SECONDS + 1
    with SqliteLedger(path, lambda: later) as ledger:
        lease = take(ledger, 3600.0)
        assert lease.tries == 2, "it is the video that the other one held"
        os.kill(process.pid or 0, signal.SIGCONT)
        process.join()
        assert process.exitcode == 0
        assert len(lines_of(report)) == VIDEOS - 1
        assert ledger.counts() == (0, 1, VIDEOS - 1, 0, 0)
        found = made_up_video(made_up_person(1))
        assert ledger.finish(lease, found, SCANNED, alone(1), AT)
    assert_whole(path)


def ask(address: str, what: str, body: dict[str, object] | None = None) -> Any:
    headers = {"X-Recognition-Page": "1", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/library/{what}", data, headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def children_of(process_id: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(process_id)], capture_output=True, check=False)
    return [int(one) for one in listed.stdout.split()]


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_at_work(address: str) -> bool:
    return any(one["progress"]["done"] > 0 for one in ask(address, "status")["now"])


def test_a_server_and_its_child_that_are_killed_lose_only_the_video_in_work(
    tmp_path: Path, gallery: Path
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    for number, seconds in enumerate((4, 40)):
        random = np.random.default_rng(number)
        film = (random.integers(0, 255, (480, 640, 3), np.uint8) for _ in range(seconds))
        write_video(media / f"{number}.mp4", film, fps=1, keyframe_every=1)
    path = tmp_path / "l.db"
    settings = {
        "MEDIA_ROOT": media,
        "PERFORMERS_DB": gallery,
        "LIBRARY_DB": path,
        "SLOTS": 1,
        "SECOND_ENCODER": "off",
    }
    with own_server(tmp_path / "log1", **settings, DETECTOR="cnn") as (address, server):
        ask(address, "scan", {})
        wait_until(lambda: ask(address, "status")["videos"]["done"] == 1 and is_at_work(address))
        for child in children_of(server.pid):
            os.kill(child, signal.SIGKILL)
        wait_until(lambda: tries_of(path) == [0, 2] and is_at_work(address))
        children = children_of(server.pid)
        assert children
        server.kill()
    wait_until(lambda: not any(map(is_alive, children)))
    assert_whole(path)
    with SqliteLedger(path) as ledger:
        assert ledger.counts() == (0, 1, 1, 0, 0)
        before = [one.scanned_at for one in ledger.iterate("done")]
    with own_server(tmp_path / "log2", **settings, DETECTOR="yunet") as (address, _):
        wait_until(lambda: ask(address, "status")["videos"]["done"] == 2)
    with SqliteLedger(path) as ledger:
        done = [one.scanned_at for one in ledger.iterate("done")]
    assert done[:1] == before, "what was done is not done twice"


@contextmanager
def watching(media: Path, path: Path, gallery: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a scan in a shell, while a server runs; it is killed in the end."""
    command = [sys.executable, "-m", "tools", "scan", "--strangers", "off", media]
    command += ["--library", path, "--db", gallery]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    shell = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, **quiet)
    try:
        yield shell
    finally:
        shell.kill()
        shell.wait()


def kill(victim: str, server: "subprocess.Popen[bytes]", shell: "subprocess.Popen[bytes]") -> None:
    if victim == "children":
        for child in children_of(server.pid):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return
    process = {"server": server, "shell": shell}[victim]
    process.kill()
    process.wait()


def test_a_server_its_children_and_a_shell_that_watches_can_be_killed_at_any_moment(
    tmp_path: Path, gallery: Path
) -> None:
    media, path = tmp_path / "media", tmp_path / "l.db"
    media.mkdir()
    for number in range(FILMS):
        noise = np.random.default_rng(number)
        film = (noise.integers(0, 255, (480, 640, 3), np.uint8) for _ in range(10))
        write_video(media / f"{number}.mp4", film, fps=1, keyframe_every=1)
    settings = {
        "MEDIA_ROOT": media,
        "PERFORMERS_DB": gallery,
        "LIBRARY_DB": path,
        "SECOND_ENCODER": "off",
    }
    chance = random.Random(7)
    interrupted = 0
    for number in range(SERVER_KILLS):
        for file in tmp_path.glob("l.db*"):
            file.unlink()
        victim = ("server", "children", "shell")[number % 3]
        with (
            own_server(tmp_path / "log1", **settings) as (address, server),
            watching(media, path, gallery) as shell,
        ):
            wait_until(lambda address=address: is_at_work(address) or is_all_done(path))
            time.sleep(chance.uniform(0.0, MOST_SECONDS_FOR_ONE))
            kill(victim, server, shell)
            interrupted += not is_all_done(path)
            assert_whole(path)
            if victim != "server":
                wait_until(lambda: is_all_done(path))
        if victim == "server":
            with own_server(tmp_path / "log2", **settings):
                wait_until(lambda: is_all_done(path))
        assert_whole(path)
        with SqliteLedger(path) as ledger:
            assert ledger.counts() == (0, 0, FILMS, 0, 0)
            assert [one.scans for one in ledger.iterate()] == [1] * FILMS, "each was done once"
    assert interrupted >= SERVER_KILLS // 3


def is_all_done(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return False
    with SqliteLedger(path) as ledger:
        counts = ledger.counts()
        return sum(counts) == counts.done + counts.failed == FILMS


def tries_of(path: Path) -> list[int]:
    with SqliteLedger(path) as ledger:
        return [one.tries for one in ledger.videos()]
