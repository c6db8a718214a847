"""How much memory this process may use: of the machine, or of the container around it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from function.cgroups import CGROUPS, OWN_CGROUPS, find_groups

_MEGABYTE = 1024 * 1024


def count_memory_megabytes(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> int:
    """Return the machine's memory in megabytes, or the limit of the container if that is less.

    The limit is one of Linux's control groups, versions 1 and 2, of this process's group or of one
    around it. What others use of it is not taken off.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min([machine, *_read_limits(cgroups, own)]) // _MEGABYTE)


def _read_limits(cgroups: Path, own: Path) -> Iterator[int]:
    """Yield the limits of all groups that this process is in, in bytes."""
    for folder, is_second in find_groups("memory", cgroups, own):
        with suppress(OSError, ValueError):  # there is none: no file, or "max"
            name = "memory.max" if is_second else "memory.limit_in_bytes"
            limit = int((folder / name).read_text())
            if limit > 0:
                yield limit
