"""Says what is wrong with the media root: the most likely mistake when a server is started."""

import os
import stat
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from db.names import escape_unprintable, show_text
from function.media.formats import VIDEO_SUFFIXES

MOST_NAMES = 20_000
"""This many names are looked at in search of a video, in a fraction of a second on a disk."""

WHAT_TO_DO = "Start the server with the folder of your videos: make run MEDIA=/path (MEDIA_ROOT)."


def find_root_trouble(roots: Sequence[Path]) -> str:
    """Return what is wrong with the folders that videos are read from, and what to do; else "".

    A large folder is not searched to its end: then nothing is said.
    """
    for root in roots:
        trouble = _trouble_with(root)
        if trouble:
            return trouble
    names = list(islice(_names(roots), MOST_NAMES))
    if len(names) == MOST_NAMES or any(map(_is_video, names)):
        return ""
    where = " and ".join(_show(root.resolve()) for root in roots)
    return f"There is no video in {where}. {WHAT_TO_DO}"


def _trouble_with(root: Path) -> str:
    try:
        mode = root.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return f"The media folder {_show(root)} is not there. {WHAT_TO_DO}"
    except OSError as error:  # as of a folder above it, or of a disk
        return f"The media folder {_show(root)} cannot be read ({error.strerror}). Check its owner."
    if not stat.S_ISDIR(mode):
        return f"The media folder {_show(root)} is a file. {WHAT_TO_DO}"
    if not os.access(root, os.R_OK | os.X_OK):
        return f"The media folder {_show(root)} may not be read. Check who owns it."
    return ""


def _show(root: Path) -> str:
    return escape_unprintable(show_text(str(root)))


def _names(roots: Sequence[Path]) -> Iterator[str]:
    """Yield the names of files, until the first video, which is enough."""
    for root in roots:
        for _, below, names in os.walk(root):
            below[:] = [name for name in below if not name.startswith(".")]
            yield from names
            if any(map(_is_video, names)):
                return


def _is_video(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in VIDEO_SUFFIXES
