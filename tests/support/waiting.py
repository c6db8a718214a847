"""Waiting for what happens, however slow the machine is; and what processes have used so far."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def wait_until(is_so: Callable[[], object], within_seconds: float = 60.0) -> None:
    """Wait for a condition; it fails if that does not come true in time."""
    deadline = time.monotonic() + within_seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_running(process: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def seconds_of(process: int) -> float:
    """Return the CPU seconds that a process has used."""
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def wait_until_idle(process: int, for_seconds: float = 1.0, within_seconds: float = 60.0) -> None:
    """Wait until a process has used no CPU time for a while; it fails if one goes on and on."""
    idle_since, used = time.monotonic(), seconds_of(process)
    deadline = idle_since + within_seconds
    while time.monotonic() - idle_since < for_seconds:
        assert time.monotonic() < deadline, "it works without end"
        time.sleep(0.05)
        if seconds_of(process) > used:
            idle_since, used = time.monotonic(), seconds_of(process)
