"""One locked process that reads files: how it is started, used, checked and ended."""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path

from db.models import EncodingKind
from function.engines.models import find_model
from function.errors import EngineUnavailableError, RecognitionError
from function.faces.found import Progress
from function.sandbox.checks import Dimensions, check_answer
from function.sandbox.messages import (
    ANSWERS,
    Answer,
    LogLine,
    Ready,
    Refusal,
    Setup,
    read_message,
    write_message,
)
from function.sandbox.orders import ORDERS, DetailsOrder, Order, Result
from function.sandbox.wire import WireError
from function.settings import Settings

ROOT = Path(__file__).parents[2]
CHILD_MODULE = f"{__package__}.child"

PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH"),
    *("PYTHONUSERBASE", "PYTHONHOME"),
)
PASSED_ON_PREFIXES = ("CUDA_", "NVIDIA_", "OMP_", "PYTHONDONTWRITEBYTECODE")
"""The part of our environment a child gets: never a token or a path of the library."""

LARGEST_ANSWER_BYTES = 256 * 1024 * 1024
HEARTBEAT_SECONDS = 1.0

AHEAD_BYTES = 4096
"""A child sends this much ahead, the progress of a few frames, and waits until we read it: so
whoever takes no progress holds up the work."""

FILES_PER_CHILD = 200
"""A child is replaced after this many files: this limits what a captured one sees, and leaks."""

MOST_LOG_LINES = 1_000
"""Lines of the log that a child may write for one file."""

_log = logging.getLogger(__name__)


class EndedError(Exception):
    """A child has ended or sent nonsense; the text says how."""


def setup_of(settings: Settings) -> Setup:
    """Select the settings that a child is given."""
    return Setup(
        engine=settings.engine,
        detector=settings.detector,
        device=settings.device,
        threads=settings.net_threads,
        cache_folder=str(settings.cache_folder.resolve()) if settings.cache_folder else "",
        second_encoder=_spell(settings.second_encoder),
        memory_megabytes=settings.memory_megabytes,
    )


def _spell(second_encoder: str | Path) -> str:
    return str(second_encoder.absolute() if isinstance(second_encoder, Path) else second_encoder)


class Child:
    """One process, and the socket to it.

    `second` is the kind of its second encodings, by which they are checked; None if it has none.
    """

    def __init__(self, setup: Setup, second: EncodingKind | None) -> None:
        ours, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, AHEAD_BYTES)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own program, no shell
                [sys.executable, "-m", CHILD_MODULE, str(theirs.fileno())],
                cwd=ROOT,
                env=_environment(),
                stdin=subprocess.PIPE,  # never written to: when it closes, the child ends too
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        self.second = second
        self._ready: Ready | None = None
        self._files = 0
        self._lines = 0
        self._is_busy = False
        self.has_overrun = False
        with suppress(OSError):  # it has already ended; the first answer will show that
            self._connection.send_bytes(write_message(setup))

    @property
    def process_id(self) -> int:
        """Its id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it is running."""
        return self._process.poll() is None

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

    def kill(self) -> None:
        """End the process at once, with everything it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Kill it, and close the connections to it."""
        self.kill()
        self._connection.close()
        if self._process.stdin:
            self._process.stdin.close()

    def overrun(self) -> None:
        """Kill it because its time is up."""
        self.has_overrun = True
        self.kill()

    def ready(self, within_seconds: float) -> Ready:
        """Wait until the engine is loaded and the process locked."""
        if self._ready is None:
            if not self._connection.poll(within_seconds):
                self.kill()
                raise EngineUnavailableError("The process that reads videos did not start in time.")
            answer = self._receive()
            if isinstance(answer, Refusal):
                self.kill()
                raise EngineUnavailableError(answer.message)
            if not isinstance(answer, Ready):
                raise EndedError("it sent an unexpected message")
            self._ready = answer
        return self._ready

    def work(self, order: Order, handed: int | bytes | None = None) -> Iterator[Result]:
        """Send an order and its file, a descriptor or bytes, if it has one; yield the results."""
        self._is_busy = True
        self._files += not isinstance(order, DetailsOrder)
        self._lines = 0
        progress = Progress(0.0, 0.0, 0)
        self._send(order, handed)
        while self._is_busy:
            if not self._connection.poll(HEARTBEAT_SECONDS):
                yield progress
                continue
            answer = self._receive()
            self._is_busy = isinstance(answer, Progress)
            if isinstance(answer, Progress):
                progress = answer
            if isinstance(answer, Refusal):
                raise _refusal(order, answer)
            if not isinstance(answer, ORDERS[type(order)].results):
                self.kill()
                raise EndedError("it sent an unexpected message")
            yield answer

    def _send(self, order: Order, handed: int | bytes | None) -> None:
        try:
            self._connection.send_bytes(write_message(order))
            if isinstance(handed, bytes):
                self._connection.send_bytes(handed)
            elif handed is not None:
                send_handle(self._connection, handed, self._process.pid)
        except OSError:
            raise EndedError(self._how_it_ended()) from None

    def _receive(self) -> Ready | Result | Refusal:
        """Read one answer, after logging the log lines that come before it."""
        try:
            while True:
                message = self._connection.recv_bytes(LARGEST_ANSWER_BYTES)
                answer: Answer = read_message(ANSWERS, message)
                if isinstance(answer, LogLine):
                    self._write(answer)
                    continue
                check_answer(answer, self._dimensions())
                return answer
        except (EOFError, OSError):
            raise EndedError(self._how_it_ended()) from None
        except WireError as error:
            self.kill()
            raise EndedError(f"its answer is not valid: {error}") from None

    def _write(self, line: LogLine) -> None:
        self._lines += 1
        if self._lines > MOST_LOG_LINES:
            raise WireError("it logs without end")
        _log.log(min(line.level, logging.ERROR), "%s", line.message)

    def _how_it_ended(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        code = self._process.returncode
        if code is None:
            return "it closed its socket"
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _environment() -> dict[str, str]:
    passed_on = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }
    packages = [os.path.abspath(one) for one in _package_folders()]  # noqa: PTH100  # not a Path
    return passed_on | {"PYTHONPATH": os.pathsep.join([str(ROOT), *packages])}


def _package_folders() -> list[str]:
    """List where else packages are: installed for the user only, or named by PYTHONPATH."""
    return [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]


def _refusal(order: Order, refusal: Refusal) -> RecognitionError:
    allowed = ORDERS[type(order)].refusals
    kinds = {error.code: error for error in allowed}
    return kinds.get(refusal.code, allowed[0])(refusal.message)
