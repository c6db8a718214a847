"""Turns the paths of callers who see the library elsewhere into ours, Windows paths too."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PureWindowsPath

_LONG = re.compile(r"//\?/(UNC/)?", re.IGNORECASE)
"""How a Windows path of more than 260 characters begins."""


def map_path(asked: str, path_map: Sequence[tuple[str, str]]) -> str:
    """Replace the caller's prefix with ours; if several fit, use the longest."""
    for theirs, ours in sorted(path_map, key=lambda pair: -len(pair[0])):
        rest = _rest_of(asked, theirs)
        if rest is not None:
            return ours.rstrip("/") + rest or "/"
    return asked


def _rest_of(asked: str, prefix: str) -> str | None:
    """Return what follows a prefix, beginning with a slash or empty; None if it does not fit.

    A prefix ends where a name ends: /media does not fit /media2. How accents are spelled does not
    count. Of Windows paths, which begin with a drive or a backslash, case, the kind of slash and
    the mark of long paths do not count either.
    """
    is_windows = "\\" in prefix or bool(PureWindowsPath(prefix).drive)
    if is_windows:
        asked, prefix = _with_slashes(asked), _with_slashes(prefix)
    as_it_is = _after(asked, prefix, is_windows=is_windows)
    if as_it_is is not None:
        return as_it_is
    composed = (unicodedata.normalize("NFC", one) for one in (asked, prefix))
    return _after(*composed, is_windows=is_windows)


def _after(asked: str, prefix: str, *, is_windows: bool) -> str | None:
    prefix = prefix.rstrip("/")
    begin, rest = asked[: len(prefix)], asked[len(prefix) :]
    fits = begin.lower() == prefix.lower() if is_windows else begin == prefix
    return rest if fits and rest[:1] in ("", "/") else None


def _with_slashes(path: str) -> str:
    r"""Write a Windows path with slashes, and a long one, as `\\?\UNC\nas\media`, as others."""
    return _LONG.sub(lambda mark: "//" if mark[1] else "", path.replace("\\", "/"))
