"""Keeps in a ledger what is to be done for Stash."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from db.sqlite.ledger_connections import LedgerConnection
from db.sqlite.writers import only_worker
from db.tasks import Queued, Task

_TASKS = "SELECT kind, options, state, text, done, of_all, run, result, id, at FROM stash_tasks"

_OPEN = "state IN ('queued', 'working', 'waiting')"

MOST_KEPT = 200
"""Of the tasks that have ended, so many are kept to be looked at."""

_FORGET_OLD = """
    DELETE FROM stash_tasks WHERE state IN ('done', 'failed') AND id NOT IN
        (SELECT id FROM stash_tasks ORDER BY id DESC LIMIT ?)
"""


class SqliteTasks:
    """The tasks of a ledger, whose connection is used for reading and writing."""

    def __init__(self, ledger: LedgerConnection) -> None:
        self._ledger = ledger

    @contextmanager
    def working(self) -> Iterator[bool]:
        """Become the one process that does the tasks; False if another one is."""
        if self._ledger.path is None:
            yield True
            return
        with only_worker(self._ledger.path, "tasks") as is_ours:
            yield is_ours

    def add(self, task: Task) -> int:
        """Queue a task, unless the same one waits."""
        return self.queue(task, lambda _: False).id

    def queue(self, task: Task, does_it: Callable[[Task], bool]) -> Queued:
        """Queue a task, unless the same one waits, or `does_it` says that an open one does it."""
        sql = "INSERT INTO stash_tasks (kind, options, text) VALUES (?, ?, ?) RETURNING id"
        with self._ledger.writing() as db:
            for row in db.execute(f"{_TASKS} WHERE {_OPEN} ORDER BY id").fetchall():
                if _waits_as(one := Task(*row), task) or does_it(one):
                    return Queued(one.id, is_new=False)
            (number,) = db.execute(sql, (task.kind, task.options, task.text)).fetchone()
            db.execute(_FORGET_OLD, (MOST_KEPT,))
            return Queued(int(number), is_new=True)

    def next(self) -> Task | None:
        """Return the task to go on with."""
        found = self._tasks(f"WHERE {_OPEN} ORDER BY state = 'queued', id LIMIT 1")
        return found[0] if found else None

    def cancel(self, task: int) -> bool:
        """Let a task that is queued or waiting fail; False if it is not."""
        with self._ledger.writing() as db:
            sql = (
                "UPDATE stash_tasks SET state = 'failed', text = 'It was cancelled.' "
                "WHERE id = ? AND state IN ('queued', 'waiting')"
            )
            return bool(db.conn.execute(sql, (task,)).rowcount)

    def change(self, task: Task) -> None:
        """Store how a task stands."""
        with self._ledger.writing() as db:
            db.execute(
                "UPDATE stash_tasks SET state = ?, text = ?, done = ?, of_all = ?, run = ?, "
                "result = ? WHERE id = ?",
                (*(task.state, task.text, task.done, task.of), task.run, task.result, task.id),
            )

    def find(self, task: int) -> Task | None:
        """Return a task; None if there is none."""
        found = self._tasks("WHERE id = ?", task)
        return found[0] if found else None

    def count_queued(self) -> int:
        """Count the tasks that are queued."""
        with self._ledger.reading() as db:
            sql = "SELECT count(*) FROM stash_tasks WHERE state = 'queued'"
            return int(db.execute(sql).fetchone()[0])

    def latest(self, limit: int = 20) -> list[Task]:
        """List tasks, the last one first."""
        return self._tasks("ORDER BY id DESC LIMIT ?", limit)

    def _tasks(self, which: str, *values: Any) -> list[Task]:
        with self._ledger.reading() as db:
            return [Task(*row) for row in db.execute(f"{_TASKS} {which}", values).fetchall()]


def _waits_as(one: Task, task: Task) -> bool:
    return (one.kind, one.options, one.state) == (task.kind, task.options, "queued")
