"""Connections of clients that are slow, silent or many, with deadlines short enough to wait for."""

import ipaddress
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import pytest
from flask import Flask, Response, request
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel

from function.errors import UnauthorizedError
from function.setting_kinds import Network
from function.web import connections
from function.web.connections import Front
from function.web.parser import Admit
from tests.support.waiting import wait_until

Connect = Callable[..., socket.socket]
GOOD = b"GET /quick HTTP/1.1\r\nHost: localhost\r\n\r\n"
BUSY = b"HTTP/1.1 429 Too Man"


class Desk:
    """An app whose slow answers wait until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.gone = threading.Event()
        self.app = Flask(__name__)
        self.app.add_url_rule(
            "/quick", view_func=lambda: f"{len(request.data)}", methods=["POST", "GET"]
        )
        self.app.add_url_rule("/slow", view_func=self._slow)
        self.app.add_url_rule("/through", "through", lambda: request.headers["X-Forwarded-For"])
        self.app.add_url_rule("/lines", view_func=self._lines)
        self.app.add_url_rule("/long", view_func=self._long)
        self.app.add_url_rule("/large", "large", lambda: bytes(20_000_000))
        self.app.add_url_rule("/tidy", view_func=self._tidy)
        self.app.add_url_rule(
            "/gallery/photos", "photos", lambda: f"{len(request.data)}", methods=["POST"]
        )

    def _slow(self) -> str:
        is_gone = request.environ["waitress.client_disconnected"]
        self.begun.release()
        while not self.go.wait(0.01):
            if is_gone():
                self.gone.set()
                return "gone"
        return "slow"

    def _lines(self) -> Response:
        def lines() -> Iterator[str]:
            yield "first\n"
            assert self.go.wait(30)
            yield "last\n"

        return Response(lines())

    def _tidy(self) -> Response:
        response = Response("whole")
        response.call_on_close(lambda: time.sleep(0.5))
        return response

    def _long(self) -> Response:
        def pieces() -> Iterator[bytes]:
            try:
                for _ in range(10_000):
                    yield bytes(100_000)
            finally:
                self.gone.set()

        return Response(pieces())


@contextmanager
def fronted(
    desk: Desk, threads: int = 2, admit: Admit = lambda _: None, proxies: Sequence[Network] = ()
) -> Iterator[Connect]:
    front = Front("127.0.0.1", 0, threads)
    front.take(desk.app, admit, proxies)
    thread = threading.Thread(target=front.run)
    thread.start()
    with ExitStack() as opened:

        def connect(source: str = "127.0.0.1") -> socket.socket:
            where = ("127.0.0.1", int(front.effective_port))
            connected = socket.create_connection(where, 30, source_address=(source, 0))
            return opened.enter_context(connected)

        try:
            yield connect
        finally:
            desk.go.set()
            front.stop(0.5)
            thread.join()
    front.task_dispatcher.shutdown()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def read_all(client: socket.socket) -> bytes:
    """Read until the server closes the connection; the timeout of the socket fails the test."""
    parts = []
    try:
        while part := client.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def is_answered(client: socket.socket) -> bool:
    client.sendall(GOOD)
    return client.recv(100).startswith(b"HTTP/1.1 200")


def test_whoever_offers_another_protocol_is_answered_in_this_one(desk: Desk) -> None:
    with fronted(desk) as connect, connect() as client:
        offer = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
        client.sendall(GOOD.removesuffix(b"\r\n") + offer)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("drip", [b"G", b"\r\n", b"GET / HTTP/1.1\r\nX: "])
def test_a_request_must_be_whole_in_time_however_it_drips(
    drip: bytes, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    with fronted(desk) as connect:
        client = connect()
        client.sendall(drip)
        client.settimeout(0.1)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                client.sendall(drip[:1] if drip != b"\r\n" else drip)
                assert client.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                pass
            return
    pytest.fail("it is still let drip")


@pytest.mark.parametrize("sent", [b"", GOOD])
def test_an_idle_connection_is_closed(
    sent: bytes, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.5)
    with fronted(desk) as connect:
        client = connect()
        client.sendall(sent)
        assert read_all(client).count(b"HTTP/1.1 200") == bool(sent)


def test_a_body_that_does_not_come_is_not_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.5)
    with fronted(desk) as connect:
        client = connect()
        client.sendall(b"POST /quick HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1")
        assert read_all(client) == b""


def test_whoever_does_not_read_the_answer_loses_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.5)
    with fronted(desk) as connect:
        client = connect()
        client.sendall(b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert desk.gone.wait(30)
        assert is_answered(connect())


def test_whoever_dawdles_over_the_answer_loses_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.5)
    monkeypatch.setattr(connections, "LEAST_TAKEN_BYTES", 10**9)
    with fronted(desk) as connect:
        client = connect()
        client.sendall(b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n")
        taken = 0
        while not desk.gone.wait(0.002):
            taken += len(client.recv(65536))
        assert taken < 5 * 10**8, "it is not read to its end"
        assert is_answered(connect())


def test_a_little_that_is_taken_now_and_then_is_not_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HTTPChannel, "send", lambda *_: 1024)
    channel = object.__new__(connections._Channel)
    channel.requests, channel.total_outbufs_len = [], 1
    channel._taken_at, channel._taken_bytes = 0.0, 0
    for _ in range(15):
        channel.send(b"")
        assert channel.is_overdue(time.time())
    channel.send(b"")
    assert not channel.is_overdue(time.time())


def test_the_time_to_read_an_answer_begins_with_it_and_not_with_each_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HTTPChannel, "write_soon", lambda *_: 1)
    channel = object.__new__(connections._Channel)
    channel.requests, channel.total_outbufs_len = [], 0
    channel._taken_at, channel._taken_bytes = 0.0, 0
    channel.write_soon(b"first")
    channel.total_outbufs_len = 1
    assert not channel.is_overdue(time.time())
    channel._taken_at = 0.0
    channel.write_soon(b"second")
    assert channel.is_overdue(time.time())


@pytest.mark.parametrize(
    "head",
    [
        b"GET /quick HTTP/1.1\r\nX: " + b" " * 30_000 + b"y",
        b"GET /quick HTTP/1.1\r\nX: y" + b" \t" * 15_000 + b"\0",
        b"GET /quick HTTP/1.1\r\nX: y\r\n" + b" \r\n".join([b" " * 60] * 90) + b"y",
        b"GET a://" + b"1" * 8_000 + b" x HTTP/1.1",
        b"GET a://" + b"1" * 8_000 + b" HTTX/1.1",
        b"GET " + b" " * 8_000 + b"/quick HTTP/1.1",
        b"GET /quick HTTP/1.1\r\nX: y\nHost: elsewhere",
        b"GET /qui\x01ck HTTP/1.1",
        b"POST /quick HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0",
    ],
    ids=["gap", "end", "folds", "digits", "version", "line", "bare", "control", "two lengths"],
)
def test_a_head_that_takes_long_to_judge_is_refused_unjudged(head: bytes, desk: Desk) -> None:
    started = time.process_time()
    with fronted(desk) as connect:
        client = connect()
        client.sendall(head + b"\r\n\r\n")
        assert b" 400 " in read_all(client).splitlines()[0]
        assert is_answered(connect())
    assert time.process_time() - started < 2, "the server's threads take no longer"


def test_headers_as_clients_write_them_are_read(desk: Desk) -> None:
    odd = (
        b"X: " + b"a  b\t" * 1_000,
        b"Y:",
        b"Z:\t z " + b" " * 60,
        b"W: \xe9",
        b"Cookie: a=b; c=d",
    )
    with fronted(desk) as connect:
        client = connect()
        client.sendall(GOOD[:-2] + b"\r\n".join(odd) + b"\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_whoever_wants_https_is_told_at_once_that_it_is_not_spoken(desk: Desk) -> None:
    begun = time.monotonic()
    with fronted(desk) as connect, connect() as client:
        unchecked = ssl.create_default_context()
        unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
        with pytest.raises(ssl.SSLError, match="alert protocol version"):
            unchecked.wrap_socket(client)
        with connect() as other:
            assert is_answered(other)
    assert time.monotonic() - begun < connections.HEAD_SECONDS / 2


def test_a_slow_answer_has_no_deadline(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDLE_SECONDS", "HEAD_SECONDS", "BODY_SECONDS", "UNREAD_SECONDS"):
        monkeypatch.setattr(connections, name, 0.1)
    with fronted(desk) as connect:
        client = connect()
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert desk.begun.acquire(timeout=30)
        time.sleep(2.5)  # two rounds of looking for the overdue
        desk.go.set()
        assert read_all(client).endswith(b"slow")


@pytest.mark.parametrize("behind", [b"", b"G", b"GET /quick HTTP/1.1\r\n"])
def test_a_client_that_leaves_is_noticed_behind_what_it_sent(behind: bytes, desk: Desk) -> None:
    with fronted(desk) as connect:
        client = connect()
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n" + behind)
        assert desk.begun.acquire(timeout=30)
        client.close()
        assert desk.gone.wait(30)


@pytest.mark.parametrize("is_at_once", [True, False])
def test_a_second_request_before_the_answer_ends_the_connection(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, is_at_once: bool
) -> None:
    monkeypatch.setattr(connections, "AHEAD_SECONDS", 0.5)
    slow = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with fronted(desk) as connect:
        client = connect()
        client.sendall(slow + GOOD * 5 if is_at_once else slow)
        assert desk.begun.acquire(timeout=30)
        if not is_at_once:
            client.sendall(GOOD * 5)
        assert read_all(client) == b""
        assert desk.gone.wait(30)


def test_each_line_is_sent_as_it_comes(desk: Desk) -> None:
    with fronted(desk) as connect:
        client = connect()
        client.sendall(b"GET /lines HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while b"first" not in received:
            received += client.recv(1000)
        assert b"last" not in received
        desk.go.set()
        assert b"last\n" in read_all(client)


def test_whoever_dawdled_longest_makes_room_and_work_under_way_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_PER_ADDRESS", 3)
    with fronted(desk) as connect:
        worker = connect()
        worker.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert desk.begun.acquire(timeout=30)
        first = connect()
        for _ in range(2):
            assert is_answered(connect())
        assert read_all(first).startswith(BUSY)
        desk.go.set()
        assert read_all(worker).endswith(b"slow")


@pytest.mark.parametrize(("proxy", "room"), [("127.0.0.0/8", 3), ("192.0.2.1", 1)])
def test_those_behind_a_trusted_proxy_have_room_together(
    proxy: str, room: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_PER_ADDRESS", 1)
    monkeypatch.setattr(connections, "MOST_FOR_PROXIES", 3)
    with fronted(desk, 4, proxies=[ipaddress.ip_network(proxy)]) as connect:
        workers = [connect() for _ in range(room)]
        for one in workers:
            one.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert desk.begun.acquire(timeout=30)
        one_more = connect()
        assert read_all(one_more).startswith(BUSY)
        desk.go.set()
        assert all(read_all(one).endswith(b"slow") for one in workers)


@pytest.mark.skipif(sys.platform != "linux", reason="a Mac has only 127.0.0.1")
def test_a_proxy_takes_no_room_from_whoever_else_has_the_same_half_of_an_address(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_PER_ADDRESS", 1)
    monkeypatch.setattr(connections, "home_of", lambda _: "one half")
    with fronted(desk, 4, proxies=[ipaddress.ip_network("127.0.0.2")]) as connect:
        for one in (connect("127.0.0.2"), connect("127.0.0.2")):
            one.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert desk.begun.acquire(timeout=30)
        beside = connect()
        beside.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert desk.begun.acquire(timeout=30)
        desk.go.set()
        assert read_all(beside).endswith(b"slow")


@contextmanager
def with_no_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Serve one, who is at work, so that there is no room for others."""
    monkeypatch.setattr(connections, "MOST_PER_ADDRESS", 1)
    with fronted(desk) as connect:
        worker = connect()
        worker.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert desk.begun.acquire(timeout=30)
        yield connect
        desk.go.set()
        assert read_all(worker).endswith(b"slow")


