"""Nets in a process of their own find what they find in the child, and run together."""

import gc
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from function.engines import onnx_engine
from function.engines.onnx.cuda_nets import SHAPES
from function.engines.onnx.fixed_shapes import FixedShapes, Run, Shape
from function.engines.protocol import DeviceName
from function.errors import CrashedVideoError, EngineUnavailableError
from function.media.pictures import RgbImage
from function.people.gathering import PeopleFound
from function.sandbox import child, nets, starting
from function.sandbox.channel import Channel
from function.sandbox.messages import Setup
from function.sandbox.nets import Desk, LostError, RemoteNets, make_desks, serve
from function.sandbox.readers import Sandboxed
from function.settings import Settings
from tests.function.sandbox.test_helpers import (
    Here,
    assert_same,
    film,
    find,
    group_of,
    is_running,
    wait_until,
)
from tests.support import standing_cuda
from tests.support.floats import in_floats

__all__ = ["film"]


@pytest.fixture(scope="module")
def alone(film: Path) -> PeopleFound:
    """What is found in floats, as on a GPU: processors multiply bytes instead."""
    with in_floats():
        return find(Here(Settings()), film)


class Doubling:
    """Doubles the pixels, and remembers how many stacks came at once."""

    def __init__(self) -> None:
        self.at_once: list[int] = []

    def run_all(self, stacks: Sequence[RgbImage]) -> list[list[nets.NDArray[np.float32]]]:
        self.at_once.append(len(stacks))
        return [[stack.astype(np.float32) * 2, np.float32([len(stack)])] for stack in stacks]

    def size_for(self, height: int, width: int) -> tuple[int, int]:
        return height, width


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    desks = make_desks(3)
    yield desks
    for desk in desks:
        desk.asking.close()
        desk.answering.close()


@pytest.fixture
def net(desks: list[Desk]) -> Iterator[Doubling]:
    """Serve in a thread, which ends with those who ask."""
    doubling = Doubling()

    def run() -> None:
        with pytest.raises(LostError):
            serve({"yunet": doubling}, desks)

    thread = threading.Thread(target=run)
    thread.start()
    yield doubling
    for desk in desks:
        desk.asking.close()
    thread.join(60)
    assert not thread.is_alive()


class Sitting(RemoteNets):
    """Asks at one desk, in the process that answers too."""

    def __init__(self, desk: Desk) -> None:
        self.provider = "CUDA"
        self._link = desk.answering
        self._desk = desk
        self._lock = threading.Lock()


def test_answers_come_back_to_those_who_asked(desks: list[Desk], net: Doubling) -> None:
    for number, desk in enumerate(desks):
        pictures = np.full((2, 4, 5, 3), number, np.uint8)
        doubled, count = Sitting(desk).net("yunet").run(None, {"pixels": pictures})
        assert doubled.shape == (2, 4, 5, 3)
        assert (doubled == 2 * number).all()
        assert count.tolist() == [2]
    assert net.at_once == [1, 1, 1]


def test_what_is_asked_at_one_time_runs_together(desks: list[Desk]) -> None:
    doubling = Doubling()
    pictures = np.ones((1, 4, 4, 3), np.uint8)
    askers = [threading.Thread(target=Sitting(desk).ask, args=(1, pictures)) for desk in desks[:2]]
    for asker in askers:
        asker.start()
    wait_until(lambda: all(_has_come(desk) for desk in desks[:2]))

    def close_when_answered() -> None:
        for asker in askers:
            asker.join()
        for desk in desks:
            desk.asking.close()

    closing = threading.Thread(target=close_when_answered)
    closing.start()
    with pytest.raises(LostError):
        serve({"yunet": doubling}, desks)
    closing.join()
    assert doubling.at_once == [2]


def _has_come(desk: Desk) -> bool:
    return bool(select.select([desk.answering], [], [], 0)[0])


