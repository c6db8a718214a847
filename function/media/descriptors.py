"""Reads an open descriptor as Python's libraries want a file, by the few calls a child may make."""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class DescriptorFile(io.RawIOBase):
    """A descriptor as a file that can be read and searched; closing it leaves the descriptor open.

    Python's own files ask for the status of theirs, which a locked process may not. Nor does this
    one move the place where others who hold the descriptor read.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._at = 0
        self.size_bytes = size_of(descriptor)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be searched."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, as in any file."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size_bytes}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))  # as of any file
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read as much as fits, from the place where it is."""
        content = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


def size_of(descriptor: int) -> int:
    """Return how many bytes an open file has; whoever else reads it goes on where they were.

    FFmpeg shares the place in the file with us, and reads on from there. Nor is it asked by fstat:
    libc makes of that a call that may name a path, which a locked process may not make.

    Raises:
        OSError: it is no ordinary file.
    """
    place = os.lseek(descriptor, 0, os.SEEK_CUR)
    size = os.lseek(descriptor, 0, os.SEEK_END)
    os.lseek(descriptor, place, os.SEEK_SET)
    return size


@contextmanager
def opened(source: Path | int) -> Iterator[int]:
    """Give the descriptor of a file: of one that is open already, or of one at a path meanwhile."""
    if isinstance(source, int):
        yield source
        return
    with source.open("rb") as file:
        yield file.fileno()
