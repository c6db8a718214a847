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

    The exit status is 128 and the signal, as a shell would report it. Ctrl-C does this anyway. What
    else the system sends meanwhile is ignored, as it would break off the removing: it may send the
    same twice, to a program and to the group that it is in.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    named = [getattr(signal, name) for name in _SENT_BY_SYSTEM if hasattr(signal, name)]
    numbers = [number for number in named if signal.getsignal(number) is signal.SIG_DFL]

    def leave(number: int, _: Any) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for number in numbers:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
