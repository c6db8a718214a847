"""A cache of graphs: each is made once from its weights, and then read from the disk."""

import hashlib
import logging
import os
import secrets
import stat
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

_LOG = logging.getLogger(__name__)

_FOLDER_NAME = "performer-video-recognition"
_CHECK_LETTERS = 8
_ROOT = 0
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def user_cache_folder() -> Path:
    """Return this user's cache folder, for files that programs can make again.

    Linux: XDG_CACHE_HOME or ~/.cache; macOS: ~/Library/Caches; Windows: LOCALAPPDATA.

    Raises:
        RuntimeError: the user has no home folder.
    """
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / _FOLDER_NAME
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    named = os.environ.get(variable, "")
    # The XDG specification says that relative paths are ignored.
    base = Path(named) if Path(named).is_absolute() else Path.home() / ".cache"
    return base / _FOLDER_NAME


def hash_files(*paths: Path) -> str:
    """Return 16 hexadecimal digits that change with the content of any of the files."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


class GraphCache:
    """Keeps graphs as files, each named by the content of its weights and checked when read.

    A graph that changed on the disk, has another's name, or might be another user's work is made
    again. If the folder cannot be written, each process
    makes the graphs again, and one warning says so.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._has_warned = False

    def graph(self, name: str, version: str, build: Callable[[], bytes]) -> bytes:
        """Return the graph of a net, from the cache or else from `build`.

        `name` changes with the net's weights, `version` with the code that builds.
        """
        return self.content(f"{name}-{version}.net", build)

    def content(self, name: str, build: Callable[[], bytes]) -> bytes:
        """Return what is stored under `name`, or else make it with `build` and store it.

        The name must change with everything the content depends on.
        """
        return self._read(name) or self._write(name, build())

    def _read(self, name: str) -> bytes | None:
        try:
            return _read(self._place(name))
        except (OSError, RuntimeError):
            return None  # then writing fails too, and says so

    def _write(self, name: str, graph: bytes) -> bytes:
        try:
            _write(self._place(name), graph)
        except (OSError, RuntimeError) as error:
            self._warn(error)
        return graph

    def _place(self, name: str) -> Path:
        return (self._folder or user_cache_folder()) / name

    def _warn(self, error: Exception) -> None:
        if not self._has_warned:
            _LOG.warning(
                "The nets cannot be cached on disk (%s), so each start makes them again. "
                "Set CACHE_FOLDER to a writable folder.",
                error,
            )
        self._has_warned = True


def _read(path: Path) -> bytes | None:
    """Read a graph, if it exists, is what was written, and only we or the system could write it."""
    try:
        with path.open("rb", buffering=0) as file:  # a buffer would have 40 MB copied
            is_ours = _is_ours(os.fstat(file.fileno()))
            check = file.read(_CHECK_LETTERS) if is_ours else b""
            graph = file.read() if is_ours else b""  # apart, for the same reason
    except FileNotFoundError:
        return None
    if not is_ours:
        _LOG.warning("%s may have been written by another user; it is made again", path)
        return None
    if check == _check(path.name, graph):
        return graph
    _LOG.info("%s is damaged; it is made again", path.name)
    return None


def _is_ours(found: os.stat_result) -> bool:
    """Whether a file belongs to us or to root, who builds images, and nobody else may change it."""
    if sys.platform == "win32":
        return True  # other users have no way into a user's folders
    return found.st_uid in (os.geteuid(), _ROOT) and not found.st_mode & _OTHERS_MAY_WRITE


def _check(name: str, graph: bytes) -> bytes:
    """Return a checksum: it is for damage, as nobody else may write the file.

    SHA-256 takes twice as long, or ten times on a processor that has no instructions for it.
    """
    return b"%08x" % zlib.crc32(graph, zlib.crc32(name.encode() + b"\0"))


def _write(path: Path, graph: bytes) -> None:
    """Write a graph so that no reader, and no crash, ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: its files are only for their owner, and an image is built by a user other than
    # the one who runs it.
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            file.writelines((_check(path.name, graph), graph))
        partial.chmod(partial.stat().st_mode & ~_OTHERS_MAY_WRITE)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
