"""`make bench`: our engines, the usual way and the floor on the same video, with cost ratios.

Each contender runs in its own process; the kernel reports its CPU seconds when it has ended, and
the process itself reports its peak memory. Prints a table, and writes JSON.
"""

import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from tools.bench.contenders import CONTENDERS, Found
from tools.footage.bench_footage import loop_footage, make_footage

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / ".cache" / "bench.json"
COMPARED = ("keyframes", "onnx", "dlib", "reference")
ALONE = ("keyframes", "onnx")
"""Contenders to run where the reference would take an hour, or is not wanted."""

HEADINGS = (
    *("contender", "frames", "faces", "true", "people"),
    *("CPU s", "of which work", "wall s", "peak MB"),
)


@dataclass(frozen=True)
class Run:
    """What one contender cost, for its whole process, and what it found."""

    contender: str
    video: str
    every_seconds: float | None
    cpu_seconds: float
    wall_seconds: float
    peak_megabytes: float
    found: Found


def run_contender(name: str, video: Path, every_seconds: float | None) -> Run:
    """Run one contender to its end and ask the kernel what it used."""
    interval = "auto" if every_seconds is None else f"{every_seconds:g}"
    command = [sys.executable, "-m", "tools.bench.contenders", name, str(video), interval]
    started = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:  # noqa: S603  # ours
        output = child.stdout.read() if child.stdout else b""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall_seconds = time.monotonic() - started
    if child.returncode:
        raise click.ClickException(f"{name} failed with status {child.returncode}.")
    answer = json.loads(output)
    return Run(
        contender=name,
        video=video.name,
        every_seconds=every_seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        wall_seconds=wall_seconds,
        peak_megabytes=answer["peak_megabytes"],
        found=Found(**answer["found"]),
    )


def describe_machine() -> str:
    """Describe the machine, for people who compare figures."""
    model = platform.processor() or platform.machine()
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.exists():
        lines = [
            line for line in cpu_info.read_text().splitlines() if line.startswith("model name")
        ]
        model = lines[0].partition(":")[2].strip() if lines else model
    python = platform.python_version()
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {python}"


def render_table(runs: list[Run]) -> str:
    """Render runs of one video side by side, with ratios if the last is the reference."""
    rows = [HEADINGS, *(_row(run) for run in runs)]
    against = runs[-1]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    if against.contender == "reference":
        lines += [_ratios(run, against) for run in runs[:-1]]
    return "\n".join(lines)


def _ratios(run: Run, against: Run) -> str:
    whole = against.cpu_seconds / run.cpu_seconds
    loaded = against.found.work_seconds / run.found.work_seconds
    wall = against.wall_seconds / run.wall_seconds
    memory = against.peak_megabytes / run.peak_megabytes
    return (
        f"{run.contender} takes {loaded:.1f} times less CPU than {against.contender} once the nets "
        f"are loaded ({whole:.1f} including loading), {wall:.1f} times less time, "
        f"{memory:.1f} times less memory"
    )


def _row(run: Run) -> tuple[str, ...]:
    found = run.found
    return (
        run.contender,
        str(found.frames),
        str(found.faces),
        "?" if found.true_faces is None else str(found.true_faces),
        str(found.people),
        f"{run.cpu_seconds:.1f}",
        f"{found.work_seconds:.1f}",
        f"{run.wall_seconds:.1f}",
        f"{run.peak_megabytes:.0f}",
    )


@click.command(epilog="Example: python -m tools.bench video.mp4 --every 5 --contender onnx")
@click.argument("videos", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--every", multiple=True, type=float, help="Seconds between samples; default 5 and 1."
)
@click.option(
    "--contender", multiple=True, type=click.Choice(list(CONTENDERS)), help="Default: all."
)
def main(videos: tuple[Path, ...], every: tuple[float, ...], contender: tuple[str, ...]) -> None:
    """Compare on VIDEOS, or on two minutes of 1080p made here with keyframes every 5 s and 2 s.

    A third video shows the same people far away, with faces of 40 to 80 pixels. Without VIDEOS,
    our engine also runs alone with its default settings: on an hour of the same, and on ten
    seconds, which measures a cold start.
    """
    click.echo(f"Machine: {describe_machine()}")
    everything: list[Run] = []
    for video in videos or _make_footage():
        for every_seconds in every or (5.0, 1.0):
            everything += _compare(video, every_seconds, contender or COMPARED)
    if not videos:
        for seconds in (3600, 10):
            long_or_short = loop_footage(make_footage(120, 5), seconds)
            everything += _compare(long_or_short, None, contender or ALONE)
    RESULTS.parent.mkdir(exist_ok=True)
    figures = {"machine": describe_machine(), "runs": [asdict(run) for run in everything]}
    RESULTS.write_text(json.dumps(figures, indent=2))
    click.echo(f"\nAs JSON: {RESULTS.relative_to(ROOT)}")


def _make_footage() -> tuple[Path, ...]:
    return make_footage(120, 5), make_footage(120, 2), make_footage(120, 5, is_far=True)


def _compare(video: Path, every_seconds: float | None, contenders: tuple[str, ...]) -> list[Run]:
    interval = (
        "default settings" if every_seconds is None else f"one sample every {every_seconds:g} s"
    )
    click.echo(f"\n{video.name}, {interval}")
    runs = [run_contender(name, video, every_seconds) for name in contenders]
    click.echo(render_table(runs))
    return runs


if __name__ == "__main__":
    main()
