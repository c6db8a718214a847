"""The server's thread that does what was asked for Stash, one task after the other.

Scanning goes on beside it. While Stash does not answer, it is asked again, less and less often.
"""

import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

from db.errors import GalleryError, GalleryLockedError
from db.galleries import Store
from db.ledgers import Ledger
from db.tasks import Queued, Task
from function.errors import BusyError, RecognitionError
from function.library.forgetting import open_library
from function.library.jobs import WantedScan
from function.library.server_threads import (
    POLLED_EVERY_SECONDS,
    ServerThread,
    claimed_ledger,
    identify,
)
from function.settings import Settings
from function.sources.records import NoAnswerError, UnusableSourceError
from function.stash.connection import find_connection, require_connection
from function.stash.options import Options
from function.stash.queueing import queue_task
from function.stash.settling import settle
from function.stash.syncing import is_synced
from function.stash.tasks import Workplace, do_task

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 300.0
"""Stash is asked again after the first pause, and each further one is twice as long."""

SYNCED_EVERY_SECONDS = 3600.0
"""How often everyone in Stash is compared with the gallery, besides when somebody asks for it."""

MOST_QUEUED = 100
"""This many tasks may wait: nobody asks for as many by hand, and each is kept until it is done."""

TOLD_EVERY_SECONDS = 0.5
"""How often it is stored how far a task is."""

UNEXPECTED = "It ended with an unexpected error, which is in the log. Please report it."

WAITING = "{why} It continues by itself as soon as that is over."

_log = logging.getLogger(__name__)


class TaskWorker:
    """Does the tasks of the ledger of some settings; it starts nothing before `start`.

    `want` takes scans that are to be done.
    """

    def __init__(
        self, settings: Settings, store: Store, want: Callable[[WantedScan], None]
    ) -> None:
        self._settings, self._store, self._want = settings, store, want
        self._thread = ServerThread("tasks", self._work)
        self._sync_at = 0.0

    def start(self) -> None:
        """Begin, or go on with, what is to be done; it may be called again."""
        self._thread.start()

    def add(self, task: Task) -> Queued:
        """Remember a task, even if the machine stops, and start with it; see `queue_task`.

        Raises:
            BusyError: MOST_QUEUED wait already.
            GalleryError: the ledger cannot be made or written; see `db.errors`.
        """
        with open_library(self._settings.library_db, self._store) as ledger:
            if ledger.tasks.count_queued() >= MOST_QUEUED:
                raise BusyError(f"{MOST_QUEUED} tasks are already waiting. Try again later.")
            queued = queue_task(ledger, task)
        self.start()
        return queued

    def stop(self) -> None:
        """Begin to end; what is in work is gone on with later."""
        self._thread.stop()

    def close(self) -> None:
        """End; what is in work is gone on with later."""
        self._thread.close()

    def _work(self) -> float:
        """Do tasks until that is not possible; say after how long to try again."""
        try:
            self._serve()
        except (GalleryError, RecognitionError, UnusableSourceError) as error:
            _log.warning("Tasks for Stash have to wait: %s", error)
            return FIRST_PAUSE_SECONDS
        except Exception:  # noqa: BLE001  # the last resort, and it is logged
            _log.exception("Tasks for Stash ended with an unexpected error.")
            return LONGEST_PAUSE_SECONDS
        return POLLED_EVERY_SECONDS

    def _serve(self) -> None:
        """Do tasks until the ledger's file is another one, unless another process does them."""
        address, thread = self._settings.library_db, self._thread
        with claimed_ledger(address, self._store, "tasks", thread) as ledger:
            if ledger is None:
                return
            file = identify(address.path)
            self._settle(ledger)
            while not thread.closing.is_set() and identify(address.path) == file:
                self._ask_hourly(ledger)
                task = ledger.tasks.next()
                if task:
                    work_on(task, ledger, self._place(ledger), thread.closing)
                else:
                    thread.wait(POLLED_EVERY_SECONDS)

    def _settle(self, ledger: Ledger) -> None:
        """Find out what became of writes that were in work when we were stopped, if Stash is up."""
        connection = find_connection(self._settings)
        if connection and ledger.writes.unsettled():
            try:
                with closing(connection.open()) as stash:
                    settle(ledger.writes, stash)
            except UnusableSourceError as error:
                _log.warning(
                    "Which of our last writes Stash carried out will be checked later: %s", error
                )

    def _ask_hourly(self, ledger: Ledger) -> None:
        """Queue a sync each hour, if the user has synced before: hooks of Stash tell too little."""
        if time.monotonic() < self._sync_at:
            return
        self._sync_at = time.monotonic() + SYNCED_EVERY_SECONDS
        if find_connection(self._settings) and self._store.exists():
            with self._store.gallery() as gallery:
                is_wanted = is_synced(gallery)
            if is_wanted:
                ledger.tasks.add(Task("sync", Options().to_json()))

    def _place(self, ledger: Ledger) -> Callable[[], Workplace]:
        return lambda: Workplace(
            self._settings,
            self._store,
            ledger,
            require_connection(self._settings),
            self._want,
        )


def work_on(
    task: Task,
    ledger: Ledger,
    place: Callable[[], Workplace],
    stopping: threading.Event,
    tell: Callable[[Task], None] = lambda _: None,
) -> Task:
    """Do a task to its end, however often Stash is away meanwhile; store and return how it stands.

    It is given up when somebody cancels it meanwhile, and broken off when `stopping` is set, to be
    gone on with later. `place` is asked again for each attempt: the connection may be another one.
    `tell` is called with how it stands.
    """
    pause_seconds = FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        try:
            with closing(_told_seldom(do_task(task, place()), ledger)) as steps:
                for step in steps:
                    task, pause_seconds = step, FIRST_PAUSE_SECONDS
                    tell(task)
                    if stopping.is_set():
                        return task
        except (NoAnswerError, GalleryLockedError) as error:
            task = replace(task, state="waiting", text=WAITING.format(why=error))
        except (UnusableSourceError, RecognitionError, GalleryError) as error:
            task = replace(task, state="failed", text=str(error))
        except Exception:  # noqa: BLE001  # it is logged, and must not block those behind it
            _log.exception("A task for Stash ended with an unexpected error.")
            task = replace(task, state="failed", text=UNEXPECTED)
        ledger.tasks.change(task)
        tell(task)
        if task.state in ("done", "failed"):
            break
        if cancelled := _cancelled_within(pause_seconds, task, ledger, stopping):
            return cancelled
        pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
    return task


def _cancelled_within(
    pause_seconds: float, task: Task, ledger: Ledger, stopping: threading.Event
) -> Task | None:
    """Wait before the next attempt; return the task as soon as somebody has cancelled it."""
    until = time.monotonic() + pause_seconds
    while (left := until - time.monotonic()) > 0 and not stopping.is_set():
        stored = ledger.tasks.find(task.id)
        if stored and stored.state == "failed":
            return stored
        stopping.wait(min(left, POLLED_EVERY_SECONDS))
    return None


def _told_seldom(steps: Generator[Task], ledger: Ledger) -> Generator[Task]:
    told_at, run = 0.0, 0
    with closing(steps):
        for task in steps:
            is_due = time.monotonic() - told_at >= TOLD_EVERY_SECONDS
            # The run is stored before anything is written for it.
            if is_due or task.run != run or task.state != "working":
                ledger.tasks.change(task)
                told_at, run = time.monotonic(), task.run
            yield task
