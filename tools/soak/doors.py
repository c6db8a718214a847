"""Malformed requests to the routes that /openapi.json describes, each made from a number."""

import json
import random
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import quote

from function.web.page_requests import PAGE_HEADER

UNKNOWN_NAMES = ("video", "names", "ids", "", "__proto__", "a" * 300, "\x00")
"""Fields and parameters that no route takes."""

PREFIXES = ("/library", "/stash")
ENDLESS = "/library/progress"
"""It goes on for as long as scans do."""

PACKAGES = tuple(f"/stash/{one}" for one in ("plugins/index.yml", "scrapers/x.zip", "plugins/../x"))
"""What Stash's own client asks for; not among what is described."""

PLUGIN_TOKEN = "the-token-of-the-plugin"  # noqa: S105  # of a server that is made to be broken

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
LIKELY: Mapping[str, tuple[Any, ...]] = {
    "boolean": (True, False),
    "integer": (0, 1, 2, 50),
    "number": (0, 1, 2.5, 50),
    "string": ("1", "2", "1.0", "good.mp4", "Ada", "on", "0123456789abcdef", "http://127.0.0.1:9"),
}
"""What some field takes of each type: an id, a sighting, a path, a name, a fingerprint, a URL."""

ANYTHING = (*LIKELY["string"], *VALUES)

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
    {"X-Token": PLUGIN_TOKEN},
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
"""How long to wait for an answer to something that is no request."""


Schema: TypeAlias = Mapping[str, Any]
Known: TypeAlias = Mapping[str, Sequence[Any]]

NOTHING_KNOWN: Known = MappingProxyType({})


@dataclass(frozen=True)
class Door:
    """A route, a method that it takes, and the schemas of its fields or parameters."""

    method: str
    route: str
    takes: Mapping[str, Schema]


@dataclass(frozen=True)
class Request:
    """One request, as http.client sends it; or, if `line` is not empty, as bytes for a socket."""

    method: str = "GET"
    url: str = "/"
    headers: Mapping[str, str] | None = None
    body: bytes | None = None
    line: bytes = b""


def find_doors(described: Mapping[str, Any]) -> list[Door]:
    """List the doors of the library and the plugin, given what /openapi.json describes."""
    doors = [
        Door(method.upper(), route, _taken_by(operation))
        for route, methods in described["paths"].items()
        for method, operation in methods.items()
        if route.startswith(PREFIXES) and route != ENDLESS
    ]
    return doors + [Door(method, route, {}) for route in PACKAGES for method in ("GET", "HEAD")]


def _taken_by(operation: Mapping[str, Any]) -> dict[str, Schema]:
    contents = operation.get("requestBody", {}).get("content", {})
    fields: dict[str, Schema] = contents.get(KINDS[0], {}).get("schema", {}).get("properties", {})
    parameters = {one["name"]: one["schema"] for one in operation.get("parameters", ())}
    return fields | parameters


def malformed(number: int, doors: Sequence[Door], known: Known = NOTHING_KNOWN) -> Request:
    """Make the request of this number: wrong in a name, a value, a type, a size or its form.

    `known` lists values for which the server has something, by the name of the field.
    """
    draw = random.Random(number)  # noqa: S311  # to be made again, not to be secret
    if number % 10 == 0:
        noise = draw.randbytes(draw.randrange(40))
        return Request(line=draw.choice(LINES) + draw.choice((b"", noise)) + b"\r\n\r\n")
    door = draw.choice(doors)
    method = draw.choice(METHODS) if not draw.randrange(10) else door.method
    sent = _draw_fields(draw, door, doors, known)
    headers = {**(draw.choice(HEADERS) if not draw.randrange(4) else {}), PAGE_HEADER: "1"}
    body, query = None, ""
    if method in ("POST", "PUT"):
        headers["Content-Type"] = draw.choice(KINDS) if not draw.randrange(8) else KINDS[0]
        body = draw.choice(BODIES) if not draw.randrange(8) else json.dumps(sent).encode()
    if body is None or not draw.randrange(20):
        query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sent.items())
    return Request(method, f"{door.route}?{query}", headers, body)


def _draw_fields(
    draw: random.Random, door: Door, doors: Sequence[Door], known: Known
) -> dict[str, Any]:
    """Draw fields: most of the door's own; none, one or all of them have what does not fit."""
    taken = {name: schema for name, schema in door.takes.items() if draw.randrange(8)}
    if not draw.randrange(6):
        other = draw.choice(doors)
        taken = {**taken, **other.takes, draw.choice(UNKNOWN_NAMES): {}}
    wrong = draw.choice((*taken, *[""] * len(taken), ""))
    is_all_wrong = not draw.randrange(4)
    return {
        name: draw.choice(VALUES)
        if name == wrong or is_all_wrong
        else fitting(draw, name, schema, known)
        for name, schema in taken.items()
    }


def fitting(draw: random.Random, name: str, schema: Schema, known: Known = NOTHING_KNOWN) -> Any:
    """Draw a value that a field's schema allows, and that leads further in, such as a known id."""
    if name in known and draw.randrange(8):
        return draw.choice(known[name])
    if "properties" in schema:
        fields: Mapping[str, Schema] = schema["properties"]
        return {one: fitting(draw, one, fields[one], known) for one in fields}
    if "items" in schema:
        return [fitting(draw, name, schema["items"], known) for _ in range(draw.randrange(3))]
    return draw.choice(schema.get("enum") or LIKELY.get(schema.get("type", ""), ANYTHING))


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return quote(text[:900].encode("utf-8", "surrogatepass"), safe="")


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
