"""The trials: each puts a running server through one test, and returns its figures."""

import http
import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tools.soak.doors import Request, find_doors, malformed, send_line
from tools.soak.mutations import mutate, splice
from tools.soak.paths import CANARY, escape_paths
from tools.soak.photos import fresh_photo, photo_bombs, write_seeds
from tools.soak.servers import Answer, Server

OK, TOO_MANY = http.HTTPStatus.OK, http.HTTPStatus.TOO_MANY_REQUESTS
EXPECTED = {OK, 400, 401, 403, 404, 413, 422, TOO_MANY, 504}
FAULT = http.HTTPStatus.INTERNAL_SERVER_ERROR
GOOD_EVERY = 50
NOBODY = "Nobody"
SPARE_SECONDS = 2.0
DYING_SECONDS = 0.2
"""After this long, a process that was sent SIGSEGV has ended, and its parent has noticed."""


@dataclass
class Figures:
    """What a trial found; `faults` is empty if it passed."""

    trial: str
    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    seconds: float = 0.0
    notes: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, name: str, answer: Answer, limit_seconds: float) -> None:
        """Count an answer, and note what is wrong with it."""
        self.requests += 1
        self.statuses[answer.status] += 1
        self.slowest_seconds = max(self.slowest_seconds, answer.seconds)
        if answer.status not in EXPECTED or not _is_json(answer.body):
            self.faults.append(f"{name}: {answer.status} {answer.body[:200]!r}")
        if answer.seconds > limit_seconds + SPARE_SECONDS:
            self.faults.append(f"{name}: took {answer.seconds:.1f} s")
        if CANARY.encode() in answer.body:
            self.faults.append(f"{name}: the answer holds the canary")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


@contextmanager
def _timed(figures: Figures, server: Server) -> Iterator[None]:
    started = time.perf_counter()
    yield
    figures.seconds = time.perf_counter() - started
    if not server.is_alive():
        figures.faults.append("the server died")
    if CANARY in server.log():
        figures.faults.append("the log holds the canary")


def try_files(
    server: Server, files: Sequence[Path], good: str, limit_seconds: float, trial: str = "bombs"
) -> Figures:
    """Send each file, and a good one now and then."""
    figures = Figures(trial)
    with _timed(figures, server):
        for number, path in enumerate(files):
            figures.add(path.name, server.ask(path.name), limit_seconds)
            if number % GOOD_EVERY == 0:
                _ask_good(figures, server, good, limit_seconds)
    return figures


def _ask_good(figures: Figures, server: Server, good: str, limit_seconds: float) -> None:
    answer = server.ask(good)
    figures.add(good, answer, limit_seconds)
    if answer.status != OK:
        figures.faults.append(f"the good video got {answer.status}: {answer.body[:200]!r}")


