"""The page's own requests: how they are recognised, and how their JSON is read."""

import json
from collections.abc import Collection
from typing import Any

from flask import Request, Response, g
from werkzeug.exceptions import BadRequest

from db.names import find_name_complaint, tidy_name
from function.errors import (
    BadParameterError,
    MissingParameterError,
    NotFromPageError,
    UnauthorizedError,
)
from function.web.routing import Handler

PAGE_HEADER = "X-Recognition-Page"
"""Every request from the page's script carries it. Another site's form cannot set a header, and the
browser does not let its script set one, so a request with it comes from the page or the user."""


MOST_DIGITS = 18
LARGEST_NUMBER = 10**MOST_DIGITS
"""SQLite stores whole numbers of 64 bits."""

LONGEST_SECONDS = 10.0**6


def is_from_page(request: Request) -> bool:
    """Say whether the page's script, or someone acting as it on purpose, sent this."""
    return PAGE_HEADER in request.headers


def mark_as_plugin() -> None:
    """Note that the request carries the token of Stash's plugin, not the server's own."""
    g.is_plugin = True


def require_owner(what: str) -> None:
    """Refuse what the token of Stash's plugin does not open, though it opens the route.

    Raises:
        UnauthorizedError: the request carries that token only.
    """
    if g.get("is_plugin"):
        raise UnauthorizedError(
            f"The token of Stash's plugin cannot {what}. Send the server's TOKEN."
        )


def require_page(request: Request) -> None:
    """Allow changes only from the page's script.

    Raises:
        NotFromPageError: the request lacks the page's header.
    """
    if not is_from_page(request):
        raise NotFromPageError(
            f"This changes something, but was not sent by the page. Set the header {PAGE_HEADER}."
        )


def read_fields(request: Request, **kinds: type) -> list[Any]:
    """Read the named fields of a JSON object that the page sent, in the order of `kinds`.

    Raises:
        NotFromPageError: the request lacks the page's header.
        MissingParameterError: a field is missing.
        BadParameterError: the body is not a JSON object, or a field has the wrong type.
    """
    require_page(request)
    body = read_object(request)
    for name, kind in kinds.items():
        if name not in body:
            raise MissingParameterError(f"The field {name} is missing. Send {', '.join(kinds)}.")
        # bool is an int to Python, but never meant here.
        if type(body[name]) is not kind:
            raise BadParameterError(
                f"{name} is {body[name]!r}; it must be of type {kind.__name__}."
            )
        if kind is int and abs(body[name]) >= LARGEST_NUMBER:
            raise BadParameterError(f"{name} is out of range: there is no such number here.")
    return [body[name] for name in kinds]


def read_optional(request: Request, **kinds: type) -> list[Any]:
    """Read fields of the same JSON object that may be missing, which gives None.

    Raises:
        BadParameterError: a field has the wrong type.
    """
    body = read_object(request)
    present = {name: kind for name, kind in kinds.items() if name in body}
    found = dict(zip(present, read_fields(request, **present), strict=True))
    return [found.get(name) for name in kinds]


def only_parameters(names: Collection[str], handler: Handler) -> Handler:
    """Return a handler that refuses a request with any other parameter in its query.

    It raises BadParameterError; a misspelt filter would otherwise be taken for none.
    """

    def handle(request: Request) -> Response:
        for name in request.args:
            if name not in names:
                known = f"there are {', '.join(names)}" if names else "there is none here"
                raise BadParameterError(f"There is no parameter {name[:40]!r}; {known}.")
        return handler(request)

    return handle


def read_name(text: str) -> str:
    """Read the name of a performer as it will be stored.

    Raises:
        BadParameterError: no performer can have it.
    """
    name = tidy_name(text)
    complaint = find_name_complaint(name)
    if complaint:
        raise BadParameterError(f"The name cannot be used: {complaint}. Give another.")
    return name


def read_number(request: Request, name: str, default: int, *, least: int) -> int:
    """Read a whole number from the query.

    Raises:
        BadParameterError: it is not one, or smaller than `least`.
    """
    text = request.args.get(name, str(default))
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else -1
    if number < least:
        raise BadParameterError(f"{name} is {text!r}; it must be a whole number, {least} or more.")
    return number


def read_seconds(request: Request, name: str) -> float:
    """Read a moment of a video from the query.

    Raises:
        MissingParameterError: it is missing.
        BadParameterError: it is not a number, or before the beginning.
    """
    if name not in request.args:
        raise MissingParameterError(f"The parameter {name} is missing. Say which moment.")
    text = request.args[name]
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise BadParameterError(
            f"{name} is {text[:40]!r}; it must be a number of seconds, 0 to {LONGEST_SECONDS:g}."
        )
    return seconds


def read_object(request: Request) -> dict[str, Any]:
    """Read the JSON object that a request sends.

    Raises:
        BadParameterError: it sends none.
    """
    try:
        body = request.get_json() if request.is_json else None
    except (BadRequest, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise BadParameterError("The body is not a JSON object. Send one, as application/json.")
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        raise BadParameterError(
            "The body holds text that is not Unicode. Send it as UTF-8."
        ) from None
    return body
