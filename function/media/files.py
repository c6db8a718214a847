"""Opens the file that a request names, inside the media root, or raises an error.

The file is opened once, here, and only its descriptor is passed on. So the file cannot be exchanged
between the check and its use, and no decoder ever sees a name that it could take for a URL.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from db.names import quote, show_text
from function.errors import (
    BadParameterError,
    OutsideMediaRootError,
    UnreadableVideoError,
    VideoNotFoundError,
)
from function.media.path_maps import map_path
from function.media.spellings import as_written

_NEVER_FOLLOW = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
"""A symbolic link fails, and a pipe cannot make us wait before we see what it is."""

NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
"""What opening says of a file that is not there, or to which a link leads. All else, such as a disk
that cannot be read, says nothing of the kind."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://|data:[a-z]+/[a-z0-9.+-]+[;,]", re.IGNORECASE)
"""How a URL begins. One letter is a Windows drive, and `concat:` may be a file's name."""

_ADDRESS_AS_PATH = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
"""The same where Python took it for a path, and left only one slash."""

_MOST_SHOWN = 500  # characters of a path in a message: a request may hold 64 KB


@dataclass(frozen=True)
class MediaFile:
    """A file of the library that is open for reading, and its name in messages and logs.

    `path` is where it lies, for a reader on another machine; no decoder is given it.
    """

    descriptor: int
    name: str
    path: Path | None = None


@contextmanager
def open_media(
    asked: str, roots: Sequence[Path], path_map: Sequence[tuple[str, str]] = ()
) -> Iterator[MediaFile]:
    """Open the file that `asked` names: absolute inside a media root, or relative to one.

    `path_map` holds pairs of a prefix that the caller uses and ours that replaces it, for callers
    who see the same library elsewhere (another container, another machine). The name of the result
    is its path under the root.

    Raises:
        BadParameterError: the path is empty, holds a NUL, or is a URL.
        OutsideMediaRootError: it leads outside the media root, also by `..` or a symbolic link.
        VideoNotFoundError: nothing is there.
        UnreadableVideoError: it is a folder, not an ordinary file, or may not be read.
    """
    root, inside = _find(asked, roots, path_map)
    descriptor = _open_beneath(root, inside, asked)
    try:
        _require_file(descriptor, asked)
        yield MediaFile(descriptor, show_text(inside.as_posix()))
    finally:
        os.close(descriptor)


@contextmanager
def open_beneath(root: Path, inside: Path) -> Iterator[int]:
    """Open a file or folder by its path under a root, without following any link; as a descriptor.

    Raises:
        VideoNotFoundError: it is not there, or a link came into its path since it was resolved.
        UnreadableVideoError: it may not, or cannot, be read.
    """
    descriptor = _open_beneath(root, inside, inside.as_posix())
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def find_place(asked: str, roots: Sequence[Path], path_map: Sequence[tuple[str, str]] = ()) -> Path:
    """Return the folder or file that `asked` names, by a path without links; as for `open_media`.

    Raises:
        BadParameterError, OutsideMediaRootError, VideoNotFoundError: as for `open_media`.
    """
    root, inside = _find(asked, roots, path_map)
    return root / inside


def possible_places(
    asked: str, roots: Sequence[Path], path_map: Sequence[tuple[str, str]] = ()
) -> list[Path]:
    """Return where in the media roots a path would lead if it were there, for what is gone."""
    return [root.resolve() / map_path(asked, path_map) for root in roots]


