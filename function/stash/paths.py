"""Says where a file of Stash's lies here: Stash may see the same library by other paths."""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from function.errors import RecognitionError
from function.media.files import find_place
from function.settings import Settings
from function.stash.connection import Connection

Locate = Callable[[str], bytes | None]
"""Tells where a file lies here, given its path as Stash sees it; None if nowhere."""


def locator(settings: Settings, connection: Connection) -> Locate:
    """Return what tells where files of a Stash lie in our media root."""

    def locate(theirs: str) -> bytes | None:
        try:
            found = find_place(theirs, settings.media_root, connection.path_map)
        except RecognitionError:
            return None
        return os.fsencode(found)

    return locate


def names_in(path: str) -> tuple[str, ...]:
    """Split a path of Stash's, from Windows or not, into the names in it; the root is no name."""
    pure = PureWindowsPath(path) if is_windows(path) else PurePosixPath(path)
    return tuple(pure.parts[1:] if pure.anchor else pure.parts)


def beginning_of(path: str) -> str:
    r"""Return the first folder of a path of Stash's, with its drive: /data, C:\Videos, \\nas\films.

    A drive is enough where the file lies in no folder.
    """
    pure = PureWindowsPath(path) if is_windows(path) else PurePosixPath(path)
    is_share = str(pure.drive).startswith("\\\\")
    folders = [] if is_share else names_in(path)[:-1][:1]
    return _joined(path, folders).rstrip("\\")


def is_windows(path: str) -> bool:
    """Say whether a path is one of Windows."""
    return "\\" in path and not path.startswith("/")


def places_with_tail(path: str, roots: Sequence[Path]) -> Iterator[Path]:
    """Yield where a file would lie here if our roots were folders of its path, the longest first.

    For /data/films/a.mp4 and the root /videos: /videos/data/films/a.mp4, /videos/films/a.mp4 and
    /videos/a.mp4.
    """
    names = names_in(path)
    if ".." in names:
        return
    for start in range(len(names)):
        for root in roots:
            yield root.joinpath(*names[start:])


def pair_of(theirs: str, ours: Path, taken: Collection[str] = ()) -> tuple[str, str]:
    """Return the shortest prefixes by which two paths of one file differ, for a path map.

    At least one name of Stash's stays, so that its root is never replaced: /data/films/a.mp4 and
    /videos/films/a.mp4 give /data and /videos. Prefixes of Stash's that are `taken` stand for other
    folders, so a longer one is returned: /data/films and /videos/films.
    """
    names, own = names_in(theirs), ours.parts
    same = 0
    while (
        same < len(names) - 1
        and same < len(own) - 1
        and names[len(names) - 1 - same] == own[len(own) - 1 - same]
    ):
        same += 1
    kept = names[: max(1, len(names) - same)]
    while _joined(theirs, kept) in taken and len(kept) < len(names):
        kept = names[: len(kept) + 1]
    return _joined(theirs, kept), str(Path(*own[: len(own) - (len(names) - len(kept))]))


def _joined(path: str, names: Sequence[str]) -> str:
    if is_windows(path):
        return str(PureWindowsPath(PureWindowsPath(path).anchor, *names))
    return str(PurePosixPath("/", *names))
