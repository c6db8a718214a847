"""Queues what is asked for the user's Stash: the last run is taken back by one task at a time.

Which run is the last one is seen only when an undo begins. A second undo that waited behind the
first would take back the run before, which nobody asked for.
"""

from collections.abc import Mapping
from typing import Any

from db.cells import read_object
from db.ledgers import Ledger
from db.tasks import Queued, Task

UNDER_WAY = (
    "An undo is under way already, and no other one was queued. To take back the run before it "
    "too, ask again when it is done."
)

MOST_OPEN = 1000
"""This many tasks are looked through for an undo that is open; far fewer may wait."""


def queue_task(ledger: Ledger, task: Task) -> Queued:
    """Queue a task, or return the one that is open already and does what is asked.

    Raises:
        GalleryError: the ledger cannot be written; see `db.errors`.
    """
    is_for_last = task.kind == "undo" and not {"run", "scene"} & _chosen(task).keys()
    return ledger.tasks.queue(task, is_undo_of_run if is_for_last else lambda _: False)


def open_undo(ledger: Ledger) -> Task | None:
    """Return the task that takes back a run and is not ended; None if there is none."""
    open_tasks = (one for one in ledger.tasks.latest(MOST_OPEN) if _is_open(one))
    return next(filter(is_undo_of_run, open_tasks), None)


def is_undo_of_run(task: Task) -> bool:
    """Say whether a task takes back a run, the last one or another, and no single scene."""
    return task.kind == "undo" and "scene" not in _chosen(task)


def _is_open(task: Task) -> bool:
    return task.state not in ("done", "failed")


def _chosen(task: Task) -> Mapping[str, Any]:
    """Return the options of a task that say something; none if they are damaged."""
    return {name: value for name, value in (read_object(task.options) or {}).items() if value}
