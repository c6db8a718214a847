"""Places for requests that hold a thread of the server, so that some are left for others."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from flask import Request, Response

from function.errors import BusyError
from function.web.routing import Handler, Routes

MOST_OTHERS = 24
"""This many requests of no kind with places of its own are answered at once: four browsers full. Of
a long library a list takes a second, and while a file is rewritten each waits for some."""

FACES = ("/library/face", "/gallery/face", "/gallery/thumbnail")
"""They take milliseconds. Through a proxy that speaks HTTP/2 a browser asks for all of a page at
once, and would go without those that are refused: they wait instead, without a thread."""

OTHERS_TAKEN = (
    f"{MOST_OTHERS} other requests are already being answered. Try again in a few seconds."
)

STREAMS = ("/media", "/library/progress", "/library/export")
"""Answers that are sent for long, in places of their own."""


class Places:
    """This many places for requests of a kind; whoever finds all taken is refused with `words`."""

    def __init__(self, most: int, words: str) -> None:
        self._free = threading.BoundedSemaphore(most)
        self._words = words

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold one of the places.

        Raises:
            BusyError: all are taken.
        """
        if not self._free.acquire(blocking=False):
            raise BusyError(self._words)
        try:
            yield
        finally:
            self._free.release()


def in_places(places: Places, routes: Routes) -> Routes:
    """Return routes of which each request holds one of the places until it is answered.

    Their handlers raise BusyError where all are taken; those of FACES need no place.
    """
    placed: Routes = {
        route: (partial(_answer_in_place, places, handler), methods)
        for route, (handler, methods) in routes.items()
        if route not in FACES
    }
    return {**routes, **placed}


def _answer_in_place(places: Places, handler: Handler, request: Request) -> Response:
    with ExitStack() as place:
        place.enter_context(places.hold())
        response = handler(request)
        if response.is_streamed and request.path not in STREAMS:
            response.call_on_close(place.pop_all().close)
        return response
