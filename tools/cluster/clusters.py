"""The workers of a Dask cluster, as a scan uses them: which there are, and work for one of them."""

import threading
from collections.abc import Callable, Generator, Iterator
from itertools import count
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from function.errors import EngineUnavailableError, StoppingError
from function.faces.found import Progress
from function.sandbox.wire import WireError
from tools.cluster.messages import read

if TYPE_CHECKING:
    from distributed import Client, Future

HEARTBEAT_SECONDS = 1.0
"""How often a lost worker, a pause or an end is noticed."""

FETCHED_WITHIN_SECONDS = 60.0
"""An answer has a few megabytes."""


class WorkerFailedError(Exception):
    """A worker was lost, or cannot do what it was asked to; the text says why."""


class Cluster:
    """A scheduler and its workers; safe to use from several threads.

    `alive` are the workers that are there, `fit` those of them that may have work; others may be
    `joining`.
    """

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._lock = threading.Lock()
        self._numbers = count()
        self._progress: dict[int, Progress] = {}
        self.alive: frozenset[str] = frozenset()
        self.fit: tuple[str, ...] = ()
        self.joining = False
        self.topic = f"scan-{token_hex(8)}"
        self.closing = threading.Event()
        client.subscribe_topic(self.topic, self._note)

    def look(self) -> frozenset[str]:
        """Ask which workers there are, and return their addresses.

        Raises:
            EngineUnavailableError: the scheduler is gone.
        """
        try:
            if self._client.status == "running":
                return frozenset(self._client.scheduler_info()["workers"])
        except OSError:
            pass
        raise EngineUnavailableError(
            "The Dask scheduler has gone. Videos in work were given back; start it, and run this "
            "again to go on."
        )

    def ask(
        self, work: Callable[..., bytes], worker: str, *arguments: bytes
    ) -> Generator[None, None, bytes]:
        """Have a worker do something, and nobody else; returns its answer.

        Yields each second until then; closing it tells the worker to end.

        Raises:
            StoppingError: the cluster was closed, or its scheduler is gone.
            WorkerFailedError: the worker is gone, or cannot do it.
        """
        if self.closing.is_set():
            raise StoppingError("The scan was ended.")
        future: Future[bytes] = self._client.submit(
            work, *arguments, workers=[worker], allow_other_workers=False, pure=False, retries=0
        )
        try:
            yield from self._until_done(future, worker)
            return _result_of(future)
        finally:
            future.cancel()

    def _until_done(self, future: "Future[bytes]", worker: str) -> Iterator[None]:
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        while not done.wait(HEARTBEAT_SECONDS):
            if self.closing.is_set():
                raise StoppingError("The scan was ended.")
            if worker not in self.alive:
                raise WorkerFailedError(f"the worker {worker} was lost")
            yield

    def next_number(self) -> int:
        """Return a number under which a worker reports progress."""
        with self._lock:
            number = next(self._numbers)
            self._progress[number] = Progress(0.0, 0.0, 0)
        return number

    def progress(self, number: int) -> Progress:
        """Return how far the work with a number is."""
        with self._lock:
            return self._progress[number]

    def drop(self, number: int) -> None:
        """Take no more progress of some work."""
        with self._lock:
            self._progress.pop(number, None)

    def close(self) -> None:
        """Disconnect; work that is not done is given up."""
        self.closing.set()
        self._client.close()

    def _note(self, event: tuple[float, Any]) -> None:
        """Take progress that a worker sent; what is none of ours is left out."""
        try:
            _, said = event
            number, progress = int(said["number"]), read((Progress,), said["progress"])
        except (WireError, LookupError, TypeError, ValueError, OverflowError):
            return
        if min(vars(progress).values()) < 0:
            return
        with self._lock:
            if number in self._progress:
                self._progress[number] = progress


def _result_of(future: "Future[bytes]") -> bytes:
    if future.status in ("cancelled", "lost"):
        raise StoppingError("The Dask scheduler has gone.")
    try:
        result = future.result(timeout=FETCHED_WITHIN_SECONDS)
    except Exception as error:  # whatever Dask or the worker raised
        raise WorkerFailedError(f"{type(error).__name__}: {error}") from error
    if not isinstance(result, bytes):
        raise WorkerFailedError(f"it answered with {type(result).__name__}")
    return result
