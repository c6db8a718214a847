"""What a server can do to those who ask it: send bombs, or drip for ever."""

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpcore
import httpx
import pytest

from function.media.photos import PhotoRefusedError
from function.sources import clients, retries
from function.sources.downloads import Downloads, OwnServer
from function.sources.graphql import GraphQL
from function.sources.records import UnusableSourceError

Talk = Callable[[socket.socket, threading.Event], None]

DEADLINE_SECONDS = 0.5


@contextmanager
def rude_server(talk: Talk, asked: list[bytes] | None = None) -> Iterator[str]:
    """Answer each connection as `talk` does, in bytes; gives the address.

    The beginning of what is asked goes to `asked`, one for each connection.
    """
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not ended.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(5)
                try:
                    heard = client.recv(65536)
                    if asked is not None:
                        asked.append(heard)
                    talk(client, ended)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass  # or the rest of the question would reset the connection
                except OSError:
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def whole(head: bytes, body: bytes) -> Talk:
    length = f"Content-Length: {len(body)}\r\n".encode()
    return lambda client, _: client.sendall(b"HTTP/1.1 200 OK\r\n" + length + head + b"\r\n" + body)


def drip(head: bytes) -> Talk:
    def talk(client: socket.socket, ended: threading.Event) -> None:
        client.sendall(head)
        while not ended.wait(0.05):
            client.sendall(b"x")

    return talk


def ask_graphql(url: str) -> object:
    return GraphQL(url, "", what="Stash").ask("{ x }")


def fetch_photo(url: str) -> object:
    return Downloads([OwnServer(httpx.URL(url))]).fetch(f"{url}/photo.jpg")


CLIENTS = (ask_graphql, fetch_photo)
REFUSALS = (UnusableSourceError, PhotoRefusedError)


@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize("encoding", [b"gzip", b"gzip, gzip", b"deflate", b"br"])
def test_a_compressed_answer_is_refused_unread(
    encoding: bytes, ask: Callable[[str], object]
) -> None:
    bomb = gzip.compress(gzip.compress(bytes(100_000_000)))
    with rude_server(whole(b"Content-Encoding: " + encoding + b"\r\n", bomb)) as url:
        begun = time.monotonic()
        with pytest.raises(REFUSALS, match="compresses its answer"):
            ask(url)
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        b"",
    ],
)
def test_headers_or_a_body_that_drip_have_a_deadline(
    head: bytes, ask: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "LONGEST_ANSWER_SECONDS", DEADLINE_SECONDS)
    asked: list[bytes] = []
    with rude_server(drip(head), asked) as url:
        begun = time.monotonic()
        with pytest.raises(REFUSALS, match=r"too slowly|does not answer|not fetched|disconnected"):
            ask(url)
        assert time.monotonic() - begun < 20
    assert len(asked) == 1, "whoever drips is not asked again"


class _Sipping(httpcore.NetworkStream):
    """A connection whose other end takes each piece only after a while."""

    def __init__(self) -> None:
        self.pieces: list[int] = []
        self.most_seconds = 0.0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.most_seconds = max(self.most_seconds, timeout or 0.0)
        return bytes(min(max_bytes, 1))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.pieces.append(len(buffer))
        self.most_seconds = max(self.most_seconds, timeout or 0.0)
        time.sleep(0.05)


def test_nothing_is_sent_or_read_after_the_deadline() -> None:
    inner = _Sipping()
    stream = clients._Stream(inner)
    with clients.within(0.12):
        with pytest.raises(httpcore.WriteTimeout):
            stream.write(bytes(10_000_000), 30.0)
        with pytest.raises(httpcore.ReadTimeout):
            stream.read(1, 30.0)
    assert 1 <= len(inner.pieces) <= 3
    assert inner.most_seconds <= 0.12
    assert stream.read(1, 30.0)


