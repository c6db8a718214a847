"""A scan in a process of its own, for tests that kill it."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from db.sqlite import ledger, ledger_queue
from db.sqlite.ledger import SqliteLedger
from function.library.crew import run_scanners
from function.library.finding import find_videos
from tests.support.scans import SquaresReader, make_scanner

POINTS = ("before finish", "within finish", "after finish", "in offer", "in fail", "after lease")
"""Where a scan can be told to end itself, as if it was killed there."""


def scan(folder: Path, media: Path, workers: int, point: str = "", crashing: str = "") -> None:
    """Scan `media` as the tool does, and write the name of each video that is reported done.

    `folder` holds the gallery, the ledger and the report. `crashing` names a video that crashes its
    reader. At `point` the process kills itself.
    """
    if point:
        _die_at(point)
    done = os.open(folder / "report", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with SqliteLedger(folder / "l.db") as ledger, ledger.working() as is_ours:
        assert is_ours
        ledger.offer(find_videos([media], ledger.stamps()).files, "normal")
        reader = SquaresReader(crashing=frozenset([crashing]))
        scanner = make_scanner(ledger, folder / "g.db", reader)
        for event in run_scanners(scanner, workers):
            if type(event).__name__ in ("Done", "Failed"):
                os.write(done, event.path.split(b"/")[-1] + b"\n")


def hold(path: Path, ready: Path, seconds: float) -> None:
    """Be another process that scans, and take a video for good."""
    with SqliteLedger(path) as ledger, ledger.working():
        ledger.lease("other", 600)
        ready.touch()
        time.sleep(seconds)


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_at(point: str) -> None:
    """Make the second call of something the last thing this process does."""
    if point in ("within finish", "in offer"):
        module, name = {
            "within finish": (ledger, "save_outcomes"),
            "in offer": (ledger_queue, "_offer"),
        }[point]
        setattr(module, name, _second_kills(getattr(module, name), before=True))
        return
    when, name = point.split()
    method = getattr(SqliteLedger, name)
    setattr(SqliteLedger, name, _second_kills(method, before=when in ("before", "in")))


def _second_kills(method: Any, *, before: bool) -> Any:
    calls = []

    def call(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if before and len(calls) > 1:
            _die()
        result = method(*arguments, **options)
        if len(calls) > 1:
            _die()
        return result

    return call