@contextmanager
def open_any(path: Path) -> Iterator[MediaFile]:
    """Open a file that a user of this machine names in a shell, in any folder.

    Raises:
        VideoNotFoundError: nothing is there.
        UnreadableVideoError: it is a folder, not an ordinary file, or may not be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        if _ADDRESS_AS_PATH.match(str(path)):
            told = "That is a URL, and nothing is fetched here: download it, and give the file."
        else:
            told = f"There is no file {quote(str(path))}. Check the path."
        raise VideoNotFoundError(told) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableVideoError(f"{quote(str(path))} cannot be opened: {reason}.") from None
    try:
        _require_file(descriptor, str(path))
        yield MediaFile(descriptor, show_text(path.name), path)
    finally:
        os.close(descriptor)


@contextmanager
def open_within(path: Path, roots: Sequence[Path] | None) -> Iterator[MediaFile]:
    """Open a file of a scan: in any folder without `roots`, else only what is in one of them.

    Links are followed as long as they stay in there, also one that has come just now.

    Raises:
        OutsideMediaRootError: it is in none of `roots`, or a link leads out of them.
        VideoNotFoundError, UnreadableVideoError: as for `open_any`.
    """
    if roots is None:
        with open_any(path) as media:
            yield media
        return
    root, inside = _locate(str(path), str(path), roots)
    with open_beneath(root, inside) as descriptor:
        _require_file(descriptor, str(path))
        yield MediaFile(descriptor, show_text(path.name), path)


def _find(
    asked: str, roots: Sequence[Path], path_map: Sequence[tuple[str, str]]
) -> tuple[Path, Path]:
    """Find the root that a path is in, and its place there."""
    if not asked.strip() or "\0" in asked:
        raise BadParameterError("path is empty or holds a NUL. Give the path of a video.")
    mapped = map_path(asked, path_map)
    _refuse_address(mapped)
    return _locate(asked, mapped, roots)


def _refuse_address(path: str) -> None:
    """Refuse a URL with a clear message, not just as a file that does not exist."""
    address = _ADDRESS.match(path)
    if address:
        raise BadParameterError(
            f"path is a URL ({address[0]}...), and nothing is fetched here. Give the path of a "
            "file in the media root, or set PATH_MAP to replace the caller's prefix."
        )


def _locate(asked: str, mapped: str, roots: Sequence[Path]) -> tuple[Path, Path]:
    """Find the root the path is in, and its place there without links; the first that has it."""
    is_inside, trouble = False, ""
    for root in roots:
        try:
            real_root = root.resolve()
            path = as_written(real_root / mapped).resolve()
            if path.is_relative_to(real_root):
                is_inside = True
                path.lstat()
                return real_root, path.relative_to(real_root)
        except OSError as error:
            is_inside = True
            trouble = trouble or ("" if error.errno in NOT_THERE else str(error.strerror))
        except (RuntimeError, ValueError):
            is_inside = True  # a name no file can have is refused later, for that reason
    if trouble:
        raise VideoNotFoundError(
            f"{quote(asked)} cannot be reached ({trouble}). Check who owns the folders above it."
        )
    if is_inside:
        raise _not_found(asked)
    raise OutsideMediaRootError(
        "The path is outside the media root. Give one inside it, or set MEDIA_ROOT or PATH_MAP."
    )


def _not_found(asked: str) -> VideoNotFoundError:
    return VideoNotFoundError(
        f"There is no video {quote(asked[:_MOST_SHOWN])} in the media root. Check the path; it may "
        "be relative to the media root, or absolute inside it."
    )


def _open_beneath(root: Path, inside: Path, asked: str) -> int:
    """Walk down from the root, one name at a time, following no link.

    `inside` had none a moment ago; one added since then, to lead us outside, fails here.
    """
    descriptor = -1
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        for name in inside.parts:
            above, descriptor = descriptor, os.open(name, _NEVER_FOLLOW, dir_fd=descriptor)
            os.close(above)
    except PermissionError:
        _close(descriptor)
        raise UnreadableVideoError(
            f"{quote(asked)} may not be read. Check its permissions."
        ) from None
    except OSError as error:
        _close(descriptor)
        if error.errno in NOT_THERE:
            raise _not_found(asked) from None
        raise UnreadableVideoError(f"{quote(asked)} cannot be opened: {error.strerror}.") from None
    return descriptor


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)


def _require_file(descriptor: int, asked: str) -> None:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        found = "a folder" if stat.S_ISDIR(mode) else "not an ordinary file"
        raise UnreadableVideoError(f"{quote(asked)} is {found}. Give the path of a video.")
