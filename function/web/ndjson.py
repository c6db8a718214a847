"""Answers in lines of JSON, one for each piece of news, while the work goes on."""

import json
import logging
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from flask import Request, Response

from function.errors import RecognitionError
from function.web.logs import RequestRecord
from function.web.responses import UNEXPECTED, error_body

NDJSON = "application/x-ndjson"

_log = logging.getLogger(__name__)


def wants_lines(request: Request) -> bool:
    """Say whether a request asks for lines, in place of one value at the end."""
    return NDJSON in request.accept_mimetypes.values()


def lines_response(events: Generator[Any], record: RequestRecord) -> Response:
    """Answer with a line for each event; whatever goes wrong later is the last line.

    Raises:
        RecognitionError: what goes wrong before the first event, which still gets its own status.
    """
    first = next(events)
    response = Response(_lines(chain([first], events), record), mimetype=NDJSON)
    response.call_on_close(partial(_end, events))
    return response


def _end(events: Generator[Any]) -> None:
    """End the work; whatever goes wrong in it must not keep others from ending theirs."""
    try:
        events.close()
    except Exception:  # noqa: BLE001  # the last resort, and it is logged
        _log.exception("Work that a client no longer waits for did not end cleanly.")


def _lines(events: Iterable[Any], record: RequestRecord) -> Iterator[str]:
    try:
        for event in events:
            yield json.dumps(event) + "\n"
    except RecognitionError as error:
        record.code = error.code
        yield json.dumps(error_body(error)) + "\n"
    except Exception:  # noqa: BLE001  # the last resort, and it is logged
        _log.exception("A request failed with an unexpected error.")
        record.code = RecognitionError.code
        yield json.dumps(error_body(RecognitionError(UNEXPECTED))) + "\n"