@pytest.mark.parametrize(
    "sent",
    [b"", b"G", GOOD, b"POST / HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n" + bytes(3_000_000)],
)
def test_whoever_finds_no_room_is_told_so_and_not_cut_off(
    sent: bytes, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LEAVING_SECONDS", 1000.0)  # it ends without being cut off
    with with_no_room(desk, monkeypatch) as connect:
        client = connect()
        client.sendall(sent)
        head, _, body = read_all(client).partition(b"\r\n\r\n")
        assert head.startswith(BUSY)
        assert b"\r\nRetry-After: 5\r\n" in head
        assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head
        assert json.loads(body)["error"]["code"] == "busy"


@pytest.mark.parametrize("sent", [b"", GOOD])
def test_what_the_loop_saw_of_whoever_finds_no_room_is_no_error_when_it_is_gone(
    sent: bytes, desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "LEAVING_SECONDS", 1000.0)
    monkeypatch.setattr(connections, "MOST_PER_ADDRESS", 1)
    really_turn_away = connections._Channel.turn_away

    def turn_away_one_who_is_reported(channel: connections._Channel) -> None:
        really_turn_away(channel)
        channel.handle_read()  # as the loop does next, to whom it has found readable before

    monkeypatch.setattr(connections._Channel, "turn_away", turn_away_one_who_is_reported)
    front = Front("127.0.0.1", 0, 2)
    front.take(desk.app)
    address = ("127.0.0.1", int(front.effective_port))
    # Both have come before the loop begins, or the first might be answered.
    with socket.create_connection(address, 30) as first, socket.create_connection(address, 30):
        first.sendall(sent)
        thread = threading.Thread(target=front.run)
        thread.start()
        try:
            assert read_all(first).startswith(BUSY)
            for _ in range(3):
                time.sleep(0.1)
                assert not is_cut_off(first)
        finally:
            front.stop(0.5)
            thread.join()
    front.task_dispatcher.shutdown()
    assert "Socket error" not in caplog.text


@pytest.mark.parametrize("limit", ["MOST_LEAVING", "LEAVING_SECONDS"])
def test_whoever_found_no_room_and_stays_is_cut_off(
    limit: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in {"MOST_LEAVING": 10, "LEAVING_SECONDS": 1000.0, limit: 1}.items():
        monkeypatch.setattr(connections, name, most)
    with with_no_room(desk, monkeypatch) as connect:
        first, _ = connect(), connect()
        assert first.recv(20).startswith(BUSY)
        wait_until(lambda: is_cut_off(first))


def is_cut_off(client: socket.socket) -> bool:
    try:
        client.sendall(b"x")
    except ConnectionError:
        return True
    return False


def test_nothing_is_said_behind_an_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_PER_ADDRESS", 1)
    monkeypatch.setattr(connections, "IDLE_SECONDS", 1000.0)
    with fronted(desk) as connect:
        first = connect()
        first.sendall(GOOD)
        answer = b""
        while not answer.endswith(b"\r\n\r\n0"):
            answer += first.recv(1000)
        deadline = time.monotonic() + 30
        while not is_let_in(connect()):  # until the first one's answer is put away, it is at work
            assert time.monotonic() < deadline
        assert read_all(first) == b""


def test_whoever_comes_in_as_another_is_closed_is_not_taken_for_that_one(desk: Desk) -> None:
    front = Front("127.0.0.1", 0, 1)
    front.take(desk.app)
    address = ("127.0.0.1", int(front.effective_port))
    with socket.create_connection(address) as late, ExitStack() as opened:
        front.serve_once()
        (closed,) = front.active_channels.values()
        closed.waits_since, front.next_channel_cleanup = 0.0, 0.0
        descriptor = closed.socket.fileno()
        opened.enter_context(socket.create_connection(address))
        front.serve_once()
        assert late.recv(1) == b""
        assert list(front.active_channels) == [descriptor], "and it has the number of the other"
        front.stop(0)
        front.run()
    front.task_dispatcher.shutdown()


def test_all_addresses_together_have_a_limit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 2)
    with fronted(desk) as connect:
        first = connect()
        for _ in range(2):
            assert is_answered(connect())
        assert read_all(first).startswith(BUSY)


CHUNKED = b"POST /gallery/photos HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 8200 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 101 + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 33_000 + b"\r\n\r\n", 431),
        (b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 65_600, 413),
        (b"POST /gallery/photos HTTP/1.1\r\nContent-Length: 70000000\r\n\r\n", 413),
        (CHUNKED + b"1" * 66_000, 413),
        (CHUNKED + b"1;" + b"x" * 66_000, 413),
        (CHUNKED + b"0\r\n" + b"x: y\r\n" * 11_000, 413),
    ],
)
def test_what_is_no_request_gets_an_error_like_all_others(
    sent: bytes, status: int, desk: Desk
) -> None:
    with fronted(desk) as connect:
        client = connect()
        with suppress(ConnectionError):  # it need not listen to the end
            client.sendall(sent)
        head, _, body = read_all(client).partition(b"\r\n\r\n")
        if head:  # a client that still sends may find the connection closed before it can read
            assert head.split()[1] == str(status).encode()
            assert b"application/json" in head
            assert body.startswith(b'{"error": {"code": "')
        else:
            assert len(sent) > 33_000
        assert is_answered(connect())


