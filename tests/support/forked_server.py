"""The function as functions-framework serves it, in a process that a fork starts at once."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import gunicorn.app.base  # noqa: F401
from functions_framework._cli import _cli
from gunicorn.workers import gthread

# What the function imports when it starts, so that it is loaded once for all servers.
import function.sandbox.readers
import function.web.api
import function.web.library.routes
import function.web.logs
import function.web.page.routes
import function.web.stash.packages
import function.web.stash.routes  # noqa: F401

ROOT = Path(__file__).parents[2]


def serve(arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
    """Do what the command `functions-framework` does, in this environment."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    with log.open("w") as output:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(output.fileno(), stream.fileno())
    gthread.STOP_KEEPALIVE_LINGER = 0.0  # a browser keeps connections that it needs no more
    _cli(arguments)
