"""What was decided is shown where it applies, after a reload too, and is taken back there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from db.stores import open_ledger
from function.library.decisions import decide
from function.library.naming import open_naming
from function.settings import Settings
from tests.support.browsers import PATIENCE_MS, PHONE, Open, assert_accessible, assert_fits
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import running_server

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def library(tmp_path: Path) -> MadeUpLibrary:
    """P0 in two videos, in the first of them beside a stranger."""
    made = MadeUpLibrary(tmp_path)
    made.scan("one.mp4", [made.person(0), made.person(None, 10)])
    made.scan("two.mp4", [made.person(0)])
    return made


@pytest.fixture
def server(library: MadeUpLibrary, tmp_path: Path) -> Iterator[str]:
    with running_server(tmp_path / "log", **library.settings()) as address:
        yield address


def say(library: MadeUpLibrary, video: int, kind: str, name: str | None = None) -> int:
    """Decide something of the first person of a video, as a shell does; returns its number."""
    naming = open_naming(library.store, None, Settings(second_encoder="off"))
    with open_ledger(library.ledger_path) as ledger, library.store.gallery() as gallery:
        performer = gallery.find_performer(name) if name else None
        return decide(ledger, naming.gallery, (video, 0), kind, performer)  # type: ignore[arg-type]


def said(library: MadeUpLibrary) -> list[str]:
    with open_ledger(library.ledger_path) as ledger:
        return [decision.kind for _, decision in ledger.latest_decisions()]


def open_video(page: Page, server: str, name: str) -> None:
    page.goto(f"{server}/#library")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("article").first).to_be_visible()


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ("Yes, this is P0", "You said that this is P0."),
        ("Not P0", "You said that this is not P0."),
        ("Ignore this person", "You said that it does not matter who this is."),
    ],
)
def test_what_was_said_of_somebody_in_a_video_is_taken_back_after_a_reload(
    open_page: Open, server: str, library: MadeUpLibrary, button: str, words: str
) -> None:
    page = open_page(server)
    open_video(page, server, "two.mp4")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(1)
    page.reload()
    expect(page.get_by_text(words)).to_be_visible()
    page.get_by_role("button", name=f"Undo: {words}").click()
    expect(page.get_by_text(words)).to_have_count(0)
    expect(page.get_by_role("heading", name="P0 match")).to_be_visible()
    assert said(library) == []


def test_somebody_named_is_a_stranger_again_and_not_enrolled_after_an_undo_and_a_reload(
    open_page: Open, server: str, library: MadeUpLibrary
) -> None:
    page = open_page(server)
    open_video(page, server, "one.mp4")
    page.get_by_role("button", name="Name this person …").click()
    page.get_by_role("combobox").fill("Ada")
    page.get_by_role("option", name="New performer “Ada”").click()
    expect(page.get_by_text("Ada is now in the gallery")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Undo: You named Ada, and enrolled them from here.").click()
    expect(page.get_by_role("heading", name="Ada")).to_have_count(0)
    expect(page.get_by_role("button", name="Name this person …")).to_be_visible()
    with library.store.gallery() as gallery:
        assert len(list(gallery.performers())) == 10
    assert said(library) == []


def test_whoever_was_rejected_is_not_offered_after_a_reload(open_page: Open, server: str) -> None:
    page = open_page(server)
    open_video(page, server, "two.mp4")
    page.get_by_role("button", name="Not P0").click()
    expect(page.get_by_text("Saved: this is not P0.")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Name this person …").click()
    expect(page.get_by_role("option")).to_have_count(7)
    expect(page.get_by_role("option", name=re.compile("P0"))).to_have_count(0)


def test_what_was_said_about_a_performer_is_taken_back_on_their_pages(
    open_page: Open, server: str, library: MadeUpLibrary
) -> None:
    say(library, 1, "rejected", "P0")
    say(library, 2, "confirmed", "P0")
    say(library, 2, "rejected", "P1")
    page = open_page(f"{server}/#performer/1")
    page.get_by_text("What you said about P0 in the library").click()
    rows = page.locator("#performer .said li")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("two.mp4")
    rows.nth(0).get_by_role("button", name="Undo: You said that this is P0.").click()
    expect(rows.nth(0)).to_have_text("Taken back.")
    assert said(library) == ["rejected", "rejected"]
    page.goto(f"{server}/#library/performer=1")
    expect(page.locator("#videos li")).to_have_count(1)
    page.locator("#library summary").click()
    rows = page.locator("#library .said li")
    expect(rows).to_contain_text(["one.mp4"])
    rows.get_by_role("button", name="Undo").click()
    expect(page.locator("#videos li")).to_have_count(2)
    assert said(library) == ["rejected"]


def test_review_lists_what_was_said_before_a_page_at_a_time(
    open_page: Open, server: str, library: MadeUpLibrary
) -> None:
    for _ in range(21):
        say(library, 1, "ignored")
    page = open_page(f"{server}/#review")
    page.get_by_text("What you said before").click()
    rows = page.locator("#review .said li")
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(21)
    rows.nth(20).get_by_role("button", name="Undo").click()
    expect(rows.nth(20)).to_have_text("Taken back.")
    assert len(said(library)) == 20


def test_a_decision_about_nobody_found_now_is_listed_below_the_people(
    open_page: Open, server: str, library: MadeUpLibrary
) -> None:
    say(library, 2, "ignored")
    with library.ledger() as ledger:
        ledger.want_again([2], "deep")
    library.scan("two.mp4", [library.person(5, 50)])
    page = open_page(server)
    open_video(page, server, "two.mp4")
    page.get_by_text("1 decision about nobody who is found here now").click()
    page.get_by_role("button", name="Undo: You said that it does not matter").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    assert said(library) == []


def test_it_fits_a_phone_and_axe_finds_nothing_serious(
    open_page: Open, server: str, library: MadeUpLibrary
) -> None:
    say(library, 1, "rejected", "P0")
    say(library, 1, "confirmed", "P3")
    page = open_page(f"{server}/#review", viewport=PHONE, color_scheme="dark")
    page.get_by_text("What you said before").click()
    expect(page.locator("#review .said li")).to_have_count(2)
    assert_fits(page)
    assert_accessible(page)
    open_video(page, server, "one.mp4")
    expect(page.locator("#video .said li")).to_have_count(2)
    assert_fits(page)
    assert_accessible(page)
