"""The page in a real browser, on a real server."""

import re
import shutil
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from db.sqlite.store import StoredGallery
from tests.support.browsers import PHONE, WIDE, assert_accessible, assert_fits, chromium
from tests.support.galleries import flawed_gallery, many_performers, noise_picture
from tests.support.servers import running_server
from tests.support.videos import repeat_film

HOSTILE = "<img src=x onerror=hacked()>"
PATIENCE_MS = 20_000
SETTLED_MS = 1_000
CONNECTIONS_OF_A_BROWSER = 6

expect.set_options(timeout=PATIENCE_MS)  # the processors may be busy with other tests

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def gallery_in_use(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("in-use") / "performers.db"


@pytest.fixture(scope="module")
def server(
    page_media: Path, photos: Path, gallery_in_use: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server of that media root, of a film that lasts longer than any test, and of a picture."""
    folder = tmp_path_factory.mktemp("server")
    media = shutil.copytree(page_media, folder / "media", symlinks=True)
    repeat_film(media / "long.mp4", media / "endless.mp4", times=60)
    shutil.copy(photos / "biden.jpg", media / ".hidden")
    settings = {"MEDIA_ROOT": media, "PERFORMERS_DB": gallery_in_use}
    with running_server(folder / "server.log", **settings) as address:
        yield address


@pytest.fixture
def gallery(gallery_path: Path, gallery_in_use: Path, tmp_path: Path) -> Path:
    """The gallery that the server uses, as it was before any test."""
    fresh = Path(shutil.copy(gallery_path, tmp_path / "fresh.db"))
    with closing(sqlite3.connect(fresh)) as raw, raw:
        # Another file than before: what the server holds in memory does not count for it.
        raw.execute("UPDATE counters SET value = abs(random()) WHERE name = 'identity'")
    for left in gallery_in_use.parent.iterdir():
        left.unlink(missing_ok=True)
    fresh.rename(gallery_in_use)  # whole at once: the server may open it at any moment
    return gallery_in_use


@pytest.fixture
def open_page(browser: Browser, server: str, gallery: Path) -> Iterator[Open]:  # noqa: ARG001  # the server's
    """Open the page; whatever the browser complains of in the end fails the test."""
    complaints: list[str] = []
    contexts = []

    def start(fragment: str = "", **options: object) -> Page:
        context = browser.new_context(**{"viewport": WIDE, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type == "error" else None,
        )
        page.goto(f"{server}/{fragment}")
        return page

    yield start
    for context in contexts:
        context.close()
    # A status of 400 and more is an answer too; the page is tested to show it.
    assert [one for one in complaints if "Failed to load resource" not in one] == []


WATCH_RESULTS = """() => {
  const results = document.getElementById("results");
  const note = () => (window.wasHidden ||= results.hidden);
  window.wasHidden = false;
  note();
  new MutationObserver(note).observe(results, {attributes: true});
  document.getElementById("results-title").textContent = "";
}"""


def identify(page: Page, path: str = "two.mp4") -> None:
    """Identify a video; earlier results are not taken for new ones, however quick those are."""
    page.evaluate(WATCH_RESULTS)
    page.get_by_label("Video or picture, inside the media folder").fill(path)
    page.get_by_role("button", name="Identify", exact=True).click()
    expect(page.locator("#results-title")).not_to_be_empty()
    expect(page.locator("#results")).to_be_visible()
    assert page.evaluate("window.wasHidden"), "what was found before is hidden meanwhile"


def names(page: Page) -> list[str]:
    headings = page.get_by_role("article").get_by_role("heading").all_inner_texts()
    return [re.sub(r"\s+(match|uncertain.*|nobody enrolled)$", "", one) for one in headings]


def test_a_video_is_chosen_and_the_people_in_it_are_shown(open_page: Open) -> None:
    page = open_page()
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


def test_cancel_ends_the_work_on_the_server_too(open_page: Open, server: str) -> None:
    page = open_page()
    page.get_by_role("button", name="endless.mp4").click()
    expect(page.locator("#progress-text")).to_contain_text("of 1:00:00")
    page.get_by_role("button", name="Cancel").click()
    cancelled = time.monotonic()
    expect(page.get_by_text("The server has stopped working")).to_be_visible()
    # The only slot is free again long before the video would have been seen to its end.
    while not _has_free_slot(server):
        assert time.monotonic() - cancelled < 4
        time.sleep(0.1)
    identify(page, "cat.mp4")
    expect(page.get_by_text("No face found")).to_be_visible()


def test_a_second_video_waits_in_line_and_closing_the_page_gives_the_place_back(
    open_page: Open, server: str
) -> None:
    first, second, third = open_page(), open_page(), open_page()
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
    assert _has_free_slot(server)
    border = "getComputedStyle(document.querySelector('#trouble .notice')).borderLeftColor"
    accent = "getComputedStyle(document.querySelector('button.primary')).backgroundColor"
    assert first.evaluate(border) == first.evaluate(accent)


def _has_free_slot(server: str) -> bool:
    try:
        urllib.request.urlopen(f"{server}/?path=cat.mp4").close()
    except urllib.error.HTTPError as error:
        if error.code != 429:
            raise
        return False
    return True


def test_a_click_on_the_timeline_plays_that_moment(open_page: Open) -> None:
    page = open_page()
    identify(page)
    stranger = page.get_by_role("article").nth(1)
    stranger.get_by_role("button", name="Play from 0:0").click()
    page.wait_for_function("() => document.querySelector('video')?.currentTime > 1.8")
    page.get_by_role("article").first.get_by_role("button", name="Play from 0:00").click()
    page.wait_for_function("() => document.querySelector('video').currentTime < 1.8")
    assert page.evaluate("document.querySelector('video').error") is None
    page.get_by_role("button", name="Close the video").click()
    expect(page.locator("video")).to_have_count(0)


def test_a_video_the_browser_cannot_play_shows_the_picture_of_the_moment(open_page: Open) -> None:
    page = open_page()
    identify(page, "old.avi")
    page.get_by_role("button", name="Play from 0:00").click()
    words = "This browser cannot play old.avi. This is the picture at 0:00."
    expect(page.get_by_text(words)).to_be_visible()
    picture = page.get_by_role("img", name="The picture at 0:00")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [640, 480]
    assert picture.evaluate("image => image.clientWidth") > 400


def test_where_that_picture_cannot_be_had_the_best_face_is_shown(open_page: Open) -> None:
    page = open_page()
    identify(page, "old.avi")
    page.route("**/frame?*", lambda route: route.fulfill(status=429, json={"error": {}}))
    page.get_by_role("button", name="Play from 0:00").click()
    expect(page.get_by_text("its picture cannot be shown now")).to_be_visible()
    face = page.get_by_role("img", name="Best face")
    expect(face).to_be_visible()
    assert face.evaluate("image => image.naturalWidth") > 0


def test_a_picture_that_is_identified_has_no_times(open_page: Open) -> None:
    page = open_page()
    identify(page, ".hidden/biden.jpg")
    card = page.get_by_role("article")
    expect(card.locator("figcaption").first).to_have_text("In the picture")
    expect(card).to_contain_text("1 face")
    expect(card.locator(".timeline")).to_have_count(0)
    identify(page)
    expect(page.locator(".timeline").first).to_be_visible()


def test_a_photo_that_must_wait_too_long_says_so(open_page: Open, photos: Path) -> None:
    page = open_page("#gallery")
    busy = {"error": {"code": "busy", "message": "Another picture is being processed."}}
    page.route("**/gallery/photos?*", lambda route: route.fulfill(status=429, json=busy))
    page.get_by_text("Add a performer").click()
    page.get_by_label("Name", exact=True).fill("Joe Biden")
    page.get_by_label("Photos, each with one face").set_input_files(photos / "biden.jpg")
    expect(page.get_by_text("biden.jpg: Another picture is being processed.")).to_be_visible()


def test_a_performer_that_cannot_be_shown_after_a_photo_says_so_and_no_more(
    open_page: Open, photos: Path
) -> None:
    page = open_page("#gallery")
    page.get_by_role("link", name="Grace Hopper").click()
    drop = page.locator("#performer").get_by_label("Photos, each with one face")
    expect(drop).to_be_attached()
    page.route("**/gallery/p*", lambda route: route.abort())
    drop.set_input_files(photos / "biden.jpg")
    expect(page.get_by_text("This performer cannot be shown")).to_be_visible()
    expect(page.locator("#lamp")).to_have_class("lamp good")


def test_an_address_that_names_no_view_shows_the_first(open_page: Open) -> None:
    page = open_page("#constructor/1")
    expect(page.get_by_role("heading", name="Choose a video")).to_be_visible()
    expect(page).to_have_title("Identify a video · Who is in this video?")


def test_a_confirmed_person_is_kept_and_undo_takes_it_back(open_page: Open, gallery: Path) -> None:
    page = open_page()
    identify(page)
    page.get_by_role("button", name="Yes, this is Barack Obama").click()
    expect(page.get_by_text("Saved as Barack Obama")).to_be_visible()
    with StoredGallery(gallery) as stored:
        origins = [one.origin for one in stored.photos(1)]
    assert origins[-1].startswith("confirmed from two.mp4")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Yes, this is Barack Obama")).to_be_visible()
    with StoredGallery(gallery) as stored:
        assert len(stored.photos(1)) == len(origins) - 1


def test_a_rejected_performer_is_not_offered_again_until_undone(open_page: Open) -> None:
    page = open_page()
    identify(page)
    assert names(page) == ["Barack Obama", "Unknown"]
    page.get_by_role("button", name="Not Barack Obama").click()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    again = page.context.new_page()
    again.goto(page.url)
    identify(again)
    assert names(again) == ["Unknown", "Unknown"]
    undo.click()
    expect(page.get_by_role("button", name="Not Barack Obama")).to_be_visible()
    identify(again)
    assert names(again) == ["Barack Obama", "Unknown"]


def test_a_named_stranger_is_recognised_on_the_next_run(open_page: Open) -> None:
    page = open_page()
    identify(page)
    page.get_by_role("button", name="Name this person …").click()
    page.get_by_role("combobox", name="Who is this?").fill("Eileen Collins")
    page.get_by_role("option", name="New performer “Eileen Collins”").click()
    expect(page.get_by_text("Eileen Collins is now in the gallery")).to_be_visible()
    expect(page.locator("#status-line")).to_have_text("3 performers, CPU")
    identify(page)
    assert set(names(page)) == {"Barack Obama", "Eileen Collins"}


def test_somebody_else_is_chosen_by_typing_and_arrow_keys(open_page: Open, gallery: Path) -> None:
    page = open_page()
    identify(page)
    page.get_by_role("button", name="Someone else …").click()
    combobox = page.get_by_role("combobox", name="Who is this?")
    expect(combobox).to_be_focused()
    expect(page.get_by_role("option")).to_have_text(["Grace Hopper1 photo"])
    combobox.press_sequentially("gra")
    new = page.get_by_role("option", name="New performer “gra”")
    expect(new).to_be_visible()
    expect(page.get_by_role("option")).to_have_count(2)
    combobox.press("ArrowDown")
    expect(new).to_have_attribute("aria-selected", "true")
    combobox.press("ArrowUp")
    combobox.press("Enter")
    expect(page.get_by_text("Saved as Grace Hopper")).to_be_visible()
    with StoredGallery(gallery) as stored:
        assert stored.find_performer("Grace Hopper").encodings == 2
        assert stored.rows("SELECT performer_id FROM rejections") == [(1,)]


def test_of_two_alike_both_are_shown_and_either_can_be_chosen(
    open_page: Open, gallery: Path
) -> None:
    with closing(sqlite3.connect(gallery)) as raw, raw:
        raw.execute("DELETE FROM encodings WHERE performer_id = 2")
        columns = "vector, model, quality, photo_hash, origin"
        raw.execute(
            f"INSERT INTO encodings (performer_id, {columns}) SELECT 2, {columns} FROM encodings"
        )
    page = open_page()
    identify(page)
    card = page.get_by_role("article").first
    expect(card.get_by_role("heading")).to_contain_text("uncertain: check it yourself")
    card.get_by_text("1 other candidate").click()
    expect(card.get_by_role("meter")).to_have_count(2)
    second = card.get_by_role("button", name="It is ")
    chosen = (second.get_attribute("aria-label") or "").removeprefix("It is ")
    second.click()
    expect(card.get_by_text(f"Saved as {chosen}")).to_be_visible()
    identify(page)
    assert names(page)[0] == chosen


def test_an_empty_name_enrols_nobody_and_the_first_of_others_is_not_taken(
    open_page: Open, gallery: Path
) -> None:
    page = open_page()
    identify(page)
    page.get_by_role("button", name="Name this person …").click()
    name = page.get_by_role("combobox", name="Who is this?")
    expect(page.get_by_role("option")).to_have_count(2)
    expect(page.locator("[role=option][aria-selected=true]")).to_have_count(0)
    name.press("Enter")
    name.fill("opper")
    expect(page.get_by_role("option")).to_have_count(2)
    name.press("Enter")
    expect(name).to_be_focused()
    with StoredGallery(gallery) as stored:
        assert [one.encodings for one in stored.performers()] == [2, 1]
    name.fill("grace")
    expect(page.get_by_role("option", name="Grace Hopper")).to_have_attribute(
        "aria-selected", "true"
    )


def test_who_was_just_rejected_is_not_offered_and_the_card_says_unknown(open_page: Open) -> None:
    page = open_page()
    identify(page)
    card = page.get_by_role("article").first
    card.get_by_role("button", name="Not Barack Obama").click()
    expect(card.get_by_role("heading")).to_contain_text("Unknown")
    card.get_by_role("button", name="Who is it then …").click()
    expect(page.get_by_role("option")).to_have_text(["Grace Hopper1 photo"])
    page.get_by_role("option").click()
    expect(card.get_by_role("heading")).to_have_text("Grace Hopper confirmed by you")
    expect(card.get_by_role("img", name="Enrolled face of Grace Hopper")).to_be_visible()
    card.get_by_role("button", name="Undo").click()
    expect(card.get_by_role("heading")).to_contain_text("Unknown")


def test_a_taken_name_asks_whether_it_is_the_same_person(open_page: Open, gallery: Path) -> None:
    page = open_page()
    identify(page)
    page.get_by_role("button", name="Name this person …").click()
    page.get_by_role("combobox").fill("grace hopper")
    page.get_by_role("option", name="New performer").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img", name="Enrolled face of Grace Hopper")).to_be_visible()
    assert_accessible(page)
    dialog.get_by_role("button", name="The same: Grace Hopper, 1 photo").click()
    expect(page.get_by_text("Saved as Grace Hopper")).to_be_visible()
    with StoredGallery(gallery) as stored:
        assert len(stored.performers()) == 2
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Name this person …").click()
    page.get_by_role("combobox").fill("grace hopper")
    page.get_by_role("option", name="New performer").click()
    dialog.get_by_role("button", name="Somebody else of that name").click()
    expect(page.get_by_text("grace hopper is now in the gallery")).to_be_visible()
    with StoredGallery(gallery) as stored:
        assert len(stored.performers()) == 3


def test_the_list_of_names_is_scrolled_into_view(open_page: Open) -> None:
    page = open_page(viewport={"width": 900, "height": 420})
    identify(page)
    page.get_by_role("button", name="Name this person …").click()
    expect(page.get_by_role("option").last).to_be_in_viewport(ratio=1)


def test_renaming_to_a_taken_name_asks_and_merges(open_page: Open, gallery: Path) -> None:
    page = open_page("#performer/1")
    page.locator("#performer").get_by_label("Name", exact=True).fill("grace hopper")
    page.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Grace Hopper is enrolled already")
    dialog.get_by_role("button", name="The same: Grace Hopper").click()
    expect(dialog.get_by_role("img", name="Enrolled face of Barack Obama")).to_be_visible()
    expect(dialog.get_by_role("img", name="Enrolled face of Grace Hopper")).to_be_visible()
    dialog.get_by_role("button", name="Merge").click()
    expect(page.get_by_role("heading", name="Grace Hopper")).to_be_visible()
    expect(page.locator(".photos li")).to_have_count(3)
    with StoredGallery(gallery) as stored:
        assert [one.name for one in stored.performers()] == ["Grace Hopper"]


def test_an_alias_is_removed(open_page: Open) -> None:
    page = open_page("#performer/1")
    page.get_by_role("button", name="Remove the alias 44").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="Barack Obama")).to_be_focused()
    expect(page.get_by_role("button", name="Remove the alias")).to_have_count(0)


def test_back_closes_a_question_and_nothing_is_forgotten(open_page: Open, gallery: Path) -> None:
    page = open_page("#gallery")
    page.get_by_role("link", name="Barack Obama").click()
    page.get_by_role("button", name="Forget Barack Obama …").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with StoredGallery(gallery) as stored:
        assert stored.performer(1).name == "Barack Obama"


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


def test_forgetting_warns_first_and_then_erases(open_page: Open, gallery: Path) -> None:
    page = open_page("#gallery")
    page.get_by_role("link", name="Barack Obama").click()
    page.get_by_role("button", name="Forget Barack Obama …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("cannot be undone")
    dialog.get_by_role("button", name="Keep").click()
    with StoredGallery(gallery) as stored:
        assert stored.performer(1).name == "Barack Obama"
    page.get_by_role("button", name="Forget Barack Obama …").click()
    dialog.get_by_role("button", name="Forget for good").click()
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    expect(page.locator("#grid li")).to_have_count(1)
    assert b"Barack" not in gallery.read_bytes()


def test_photos_are_added_by_choosing_and_by_dropping(open_page: Open, photos: Path) -> None:
    page = open_page("#gallery")
    page.get_by_text("Add a performer").click()
    page.get_by_label("Name", exact=True).fill("Joe Biden")
    files = [photos / "biden.jpg", photos / "cat.png"]
    page.get_by_label("Photos, each with one face").set_input_files(files)
    expect(page.get_by_text("biden.jpg: added")).to_be_visible()
    expect(page.get_by_text("cat.png: no face found.")).to_be_visible()
    page.get_by_role("link", name="Grace Hopper").click()
    dropped = page.evaluate_handle(
        """async (source) => {
          const picture = await (await fetch(source)).blob();
          const carried = new DataTransfer();
          carried.items.add(new File([picture], "dropped.jpg", {type: "image/jpeg"}));
          return carried;
        }""",
        "/gallery/thumbnail?id=3",
    )
    page.locator("#performer .drop").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.get_by_text("dropped.jpg: added")).to_be_visible()
    expect(page.locator(".photos li")).to_have_count(2)


def test_photos_chosen_before_a_name_are_chosen_again_after_it(
    open_page: Open, photos: Path
) -> None:
    page = open_page("#gallery")
    page.get_by_text("Add a performer").click()
    drop = page.locator("#new-photos").get_by_label("Photos, each with one face")
    drop.set_input_files(photos / "biden.jpg")
    expect(page.get_by_text("Give a name first, then choose")).to_be_visible()
    expect(drop).to_have_value("")  # the same file would be no change else
    page.get_by_label("Name", exact=True).fill("Joe Biden")
    drop.set_input_files(photos / "biden.jpg")
    expect(page.get_by_text("biden.jpg: added")).to_be_visible()


def test_photos_for_a_taken_name_ask_once_whose_they_are(open_page: Open, photos: Path) -> None:
    page = open_page("#gallery")
    page.get_by_text("Add a performer").click()
    page.get_by_label("Name", exact=True).fill("grace HOPPER")
    drop = page.locator("#new-photos").get_by_label("Photos, each with one face")
    drop.set_input_files([photos / "biden.jpg", photos / "obama1.jpg"])
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Grace Hopper is enrolled already")).to_be_visible()
    expect(dialog.get_by_role("img", name="Enrolled face of Grace Hopper")).to_be_visible()
    dialog.get_by_role("button", name="Back").click()
    expect(page.get_by_text("biden.jpg: not added")).to_be_visible()
    expect(dialog).to_be_hidden()
    drop.set_input_files([photos / "cat.png", photos / "biden.jpg"])
    dialog.get_by_role("button", name="Somebody else of that name").click()
    expect(page.get_by_text("biden.jpg: added")).to_be_visible()
    expect(page.get_by_text("cat.png: no face found.")).to_be_visible()
    expect(page.locator("#grid li")).to_have_count(3)
    drop.set_input_files(photos / "obama2.jpg")
    expect(page.get_by_text("obama2.jpg: added")).to_be_visible()
    expect(page.locator("#grid li")).to_have_count(3)


@pytest.mark.parametrize("how", ["renamed", "edited"])
def test_photos_for_a_name_that_may_be_anothers_by_now_ask_again(
    open_page: Open, photos: Path, how: str
) -> None:
    page = open_page("#gallery")
    page.get_by_text("Add a performer").click()
    name = page.locator("#gallery").get_by_label("Name", exact=True)
    name.fill("Ann")
    drop = page.locator("#new-photos").get_by_label("Photos, each with one face")
    drop.set_input_files(photos / "biden.jpg")
    expect(page.get_by_text("biden.jpg: added")).to_be_visible()
    page.locator("#grid").get_by_role("link", name="Ann").click()
    if how == "renamed":
        page.locator("#performer").get_by_label("Name", exact=True).fill("Bea")
        page.get_by_role("button", name="Rename").click()
        expect(page.get_by_role("heading", name="Bea")).to_be_visible()
    page.goto(page.url.split("#")[0] + "#gallery")
    if how == "edited":
        name.fill("Anna")
        name.fill("Ann")
    drop.set_input_files(photos / "obama2.jpg")
    dialog = page.get_by_role("dialog")
    called = "Bea" if how == "renamed" else "Ann"
    expect(dialog.get_by_text(f"{called} is enrolled already")).to_be_visible()
    dialog.get_by_role("button", name="Somebody else of that name").click()
    expect(page.get_by_text("obama2.jpg: added")).to_be_visible()
    expect(page.locator("#grid li")).to_have_count(4)


def test_a_performer_is_renamed_merged_and_loses_a_photo(open_page: Open) -> None:
    page = open_page("#performer/2")
    page.locator("#performer").get_by_label("Name", exact=True).fill("Amazing Grace")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="Amazing Grace")).to_be_visible()
    expect(page.locator("#performer").get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_role("button", name="Merge with another performer …").click()
    page.get_by_role("option", name="Barack Obama").click()
    page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    expect(page.locator(".photos li")).to_have_count(3)
    expect(page.get_by_role("heading", name="Amazing Grace")).to_be_focused()
    page.locator(".photos").get_by_role("button", name="Remove ").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".photos li")).to_have_count(2)


def test_what_to_look_at_leads_to_the_photo_and_is_read_again_after_a_merge(
    open_page: Open, gallery: Path
) -> None:
    gallery.unlink()
    flawed_gallery(gallery)
    page = open_page("#gallery")
    summary = page.locator("#audit summary")
    expect(summary).to_have_text("What to look at: 4 findings")
    summary.focus()
    page.keyboard.press("Enter")
    assert_accessible(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Jean", exact=True).first).to_be_focused()
    page.get_by_role("link", name="Photo 3 of Mary").press("Enter")
    expect(page.get_by_role("heading", name="Mary")).to_be_visible()
    expect(page.locator(".photos li").nth(2)).to_be_focused()
    expect(page.locator(".photos li").nth(2)).to_contain_text("Photo 3")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".photos li")).to_have_count(2)
    expect(page.get_by_role("heading", name="Photos", exact=True)).to_be_focused()
    page.get_by_role("link", name="← Gallery").click()
    expect(summary).to_have_text("What to look at: 3 findings")
    page.get_by_role("button", name="Merge Jean and Jeanne …").click()
    page.get_by_role("dialog").get_by_role("button", name="Merge as Jeanne").click()
    expect(summary).to_have_text("What to look at: 2 findings")
    expect(summary).to_be_focused()
    expect(page.locator("#grid .name")).to_have_text(["Ada", "Grace", "Jeanne", "Mary", "Nobody"])


def test_a_gallery_with_nothing_to_look_at_says_so(open_page: Open) -> None:
    page = open_page("#gallery")
    summary = page.locator("#audit summary")
    expect(summary).to_have_text("What to look at: nothing")


def test_the_keyboard_alone_does_it_all(open_page: Open) -> None:
    page = open_page()
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


def test_nothing_is_wider_than_a_phone_and_everything_can_be_touched(open_page: Open) -> None:
    page = open_page(viewport=PHONE, has_touch=True)
    identify(page)
    assert_fits(page)
    page.get_by_role("link", name="Gallery").tap()
    expect(page.locator("#grid li")).to_have_count(2)
    assert_fits(page)
    page.get_by_role("link", name="Barack Obama").tap()
    expect(page.locator(".photos li")).to_have_count(2)
    assert_fits(page)


def test_names_and_paths_are_text_whatever_they_hold(open_page: Open, gallery: Path) -> None:
    with closing(sqlite3.connect(gallery)) as raw, raw:
        raw.execute(
            "UPDATE performers SET name = ?, disambiguation = ?, urls = ? WHERE id = 1",
            (HOSTILE, HOSTILE, '["javascript:hacked()", "https://example.org/<b>"]'),
        )
        raw.execute("UPDATE encodings SET origin = ?", (HOSTILE,))
    page = open_page()
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


def test_a_button_under_the_pointer_does_not_look_disabled(open_page: Open) -> None:
    button = open_page(color_scheme="dark").get_by_role("button", name="Identify")
    button.hover()
    expect(button).to_have_css("border-color", "rgb(141, 178, 255)")
    expect(button).to_have_css("opacity", "1")
    expect(button).to_have_css("cursor", "pointer")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: Open, scheme: str) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
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
    open_page: Open, server: str
) -> None:
    page = open_page()
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
    assert server in page.url


def test_it_is_painted_after_one_round_trip_and_the_videos_are_listed_after_three(
    browser: Browser, server: str, gallery: Path
) -> None:
    assert gallery.exists()
    page = browser.new_page()
    held: list[Route] = []
    page.route(lambda url: url != f"{server}/", lambda route: held.append(route))  # noqa: PLW0108  # playwright wants a function
    page.goto(server, wait_until="commit")
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
    browser: Browser, server: str, gallery: Path
) -> None:
    assert gallery.exists()
    page = browser.new_page()
    page.route("**/page/gallery.js", lambda route: route.abort())
    page.goto(server)
    expect(page.get_by_role("button", name="two.mp4")).to_be_visible()
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("alert").filter(has_text="Part of the page")).to_be_visible()
    page.get_by_role("link", name="Identify").click()
    expect(page.get_by_text("Part of the page")).to_have_count(0)
    page.close()


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


def test_the_rows_of_the_grid_are_full_at_every_width(open_page: Open) -> None:
    page = open_page("#gallery")
    expect(page.locator("#grid li")).to_have_count(2)
    rows = "getComputedStyle(document.querySelector('.grid')).gridTemplateColumns"
    for width in range(320, 1400, 40):
        page.set_viewport_size({"width": width, "height": 700})
        columns = len(page.evaluate(rows).split())
        assert 60 % columns == 0, width


def test_a_missing_gallery_can_be_made_and_an_empty_one_greets(
    open_page: Open, gallery: Path
) -> None:
    page = open_page()
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
    open_page: Open, path: str, title: str, remedy: str
) -> None:
    page = open_page()
    page.get_by_label("Video or picture, inside the media folder").fill(path)
    page.get_by_role("button", name="Identify", exact=True).click()
    alert = page.get_by_role("alert").filter(has_text=title)
    expect(alert).to_contain_text(remedy)
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()


def test_a_server_that_is_gone_is_named_and_tried_again(open_page: Open) -> None:
    page = open_page()
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
    open_page: Open,
) -> None:
    page = open_page("#gallery")
    page.evaluate(SLOW_ONCE, ["/gallery/performer"])
    page.evaluate("location.hash = '#performer/1'")
    page.wait_for_timeout(300)
    page.evaluate("location.hash = '#performer/2'")
    expect(page.locator("#performer h1")).to_have_text("Grace Hopper")
    page.wait_for_timeout(1800)
    expect(page.locator("#performer h1")).to_have_text("Grace Hopper")


def test_a_slow_answer_about_the_server_does_not_replace_a_later_one(
    open_page: Open,
) -> None:
    page = open_page("#gallery")
    page.evaluate(SLOW_ONCE, ["/ready"])
    page.evaluate("dispatchEvent(new Event('server-back'))")
    page.wait_for_timeout(200)
    page.route("**/ready", lambda route: route.fulfill(json={"status": "ready"}))
    page.evaluate("dispatchEvent(new Event('server-back'))")
    expect(page.locator("#status-line")).to_have_text("Ready")
    page.wait_for_timeout(1800)
    expect(page.locator("#status-line")).to_have_text("Ready")