def try_mutations(
    server: Server,
    library: Path,
    seeds: Sequence[Path],
    numbers: range,
    *,
    good: str,
    limit_seconds: float,
    workers: int,
    until: float,
) -> Figures:
    """Send the numbered broken files, several at once; stop at `until` (monotonic seconds)."""
    figures = Figures("mutations")
    contents = [seed.read_bytes() for seed in seeds]
    lock = threading.Lock()

    def ask(number: int) -> None:
        if time.monotonic() > until:
            return
        seed = seeds[number % len(seeds)]
        content = mutate(contents[number % len(seeds)], number)
        if number % 10 == 9:  # noqa: PLR2004  # every tenth is made from two
            content = splice(content, contents[number // 10 % len(seeds)], number)
        path = library / f"broken-{number}{seed.suffix}"
        path.write_bytes(content)
        answer = server.ask(path.name)
        path.unlink()
        with lock:
            figures.add(f"mutation {number} of {seed.name}", answer, limit_seconds)
        if number % GOOD_EVERY == 0:
            answer = server.ask(good)
            with lock:
                figures.add(good, answer, limit_seconds)
                if answer.status != OK:
                    figures.faults.append(f"the good video got {answer.status}")

    with _timed(figures, server), ThreadPoolExecutor(workers) as pool:
        list(pool.map(ask, numbers))
    return figures


def try_photos(
    server: Server, portrait: Path, numbers: range, limit_seconds: float, until: float
) -> Figures:
    """Upload every photo bomb, then numbered broken photos, and a good one now and then."""
    figures = Figures("photos")
    good = portrait.read_bytes()
    seeds = list(write_seeds(portrait).items())

    def add(name: str, photo: bytes, number: int) -> None:
        figures.add(name, server.add_photo(NOBODY, photo), limit_seconds)
        if number % GOOD_EVERY == 0:
            answer = server.add_photo(NOBODY, fresh_photo(good, figures.requests))
            figures.add("the good photo", answer, limit_seconds)
            if answer.status != OK:
                figures.faults.append(f"the good photo got {answer.status}: {answer.body[:200]!r}")

    with _timed(figures, server):
        for number, (name, bomb) in enumerate(photo_bombs()):
            add(name, bomb, number)
        for number in numbers:
            if time.monotonic() > until:
                break
            name, seed = seeds[number % len(seeds)]
            add(f"mutation {number} of {name}", mutate(seed, number), number)
    return figures


def try_doors(
    server: Server, good: str, numbers: range, limit_seconds: float, until: float
) -> Figures:
    """Send the numbered malformed requests to all described routes, and a good one now and then.

    A fault is an unexpected error (500), no answer to a whole request, or a late one.
    """
    figures = Figures("doors")
    doors = find_doors(json.loads(server.get("/openapi.json").body))
    with _timed(figures, server):
        for number in numbers:
            if time.monotonic() > until:
                break
            _try_door(figures, server, malformed(number, doors), number, limit_seconds)
            if number % (10 * GOOD_EVERY) == 0:
                _ask_good(figures, server, good, limit_seconds)
    return figures


def _try_door(
    figures: Figures, server: Server, request: Request, number: int, limit_seconds: float
) -> None:
    figures.requests += 1
    name = f"malformed {number}, {request.method} {request.url[:60]}"
    if request.line:
        answer = send_line(server.port, request.line)
        words = answer.split(maxsplit=2)
        status = int(words[1]) if answer else 0
        seconds = 0.0
    else:
        found = server.send(request.method, request.url, request.headers or {}, request.body)
        status, seconds, answer = found.status, found.seconds, found.body
    figures.statuses[status] += 1
    figures.slowest_seconds = max(figures.slowest_seconds, seconds)
    if status == FAULT or (status == 0 and not request.line):
        figures.faults.append(f"{name}: {status} {answer[:200]!r}")
    if seconds > limit_seconds + SPARE_SECONDS:
        figures.faults.append(f"{name}: took {seconds:.1f} s")


def try_paths(server: Server, root: Path, limit_seconds: float) -> Figures:
    """Ask for every escape path, with a server on loopback that notices connections."""
    figures = Figures("escape paths")
    with canary_server() as (port, packets), _timed(figures, server):
        paths = escape_paths(root, port)
        for path in paths:
            answer = server.ask(path)
            figures.add(repr(path[:80]), answer, limit_seconds)
            if answer.status == OK:
                figures.faults.append(f"{path[:80]!r} was opened")
        figures.notes["connections to the canary server"] = len(packets)
        if packets:
            figures.faults.append(f"{len(packets)} connections reached the canary server")
    return figures


@contextmanager
def canary_server() -> Iterator[tuple[int, list[str]]]:
    """Listen on a loopback port, over TCP and UDP, and record every connection."""
    heard: list[str] = []
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
        stream.bind(("127.0.0.1", 0))
        port = stream.getsockname()[1]
        datagram.bind(("127.0.0.1", port))
        stream.listen()
        for listener in (stream, datagram):
            listener.settimeout(0.2)
        stop = threading.Event()

        def listen(wait: Callable[[], object]) -> None:
            while not stop.is_set():
                try:
                    heard.append(str(wait()))
                except TimeoutError:
                    continue

        threads = [
            threading.Thread(target=listen, args=(wait,))
            for wait in (stream.accept, lambda: datagram.recv(1))
        ]
        for thread in threads:
            thread.start()
        try:
            yield port, heard
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def try_crashes(server: Server, film: str, good: str, times: int, limit_seconds: float) -> Figures:
    """Kill a child with SIGSEGV at any moment of its work, and ask again at once."""
    figures = Figures("SIGSEGVs")
    chance = random.Random(1)  # noqa: S311
    with _timed(figures, server):
        for number in range(times):
            answers: list[Answer] = []
            asking = threading.Thread(target=lambda kept=answers: kept.append(server.ask(film)))
            asking.start()
            time.sleep(chance.uniform(0.0, 1.0))
            children = server.children()
            for child in children:
                os.kill(child, signal.SIGSEGV)
            asking.join()
            if not children:
                figures.faults.append(f"crash {number}: there was no child to kill")
            time.sleep(DYING_SECONDS)
            figures.add(f"crash {number}", answers[0], limit_seconds)
            _ask_good(figures, server, good, limit_seconds)
    figures.notes["crashes that cost a request"] = figures.statuses[422]
    return figures


def try_crowd(server: Server, good: str, crowd: int, limit_seconds: float) -> Figures:
    """Ask for a good video many times at once; requests without a slot must get 429."""
    figures = Figures(f"{crowd} at once")
    before = server.memory_megabytes()
    peak = [before]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], server.memory_megabytes())

    watching = threading.Thread(target=watch)
    watching.start()
    with _timed(figures, server), ThreadPoolExecutor(crowd) as pool:
        for answer in pool.map(lambda _: server.ask(good), range(crowd)):
            figures.add("crowd", answer, limit_seconds)
    done.set()
    watching.join()
    figures.notes |= {"MB before": before, "MB at most": peak[0]}
    if figures.statuses[OK] + figures.statuses[TOO_MANY] != crowd or not figures.statuses[OK]:
        figures.faults.append(f"answers other than 200 and 429: {dict(figures.statuses)}")
    _ask_good(figures, server, good, limit_seconds)
    return figures


def try_patience(
    server: Server, videos: Sequence[str], requests: int, until: float, limit_seconds: float
) -> Figures:
    """Ask again and again, and check whether memory grows."""
    figures = Figures("memory")
    settled = max(requests // 10, 1)
    measured: list[float] = []
    with _timed(figures, server):
        for number in count():
            if number >= requests or time.monotonic() > until:
                break
            video = videos[number % len(videos)]
            figures.add(video, server.ask(video), limit_seconds)
            if number >= settled and number % max(requests // 50, 1) == 0:
                measured.append(server.memory_megabytes())
    third = max(len(measured) // 3, 1)
    first, last = (sum(part) / len(part) for part in (measured[:third], measured[-third:]))
    figures.notes = {"MB early": first, "MB late": last, "drift %": 100 * (last - first) / first}
    return figures