@pytest.mark.parametrize(
    "request_for",
    [
        (1, 0, 4, 4),
        (1, 65535, 65535, 65535),
        (nets.NAMES.index("sface"), 1, 4, 4),  # which is not here
        (len(nets.NAMES), 1, 4, 4),
    ],
)
def test_who_asks_for_what_cannot_be_is_refused_at_once(
    request_for: tuple[int, int, int, int], desks: list[Desk], net: Doubling
) -> None:
    asked = Sitting(desks[0])
    os.write(desks[0].asking.fileno(), nets._REQUEST.pack(*request_for))
    with pytest.raises(MemoryError):
        asked._read_answer()
    for one in (asked, Sitting(desks[1])):
        doubled, _ = one.ask(1, np.ones((1, 4, 4, 3), np.uint8))
        assert (doubled == 2).all()
    assert net.at_once == [1, 1]


def test_who_asks_by_halves_is_left_and_holds_up_nobody(desks: list[Desk], net: Doubling) -> None:
    os.write(desks[0].asking.fileno(), nets._REQUEST.pack(1, 1, 4, 4)[:3])
    assert os.read(desks[0].asking.fileno(), 1) == b""
    Sitting(desks[1]).ask(1, np.ones((1, 4, 4, 3), np.uint8))
    assert net.at_once == [1]


def test_a_child_that_is_no_longer_answered_ends_although_the_nets_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(nets, "LAST_SECONDS", 0.2)
    monkeypatch.setattr(os, "_exit", sys.exit)
    desk = make_desks(1)
    ours, theirs = socket.socketpair()
    watching = RemoteNets(desk, "CUDA", ours)  # which closes the end that answers
    watcher = threading.Thread(target=_ignoring_exit, args=(watching.end,))
    watcher.start()
    with ours, desk[0].asking:
        with theirs, pytest.raises(SystemExit) as ended:
            watching.net("yunet").run(None, {"pixels": np.ones((1, 4, 4, 3), np.uint8)})
        watcher.join(60)
    assert ended.value.code == nets.NETS_ENDED
    assert "The process that runs the nets has ended." in caplog.text


def _ignoring_exit(end: Callable[[], None]) -> None:
    with suppress(SystemExit):
        end()


def test_large_pictures_of_which_one_fits_run_one_after_the_other(
    desks: list[Desk], net: Doubling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nets, "ROOM_BYTES", 8 * 8 * 3 * 4 + 4)
    pictures = (np.arange(5 * 8 * 8 * 3) % 256).astype(np.uint8).reshape(5, 8, 8, 3)
    doubled, counts = Sitting(desks[0]).net("yunet").run(None, {"pixels": pictures})
    assert (doubled == 2.0 * pictures).all()
    assert counts.tolist() == [1] * 5
    assert net.at_once == [1] * 5
    with pytest.raises(MemoryError):
        Sitting(desks[0]).net("yunet").run(None, {"pixels": np.zeros((1, 9, 9, 3), np.uint8)})


def test_pictures_that_are_too_large_are_refused(
    desks: list[Desk], net: Doubling, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MemoryError):  # twice as many numbers, each of four bytes
        Sitting(desks[0]).ask(1, np.zeros((1, 4096, 4096, 3), np.uint8))
    assert net.at_once == [1]
    monkeypatch.setattr(nets, "ROOM_BYTES", 100)
    with pytest.raises(MemoryError):
        Sitting(desks[0]).ask(1, np.zeros((1, 10, 10, 3), np.uint8))
    assert net.at_once == [1]


@pytest.mark.parametrize("sizes", [(1, 65535, 1), (1, 1, 1281), (3000, 2, 2)])
def test_a_few_pixels_do_not_take_the_memory_of_many(
    sizes: tuple[int, int, int], desks: list[Desk]
) -> None:
    opened: list[Shape] = []

    def open_shape(shape: Shape, _: bool) -> Run:  # noqa: FBT001  # as OpenShape says
        opened.append(shape)
        return lambda batch: [np.zeros((len(batch), 1), np.float32)]

    net = FixedShapes(open_shape, SHAPES["yunet"], 1280)
    serving = threading.Thread(target=serve_until_left, args=(net, desks))
    serving.start()
    try:
        with pytest.raises(MemoryError):
            Sitting(desks[0]).ask(1, np.zeros((*sizes, 3), np.uint8))
        assert opened == []
        (found,) = Sitting(desks[0]).ask(1, np.zeros((2, 1, 1280, 3), np.uint8))
        assert found.shape == (2, 1)
    finally:
        for desk in desks:
            desk.asking.close()
        serving.join(60)


