"""A long video is searched by several processes, and what is found does not depend on how many."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from function.errors import CrashedVideoError, StoppingError, TimeLimitError, UnreadableVideoError
from function.faces.found import Progress, Task
from function.media.files import open_any
from function.people.gathering import PeopleFound
from function.sandbox import handle, starting
from function.sandbox.readers import Here, Sandboxed
from function.settings import Settings
from tests.support import short_helpers
from tests.support.waiting import is_running, seconds_of, wait_until
from tools.footage.videos import moving_picture, read_portrait, write_video

TASK = Task(every_seconds=0.5, detection_pixels=384)
LARGEST_HELPER_MEGABYTES = 100

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="this system has no helpers"
)


@pytest.fixture(scope="module")
def film(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people by turns, for 24 seconds: three stretches."""
    portraits = [read_portrait(photos / name) for name in ("obama3.jpg", "astronaut.png")]
    shots = (
        picture
        for number in range(6)
        for picture in moving_picture(portraits[number % 2], 4, fps=8, size=(480, 270))
    )
    return write_video(
        tmp_path_factory.mktemp("film") / "film.mp4", shots, fps=8, keyframe_every=20
    )


@contextmanager
def sandboxed(**settings: object) -> Iterator[Sandboxed]:
    reader = Sandboxed(replace(Settings(sandbox="on"), **settings))  # type: ignore[arg-type]
    try:
        yield reader
    finally:
        reader.close()


@pytest.fixture(scope="module")
def pair() -> Iterator[Sandboxed]:
    """Keep a child with one helper."""
    with sandboxed(threads=2) as reader:
        assert reader.ready().helpers == 1
        yield reader


@pytest.fixture(scope="module")
def alone(film: Path) -> PeopleFound:
    return find(Here(Settings()), film)


def find(
    reader: Here | Sandboxed,
    path: Path,
    task: Task = TASK,
    meanwhile: Callable[[], None] = lambda: None,
) -> PeopleFound:
    """Find the people in a video, and do something once the search has begun."""
    has_begun = False
    with open_any(path) as media, closing(reader.find_people(media, task)) as events:
        for event in events:
            if isinstance(event, PeopleFound):
                return event
            if event.done_seconds and not has_begun:
                has_begun = True
                meanwhile()
    raise AssertionError


def assert_same(found: PeopleFound, expected: PeopleFound) -> None:
    """Assert that all that was found is the same to the last bit."""
    assert (found.frames, found.faces, found.links) == (
        expected.frames,
        expected.faces,
        expected.links,
    )
    assert len(found.people) == len(expected.people)
    for one, other in zip(found.people, expected.people, strict=True):
        assert one.picture == other.picture
        assert one.seen == other.seen
        for view, same in zip(one.views, other.views, strict=True):
            for encoding, equal in zip(view.encodings, same.encodings, strict=True):
                np.testing.assert_array_equal(encoding, equal)


def group_of(reader: Sandboxed) -> list[int]:
    """Return the processes of a reader's child: itself first, then its helpers."""
    (child,) = reader.pool.processes()
    return members_of(child)


def members_of(child: int) -> list[int]:
    members = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        (state, _, group), started = told[:3], int(told[19])
        if int(group) == child and state != "Z":
            process = int(status.parent.name)
            members.append((process != child, started, process))
    # By when they started: after the highest number come low ones again.
    return [process for *_, process in sorted(members)]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_what_is_found_is_the_same_for_any_number_of_processes(
    threads: int, film: Path, alone: PeopleFound
) -> None:
    assert (alone.frames, len(alone.people)) == (48, 2)
    with sandboxed(threads=threads) as reader:
        assert reader.ready().helpers == threads - 1
        assert_same(find(reader, film), alone)
        assert_same(find(reader, film), alone)  # and helpers help again


def test_helpers_do_a_share_of_the_work(pair: Sandboxed, film: Path) -> None:
    pair.ready()
    _, helper = group_of(pair)
    before = seconds_of(helper)
    find(pair, film)
    assert seconds_of(helper) - before > 0.3


def test_a_file_that_does_not_fall_into_stretches_is_searched_by_one_with_equal_results(
    pair: Sandboxed, photos: Path, tmp_path: Path
) -> None:
    shots = moving_picture(read_portrait(photos / "obama3.jpg"), 20, fps=8, size=(480, 270))
    path = write_video(tmp_path / "film.ts", shots, fps=8, keyframe_every=20)
    assert_same(find(pair, path), find(Here(Settings()), path))


