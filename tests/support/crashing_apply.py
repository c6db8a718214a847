"""Writing into Stash in a process of its own, for tests that kill it."""

import os
import signal
from pathlib import Path
from typing import Any

from db.sqlite.ledger import SqliteLedger
from db.sqlite.ledger_writes import SqliteWrites
from function.stash.applying import Addition, add_performers
from function.stash.client import Stash
from function.stash.settling import settle
from function.stash.undoing import undo
from function.stash.writer import Writer

POINTS = ("before intend", "after intend", "before confirm", "after confirm")
UNDO_POINTS = ("after begin_undo", "before end_undo", "after end_undo")


def apply_all(
    ledger: Path,
    address: str,
    additions: list[tuple[str, str]],
    tag: str,
    point: str = "",
    *,
    api_key: str = "right",
) -> None:
    """Go on with the one run of a ledger until all is written; at `point` the process ends."""
    if point:
        _die_at(point)
    stash = Stash(address, api_key)
    with SqliteLedger(ledger) as opened:
        settle(opened.writes, stash)
        found = opened.choice("run")
        run = int(found) if found else opened.writes.begin_run("apply")
        opened.choose("run", str(run))
        writer = Writer(opened.writes, stash, run)
        for _ in add_performers(writer, [Addition(*one) for one in additions], tag):
            pass


def undo_all(ledger: Path, address: str, point: str = "", *, api_key: str = "right") -> None:
    """Undo that run; at `point` the process ends."""
    if point:
        _die_at(point)
    stash = Stash(address, api_key)
    with SqliteLedger(ledger) as opened:
        settle(opened.writes, stash)
        for _ in undo(opened.writes, stash, opened.writes.of_run(int(opened.choice("run")))):
            pass


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_at(point: str) -> None:
    """Make the second call of something the last thing this process does."""
    when, name = point.split()
    method = getattr(SqliteWrites, name)
    calls: list[int] = []

    def call(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if when == "before" and len(calls) > 1:
            _die()
        result = method(*arguments, **options)
        if len(calls) > 1:
            _die()
        return result

    setattr(SqliteWrites, name, call)
