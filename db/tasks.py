"""Tasks for the user's Stash, done one after the other, however often we are stopped."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

TaskKind: TypeAlias = Literal["sync", "scan", "apply", "undo"]

TaskState: TypeAlias = Literal["queued", "working", "waiting", "done", "failed"]
"""Waiting: Stash does not answer, and is asked again. Failed: it cannot be done as asked."""


@dataclass(frozen=True)
class Task:
    """Something to do: `options` is JSON, `text` says how far it is, `done` of `of` are done.

    `run` is the run of what it writes; 0 for none. `result` is JSON, for whoever waits for it.
    `text` names nobody: it may end up in a log.
    """

    kind: TaskKind
    options: str = "{}"
    state: TaskState = "queued"
    text: str = ""
    done: int = 0
    of: int = 0
    run: int = 0
    result: str = "{}"
    id: int = 0
    at: str = ""


@dataclass(frozen=True)
class Queued:
    """The task that does what was asked for, by its id; `is_new` unless it was open before."""

    id: int
    is_new: bool


class Tasks(Protocol):
    """The tasks of a library. Every method is one short transaction."""

    def working(self) -> AbstractContextManager[bool]:
        """Become the one process that does the tasks; False if another one is."""

    def add(self, task: Task) -> int:
        """Queue a task; return its id. If the same task already waits, it is not queued twice."""

    def queue(self, task: Task, does_it: Callable[[Task], bool]) -> Queued:
        """Queue a task as `add` does, unless `does_it` says of an open one that it does it.

        Nobody can queue another in between.
        """

    def next(self) -> Task | None:
        """Return the task to continue with: the one in work, else the oldest that has not ended."""

    def cancel(self, task: int) -> bool:
        """Let a task that is queued or waiting fail; False if it is not, or in work."""

    def change(self, task: Task) -> None:
        """Store how far a task is."""

    def find(self, task: int) -> Task | None:
        """Return a task; None if there is none."""

    def count_queued(self) -> int:
        """Count the tasks that are queued."""

    def latest(self, limit: int = 20) -> list[Task]:
        """List tasks, the last one first."""