def serve_until_left(net: nets.RunsAll, desks: list[Desk]) -> None:
    with suppress(LostError):
        serve({"yunet": net}, desks)


def test_who_asks_nets_that_have_ended_is_told_so(desks: list[Desk]) -> None:
    desks[0].answering.close()
    with pytest.raises(LostError):
        Sitting(desks[0]).ask(1, np.ones((1, 4, 4, 3), np.uint8))


ON_CUDA = replace(Settings(), threads=2, device="cuda", decode="cpu")


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    monkeypatch.setattr(starting, "CHILD_MODULE", standing_cuda.__name__)
    with closing(Sandboxed(ON_CUDA)) as reader:
        yield reader


needs_linux = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="this system has no helpers"
)


@needs_linux
def test_a_child_without_nets_of_its_own_finds_the_same_and_keeps_its_locks(
    reader: Sandboxed, film: Path, alone: PeopleFound
) -> None:
    ready = reader.ready()
    assert (ready.provider, ready.helpers) == ("CUDA", 1)
    assert {"memory", "calls"} <= {*ready.locks}
    assert len(group_of(reader)) == 3
    found = find(reader, film)
    assert_same(found, alone)


@needs_linux
@pytest.mark.parametrize(("threads", "desks_a_lane"), [(4, 1), (4, 2)])
def test_lanes_find_the_same_and_go_on_when_helpers_end(
    threads: int,
    desks_a_lane: int,
    film: Path,
    alone: PeopleFound,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starting, "CHILD_MODULE", standing_cuda.__name__)
    monkeypatch.setenv("CUDA_DESKS_A_LANE", str(desks_a_lane))
    with closing(Sandboxed(replace(ON_CUDA, threads=threads))) as reader:
        reader.ready()
        child, process, *helpers = group_of(reader)
        lanes = threads // desks_a_lane
        assert len([*Path(f"/proc/{process}/task").iterdir()]) == 1 + lanes

        def kill() -> None:
            for helper in helpers[::2]:
                os.kill(helper, signal.SIGKILL)

        assert_same(find(reader, film, meanwhile=kill), alone)
        assert_same(find(reader, film), alone)
        assert reader.pool.processes() == [child]


@needs_linux
@pytest.mark.parametrize("watched_after", ["0", "0.5"])  # before and after the child is locked
def test_a_gpu_that_fails_is_not_blamed_on_the_film(
    watched_after: str,
    film: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(starting, "CHILD_MODULE", standing_cuda.__name__)
    monkeypatch.setenv("CUDA_FAILS_AFTER", "60")
    monkeypatch.setenv("CUDA_WATCHED_AFTER", watched_after)
    with closing(Sandboxed(ON_CUDA)) as reader:
        reader.ready()
        with pytest.raises(CrashedVideoError, match=r"runs its nets had ended\. The log") as raised:
            find(reader, film)
    assert "damaged" not in str(raised.value)
    assert "nets has ended: RuntimeError: Failed to allocate memory: CUDA out of" in caplog.text
    assert "crashed" not in caplog.text


@needs_linux
def test_copies_that_are_too_large_for_the_nets_are_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starting, "CHILD_MODULE", standing_cuda.__name__)
    told = r"DETECTION_PIXELS is 6401; on CUDA it may be 6400 at most\. Lower it, or set DEV"
    large = replace(ON_CUDA, detection_pixels=6401)
    with (
        closing(Sandboxed(large)) as reader,
        pytest.raises(EngineUnavailableError, match=told),
    ):
        reader.ready()
    with closing(Sandboxed(replace(ON_CUDA, detection_pixels=6400))) as reader:
        assert reader.ready().provider == "CUDA"


@needs_linux
def test_a_child_whose_nets_have_ended_is_replaced(
    reader: Sandboxed, film: Path, alone: PeopleFound
) -> None:
    reader.ready()
    _, process, _ = group_of(reader)  # it is forked first
    with pytest.raises(CrashedVideoError):
        find(reader, film, meanwhile=lambda: os.kill(process, signal.SIGKILL))
    assert_same(find(reader, film), alone)


