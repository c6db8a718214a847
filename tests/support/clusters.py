"""Dask as users start it: a scheduler and workers, each a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
START_WITHIN_SECONDS = 120
HELD = ("--preload", "tests.support.slow_worker")


def wait_until(is_so: Callable[[], object], seconds: float = START_WITHIN_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class DaskCluster:
    """A scheduler, and what workers do noted in `report`; all end with the context."""

    def __init__(self, folder: Path, *certificates: str) -> None:
        self.report, self.hold = folder / "report", folder / "hold"
        self._folder = folder
        self._certificates = certificates
        self._processes: list[subprocess.Popen[bytes]] = []
        self.address = ""

    def __enter__(self) -> Self:
        file = self._folder / "scheduler.json"
        protocol = "tls" if self._certificates else "tcp"
        listens = ("--host", "127.0.0.1", "--port", "0", "--protocol", protocol)
        self.scheduler = self._start(
            "dask_scheduler", *listens, "--no-dashboard", "--scheduler-file", str(file)
        )
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        self.address = json.loads(file.read_text())["address"]
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def worker(
        self, media: Path, options: Sequence[str] = HELD, **settings: str
    ) -> "subprocess.Popen[bytes]":
        """Start a worker that sees the videos in a folder."""
        environment = {"MEDIA_ROOT": str(media), "SECOND_ENCODER": "off", **settings}
        return self._start(
            "dask_worker",
            self.address,
            *("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"),
            *("--local-directory", str(self._folder)),
            *options,
            **environment,
        )

    def lines(self, word: str = "begun") -> list[tuple[str, int]]:
        """The videos that were begun (or ended), each with the process of the worker."""
        said = self.report.read_text().splitlines() if self.report.exists() else []
        parts = [line.split() for line in said]
        return [(name, int(process)) for what, name, process in parts if what == word]

    def joined(self) -> int:
        """How many workers have joined, by what the scheduler says."""
        return (self._folder / "log0").read_text().count("Register worker")

    def _start(self, program: str, *options: str, **environment: str) -> "subprocess.Popen[bytes]":
        log = (self._folder / f"log{len(self._processes)}").open("wb")
        own = {"REPORT": str(self.report), "HOLD": str(self.hold), "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *options, *self._certificates],
            cwd=ROOT,
            env=os.environ | own | environment,
            stdout=log,
            stderr=log,
        )
        log.close()
        self._processes.append(process)
        return process
