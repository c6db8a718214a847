"""A pool of locked child processes, one for each slot, in which videos are decoded.

A video can crash, hang or capture the process that decodes it. It is then a child's loss: the
child is killed and replaced, and what it said is checked before it is believed.
"""

import logging
import threading
from collections.abc import Iterator

from function.child import Order, Ready
from function.children import Child, EndedError, setup_of
from function.errors import (
    EngineUnavailableError,
    RecognitionError,
    StoppingError,
    TimeLimitError,
    UnreadableVideoError,
)
from function.media import MediaFile
from function.recognition import Findings, Progress, Task
from function.settings import Settings

START_WITHIN_SECONDS = 120.0

_log = logging.getLogger(__name__)


class Sandbox:
    """Lends children to requests; `slots` of them at most are asked for at once.

    Nothing is started before the first is needed, so that a server may fork in between.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: list[Child] = []
        self._children: set[Child] = set()
        self._lock = threading.Lock()
        self._warming = threading.Lock()
        self._is_closed = False
        self._known: Ready | None = None

    def warm_up(self) -> Ready:
        """Start every child that is missing and wait for one, if this is the first call.

        Returns what it is; all are the same.

        Raises:
            EngineUnavailableError: the engine cannot run here, or SANDBOX is strict and cannot be.
        """
        with self._warming:
            if not self._known:
                for _ in range(self._settings.slots - len(self.processes())):
                    self._give_back(self._start())
                child, self._known = self._take_ready()
                self._give_back(child)
            return self._known

    def find_people(self, media: MediaFile, task: Task) -> Iterator[Progress | Findings]:
        """Find everyone in a video, as recognition.find_people does, in a child.

        Yields also while nothing moves, once a second. Closing the iterator ends the child's work.

        Raises:
            UnreadableVideoError: the file cannot be read as a video, or ended the child.
            VideoOverLimitError: it is larger than the limits allow.
            TimeLimitError: it took longer than TIME_LIMIT_SECONDS.
            StoppingError: the sandbox was closed meanwhile.
        """
        child, _ = self._take_ready()
        timer = threading.Timer(self._settings.time_limit_seconds, child.overrun)
        timer.daemon = True
        timer.start()
        try:
            yield from child.look(Order(media.name, task), media.descriptor)
        except EndedError as error:
            raise self._explain(child, error, media.name) from None
        finally:
            timer.cancel()
            self._give_back(child)

    def close(self) -> None:
        """Kill every child; requests that wait for one end with StoppingError."""
        with self._lock:
            self._is_closed = True
            children = list(self._children)
            idle, self._idle = self._idle, []
        for child in children:
            child.kill()
        for child in idle:
            child.close()

    def processes(self) -> list[int]:
        """Return the ids of the processes that are running."""
        with self._lock:
            return [child.process_id for child in self._children]

    def _take_ready(self) -> tuple[Child, Ready]:
        """Take a child that is loaded and locked; one that dies of starting has a second chance."""
        failure: RecognitionError
        for _ in range(2):
            child = self._take()
            try:
                ready = child.ready(START_WITHIN_SECONDS)
                self._require_locks(ready)
            except EndedError as error:
                failure = self._explain(child, error, "A video")
            except BaseException:
                self._give_back(child)
                raise
            else:
                return child, ready
            self._give_back(child)
        raise failure

    def _take(self) -> Child:
        with self._lock:
            if self._is_closed:
                raise _stopping()
            while self._idle:
                child = self._idle.pop()
                if child.is_alive():
                    return child
                child.close()
                self._children.discard(child)
        return self._start()

    def _start(self) -> Child:
        child = Child(setup_of(self._settings))
        with self._lock:
            self._children.add(child)
        return child

    def _give_back(self, child: Child) -> None:
        """Keep a child for the next video, or put a new one in its place."""
        if self._is_closed or not child.is_fit():
            child.close()
            with self._lock:
                self._children.discard(child)
            if self._is_closed:
                return
            child = self._start()
        with self._lock:
            self._idle.append(child)

    def _require_locks(self, ready: Ready) -> None:
        if self._settings.sandbox == "strict" and not {"files", "calls"} <= set(ready.locks):
            held = ", ".join(ready.locks) or "nothing"
            raise EngineUnavailableError(
                f"SANDBOX is strict, and this kernel locks {held} for the process that reads "
                "videos. Use Linux 5.13 or newer with Landlock, or set SANDBOX=on."
            )

    def _explain(self, child: Child, error: EndedError, name: str) -> RecognitionError:
        if self._is_closed:
            return _stopping()
        if child.has_overrun:
            return TimeLimitError(
                f"{name} took longer than {self._settings.time_limit_seconds:g} s. Give a shorter "
                "video, a larger every, or raise TIME_LIMIT_SECONDS."
            )
        if not child.was_ready:
            return EngineUnavailableError(
                f"The process that reads videos ended while it started ({error}). The log may "
                "say why; MEMORY_MEGABYTES may be too small."
            )
        _log.error("A video ended the process that read it (%s).", error)
        return UnreadableVideoError(
            f"{name} ended the process that read it ({error}). It is damaged, or made to harm."
        )


def _stopping() -> StoppingError:
    return StoppingError("This server is stopping. Ask again in a moment.")
