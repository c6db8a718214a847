"""How a path is written on the disk, where it may be spelled otherwise than it is shown."""

import os
import unicodedata
from pathlib import Path

from db.names import escape_unprintable, show_text


def as_written(path: Path) -> Path:
    r"""Return a path as its names are written on the disk, where they may be spelled otherwise.

    A Mac may send `é` as two characters, and a disk that one wrote may hold them so. Bytes that are
    not UTF-8 are asked for as we show them, as `\xe9`, and what cannot be printed as `\u200d`. One
    that no file can have, such as one too long, stays as it is, and one that goes into a folder and
    out again: it could have a large folder listed hundreds of times.
    """
    if ".." in path.parts[path.parts.count("..") :]:
        return path
    try:
        return _as_written(path)
    except (OSError, ValueError, RecursionError):
        return path


def _as_written(path: Path) -> Path:
    if (str(path).isascii() and "\\" not in str(path)) or path.exists():
        return path
    above = _as_written(path.parent)
    wanted = unicodedata.normalize("NFC", path.name)
    names = os.listdir(above) if above.is_dir() else []  # noqa: PTH208  # only the names
    found = (name for name in names if wanted in spellings(name))
    return above / next(found, path.name)


def spellings(name: str) -> tuple[str, str]:
    """Return a name or a path as it is shown, and as it is shown in a terminal."""
    shown = unicodedata.normalize("NFC", show_text(name))
    return shown, escape_unprintable(shown)
