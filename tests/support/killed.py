"""Processes that a test starts in milliseconds, to kill them."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

Start = Callable[..., BaseProcess]


PRELOADED = ("forked_server", "crashing_apply", "crashing_import", "crashing_library")
"""What does the work of such processes. Python starts one server of forks only, so it loads all."""


@contextmanager
def starting() -> Iterator[Start]:
    """Give what starts a process with some work; in the end all are killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"tests.support.{one}" for one in PRELOADED])
    started: list[BaseProcess] = []

    def start(work: Callable[..., None], *arguments: object) -> BaseProcess:
        process = context.Process(target=work, args=arguments, daemon=True)
        process.start()
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.join()


def lines_of(report: Path) -> list[str]:
    """Return what a process reported before it was killed."""
    return report.read_text().splitlines() if report.exists() else []
