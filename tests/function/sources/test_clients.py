"""What a server can do to those who ask it: send bombs, or drip for ever."""

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from function.media.photos import PhotoRefusedError
from function.sources import retries
from function.sources.downloads import Downloads, OwnServer
from function.sources.graphql import GraphQL
from function.sources.records import UnusableSourceError

Talk = Callable[[socket.socket, threading.Event], None]

DEADLINE_SECONDS = 0.5


@contextmanager
def rude_server(talk: Talk) -> Iterator[str]:
    """Answer each connection as `talk` does, in bytes; gives the address."""
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
                    client.recv(65536)
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
    with rude_server(drip(head)) as url:
        begun = time.monotonic()
        with pytest.raises(REFUSALS, match=r"too slowly|does not answer|not fetched|disconnected"):
            ask(url)
        assert time.monotonic() - begun < 20


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
    "place", ["http://a:b:c", "http://u:secret@x/?key=secret", "http://x/\xff"]
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
