"""One locked process that reads files: how it is used, checked and ended."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from db.models import EncodingKind
from function.engines.models import find_model
from function.errors import EngineUnavailableError, RecognitionError
from function.faces.found import Progress
from function.sandbox.channel import Channel, Inbox
from function.sandbox.checks import Dimensions, check_answer, check_portion
from function.sandbox.messages import (
    LONGEST_LINE,
    NETS_ENDED,
    PROGRESS,
    LogLine,
    Ready,
    Refusal,
    Setup,
    largest_answer,
    read_answer,
    write_message,
)
from function.sandbox.orders import (
    ORDERS,
    ContentsOrder,
    CopyOrder,
    MomentOrder,
    Order,
    PhotoOrder,
    PictureOrder,
    Result,
    VideoOrder,
)
from function.sandbox.portions import MOST_PEOPLE_BYTES, Collected, Portion
from function.sandbox.starting import start_child
from function.sandbox.wire import WireError

OWN_FILES = "/proc/self/fd"
"""Where Linux shows a process the files that it has open, so that it can open them once more."""

HEARTBEAT_SECONDS = 1.0

ENDS_WITHIN_SECONDS = 1.0
"""A child that has closed its socket has this long to end by itself, before it is killed."""

AHEAD_BYTES = 4096
"""A child sends this much ahead, the progress of a few frames, and waits until we read it: so
whoever takes no progress holds up the work."""

FILES_PER_CHILD = 200
"""A child is replaced after this many files: this limits what a captured one sees, and leaks."""

MOST_LOG_LINES = 1_000
"""Lines of the log that a child may write for one file."""

MOST_MESSAGES = 25_000
MESSAGES_AT_ONCE = 1_000
MESSAGES_PER_SECOND = 2_000
"""How many messages a child may send for one file: one for each of at most 10,000 pictures, which
take a millisecond and more, and the portions of what it found."""

_ANSWER_BYTES = {
    VideoOrder: 2 * MOST_PEOPLE_BYTES,
    MomentOrder: 4_000_000,
    PhotoOrder: 16_000_000,
    PictureOrder: 24_000_000,
    CopyOrder: 4_000_000,
    ContentsOrder: 16_000_000,
}
"""How long all answers to an order can be together, as JSON. A picture of an album may show 300
faces, of which each has a JPEG of 256 pixels and two encodings."""

_START_BYTES = MOST_LOG_LINES * 10_000

_log = logging.getLogger(__name__)


class EndedError(Exception):
    """A child has ended or sent nonsense; the text says how."""


class NetsEndedError(EndedError):
    """A child has ended because the process with its nets did, as where a GPU fails."""


class Child:
    """One process, and the socket to it.

    `second` is the kind of its second encodings, by which they are checked; None if it has none.
    """

    def __init__(self, setup: Setup, second: EncodingKind | None) -> None:
        pairs = [socket.socketpair() for _ in range(1 + setup.helpers)]
        (ours, *self._lines), theirs = zip(*pairs, strict=True)
        theirs[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, AHEAD_BYTES)
        try:
            self._process = start_child([one.fileno() for one in theirs])
        except OSError:
            for one in (ours, *self._lines):
                one.close()
            raise
        finally:
            for one in theirs:
                one.close()
        self._ending = threading.Lock()
        self._channel = Channel(ours)
        self._inbox = Inbox(ours, largest_answer)
        self._allowance = Allowance(0)
        self._collected = Collected(None)
        self.second = second
        self._ready: Ready | None = None
        self._files = 0
        self._is_busy = False
        self.has_overrun = False
        with suppress(OSError):  # it has already ended; the first answer will show that
            self._channel.send(write_message(setup))

    @property
    def process_id(self) -> int:
        """Its id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it is running; whether or not, it stays for `kill` to bury."""
        if self._process.returncode is not None:
            return False
        if sys.platform != "linux":  # where Python cannot ask without burying
            return self._process.poll() is None
        try:
            ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # buried just now
            return False
        return ended is None

    @property
    def models(self) -> tuple[str, ...]:
        """The ids of its models, the primary one first; empty until it is ready."""
        return self._ready.models if self._ready else ()

    def _dimensions(self) -> Dimensions:
        """Return how many numbers its encodings have; 0 until it has named its models."""
        first, second = (*self.models, "", "")[:2]
        return (
            find_model(first).dimensions if first else 0,
            self.second.dimensions if self.second and second == self.second.id else 0,
        )

    def is_fit(self) -> bool:
        """Whether it is idle and may have another order."""
        return self.is_alive() and not self._is_busy and self._files < FILES_PER_CHILD

    def is_quiet(self) -> bool:
        """Whether it has said nothing since its last answer, as it must; one that starts may."""
        return self._ready is None or self._inbox.is_empty()

    def kill(self) -> None:
        """End the process at once, with everything it started, and bury it, if that is not done.

        Once it is buried the system may give its number to others, who would be killed for it.
        """
        with self._ending:
            if self._process.returncode is not None:
                return
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            with suppress(ChildProcessError):  # helpers fall to us if we are a container's first
                while True:
                    os.waitpid(-self._process.pid, 0)

    def close(self) -> None:
        """Kill it, and close the connections to it."""
        self.kill()
        for one in (self._channel, *self._lines):
            one.close()
        if self._process.stdin:
            self._process.stdin.close()

    def overrun(self) -> None:
        """Kill it because its time is up."""
        self.has_overrun = True
        self.kill()

    def ready(self, within_seconds: float) -> Ready:
        """Wait until the engine is loaded and the process locked."""
        if self._ready is None:
            self._allowance = Allowance(_START_BYTES)
            answer = self._receive(within_seconds)
            if answer is None:
                self.kill()
                raise EngineUnavailableError("The process that reads videos did not start in time.")
            if isinstance(answer, Refusal):
                self.kill()
                raise EngineUnavailableError(answer.message)
            if not isinstance(answer, Ready):
                self.kill()
                raise EndedError("it sent an unexpected message")
            self._ready = answer
        return self._ready

    def work(self, order: Order, handed: int | bytes | None = None) -> Iterator[Result]:
        """Send an order and its file, a descriptor or bytes, if it has one; yield the results."""
        self._is_busy = True
        self._files += 1
        copies: list[int] = []
        if isinstance(order, VideoOrder) and isinstance(handed, int):
            copies = self._open_again(handed)
            order = replace(order, helpers=len(copies))
        self._allowance = Allowance(_START_BYTES + _ANSWER_BYTES[type(order)])
        self._collected = Collected(order)
        progress = Progress(0.0, 0.0, 0)
        self._send(order, handed, copies)
        while self._is_busy:
            answer = self._receive(HEARTBEAT_SECONDS)
            if answer is None:
                yield progress
                continue
            self._is_busy = isinstance(answer, Progress)
            if isinstance(answer, Progress):
                progress = answer
            if isinstance(answer, Refusal):
                raise _refusal(order, answer)
            if not isinstance(answer, ORDERS[type(order)].results):
                self.kill()
                raise EndedError("it sent an unexpected message")
            yield answer

    def _open_again(self, descriptor: int) -> list[int]:
        """Open a file once more for each helper, which needs a position of its own in it."""
        helpers = min(self._ready.helpers if self._ready else 0, len(self._lines))
        copies: list[int] = []
        with suppress(OSError):  # without /proc, or the right to: the child does without helpers
            while len(copies) < helpers:
                copies.append(os.open(f"{OWN_FILES}/{descriptor}", os.O_RDONLY | os.O_CLOEXEC))
        return copies

    def _send(self, order: Order, handed: int | bytes | None, copies: Sequence[int]) -> None:
        try:
            self._channel.send(write_message(order))
            if isinstance(handed, bytes):
                self._channel.send(handed)
            elif handed is not None:
                self._channel.send_descriptor(handed)
            for line, copy in zip(self._lines, copies, strict=False):
                with suppress(OSError):  # a helper that has ended, as the child will notice
                    socket.send_fds(line, [b"D"], [copy])
        except OSError:
            raise self._ended() from None
        finally:
            for copy in copies:
                os.close(copy)

    def _receive(self, within_seconds: float) -> Ready | Result | Refusal | None:
        """Read one answer, after the log lines and portions that come before it; None if late."""
        until = time.monotonic() + within_seconds
        answer = None
        try:
            while answer is None:
                message = self._inbox.receive(max(until - time.monotonic(), 0.0))
                if message is None:
                    break
                answer = self._read(message)
        except (EOFError, OSError):
            raise self._ended() from None
        except WireError as error:
            self.kill()
            raise EndedError(f"its answer is not valid: {error}") from None
        return answer

    def _read(self, message: bytes) -> Ready | Result | Refusal | None:
        """Check a message, and take it in: None if it is no answer yet."""
        self._allowance.take(message)
        answer = read_answer(message)
        if isinstance(answer, LogLine):
            self._write(answer)
            return None
        if isinstance(answer, Portion):
            check_portion(answer, self._dimensions())
            self._collected.add(answer)
            return None
        if not isinstance(answer, Ready | Refusal | Progress):
            answer = self._collected.complete(answer)
        check_answer(answer, self._dimensions())
        return answer

    def _write(self, line: LogLine) -> None:
        self._allowance.take_line()
        _log.log(min(line.level, logging.ERROR), "%s", line.message[-LONGEST_LINE:])

    def _ended(self) -> EndedError:
        """Say how it ended, or else end it."""
        until = time.monotonic() + ENDS_WITHIN_SECONDS
        while (is_alive := self.is_alive()) and time.monotonic() < until:
            time.sleep(0.01)
        self.kill()
        code = self._process.returncode
        if is_alive:
            return EndedError("it closed its socket")
        if code == NETS_ENDED:
            return NetsEndedError("the process that runs its nets had ended")
        return EndedError(signal.Signals(-code).name if code < 0 else f"exit status {code}")


class Allowance:
    """What a child may still say about one order: bytes, messages by time, and lines of the log."""

    def __init__(self, most_bytes: int) -> None:
        self._bytes = most_bytes
        self._messages = self._lines = 0
        self._since = time.monotonic()

    def take(self, message: bytes) -> None:
        """Count a message.

        Raises:
            WireError: it is one too many, or they are too long together.
        """
        self._messages += 1
        self._bytes -= len(message) if message[:1] != PROGRESS else 0
        seconds = time.monotonic() - self._since
        most = min(MOST_MESSAGES, MESSAGES_AT_ONCE + MESSAGES_PER_SECOND * seconds)
        if self._messages > most or self._bytes < 0:
            raise WireError("it talks without end")

    def take_line(self) -> None:
        """Count a line of the log.

        Raises:
            WireError: it is one too many.
        """
        self._lines += 1
        if self._lines > MOST_LOG_LINES:
            raise WireError("it logs without end")


def _refusal(order: Order, refusal: Refusal) -> RecognitionError:
    allowed = ORDERS[type(order)].refusals
    kinds = {error.code: error for error in allowed}
    return kinds.get(refusal.code, allowed[0])(refusal.message)
