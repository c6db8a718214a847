"""The page's albums in a real browser: in the list, picture by picture, and for review."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from db.stores import open_ledger, open_store
from function.library.naming import open_naming
from function.library.rematching import rematch
from function.settings import Settings
from tests.support.browsers import PATIENCE_MS, PHONE, Open, assert_accessible, assert_fits
from tests.support.scans import (
    enrol,
    make_gallery,
    make_scanner,
    offer_all,
    write_album,
    write_squares,
)
from tests.support.servers import running_server

expect.set_options(timeout=PATIENCE_MS)

ADA, BOB = 101, 202


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose library holds a film, and an album: Ada on pictures 1 and 4, 3 is broken."""
    folder = tmp_path_factory.mktemp("albums")
    media, gallery = folder / "media", make_gallery(folder / "g.db")
    write_album(media / "set", {"1.png": ADA, "2.png": BOB, "10.png": ADA})
    (media / "set" / "3.jpg").write_bytes(b"no picture")
    write_squares(media / "film.mp4", BOB)
    with open_ledger(folder / "l.db") as ledger:
        offer_all(ledger, media, pictures=True)
        list(make_scanner(ledger, gallery).scan_all())
        (album,) = (one.id for one in ledger.iterate() if one.kind == "album")
        ada = next(one for one in ledger.sightings([album])[album] if len(one.person.seen) == 2)
        enrol(gallery, "Ada", ada.person.views[0].encodings[0])
        settings = Settings(second_encoder="off")
        list(rematch(ledger, open_naming(open_store(gallery), None, settings)))
    places = {"MEDIA_ROOT": media, "PERFORMERS_DB": gallery, "LIBRARY_DB": folder / "l.db"}
    with running_server(Path(folder / "log"), **places, STRANGERS="keep") as address:
        yield address


