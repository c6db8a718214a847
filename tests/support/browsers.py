"""A real Chromium for the tests of the page; where there is none, they skip and say so."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

WIDE = {"width": 1100, "height": 900}
PHONE = {"width": 360, "height": 740}

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium, or skip."""
    if CHROMIUM is None:
        pytest.skip("no chromium here (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


PATIENCE_MS = 20_000
"""The processors may be busy with other tests."""

Open = Callable[..., Page]
"""Opens the page at an address, in a browser that looks as the options say."""


@contextmanager
def opening(browser: Browser) -> Iterator[Open]:
    """Give what opens the page; whatever the browser complains of in the end fails the test."""
    complaints: list[str] = []
    with ExitStack() as contexts:

        def start(address: str, **options: object) -> Page:
            context = browser.new_context(**{"viewport": WIDE, **options})  # type: ignore[arg-type]
            contexts.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "console",
                lambda said: complaints.append(said.text) if said.type == "error" else None,
            )
            page.goto(address)
            return page

        yield start
    # A status of 400 and more is an answer too; the page is tested to show it.
    assert [one for one in complaints if "Failed to load resource" not in one] == []


def assert_fits(page: Page) -> None:
    """Check that nothing is wider than the screen, and no button too small to touch."""
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
    small = page.evaluate(
        """[...document.querySelectorAll("main button")].filter((one) =>
          one.offsetParent && one.offsetHeight < 24).map((one) => one.textContent)"""
    )
    assert small == []
    one_line = "[...document.querySelectorAll('header nav a')].every((a) => a.offsetHeight < 45)"
    assert page.evaluate(one_line)
    header = "document.querySelector('header nav')"
    assert page.evaluate(f"{header}.scrollWidth <= {header}.clientWidth")


def assert_accessible(page: Page) -> None:
    """Check that axe has no serious complaint of what is shown now."""
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["html"][:120] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
