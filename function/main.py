"""The HTTP function: `functions-framework --source function/main.py --target recognize`."""

import io
import logging
from collections.abc import Callable

import flask
import functions_framework
from flask import Request, Response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from function.access import too_large
from function.answers import UNEXPECTED, answer_video, error_response, json_response
from function.errors import (
    BadParameterError,
    MethodNotAllowedError,
    RecognitionError,
    RouteNotFoundError,
)
from function.logs import RequestRecord, log_as_json, request_id
from function.openapi import describe
from function.page_routes import page_routes
from function.pages import answer_start, wants_page
from function.results import RecentResults
from function.service import Service
from function.settings import Settings

_log = logging.getLogger(__name__)

_settings = Settings.from_env()
log_as_json(_settings.log_level)
_service = Service(_settings)
_results = RecentResults()
if flask.has_app_context():
    flask.current_app.config["SERVICE"] = _service  # for server.py, which closes it


@functions_framework.http
def recognize(request: Request) -> Response:
    """Answer one request, whatever its path and method; every error becomes JSON."""
    record = RequestRecord(
        id=request_id(request.headers.get("X-Request-Id")),
        method=request.method if request.method in KNOWN_METHODS else "other",
        route=request.path if request.path in ROUTES else "other",
    )
    flask.g.record = record
    response = _answer(request, record)
    request.stream = io.BytesIO()  # or functions-framework reads the rest of a body, however long
    record.status = response.status_code
    response.headers["X-Request-Id"] = record.id
    if response.is_streamed:
        response.call_on_close(lambda: _close_record(record))
    else:
        _close_record(record)
    return _service.access.add_headers(request, response)


def _answer(request: Request, record: RequestRecord) -> Response:
    try:
        preflight = _service.access.answer_preflight(request)
        if preflight:
            return preflight
        _service.access.check(request)
        return _route(request)(request)
    except RecognitionError as error:
        return error_response(error, record)
    except RequestEntityTooLarge:
        return error_response(too_large(), record)
    except HTTPException as error:
        refusal = BadParameterError(f"The request cannot be read: {error.description}")
        return error_response(refusal, record)
    except Exception:  # noqa: BLE001  # the last resort, and it is logged
        _log.exception("A request failed with an unexpected error.")
        return error_response(RecognitionError(UNEXPECTED), record)


def _close_record(record: RequestRecord) -> None:
    record.finish()
    record.write()
    _service.measures.count(record)


def _route(request: Request) -> Callable[[Request], Response]:
    if request.path not in ROUTES:
        raise RouteNotFoundError(f"There is no such URL; there are {', '.join(ROUTES)}.")
    handler, methods = ROUTES[request.path]
    if request.method not in methods:
        allowed = tuple(sorted(methods))
        raise MethodNotAllowedError(
            f"{request.method} is not allowed here. Use {' or '.join(allowed)}.", allowed
        )
    return handler


def _answer_video(request: Request) -> Response:
    if wants_page(request):
        return answer_start(request)
    return answer_video(request, _service, flask.g.record, _results)


def _answer_health(_: Request) -> Response:
    return json_response({"status": "up"})


def _answer_ready(request: Request) -> Response:
    ready = _service.ready()
    with _service.gallery() as gallery:
        snapshot = _service.snapshot(gallery)
    if not _service.access.may_see_details(request):
        return json_response({"status": "ready"})
    return json_response(
        {
            "status": "ready",
            "engine": ready.engine,
            "provider": ready.provider,
            "model": ready.model,
            "sandbox": _service.settings.sandbox,
            "locks": ready.locks,
            "performers": len(snapshot.performers),
            "encodings": len(snapshot.vectors),
        }
    )


def _answer_metrics(_: Request) -> Response:
    return Response(_service.measures.text(), content_type="text/plain; version=0.0.4")


def _answer_openapi(_: Request) -> Response:
    return json_response(describe({route: methods for route, (_, methods) in API.items()}))


KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

API: dict[str, tuple[Callable[[Request], Response], set[str]]] = {
    "/": (_answer_video, {"GET", "POST"}),
    "/health": (_answer_health, {"GET", "HEAD"}),
    "/ready": (_answer_ready, {"GET", "HEAD"}),
    "/metrics": (_answer_metrics, {"GET"}),
    "/openapi.json": (_answer_openapi, {"GET"}),
}

ROUTES = {**API, **page_routes(_service, _results)}