def test_albums_are_listed_beside_videos_and_can_be_chosen(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library")
    expect(page.locator("#videos li")).to_have_count(2)
    expect(page.get_by_text("4 pictures")).to_be_visible()
    page.get_by_label("Kind").select_option("album")
    expect(page.locator("#videos .path")).to_have_text(["set"])
    assert page.url.endswith("#library/kind=album")
    page.reload()
    expect(page.locator("#videos .path")).to_have_text(["set"])
    expect(page.get_by_text("Ada: check")).to_be_visible()


def test_an_album_shows_its_pictures_with_the_faces_framed(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library/kind=album")
    page.get_by_role("link", name="set").click()
    expect(page.get_by_role("heading", name="set", level=1)).to_be_visible()
    expect(page.get_by_role("article").first).to_contain_text("on 2 pictures")
    pictures = page.locator(".album li")
    expect(pictures).to_have_count(4)
    expect(pictures.nth(0)).to_contain_text("1. Ada")
    expect(pictures.nth(2)).to_contain_text("3. unreadable")
    pictures.nth(3).scroll_into_view_if_needed()
    image = pictures.nth(3).get_by_role("img", name="Picture 4")
    expect(image).to_have_js_property("naturalWidth", 64)
    frame = pictures.nth(3).locator(".frame")
    expect(frame).to_have_count(1)
    seen, around = image.bounding_box(), frame.bounding_box()
    assert seen
    assert around
    assert around["width"] == pytest.approx(seen["width"], abs=6)
    assert_accessible(page)


def test_a_picture_of_somebody_is_shown_when_it_is_chosen(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library/kind=album")
    page.get_by_role("link", name="set").click()
    page.get_by_role("button", name="picture 4").click()
    expect(page.locator('[data-picture="4"]')).to_be_focused()
    page.goto(f"{server}/#library")
    page.get_by_label("Performer").select_option(label="Ada (1)")
    page.get_by_role("link", name="Show picture 4").click()
    expect(page.locator('[data-picture="4"]')).to_be_focused()


def test_an_album_fits_a_phone_in_the_dark(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library/kind=album", viewport=PHONE, color_scheme="dark")
    page.get_by_role("link", name="set").click()
    expect(page.locator(".album li")).to_have_count(4)
    assert_fits(page)
    assert_accessible(page)


def test_whoever_is_in_an_album_is_reviewed_and_then_confirmed(
    open_page: Open, server: str
) -> None:
    page = open_page(f"{server}/#review")
    expect(page.get_by_role("heading", name="Is this Ada?")).to_be_visible()
    expect(page.get_by_text("In the album")).to_be_visible()
    expect(page.get_by_text("picture 1, picture 4")).to_be_visible()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/library/decide", hold)
    with page.expect_request("**/library/decide"):
        page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("That was everyone")).to_be_visible()
    page.goto(f"{server}/#library/verdict=match")
    expect(page.get_by_role("heading", name="Library", exact=True)).to_be_visible()
    page.wait_for_timeout(1000)  # a list that does not wait is shown by then
    held[0].continue_()
    expect(page.locator("#videos .path")).to_have_text(["set"])
    page.goto(f"{server}/#review")


def test_albums_are_counted_as_albums(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library/kind=album")
    expect(page.locator("#scan-text")).to_have_text("1 video and 1 album scanned.")
    expect(page.get_by_text("1 of 1 video and 1 album")).to_be_visible()
    expect(page.get_by_role("list", name="1 to 1 of 1 album")).to_be_visible()
    page.goto(f"{server}/#strangers")
    headings = page.locator("#strangers-list h2")
    expect(headings).to_have_text(["In 1 video and 1 album"])


def test_hundreds_of_pictures_cost_no_more_than_those_in_view(
    open_page: Open, tmp_path: Path
) -> None:
    media, gallery = tmp_path / "media", make_gallery(tmp_path / "g.db")
    some = {f"{number}.png": ADA for number in (1, 250)}
    write_album(media / "long", {f"{number}.png": BOB for number in range(1, 301)} | some)
    with open_ledger(tmp_path / "l.db") as ledger:
        offer_all(ledger, media, pictures=True)
        list(make_scanner(ledger, gallery).scan_all())
    places = {"MEDIA_ROOT": media, "PERFORMERS_DB": gallery, "LIBRARY_DB": tmp_path / "l.db"}
    with running_server(tmp_path / "log", **places) as address:
        for look in ({}, {"viewport": PHONE, "color_scheme": "dark"}):
            page = open_page(f"{address}/#library", **look)
            page.get_by_role("link", name="long").click()
            expect(page.get_by_role("heading", name="300 pictures")).to_be_visible()
            card = page.get_by_role("article").filter(has_text="on 298 pictures")
            expect(card.locator(".on-pictures button")).to_have_count(13)
            assert page.locator(".album li").count() < 150
            card.get_by_role("button", name="and 286 more").click()
            expect(card.locator(".on-pictures button")).to_have_count(298)
            card.get_by_role("button", name="picture 251").click()
            expect(page.locator('[data-picture="251"]')).to_be_focused()
            expect(page.locator('[data-picture="251"]')).to_be_in_viewport()
            image = page.get_by_role("img", name="Picture 251", exact=True)
            expect(image).to_have_js_property("naturalWidth", 64)
            assert_fits(page)
            assert_accessible(page)
            page.keyboard.press("End")
            expect(page.locator('[data-picture="300"]')).to_be_in_viewport()


def test_only_pictures_with_somebody_on_them_can_be_listed(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library/kind=album")
    page.get_by_role("link", name="set").click()
    page.get_by_role("button", name="With somebody on them 3").click()
    expect(page.locator(".album li")).to_have_count(3)
    expect(page.get_by_text("unreadable")).to_have_count(0)
    page.get_by_role("button", name="All 4").click()
    expect(page.locator(".album li")).to_have_count(4)


def test_what_a_shell_lists_of_an_album_are_pictures(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library/kind=album")
    page.get_by_role("link", name="set").click()
    card = page.get_by_role("article").filter(has_text="on 2 pictures")
    card.get_by_role("button", name="Ignore this person").click()
    expect(page.get_by_text("Saved: it does not matter who this is.")).to_be_visible()
    page.reload()
    said = "You said that it does not matter who this is."
    expect(page.get_by_text(said)).to_be_visible()
    page.goto(f"{server}/#review")
    page.get_by_text("What you said before").click()
    expect(page.locator("#review .said li").first).to_contain_text("picture 1, picture 4")
    page.get_by_role("button", name=f"Undo: {said}").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()


def test_a_scan_for_pictures_is_asked_for_by_a_box(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library")
    page.get_by_label("pictures too").check()
    with page.expect_request("**/library/scan") as asked:
        page.get_by_role("button", name="Scan for new videos").click()
    assert asked.value.post_data_json == {"pictures": True}
