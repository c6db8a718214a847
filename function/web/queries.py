"""Takes queries and forms apart, in which a path may hold bytes that are not UTF-8."""

from urllib.parse import parse_qsl

from flask import Request

from db.names import show_text


def pairs_of(encoded: bytes) -> list[tuple[str, str]]:
    r"""Return the names and values of a query or form, in their order.

    Bytes that are not UTF-8 become `\xe9`: files are listed so, and found by it.
    """
    text = encoded.decode("utf-8", "surrogateescape")
    pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    return [(show_text(name), show_text(value)) for name, value in pairs]


def read_path(request: Request, name: str = "path") -> str | None:
    """Return the first path of that name in the query; None if there is none."""
    return next((value for one, value in pairs_of(request.query_string) if one == name), None)
