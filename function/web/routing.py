"""Finds the handler of a request in a table of routes."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from flask import Request, Response

from db.names import quote
from function.errors import MethodNotAllowedError, RouteNotFoundError

Handler = Callable[[Request], Response]

Route: TypeAlias = tuple[Handler, frozenset[str]]

Routes: TypeAlias = Mapping[str, Route]
"""Paths, each with its handler and allowed methods."""

READ = frozenset({"GET", "HEAD"})
WRITE = frozenset({"POST"})


def find_handler(request: Request, routes: Routes) -> Handler:
    """Return the handler of a request.

    Raises:
        RouteNotFoundError: there is no such path.
        MethodNotAllowedError: the path exists, but not with this method.
    """
    if request.path not in routes:
        raise RouteNotFoundError(
            f"There is no {quote(request.path[:80])} here. The page is at /, and /openapi.json "
            "lists all that can be asked."
        )
    handler, methods = routes[request.path]
    if request.method not in methods:
        allowed = tuple(sorted(methods))
        raise MethodNotAllowedError(
            f"{request.method} is not allowed here. Use {' or '.join(allowed)}.", allowed
        )
    return handler
