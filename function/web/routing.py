"""A table of routes finds the handler of a request."""

from collections.abc import Callable, Mapping

from flask import Request, Response

from function.errors import MethodNotAllowedError, RouteNotFoundError

Handler = Callable[[Request], Response]

Routes = Mapping[str, tuple[Handler, frozenset[str]]]
"""Paths, each with its handler and the methods it answers."""

READ = frozenset({"GET", "HEAD"})
WRITE = frozenset({"POST"})


def find_handler(request: Request, routes: Routes) -> Handler:
    """Find what answers a request.

    Raises:
        RouteNotFoundError: the path is none of ours.
        MethodNotAllowedError: the path is ours, the method is not answered there.
    """
    if request.path not in routes:
        raise RouteNotFoundError(f"There is nothing here; there are {', '.join(routes)}.")
    handler, methods = routes[request.path]
    if request.method not in methods:
        allowed = tuple(sorted(methods))
        raise MethodNotAllowedError(
            f"{request.method} is not answered here. Use {' or '.join(allowed)}.", allowed
        )
    return handler
