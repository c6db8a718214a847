"""How many cores this process may use: of the machine, or of the container around it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path

from function.cgroups import CGROUPS, OWN_CGROUPS, find_groups


def count_cores(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> int:
    """Return the number of cores, at least 1: those it may run on, within its share of time.

    The share is a quota of Linux's control groups, versions 1 and 2, of this process's group or of
    one around it; a part of a core counts as one.
    """
    try:
        cores = len(os.sched_getaffinity(0))  # a cpuset shows here too
    except AttributeError:  # macOS
        cores = os.cpu_count() or 1
    return max(1, min([cores, *(ceil(quota) for quota in _read_quotas(cgroups, own))]))


def _read_quotas(cgroups: Path, own: Path) -> Iterator[float]:
    """Yield the quotas of all groups that this process is in, in cores."""
    for folder, is_second in find_groups("cpu", cgroups, own):
        with suppress(OSError, ValueError):  # there is none, or no number
            if is_second:
                most, period = (folder / "cpu.max").read_text().split()
            else:
                most = (folder / "cpu.cfs_quota_us").read_text()
                period = (folder / "cpu.cfs_period_us").read_text()
            if float(most) > 0 and float(period) > 0:  # none is "max", or -1
                yield float(most) / float(period)
