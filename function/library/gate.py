"""Says when scanning has to wait: while it is paused, at other hours, or for a request."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from db.ledgers import Ledger
from function.library.jobs import is_paused
from function.setting_kinds import ALL_DAY, Hours


def _hour_now() -> int:
    return time.localtime().tm_hour


class Gate:
    """What every scanner of a process passes before it begins a video, and while it reads one.

    Safe to use from several threads.
    """

    def __init__(self, hours: Hours = ALL_DAY, hour_now: Callable[[], int] = _hour_now) -> None:
        """Let scanners through at some hours of the day; `hour_now` returns the current one."""
        self._hours = hours
        self._hour_now = hour_now
        self._lock = threading.Lock()
        self._requests = 0

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Hold up all scanners: somebody waits for an answer."""
        with self._lock:
            self._requests += 1
        try:
            yield
        finally:
            with self._lock:
                self._requests -= 1

    def is_within_hours(self) -> bool:
        """Say whether videos are scanned at this hour."""
        return self._hours.hold(self._hour_now())

    def is_held(self, ledger: Ledger) -> bool:
        """Say whether all have to wait, videos in work too; the hours do not interrupt one."""
        return self._requests > 0 or is_paused(ledger)
