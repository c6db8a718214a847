"""The function as users start it, in a process of its own."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from functions_framework import create_app

from function.web.service import Service
from tests.support.forked_server import serve
from tests.support.killed import starting
from tools.soak.servers import free_port

ROOT = Path(__file__).parents[2]
START_TIMEOUT_SECONDS = 60


Serve = Callable[..., FlaskClient]
"""Starts the function in this process with some settings, and gives a client of it."""


@contextmanager
def serving(**defaults: object) -> Iterator[Serve]:
    """Yield what starts the function with settings, and end its processes afterwards."""
    services: list[Service] = []

    def start(**settings: str) -> FlaskClient:
        with pytest.MonkeyPatch.context() as environment:
            for name, value in (defaults | settings).items():
                environment.setenv(name, str(value))
            app = create_app("recognize", str(ROOT / "function" / "main.py"), "http")
        services.append(app.config["SERVICE"])
        client: FlaskClient = app.test_client()
        return client

    yield start
    for service in services:
        service.close()


@contextmanager
def running_server(log: Path, **settings: object) -> Iterator[str]:
    """Serve with these settings until the block ends, from a fork that starts at once."""
    port = free_port()
    with starting() as start:
        server = start(serve, _arguments(port), _environment(settings), log)
        address = f"http://127.0.0.1:{port}"
        _wait_until_up(address, server.is_alive, log)
        yield address
        server.terminate()
        server.join(timeout=30)
        assert not server.is_alive(), "it does not end when it is told to"


@contextmanager
def framework_server(log: Path, **settings: object) -> Iterator[str]:
    """Serve by the command `functions-framework` itself; gives the address."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("functions-framework")), *_arguments(port)]
    with _started(command, port, log, settings) as (address, _):
        yield address


@contextmanager
def own_server(log: Path, **settings: object) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Serve as `make run` does; gives the address and the process, which may be killed."""
    port = int(str(settings.get("PORT", 0))) or free_port()
    settings |= {"HOST": "127.0.0.1", "PORT": port}
    with _started([sys.executable, "-m", "function.server"], port, log, settings) as started:
        yield started


def _arguments(port: int) -> list[str]:
    """Return what `functions-framework` is told."""
    source = ["--source", "function/main.py", "--target", "recognize"]
    return [*source, "--host", "127.0.0.1", "--port", str(port)]


@contextmanager
def _started(
    command: list[str], port: int, log: Path, settings: dict[str, object]
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_up(address, lambda: server.poll() is None, log)
            yield address, server
        finally:
            server.terminate()
            server.wait(timeout=30)


def _environment(settings: dict[str, object]) -> dict[str, str]:
    given = {name: str(value) for name, value in settings.items()}
    return {**os.environ, "PYTHONPATH": str(ROOT), **given}


def _wait_until_up(address: str, is_alive: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and is_alive():
        try:
            urllib.request.urlopen(f"{address}/health").close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"The function did not start: {log.read_text()}")
