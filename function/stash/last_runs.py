"""Says what an undo of the last run takes back: the last Apply, and an older one only if asked for.

Whoever presses Undo a second time may not know that the first one has ended. Nothing is taken back
then; it is said which run would be next, and that one is taken back if undo is asked for again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from db.cells import read_object
from db.counted import counted
from db.ledgers import Ledger
from db.writes import Run, Write
from function.stash.options import Options
from function.stash.queueing import is_undo_of_run

MOST_RUNS = 1000
"""This many runs are looked through for the last one."""

ASKS = "asks"
"""The result of an undo that took back nothing names under this word the run it asks about."""


@dataclass(frozen=True)
class OlderRun:
    """A run that is to be asked about before it is taken back, and the words to do so."""

    run: int
    question: str


def undoable(ledger: Ledger, options: Options) -> list[Write]:
    """Return what is to be undone: a run, a scene, or the last Apply that was not undone before.

    Of one that was undone something may be left, on scenes that somebody edited since: it is taken
    again only with `edited`. What was added by hand, scene by scene, is never the last run. Empty
    where an `older_run` is to be asked about.
    """
    if options.scene:
        return ledger.writes.of_scene(options.scene, options.item)
    run = options.run or _next_run(ledger, options)
    return ledger.writes.of_run(run) if run and not older_run(ledger, options) else []


def older_run(ledger: Ledger, options: Options) -> OlderRun | None:
    """Return the run that an undo of the last run would take back, if a later one was undone.

    None if there is no such run, if a run or a scene is named, or if the last undo has asked this.
    """
    if options.scene or options.run:
        return None
    applied = _applied(ledger)
    next_run = _next_run(ledger, options)
    found = next((one for one in applied if one.id == next_run), None)
    if found is None or found is applied[0] or _asked_last(ledger) == found.id:
        return None
    at = found.at[:16].replace("T", " ")
    return OlderRun(
        found.id,
        "Nothing was taken back, because the last run was undone before. To take back the one "
        f"before it too (run {found.id} on {counted(found.scenes, 'scene')}, {at} UTC), undo once "
        "more.",
    )


def _next_run(ledger: Ledger, options: Options) -> int:
    """Return the last Apply of which there is something to take back; 0 if there is none."""
    return next(_left_of(ledger, options), 0)


def _left_of(ledger: Ledger, options: Options) -> Iterator[int]:
    tried = set() if options.edited else _tried(ledger)
    for one in _applied(ledger):
        if one.id not in tried and ledger.writes.of_run(one.id):
            yield one.id


def _applied(ledger: Ledger) -> list[Run]:
    return [one for one in ledger.writes.runs(MOST_RUNS) if one.kind == "apply"]


def _tried(ledger: Ledger) -> set[int]:
    """Return the runs that were undone before, as far as they were as we left them."""
    tasks = ledger.tasks.latest(MOST_RUNS)
    return {one.run for one in tasks if one.kind == "undo" and one.state == "done"}


def _asked_last(ledger: Ledger) -> int:
    """Return the run that the last undo has asked about; 0 if it has asked nothing."""
    tasks = ledger.tasks.latest(MOST_RUNS)
    ended = (one for one in tasks if one.state == "done" and is_undo_of_run(one))
    result = read_object(next((one.result for one in ended), "{}")) or {}
    asked = result.get(ASKS)
    return asked if isinstance(asked, int) else 0
