"""Imports and edits take turns: a process that changes a gallery locks a file next to it."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from db.errors import GalleryLockedError, GalleryReadOnlyError
from db.sqlite.connections import OWNER_ONLY

if sys.platform != "win32":
    import fcntl

CLAIMS_ARE_CERTAIN = sys.platform != "win32"
"""Whether the system can say that nobody else holds a lock; on Windows nothing is locked."""

ASKED_EVERY_SECONDS = 0.02

ASKED_IN_LINE_EVERY_SECONDS = 0.005

_BESIDE = "beside"


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Lock the gallery at `path` against other imports and edits; it can still be read.

    The lock is on a separate file, because closing the gallery's file would drop the locks that
    SQLite has on it. The system releases it when the process ends, however it ends.

    Raises:
        GalleryLockedError: another process holds it.
        GalleryReadOnlyError: the folder cannot be written.
    """
    if sys.platform == "win32":
        yield
        return
    # Links to the gallery share its lock.
    real = path.resolve()
    lock = real.with_name(f"{real.name}.lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    except OSError as error:
        raise _unwritable("gallery", path, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise GalleryLockedError(
                f"Another import or edit is running on {path.name}. Try again when it has ended; "
                "what it has reported as done is already stored."
            ) from error
        yield
    finally:
        os.close(handle)


def _unwritable(noun: str, path: Path, error: OSError) -> GalleryReadOnlyError:
    about = f"The {noun} {path.name} cannot be written: "
    if isinstance(error, FileNotFoundError):
        return GalleryReadOnlyError(
            f"{about}its folder is not there. Make the folder, or name a file in another."
        )
    return GalleryReadOnlyError(
        f"{about}no file can be created in its folder ({error.strerror}). "
        "Check the owner and the permissions of the folder."
    )


@contextmanager
def only_worker(path: Path, work: str = "worker") -> Iterator[bool]:
    """Become the one process that scans for the ledger at `path`; False if another one is.

    There is one for each kind of `work`.

    The system releases the claim when the process ends, however it ends.

    Raises:
        GalleryReadOnlyError: the folder cannot be written.
    """
    if sys.platform == "win32":
        yield True
        return
    real = path.resolve()
    try:
        handle = os.open(real.with_name(f"{real.name}.{work}"), os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    except OSError as error:
        raise _unwritable("library", path, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


@contextmanager
def beside_worker(path: Path) -> Iterator[None]:
    """Be one of those who look at single videos of the ledger at `path`, whoever its worker is.

    The system notices the end of the process, however it ends. Where no file can be made or locked,
    nobody is told.
    """
    handle = _open_for_locking(path.resolve(), _BESIDE)
    try:
        if handle is not None and sys.platform != "win32":
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_SH)  # whoever has the other only asks
        yield
    finally:
        if handle is not None:
            os.close(handle)


def is_anyone_beside(path: Path) -> bool:
    """Say whether somebody looks at single videos of the ledger at `path`."""
    real = path.resolve()
    handle = _open_for_locking(real, _BESIDE) if _named(real, _BESIDE).exists() else None
    if handle is None:
        return False
    try:
        if sys.platform != "win32":
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # not every file system can lock
        return False
    finally:
        os.close(handle)
    return False


def _named(path: Path, name: str) -> Path:
    return path.with_name(f"{path.name}.{name}")


@contextmanager
def in_turn(path: Path, seconds: float) -> Iterator[None]:
    """Be the only one, of all threads and processes, that does what only one may do at a time.

    Waits for its turn, so many seconds at most.

    Raises:
        GalleryLockedError: another one did not end.
        GalleryReadOnlyError: the folder cannot be written.
    """
    until = time.monotonic() + seconds
    while True:
        with only_worker(path, "turn") as is_ours:
            if is_ours:
                yield
                return
        if time.monotonic() > until:
            raise GalleryLockedError(
                f"Something else has been writing for {seconds:.0f} seconds. Try again later."
            )
        time.sleep(ASKED_EVERY_SECONDS)


@contextmanager
def in_line(path: Path, seconds: float) -> Iterator[None]:
    """Stand in line for the write lock of the ledger at `path`: whoever has it comes after us.

    SQLite's own lock goes to whoever asks at the moment when it is free. One process that writes
    without a pause, on a busy disk, can so keep others out until they give up. It is a courtesy:
    after so many seconds, or where no file can be made or locked, we go on without it.
    """
    handle = _open_for_locking(path, "line")
    try:
        if handle is not None:
            _wait_in_line(handle, time.monotonic() + seconds)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _open_for_locking(path: Path, name: str) -> int | None:
    if sys.platform == "win32":
        return None
    with suppress(OSError):  # then the ledger cannot be written either, and SQLite says why
        return os.open(_named(path, name), os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    return None


def _wait_in_line(handle: int, until: float) -> None:
    if sys.platform != "win32":
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    return
            except OSError:  # not every file system can lock
                return
            else:
                return
            time.sleep(ASKED_IN_LINE_EVERY_SECONDS)