@needs_linux
def test_a_child_that_is_locked_before_it_watches_its_nets_goes_on(
    film: Path, alone: PeopleFound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "CHILD_MODULE", standing_cuda.__name__)
    monkeypatch.setenv("CUDA_WATCHED_AFTER", "0.5")
    with closing(Sandboxed(ON_CUDA)) as reader:
        reader.ready()
        (before,) = reader.pool.processes()
        time.sleep(1)
        assert_same(find(reader, film), alone)
        assert reader.pool.processes() == [before]


@needs_linux
def test_helpers_that_warn_as_they_start_are_there_and_what_they_say_is_said_once(
    film: Path,
    alone: PeopleFound,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(starting, "CHILD_MODULE", standing_cuda.__name__)
    with closing(Sandboxed(replace(ON_CUDA, threads=3, decode="auto"))) as reader:
        ready = reader.ready()
        assert ready.helpers == 2
        if ready.decoder == "cpu":  # each process finds out, as each would have to open a GPU
            helpers = "sandbox.helpers:The processor decodes videos, not the GPU"
            own = "media.gpu:The processor decodes videos, not the GPU"
            assert (caplog.text.count(helpers), caplog.text.count(own)) == (1, 1)
            assert_same(find(reader, film), alone)


@needs_linux
def test_nets_that_end_between_two_videos_cost_neither(
    reader: Sandboxed, film: Path, alone: PeopleFound
) -> None:
    reader.ready()
    before, process, _ = group_of(reader)
    assert_same(find(reader, film), alone)
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: not is_running(before))
    assert_same(find(reader, film), alone)


class Nets:
    """Nets on a GPU that has no memory for them."""

    provider = "CUDA"
    nets: ClassVar[dict[str, FixedShapes]] = {}

    def prepare(self) -> None:
        raise RuntimeError("CUDA out of memory")


def end_at_once(_: object) -> Nets:
    os._exit(9)


def open_none(_: object) -> Nets:
    raise EngineUnavailableError("no CUDA")


BROKEN = {
    "memory": SimpleNamespace(open_nets=lambda _: Nets()),
    "opening": SimpleNamespace(open_nets=open_none),
    "import": None,
    "crash": SimpleNamespace(open_nets=end_at_once),
}


def fork_nets(device: DeviceName, engine: str = "onnx") -> Setup:
    setup = starting.setup_of(Settings(device=device, engine=engine))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        setup, there = child._fork_nets(setup, Channel(theirs), [])
    assert there is None
    return setup


def test_the_process_with_the_nets_collects_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = SimpleNamespace(prepare=lambda: None, provider="CUDA", nets={})
    engine = SimpleNamespace(open_nets=lambda _: opened)
    monkeypatch.setitem(sys.modules, onnx_engine.__name__, engine)
    monkeypatch.setattr(child, "_fall_silent", lambda: None)
    monkeypatch.setattr(child, "lock_down", lambda *_, **__: ())
    collects: list[bool] = []
    monkeypatch.setattr(child, "serve_in_lanes", lambda *_: collects.append(gc.isenabled()))
    options = child._options(starting.setup_of(Settings()), 1, None)
    ours, theirs = socket.socketpair()
    gc.disable()  # as whoever starts a child does
    try:
        with ours, theirs:
            child._serve_nets(options, Channel(theirs), [])
    finally:
        gc.enable()
    assert collects == [True]


@needs_linux
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("memory", "RuntimeError: CUDA out of memory"),
        ("opening", "no CUDA"),
        ("import", "ModuleNotFoundError"),
        ("crash", "ended the process"),
    ],
)
def test_a_gpu_that_works_half_is_done_without_unless_it_is_required(
    broken: str, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, onnx_engine.__name__, BROKEN[broken])
    monkeypatch.setattr(child, "may_use_cuda", lambda _: True)
    monkeypatch.setattr(child, "_is_alone", lambda: True)
    assert fork_nets("auto").device == "cpu"
    assert "do not run on CUDA" in caplog.text
    assert reason in caplog.text
    with pytest.raises(EngineUnavailableError, match=reason):
        fork_nets("cuda")
    with pytest.raises(EngineUnavailableError, match=reason):
        fork_nets("cuda", "auto")
    monkeypatch.setattr("dlib.DLIB_USE_CUDA", True)
    setup = fork_nets("cuda", "auto")
    assert (setup.engine, setup.device) == ("dlib", "cuda")
