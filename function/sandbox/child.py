"""The process that decodes videos and photos: started by the pool, locked, one file at a time.

It is given descriptors of open files, or bytes, and answers with numbers; it has no gallery, token
or path. `python -m function.sandbox.child DESCRIPTOR` talks over the socket with that number.
"""

import importlib
import logging
import os
import pkgutil
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from pathlib import Path
from typing import cast

import av
import numpy as np

from function.engines.loading import load_engine
from function.engines.protocol import (
    Box,
    Detection,
    DetectorName,
    DeviceName,
    Engine,
    EngineOptions,
)
from function.enrolling.portraits import find_face_asked_for
from function.errors import (
    PhotoUnusableError,
    RecognitionError,
    UnreadableVideoError,
    VideoOverLimitError,
)
from function.media.images import RgbPicture
from function.media.moments import find_moment
from function.media.photos import MAX_PHOTO_BYTES
from function.people.search import find_people
from function.sandbox.lockdown import MEGABYTE, lock_down
from function.sandbox.messages import (
    ORDERS,
    SETUP,
    Answer,
    LogLine,
    MomentOrder,
    Order,
    PhotoOrder,
    Ready,
    Refusal,
    Result,
    Setup,
    read_message,
    write_message,
)

_log = logging.getLogger(__name__)


def main(descriptor: int) -> None:
    """Load the engine, lock the process, then carry out orders one at a time."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection = Connection(descriptor)
    logging.basicConfig(level=logging.INFO, handlers=[_ParentsLog(connection)])
    setup = read_message(SETUP, connection.recv_bytes())
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
    _answer(connection, Ready(engine.name, engine.provider, engine.encoder.model.id, locks))
    while True:
        order = read_message(ORDERS, connection.recv_bytes())
        _carry_out(connection, order, engine)


def _options(setup: Setup) -> EngineOptions:
    return EngineOptions(
        detector=cast("DetectorName", setup.detector),
        device=cast("DeviceName", setup.device),
        threads=setup.threads,
        cache_folder=Path(setup.cache_folder) if setup.cache_folder else None,
    )


def _warm_up(engine: Engine) -> None:
    """Run everything once, so that lazy loading happens before files are closed off."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name != "av.__main__":
            importlib.import_module(module.name)
    picture = RgbPicture(np.zeros((160, 160, 3), np.uint8))
    engine.open_detector(160).detect(picture)
    alignment = engine.encoder.cut(picture, Detection(Box(40, 40, 120, 120), 1.0))
    engine.encoder.encode([alignment.chip])


def _end_with_parent() -> None:
    """Wait until a pipe closes that the parent never writes to: then the parent has ended."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def _fall_silent() -> None:
    """Close stdout and stderr, where a captured process could write lines that look like ours.

    Until then they belong to the parent, to say why a start failed.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _carry_out(connection: Connection, order: Order, engine: Engine) -> None:
    try:
        for result in _look(connection, order, engine):
            _answer(connection, result)
    except RecognitionError as error:
        _answer(connection, Refusal(error.code, str(error)))
    except Exception as error:  # noqa: BLE001  # whatever a hostile file causes ends here
        _answer(connection, _explain(error, order))


def _look(connection: Connection, order: Order, engine: Engine) -> Iterator[Result]:
    if isinstance(order, PhotoOrder):
        yield find_face_asked_for(connection.recv_bytes(MAX_PHOTO_BYTES), engine)
        return
    descriptor = recv_handle(connection)
    try:
        if isinstance(order, MomentOrder):
            yield find_moment(descriptor, order.name, order.seconds)
        else:
            yield from find_people(descriptor, order.name, engine, order.task)
    finally:
        os.close(descriptor)


def _explain(error: Exception, order: Order) -> Refusal:
    kind = f"{type(error).__module__}.{type(error).__name__}"
    needs_memory = isinstance(error, MemoryError) or "alloc" in str(error).lower()
    if not needs_memory:
        _log.error("A file caused an unexpected error.", exc_info=error)
    if isinstance(order, PhotoOrder):
        reason = "it needs more memory than MEMORY_MEGABYTES allows" if needs_memory else kind
        return Refusal(PhotoUnusableError.code, f"unreadable: {reason}.")
    if needs_memory:
        message = f"{order.name} needs more memory than MEMORY_MEGABYTES allows."
        return Refusal(VideoOverLimitError.code, f"{message} Give a smaller copy.")
    message = f"{order.name} could not be read to its end ({kind}). Check that it plays."
    return Refusal(UnreadableVideoError.code, message)


def _answer(connection: Connection, answer: Answer) -> None:
    connection.send_bytes(write_message(answer))


class _ParentsLog(logging.Handler):
    """Sends log records to the parent, which alone writes the log."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)[-1_000:]
        _answer(self._connection, LogLine(record.levelno, text))


if __name__ == "__main__":
    main(int(sys.argv[1]))
