"""A small GraphQL server on this machine, which stands in for a real one.

graphql-core checks every query against a schema, so a query that the real server would refuse is
refused. Troubles can be ordered: busy answers, HTML, photos that are slow, broken or missing.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from graphql import GraphQLSchema, graphql_sync


@dataclass
class Answer:
    """What the server says to one request for a photo, or instead of an answer to a query."""

    body: bytes = b""
    status: int = 200  # 0: the connection is cut without an answer
    media_type: str = "image/jpeg"
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    claimed_bytes: int | None = None


@dataclass
class StandIn:
    """A running server: its address, what it holds, what it was asked.

    With a `prefix`, such as /stash, it answers below that path only, as behind a proxy.
    """

    schema: GraphQLSchema
    root: dict[str, Callable[..., Any]]
    api_key: str = "right"
    url: str = ""
    photos: dict[str, Answer] = field(default_factory=dict)
    troubles: list[Answer] = field(default_factory=list)
    queries: list[dict[str, Any]] = field(default_factory=list)
    photo_requests: list[tuple[str, str]] = field(default_factory=list)
    busiest: int = 0
    prefix: str = ""
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer_query(self, asked: dict[str, Any], api_key: str) -> Answer:
        with self._lock:
            self.queries.append(asked)
        if self.troubles:
            trouble = self.troubles.pop(0)
            time.sleep(trouble.delay_seconds)
            return trouble
        if api_key != self.api_key:
            return Answer(b"", 401, "text/plain")
        return self.execute(asked)

    def execute(self, asked: dict[str, Any]) -> Answer:
        """Answer a query that came with the right key."""
        result = graphql_sync(
            self.schema, asked["query"], self.root, variable_values=asked["variables"]
        )
        body = json.dumps(result.formatted).encode()
        return Answer(body, 422 if result.data is None else 200, "application/json")

    def answer_photo(self, path: str, api_key: str) -> Answer:
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            self.photo_requests.append((path, api_key))
        answer = self.photos.get(path, Answer(b"gone", 404, "text/plain"))
        time.sleep(answer.delay_seconds)
        with self._lock:
            self._busy -= 1
        return answer


ELSEWHERE = Answer(b"<html>not here", 404, "text/html")

Running = TypeVar("Running", bound=StandIn)


@contextmanager
def serving(stand_in: Running) -> Iterator[Running]:
    """Run a stand-in on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the base class says so
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self.path.startswith(stand_in.prefix):
                self._send(ELSEWHERE)
                return
            self._send(stand_in.answer_query(asked, self.headers.get("ApiKey", "")))

        def do_GET(self) -> None:  # the base class says so
            path = self.path.partition("?")[0]
            if not path.startswith(stand_in.prefix):
                self._send(ELSEWHERE)
                return
            path = path.removeprefix(stand_in.prefix)
            self._send(stand_in.answer_photo(path, self.headers.get("ApiKey", "")))

        def _send(self, answer: Answer) -> None:
            if not answer.status:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            length = len(answer.body) if answer.claimed_bytes is None else answer.claimed_bytes
            self.send_header("Content-Length", str(length))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in.url = f"http://127.0.0.1:{server.server_port}{stand_in.prefix}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
