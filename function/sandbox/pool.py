"""A pool of locked child processes, one per slot, that decode videos and photos.

A file can crash, hang or capture the process that decodes it. Then only a child is lost: it is
killed and replaced, and its output is checked before it is used.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property

from function.engines.models import find_fusion
from function.errors import (
    CrashedVideoError,
    EngineUnavailableError,
    PhotoUnusableError,
    RecognitionError,
    StoppingError,
    TimeLimitError,
    UnreadableVideoError,
)
from function.matching.second_models import SecondModel, open_second
from function.sandbox.handle import Child, EndedError, NetsEndedError
from function.sandbox.messages import Ready
from function.sandbox.orders import ORDERS, Order
from function.sandbox.starting import setup_of
from function.settings import Settings

START_WITHIN_SECONDS = 120.0

LOCKS = ("files", "calls")
"""What SANDBOX=strict requires."""

NO_ROOM = (
    "The process that reads videos cannot be started or watched ({error}). All processes, files or "
    "memory that the server may have are in use: try again, or allow it more."
)

_log = logging.getLogger(__name__)


class Sandbox:
    """Lends children to requests, and starts another if all are in use.

    At most `slots` idle children are kept; the pool does not limit how many requests run at once.
    No child is started before it is needed, so a server may fork before that.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: list[Child] = []
        self._children: set[Child] = set()
        self._lock = threading.Lock()
        self._warming = threading.Lock()
        self._is_closed = False
        self._known: Ready | None = None

    @cached_property
    def second(self) -> SecondModel | None:
        """The second model of the children; None if they have one net.

        Raises:
            EngineUnavailableError: it cannot be used, or has not been fitted.
        """
        return open_second(self._settings.engine_options)

    def warm_up(self) -> Ready:
        """Start every missing child and wait for one, if this is the first call.

        Returns what it reports; all are the same.

        Raises:
            EngineUnavailableError: the engine cannot run here, or SANDBOX=strict cannot be met.
        """
        with self._warming:
            if not self._known:
                for _ in range(self._settings.slots - len(self.processes())):
                    self._give_back(self._start())
                child, self._known = self._take_ready()
                self._give_back(child)
                _warn_of_missing_locks(self._known)
            return self._known

    @contextmanager
    def lend(self, order: Order, limit_seconds: float) -> Iterator[Child]:
        """Lend a child for an order; it is killed when its time is up.

        Raises:
            UnreadableVideoError, PhotoUnusableError: the file crashed the child.
            TimeLimitError: it took longer than `limit_seconds`.
            StoppingError: the sandbox was closed meanwhile.
            EngineUnavailableError: no child can be had.
        """
        child, _ = self._take_ready()
        timer = threading.Timer(limit_seconds, child.overrun)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError as error:  # no thread is to be had
            self._give_back(child)
            raise EngineUnavailableError(NO_ROOM.format(error=error)) from error
        try:
            yield child
        except EndedError as error:
            child.kill()  # what has ended its answers may not have ended yet: nobody else gets it
            raise self._explain(child, error, order, limit_seconds) from None
        finally:
            timer.cancel()
            timer.join()  # or it could end the child in the hands of the next
            self._give_back(child)

    def close(self) -> None:
        """Kill every child; requests that use one end with StoppingError."""
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
        """Take a child that is loaded and locked; one that dies starting gets a second try."""
        failure: RecognitionError
        for _ in range(2):
            child = self._take()
            try:
                ready = child.ready(START_WITHIN_SECONDS)
                self._require_locks(ready)
                second = self.second
                find_fusion(ready.models, second.fusion if second else None)
            except EndedError as error:
                failure = self._explain_start(error)
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
                if child.is_alive() and child.is_quiet():
                    return child
                child.close()
                self._children.discard(child)
        return self._start()

    def _start(self) -> Child:
        second = self.second
        try:
            child = Child(setup_of(self._settings), second.kind if second else None)
        except OSError as error:  # it says nothing of the file: no scan may blame one
            raise EngineUnavailableError(NO_ROOM.format(error=error)) from error
        with self._lock:
            is_late = self._is_closed
            if not is_late:
                self._children.add(child)
        if is_late:
            child.close()
            raise _stopping()
        return child

    def _give_back(self, child: Child) -> None:
        """Keep a child for the next order; or drop it, and start a new one if one is missing."""
        if child.is_fit() and self._keep(child):
            return
        child.close()
        with self._lock:
            self._children.discard(child)
            is_missing = not self._is_closed and len(self._idle) < self._settings.slots
        if is_missing:
            # Closed meanwhile, or the next order tries it again; the request was answered.
            with suppress(StoppingError, EngineUnavailableError):
                self._give_back(self._start())

    def _keep(self, child: Child) -> bool:
        """Keep a child, unless enough of them are waiting."""
        with self._lock:
            is_wanted = not self._is_closed and len(self._idle) < self._settings.slots
            if is_wanted:
                self._idle.append(child)
        return is_wanted

    def _require_locks(self, ready: Ready) -> None:
        missing = _missing_locks(ready)
        if self._settings.sandbox == "strict" and missing:
            raise EngineUnavailableError(
                f"SANDBOX is strict, but this system leaves {missing} unlocked for the process "
                "that reads videos. Use Linux 5.13 or newer with Landlock and seccomp, and no "
                "GPU's decoder (DECODE=cpu), or set SANDBOX=on."
            )

    def _explain_start(self, error: EndedError) -> RecognitionError:
        if self._is_closed:
            return _stopping()
        return EngineUnavailableError(
            f"The process that reads videos ended while starting ({error}). What it wrote to the "
            "server's stderr says why; if that is nothing, MEMORY_MEGABYTES may be too small."
        )

    def _explain(
        self, child: Child, error: EndedError, order: Order, limit_seconds: float
    ) -> RecognitionError:
        if self._is_closed:
            return _stopping()
        if child.has_overrun:
            return TimeLimitError(order.overrun(limit_seconds))
        refusal = ORDERS[type(order)].refusals[0]
        reason = (
            f"{order.name} crashed the process that read it ({error}). It is damaged or malicious."
        )
        if isinstance(error, NetsEndedError):
            reason = f"{order.name} was not read to its end: {error}. The log says why. Try again."
        else:
            _log.error("A file crashed the process that read it (%s).", error)
        if refusal is UnreadableVideoError:
            return CrashedVideoError(reason)
        return refusal(f"unreadable: {reason}" if refusal is PhotoUnusableError else reason)


def _warn_of_missing_locks(ready: Ready) -> None:
    if missing := _missing_locks(ready):
        _log.warning(
            "This system, or a GPU's decoder, leaves %s unlocked for the process that reads "
            "videos. SANDBOX=strict would refuse to run.",
            missing,
        )


def _missing_locks(ready: Ready) -> str:
    return " and ".join(lock for lock in LOCKS if lock not in ready.locks)


def _stopping() -> StoppingError:
    return StoppingError("This server is stopping. Ask again in a moment.")
