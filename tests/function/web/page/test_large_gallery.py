"""A gallery of ten thousand behind a token, in a real browser."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsers import WIDE
from tests.support.galleries import many_performers, noise_picture
from tests.support.identifying import identify
from tests.support.servers import running_server


@pytest.fixture(scope="module")
def guarded_server(page_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a token, and a gallery of ten thousand performers."""
    folder = tmp_path_factory.mktemp("guarded")
    path = many_performers(folder / "many.db", 10_000, noise_picture())
    settings = {"MEDIA_ROOT": page_media, "PERFORMERS_DB": path, "TOKEN": "secret"}
    with running_server(folder / "server.log", **settings) as address:
        urllib.request.urlopen(f"{address}/ready").close()  # no test waits for the engine
        yield address


def test_a_token_is_asked_for_kept_and_sent(browser: Browser, guarded_server: str) -> None:
    page = browser.new_page()
    page.goto(guarded_server)
    token = page.get_by_role("textbox", name="Token")
    token.fill("wrong")
    token.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("That is not this server's token")
    token.fill("secret")
    token.press("Enter")
    expect(page.locator("#status-line")).to_have_text("10,000 performers, CPU")
    identify(page)
    assert page.evaluate("localStorage.length") == 0
    # The video is played although its element cannot send the token.
    page.get_by_role("button", name="Play from 0:00").first.click()
    page.wait_for_function("() => document.querySelector('video')?.currentTime > 0")
    page.reload()
    expect(page.get_by_role("button", name="two.mp4")).to_be_visible()
    page.close()


def test_who_gives_no_token_is_told_and_can_try_again(
    browser: Browser, guarded_server: str
) -> None:
    page = browser.new_page()
    page.goto(guarded_server)
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_text("This server does not answer without the token").first).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("textbox", name="Token")).to_be_visible()
    page.close()


def test_ten_thousand_performers_come_as_one_scrolls(browser: Browser, guarded_server: str) -> None:
    page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
    page.add_init_script("sessionStorage.setItem('token', 'secret')")
    page.goto(f"{guarded_server}/#gallery")
    expect(page.get_by_text("10,000 performers", exact=True)).to_be_visible()
    tiles = page.locator("#grid li")
    expect(tiles).to_have_count(60)
    page.mouse.move(500, 500)
    page.mouse.wheel(0, 20_000)
    expect(tiles).to_have_count(120)
    page.get_by_label("Search by name or alias").fill("Performer 09999")
    expect(tiles).to_have_count(1)
    page.close()


def test_however_far_one_scrolls_the_browser_holds_only_what_is_near(
    browser: Browser, guarded_server: str
) -> None:
    page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
    page.add_init_script(
        """sessionStorage.setItem('token', 'secret');
        window.blockedMs = 0;
        new PerformanceObserver((list) => {
          for (const task of list.getEntries()) window.blockedMs += task.duration;
        }).observe({type: "longtask"});"""
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{guarded_server}/#gallery")
    stretches = page.locator("#grid ul")
    expect(stretches).to_have_count(1)
    page.mouse.move(500, 500)
    started = time.monotonic()
    while stretches.count() < 25 and time.monotonic() - started < 60:
        page.mouse.wheel(0, 3000)
        page.wait_for_timeout(20)
    seconds = time.monotonic() - started
    assert stretches.count() >= 25
    assert page.evaluate("document.querySelectorAll('*').length") < 2500
    page.wait_for_timeout(500)  # the last one may still be on its way
    pages = [url for url in asked if "/gallery?" in url]
    assert len(pages) == len(set(pages))
    expect(stretches).to_have_count(len(pages))
    assert page.evaluate("blockedMs") < 1000 * seconds * 0.25
    page.keyboard.press("Home")
    first = page.locator("#grid li").first
    expect(first).to_contain_text("Performer 00000")
    expect(first).to_be_in_viewport()
    page.wait_for_function("() => document.querySelector('#grid img').naturalWidth > 0")
    page.close()


def test_show_more_leads_the_keyboard_on(browser: Browser, guarded_server: str) -> None:
    page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
    page.add_init_script("sessionStorage.setItem('token', 'secret')")
    page.goto(f"{guarded_server}/#gallery")
    expect(page.locator("#grid ul")).to_have_count(1)
    page.evaluate("document.querySelector('#more').click()")
    expect(page.get_by_role("link", name="Performer 00060")).to_be_focused()
    _press(page, "Tab", 50)
    expect(page.get_by_role("link", name="Performer 00120")).to_have_count(1)
    _press(page, "Tab", 10)
    expect(page.get_by_role("link", name="Performer 00120")).to_be_focused()
    _press(page, "Shift+Tab", 50)
    expect(page.get_by_role("link", name="Performer 00058")).to_have_count(1)
    _press(page, "Shift+Tab", 12)
    expect(page.get_by_role("link", name="Performer 00058")).to_be_focused()
    page.close()


def test_who_comes_back_to_the_gallery_finds_the_place_they_left(
    browser: Browser, guarded_server: str
) -> None:
    page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
    page.add_init_script("sessionStorage.setItem('token', 'secret')")
    page.goto(f"{guarded_server}/#gallery")
    page.mouse.move(500, 500)
    opened = page.get_by_role("link", name="Performer 00200")
    while not opened.count():
        page.mouse.wheel(0, 500)
        page.wait_for_timeout(20)
    opened.click()
    expect(page.get_by_role("heading", name="Performer 00200")).to_be_in_viewport()
    page.get_by_role("link", name="← Gallery").press("Enter")
    expect(opened).to_be_in_viewport()
    expect(opened).to_be_focused()
    opened.click()
    expect(page.get_by_role("heading", name="Performer 00200")).to_be_in_viewport()
    page.go_back()
    expect(opened).to_be_in_viewport()
    page.close()


def test_when_the_rest_of_the_gallery_does_not_come_one_can_try_again(
    browser: Browser, guarded_server: str
) -> None:
    page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
    page.add_init_script("sessionStorage.setItem('token', 'secret')")
    page.goto(f"{guarded_server}/#gallery")
    expect(page.locator("#grid ul")).to_have_count(1)
    page.route("**/gallery?from=60*", lambda route: route.abort())
    page.evaluate("document.querySelector('#more').click()")
    expect(page.get_by_text("The rest cannot be shown")).to_be_visible()
    expect(page.locator("#grid ul")).to_have_count(1)
    page.unroute("**/gallery?from=60*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="Performer 00060")).to_be_focused()
    page.close()


def _press(page: Page, key: str, times: int) -> None:
    for _ in range(times):
        page.keyboard.press(key)
