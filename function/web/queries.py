"""Takes queries and forms apart, in which a path may hold bytes that are not UTF-8."""

from urllib.parse import parse_qsl

from flask import Request

from db.names import quote, show_text
from function.errors import BadParameterError


def pairs_of(encoded: bytes) -> list[tuple[str, str]]:
    r"""Return the names and values of a query or form, in their order.

    Bytes that are not UTF-8 become `\xe9`: files are listed so, and found by it.
    """
    return [(show_text(name), show_text(value)) for name, value in _raw_pairs(encoded)]


def _raw_pairs(encoded: bytes) -> list[tuple[str, str]]:
    text = encoded.decode("utf-8", "surrogateescape")
    return parse_qsl(text, keep_blank_values=True, errors="surrogateescape")


def read_path(request: Request, name: str = "path") -> str | None:
    """Return the first path of that name in the query; None if there is none."""
    return next((value for one, value in pairs_of(request.query_string) if one == name), None)


def read_text(request: Request, name: str) -> str | None:
    """Return the first text of that name in the query, which is to be kept; None if there is none.

    Raises:
        BadParameterError: it is not UTF-8: what would be kept is not what was meant.
    """
    text = next((value for one, value in _raw_pairs(request.query_string) if one == name), None)
    if text is not None and show_text(text) != text:
        raise BadParameterError(
            f"{name} is {quote(text)[:60]}, which is not UTF-8. Send it as UTF-8."
        )
    return text
