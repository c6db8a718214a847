"""The HTTP function: `functions-framework --source function/main.py --target recognize`."""

import json
import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import functions_framework
from flask import Request, Response

from function.errors import (
    BusyError,
    MethodNotAllowedError,
    RecognitionError,
    RouteNotFoundError,
)
from function.media import resolve_video
from function.page_requests import is_from_page
from function.page_routes import page_routes
from function.pages import answer_start, wants_page
from function.parameters import read_parameters
from function.recognition import Progress, recognize_video
from function.reply import rank, to_progress, to_reply
from function.results import RecentResults
from function.service import Service
from function.settings import Settings

NDJSON = "application/x-ndjson"
RETRY_AFTER_SECONDS = 5

_log = logging.getLogger(__name__)
_service = Service(Settings.from_env())
_results = RecentResults()
logging.basicConfig(level=_service.settings.log_level)


@functions_framework.http
def recognize(request: Request) -> Response:
    """Answer one request, whatever its path and method; every error becomes JSON."""
    try:
        return _route(request)(request)
    except RecognitionError as error:
        return _error_response(error)
    except Exception:  # noqa: BLE001  # the last resort, and it is logged
        return _error_response(_unexpected())


def _route(request: Request) -> Callable[[Request], Response]:
    routes: dict[str, tuple[Callable[[Request], Response], set[str]]] = {
        "/": (_answer_video, {"GET", "POST"}),
        "/health": (_answer_health, {"GET", "HEAD"}),
        "/ready": (_answer_ready, {"GET", "HEAD"}),
        **page_routes(_service, _results),
    }
    if wants_page(request):
        return answer_start
    if request.path not in routes:
        raise RouteNotFoundError(f"There is nothing here; there are {', '.join(routes)}.")
    handler, methods = routes[request.path]
    if request.method not in methods:
        allowed = " or ".join(sorted(methods))
        raise MethodNotAllowedError(f"{request.method} is not answered here. Use {allowed}.")
    return handler


def _answer_health(_: Request) -> Response:
    return _json_response({"status": "up"})


def _answer_ready(_: Request) -> Response:
    engine = _service.engine()
    with _service.gallery() as gallery:
        snapshot = _service.snapshot(gallery)
    return _json_response(
        {
            "status": "ready",
            "engine": engine.name,
            "provider": engine.provider,
            "model": engine.model,
            "performers": len(snapshot.performers),
            "encodings": len(snapshot.vectors),
        }
    )


def _answer_video(request: Request) -> Response:
    parameters = read_parameters(request, _service.settings)
    path = resolve_video(parameters.path, parameters.settings.media_root)
    events = _recognize(path, parameters.settings, keep=is_from_page(request))
    # What goes wrong before the first frame still gets a status of its own.
    first = next(events)
    if NDJSON not in request.accept_mimetypes.values():
        *_, last = chain([first], events)
        return _json_response(last["result"])
    response = Response(_lines(chain([first], events)), mimetype=NDJSON)
    response.call_on_close(events.close)
    return response


def _recognize(path: Path, settings: Settings, *, keep: bool) -> Generator[dict[str, Any]]:
    """Yield the lines of one recognition: progress, and last the result; `keep` gives it an id."""
    with _service.slot(), _service.gallery() as gallery:
        snapshot = _service.snapshot(gallery)
        for event in recognize_video(path, _service.engine(), snapshot, settings):
            if isinstance(event, Progress):
                yield {"progress": to_progress(event)}
            else:
                people = [one.person for one in rank(event.identifications)]
                kept = {"id": _results.keep(path, people, snapshot.model)} if keep else {}
                yield {"result": to_reply(event.identifications, gallery.thumbnail), **kept}


def _lines(events: Iterable[dict[str, Any]]) -> Iterator[str]:
    try:
        for event in events:
            yield json.dumps(event) + "\n"
    except RecognitionError as error:
        yield json.dumps(_error_body(error)) + "\n"
    except Exception:  # noqa: BLE001  # the last resort, and it is logged
        yield json.dumps(_error_body(_unexpected())) + "\n"


def _unexpected() -> RecognitionError:
    _log.exception("A request failed in a way that has no error of its own.")
    return RecognitionError("Something went wrong here; the log says what.")


def _error_body(error: RecognitionError) -> dict[str, dict[str, str]]:
    return {"error": {"code": error.code, "message": str(error)}}


def _error_response(error: RecognitionError) -> Response:
    response = _json_response(_error_body(error), error.status)
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _json_response(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body) + "\n", status=status, mimetype="application/json")
