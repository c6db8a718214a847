"""A Stash whose lists do not end: what is read of them, and how much memory that takes."""

import json
import tracemalloc
import weakref
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from function.sources.records import UnusableSourceError
from function.stash import pages
from function.stash.client import Stash
from function.stash.pages import PER_PAGE
from function.stash.records import Image
from function.web.stash.work import MOST_IMAGES, first_images

MB = 1024 * 1024
PAGES = 12
PATH_CHARACTERS = 4_000
"""So a page takes a megabyte."""

LIMIT_BYTES = 4 * MB


def image(number: int) -> dict[str, Any]:
    path = f"/data/{number:x>{PATH_CHARACTERS}}.jpg"
    return {
        "id": str(number),
        "title": "",
        "visual_files": [{"path": path}],
        "paths": {"image": ""},
        "performers": [],
        "updated_at": "now",
    }


class Endless(BaseHTTPRequestHandler):
    """Answers each page of images with a full one, the last names first."""

    def do_POST(self) -> None:  # the base class says so
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        page = asked["variables"]["page"]
        numbers = range((PAGES - page) * PER_PAGE, (PAGES - page + 1) * PER_PAGE)
        found = {"count": PAGES * PER_PAGE, "images": [image(one) for one in numbers]}
        body = json.dumps({"data": {"findImages": found}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("is_awaited", [True, False])
def test_a_list_that_is_longer_than_any_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, *, is_awaited: bool
) -> None:
    limit, other = "LONGEST_LIST_BYTES", "LONGEST_AWAITED_BYTES"
    if is_awaited:
        limit, other = other, limit
    monkeypatch.setattr(pages, limit, LIMIT_BYTES)
    monkeypatch.setattr(pages, other, 1024 * MB)
    read = 0
    with pytest.raises(UnusableSourceError, match="images without end"):
        for read, _ in enumerate(Stash(address, is_awaited=is_awaited).images(), 1):  # noqa: B007
            pass
    assert LIMIT_BYTES // 2 < read * PATH_CHARACTERS <= LIMIT_BYTES


def test_nobody_who_waits_is_kept_waiting_by_a_list(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LONGEST_AWAITED_SECONDS", 0.0)
    with pytest.raises(UnusableSourceError, match="Stash takes too long to list images"):
        list(Stash(address, is_awaited=True).images())
    first = next(Stash(address).images())
    assert len(first.path) > PATH_CHARACTERS


def test_of_a_long_gallery_only_the_images_that_are_shown_are_held() -> None:
    held, most = weakref.WeakSet[Image](), 0

    def images() -> Iterator[Image]:
        nonlocal most
        for number in reversed(range(10 * MOST_IMAGES)):
            one = Image(str(number), "", f"/data/{number}.jpg", "", (), "now")
            held.add(one)
            most = max(most, len(held))
            yield one

    first, count = first_images(images(), MOST_IMAGES)
    assert count == 10 * MOST_IMAGES
    assert [int(one.id) for one in first] == list(range(MOST_IMAGES))
    assert most < 4 * MOST_IMAGES


def test_long_paths_take_little_memory_while_they_are_put_in_order() -> None:
    paths = ["1a" * 30_000 + f"{number}.jpg" for number in range(MOST_IMAGES)]
    images = [Image(path, "", path, "", (), "now") for path in paths]
    tracemalloc.start()
    try:
        first, _ = first_images(images, MOST_IMAGES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [one.path for one in first] == sorted(paths)
    assert peak < 64 * MB
