"""What opens the page in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browsers import Open, chromium, opening


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    with opening(browser) as start:
        yield start
