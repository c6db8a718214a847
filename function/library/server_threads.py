"""Threads of the server that work for a ledger, as long as the server runs."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from db.addresses import StoreAddress
from db.galleries import Store
from db.ledgers import Ledger
from db.stores import ClaimedWork, claim_ledger
from function.library.forgetting import open_library

POLLED_EVERY_SECONDS = 1.0
"""How soon it is noticed that another process asked for something, or made the ledger."""

CLOSED_WITHIN_SECONDS = 3.0
"""A video in work is given back within about a second."""


class ServerThread:
    """A thread that does some work again and again; it starts nothing before `start`.

    `work` returns after how many seconds it is to be called again, unless somebody wakes the
    thread; `prepare` is called there once. `closing` is set when it is to end.
    """

    def __init__(
        self, name: str, work: Callable[[], float], prepare: Callable[[], None] = lambda: None
    ) -> None:
        self._name, self._work, self._prepare = name, work, prepare
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.wake = threading.Event()
        self.closing = threading.Event()

    def start(self) -> None:
        """Begin, or go on at once; it may be called again."""
        with self._lock:
            if self._thread is None and not self.closing.is_set():
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                thread.start()  # where none is to be had, it may be tried again
                self._thread = thread
        self.wake.set()

    def stop(self) -> None:
        """Begin to end."""
        self.closing.set()
        self.wake.set()

    def close(self) -> None:
        """End, and wait for that, though not for long."""
        self.stop()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(CLOSED_WITHIN_SECONDS)

    def wait(self, seconds: float) -> None:
        """Wait until somebody wakes the thread, at most this many seconds; not if it is to end."""
        if self.closing.is_set():  # an earlier wait may have used up the wake that told of it
            return
        self.wake.wait(seconds)
        self.wake.clear()

    def _run(self) -> None:
        self._prepare()
        while not self.closing.is_set():
            self.wait(self._work())


@contextmanager
def claimed_ledger(
    address: StoreAddress,
    store: Store,
    work: ClaimedWork,
    thread: ServerThread,
    *,
    makes_it: bool = False,
) -> Iterator[Ledger | None]:
    """Become the one process that does some work for a ledger, and open it as soon as it is there.

    The claim comes first: a shell that makes the ledger leaves the work to the server from the
    beginning. With `makes_it`, the ledger is made here. Gives None if another process has the
    claim, or the thread ends.

    Raises:
        GalleryError: the ledger cannot be opened; see `db.errors`.
    """
    path = address.path
    if not makes_it and not path.exists() and not os.access(path.resolve().parent, os.W_OK):
        yield None  # no one can be made there, either
        return
    with claim_ledger(address, work) as is_ours:
        while is_ours and not (makes_it or path.exists() or thread.closing.is_set()):
            thread.wait(POLLED_EVERY_SECONDS)
        if not is_ours or thread.closing.is_set():
            yield None
            return
        with open_library(address, store) as ledger:
            yield ledger


def identify(path: Path) -> tuple[int, int] | None:
    """Tell a file from another one of the same name; None if it is not there."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
