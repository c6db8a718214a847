"""Ends a scan, or other work, cleanly when the system or the user asks it to end."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from function.library.scanning import Scanner

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, the end of a service, and the end of the terminal; Windows has no SIGHUP."""


@contextmanager
def ended_by_signals(scanner: Scanner) -> Iterator[threading.Event]:
    """End the scanner on a signal, and set the event that is given; its videos are given back.

    A second signal does what it did before. One that was ignored stays so, as `nohup` wants it.
    Signals reach the main thread alone, so in others there is nothing to take.
    """
    ended = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield ended
        return

    asked = SimpleQueue[bool]()

    def wait() -> None:
        if asked.get():
            ended.set()
            scanner.stopping.set()
            scanner.reader.close()  # or a slow frame, or a net that loads, would hold it up

    def take(*_: Any) -> None:
        _restore(before)
        asked.put(item=True)  # a thread does the rest: this one may just hold a lock of theirs

    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    before = {
        number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN
    }
    waiting = threading.Thread(target=wait, name="signals", daemon=True)
    waiting.start()
    try:
        for number in before:
            signal.signal(number, take)
        yield ended
    finally:
        _restore(before)
        asked.put(item=False)
        waiting.join()


def _restore(handlers: Mapping[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
