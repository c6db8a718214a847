"""Many requests at once that take long: some are told to come back, and none holds up others."""

import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Request, Response

from function.errors import BusyError
from function.main import ROUTES
from function.server import WAITING_THREADS
from function.web import places
from function.web.connections import Front
from function.web.library.shelf import Shelf
from function.web.logs import RequestRecord
from function.web.ndjson import lines_response
from function.web.places import FACES, MOST_OTHERS, Places, in_places
from function.web.routing import READ
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import serving
from tests.support.waiting import wait_until

CROWD = 120
"""As many as one address may have connections, and more than there are threads."""

REQUEST = Request({"PATH_INFO": "/lines", "REQUEST_METHOD": "GET", "wsgi.url_scheme": "http"})

OWN_PLACES = ("/", "/health", "/ready", "/metrics", "/openapi.json")
"""A line, or answered at once."""


class Crowd:
    """A server whose library is being rewritten until `go` is set, and what many were answered."""

    def __init__(self, app: Flask) -> None:
        self.go = threading.Event()
        self._lock = threading.Lock()
        self.answers: list[int] = []
        self.waiting = 0
        self._front = Front("127.0.0.1", 0, 1 + WAITING_THREADS)
        self._front.take(app)

    def rewritten(self, inner: Callable[[Shelf], Any], shelf: Shelf) -> Any:
        """Open the library, as soon as that can be done."""
        with self._lock:
            self.waiting += 1
        assert self.go.wait(60)
        return inner(shelf)

    def get(self, url: str) -> int:
        asked = HTTPConnection("127.0.0.1", int(self._front.effective_port), timeout=60)
        with closing(asked):
            asked.request("GET", url)
            return asked.getresponse().status

    @contextmanager
    def asking(self, url: str) -> Iterator[None]:
        """Ask for a URL in a crowd, within the block."""
        ask = lambda: self.answers.append(self.get(url))  # noqa: E731
        threads = [threading.Thread(target=self._front.run)]
        threads += [threading.Thread(target=ask) for _ in range(CROWD)]
        for one in threads:
            one.start()
        try:
            yield
        finally:
            self.go.set()
            for one in threads[1:]:
                one.join()
            self._front.stop(1)
            threads[0].join()
            self._front.task_dispatcher.shutdown()


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    library = MadeUpLibrary(tmp_path)
    library.scan("film.mp4", [library.person(0)])
    with serving(**library.settings()) as serve:
        made = Crowd(serve().application)
        inner = Shelf.ledger
        monkeypatch.setattr(Shelf, "ledger", lambda shelf: made.rewritten(inner, shelf))
        yield made


@pytest.mark.parametrize("url", ["/library/videos", "/library/status"])
def test_a_crowd_that_waits_for_the_library_holds_up_nobody_else(crowd: Crowd, url: str) -> None:
    with crowd.asking(url):
        wait_until(lambda: len(crowd.answers) >= CROWD - MOST_OTHERS, 30)
        found = [crowd.get(one) for one in ("/health", "/page/page.js", "/nowhere", "/gallery")]
        assert found == [200, 200, 404, 429]
        assert crowd.get("/gallery/thumbnail?id=1") == 404
        assert set(crowd.answers) == {429}
    served = Counter(crowd.answers)[200]
    assert 0 < served <= MOST_OTHERS


def test_a_crowd_that_waits_for_faces_is_sent_all_and_holds_up_no_sign_of_life(
    crowd: Crowd,
) -> None:
    with crowd.asking("/library/face?sighting=1.0"):
        wait_until(lambda: crowd.waiting >= 1 + WAITING_THREADS, 30)
        assert [crowd.get(one) for one in ("/health", "/page/page.js")] == [200, 200]
        assert not crowd.answers
    assert Counter(crowd.answers) == {404: CROWD}  # made up, it has no picture


def test_every_route_that_may_take_long_has_a_limited_number_of_places() -> None:
    free = [
        route
        for route, (handler, _) in ROUTES.items()
        if getattr(handler, "func", None) is not places._answer_in_place
    ]
    assert {one for one in free if not one.startswith(("/page/", "/stash/"))} == {
        *OWN_PLACES,
        *FACES,
    }


def test_work_that_ends_badly_gives_its_place_back(caplog: pytest.LogCaptureFixture) -> None:
    def work() -> Generator[int]:
        try:
            yield from range(10)
        finally:
            raise OSError("the disk is gone")

    def answer(request: Request) -> Response:
        return lines_response(work(), RequestRecord("id", request.method, request.path))

    handler, _ = in_places(Places(1, "taken"), {"/lines": (answer, READ)})["/lines"]
    for _ in range(3):
        handler(REQUEST).close()
    assert "the disk is gone" in caplog.text


def test_whoever_is_sent_lines_holds_a_place_until_the_last() -> None:
    def answer(_: Request) -> Response:
        return Response(iter(["1\n", "2\n"]))

    routes = in_places(Places(1, "taken"), {"/lines": (answer, READ)})
    handler, _ = routes["/lines"]
    with closing(handler(REQUEST)), pytest.raises(BusyError, match="taken"):
        handler(REQUEST)
    assert list(handler(REQUEST).response) == ["1\n", "2\n"]