def test_an_index_that_does_not_hold_costs_time_and_nothing_else(
    pair: Sandboxed, photos: Path, tmp_path: Path
) -> None:
    leap = [index / 8 + (5000 if index >= 100 else 0) for index in range(160)]
    shots = moving_picture(read_portrait(photos / "obama3.jpg"), 20, fps=8, size=(480, 270))
    path = write_video(tmp_path / "leap.mkv", shots, keyframe_every=20, seconds=leap)
    found = find(pair, path, replace(TASK, every_seconds=60))
    assert_same(found, find(Here(Settings()), path, replace(TASK, every_seconds=60)))
    assert found.faces


def test_what_is_no_video_is_refused_and_the_helper_helps_with_the_next(
    pair: Sandboxed, film: Path, alone: PeopleFound, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("no video\n" * 100)
    with pytest.raises(UnreadableVideoError):
        find(pair, tmp_path / "text.mp4")
    assert_same(find(pair, film), alone)


def test_progress_is_that_of_all_processes_and_does_not_go_back(
    pair: Sandboxed, film: Path
) -> None:
    with open_any(film) as media, closing(pair.find_people(media, TASK)) as events:
        told = [event for event in events if isinstance(event, Progress)]
    done = [event.done_seconds for event in told]
    assert done == sorted(done)
    assert told[-1].faces > 30
    assert told[-1].done_seconds == pytest.approx(told[-1].of_seconds, abs=TASK.every_seconds)
    assert all(event.of_seconds >= event.done_seconds for event in told)


def test_a_helper_that_is_killed_costs_its_work_and_no_request(
    film: Path, alone: PeopleFound
) -> None:
    with sandboxed(threads=3) as reader:
        reader.ready()
        child, first, second = group_of(reader)
        os.kill(first, signal.SIGKILL)
        assert_same(find(reader, film), alone)  # it was dead before
        assert_same(find(reader, film, meanwhile=lambda: os.kill(second, signal.SIGKILL)), alone)
        assert_same(find(reader, film), alone)
        assert reader.pool.processes() == [child]
        assert group_of(reader) == [child]


@pytest.fixture(scope="module")
def large_film(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody in pictures of 25 MB, for 18 seconds: two stretches, with gaps to be filled."""
    shots = moving_picture(read_portrait(photos / "obama3.jpg"), 18, fps=2, size=(3840, 2160))
    path = tmp_path_factory.mktemp("film") / "large.mp4"
    return write_video(path, shots, fps=2, keyframe_every=3, options={"preset": "ultrafast"})


@pytest.fixture(scope="module")
def large_alone(large_film: Path) -> PeopleFound:
    return find(Here(Settings()), large_film)


@pytest.mark.parametrize("megabytes", [14, 20, 26])
def test_a_helper_that_is_short_of_memory_changes_nothing(
    megabytes: int,
    large_film: Path,
    large_alone: PeopleFound,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(starting, "CHILD_MODULE", short_helpers.__name__)
    assert large_alone.frames > 30
    with sandboxed(threads=2, memory_megabytes=short_helpers.LESS_MEGABYTES + megabytes) as reader:
        assert reader.ready().helpers == 1
        found = find(reader, large_film)
    assert_same(found, large_alone)
    assert found.unreadable_seconds == 0
    assert "leaves its stretch to others" in caplog.text


def test_a_child_that_is_killed_takes_its_helpers_along_and_is_replaced(
    film: Path, alone: PeopleFound
) -> None:
    with sandboxed(threads=2) as reader:
        reader.ready()
        group = group_of(reader)
        with pytest.raises(CrashedVideoError):
            find(reader, film, meanwhile=lambda: os.kill(group[0], signal.SIGKILL))
        wait_until(lambda: not any(is_running(one) for one in group))
        assert_same(find(reader, film), alone)


def test_a_video_that_takes_too_long_is_ended_with_all_processes(film: Path) -> None:
    with sandboxed(threads=2, time_limit_seconds=0.5) as reader:
        reader.ready()
        group = group_of(reader)
        with pytest.raises(TimeLimitError):
            find(reader, film, replace(TASK, every_seconds=0.13))
        wait_until(lambda: not any(is_running(one) for one in group))


def test_closing_the_iterator_ends_all_processes(film: Path) -> None:
    with sandboxed(threads=2) as reader:
        reader.ready()
        group = group_of(reader)
        with open_any(film) as media, closing(reader.find_people(media, TASK)) as events:
            next(events)
        wait_until(lambda: not any(is_running(one) for one in group))


def test_closing_the_sandbox_ends_all_processes(film: Path) -> None:
    with sandboxed(threads=2) as reader:
        reader.ready()
        group = group_of(reader)
        with pytest.raises(StoppingError):
            find(reader, film, meanwhile=reader.close)
        wait_until(lambda: not any(is_running(one) for one in group))


def test_helpers_end_with_a_child_that_is_idle(film: Path) -> None:
    with sandboxed(threads=3) as reader:
        reader.ready()
        for _ in range(2):
            find(reader, film)
        child, *helpers = group_of(reader)
        assert len(helpers) == 2
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: not any(is_running(one) for one in helpers))


ODD_CHILD = """
import os, sys, threading, time
from function.sandbox import child
first, fork, start, forks = os.getpid(), os.fork, child._start, []

def fork_few():
    forks.append(1)
    if len(forks) > {most_forks}:
        raise BlockingIOError(11, "Resource temporarily unavailable")
    return fork()

def start_on_few(thread):
    if os.getpid() != first and len(forks) == {helper_without_threads}:
        raise RuntimeError("can't start new thread")
    return start(thread)

os.fork, child._start = fork_few, start_on_few
if {has_thread}:
    threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
child.main(int(sys.argv[1]), [int(line) for line in sys.argv[2:]])
"""


@contextmanager
def odd_child(folder: Path, **how: object) -> Iterator[Sandboxed]:
    """Keep a child with three helpers, on a system where not all of them can start."""
    usual = {"most_forks": 9, "helper_without_threads": 0, "has_thread": False}
    (folder / "odd_child.py").write_text(ODD_CHILD.format(**(usual | how)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(starting, "CHILD_MODULE", "odd_child")
        patched.setenv("PYTHONPATH", str(folder))
        with sandboxed(threads=4) as reader:
            yield reader


@pytest.mark.parametrize(
    ("how", "helpers"), [({"most_forks": 1}, 1), ({"helper_without_threads": 1}, 3)]
)
def test_helpers_that_cannot_start_are_done_without(
    how: dict[str, int], helpers: int, film: Path, alone: PeopleFound, tmp_path: Path
) -> None:
    with odd_child(tmp_path, **how) as reader:
        assert reader.ready().helpers == helpers
        _, *others = group_of(reader)
        assert len(others) in {1, 2}
        for _ in range(2):
            assert_same(find(reader, film), alone)
        assert any(seconds_of(one) > 0.3 for one in others)


@pytest.mark.parametrize("how", [{"most_forks": 0}, {"has_thread": True}])
def test_a_child_that_gets_no_helpers_runs_its_nets_on_more_threads(
    how: dict[str, int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with odd_child(tmp_path, **how) as reader:
        assert reader.ready().helpers == 0
        (child,) = group_of(reader)
        threads = list(Path(f"/proc/{child}/task").iterdir())
        assert (
            len(threads) >= 4 + 2 * 2
        )  # its own, at most; two more nets at least have two more each
    assert "searched by one process" in caplog.text


CHILD_ON_GPU = """
import logging, sys
from function.sandbox import child
load = child.load_engine

def load_on_gpu(*given):
    logging.info("An engine is loaded.")
    engine = load(*given)
    engine.provider = "CUDA"
    return engine

child.load_engine = load_on_gpu
child.main(int(sys.argv[1]), [int(line) for line in sys.argv[2:]])
"""


def test_an_engine_that_itself_has_a_gpu_is_loaded_once_and_gets_no_helpers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    (tmp_path / "child_on_gpu.py").write_text(CHILD_ON_GPU)
    monkeypatch.setattr(starting, "CHILD_MODULE", "child_on_gpu")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with sandboxed(threads=3, decode="cpu") as reader:
        ready = reader.ready()
        assert (ready.provider, ready.helpers) == ("CUDA", 0)
    assert caplog.text.count("An engine is loaded.") == 1


PARENT = """
import time
from function.sandbox.readers import Sandboxed
from function.settings import Settings
reader = Sandboxed(Settings(threads=3))
reader.ready()
print(*reader.pool.processes(), flush=True)
time.sleep(600)
"""


def test_helpers_end_with_the_server() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=starting.ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        group = members_of(int(server.stdout.readline()))
        server.kill()
    assert len(group) == 3
    wait_until(lambda: not any(is_running(one) for one in group))


def test_a_helper_takes_less_memory_than_a_child(pair: Sandboxed, film: Path) -> None:
    find(pair, film)
    _, helper = group_of(pair)
    rollup = Path(f"/proc/{helper}/smaps_rollup")
    if not rollup.exists():
        pytest.skip("this kernel does not sum up a process's memory")
    private = rollup.read_text().partition("Private_Dirty:")[2].split()[0]
    assert int(private) / 1024 < LARGEST_HELPER_MEGABYTES


def test_without_a_second_way_to_open_the_file_the_child_does_it_alone(
    pair: Sandboxed, film: Path, alone: PeopleFound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handle, "OWN_FILES", "/nowhere")
    assert_same(find(pair, film), alone)
