"""What the tests in a real Stash share: that Stash, our server beside it, and its page."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsers import chromium
from tests.support.live_stash import LiveStash, open_live_stash, put_notes, settings_beside
from tests.support.servers import running_server

PAGE_MILLISECONDS = 90_000
"""Stash's page is heavy, and the machine may be busy with other things."""


@pytest.fixture(scope="module")
def stash(photos: Path) -> LiveStash:
    opened = open_live_stash(photos)
    put_notes(opened.ask, {})  # of the libraries of other tests
    return opened


@pytest.fixture(scope="module")
def ours(stash: LiveStash, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of our server, which knows nobody yet."""
    folder = tmp_path_factory.mktemp("ours")
    with running_server(folder / "server.log", **settings_beside(stash, folder)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address(stash: LiveStash) -> str:
    """Where the browser finds Stash."""
    return stash.url


@pytest.fixture
def page(browser: Browser, address: str, stash: LiveStash) -> Iterator[Page]:
    """Stash's page, with the key where it has a password."""
    headers = {"ApiKey": stash.api_key} if stash.api_key else {}
    context = browser.new_context(
        viewport={"width": 1300, "height": 1000}, extra_http_headers=headers
    )
    context.set_default_timeout(PAGE_MILLISECONDS)
    opened = context.new_page()
    opened.goto(f"{address}/stats")
    opened.locator(".navbar").wait_for()
    yield opened
    picture_folder = os.environ.get("PICTURES")
    if picture_folder:
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0].replace("/", "-")
        opened.screenshot(path=Path(picture_folder) / f"{name}.png")
    context.close()
