"""The scripts' side of the server: whoever answers there cannot hold a script, or crash it."""

import importlib.util
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "stash" / "recognition_server.py"
HEAD = b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
DEEP = b"[" * 100_000


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("recognition_server_of_stash", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def answering(at_once: bytes, then_slowly: bytes = b"") -> Iterator[str]:
    """Answer whoever connects, then with one byte after the other, for some seconds."""
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(at_once)
                for _ in range(200 * len(then_slowly)):
                    connection.sendall(then_slowly)
                    if over.wait(0.05):
                        break

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()


@pytest.mark.parametrize(
    "at_once", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", HEAD % 200, HEAD % 500], ids=str
)
def test_who_answers_byte_by_byte_holds_nobody_longer_than_the_limit(
    script: ModuleType, at_once: bytes
) -> None:
    with answering(at_once, b"1") as address:
        server = script.Server(address, "", "Settings", patience_seconds=0.5)
        with pytest.raises(script.RecognitionError, match="no whole answer within"):
            server.ask("/stash/status")


@pytest.mark.parametrize(
    "at_once",
    [
        b"220 mail.example ESMTP\r\n\r\n",
        HEAD % 200 + b"{",
        b"\0",
        HEAD % 200 + DEEP,
        HEAD % 500 + DEEP,
    ],
    ids=range(5),
)
def test_what_is_no_whole_answer_is_said_in_words(script: ModuleType, at_once: bytes) -> None:
    with answering(at_once) as address:
        server = script.Server(address, "", "Settings", patience_seconds=20)
        with pytest.raises(script.RecognitionError, match=r"Something other|Nothing answers"):
            server.ask("/stash/status")


@pytest.mark.parametrize("at_once", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=str)
def test_https_where_only_http_is_spoken_is_said(script: ModuleType, at_once: bytes) -> None:
    with answering(at_once) as address:
        server = script.Server(address.replace("http:", "https:"), "", "Settings")
        with pytest.raises(script.RecognitionError, match=r"speaks no https\. Write http://"):
            server.ask("/stash/status")
