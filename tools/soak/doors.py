"""Malformed requests to the routes that /openapi.json describes, each made from a number."""

import json
import random
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from function.web.page_requests import PAGE_HEADER

NAMES = (
    "id",
    "video",
    "person",
    "name",
    "names",
    "path",
    "after",
    "limit",
    "form",
    "ids",
    "ignored",
)
"""Fields and parameters that many routes take."""

TEXTS = (
    "",
    "0",
    "-1",
    "12.0",
    "9" * 400,
    "1e999",
    "nan",
    "\x00",
    "\x1b[2J",
    "\u202e",
    "../../etc/passwd",
    "javascript:alert(1)",
    "' OR 1=1 --",
    "a" * 5000,
    "\ud800",
    "[",
    "{}",
    "true",
    "good.mp4",
)
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 2**63, -(2**70), 10**400, 0.5, 1e308, float("inf"), float("nan")),
    *([], {}, [[]], [1] * 1000, {"id": {"id": 1}}, [None], ""),
    *TEXTS[7:],
)
BODIES = (
    b"",
    b"null",
    b"[",
    b"[" * 20_000,
    b'{"a":' * 9_000,
    b"\xff\xfe",
    b"{}",
    b'{"id": 1, "id": 2}',
)
KINDS = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "x/\xff",
    "",
)
METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS")
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Accept": "application/x-ndjson"},
    {"Range": "bytes=5-2"},
    {"Origin": "http://["},
    {"Host": "["},
    {"X-Request-Id": "a" * 4000},
    {"X-Forwarded-For": "x, ,,"},
    {"If-None-Match": "*"},
)
LINES = (
    b"GET",
    b"GET /library/videos",
    b"GET /library/videos HTTP/9.9",
    b"get /library/videos HTTP/1.1",
    b"POST /library/scan HTTP/1.1\r\nContent-Length: -1",
    b"POST /library/scan HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
    b"GET /library/videos HTTP/1.1\r\nHost: localhost\r\nHost: other",
    b"GET http://[/library HTTP/1.1",
    b"GET /%ff%00 HTTP/1.1\r\nX\x00: y",
    b"GET /library/videos HTTP/1.1\r\nX: " + b" " * 30_000 + b"y",
    b"GET /library/videos HTTP/1.1\r\nX: y\r\n" + b" \r\n".join([b" " * 60] * 90) + b"y",
    b"GET a://" + b"1" * 8_000 + b" x HTTP/1.1",
)


LINE_SECONDS = 1.0
"""So long an answer to something that is no request is waited for."""


@dataclass(frozen=True)
class Request:
    """One request, as http.client sends it; or, if `line` is not empty, as bytes for a socket."""

    method: str = "GET"
    url: str = "/"
    headers: Mapping[str, str] | None = None
    body: bytes | None = None
    line: bytes = b""


def malformed(number: int, doors: Sequence[tuple[str, str]]) -> Request:
    """Make the request of this number: wrong in a name, a value, a type, a size or its form.

    `doors` are methods, each with a route that takes it.
    """
    draw = random.Random(number)  # noqa: S311  # to be made again, not to be secret
    if number % 10 == 0:
        noise = draw.randbytes(draw.randrange(40))
        return Request(line=draw.choice(LINES) + draw.choice((b"", noise)) + b"\r\n\r\n")
    method, route = draw.choice(doors)
    if not draw.randrange(10):
        method = draw.choice(METHODS)
    pairs = [(draw.choice(NAMES), draw.choice(TEXTS)) for _ in range(draw.randrange(4))]
    query = "&".join(
        f"{name}={quote(text[:900].encode('utf-8', 'surrogatepass'), safe='')}"
        for name, text in pairs
    )
    headers = {**(draw.choice(HEADERS) if not draw.randrange(4) else {}), PAGE_HEADER: "1"}
    body = None
    if method in ("POST", "PUT"):
        headers["Content-Type"] = draw.choice((KINDS[0], *KINDS))
        fields = {draw.choice(NAMES): draw.choice(VALUES) for _ in range(draw.randrange(5))}
        body = draw.choice((json.dumps(fields).encode(), *BODIES)) if draw.randrange(3) else b""
        body = body or json.dumps(fields).encode()
    return Request(method, f"{route}?{query}", headers, body)


def send_line(port: int, line: bytes) -> bytes:
    """Send bytes that are no request, and return what comes back until the headers end."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=LINE_SECONDS) as client:
        try:
            client.sendall(line)
            while b"\r\n\r\n" not in received and (part := client.recv(65536)):
                received += part
        except (ConnectionError, TimeoutError):
            pass  # it waits for more, or will not
    return received
