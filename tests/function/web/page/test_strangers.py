"""Strangers in a real browser: named, asked about, hidden, split, joined, and all of it undone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.support.browsers import PATIENCE_MS, PHONE, Open, assert_accessible, assert_fits
from tests.support.servers import running_server
from tests.support.stranger_libraries import MadeUpLibrary, jpeg

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[MadeUpLibrary]:
    """A man in three videos, a woman in two of them, and a child in one."""
    made = MadeUpLibrary(tmp_path)
    man, woman, child = (made.crowd.person() for _ in range(3))
    made.add_video([made.seen(man), made.seen(woman)], "clip 10")
    made.add_video([made.seen(man), made.seen(woman)], "clip 2")
    made.add_video([made.seen(man), made.seen(child)], "clip 1")
    made.enrol("Grace Hopper", made.crowd.person(), picture=jpeg(5))
    yield made
    made.ledger.close()


@pytest.fixture
def server(library: MadeUpLibrary, tmp_path: Path) -> Iterator[str]:
    settings = {
        "MEDIA_ROOT": "/v",
        "PERFORMERS_DB": tmp_path / "g.db",
        "LIBRARY_DB": library.path,
        "SECOND_ENCODER": "off",
        "STRANGERS": "90d",
    }
    with running_server(tmp_path / "log", **settings) as address:
        yield address


@pytest.fixture
def page(open_page: Open, server: str) -> Page:
    opened = open_page(f"{server}/#strangers")
    expect(cards(opened)).to_have_count(3)
    return opened


def cards(page: Page) -> Locator:
    return page.get_by_role("article")


def headings(page: Page) -> list[str]:
    return cards(page).get_by_role("heading").all_text_contents()


def name(card: Locator, text: str) -> None:
    card.get_by_role("button", name="Name this person").click()
    card.get_by_role("combobox").fill(text)
    expect(card.get_by_role("option").first).to_have_text(f"{text}as typed")
    card.get_by_role("combobox").press("Enter")


def test_those_in_most_videos_come_first_with_their_faces_and_videos(page: Page) -> None:
    assert headings(page) == ["In 3 videos", "In 2 videos", "In 1 video"]
    expect(page.get_by_text("3 strangers, kept for 90 days")).to_be_visible()
    first = cards(page).first
    expect(first.locator("img[src^=blob]")).to_have_count(3)
    first.get_by_text("clip 1.mp4, clip 2.mp4, clip 10.mp4").click()
    expect(first.locator(".seen a")).to_have_text(["clip 1.mp4", "clip 2.mp4", "clip 10.mp4"])
    expect(first.locator(".seen .detail").first).to_have_text("0:00\N{EN DASH}0:29")
    first.get_by_role("link", name="clip 2.mp4").click()
    expect(page.get_by_role("heading", name="clip 2.mp4", level=1)).to_be_visible()
    page.go_back()
    expect(first.locator(".seen a")).to_have_count(3)


def test_a_name_is_filled_in_everywhere_and_taken_back(page: Page) -> None:
    first = cards(page).first
    name(first, "Ada Lovelace")
    expect(first.get_by_role("status")).to_have_text("Ada Lovelace: in 3 videos.")
    expect(first.get_by_role("button", name="Undo")).to_be_focused()
    first.get_by_role("button", name="Undo").click()
    expect(first.get_by_role("button", name="Name this person")).to_be_focused()
    name(first, "Mary")
    expect(first.get_by_role("status")).to_have_text("Mary: in 3 videos.")
    first.get_by_role("link", name="Every video of Mary").click()
    expect(page.locator("#videos li")).to_have_count(3)
    page.get_by_role("link", name="Strangers").click()
    expect(first.get_by_role("status")).to_be_visible()  # nothing else was changed meanwhile
    page.reload()
    expect(cards(page)).to_have_count(2)


def test_it_is_said_how_far_naming_is(page: Page) -> None:
    page.evaluate(
        """() => {
          window.told = [];
          new MutationObserver(() => {
            const said = document.querySelector("article [role=status]")?.textContent;
            if (said && said !== window.told.at(-1)) window.told.push(said);
          }).observe(document.body, { childList: true, subtree: true, characterData: true });
        }"""
    )
    name(cards(page).first, "Ada Lovelace")
    expect(cards(page).first.get_by_role("status")).to_have_text("Ada Lovelace: in 3 videos.")
    assert page.evaluate("window.told") == [
        "Enrolling Ada Lovelace \N{HORIZONTAL ELLIPSIS}",
        "Enrolled. Looking for Ada Lovelace: 0 of 3 videos \N{HORIZONTAL ELLIPSIS}",
        "Ada Lovelace: in 3 videos.",
    ]


def test_what_fails_once_the_name_is_enrolled_is_not_said_to_have_changed_nothing(
    page: Page,
) -> None:
    failed = {"error": {"code": "internal_error", "message": "The disk is full."}}
    lines = "".join(f"{json.dumps(one)}\n" for one in ({"filling": {"done": 2, "of": 3}}, failed))
    page.route("**/library/strangers/name", lambda route: route.fulfill(body=lines))
    name(cards(page).first, "Ada Lovelace")
    said = cards(page).first.get_by_role("alert")
    expect(said).to_contain_text("The disk is full.")
    expect(said).to_contain_text("Enrolled; the rest is filled in later")
    expect(cards(page).first.get_by_role("button", name="Name this person")).to_be_visible()


def test_an_empty_enter_names_nobody_and_neither_does_one_too_many(
    page: Page, library: MadeUpLibrary
) -> None:
    first = cards(page).first
    first.get_by_role("button", name="Name this person").click()
    expect(first.get_by_role("option")).to_have_count(1)  # Grace Hopper is suggested
    sent: list[Request] = []
    page.on("request", lambda one: sent.append(one) if one.method == "POST" else None)
    first.get_by_role("combobox").press("Enter")
    first.get_by_role("combobox").fill("   ")
    first.get_by_role("combobox").press("Enter")
    first.get_by_role("combobox").fill("grace hopper")
    expect(first.get_by_role("option").first).to_have_text("grace hopperas typed")
    assert sent == []
    first.get_by_role("combobox").press("Enter")
    expect(first.get_by_text("Is it the same person?")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert len(sent) == 1
    with library.store.gallery() as gallery:
        assert [one.name for one in gallery.performers()] == ["Grace Hopper"]


def test_a_taken_name_asks_with_both_faces_whether_it_is_the_same_person(
    page: Page, library: MadeUpLibrary
) -> None:
    first, second, _ = cards(page).all()
    name(first, "Grace Hopper")
    question = first.get_by_role("group", name="Is it the same Grace Hopper?")
    expect(question.locator("img[src^=blob]")).to_have_count(2)
    question.get_by_role("button", name="Back").click()
    name(first, "Grace Hopper")
    first.get_by_role("button", name="Yes, the same").click()
    expect(first.get_by_role("status")).to_contain_text("Grace Hopper: in 3 videos")
    name(second, "Grace Hopper")
    second.get_by_role("button", name="No, somebody else of this name").click()
    expect(second.get_by_role("status")).to_have_text("Grace Hopper: in 2 videos.")
    with library.store.gallery() as gallery:
        photos = {one.id: len(gallery.photos(one.id)) for one in gallery.performers()}
    assert len(photos) == 2
    assert photos[1] > 3


def test_a_suggestion_asks_too(page: Page) -> None:
    first = cards(page).first
    first.get_by_role("button", name="Name this person").click()
    first.get_by_role("option").filter(has_text="3 photos").click()
    expect(first.get_by_text("Grace Hopper is enrolled. Is it the same person?")).to_be_visible()


def test_what_is_refused_is_said_on_the_card(page: Page, library: MadeUpLibrary) -> None:
    with library.store.changing() as gallery:
        gallery.forget(gallery.find_performer("Grace Hopper"))
    first = cards(page).first
    name(first, "Grace Hopper")
    expect(first.get_by_role("alert")).to_contain_text("forgotten")
    first.get_by_role("button", name="Back").click()
    name(first, "Ada")
    expect(first.get_by_role("alert")).to_have_count(0)


def test_the_ignored_have_a_list_of_their_own(page: Page) -> None:
    first = cards(page).first
    first.get_by_role("button", name="Ignore").click()
    expect(first.get_by_role("status")).to_have_text("Ignored: not listed from now on.")
    first.get_by_role("button", name="Undo").click()
    first.get_by_role("button", name="Ignore").click()
    expect(first.get_by_role("button", name="Undo")).to_be_focused()
    page.get_by_role("link", name="Ignored").click()
    expect(cards(page)).to_have_count(1)
    assert headings(page) == ["In 3 videos"]
    cards(page).first.get_by_role("button", name="List again").click()
    expect(cards(page).first.get_by_role("status")).to_have_text("Listed again.")
    page.get_by_role("link", name="All", exact=True).click()
    expect(cards(page)).to_have_count(3)


def test_a_video_is_taken_out_and_put_back(page: Page) -> None:
    first = cards(page).first
    first.get_by_text("clip 1.mp4, clip 2.mp4").click()
    first.get_by_role("button", name="take clip 2.mp4 out").click()
    expect(first.get_by_role("status")).to_contain_text("clip 2.mp4 shows somebody else")
    first.get_by_role("button", name="Undo").click()
    expect(first.get_by_role("button", name="take clip 2.mp4 out")).to_be_focused()
    first.get_by_role("button", name="take clip 2.mp4 out").click()
    first.get_by_role("link", name="Show them").click()
    expect(cards(page)).to_have_count(1)
    assert headings(page) == ["In 1 video"]
    page.get_by_role("link", name="All", exact=True).click()
    expect(cards(page)).to_have_count(4)


def test_two_are_joined_and_parted_again(page: Page) -> None:
    first, second, third = cards(page).all()
    second.get_by_role("button", name="The same person as another").click()
    expect(page.get_by_role("status").filter(has_text="It is this one")).to_be_visible()
    expect(second.get_by_role("button", name="It is this one")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(first.get_by_role("button", name="It is this one")).to_be_hidden()
    expect(second.get_by_role("button", name="The same person as another")).to_be_focused()
    second.get_by_role("button", name="The same person as another").click()
    third.get_by_role("button", name="It is this one").click()
    expect(third.get_by_role("status")).to_have_text("Joined: both are one stranger now.")
    expect(second.get_by_role("heading")).to_have_text("In 3 videos")
    third.get_by_role("button", name="Undo").click()
    expect(second.get_by_role("heading")).to_have_text("In 2 videos")
    expect(third.get_by_role("heading")).to_have_text("In 1 video")
    page.reload()
    expect(cards(page)).to_have_count(3)


def test_a_name_is_taken_back_on_the_page_of_the_performer(page: Page) -> None:
    first = cards(page).first
    name(first, "Ada Lovelace")
    expect(first.get_by_role("button", name="Undo")).to_be_visible()
    page.get_by_role("link", name="Gallery").click()
    page.locator("#grid").get_by_role("link", name="Ada Lovelace").click()
    page.get_by_role("button", name="Take back what was named in the library").click()
    page.get_by_role("button", name="Take back", exact=True).click()
    expect(cards(page).get_by_role("heading")).to_have_text(
        ["In 3 videos", "In 2 videos", "In 1 video"]
    )
    expect(cards(page).first.get_by_role("button", name="Name this person")).to_be_visible()


def test_a_list_that_cannot_be_read_says_so_and_is_tried_again(page: Page) -> None:
    page.route("**/library/strangers?*", lambda route: route.abort())
    page.get_by_role("link", name="Ignored").click()
    expect(page.get_by_text("The strangers cannot be shown")).to_be_visible()
    page.unroute("**/library/strangers?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Nobody is ignored")).to_be_visible()


def test_more_are_asked_for_as_one_scrolls_and_pictures_as_they_come_near(
    open_page: Open, server: str, library: MadeUpLibrary
) -> None:
    for number in range(90):
        library.add_video([library.seen(library.crowd.person())], f"x{number}")
    page = open_page(f"{server}/#library")
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one))  # noqa: PLW0108  # playwright wants a function
    page.get_by_role("link", name="Strangers").click()
    expect(cards(page)).to_have_count(60)
    expect(page.locator("#strangers-found")).to_have_text(re.compile(r"[6-9]. strangers, kept"))
    expect(cards(page).first.locator("img[src^=blob]").first).to_be_visible()
    assert sum("/library/face" in one.url for one in asked) < 20
    page.keyboard.press("End")
    page.mouse.wheel(0, 100_000)
    expect(page.locator("#strangers-list > *")).to_have_count(2)
    expect(cards(page).last.get_by_role("heading")).to_have_text("In 1 video")


def test_the_page_says_when_faces_are_still_being_put_together(page: Page) -> None:
    told = {"strangers": [], "next": None, "total": 0, "kept": "keep", "stale": False}

    def answer(route: Route) -> None:
        route.fulfill(json=told | {"ungrouped": 900})

    page.route("**/library/strangers?*", answer, times=1)
    page.get_by_role("link", name="Ignored").click()
    expect(page.get_by_text("900 more faces still being put together")).to_be_visible()
    expect(page.get_by_text("Nobody is ignored")).to_be_visible()  # asked again by itself


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_axe_finds_nothing_serious(
    open_page: Open, server: str, scheme: str
) -> None:
    look = {"viewport": PHONE, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = open_page(f"{server}/#strangers", has_touch=True, **look)
    expect(cards(page)).to_have_count(3)
    first, second, third = cards(page).all()
    first.locator("summary").tap()
    expect(first.locator(".seen a")).to_have_count(3)
    first.get_by_role("button", name="take clip 2.mp4 out").tap()
    name(first, "Grace Hopper")
    expect(first.get_by_role("button", name="Yes, the same")).to_be_visible()
    second.get_by_role("button", name="The same person").tap()
    third.get_by_role("button", name="Ignore").tap()
    expect(third.get_by_role("button", name="Undo")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
