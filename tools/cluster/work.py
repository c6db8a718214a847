"""What a Dask worker does: says what it is, and reads a video in its own sandbox.

Dask calls these functions by name, in the worker's threads; they take and return bytes. The worker
opens files only under its own MEDIA_ROOT, and knows neither the gallery nor the ledger.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from function.errors import (
    CrashedVideoError,
    RecognitionError,
    StoppingError,
    UnreadableVideoError,
)
from function.faces.found import Progress
from function.library.oshash import oshash_of
from function.library.scanning import LONGEST_SECONDS
from function.media.files import MediaFile, open_media
from function.people.gathering import PeopleFound
from function.sandbox.readers import PeopleReader, Reader, open_reader
from function.settings import Settings
from function.version import VERSION
from tools.cluster.messages import (
    ElsewhereError,
    ReadOrder,
    Terms,
    VideoRead,
    WorkerReady,
    read,
    refuse,
    write,
)

if TYPE_CHECKING:
    from distributed import Worker

TOLD_EVERY_SECONDS = 0.5
"""How often a worker says how far it is."""

_log = logging.getLogger(__name__)

_lock = threading.Lock()
_readers: list[Reader] = []


def describe() -> bytes:
    """Start what reads videos here, and say what it is: a WorkerReady, or a Refused."""
    try:
        settings = _settings()
        models = _reader().ready().models
    except RecognitionError as error:
        return write(refuse(error))
    return write(WorkerReady(Terms(VERSION, settings.detector, models), settings.slots))


def read_video(message: bytes) -> bytes:
    """Read the video of a ReadOrder: returns VideoRead, or Refused."""
    order = read((ReadOrder,), message)
    try:
        return write(_read(order))
    except (RecognitionError, ElsewhereError) as error:
        return write(refuse(error))
    except Exception as error:  # noqa: BLE001  # whatever a file causes ends here
        _log.exception("A video caused an unexpected error.")
        kind = type(error).__name__
        return write(refuse(CrashedVideoError(f"{order.name} ended the work on it ({kind}).")))


def _settings() -> Settings:
    """Return this machine's settings; Dask's threads say how many videos are read at once."""
    settings = Settings.from_env().for_scanning(_worker().state.nthreads)
    return replace(settings, time_limit_seconds=LONGEST_SECONDS)


def _worker() -> "Worker":
    from distributed import get_worker  # noqa: PLC0415  # only there with requirements-dask.txt

    return get_worker()


def _reader() -> Reader:
    """Return the one reader of this process."""
    with _lock:
        if not _readers:
            _readers.append(open_reader(_settings()))
        return _readers[0]


def _read(order: ReadOrder) -> VideoRead:
    worker = _worker()
    key = worker.get_current_task()
    tell_at, progress = 0.0, Progress(0.0, 0.0, 0)
    with _opened(order, Settings.from_env().media_root) as media:
        for event in _events(_reader(), media, order):
            if isinstance(event, PeopleFound):
                return VideoRead(progress, event)
            progress = event
            task = worker.state.tasks.get(key)
            if task is None or task.state != "executing":  # given up there, or nobody is there
                raise StoppingError(f"{order.name} is no longer wanted here.")
            if time.monotonic() >= tell_at:
                _tell(worker, order, event)
                tell_at = time.monotonic() + TOLD_EVERY_SECONDS
    raise UnreadableVideoError(f"{order.name} gave no result.")


def _events(
    reader: PeopleReader, media: MediaFile, order: ReadOrder
) -> Iterator[Progress | PeopleFound]:
    with closing(reader.find_people(media, order.task)) as events:
        yield from events


def _tell(worker: "Worker", order: ReadOrder, progress: Progress) -> None:
    worker.log_event(order.topic, {"number": order.number, "progress": write(progress)})


@contextmanager
def _opened(order: ReadOrder, roots: tuple[Path, ...]) -> Iterator[MediaFile]:
    """Open the file that is meant: the one with this path and fingerprint, below any root."""
    asked, reason = os.fsdecode(order.path), "MEDIA_ROOT is empty"
    for root in roots:
        with ExitStack() as stack:
            try:
                media = stack.enter_context(open_media(asked, [root]))
                is_meant = oshash_of(media.descriptor) == order.oshash
            except RecognitionError as error:
                reason = f"under {root}: {error}"
                continue
            except OSError as error:
                reason = f"under {root}: {error.strerror}"
                continue
            if is_meant:
                yield replace(media, name=order.name)
                return
            reason = f"under {root} is another file of this name"
    raise ElsewhereError(reason)
