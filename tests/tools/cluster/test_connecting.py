"""Faces leave this machine only by TLS, and a mistake is told before anything is begun."""

import socket
from pathlib import Path

import pytest

from function.errors import EngineUnavailableError
from tools.cluster.connecting import Certificates, connect, is_safe


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tls://nas:8786", True),
        ("tcp://127.0.0.1:8786", True),
        ("tcp://[::1]:8786", True),
        ("tcp://localhost:8786", True),
        ("tcp://nas:8786", False),
        ("tcp://192.168.1.9:8786", False),
        ("tcp://0.0.0.0:8786", False),
        ("tcp://localhost.example.org:8786", False),
        ("ws://127.0.0.1:8786", False),
        ("127.0.0.1:8786", False),
    ],
)
def test_only_tls_and_this_machine_are_safe(address: str, *, expected: bool) -> None:
    assert is_safe(address) is expected


@pytest.mark.parametrize("address", ["tcp://nas:8786", "tcp://192.168.1.9:8786"])
def test_plain_tcp_to_another_machine_is_refused(address: str) -> None:
    with pytest.raises(EngineUnavailableError, match=r"unencrypted\. Use tls://"):
        connect(address, Certificates())


@pytest.mark.parametrize("address", ["nas", "nas:8786", "tls://nas", "tls://:1", "http://nas:1"])
def test_what_is_no_address_of_a_scheduler_is_refused(address: str) -> None:
    with pytest.raises(EngineUnavailableError, match="must be the address of a Dask scheduler"):
        connect(address, Certificates())


def test_tls_without_certificates_is_refused() -> None:
    with pytest.raises(EngineUnavailableError, match="needs certificates"):
        connect("tls://127.0.0.1:1", Certificates())


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    with pytest.raises(EngineUnavailableError, match="certificates cannot be used"):
        connect("tls://127.0.0.1:1", Certificates(wrong, wrong, wrong))


def test_nobody_who_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.cluster.connecting.CONNECTED_WITHIN_SECONDS", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(EngineUnavailableError, match="No Dask scheduler can be reached"):
            connect(address, Certificates())
