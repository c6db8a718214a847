"""The page in a real browser, on a real server."""

import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.support.browsers import (
    PHONE,
    Open,
    assert_accessible,
    assert_fits,
)
from tests.support.identifying import identify
from tests.support.servers import running_server

HOSTILE = "<img src=x onerror=hacked()>"
SETTLED_MS = 1_000
CONNECTIONS_OF_A_BROWSER = 6


def test_a_video_is_chosen_and_the_people_in_it_are_shown(open_shared: Open) -> None:
    page = open_shared()
    page.evaluate(
        """() => {
          window.seen = [];
          const bar = document.getElementById("bar");
          const note = (changes) => window.seen.push(
            ...changes.map((one) => Number(one.oldValue)), bar.value);
          const watched = {attributes: true, attributeFilter: ["value"], attributeOldValue: true};
          new MutationObserver(note).observe(bar, watched);
        }"""
    )
    page.get_by_role("button", name="two.mp4").click()
    expect(page.get_by_role("heading", name="2 people in two.mp4")).to_be_visible()
    moved = page.evaluate("window.seen.filter((value) => value > 0)")
    assert len(set(moved)) > 3
    assert moved == sorted(moved)
    assert moved[-1] == page.evaluate("document.getElementById('bar').max")
    known, stranger = page.get_by_role("article").all()
    expect(known.get_by_role("heading")).to_have_text("Barack Obama match")
    meter = known.get_by_role("meter", name="Probability that this is Barack Obama")
    assert 50 < float(meter.get_attribute("aria-valuenow") or 0) <= 100
    expect(known.get_by_role("img", name="Enrolled face of Barack Obama")).to_be_visible()
    expect(known.get_by_role("link")).to_have_attribute("href", "https://example.org/obama")
    expect(stranger.get_by_role("heading")).to_contain_text("Unknown")
    expect(stranger.get_by_role("button", name="Name this person …")).to_be_visible()


def test_cancel_ends_the_work_on_the_server_too(open_shared: Open, shared_server: str) -> None:
    page = open_shared()
    page.get_by_role("button", name="endless.mp4").click()
    expect(page.locator("#progress-text")).to_contain_text("of 1:00:00")
    page.get_by_role("button", name="Cancel").click()
    cancelled = time.monotonic()
    expect(page.get_by_text("The server has stopped working")).to_be_visible()
    # The only slot is free again long before the video would have been seen to its end.
    while not _has_free_slot(shared_server):
        assert time.monotonic() - cancelled < 4
        time.sleep(0.1)
    identify(page, "cat.mp4")
    expect(page.get_by_text("No face found")).to_be_visible()


def test_a_second_video_waits_in_line_and_closing_the_page_gives_the_place_back(
    open_shared: Open, shared_server: str
) -> None:
    first, second, third = open_shared(), open_shared(), open_shared()
    first.get_by_role("button", name="endless.mp4").click()
    expect(first.locator("#progress-text")).to_contain_text("of 1:00:00")
    second.get_by_role("button", name="endless.mp4").click()
    expect(second.locator("#progress-text")).to_contain_text("Waiting in line: another video")
    third.get_by_role("button", name="cat.mp4").click()
    expect(third.locator("#progress-text")).to_contain_text("and 1 other before this one")
    second.close()
    expect(third.locator("#progress-text")).to_have_text(
        "Waiting in line: another video is being searched. Cancel leaves the line."
    )
    first.get_by_role("button", name="Cancel").click()
    expect(third.get_by_text("No face found")).to_be_visible()
    assert _has_free_slot(shared_server)
    border = "getComputedStyle(document.querySelector('#trouble .notice')).borderLeftColor"
    accent = "getComputedStyle(document.querySelector('button.primary')).backgroundColor"
    assert first.evaluate(border) == first.evaluate(accent)


def _has_free_slot(shared_server: str) -> bool:
    try:
        urllib.request.urlopen(f"{shared_server}/?path=cat.mp4").close()
    except urllib.error.HTTPError as error:
        if error.code != 429:
            raise
        return False
    return True


def test_a_click_on_the_timeline_plays_that_moment(open_shared: Open) -> None:
    page = open_shared()
    identify(page)
    stranger = page.get_by_role("article").nth(1)
    stranger.get_by_role("button", name="Play from 0:0").click()
    page.wait_for_function("() => document.querySelector('video')?.currentTime > 1.8")
    page.get_by_role("article").first.get_by_role("button", name="Play from 0:00").click()
    page.wait_for_function("() => document.querySelector('video').currentTime < 1.8")
    assert page.evaluate("document.querySelector('video').error") is None
    page.get_by_role("button", name="Close the video").click()
    expect(page.locator("video")).to_have_count(0)


