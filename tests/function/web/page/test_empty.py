"""What each view says while there is nothing: what to do, with its button."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from db.sqlite.store import StoredGallery
from function.library.jobs import pause
from tests.support.browsers import PATIENCE_MS, PHONE, Open, assert_accessible, assert_fits
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.scans import make_gallery, write_album
from tests.support.servers import running_server

expect.set_options(timeout=PATIENCE_MS)

MISSING = ("identify", "library", "strangers", "review", "gallery")
DARK_PHONE = {"viewport": PHONE, "color_scheme": "dark"}


@pytest.fixture
def media(tmp_path: Path, page_media: Path) -> Path:
    """A video, and a folder that holds only pictures."""
    folder = tmp_path / "media"
    write_album(folder / "sets" / "one", {"1.png": 1, "2.PNG": 2})
    shutil.copy(page_media / "two.mp4", folder)
    return folder


@pytest.fixture
def places(tmp_path: Path, media: Path) -> dict[str, object]:
    """The settings of a server without a gallery and without a library."""
    return {
        "MEDIA_ROOT": media,
        "PERFORMERS_DB": tmp_path / "g.db",
        "LIBRARY_DB": tmp_path / "l.db",
        "SECOND_ENCODER": "off",
        "SANDBOX": "off",
    }


@pytest.fixture
def server(tmp_path: Path, places: dict[str, object]) -> Iterator[str]:
    with running_server(tmp_path / "log", **places) as address:
        yield address


@pytest.mark.parametrize("view", MISSING)
def test_where_there_is_no_gallery_each_view_makes_one(
    open_page: Open, server: str, view: str, tmp_path: Path
) -> None:
    page = open_page(f"{server}/#{view}")
    create = page.locator(f"#{view}").get_by_role("button", name="Create an empty gallery")
    expect(create).to_have_count(1)
    assert_accessible(page)
    create.click()
    expect(create).to_have_count(0)
    expect(page.get_by_text("There is no gallery")).to_have_count(0)
    expect(page.locator("#status-line")).to_contain_text("0 performers")
    with StoredGallery(tmp_path / "g.db") as gallery:
        assert list(gallery.performers()) == []


def test_a_gallery_that_was_made_meanwhile_is_left_as_it_is(
    open_page: Open, server: str, tmp_path: Path
) -> None:
    page = open_page(f"{server}/#gallery")
    create = page.locator("#gallery").get_by_role("button", name="Create an empty gallery")
    expect(create).to_be_visible()
    make_gallery(tmp_path / "g.db")
    create.click()
    expect(page.get_by_text("g.db is there already")).to_be_visible()
    page.locator("#gallery").get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Nobody is enrolled yet")).to_be_visible()


def test_what_to_do_first_is_said_in_each_view_with_its_button(
    open_page: Open, server: str, tmp_path: Path
) -> None:
    make_gallery(tmp_path / "g.db")
    page = open_page(f"{server}/#strangers", **DARK_PHONE)
    for view in ("strangers", "review"):
        page.goto(f"{server}/#{view}")
        shown = page.locator(f"#{view}")
        expect(shown.get_by_text("Nothing is scanned yet")).to_be_visible()
        assert_fits(page)
        assert_accessible(page)
        shown.get_by_role("link", name="Go to the library").click()
        library = page.locator("#library")
        expect(library.get_by_role("button", name="Scan videos and pictures")).to_be_visible()
        expect(page.get_by_label("Path or name")).to_be_hidden()
        assert_fits(page)
        assert_accessible(page)
    page.goto(f"{server}/#gallery")
    page.get_by_role("button", name="Add a performer").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    assert_fits(page)
    assert_accessible(page)


@pytest.mark.parametrize(
    ("button", "pictures"), [("Scan all videos", False), ("Scan videos and pictures", True)]
)
def test_a_first_scan_is_for_videos_or_for_pictures_too(
    open_page: Open, server: str, tmp_path: Path, button: str, *, pictures: bool
) -> None:
    make_gallery(tmp_path / "g.db")
    page = open_page(f"{server}/#library")
    page.get_by_role("button", name=button).click()
    with page.expect_request("**/library/scan") as asked:
        page.get_by_role("button", name="Do not keep").click()
    assert asked.value.post_data_json == {"pictures": pictures, "strangers": "off"}
    expect(page.get_by_text("Nothing is scanned yet")).to_be_hidden()
    expect(page.locator("#videos li")).to_have_count(2 if pictures else 1)


def test_strangers_that_were_not_kept_are_scanned_again_and_kept(
    open_page: Open, tmp_path: Path
) -> None:
    made = MadeUpLibrary(tmp_path)
    made.scan("a.mp4", [made.person(0)])
    with made.ledger() as ledger:
        ledger.choose("strangers", "off")
    with running_server(tmp_path / "log", **made.settings(), SANDBOX="off") as address:
        page = open_page(f"{address}/#strangers")
        expect(page.get_by_text("Strangers are not kept")).to_be_visible()
        with page.expect_response("**/library/scan") as answer:
            page.get_by_role("button", name="Keep them, and scan again").click()
        assert answer.value.json()["strangers"] == "keep"
        expect(page.locator("#scan-text")).to_contain_text(
            "0 videos scanned, 1 failed"  # it is no video, so it was looked at again
        )


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("scanning", "A scan is under way"),
        ("looking", "A scan is under way"),
        ("waiting", "A scan is waiting"),
        ("idle", "First scan your videos or pictures"),
    ],
)
def test_an_empty_view_says_how_a_scan_stands(
    open_page: Open, server: str, tmp_path: Path, state: str, words: str
) -> None:
    make_gallery(tmp_path / "g.db")
    page = open_page(f"{server}/#library")

    def tell(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"state": state})

    page.route("**/library/status", tell)
    page.goto(f"{server}/#review")
    expect(page.locator("main").get_by_text(words)).to_be_visible()


def paused_in_a_scan(folder: Path) -> MadeUpLibrary:
    """A library in which one video waits; the server leaves the scan to the test."""
    made = MadeUpLibrary(folder)
    made.add_file("waiting.mp4")
    with made.ledger() as ledger:
        ledger.choose("strangers", "keep")
        pause(ledger)
    return made


def test_while_a_scan_is_under_way_views_say_so_and_then_show_whom_it_found(
    open_page: Open, tmp_path: Path
) -> None:
    made = paused_in_a_scan(tmp_path)
    with running_server(tmp_path / "log", **made.settings(), SANDBOX="off") as address:
        strangers, review = (open_page(f"{address}/#{view}") for view in ("strangers", "review"))
        for page in (strangers, review):
            expect(page.locator("main").get_by_text("A scan is paused")).to_be_visible()
        made.scan("done.mp4", [made.person(None)])
        name = strangers.get_by_role("button", name="Name this person")
        expect(name).to_have_count(1)
        expect(review.get_by_text("Nobody is uncertain")).to_be_visible()


NOTE_A_LOOK = """() => {
  const later = window.setTimeout;
  window.setTimeout = (work, ms) =>
    later(() => {
      work();
      if (ms === 2000) document.body.dataset.looked = "yes";
    }, ms);
}"""


def test_an_empty_view_with_the_focus_shows_whom_a_scan_found_once_it_is_left(
    open_page: Open, tmp_path: Path
) -> None:
    made = paused_in_a_scan(tmp_path)
    with running_server(tmp_path / "log", **made.settings(), SANDBOX="off") as address:
        page = open_page(f"{address}/#strangers")
        link = page.locator("#strangers").get_by_role("link", name="Go to the library")
        expect(link).to_be_visible()
        page.evaluate(NOTE_A_LOOK)
        with page.expect_response("**/library/strangers*"):
            pass
        link.focus()
        expect(page.locator("body[data-looked]")).to_have_count(1)
        expect(link).to_be_focused()
        made.scan("done.mp4", [made.person(None)])
        link.blur()
        expect(page.get_by_role("button", name="Name this person")).to_have_count(1)


def test_a_folder_of_pictures_is_opened_and_a_picture_of_it_is_identified(
    open_page: Open, server: str, tmp_path: Path, media: Path, page_media: Path
) -> None:
    make_gallery(tmp_path / "g.db")
    shutil.copy(next(page_media.parent.glob("**/*.jpg"), media / "sets/one/1.png"), media / "sets")
    page = open_page(server)
    page.get_by_role("button", name="sets").click()
    page.get_by_role("button", name="one").click()
    expect(page.locator("#files .photo .name")).to_have_text(["1.png", "2.PNG"])
    page.get_by_role("button", name="1.png").click()
    expect(page.get_by_role("heading", name=re.compile(r"in 1\.png$"))).to_be_visible()


def test_the_head_of_the_page_is_one_line_at_any_width(open_page: Open, server: str) -> None:
    page = open_page(server)
    heights = set()
    for width in (*range(640, 1000, 40), 641, 959, 961, 1280):
        page.set_viewport_size({"width": width, "height": 400})
        place = page.locator("header.top").bounding_box()
        assert place
        if width > 640:  # below, everything is a little smaller
            heights.add(place["height"])
        assert place["height"] < 64, width
        assert_fits(page)
    assert len(heights) == 1
