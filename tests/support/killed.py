"""Processes that a test starts in milliseconds, to kill them."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

Start = Callable[..., BaseProcess]


def preloaded(module: str) -> ForkServerContext:
    """Return what starts processes that share what `module` imports, once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


@contextmanager
def starting(context: ForkServerContext) -> Iterator[Start]:
    """Give what starts a process with some work; in the end all are killed."""
    started: list[BaseProcess] = []

    def start(work: Callable[..., None], *arguments: object) -> BaseProcess:
        process = context.Process(target=work, args=arguments, daemon=True)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


def lines_of(report: Path) -> list[str]:
    """Return what a process reported before it was killed."""
    return report.read_text().splitlines() if report.exists() else []