def test_a_video_the_browser_cannot_play_shows_the_picture_of_the_moment(open_shared: Open) -> None:
    page = open_shared()
    identify(page, "old.avi")
    page.get_by_role("button", name="Play from 0:00").click()
    words = "This browser cannot play old.avi. This is the picture at 0:00."
    expect(page.get_by_text(words)).to_be_visible()
    picture = page.get_by_role("img", name="The picture at 0:00")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [640, 480]
    assert picture.evaluate("image => image.clientWidth") > 400


def test_where_that_picture_cannot_be_had_the_best_face_is_shown(open_shared: Open) -> None:
    page = open_shared()
    identify(page, "old.avi")
    page.route("**/frame?*", lambda route: route.fulfill(status=429, json={"error": {}}))
    page.get_by_role("button", name="Play from 0:00").click()
    expect(page.get_by_text("its picture cannot be shown now")).to_be_visible()
    face = page.get_by_role("img", name="Best face")
    expect(face).to_be_visible()
    assert face.evaluate("image => image.naturalWidth") > 0


def test_a_picture_that_is_identified_has_no_times(open_shared: Open) -> None:
    page = open_shared()
    identify(page, ".hidden/biden.jpg")
    card = page.get_by_role("article")
    expect(card.locator("figcaption").first).to_have_text("In the picture")
    expect(card).to_contain_text("1 face")
    expect(card.locator(".timeline")).to_have_count(0)
    identify(page)
    expect(page.locator(".timeline").first).to_be_visible()


def test_a_photo_that_must_wait_too_long_says_so(open_shared: Open, photos: Path) -> None:
    page = open_shared("#gallery")
    busy = {"error": {"code": "busy", "message": "Another picture is being processed."}}
    page.route("**/gallery/photos?*", lambda route: route.fulfill(status=429, json=busy))
    page.get_by_text("Add a performer").click()
    page.get_by_label("Name", exact=True).fill("Joe Biden")
    page.get_by_label("Photos, each with one face").set_input_files(photos / "biden.jpg")
    expect(page.get_by_text("biden.jpg: Another picture is being processed.")).to_be_visible()


def test_a_performer_that_cannot_be_shown_after_a_photo_says_so_and_no_more(
    open_shared: Open, photos: Path
) -> None:
    page = open_shared("#gallery")
    page.get_by_role("link", name="Grace Hopper").click()
    drop = page.locator("#performer").get_by_label("Photos, each with one face")
    expect(drop).to_be_attached()
    page.route("**/gallery/p*", lambda route: route.abort())
    drop.set_input_files(photos / "biden.jpg")
    expect(page.get_by_text("This performer cannot be shown")).to_be_visible()
    expect(page.locator("#lamp")).to_have_class("lamp good")


def test_an_address_that_names_no_view_shows_the_first(open_shared: Open) -> None:
    page = open_shared("#constructor/1")
    expect(page.get_by_role("heading", name="Choose a video")).to_be_visible()
    expect(page).to_have_title("Identify a video · Who is in this video?")


def test_a_media_folder_without_videos_is_named_on_the_page(
    browser: Browser, gallery: Path, tmp_path: Path
) -> None:
    media = tmp_path / "wrong"
    media.mkdir()
    settings = {"MEDIA_ROOT": media, "PERFORMERS_DB": gallery}
    with running_server(tmp_path / "log", **settings) as address:
        page = browser.new_page()
        page.goto(address)
        expect(page.get_by_text(f"There is no video in {media}.")).to_be_visible()
        expect(page.locator("#lamp")).to_have_class("lamp bad")
        (media / "empty.mp4").touch()
        (media / "small.mp4").write_bytes(bytes(1500))
        page.reload()
        expect(page.locator(".files button")).to_have_text(["empty.mp4empty", "small.mp42 kB"])
        expect(page.get_by_text("There is no video in")).to_have_count(0)
        page.close()


def test_the_keyboard_alone_does_it_all(open_shared: Open) -> None:
    page = open_shared()
    expect(page.get_by_role("button", name="two.mp4")).to_be_visible()
    keys = page.keyboard
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keys.press("Enter")
    keys.press("Tab")
    expect(page.get_by_label("Video or picture, inside the media folder")).to_be_focused()
    keys.type("two.mp4")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="2 people in two.mp4")).to_be_focused()
    keys.press("Tab")
    expect(page.get_by_role("link", name="example.org")).to_be_focused()
    keys.press("Tab")
    expect(page.get_by_role("button", name="Play from 0:00")).to_be_focused()
    keys.press("Enter")
    page.wait_for_function("() => document.querySelector('video')?.currentTime > 0")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_text("Saved as Barack Obama")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("button", name="Yes, this is Barack Obama")).to_be_focused()


