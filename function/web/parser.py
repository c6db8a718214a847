"""Reads requests as waitress does, within our limits."""

import copy
import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import flask
from waitress.buffers import BytesIOBasedBuffer
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import FixedStreamReceiver
from waitress.task import WSGITask
from werkzeug.exceptions import HTTPException

from function.errors import BadParameterError, RecognitionError, RequestTooLargeError
from function.web.access import LARGEST_BODY_BYTES, largest_body, too_large
from function.web.responses import error_body

LONGEST_LINE_BYTES = 8 * 1024
LONGEST_HEAD_BYTES = 32 * 1024
MOST_HEADERS = 100

_FIRST_LINE = re.compile(rb"[^ ]+ [^ ]+(?: HTTP/[0-9.]+)?")
_BAD_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n")
_FOLDED = re.compile(rb"\r\n[ \t]")
_WIDE_GAP = re.compile(rb"[ \t]{65}")
"""What waitress judges soon, and what not: a header that begins with 30,000 spaces takes it half a
minute, in which nobody else is served, and a line of 8,000 digits a whole one. A folded header is
as long as all of its lines, and is out of use."""

_GIVES_LENGTH = re.compile(rb"\r\nContent-Length:", re.IGNORECASE)

Admit = Callable[[flask.Request], None]
"""Raises RecognitionError for a request that is not allowed, by its headers."""


class Refusal:
    """An answer to a request that cannot be read, in the form of all our errors."""

    def __init__(self, error: RecognitionError, status: int) -> None:
        self._error = error
        self._status = status

    def to_response(self, _: object = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return the status line, the headers and the body, as waitress wants them."""
        headers = [("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff")]
        body = json.dumps(error_body(self._error)) + "\n"
        return f"{self._status} {HTTPStatus(self._status).phrase}", headers, body.encode()


class _Nowhere(BytesIOBasedBuffer):  # type: ignore[misc]  # waitress has no types
    """Keeps nothing of a body."""

    def append(self, _: bytes) -> None:
        """Forget some bytes."""


class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Reads one request, within our limits; keeps a large body only if `admit` lets it in."""

    path = "/"
    error: Any
    adj: Any
    completed: bool
    expect_continue: bool
    headers: dict[str, str]

    def __init__(self, adj: Any, channel: Any = None) -> None:
        super().__init__(adj)
        self._channel = channel

    def received(self, data: bytes) -> int:
        """Take some bytes of the request; return how many belonged to it."""
        taken: int = super().received(data)
        if self.error and not isinstance(self.error, Refusal):
            self.error = _refuse(self.error, self.path)
        if self.error:
            self.expect_continue = False  # or it would be asked for its body after all
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Read the request line and the headers; the path decides how long the body may be."""
        line, _, rest = header_plus.partition(b"\r\n")
        if len(line) > LONGEST_LINE_BYTES:
            raise ParsingError(
                f"its first line has {len(line)} bytes; {LONGEST_LINE_BYTES} at most. "
                "Send a long path in the body of a POST"
            )
        if rest.count(b"\r\n") > MOST_HEADERS:
            raise ParsingError(f"it has more than {MOST_HEADERS} headers")
        _require_quick(header_plus)
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError(str(error)) from error
        if self.chunked and _GIVES_LENGTH.search(header_plus):
            raise ParsingError("it has both Content-Length and Transfer-Encoding")
        # Whoever offers to speak otherwise is answered all the same; Flask would refuse them.
        self.headers.pop("UPGRADE", None)
        self.adj = copy.copy(self.adj)
        # One in chunks says its length last, and what stands between the chunks is kept in memory.
        largest = LARGEST_BODY_BYTES if self.chunked else largest_body(self.path)
        self.adj.max_request_body_size = largest + 1
        if self._channel and LARGEST_BODY_BYTES < self.content_length <= largest:
            self._refuse_strangers(self._channel)

    def _refuse_strangers(self, channel: Any) -> None:
        """Keep a large body only for those whose headers let them in with it."""
        environ = WSGITask(channel, self).get_environment()
        app = channel.server.application
        with app.request_context(environ):
            try:
                channel.server.admit(flask.request)
            except RecognitionError as error:
                self.error = Refusal(error, error.status)
            except HTTPException as error:
                refusal = BadParameterError(f"The request cannot be read: {error.description}")
                self.error = Refusal(refusal, refusal.status)
        if self.error and self.expect_continue:
            self.completed = True  # it waits to be asked for its body
        elif self.error:
            # Or whoever sends it would be cut off before the refusal could be read.
            self.body_rcv = FixedStreamReceiver(self.content_length, _Nowhere())


def _require_quick(head: bytes) -> None:
    """Refuse a line or headers that are written as no client writes them, and take long to read.

    Raises:
        ParsingError: they are.
    """
    if not _FIRST_LINE.fullmatch(head.partition(b"\r\n")[0]):
        raise ParsingError("its first line is not a method, a URL and HTTP/1.1")
    if _BAD_BYTES.search(head):
        raise ParsingError("its headers hold a control character")
    if _FOLDED.search(head):
        raise ParsingError("a header continues on the next line")
    if _WIDE_GAP.search(head):
        raise ParsingError("its headers hold more than 64 spaces in a row")


def _refuse(error: Any, path: str) -> Refusal:
    if error.code == RequestTooLargeError.status:
        return Refusal(too_large(largest_body(path)), error.code)
    return Refusal(BadParameterError(f"The request cannot be read: {error.body}."), error.code)
