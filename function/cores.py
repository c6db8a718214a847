"""How many cores this process may use: of the machine, or of the container around it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


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
    for folder, is_second in _find_groups(cgroups, own):
        with suppress(OSError, ValueError):  # there is none, or no number
            if is_second:
                most, period = (folder / "cpu.max").read_text().split()
            else:
                most = (folder / "cpu.cfs_quota_us").read_text()
                period = (folder / "cpu.cfs_period_us").read_text()
            if float(most) > 0 and float(period) > 0:  # none is "max", or -1
                yield float(most) / float(period)


def _find_groups(cgroups: Path, own: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the folders of the groups that limit time, from the root on, and if version 2 is used.

    In a container the root may be its own group, and the path that of the machine.
    """
    lines: list[str] = []
    with suppress(OSError):
        lines = own.read_text().splitlines()
    for line in ("0::/", "1:cpu:/", *lines):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        is_second = number == "0" and not controllers
        if is_second or "cpu" in controllers.split(","):
            root = cgroups if is_second else cgroups / "cpu"
            inside = Path(path.lstrip("/"))
            for group in (inside, *inside.parents):
                yield root / group, is_second
