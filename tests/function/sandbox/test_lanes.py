"""Lanes answer at the same time, each with nets that only its own thread runs."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress

import numpy as np
import pytest

from function.media.pictures import RgbImage
from function.sandbox import lanes
from function.sandbox.lanes import count_lanes, open_lanes, serve_in_lanes
from function.sandbox.nets import Desk, LostError, Numbers, RunsAll, make_desks
from tests.function.sandbox.test_nets import Sitting

WAIT_SECONDS = 60


class Meeting:
    """Nets that answer when as many run at once as are to meet, and say which thread they are."""

    provider = "CUDA"

    def __init__(self, meeting: threading.Barrier) -> None:
        self._meeting = meeting
        self.threads = [threading.get_ident()]

    @property
    def nets(self) -> Mapping[str, RunsAll]:
        return {"yunet": self}

    def prepare(self) -> None:
        self.threads.append(threading.get_ident())

    def size_for(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def run_all(self, stacks: Sequence[RgbImage]) -> list[Numbers]:
        self.threads.append(threading.get_ident())
        self._meeting.wait(WAIT_SECONDS)
        return [[stack.astype(np.float32)] for stack in stacks]


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    with ExitStack() as stack:
        desks = make_desks(2)
        for desk in desks:
            stack.callback(desk.asking.close)
            stack.callback(desk.answering.close)
        yield desks


def ask_all(desks: Sequence[Desk]) -> list[threading.Thread]:
    def ask(desk: Desk) -> None:
        with desk.asking, suppress(LostError):
            Sitting(desk).ask(1, np.ones((1, 4, 4, 3), np.uint8))

    askers = [threading.Thread(target=ask, args=(desk,)) for desk in desks]
    for asker in askers:
        asker.start()
    return askers


def test_two_lanes_run_their_own_nets_at_the_same_time(desks: list[Desk]) -> None:
    meeting = threading.Barrier(2)
    opened = open_lanes(lambda: Meeting(meeting), 2)
    askers = ask_all(desks)
    with pytest.raises(LostError):
        serve_in_lanes(opened, desks)
    for asker in askers:
        asker.join(WAIT_SECONDS)
    threads = [lane.nets.threads for lane in opened if isinstance(lane.nets, Meeting)]
    assert [len(one) for one in threads] == [3, 3]
    assert [len({*one}) for one in threads] == [1, 1]
    assert threads[0][0] != threads[1][0]


def test_a_lane_that_fails_ends_all(desks: list[Desk]) -> None:
    broken = threading.Barrier(2)
    broken.abort()
    (asker,) = ask_all(desks[:1])
    with pytest.raises(threading.BrokenBarrierError):
        serve_in_lanes(open_lanes(lambda: Meeting(broken), 1), desks[:1])
    desks[0].answering.close()
    asker.join(WAIT_SECONDS)
    assert not asker.is_alive()


class Gpu:
    """Opens nets as often as there is memory for them."""

    def __init__(self, fitting: int) -> None:
        self._left = fitting

    def open(self) -> Meeting:
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("CUDA out of memory")
        return Meeting(threading.Barrier(1))


@pytest.mark.parametrize(("fitting", "count", "lanes_there"), [(3, 3, 3), (2, 3, 2), (1, 3, 1)])
def test_a_gpu_has_as_many_lanes_as_fit(fitting: int, count: int, lanes_there: int) -> None:
    assert len(open_lanes(Gpu(fitting).open, count)) == lanes_there


def test_a_gpu_without_room_for_one_says_so() -> None:
    with pytest.raises(RuntimeError, match="out of memory"):
        open_lanes(Gpu(0).open, 3)


def test_without_nets_there_is_no_lane() -> None:
    assert open_lanes(lambda: None, 3) == []


def test_few_processes_share_one_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [count_lanes(desks) for desks in (1, 4, 9, 16)] == [1, 1, 1, 3]
    monkeypatch.setattr(lanes, "DESKS_A_LANE", 1)
    assert count_lanes(2) == 2
