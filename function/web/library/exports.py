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
from function.web.places import Places

MOST_EXPORTS = 2
"""Each takes a thread of the server, and holds the ledger open, while a client reads it."""

FORMS = {"json": "application/json", "csv": "text/csv"}


def exports() -> Places:
    """Return the places of those whom the whole library is sent to."""
    return Places(
        MOST_EXPORTS, f"The library is being sent to {MOST_EXPORTS} others. Try again in a moment."
    )


def answer_export(shelf: Shelf, places: Places, request: Request) -> Response:
    """Answer `GET /library/export?form=csv` or `json` with everyone in every video.

    Everyone is named by today's gallery first. If the ledger cannot be read to its end, the
    connection is closed in the middle, so that no half is taken for the whole.

    Raises:
        BadParameterError: there is no such form.
        BusyError: it is being sent to MOST_EXPORTS others.
    """
    form = request.args.get("form", "json")
    if form not in FORMS:
        raise BadParameterError(f"form is {form[:40]!r}; it must be {' or '.join(FORMS)}.")
    if request.method == "HEAD":
        return Response(iter(()), mimetype=FORMS[form])
    lines = _lines(shelf, places, form)
    first = next(lines)  # what is wrong with the library still gets its own status
    response = Response(chain([first], lines), mimetype=FORMS[form])
    response.call_on_close(lines.close)
    return response


def _lines(shelf: Shelf, places: Places, form: str) -> Generator[str]:
    with places.hold(), shelf.library(math.inf) as library:
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