@pytest.mark.parametrize("pause_seconds", [0.0, 0.05])
def test_whoever_takes_a_question_slowly_has_a_deadline(
    pause_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece that it takes would start the time for a single step anew."""
    monkeypatch.setattr(retries, "LONGEST_ANSWER_SECONDS", DEADLINE_SECONDS)

    def sip(client: socket.socket, ended: threading.Event) -> None:
        while not ended.wait(pause_seconds or 5.0):
            client.recv(65536)

    with rude_server(sip) as url:
        begun = time.monotonic()
        with pytest.raises(UnusableSourceError, match="does not answer"):
            GraphQL(url, "", what="Stash").ask("{ x }", {"image": "a" * 50_000_000})
        assert time.monotonic() - begun < 10


def test_an_answer_in_very_many_parts_takes_little_more_memory_than_it_is_long() -> None:
    parts = b"2\r\n  \r\n" * 30_000
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with rude_server(lambda client, _: client.sendall(head + parts + b"0\r\n\r\n")) as url:
        tracemalloc.start()
        try:
            with pytest.raises(UnusableSourceError, match="not GraphQL"):
                ask_graphql(url)
            assert tracemalloc.get_traced_memory()[1] < 1_500_000
        finally:
            tracemalloc.stop()


def test_answers_are_asked_for_uncompressed_and_of_the_server_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[bytes] = []
    with rude_server(whole(b"", b"{}"), asked) as url, rude_server(whole(b"", b"{}")) as proxy:
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        for ask in CLIENTS:
            with suppress(*REFUSALS):
                ask(url)
    assert len(asked) == len(CLIENTS)
    for head in asked:
        assert b"\r\naccept-encoding: identity\r\n" in head.lower()
        assert b"authorization" not in head.lower()


def test_what_a_server_says_is_text_that_can_be_stored() -> None:
    body = b'{"data": {"x": ["\\ud800", "a\\uDC80b", "\\ud83d\\ude00", "\xc3\xbc"]}}'
    with rude_server(whole(b"", body)) as url:
        assert ask_graphql(url) == {"x": ["?", "a?b", "\N{GRINNING FACE}", "ü"]}
    body = b'{"data": {"x": "a\xed\xa0\x80b\xff"}}'
    with rude_server(whole(b"", body)) as url:
        unknown = "\N{REPLACEMENT CHARACTER}"
        assert ask_graphql(url) == {"x": f"a{3 * unknown}b{unknown}"}


def test_json_nested_without_end_is_no_answer() -> None:
    with (
        rude_server(whole(b"", b"[" * 200_000)) as url,
        pytest.raises(UnusableSourceError, match="not GraphQL"),
    ):
        ask_graphql(url)


@pytest.mark.parametrize("part", [b"{},", b"[],", b'"",'])
def test_an_answer_of_very_many_values_is_refused_unread(part: bytes) -> None:
    body = b'{"data": {"x": [' + part * 450_000 + b"{}]}}"
    with rude_server(whole(b"", body)) as url:
        tracemalloc.start()
        try:
            with pytest.raises(UnusableSourceError, match="not GraphQL"):
                ask_graphql(url)
            assert tracemalloc.get_traced_memory()[1] < 16_000_000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    "place",
    ["http://a:b:c", "http://u:secret@x/?key=secret", "http://u:secret@x:y:z", "http://x/\xff"],
)
def test_wherever_an_answer_redirects_to_it_is_one_line_without_secrets(place: str) -> None:
    head = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {place}\r\n\r\n"
    talk: Talk = lambda client, _: client.sendall(head.encode("latin-1"))  # noqa: E731
    with (
        rude_server(talk) as url,
        pytest.raises(UnusableSourceError, match=r"redirects|Invalid URL") as caught,
    ):
        ask_graphql(url)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["\xb2", "soon", "-1", "1e9", "0 0 0 0", "9" * 500, ""])
def test_whatever_stands_in_retry_after_is_a_number_of_seconds(text: str) -> None:
    assert retries.read_retry_after(text) >= 0


def test_what_a_server_says_cannot_command_the_terminal() -> None:
    body = b'{"errors": [{"message": "\\u001b]0;owned\\u0007 \\u009b2J \\u202e"}]}'
    with rude_server(whole(b"", body)) as url, pytest.raises(UnusableSourceError) as caught:
        ask_graphql(url)
    assert str(caught.value).isprintable()


def test_a_message_of_a_server_is_cut() -> None:
    body = b'{"errors": [{"message": "' + b"a" * 1_000_000 + b'"}]}'
    with rude_server(whole(b"", body)) as url, pytest.raises(UnusableSourceError) as caught:
        ask_graphql(url)
    assert len(str(caught.value)) < 500


def test_nobody_waits_for_as_long_as_a_server_likes() -> None:
    pauses: list[float] = []
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n"
    with rude_server(lambda client, _: client.sendall(busy)) as url:
        client = clients.make_client()
        request = client.build_request("GET", url)
        with retries.answer_to(client, request, attempts=3, pause=pauses.append) as response:
            assert response.status_code == 503
    assert pauses == [retries.LONGEST_PAUSE_SECONDS] * 2


def test_whoever_waits_for_a_server_is_told_once_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with caplog.at_level("INFO", "function.sources"), pytest.raises(UnusableSourceError):
        ask_graphql(url)
    assert caplog.messages == [f"Stash at {url} does not answer; asking again."]
