"""Lanes: threads that run nets on one GPU at the same time, each for some of the desks.

Small nets fill a part of a GPU only, and a thread that waits for one does nothing else. So where
many processes ask, several threads answer. Each has nets of its own, because what CUDA has recorded
belongs to the thread that recorded it.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, Protocol

from function.sandbox.nets import Desk, LostError, RunsAll, serve

DESKS_A_LANE = 5
"""With 16 processes three lanes take a fifth less time than one. Each takes 1.8 GB of the GPU's
memory, which may be scarce where the cores are few, and 3 s to prepare."""


class Nets(Protocol):
    """The nets of one lane; `CudaNets` is such."""

    provider: str

    @property
    def nets(self) -> Mapping[str, RunsAll]:
        """The nets by their names."""

    def prepare(self) -> None:
        """Prepare every shape in which they run."""


@dataclass(frozen=True, eq=False)
class Lane:
    """A thread, and nets that only it runs."""

    thread: Executor
    nets: Nets


def count_lanes(desks: int) -> int:
    """Return how many lanes so many desks are worth."""
    return max(1, desks // DESKS_A_LANE)


def open_lanes(open_nets: Callable[[], Nets | None], count: int) -> list[Lane]:
    """Open and prepare the nets of so many lanes; none if the first has none.

    One lane after the other, as nothing else may run while CUDA records. If the GPU has no memory
    for as many, those that have their nets will do.

    Raises:
        Exception: whatever opening or preparing those of the first lane raises.
    """
    first = _open_lane(open_nets)
    lanes = [first] if first else []
    with suppress(Exception):  # most likely a GPU out of memory
        while lanes and len(lanes) < count and (lane := _open_lane(open_nets)):
            lanes.append(lane)
    return lanes


def _open_lane(open_nets: Callable[[], Nets | None]) -> Lane | None:
    def open_prepared() -> Nets | None:
        nets = open_nets()
        if nets:
            nets.prepare()
        return nets

    thread = ThreadPoolExecutor(1)
    nets = thread.submit(open_prepared).result()
    return Lane(thread, nets) if nets else None


def serve_in_lanes(lanes: Sequence[Lane], desks: Sequence[Desk]) -> NoReturn:
    """Run nets for those who ask at desks, which are dealt out to the lanes.

    Raises:
        LostError: nobody is left who could ask.
        Exception: whatever ends a lane before that.
    """
    serving = [
        lane.thread.submit(serve, lane.nets.nets, desks[number :: len(lanes)])
        for number, lane in enumerate(lanes)
    ]
    for ended in as_completed(serving):
        with suppress(LostError):
            ended.result()
    raise LostError
