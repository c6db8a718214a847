"""The HTTP function: `functions-framework --source function/main.py --target recognize`."""

import io
import logging
import os

import flask
import functions_framework
from flask import Request, Response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from function.errors import BadParameterError, RecognitionError
from function.settings import Settings
from function.web.access import too_large
from function.web.api import api_routes
from function.web.library.routes import OPERATIONS as LIBRARY_OPERATIONS
from function.web.library.routes import library_routes
from function.web.logs import RequestRecord, log_as_json, request_id
from function.web.page.routes import file_routes, page_routes
from function.web.places import MOST_OTHERS, OTHERS_TAKEN, Places, in_places
from function.web.responses import UNEXPECTED, error_response
from function.web.results import RecentResults
from function.web.routing import find_handler
from function.web.service import Service
from function.web.stash.packages import package_routes
from function.web.stash.routes import OPERATIONS as STASH_OPERATIONS
from function.web.stash.routes import stash_routes

_log = logging.getLogger(__name__)

_settings = Settings.from_env()
os.environ.pop("THREADS", None)  # functions-framework would give gunicorn as many, perhaps just one
log_as_json(_settings.log_level)
logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log each question to Stash
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
        return find_handler(request, ROUTES)(request)
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
    _service.metrics.count(record)


KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_places = Places(MOST_OTHERS, OTHERS_TAKEN)
_OTHERS = {
    **in_places(_places, library_routes(_service, _results)),
    **stash_routes(_service),
}
ROUTES = {
    **api_routes(_service, _results, _OTHERS, {**LIBRARY_OPERATIONS, **STASH_OPERATIONS}),
    **_OTHERS,
    **in_places(_places, page_routes(_service, _results)),
    **file_routes(),
    **package_routes(),
}
