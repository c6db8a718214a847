"""HTTP clients for servers that are not trusted: with a deadline for a whole answer, and no gzip.

httpx limits how long each single read takes, so a server that sends a byte a second holds a client
for days; and a few thousand compressed bytes can become gigabytes before anybody can count them.
"""

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpcore
import httpx

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""For each single step; `within` limits them all together."""

PIECE_BYTES = 64 * 1024
"""A question is sent in pieces, and the deadline looked at before each."""

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))
"""When the question must be sent and its answer be whole, by the monotonic clock."""


def make_client(headers: Mapping[str, str] | None = None) -> httpx.Client:
    """Make a client that asks for uncompressed answers, and keeps to the deadline of `within`.

    It takes no proxies or .netrc from the environment: a key goes directly where the user said.
    """
    return httpx.Client(
        timeout=TIMEOUT,
        headers={"Accept-Encoding": "identity", **(headers or {})},
        trust_env=False,
        transport=_Transport(),
    )


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let what is sent and read in the block fail once these seconds are over.

    It fails with httpx.WriteTimeout or httpx.ReadTimeout.
    """
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def is_over() -> bool:
    """Say whether the deadline has passed."""
    return time.monotonic() > _deadline.get()


class _Transport(httpx.HTTPTransport):
    """httpx's own, over connections that keep to the deadline."""

    def __init__(self) -> None:
        context = _make_context()
        super().__init__(verify=context, trust_env=False)
        # httpx has no parameter for this; a test drips headers, and fails if it has no effect.
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=_Backend())


@cache
def _make_context() -> ssl.SSLContext:
    """Read whom the system trusts; once, for it takes longer than most answers."""
    return httpx.create_ssl_context(trust_env=False)


class _Backend(httpcore.NetworkBackend):
    """Opens connections that keep to the deadline."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream)


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing is sent or read after the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _deadline.get() - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("it sends too slowly")
        return self._inner.read(max_bytes, min(left, timeout or left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE_BYTES):
            left = _deadline.get() - time.monotonic()
            if left <= 0:
                raise httpcore.WriteTimeout("it reads too slowly")
            piece = buffer[start : start + PIECE_BYTES]
            self._inner.write(piece, min(left, timeout or left))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
