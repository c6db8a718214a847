"""The process in which videos are decoded: started by sandbox.py, locked, one video at a time.

It is given descriptors of open files and answers with numbers; it knows no gallery, no token and
no path. `python -m function.child DESCRIPTOR` speaks over the socket of that number.
"""

import importlib
import logging
import os
import pkgutil
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from pathlib import Path
from typing import TypeVar, cast

import av
import numpy as np

from function.engines import (
    Box,
    DetectorName,
    DeviceName,
    Engine,
    EngineOptions,
    load_engine,
)
from function.errors import RecognitionError, UnreadableVideoError, VideoOverLimitError
from function.lockdown import MEGABYTE, lock_down
from function.recognition import Findings, Progress, Task, find_people
from function.wire import pack, unpack

Message = TypeVar("Message")


@dataclass(frozen=True)
class Setup:
    """What the parent sends first: which engine, and how much memory each video may take."""

    engine: str
    detector: str
    device: str
    threads: int
    cache_folder: str
    memory_megabytes: int


@dataclass(frozen=True)
class Ready:
    """What the child answers once it is locked; `locks` are those of lockdown.py that hold."""

    engine: str
    provider: str
    model: str
    locks: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """One video to look at; its descriptor follows. Messages call it `name`."""

    name: str
    task: Task


@dataclass(frozen=True)
class Refusal:
    """Why there are no findings: a code of errors.py, and its message."""

    code: str
    message: str


@dataclass(frozen=True)
class LogLine:
    """Something for the parent's log."""

    level: int
    message: str


ANSWERS: dict[bytes, type[Ready | Progress | Findings | Refusal | LogLine]] = {
    b"R": Ready,
    b"P": Progress,
    b"F": Findings,
    b"E": Refusal,
    b"L": LogLine,
}
"""The first byte of an answer says which record follows."""

_log = logging.getLogger(__name__)

_TAGS = {kind: tag for tag, kind in ANSWERS.items()}


def main(descriptor: int) -> None:
    """Load the engine, lock the process, then look at one video after the other."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection = Connection(descriptor)
    logging.basicConfig(level=logging.INFO, handlers=[_ParentsLog(connection)])
    setup = unpack(Setup, connection.recv_bytes())
    try:
        engine = load_engine(setup.engine, _options(setup))
    except RecognitionError as error:
        _answer(connection, Refusal(error.code, str(error)))
        return
    _warm_up(engine)
    _fall_silent()
    has_gpu = engine.provider != "CPU"
    limit = None if has_gpu else setup.memory_megabytes * MEGABYTE  # CUDA reserves any amount
    locks = lock_down(limit, needs_files=has_gpu)
    _answer(connection, Ready(engine.name, engine.provider, engine.model, locks))
    while True:
        order = unpack(Order, connection.recv_bytes())
        _look(connection, order, engine)


def _options(setup: Setup) -> EngineOptions:
    return EngineOptions(
        detector=cast("DetectorName", setup.detector),
        device=cast("DeviceName", setup.device),
        threads=setup.threads,
        cache_folder=Path(setup.cache_folder) if setup.cache_folder else None,
    )


def _warm_up(engine: Engine) -> None:
    """Run everything once, so that what is loaded lazily is loaded before files are closed."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name != "av.__main__":
            importlib.import_module(module.name)
    picture = np.zeros((160, 160, 3), np.uint8)
    engine.detect(picture)
    alignment = engine.align(picture, Box(40, 40, 120, 120))
    engine.encode([alignment.chip])


def _end_with_parent() -> None:
    """Wait for the end of a pipe that the parent never writes to: it is the parent's own."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def _fall_silent() -> None:
    """Give up stdout and stderr, in which a captured process could write lines that look like ours.

    Until here they are the parent's, to say why a start failed.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _look(connection: Connection, order: Order, engine: Engine) -> None:
    descriptor = recv_handle(connection)
    try:
        for event in find_people(descriptor, order.name, engine, order.task):
            _answer(connection, event)
    except RecognitionError as error:
        _answer(connection, Refusal(error.code, str(error)))
    except Exception as error:  # noqa: BLE001  # whatever a hostile file sets off ends here
        _answer(connection, _explain(error, order.name))
    finally:
        os.close(descriptor)


def _explain(error: Exception, name: str) -> Refusal:
    kind = f"{type(error).__module__}.{type(error).__name__}"
    if isinstance(error, MemoryError) or "alloc" in str(error).lower():
        message = f"{name} needs more memory than MEMORY_MEGABYTES allows. Give a smaller copy."
        return Refusal(VideoOverLimitError.code, message)
    _log.error("A video ended in an error that has no name.", exc_info=error)
    message = f"{name} could not be read to its end ({kind}). Check that it plays."
    return Refusal(UnreadableVideoError.code, message)


def _answer(
    connection: Connection, answer: Ready | Progress | Findings | Refusal | LogLine
) -> None:
    connection.send_bytes(_TAGS[type(answer)] + pack(answer))


class _ParentsLog(logging.Handler):
    """Hands log records to the parent, which alone writes."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)[-1_000:]
        _answer(self._connection, LogLine(record.levelno, text))


if __name__ == "__main__":
    main(int(sys.argv[1]))