def large_body(*headers: bytes) -> bytes:
    lines = (b"POST /gallery/photos HTTP/1.1", b"Host: localhost", b"Content-Length: 1000000")
    return b"\r\n".join((*lines, *headers, b"", b""))


def refuse(_: object) -> None:
    raise UnauthorizedError("Who are you?")


def test_a_large_body_of_a_stranger_is_kept_nowhere_and_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    append = OverflowableBuffer.append

    def count(buffer: OverflowableBuffer, data: bytes) -> None:
        kept.append(len(data))
        append(buffer, data)

    monkeypatch.setattr(OverflowableBuffer, "append", count)
    with fronted(desk, admit=refuse) as connect:
        client = connect()
        client.sendall(large_body() + bytes(1_000_000))
        head, _, body = read_all(client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 401")
        assert b"Who are you?" in body
    assert sum(kept) < 10_000, "the answer"


def test_a_stranger_who_asks_first_is_refused_before_sending_a_body(desk: Desk) -> None:
    with fronted(desk, admit=refuse) as connect:
        client = connect()
        client.sendall(large_body(b"Expect: 100-continue"))
        assert read_all(client).startswith(b"HTTP/1.1 401")
        assert is_answered(connect()), "nobody is asked for a short request"


def test_a_large_body_is_judged_by_its_headers_and_then_read(desk: Desk) -> None:
    asked = []
    with fronted(desk, admit=lambda one: asked.append((one.path, one.remote_addr))) as connect:
        client = connect()
        client.sendall(large_body(b"Connection: close") + bytes(1_000_000))
        assert read_all(client).endswith(b"1000000")
    assert asked == [("/gallery/photos", "127.0.0.1")]


def test_whoever_does_not_read_an_answer_makes_room_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUFFERED_BYTES", 50_000_000)
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 2)
    with fronted(desk) as connect:
        unread = [connect() for _ in range(2)]
        for client in unread:
            client.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(100)
        deadline = time.monotonic() + 30
        while not is_let_in(connect()):
            assert time.monotonic() < deadline, "those who read nothing keep others out"


