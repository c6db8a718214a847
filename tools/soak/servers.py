"""A real server in its own process, to send requests to and to observe."""

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from db.stores import open_store
from function.sandbox.starting import CHILD_MODULE
from function.web.page_requests import PAGE_HEADER

ROOT = Path(__file__).parents[2]
START_WITHIN_SECONDS = 30

UNASSIGNED_PORTS = (20_000, 32_000)
"""Linux gives clients, and whoever asks for any port, those from 32,768 on; others higher ones."""


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 if nothing did."""

    status: int
    body: bytes
    seconds: float
    kind: str = ""


class Server:
    """`python -m function.server`, running."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self._log = log

    def ask(self, path: str, *, timeout: float = 60, **headers: str) -> Answer:
        """Ask who is in a video."""
        return self.get(f"/?path={quote(path, safe='')}", timeout=timeout, **headers)

    def get(self, url: str, *, timeout: float = 60, **headers: str) -> Answer:
        """Send a GET request."""
        return self._send("GET", url, None, headers, timeout)

    def add_photo(self, name: str, photo: bytes, *, timeout: float = 60) -> Answer:
        """Enrol a photo of a performer, as the page does."""
        url = f"/gallery/photos?name={quote(name, safe='')}"
        headers = {PAGE_HEADER: "1", "Content-Type": "application/octet-stream"}
        return self._send("POST", url, photo, headers, timeout)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send any request."""
        return self._send(method, url, body, headers, 60)

    def _send(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], timeout: float
    ) -> Answer:
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, url, body, headers)
            response = connection.getresponse()
            body, kind = response.read(), response.headers.get_content_type()
            return Answer(response.status, body, time.perf_counter() - started, kind)
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, repr(error).encode(), time.perf_counter() - started)
        finally:
            connection.close()

    def is_alive(self) -> bool:
        """Whether it is running."""
        return self.process.poll() is None

    def children(self) -> list[int]:
        """Return the ids of the processes that read videos, without helpers of theirs."""
        found = {}
        for process in map(int, filter(str.isdigit, os.listdir("/proc"))):  # noqa: PTH208
            command, ancestors = _command(process), _ancestors(process)
            if CHILD_MODULE.encode() in command and self.process.pid in ancestors:
                found[process] = ancestors
        return [one for one, ancestors in found.items() if not found.keys() & {*ancestors}]

    def processes(self) -> list[int]:
        """Return the ids of all its processes."""
        return [self.process.pid, *_descendants(self.process.pid)]

    def memory_megabytes(self) -> float:
        """Return the memory of the server and its children, shared parts counted once (PSS)."""
        return sum(_pss_kilobytes(process) for process in self.processes()) / 1024

    def log(self) -> str:
        """Return what it has logged."""
        return self._log.read_text(errors="replace")

    def stop(self) -> float:
        """Tell it to stop, and return how many seconds that took."""
        started = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return time.perf_counter() - started


@contextmanager
def serving(folder: Path, library: Path, **settings: str) -> Iterator[Server]:
    """Run a server over `library`, with an empty gallery unless told otherwise."""
    gallery = folder / "performers.db"
    if not gallery.exists():
        open_store(gallery).create()
    port = free_port()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "MEDIA_ROOT": str(library),
        "PERFORMERS_DB": str(gallery),
        "LIBRARY_DB": str(folder / "library.db"),
        "PORT": str(port),
        **settings,
    }
    log = folder / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "function.server"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, port, log)
    try:
        _wait_for(server)
        yield server
    finally:
        if server.is_alive():
            server.stop()


def free_port() -> int:
    """Return a port where nothing listens, and which the system gives nobody else meanwhile."""
    while True:
        port = random.randint(*UNASSIGNED_PORTS)  # noqa: S311  # not for security
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _wait_for(server: Server) -> None:
    deadline = time.monotonic() + START_WITHIN_SECONDS
    while server.get("/ready").status != http.HTTPStatus.OK:
        if time.monotonic() > deadline or not server.is_alive():
            raise RuntimeError(f"The server did not start:\n{server.log()}")
        time.sleep(0.1)


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _parent(process: int) -> int:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[1])


def _ancestors(process: int) -> list[int]:
    found = []
    while process > 1:
        process = _parent(process)
        found.append(process)
    return found


def _descendants(ancestor: int) -> list[int]:
    processes = map(int, filter(str.isdigit, os.listdir("/proc")))  # noqa: PTH208
    return [process for process in processes if ancestor in _ancestors(process)]


def _pss_kilobytes(process: int) -> int:
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(rollup.partition("\nPss:")[2].split()[0])
