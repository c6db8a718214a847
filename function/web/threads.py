"""The server's threads, of which some are for what is quick alone."""

from typing import Any

from waitress.task import ThreadedTaskDispatcher

from function.web.pages import PAGE_PREFIX

QUICK, QUICK_THREADS = ("/health", PAGE_PREFIX), 4
"""What takes no time, and may be asked by whoever wants to know whether we are there."""


class Threads(ThreadedTaskDispatcher):  # type: ignore[misc]  # waitress has no types
    """Threads for requests, and a few more for those that are quick: they never wait for others."""

    def __init__(self) -> None:
        super().__init__()
        self._quick = ThreadedTaskDispatcher()

    def set_thread_count(self, count: int) -> None:
        """Start so many threads, or end those that are too many."""
        super().set_thread_count(count)
        self._quick.set_thread_count(min(count, QUICK_THREADS))

    def add_task(self, task: Any) -> None:
        """Have a request answered as soon as a thread is free."""
        request = task.requests[0]
        if request.error or request.path.startswith(QUICK):
            self._quick.add_task(task)
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: int = 5) -> bool:  # noqa: FBT001, FBT002  # as waitress
        """End all threads, and say whether requests were still waiting."""
        was_waiting = self._quick.shutdown(cancel_pending, timeout)
        return bool(super().shutdown(cancel_pending, timeout) or was_waiting)