def is_let_in(client: socket.socket) -> bool:
    try:
        return is_answered(client)
    except ConnectionError:
        return False


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac has one address of its own")
def test_addresses_of_one_customer_count_as_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "home_of", lambda address: address.rpartition(".")[0])
    monkeypatch.setattr(connections, "MOST_PER_ADDRESS", 1)
    monkeypatch.setattr(connections, "IDLE_SECONDS", 1000.0)
    with fronted(desk) as connect:
        first = connect()
        assert is_answered(first)
        address, deadline = first.getpeername(), time.monotonic() + 30
        while True:  # until the first one's answer is put away, it is at work
            with socket.create_connection(address, 30, source_address=("127.0.0.2", 0)) as other:
                if is_let_in(other):
                    break
            assert time.monotonic() < deadline, "the first one keeps its place"
        read_all(first)  # it ends


def test_the_next_request_may_come_before_the_last_one_is_put_away(desk: Desk) -> None:
    with fronted(desk) as connect:
        client = connect()
        for _ in range(2):
            client.sendall(b"GET /tidy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while not received.endswith(b"whole"):
                part = client.recv(1000)
                assert part, "the connection was closed"
                received += part


def test_told_to_stop_it_answers_what_is_under_way_and_nobody_else(desk: Desk) -> None:
    front = Front("127.0.0.1", 0, 2)
    front.take(desk.app)
    thread = threading.Thread(target=front.run)
    thread.start()
    address = ("127.0.0.1", int(front.effective_port))
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert desk.begun.acquire(timeout=30)
        front.stop(20)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(address, timeout=5).close()
            except ConnectionRefusedError:
                break
            except ConnectionResetError:
                continue  # it stopped just then
        else:
            pytest.fail("it still lets others in")
        desk.go.set()
        assert read_all(client).endswith(b"slow")
    thread.join(20)
    assert not thread.is_alive()
    front.task_dispatcher.shutdown()


def test_what_proxies_say_reaches_the_function_which_judges_it(desk: Desk) -> None:
    with fronted(desk) as connect:
        client = connect()
        asked = b"GET /through HTTP/1.0\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.5\r\n\r\n"
        client.sendall(asked)
        assert read_all(client).endswith(b"203.0.113.5")
