"""A pool of locked child processes, one for each slot, in which videos are decoded.

A video can crash, hang or capture the process that decodes it. It is then a child's loss: the
child is killed and replaced, and what it said is checked before it is believed.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path

from function.child import ANSWERS, LogLine, Order, Ready, Refusal, Setup
from function.errors import (
    EngineUnavailableError,
    RecognitionError,
    StoppingError,
    TimeLimitError,
    UnreadableVideoError,
    VideoOverLimitError,
)
from function.faces import Face
from function.media import MediaFile
from function.people import Person
from function.recognition import Findings, Progress, Task
from function.settings import Settings
from function.wire import WireError, pack, unpack

ROOT = Path(__file__).parents[1]

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH")
PASSED_ON_PREFIXES = ("CUDA_", "NVIDIA_", "OMP_", "PYTHONDONTWRITEBYTECODE")
"""What of our environment a child sees: never a token or a path of the library."""

LARGEST_ANSWER_BYTES = 256 * 1024 * 1024
HEARTBEAT_SECONDS = 1.0
START_WITHIN_SECONDS = 120.0
VIDEOS_PER_CHILD = 200
"""A child is replaced after so many: what a captured one can still see, and leaks, end there."""

REFUSALS: Mapping[str, type[RecognitionError]] = {
    error.code: error for error in (UnreadableVideoError, VideoOverLimitError)
}
"""What a child may say of a video; anything else it says is not believed."""

ENCODING_NUMBERS = 128
JPEG_BEGINS = b"\xff\xd8\xff"

_log = logging.getLogger(__name__)


class Sandbox:
    """Lends children to requests; `slots` of them at most are asked for at once.

    Nothing is started before the first is needed, so that a server may fork in between.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: list[_Child] = []
        self._children: set[_Child] = set()
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
        except _EndedError as error:
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

    def _take_ready(self) -> tuple["_Child", Ready]:
        """Take a child that is loaded and locked; one that dies of starting has a second chance."""
        failure: RecognitionError
        for _ in range(2):
            child = self._take()
            try:
                ready = child.ready(START_WITHIN_SECONDS)
                self._require_locks(ready)
            except _EndedError as error:
                failure = self._explain(child, error, "A video")
            except BaseException:
                self._give_back(child)
                raise
            else:
                return child, ready
            self._give_back(child)
        raise failure

    def _take(self) -> "_Child":
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

    def _start(self) -> "_Child":
        child = _Child(_setup(self._settings))
        with self._lock:
            self._children.add(child)
        return child

    def _give_back(self, child: "_Child") -> None:
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

    def _explain(self, child: "_Child", error: "_EndedError", name: str) -> RecognitionError:
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


class _EndedError(Exception):
    """A child has ended, or talks nonsense; the text says how."""


def _stopping() -> StoppingError:
    return StoppingError("This server is stopping. Ask again in a moment.")


def _setup(settings: Settings) -> Setup:
    return Setup(
        engine=settings.engine,
        detector=settings.detector,
        device=settings.device,
        threads=settings.threads,
        cache_folder=str(settings.cache_folder.resolve()) if settings.cache_folder else "",
        memory_megabytes=settings.memory_megabytes,
    )


class _Child:
    """One process, and the socket to it."""

    def __init__(self, setup: Setup) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own program, no shell
                [sys.executable, "-m", f"{__package__}.child", str(theirs.fileno())],
                cwd=ROOT,
                env=_environment(),
                stdin=subprocess.PIPE,  # never written to: its end tells the child of ours
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        self._ready: Ready | None = None
        self._videos = 0
        self._is_busy = False
        self.has_overrun = False
        with suppress(OSError):  # it has ended already, which the first answer will say
            self._connection.send_bytes(pack(setup))

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def was_ready(self) -> bool:
        return self._ready is not None

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def is_fit(self) -> bool:
        """Whether it waits for a video, and may have another."""
        return self.is_alive() and not self._is_busy and self._videos < VIDEOS_PER_CHILD

    def kill(self) -> None:
        """End the process at once, with all it may have started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Kill it, and let go of what led to it."""
        self.kill()
        self._connection.close()
        if self._process.stdin:
            self._process.stdin.close()

    def overrun(self) -> None:
        """Kill it because its time is over."""
        self.has_overrun = True
        self.kill()

    def ready(self, within_seconds: float) -> Ready:
        """Wait until the engine is loaded and the process locked."""
        if self._ready is None:
            if not self._connection.poll(within_seconds):
                raise EngineUnavailableError("The process that reads videos does not start.")
            answer = self._receive()
            if isinstance(answer, Refusal):
                self.kill()
                raise EngineUnavailableError(answer.message)
            if not isinstance(answer, Ready):
                raise _EndedError("it spoke out of turn")
            self._ready = answer
        return self._ready

    def look(self, order: Order, descriptor: int) -> Iterator[Progress | Findings]:
        """Hand over a file, and yield what the child finds in it."""
        self._is_busy = True
        self._videos += 1
        progress = Progress(0.0, 0.0, 0)
        try:
            self._connection.send_bytes(pack(order))
            send_handle(self._connection, descriptor, self._process.pid)
        except OSError:
            raise _EndedError(self._how_it_ended()) from None
        while self._is_busy:
            if not self._connection.poll(HEARTBEAT_SECONDS):
                yield progress
                continue
            answer = self._receive()
            self._is_busy = isinstance(answer, Progress)
            if isinstance(answer, Progress):
                progress = answer
            if isinstance(answer, Refusal):
                raise REFUSALS.get(answer.code, UnreadableVideoError)(answer.message)
            if not isinstance(answer, Progress | Findings):
                raise _EndedError("it spoke out of turn")
            yield answer

    def _receive(self) -> Ready | Progress | Findings | Refusal:
        """Read one answer, writing log lines that come before it."""
        try:
            while True:
                message = self._connection.recv_bytes(LARGEST_ANSWER_BYTES)
                answer = unpack(ANSWERS[message[:1]], message[1:])
                if isinstance(answer, LogLine):
                    _log.log(min(answer.level, logging.ERROR), "%s", answer.message)
                    continue
                if isinstance(answer, Findings):
                    _check_findings(answer)
                return answer
        except (EOFError, OSError):
            raise _EndedError(self._how_it_ended()) from None
        except (WireError, KeyError) as error:
            self.kill()
            raise _EndedError(f"it answered what it should not: {error}") from None

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
    return passed_on | {"PYTHONPATH": str(ROOT)}


def _check_findings(findings: Findings) -> None:
    for person in findings.people:
        _check_person(person)


def _check_person(person: Person) -> None:
    if not person.faces or person.template.shape != (ENCODING_NUMBERS,):
        raise WireError("a person has no faces, or no template")
    for face in person.faces:
        _check_face(face)
    if not any(face.crop for face in person.faces):
        raise WireError("a person has no picture")


def _check_face(face: Face) -> None:
    if face.encoding.shape != (ENCODING_NUMBERS,):
        raise WireError("an encoding has another length")
    if face.crop and not face.crop.startswith(JPEG_BEGINS):
        raise WireError("a picture is no JPEG")
    if not 0 <= face.seconds <= face.until_seconds or not 0 <= face.quality <= 1:
        raise WireError("a face has impossible numbers")
