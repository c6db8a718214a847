"""Builds HTTP responses: JSON, errors, and bytes that a browser may cache."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flask import Request, Response

from function.errors import (
    BusyError,
    GalleryUnavailableError,
    MethodNotAllowedError,
    NameTakenError,
    RecognitionError,
    StoppingError,
    TooManyGuessesError,
)
from function.web.logs import RequestRecord

RETRY_AFTER_SECONDS = 5
UNEXPECTED = "Something went wrong in the server; its log says what."

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data: blob:; media-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of the page's files: no inline script, nothing from another host, no embedding in another
site's frame. `Access.add_headers` gives all other answers theirs."""


def json_response(body: object, status: int = 200) -> Response:
    """Answer with one JSON value."""
    return Response(json.dumps(body) + "\n", status=status, mimetype="application/json")


def error_response(error: RecognitionError, record: RequestRecord) -> Response:
    """Answer an error with its status, code and message."""
    record.code = error.code
    response = json_response(error_body(error), error.status)
    if isinstance(error, BusyError | StoppingError):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, TooManyGuessesError):
        response.headers["Retry-After"] = "60"
    if isinstance(error, MethodNotAllowedError):
        response.headers["Allow"] = ", ".join(error.allowed)
    return response


def error_body(error: RecognitionError) -> dict[str, dict[str, Any]]:
    """Return an error as a JSON object.

    If a name is taken, it has the ids of those who have it; if there is no gallery, it says so.
    """
    body: dict[str, Any] = {"code": error.code, "message": str(error)}
    if isinstance(error, NameTakenError):
        body["performers"] = list(error.performers)
    if isinstance(error, GalleryUnavailableError) and error.is_missing:
        body["missing"] = True
    return {"error": body}


def bytes_response(request: Request, content: bytes, mimetype: str) -> Response:
    """Answer with bytes that the browser keeps and revalidates by ETag, or 304."""
    response = Response(content, mimetype=mimetype)
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers.update(PAGE_HEADERS)
    response.make_conditional(request)
    return response


def face_response(picture: bytes) -> Response:
    """Answer with a face as a JPEG; no browser may keep it: `forget` could not reach it there."""
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
    return Response(picture, mimetype="image/jpeg", headers=headers)
