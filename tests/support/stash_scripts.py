"""Runs the scripts of Stash's packages as Stash runs them, between two small stand-ins.

One is Stash, whose documents are checked against a schema with the fields that the scripts use; the
other is our server, which answers what a test says. STASH_PYTHON names another Python than ours to
run them with, such as the oldest that they are for.
"""

import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from graphql import build_schema, graphql_sync

from function.web.stash.packages import read_packages

PYTHON = os.environ.get("STASH_PYTHON", sys.executable)

STASH = build_schema(
    """
    scalar PluginConfigMap
    enum SortDirectionEnum { ASC DESC }
    enum CriterionModifier { GREATER_THAN }
    input FindFilterType { per_page: Int sort: String direction: SortDirectionEnum }
    input IntCriterionInput { value: Int! modifier: CriterionModifier! }
    input SceneFilterType { file_count: IntCriterionInput }
    input ScraperSourceInput { stash_box_endpoint: String }
    input ScrapeSinglePerformerInput { query: String }
    type Fingerprint { type: String! value: String! }
    type VideoFile { path: String! size: String! fingerprints: [Fingerprint!]! }
    type Scene { id: ID! files: [VideoFile!]! }
    type FindScenesResultType { scenes: [Scene!]! }
    type StashBox { name: String! endpoint: String! }
    type ConfigGeneralResult {
      apiKey: String! username: String! scrapersPath: String! stashBoxes: [StashBox!]!
    }
    type ConfigResult { general: ConfigGeneralResult! plugins(include: [ID!]): PluginConfigMap! }
    type ScrapedPerformer { name: String disambiguation: String remote_site_id: String }
    type Version { version: String }
    type Query {
      configuration: ConfigResult!
      version: Version!
      findScenes(filter: FindFilterType, scene_filter: SceneFilterType): FindScenesResultType!
      scrapeSinglePerformer(
        source: ScraperSourceInput! input: ScrapeSinglePerformerInput!
      ): [ScrapedPerformer!]!
    }
    """
)
assert STASH.query_type
# The usual resolver cannot pass on an argument that is called source.
STASH.query_type.fields["scrapeSinglePerformer"].resolve = lambda root, _, **__: root["scraped"]


@dataclass
class Side:
    """One stand-in: what it was asked, and what it answers."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        self.asked.append((path, headers, body))
        gone = {"error": {"code": "not_found", "message": "There is no such URL."}}
        return self.answers.get(path, (404, gone))


@dataclass
class StashSide(Side):
    """Stash: its settings of our plugin, its cookie, and where its scrapers are."""

    settings: dict[str, Any] = field(default_factory=dict)
    general: dict[str, Any] = field(default_factory=dict)
    scenes: list[dict[str, Any]] = field(default_factory=list)
    scraped: list[dict[str, str]] = field(
        default_factory=lambda: [
            {"name": "Ada B", "disambiguation": "", "remote_site_id": "x-1"},
        ]
    )
    cookie: str = "session=secret"

    def answer(self, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        self.asked.append((path, headers, body))
        if headers.get("Cookie") != self.cookie:
            return 401, {}
        general = {"apiKey": "key", "username": "", "scrapersPath": "", "stashBoxes": []}
        root = {
            "configuration": {
                "general": general | self.general,
                "plugins": lambda _, include: {include[0]: self.settings},
            },
            "version": {"version": "v0.30.1"},
            "findScenes": lambda _, **__: {"scenes": self.scenes},
            "scraped": self.scraped,
        }
        result = graphql_sync(STASH, body["query"], root, variable_values=body["variables"])
        return (422 if result.data is None else 200), result.formatted


@contextmanager
def standing_in(side: Side) -> Iterator[None]:
    """Serve one side on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base class says so
            self._reply(None)

        def do_POST(self) -> None:  # the base class says so
            self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _reply(self, body: Any) -> None:
            status, answer = side.answer(self.path, dict(self.headers), body)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", answer.decode())
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    side.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def install(kind: str, folder: Path) -> Path:
    """Unpack a package as Stash does; return its folder."""
    package = next(one for one in read_packages() if one.kind == kind)
    goal = folder / package.id
    with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
        archive.extractall(goal)
    return goal


@dataclass(frozen=True)
class Outcome:
    """What a script printed, and what it wrote to Stash's log, each with its level."""

    printed: Any
    log: list[tuple[str, str]]


def run_script(folder: Path, given: dict[str, Any], *arguments: str) -> Outcome:
    """Run a package's script with JSON on standard input, with nothing but Python around it."""
    script = folder / "performer_recognition.py"
    done = subprocess.run(
        [PYTHON, "-S", "-E", str(script), *arguments],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"http_proxy": "http://127.0.0.1:9"},
    )
    assert done.returncode == 0, done.stderr
    lines = [line[1:].split("\x02", 1) for line in done.stderr.splitlines()]
    return Outcome(json.loads(done.stdout), [(level, text) for level, text in lines])