def test_nothing_is_wider_than_a_phone_and_everything_can_be_touched(open_shared: Open) -> None:
    page = open_shared(viewport=PHONE, has_touch=True)
    identify(page)
    assert_fits(page)
    page.get_by_role("link", name="Gallery").tap()
    expect(page.locator("#grid li")).to_have_count(2)
    assert_fits(page)
    page.get_by_role("link", name="Barack Obama").tap()
    expect(page.locator(".photos li")).to_have_count(2)
    assert_fits(page)


def test_names_and_paths_are_text_whatever_they_hold(open_shared: Open, gallery: Path) -> None:
    with closing(sqlite3.connect(gallery)) as raw, raw:
        raw.execute(
            "UPDATE performers SET name = ?, disambiguation = ?, urls = ? WHERE id = 1",
            (HOSTILE, HOSTILE, '["javascript:hacked()", "https://example.org/<b>"]'),
        )
        raw.execute("UPDATE encodings SET origin = ?", (HOSTILE,))
    page = open_shared()
    page.evaluate("() => { window.hacked = () => (window.wasHacked = true); }")
    page.get_by_role("button", name="sub").click()
    expect(page.get_by_role("button", name=f"{HOSTILE}.mp4")).to_be_visible()
    identify(page)
    expect(page.get_by_role("article").first.get_by_role("heading")).to_contain_text(HOSTILE)
    assert page.get_by_role("article").first.get_by_role("link").count() == 1
    page.get_by_role("link", name="Gallery").click()
    page.get_by_role("link", name=HOSTILE).click()
    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    expect(page.locator("#performer").get_by_role("link", name="example.org")).to_be_visible()
    assert page.locator("a[href^=javascript]").count() == 0
    assert page.evaluate("() => 'wasHacked' in window") is False
    assert page.locator("img[src=x]").count() == 0


def test_a_button_under_the_pointer_does_not_look_disabled(open_shared: Open) -> None:
    button = open_shared(color_scheme="dark").get_by_role("button", name="Identify")
    button.hover()
    expect(button).to_have_css("border-color", "rgb(141, 178, 255)")
    expect(button).to_have_css("opacity", "1")
    expect(button).to_have_css("cursor", "pointer")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_shared: Open, scheme: str) -> None:
    page = open_shared(color_scheme=scheme, reduced_motion="reduce")
    identify(page)
    page.get_by_role("button", name="Yes, this is Barack Obama").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.get_by_role("button", name="Name this person …").click()
    expect(page.get_by_role("option").first).to_be_visible()
    page.locator("#status summary").click()
    expect(page.get_by_text("Integrity: ")).to_be_visible()
    assert_accessible(page)
    page.locator("#status summary").click()
    page.get_by_role("link", name="Gallery").click()
    page.get_by_text("Add a performer").click()
    expect(page.locator("#grid li")).to_have_count(2)
    assert_accessible(page)
    page.get_by_role("link", name="Barack Obama").click()
    expect(page.locator(".photos li").first).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Forget Barack Obama …").click()
    assert_accessible(page)


def test_the_first_view_is_small_and_asks_for_everything_at_once(
    open_shared: Open, shared_server: str
) -> None:
    page = open_shared()
    expect(page.get_by_role("button", name="two.mp4")).to_be_visible()
    fetched = page.evaluate(
        """performance.getEntriesByType("resource").map((one) =>
          [new URL(one.name).pathname, one.transferSize, one.initiatorType])"""
    )
    start = page.evaluate("performance.getEntriesByType('navigation')[0].transferSize")
    assert start + sum(size for _, size, _ in fetched) < 100_000
    paths = [path for path, _, _ in fetched]
    assert len(paths) == len(set(paths)) < 20
    assert all(address.startswith("/") for address in paths)
    assert shared_server in page.url


