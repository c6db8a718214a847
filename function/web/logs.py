"""Writes the log: one JSON line for each event, and one for each request."""

import json
import logging
import re
import sys
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from db.names import printable

_log = logging.getLogger(__name__)

REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
FIRST_SERVER_ERROR = 500


@dataclass
class RequestRecord:
    """What the log and the metrics say about one request; filled in while it is handled.

    `path` is the video's, under the media root, `decoder` what decoded it. No names,
    encodings or pictures.
    """

    id: str
    method: str
    route: str
    path: str = ""
    status: int = 0
    code: str = ""
    frames: int = 0
    faces: int = 0
    people: int = 0
    decoder: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    def finish(self) -> None:
        """Stop the clock."""
        self.seconds["total"] = time.perf_counter() - self.started

    def write(self) -> None:
        """Write the line."""
        level = logging.ERROR if self.status >= FIRST_SERVER_ERROR else logging.INFO
        fields = {name: getattr(self, name) for name in ("method", "route", "path", "code")}
        fields |= {name: getattr(self, name) for name in ("status", "frames", "faces", "people")}
        fields["request"] = self.id
        fields["decoder"] = self.decoder
        fields["seconds"] = {stage: round(spent, 4) for stage, spent in self.seconds.items()}
        _log.log(level, "%s %s %d", self.method, self.route, self.status, extra={"fields": fields})


def request_id(asked: str | None) -> str:
    """Take the id that a proxy gave the request, if it is a plain word, or make one."""
    return asked if asked and REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON, as Cloud Logging and other collectors read it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the line; `extra={"fields": {...}}` adds to it."""
        line: dict[str, Any] = {
            "severity": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({name: _strip(value) for name, value in line.items()})


def log_as_json(level: str) -> None:
    """Write the log to stderr as JSON lines, unless something else already handles it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler])


def _strip(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value
