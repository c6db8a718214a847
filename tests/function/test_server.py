"""The server as it runs: clients that leave, bodies that do not end, and being told to stop."""

import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import numpy as np
import pytest

from db.models import EncodingKind
from db.records import Encoding, Performer
from db.stores import open_store
from function.engines.models import PRIMARY, SECOND, SECOND_BEFORE
from function.web.page_requests import PAGE_HEADER
from tests.support.servers import framework_server
from tests.support.servers import own_server as one_server
from tests.support.waiting import wait_until
from tools.footage.videos import moving_picture, read_portrait, write_video
from tools.soak.servers import Answer, Server, free_port, serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def library(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    portrait = read_portrait(photos / "obama3.jpg")
    write_video(folder / "long.mp4", moving_picture(portrait, 12, size=(640, 480)))
    write_video(folder / "short.mp4", moving_picture(portrait, 0.2, size=(320, 240)))
    return folder


@pytest.fixture(scope="module")
def server(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), library) as server:
        yield server


@pytest.fixture
def own_server(library: Path, tmp_path: Path) -> Iterator[Server]:
    """A server that no other test needs, so that it can be stopped."""
    with serving(tmp_path, library) as server:
        yield server


def wait_until_busy(server: Server, busy: float = 1.0) -> None:
    deadline = time.monotonic() + 10
    while f"recognition_slots_busy {busy}".encode() not in server.get("/metrics").body:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("PERFORMERS_DB", "postgresql://user:secret@host/db", "is 'postgresql://host/db'; it must"),
        ("PORT", "http", "is 'http'; it must be a whole number from 1 to 65535"),
        ("PORT", "70000", "is '70000'; it must be a whole number from 1 to 65535"),
        ("PORT", "0", "is '0'; it must be a whole number from 1 to 65535"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line_and_no_traceback(
    variable: str, value: str, complaint: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "function.server"],
        env={**os.environ, variable: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{variable} {complaint}")
    assert "secret" not in done.stdout


@pytest.mark.parametrize(
    "host", ["127.0.0.1/8", "256.1.1.1", "videos.invalid", os.fsdecode(b"h\xe9")]
)
def test_a_host_that_nobody_knows_is_one_line_and_no_traceback(host: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "function.server"],
        env={**os.environ, "HOST": host, "MEDIA_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()  # no token before it, for nobody
    shown = host.encode(errors="surrogateescape").decode(errors="backslashreplace")
    assert line.startswith(f"HOST is '{shown}', and no address is known by that name.")
    assert not done.stdout


def test_a_port_that_is_taken_is_one_line_and_no_token(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "function.server"],
            env={**os.environ, "HOST": "0.0.0.0", "PORT": port, "MEDIA_ROOT": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"HOST is '0.0.0.0' and PORT {port}; nothing can listen there (")


LOCKLESS = [sys.executable, "-m", "tests.support.without_locks"]


@pytest.mark.parametrize(
    ("lacking", "missing"),
    [("seccomp", "calls"), ("landlock", "files"), ("seccomp,landlock", "files and calls")],
)
def test_strict_does_not_start_where_a_lock_is_missing(
    lacking: str, missing: str, tmp_path: Path
) -> None:
    settings = {"SANDBOX": "strict", "PORT": str(free_port()), "MEDIA_ROOT": str(tmp_path)}
    settings |= {"LIBRARY_DB": str(tmp_path / "l.db"), "PERFORMERS_DB": str(tmp_path / "g.db")}
    done = subprocess.run(
        [*LOCKLESS, lacking, sys.executable, "-m", "function.server"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "Serving" not in done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"SANDBOX is strict, but this system leaves {missing} unlocked")


def test_ready_says_which_locks_hold_where_one_is_missing(tmp_path: Path) -> None:
    settings = {"PORT": str(free_port()), "MEDIA_ROOT": str(tmp_path)}
    settings |= {"LIBRARY_DB": str(tmp_path / "l.db"), "PERFORMERS_DB": str(tmp_path / "g.db")}
    command = [*LOCKLESS, "landlock", sys.executable, "-m", "function.server"]
    open_store(tmp_path / "g.db").create()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)
    server = Server(process, int(settings["PORT"]), tmp_path / "log")
    try:
        deadline = time.monotonic() + 60
        while (answer := server.get("/ready")).status != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert json.loads(answer.body)["locks"] == ["memory", "calls"]
    finally:
        server.stop()


def test_it_listens_on_ipv6_and_says_so(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET6) as free:
        try:
            free.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
        port = free.getsockname()[1]
    settings = {"HOST": "::1", "PORT": str(port), "MEDIA_ROOT": str(tmp_path)}
    command = [sys.executable, "-m", "function.server"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, env={**os.environ, **settings}, stderr=log, stdout=log)
    try:
        deadline = time.monotonic() + 60
        while not _answers("::1", port):
            assert time.monotonic() < deadline
            assert server.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.1)
    finally:
        server.terminate()
        server.wait(timeout=30)
    assert f"Serving on http://[::1]:{port}" in (tmp_path / "log").read_text()


def _answers(host: str, port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection(host, port, timeout=5)) as connection:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False


def test_make_run_serves_a_folder_with_any_name(tmp_path: Path) -> None:
    folder = "My 'best' Videos; it is"
    told = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "run", f"MEDIA={folder}", "VENV=none"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert folder not in told.stdout  # it is never part of a line for the shell
    shown = subprocess.run(
        ["make", "--no-print-directory", "-f", "-", "run", f"MEDIA={folder}"],
        input=_run_rule() + "\t@printenv MEDIA_ROOT\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == f"{folder}\n"


def _run_rule() -> str:
    """The Makefile's line on MEDIA_ROOT, before a rule that does nothing else."""
    lines = (Path(__file__).parents[2] / "Makefile").read_text().splitlines()
    (export,) = (line for line in lines if line.startswith("run: export"))
    return f"{export}\nrun:\n"


def test_it_says_where_it_serves(server: Server) -> None:
    assert f"Serving on http://127.0.0.1:{server.port}" in server.log()


def test_a_media_root_without_videos_is_named_at_the_start_and_when_asked(tmp_path: Path) -> None:
    media = tmp_path / "videos"
    media.mkdir()
    with serving(tmp_path, media) as server:
        assert f"There is no video in {media}. Start the server with" in server.log()
        assert "There is no gallery" not in server.log()
        ready = json.loads(server.get("/ready").body)
        assert ready["media_trouble"].startswith(f"There is no video in {media}.")
        (media / "film.mp4").touch()
        assert json.loads(server.get("/ready").body)["media_trouble"] == ""


def test_a_gallery_that_is_not_there_is_named_at_the_start(tmp_path: Path, library: Path) -> None:
    gallery, log = tmp_path / "misspelt.db", tmp_path / "log"
    places = {"PERFORMERS_DB": gallery, "LIBRARY_DB": tmp_path / "l.db", "MEDIA_ROOT": library}
    with one_server(log, **places):
        pass
    assert f"There is no gallery at {gallery}, so nobody can be named." in log.read_text()


def test_photos_that_an_earlier_second_net_encoded_are_counted_at_the_start(
    tmp_path: Path, library: Path
) -> None:
    gallery = tmp_path / "g.db"
    places = {"PERFORMERS_DB": gallery, "LIBRARY_DB": tmp_path / "l.db", "MEDIA_ROOT": library}

    def started(*models: EncodingKind) -> str:
        with open_store(gallery).changing(create=True) as opened:
            for number, model in enumerate(models):
                encodings = [
                    Encoding(
                        np.full(kind.dimensions, 0.1, np.float32),
                        kind.id,
                        0.9,
                        f"{number}",
                        "photo",
                    )
                    for kind in (PRIMARY, model)
                ]
                opened.enrol(Performer(0, f"P{number}", source_id=f"{number}"), encodings, None)
        with one_server(tmp_path / "log", **places):
            pass
        return (tmp_path / "log").read_text()

    told = f"of the gallery's 3 photos have no encoding of {SECOND.id}"
    assert f"2 {told}" in started(SECOND_BEFORE, SECOND_BEFORE, SECOND)
    assert "upgrade-encodings" in (tmp_path / "log").read_text()
    assert told not in started(SECOND, SECOND, SECOND)


def test_a_client_that_goes_away_frees_its_slot(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /?path=long.mp4&every=0.1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until_busy(server)
    wait_until_busy(server, 0.0)
    assert server.ask("short.mp4").status == 200
    assert '"client_gone"' in server.log()


def test_a_client_that_sends_a_byte_too_much_and_goes_away_frees_its_slot(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /?path=long.mp4&every=0.04 HTTP/1.1\r\nHost: localhost\r\n\r\nG")
        wait_until_busy(server)
    wait_until_busy(server, 0.0)


@pytest.mark.parametrize(
    "sent",
    [
        b"G",
        b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\npath=",
        b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n",  # and the answer is not read
    ],
)
def test_a_thousand_clients_that_dawdle_hold_nobody_up(sent: bytes, server: Server) -> None:
    _allow_descriptors(1500)
    with ExitStack() as open_ones:
        for _ in range(1000):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            open_ones.enter_context(client)
            with suppress(OSError):  # it made room for others
                client.sendall(sent)
        assert server.get("/health").seconds < 20  # alone it takes 0.1 s
        assert server.ask("short.mp4").status == 200
        assert len([*Path(f"/proc/{server.process.pid}/fd").iterdir()]) < 1000


def test_all_who_play_watch_and_wait_leave_threads_for_others(
    library: Path, tmp_path: Path
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    (media / "long.mp4").hardlink_to(library / "long.mp4")
    with (media / "film.mp4").open("wb") as film:
        film.truncate(100_000_000)  # a hole
    headers = {PAGE_HEADER: "1", "Content-Type": "application/json"}
    with serving(tmp_path, media) as server, ExitStack() as opened:
        for verb in ("pause", "scan"):
            assert server.send("POST", f"/library/{verb}", headers, b"{}").status == 200
        played = server.send("POST", "/play", headers, b'{"path": "film.mp4"}')
        film_url = f"/media?result={json.loads(played.body)['result']}"
        line = "/?path=long.mp4&every=0.04"
        for url, count in ((line, 5), (film_url, 50), ("/library/progress", 300)):
            for _ in range(count):
                client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
                opened.enter_context(client)
                lines = (f"GET {url} HTTP/1.1", "Host: localhost", f"{PAGE_HEADER}: 1")
                accepted = ("Accept: application/x-ndjson", "", "")
                client.sendall("\r\n".join((*lines, *accepted)).encode())
        wait_until_busy(server)
        deadline = time.monotonic() + 20  # alone it takes 0.1 s
        while server.get("/health").status != 200:  # while all of a crowd ask at once, some are cut
            assert time.monotonic() < deadline
        assert server.ask("film.mp4").status in (422, 429), "it is answered, like anybody"


def _allow_descriptors(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def test_a_line_of_16_megabytes_is_cut_off(server: Server) -> None:
    before = server.memory_megabytes()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        with suppress(OSError):
            client.sendall(b"GET /?path=" + b"a" * 16_000_000)
        assert server.get("/health").status == 200
    assert server.memory_megabytes() < before + 8


@pytest.mark.parametrize("threads", ["1", "2"])
def test_plain_functions_framework_takes_its_threads_from_no_setting_of_ours(
    threads: str, tmp_path: Path
) -> None:
    settings = {"PERFORMERS_DB": tmp_path / "performers.db", "MEDIA_ROOT": tmp_path}
    with framework_server(tmp_path / "log", THREADS=threads, **settings) as address:
        port = int(address.rpartition(":")[2])
        with ExitStack() as open_ones:
            for _ in range(3):
                client = socket.create_connection(("127.0.0.1", port), timeout=30)
                open_ones.enter_context(client).sendall(b"G")
            with urllib.request.urlopen(f"{address}/health", timeout=20) as answer:
                assert answer.status == 200


def test_a_port_that_is_taken_is_one_line_and_no_traceback(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "function.server"],
        env={**os.environ, "PORT": str(server.port)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"PORT {server.port}; nothing can listen there" in done.stderr
    assert "Traceback" not in done.stderr


def test_told_to_stop_it_ends_work_with_an_answer_in_time(own_server: Server) -> None:
    answers: list[Answer] = []
    asking = threading.Thread(
        target=lambda: answers.append(own_server.get("/?path=long.mp4&every=0.04"))
    )
    asking.start()
    wait_until_busy(own_server)
    assert own_server.stop() < 8
    asking.join()
    (answer,) = answers
    assert answer.status == 200 or (answer.status == 503 and b'"stopping"' in answer.body)
    assert own_server.process.returncode == 0
    assert own_server.children() == []


TOLD_TWICE = """
import signal
from function import server
from function.library.server_threads import ServerThread
stop = ServerThread.stop
def told_again(thread):
    with thread.closing._cond:  # as in the midst of `closing.set`
        signal.raise_signal(signal.SIGINT)
    stop(thread)
ServerThread.stop = told_again
server.main()
"""


def test_told_to_stop_twice_at_once_it_stops(tmp_path: Path, library: Path) -> None:
    port = free_port()
    environment = {"MEDIA_ROOT": str(library), "PORT": str(port)}
    environment |= {"PERFORMERS_DB": str(tmp_path / "g.db"), "LIBRARY_DB": str(tmp_path / "l.db")}
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", TOLD_TWICE],
            cwd=Path(__file__).parents[2],
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: "Serving on" in log.read_text())
        process.terminate()
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


def test_a_body_of_300_megabytes_is_refused_and_not_kept(server: Server) -> None:
    before = server.memory_megabytes()
    piece = bytes(1_000_000)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000000\r\n\r\n")
        try:
            for _ in range(300):
                client.sendall(piece)
        except OSError:
            pass  # it need not listen to the end
    assert server.memory_megabytes() < before + 20
    assert server.get("/health").status == 200
