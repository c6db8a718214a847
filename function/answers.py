"""A request for a video becomes a response: JSON at the end, or lines as the work goes on."""

import json
import logging
import select
import socket
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain
from typing import Any, cast

from flask import Request, Response

from function.errors import (
    BusyError,
    ClientGoneError,
    MethodNotAllowedError,
    RecognitionError,
    StoppingError,
)
from function.logs import RequestRecord
from function.media import MediaFile, open_media
from function.parameters import read_parameters
from function.recognition import Progress, Recognition, Task, name_people
from function.reply import to_progress, to_reply
from function.service import Service
from function.settings import Settings

NDJSON = "application/x-ndjson"
RETRY_AFTER_SECONDS = 5
UNEXPECTED = "Something went wrong here; the log says what."

_log = logging.getLogger(__name__)


def answer_video(request: Request, service: Service, record: RequestRecord) -> Response:
    """Answer who is in the video that a request names.

    Raises:
        RecognitionError: whatever goes wrong before the first frame, or before the one answer.
    """
    parameters = read_parameters(request, service.settings)
    events = _recognize(parameters.path, parameters.settings, service, record, _client(request))
    # What goes wrong before the first frame still gets a status of its own.
    first = next(events)
    if NDJSON not in request.accept_mimetypes.values():
        *_, last = chain([first], events)
        return json_response(last["result"])
    response = Response(_lines(chain([first], events), record), mimetype=NDJSON)
    response.call_on_close(events.close)
    return response


def _recognize(
    path: str,
    settings: Settings,
    service: Service,
    record: RequestRecord,
    is_gone: Callable[[], bool],
) -> Generator[dict[str, Any]]:
    """Yield the lines of one recognition: progress, and last the result."""
    with open_media(path, settings.media_root, settings.path_map) as media, service.slot():
        record.path = media.name
        for event in _follow(media, settings, service, record):
            if is_gone():
                raise ClientGoneError("The client hung up; its video is let go.")
            if event:
                yield event


def _follow(
    media: MediaFile, settings: Settings, service: Service, record: RequestRecord
) -> Iterator[dict[str, Any]]:
    """Yield the lines, and between them nothing ({}) as long as nothing is known."""
    with service.gallery() as gallery:
        started = time.perf_counter()
        snapshot = service.snapshot(gallery)
        record.seconds["wait"] = time.perf_counter() - started
        with closing(_generator(service.find_people(media, Task.of(settings)))) as found:
            for event in name_people(found, snapshot, settings):
                if isinstance(event, Progress):
                    yield {"progress": to_progress(event)} if event.of_seconds else {}
                else:
                    _note(record, event)
                    yield {"result": to_reply(event.identifications, gallery.thumbnail)}


def _generator(items: Iterator[Any]) -> Generator[Any]:
    return cast("Generator[Any]", items)


def _note(record: RequestRecord, recognition: Recognition) -> None:
    record.frames, record.faces = recognition.frames, recognition.faces
    record.people = len(recognition.identifications)
    record.seconds |= vars(recognition.seconds)


def _lines(events: Iterable[dict[str, Any]], record: RequestRecord) -> Iterator[str]:
    try:
        for event in events:
            yield json.dumps(event) + "\n"
    except RecognitionError as error:
        record.code = error.code
        yield json.dumps(_error_body(error)) + "\n"
    except Exception:  # noqa: BLE001  # the last resort, and it is logged
        _log.exception("A request failed in a way that has no error of its own.")
        record.code = RecognitionError.code
        yield json.dumps(_error_body(RecognitionError(UNEXPECTED))) + "\n"


def _client(request: Request) -> Callable[[], bool]:
    """Return a test for whether the client has hung up; where servers hide its socket, never."""
    environ = request.environ
    client: Any = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")

    def is_gone() -> bool:
        try:
            readable, _, _ = select.select([client], [], [], 0)
            return bool(readable) and not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except (OSError, ValueError):
            return True

    return is_gone if isinstance(client, socket.socket) else lambda: False


def error_response(error: RecognitionError, record: RequestRecord) -> Response:
    """Answer an error: its status, its code, and its message."""
    record.code = error.code
    response = json_response(_error_body(error), error.status)
    if isinstance(error, BusyError | StoppingError):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, MethodNotAllowedError):
        response.headers["Allow"] = ", ".join(error.allowed)
    return response


def json_response(body: object, status: int = 200) -> Response:
    """Answer one JSON value."""
    return Response(json.dumps(body) + "\n", status=status, mimetype="application/json")


def _error_body(error: RecognitionError) -> dict[str, dict[str, str]]:
    return {"error": {"code": error.code, "message": str(error)}}
