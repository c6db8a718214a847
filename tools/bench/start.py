"""Measures the start: `make bench-start`, or `python -m tools.bench.start [VIDEO]`.

Ten seconds of 1080p are searched twice by one process in its locked child and helpers: first from
cold, then warm.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import click

from function.faces.found import Progress
from function.media.files import open_any
from function.people.gathering import PeopleFound
from function.recognition import task_of
from function.sandbox.readers import Sandboxed
from function.settings import Settings

STARTED = time.perf_counter() - time.process_time()
"""About when this process began: what it does before this line hardly ever waits."""


def seconds_used(children: list[int]) -> float:
    """Return the CPU seconds that this process, its children and their helpers have used.

    Raises:
        FileNotFoundError: this system has no /proc.
    """
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[2]) in children:  # the group that a child leads
            ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def measure(reader: Sandboxed, video: Path, started: float) -> list[float]:
    """Search a video; return wall and CPU seconds until its first picture, then until its end.

    Wall seconds count from `started`, CPU seconds from 0 in each process.
    """
    figures: list[float] = []
    with open_any(video) as media:
        for event in reader.find_people(media, task_of(Settings())):
            is_first = isinstance(event, Progress) and event.of_seconds > 0 and not figures
            if is_first or isinstance(event, PeopleFound):
                figures += [time.perf_counter() - started, seconds_used(reader.pool.processes())]
    return figures


@click.command()
@click.argument("video", required=False, type=click.Path(path_type=Path, exists=True))
def main(video: Path | None) -> None:
    """Print how long ten seconds of 1080p, or VIDEO, take from cold and warm."""
    if video is None:
        from tools.footage.bench_footage import (  # noqa: PLC0415  # it takes what reads videos
            loop_footage,
            make_footage,
        )

        video = loop_footage(make_footage(120, 5), 10)
        command = [sys.executable, "-m", "tools.bench.start", str(video)]
        subprocess.run(command, check=True)  # noqa: S603  # making it is no part of the start
        return
    reader = Sandboxed(Settings())
    try:
        cold = measure(reader, video, STARTED)
        before = seconds_used(reader.pool.processes())
        warm = measure(reader, video, time.perf_counter())
    finally:
        reader.close()
    warm = [warm[0], warm[1] - before, warm[2], warm[3] - before]
    click.echo("       first picture: wall s  CPU s     all of it: wall s  CPU s")
    for name, figures in (("cold", cold), ("warm", warm)):
        first_wall, first_cpu, wall, cpu = figures
        click.echo(f"{name:22}{first_wall:7.2f}{first_cpu:7.2f}{wall:18.2f}{cpu:7.2f}")


if __name__ == "__main__":
    main()
