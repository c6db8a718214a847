"""Answers with the whole library, as one long CSV or JSON document that is sent as it is made."""

import json
import math
from collections.abc import Generator, Iterator
from itertools import chain

from flask import Request, Response

from function.errors import BadParameterError
from function.library.lists import to_csv, to_full_json
from function.library.results import VideoResult, results_of
from function.web.library.shelf import Library, Shelf

FORMS = {"json": "application/json", "csv": "text/csv"}


def answer_export(shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/export?form=csv` or `json` with everyone in every video.

    Everyone is named by today's gallery first. If the ledger cannot be read to its end, the
    connection is closed in the middle, so that no half is taken for the whole.

    Raises:
        BadParameterError: there is no such form.
    """
    form = request.args.get("form", "json")
    if form not in FORMS:
        raise BadParameterError(f"form is {form[:40]!r}; it must be {' or '.join(FORMS)}.")
    if request.method == "HEAD":
        return Response(iter(()), mimetype=FORMS[form])
    lines = _lines(shelf, form)
    first = next(lines)  # what is wrong with the library still gets its own status
    response = Response(chain([first], lines), mimetype=FORMS[form])
    response.call_on_close(lines.close)
    return response


def _lines(shelf: Shelf, form: str) -> Generator[str]:
    with shelf.library(math.inf) as library:
        results = _all(library)
        yield from _csv(results) if form == "csv" else _json(results)


def _all(library: Library) -> Iterator[VideoResult]:
    videos = (shown for one in library.ledger.iterate() if (shown := library.shown(one)))
    return results_of(library.ledger, videos, library.performers, each_picture=True)


def _csv(results: Iterator[VideoResult]) -> Iterator[str]:
    yield from (f"{line}\r\n" for line in to_csv(results))


def _json(results: Iterator[VideoResult]) -> Iterator[str]:
    yield "["
    separator = "\n"
    for result in results:
        yield separator + json.dumps(to_full_json(result))
        separator = ",\n"
    yield "\n]\n"
