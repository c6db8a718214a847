"""Places for requests that hold a thread of the server for as long as their clients like."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from function.errors import BusyError


class Places:
    """So many places for requests of a kind; whoever finds all taken is refused with `words`."""

    def __init__(self, most: int, words: str) -> None:
        self._free = threading.BoundedSemaphore(most)
        self._words = words

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold one of the places.

        Raises:
            BusyError: all are taken.
        """
        if not self._free.acquire(blocking=False):
            raise BusyError(self._words)
        try:
            yield
        finally:
            self._free.release()