def test_it_is_painted_after_one_round_trip_and_the_videos_are_listed_after_three(
    browser: Browser, shared_server: str, gallery: Path
) -> None:
    assert gallery.exists()
    page = browser.new_page()
    held: list[Route] = []
    page.route(lambda url: url != f"{shared_server}/", lambda route: held.append(route))  # noqa: PLW0108  # playwright wants a function
    page.goto(shared_server, wait_until="commit")
    page.wait_for_function(
        "() => performance.getEntriesByName('first-contentful-paint').length > 0"
    )
    expect(page.get_by_role("heading", name="Choose a video")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.top')).position") == "sticky"
    listed = page.get_by_role("button", name="two.mp4")
    for _ in range(2):
        expect(listed).to_have_count(0)
        page.wait_for_timeout(SETTLED_MS)
        asked, held[:] = list(held), []
        assert 0 < len(asked) <= CONNECTIONS_OF_A_BROWSER
        for route in asked:
            route.continue_()
    expect(listed).to_be_visible()
    page.close()


def test_a_part_of_the_page_that_does_not_come_is_missed_aloud(
    browser: Browser, shared_server: str, gallery: Path
) -> None:
    assert gallery.exists()
    page = browser.new_page()
    page.route("**/page/gallery.js", lambda route: route.abort())
    page.goto(shared_server)
    expect(page.get_by_role("button", name="two.mp4")).to_be_visible()
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("alert").filter(has_text="Part of the page")).to_be_visible()
    page.get_by_role("link", name="Identify").click()
    expect(page.get_by_text("Part of the page")).to_have_count(0)
    page.close()


def test_the_rows_of_the_grid_are_full_at_every_width(open_shared: Open) -> None:
    page = open_shared("#gallery")
    expect(page.locator("#grid li")).to_have_count(2)
    rows = "getComputedStyle(document.querySelector('.grid')).gridTemplateColumns"
    for width in range(320, 1400, 40):
        page.set_viewport_size({"width": width, "height": 700})
        columns = len(page.evaluate(rows).split())
        assert 60 % columns == 0, width


def test_a_missing_gallery_can_be_made_and_an_empty_one_greets(
    open_shared: Open, gallery: Path
) -> None:
    page = open_shared()
    gallery.unlink()
    page.reload()
    page.get_by_role("button", name="Create an empty gallery").click()
    expect(page.get_by_text("The gallery is empty, so everybody is unknown")).to_be_visible()
    expect(page.get_by_text("python -m tools import folder")).to_be_visible()
    page.get_by_role("link", name="Add a performer").click()
    expect(page.get_by_text("Nobody is enrolled yet")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "title", "remedy"),
    [
        ("gone.mp4", "No such video", "Check the path"),
        ("../two.mp4", "Outside the media folder", "Give one inside it"),
        ("notes.txt", "This cannot be read as a video", "notes.txt"),
    ],
)
def test_what_goes_wrong_is_named_with_what_to_do(
    open_shared: Open, path: str, title: str, remedy: str
) -> None:
    page = open_shared()
    page.get_by_label("Video or picture, inside the media folder").fill(path)
    page.get_by_role("button", name="Identify", exact=True).click()
    alert = page.get_by_role("alert").filter(has_text=title)
    expect(alert).to_contain_text(remedy)
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()


def test_a_server_that_is_gone_is_named_and_tried_again(open_shared: Open) -> None:
    page = open_shared()
    expect(page.get_by_role("button", name="two.mp4")).to_be_visible()
    page.route("**/*", lambda route: route.abort())
    page.get_by_role("button", name="cat.mp4").click()
    expect(page.get_by_text("The server does not answer. Start it again")).to_be_visible()
    expect(page.locator("#status-line")).to_have_text("No answer")
    page.unroute("**/*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("No face found")).to_be_visible()


SLOW_ONCE = """
([address]) => {
  const real = window.fetch;
  let calls = 0;
  window.fetch = async (resource, ...rest) => {
    const answer = await real(resource, ...rest);
    const url = String(resource.url ?? resource);
    calls += url.includes(address);
    if (url.includes(address) && calls === 1) await new Promise((go) => setTimeout(go, 1500));
    return answer;
  };
}
"""


def test_a_slow_answer_about_a_performer_does_not_replace_a_later_one(
    open_shared: Open,
) -> None:
    page = open_shared("#gallery")
    page.evaluate(SLOW_ONCE, ["/gallery/performer"])
    page.evaluate("location.hash = '#performer/1'")
    page.wait_for_timeout(300)
    page.evaluate("location.hash = '#performer/2'")
    expect(page.locator("#performer h1")).to_have_text("Grace Hopper")
    page.wait_for_timeout(1800)
    expect(page.locator("#performer h1")).to_have_text("Grace Hopper")


def test_a_slow_answer_about_the_server_does_not_replace_a_later_one(
    open_shared: Open,
) -> None:
    page = open_shared("#gallery")
    page.evaluate(SLOW_ONCE, ["/ready"])
    page.evaluate("dispatchEvent(new Event('server-back'))")
    page.wait_for_timeout(200)
    page.route("**/ready", lambda route: route.fulfill(json={"status": "ready"}))
    page.evaluate("dispatchEvent(new Event('server-back'))")
    expect(page.locator("#status-line")).to_have_text("Ready")
    page.wait_for_timeout(1800)
    expect(page.locator("#status-line")).to_have_text("Ready")
