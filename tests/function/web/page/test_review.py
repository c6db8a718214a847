"""Review in a real browser: by keys, by mouse, on a phone, with undo."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from db.videos import Outcome
from function.web.library import review
from tests.support.browsers import PATIENCE_MS, PHONE, Open, assert_accessible, assert_fits
from tests.support.servers import running_server
from tests.support.stranger_libraries import MadeUpLibrary, jpeg

expect.set_options(timeout=PATIENCE_MS)

VIDEOS = 4

LATER_MS = 300
"""About how long after an answer the list of what was said is filled."""

LIKENESS = 0.84
"""Who is so far from somebody enrolled towards somebody else is uncertain: 60 to 80 %."""


class Made(MadeUpLibrary):
    """Somebody uncertain in each of some videos, all of them perhaps Grace Hopper."""

    def __init__(self, folder: Path, videos: int = VIDEOS) -> None:
        super().__init__(folder)
        person, other = self.crowd.person(), self.crowd.person()
        self.enrol("Grace Hopper", person, picture=jpeg(5))
        for number in range(1, videos + 1):
            self.add_video([self.seen(person + LIKENESS * (other - person))], f"clip {number}")

    def served(self) -> dict[str, object]:
        return {
            "MEDIA_ROOT": "/v",
            "PERFORMERS_DB": self.path.with_name("g.db"),
            "LIBRARY_DB": self.path,
            "SECOND_ENCODER": "off",
        }

    def said(self) -> list[str]:
        """What was decided in each video."""
        outcomes = self.ledger.outcomes([one.id for one in self.ledger.iterate()])
        return [one.decided for found in outcomes.values() for one in found if _leads(one)]


def _leads(one: Outcome) -> bool:
    return one.lead == one.position


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Made]:
    made = Made(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def server(library: Made, tmp_path: Path) -> Iterator[str]:
    with running_server(tmp_path / "log", **library.served()) as address:
        yield address


@pytest.fixture
def page(open_page: Open, server: str) -> Page:
    opened = open_page(f"{server}/#review")
    expect_place(opened, 1)
    return opened


def expect_place(page: Page, number: int) -> None:
    expect(page.locator("#review-text")).to_have_text(f"{number} of {VIDEOS}")
    expect(page.get_by_role("link", name=f"clip {number}.mp4")).to_be_visible()


def test_one_is_shown_at_a_time_beside_the_enrolled_face(page: Page) -> None:
    card = page.get_by_role("article")
    expect(card).to_have_count(1)
    expect(card.get_by_role("heading")).to_have_text("Is this Grace Hopper?")
    expect(card.locator("img[src^=blob]")).to_have_count(2)
    expect(card.get_by_text(re.compile(r"[5-8]\d\.\d %"))).to_be_visible()
    card.get_by_role("link", name="clip 1.mp4").click()
    expect(page.get_by_role("heading", name="clip 1.mp4", level=1)).to_be_visible()
    page.go_back()
    expect_place(page, 1)


def test_keys_answer_and_take_back(page: Page, library: Made) -> None:
    page.keyboard.press("y")
    expect_place(page, 2)
    page.keyboard.press("n")
    expect_place(page, 3)
    page.keyboard.press("s")
    expect_place(page, 4)
    page.keyboard.press("i")
    expect(page.get_by_text("1 yes, 1 no, 1 of no interest, 1 skipped")).to_be_visible()
    page.keyboard.press("u")
    expect_place(page, 4)
    page.keyboard.press("u")
    expect_place(page, 3)
    page.keyboard.press("u")
    expect_place(page, 2)
    page.keyboard.press("y")
    expect_place(page, 3)
    page.keyboard.press("s")
    page.keyboard.press("s")
    page.get_by_role("button", name="Look again").click()
    expect(page.locator("#review-text")).to_have_text("1 of 2")
    assert library.said() == ["confirmed", "confirmed", "", ""]


def test_a_folded_list_of_what_was_said_shows_what_is_said_meanwhile_once_it_is_opened(
    page: Page,
) -> None:
    page.keyboard.press("y")
    said = page.locator("#review .said li")
    expect(said).to_have_count(1)
    with page.expect_response("**/library/decide"):
        page.keyboard.press("n")
    page.wait_for_timeout(2 * LATER_MS)  # so that it is folded when it would be filled
    summary = page.get_by_text("What you said before")
    summary.press("Enter")
    expect(said).to_have_count(2)
    expect(summary).to_be_focused()
    page.keyboard.press("u")
    expect(said).to_have_count(1)


def test_keys_mean_nothing_elsewhere_or_with_ctrl(page: Page, library: Made) -> None:
    page.keyboard.press("Control+y")
    page.get_by_role("link", name="Gallery").click()
    page.get_by_label("Search by name").fill("")
    page.get_by_label("Search by name").press("y")
    page.locator("h1:visible").click()
    page.keyboard.press("y")
    page.get_by_role("link", name="Review").click()
    expect_place(page, 1)
    assert library.said() == [""] * VIDEOS


def test_answers_are_given_by_mouse_and_the_button_keeps_the_focus(
    page: Page, library: Made
) -> None:
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.get_by_role("button", name="Yes").click()
    expect_place(page, 2)
    expect(page.get_by_role("button", name="Yes")).to_be_focused()
    page.get_by_role("button", name="No", exact=True).click()
    expect_place(page, 3)
    page.get_by_role("button", name="Undo").click()
    expect_place(page, 2)
    page.get_by_role("button", name="Of no interest").click()
    expect_place(page, 3)
    page.get_by_role("link", name="Library").click()
    expect(page.locator("#videos li").first).to_contain_text("Grace Hopper")
    assert library.said() == ["confirmed", "ignored", "", ""]


def test_quick_answers_are_all_stored_in_their_order(page: Page, library: Made) -> None:
    page.keyboard.type("ynyuun")
    expect_place(page, 3)
    page.get_by_role("link", name="Library").click()
    expect(page.locator("#videos li").first).to_contain_text("Grace Hopper")
    page.get_by_role("link", name="Review").click()
    expect_place(page, 3)
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    page.reload()
    expect(page.locator("#review-text")).to_have_text("1 of 2")
    assert library.said() == ["confirmed", "rejected", "", ""]


@pytest.mark.parametrize(
    ("view", "asked"),
    [
        ("library", "/library/overview"),
        ("video/0000000000000001", "/library/video"),
        ("performer/1", "/gallery/performer"),
        ("strangers", "/library/strangers"),
    ],
)
def test_whatever_is_looked_at_next_waits_until_answers_are_stored(
    page: Page, library: Made, view: str, asked: str
) -> None:
    told: list[str] = []
    held: list[Route] = []
    page.on("request", lambda one: told.append(urlsplit(one.url).path))
    page.on("requestfinished", lambda one: told.append(f"{urlsplit(one.url).path} done"))

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/library/decide", hold_the_first)
    with page.expect_request("**/library/decide"):
        page.keyboard.press("y")
    page.keyboard.press("n")  # waits for the first to be stored
    page.goto(f"{page.url.partition('#')[0]}#{view}")
    expect(page.locator("#review")).to_be_hidden()
    with page.expect_response(lambda one: urlsplit(one.url).path == asked):
        held[0].continue_()
    stored = [at for at, one in enumerate(told) if one == "/library/decide done"]
    assert len(stored) == 2
    assert max(stored) < told.index(asked)
    assert library.said() == ["confirmed", "rejected", "", ""]


def test_what_was_not_stored_is_said_and_comes_again(page: Page, library: Made) -> None:
    with closing(sqlite3.connect(library.path)) as raw, raw:
        raw.execute("UPDATE videos SET scanned_at = '2020-01-01T00:00:00Z' WHERE id = 1")
    page.keyboard.press("y")
    alert = page.get_by_role("alert").filter(has_text="Nothing was stored for clip 1.mp4")
    expect(alert).to_contain_text("scanned again")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.keyboard.type("yyy")
    page.get_by_role("button", name="Look again").click()
    expect(page.locator("#review-text")).to_have_text("1 of 1")
    page.keyboard.press("y")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("Nobody is uncertain")).to_be_visible()
    assert library.said() == ["confirmed"] * VIDEOS


def test_the_next_are_asked_for_before_the_end_is_reached(open_page: Open, tmp_path: Path) -> None:
    count = review.PAGE_SIZE + 3
    made = Made(tmp_path, count)
    with made.ledger, running_server(tmp_path / "log", **made.served()) as address:
        page = open_page(f"{address}/#review")
        for number in range(1, count + 1):
            expect(page.locator("#review-text")).to_have_text(f"{number} of {count}")
            page.keyboard.press("s")
        expect(page.get_by_text("That was everyone")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_axe_finds_nothing_serious(
    open_page: Open, server: str, scheme: str
) -> None:
    look = {"viewport": PHONE, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = open_page(f"{server}/#review", has_touch=True, **look)
    expect_place(page, 1)
    expect(page.get_by_role("article").locator("img[src^=blob]")).to_have_count(2)
    for button in ("Yes", "No", "Skip", "Undo"):
        expect(page.get_by_role("button", name=button, exact=True)).to_be_in_viewport()
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role("button", name="Yes").tap()
    expect_place(page, 2)
    assert urlsplit(page.url).fragment == "review"
