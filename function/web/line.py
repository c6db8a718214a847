"""A line of requests that wait for one of the slots: first come, first served."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from function.errors import BusyError

MOST_WAITING = 4
"""Each takes one of the server's threads, and requests for pages and pictures need some."""

RETRY = "Try again in a moment, or raise SLOTS."


class Line:
    """Lends out slots; whoever leaves makes room, wherever they stood. Safe to use from threads."""

    def __init__(self, slots: int) -> None:
        """Begin with all of the slots free."""
        self._slots = slots
        self._free = slots
        self._moved = threading.Condition()
        self._waiting: deque[Turn] = deque()

    @contextmanager
    def join(self) -> Iterator["Turn"]:
        """Wait in line, and then hold a slot, until the block ends.

        Raises:
            BusyError: MOST_WAITING others wait already.
        """
        turn = Turn(self._moved, self._waiting)
        with self._moved:
            if len(self._waiting) >= MOST_WAITING:
                raise BusyError(
                    f"All {self._slots} slots are in use for other videos, and "
                    f"{MOST_WAITING} more requests wait for one. {RETRY}"
                )
            self._waiting.append(turn)
            self._let_in()
        try:
            yield turn
        finally:
            with self._moved:
                if turn.has_come:
                    self._free += 1
                else:
                    self._waiting.remove(turn)
                self._let_in()

    def _let_in(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            self._waiting.popleft().has_come = True
        self._moved.notify_all()


class Turn:
    """One request's place in the line."""

    def __init__(self, moved: threading.Condition, waiting: deque["Turn"]) -> None:
        """Belong to a line, given who waits in it and what tells when it moves."""
        self.has_come = False
        self._moved = moved
        self._waiting = waiting

    def wait(self, seconds: float) -> bool:
        """Wait for a slot, at most this long; say whether one is held."""
        with self._moved:
            return self._moved.wait_for(lambda: self.has_come, seconds)

    def ahead(self) -> int:
        """Return how many others wait who came earlier."""
        with self._moved:
            return 0 if self.has_come else self._waiting.index(self)
