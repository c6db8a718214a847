"""Has a program that the system ends remove its files first."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SENT_BY_SYSTEM = ("SIGTERM", "SIGHUP")
"""The end of a service, and the end of the terminal; Windows has no SIGHUP."""


@contextmanager
def tidied_up() -> Iterator[None]:
    """When the system ends this program, leave the block first, so that it removes its files.

    The exit status is 128 and the signal, as a shell would report it. Ctrl-C does this anyway.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _: Any) -> None:
        sys.exit(128 + number)

    numbers = [getattr(signal, name) for name in _SENT_BY_SYSTEM if hasattr(signal, name)]
    before = {
        number: signal.signal(number, leave)
        for number in numbers
        if signal.getsignal(number) is signal.SIG_DFL
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
