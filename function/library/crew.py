"""Runs several scanners at once, each in a thread, and yields what happens in all of them."""

import queue
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

from function.errors import DiskMissingError, StoppingError
from function.library.scan_events import Event
from function.library.scanning import Scanner

_END: None = None


def run_scanners(scanner: Scanner, workers: int) -> Generator[Event]:
    """Scan with `workers` threads until the queue is empty; closing it ends the work cleanly.

    Raises:
        DiskMissingError: as for `scan_all`, when all have ended.
        RecognitionError, GalleryError: what ended a scanner; the others are ended too.
        StoppingError: `scanner.stopping` was set, or the reader closed, while a video was in work.
    """
    events: queue.Queue[Event | None] = queue.Queue(maxsize=1000)

    def work() -> None:
        try:
            with closing(scanner.scan_all()) as found:
                for event in found:
                    events.put(event)
        except DiskMissingError:
            raise  # the others continue with what is there
        except BaseException:
            scanner.stopping.set()
            raise
        finally:
            events.put(_END)

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="scan") as pool:
        running = [pool.submit(work) for _ in range(workers)]
        try:
            yield from _until_ended(events, len(running))
        finally:
            scanner.stopping.set()
            _drain(events, running)
    _raise_cause(running)


def _raise_cause(ended: list["Future[None]"]) -> None:
    """Raise what ended a scanner, not that the others were ended with it."""
    errors = [error for one in ended if (error := one.exception())]
    errors.sort(key=lambda error: isinstance(error, StoppingError))
    if errors:
        raise errors[0]


def _until_ended(events: "queue.Queue[Event | None]", running: int) -> Iterator[Event]:
    while running:
        event = events.get()
        if event is None:
            running -= 1
        else:
            yield event


def _drain(events: "queue.Queue[Event | None]", running: list["Future[None]"]) -> None:
    """Take events until all have ended: a full queue would hold them up."""
    waker = threading.Event()
    while not all(one.done() for one in running):
        while not events.empty():
            events.get_nowait()
        waker.wait(0.05)
