"""Words and numbers are written by one rule everywhere on the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.browsers import Open
from tests.support.scans import make_gallery
from tests.support.servers import running_server


@pytest.fixture
def page(open_page: Open, tmp_path: Path) -> Iterator[Page]:
    places = {"MEDIA_ROOT": tmp_path, "PERFORMERS_DB": make_gallery(tmp_path / "g.db")}
    with running_server(tmp_path / "log", **places, SECOND_ENCODER="off") as address:
        yield open_page(f"{address}/#gallery")


def written(page: Page, function: str, *calls: list[object]) -> list[str]:
    """What a function of dom.js makes of some arguments."""
    module = page.evaluate_handle("() => import('./page/dom.js')")
    script = f"(dom, calls) => calls.map((one) => dom.{function}(...one))"
    found: list[str] = module.evaluate(script, list(calls))
    return found


def test_times_are_the_nearest_second(page: Page) -> None:
    seconds = (0, 0.4, 5.97, 59.4, 59.6, 3599.7, 3723)
    assert written(page, "clock", *([one] for one in seconds)) == [
        *("0:00", "0:00", "0:06", "0:59", "1:00", "1:00:00", "1:02:03"),
    ]


def test_videos_and_albums_are_counted_apart(page: Page) -> None:
    assert written(page, "countBoth", [0, 0], [1, 0], [0, 2], [1200, 1]) == [
        *("0 videos", "1 video", "2 albums", "1,200 videos and 1 album"),
    ]
