"""The page's library in a real browser: the list, a video, a performer's videos, and the scan."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Response, Route, expect

from function.media.order import natural_key
from tests.support.browsers import PATIENCE_MS, PHONE, Open, assert_accessible, assert_fits
from tests.support.long_libraries import person_for, repeat_video
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import running_server

expect.set_options(timeout=PATIENCE_MS)

NARROW = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, page_media: Path) -> MadeUpLibrary:
    """P0 in three videos, P1 and P2 in one each, strangers in two, nobody in one; one is queued."""
    made = MadeUpLibrary(tmp_path_factory.mktemp("library"))
    made.scan("sub/beach 10.mp4", [made.person(0), made.person(1, 10)])
    made.scan("sub/beach 2.mp4", [made.person(0), made.person(None, 10)])
    lead = person_for(made, 2, seconds=30)
    passing = [person_for(made, None, seconds=2, at=at) for at in (40, 50)]
    made.scan("group.mp4", [*passing, made.person(0), made.person(None, 60), lead])
    made.scan("empty.mp4", [])
    made.add_file("queued.mp4")
    shutil.copy(page_media / "two.mp4", made.root / "group.mp4")  # it can be played
    with closing(sqlite3.connect(made.ledger_path)) as raw, raw:
        raw.execute("UPDATE outcomes SET verdict = 'uncertain', score = 60 WHERE performer = 2")
    return made


@pytest.fixture(scope="module")
def server(library: MadeUpLibrary) -> Iterator[str]:
    with running_server(library.root.parent / "log", **library.settings()) as address:
        yield address


WAITS = """
const wait = setTimeout;
window.waits = [];
window.setTimeout = (what, after, ...more) => {
  if (after >= 500 && String(what).startsWith("function ()")) waits.push(after);
  return wait(what, after, ...more);
};
"""
"""Notes how long is waited before a request is sent again: what is called then is the browser's."""


def rows(page: Page) -> list[str]:
    return page.locator("#videos .path").all_text_contents()


def test_videos_are_listed_in_natural_order_with_who_is_in_them(
    open_page: Open, server: str
) -> None:
    page = open_page(server)
    page.get_by_role("link", name="Library").click()
    expect(page.locator("#videos li")).to_have_count(5)
    assert rows(page) == [
        *("empty.mp4", "group.mp4", "queued.mp4", "sub/beach 2.mp4", "sub/beach 10.mp4"),
    ]
    said = [set(one.split("\n")) for one in page.locator("#videos .chips").all_inner_texts()]
    assert said == [
        *({"nobody seen"}, {"P0", "P2", "3 strangers"}, {"Queued"}),
        *({"P0", "1 stranger"}, {"P0", "P1: check"}),
    ]
    states = page.locator("#states button").all_inner_texts()
    assert states == ["All 5", "Scanned 4", "Queued 1"]


def test_odd_names_stand_in_one_order_in_the_library_and_where_a_video_is_chosen(
    open_page: Open, tmp_path: Path
) -> None:
    made = MadeUpLibrary(tmp_path)
    names = [" b.mp4", "(x).mp4", "-a.mp4", "B 2.mp4", "b 10.mp4", "é.mp4", "e2.mp4", "E01.mp4"]
    names += ["_a.mp4", "!b.mp4", "a!.mp4", "a-1.mp4", "a_1.mp4", "#x.mp4", "[y].mp4", "a01.mp4"]
    names += [
        "Łódź.mp4",
        "Ma.mp4",
        "O\u2019Neil.mp4",
        "Oz.mp4",
        "Søren.mp4",
        "Straße.mp4",
        "a\u2013b.mp4",
    ]
    names += ["Æon.mp4", "Œuvre.mp4", "p.mp4", "đ.mp4", "Þor.mp4", "a  c.mp4", "00-.mp4", "0_.mp4"]
    names += ["e1.mp4", "Ünï 9.mp4", "Z.mp4", "日本.mp4", "o'neil.mp4", "100%.mp4", "a1.mp4"]
    folders = ["s 10", "S 2", "S 2 more"]
    for folder in folders:
        (made.root / folder).mkdir()
    for path in (*names, *(f"{folder}/x.mp4" for folder in folders)):
        made.add_file(path)
    with running_server(tmp_path / "log", **made.settings()) as address:
        page = open_page(address)
        expect(page.locator("#files .video")).to_have_count(len(names))
        chosen = page.locator("#files .video .name").all_text_contents()
        in_order = page.locator("#files .folder .name").all_text_contents()
        page.goto(f"{address}/#library")
        expect(page.locator("#videos .path").first).to_be_visible()
        listed = page.evaluate(
            """async () => {
              const { natural } = await import("/page/order.js");
              const all = (await (await fetch("/library/overview")).json()).videos;
              return natural(all.map(({ path }) => path), String);
            }"""
        )
        assert rows(page) == listed[: len(rows(page))]
    in_shell = sorted(listed, key=lambda path: ([*map(natural_key, path.split("/"))], path))
    assert listed == in_shell
    assert [one for one in listed if "/" not in one] == chosen
    assert in_order == ["S 2", "S 2 more", "s 10", "sub"]
    assert [one.split("/")[0] for one in listed if "/" in one] == in_order[:-1]
    numbered = [one for one in chosen if one[0] in "bBeE"]
    assert numbered == ["B 2.mp4", "b 10.mp4", "E01.mp4", "e1.mp4", "e2.mp4"]


def test_the_box_with_the_state_is_shut_by_whatever_is_done_elsewhere(
    open_page: Open, server: str
) -> None:
    page = open_page(f"{server}/#library", viewport=NARROW)
    page.get_by_role("link", name="group.mp4").click()
    button = page.get_by_role("button", name="Name this person …").first
    expect(button).to_be_visible()
    box = page.locator("#status")
    for leave in (
        page.get_by_role("link", name="Gallery", exact=True).focus,
        lambda: page.locator("main").click(position={"x": 5, "y": 5}),
        lambda: page.mouse.wheel(0, 200),
        button.click,
    ):
        page.wait_for_timeout(500)  # until nothing is scrolled any more
        page.locator("#status summary").click()
        page.get_by_text("Runs on").click()
        expect(box).to_have_attribute("open", "")
        leave()
        expect(box).not_to_have_attribute("open", "")


def test_filters_stand_in_the_address_and_outlive_a_reload(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library")
    expect(page.locator("#videos li")).to_have_count(5)
    page.get_by_label("Path or name").fill("BEACH p1")
    expect(page.locator("#videos li")).to_have_count(1)
    assert rows(page) == ["sub/beach 10.mp4"]
    page.get_by_label("Path or name").fill("")
    page.get_by_label("Performer").select_option(label="P1 (1)")
    expect(page.get_by_role("heading", name="Every video of P1")).to_be_visible()
    expect(page.locator("#videos li")).to_have_count(1)
    page.get_by_label("Verdict").select_option("match")
    expect(page.get_by_text("Nothing fits")).to_be_visible()
    page.get_by_label("Performer").select_option("")
    expect(page.locator("#videos li")).to_have_count(3)
    page.get_by_label("Verdict").select_option("unknown")
    expect(page.get_by_text("2 of 5 videos")).to_be_visible()
    page.reload()
    expect(page.locator("#videos li")).to_have_count(2)
    expect(page.get_by_label("Verdict")).to_have_value("unknown")
    page.get_by_label("Verdict").select_option("")
    page.get_by_role("button", name="Queued").click()
    expect(page.locator("#videos li")).to_have_count(1)
    expect(page.get_by_role("button", name="Queued")).to_be_focused()
    page.get_by_role("link", name="Library").click()
    expect(page.locator("#videos li")).to_have_count(5)


def test_a_video_has_an_address_and_back_leads_to_where_one_was(
    open_page: Open, server: str
) -> None:
    page = open_page(f"{server}/#library")
    page.get_by_label("Path or name").fill("group")
    expect(page.locator("#videos li")).to_have_count(1)
    page.get_by_role("link", name="group.mp4").click()
    heading = page.get_by_role("heading", name="group.mp4", level=1)
    expect(heading).to_be_visible()
    page.reload()
    expect(heading).to_be_visible()
    expect(page.get_by_role("article").first).to_contain_text("P2")
    page.go_back()
    expect(page.get_by_label("Path or name")).to_have_value("group")
    expect(page.locator("#videos li")).to_have_count(1)


def test_what_is_typed_before_the_script_is_there_is_in_the_address_too(
    open_page: Open, server: str
) -> None:
    page = open_page(f"{server}/#gallery")
    held: list[Route] = []
    page.route("**/page/library.js", lambda route: held.append(route))  # noqa: PLW0108  # playwright wants a function
    with page.expect_request("**/page/library.js"):
        page.get_by_role("link", name="Library").click()
    page.get_by_label("Path or name").fill("group")
    page.wait_for_timeout(0)  # lets the route be called
    held[0].continue_()
    expect(page.locator("#videos li")).to_have_count(1)
    assert page.url.endswith("#library/text=group")


def test_what_is_typed_right_before_a_link_is_pressed_is_there_when_one_comes_back(
    open_page: Open, server: str
) -> None:
    page = open_page(f"{server}/#library")
    expect(page.locator("#videos li")).to_have_count(5)
    page.get_by_label("Path or name").fill("group")
    page.get_by_role("link", name="group.mp4").click()
    expect(page.get_by_role("heading", name="group.mp4", level=1)).to_be_visible()
    page.wait_for_timeout(1000)  # longer than the list waits for more to be typed
    assert "#video/" in page.url
    page.go_back()
    expect(page.get_by_label("Path or name")).to_have_value("group")
    expect(page.locator("#videos li")).to_have_count(1)


def test_leads_come_first_and_bystanders_are_folded(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library")
    page.get_by_role("link", name="group.mp4").click()
    cards = page.get_by_role("article")
    expect(cards).to_have_count(3)
    headings = cards.get_by_role("heading").all_inner_texts()
    assert [one.split()[0] for one in headings] == ["P2", "P0", "Unknown"]
    page.get_by_text("2 bystanders, seen only briefly").click()
    expect(cards).to_have_count(5)


def test_a_click_on_the_timeline_plays_a_video_that_was_only_scanned(
    open_page: Open, server: str
) -> None:
    page = open_page(f"{server}/#library")
    page.get_by_role("link", name="group.mp4").click()
    page.get_by_role("button", name="Play from 0:00").first.click()
    page.wait_for_function("() => document.querySelector('#video video')?.currentTime > 0")
    page.get_by_role("link", name="← Library").click()
    expect(page.locator("#video video")).to_have_count(0)


@pytest.fixture
def own_page(open_page: Open, tmp_path: Path) -> Iterator[Page]:
    """A video of fourteen people: P0 to P2 seen most, P3 and P4 less, strangers hardly."""
    made = MadeUpLibrary(tmp_path)
    leads = [person_for(made, number, seconds=30) for number in range(3)]
    minors = [person_for(made, number, seconds=8, at=40) for number in (3, 4, None, None)]
    passing = [person_for(made, None, seconds=2, at=60 + 3 * number) for number in range(7)]
    made.scan("party.mp4", [*passing, *minors, *leads])
    settings = made.settings()
    with running_server(tmp_path / "log", **settings) as address:
        page = open_page(f"{address}/#library")
        page.get_by_role("link", name="party.mp4").click()
        expect(page.get_by_role("article").first).to_be_visible()
        yield page


def card_of(page: Page, name: str) -> Locator:
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=name))


def test_of_fourteen_people_leads_are_large_others_small_and_passers_by_folded(
    own_page: Page,
) -> None:
    assert own_page.locator("article").count() == 14
    assert own_page.locator("article:visible").count() == 7
    leads, others = own_page.locator("#video > article"), own_page.locator(".cast article:visible")
    assert (leads.count(), others.count()) == (3, 4)
    lead, other = leads.first.bounding_box(), others.first.bounding_box()
    assert lead
    assert other
    assert other["width"] < 0.6 * lead["width"]
    assert other["height"] < lead["height"]
    expect(own_page.get_by_text("7 bystanders, seen only briefly")).to_be_visible()


def test_all_who_are_sure_are_confirmed_together_and_that_is_undone(own_page: Page) -> None:
    own_page.get_by_role("button", name="Not P4").click()
    expect(own_page.get_by_text("Saved: this is not P4.")).to_be_visible()
    own_page.get_by_role("button", name=re.compile("^Confirm all 4 together: P")).click()
    expect(own_page.get_by_text(re.compile(r"^Confirmed: (P[0-3](, |\.)){4}$"))).to_be_visible()
    expect(own_page.get_by_text("confirmed by you")).to_have_count(4)
    own_page.reload()
    expect(own_page.get_by_text("confirmed by you")).to_have_count(4)
    expect(own_page.get_by_role("button", name="Confirm all")).to_have_count(0)


def test_those_confirmed_together_are_taken_back_together(own_page: Page) -> None:
    own_page.get_by_role("button", name="Confirm all 5").click()
    own_page.get_by_role("button", name="Undo all").click()
    expect(own_page.get_by_role("button", name="Confirm all 5")).to_be_focused()
    own_page.reload()
    expect(own_page.get_by_role("button", name="Confirm all 5")).to_be_visible()


def test_a_decision_changes_the_card_outlives_a_reload_and_is_undone(own_page: Page) -> None:
    card = card_of(own_page, "P4")
    expect(card.get_by_role("heading")).to_have_text("P4 match")
    card.get_by_role("button", name="Yes, this is P4").click()
    expect(card.get_by_role("heading")).to_have_text("P4 confirmed by you")
    own_page.reload()
    expect(card.get_by_role("heading")).to_have_text("P4 confirmed by you")
    card.get_by_role("button", name="Not P4").click()
    rejected = own_page.get_by_role("article").filter(has_text="Saved: this is not P4.")
    expect(rejected.get_by_role("heading")).to_contain_text("Unknown")
    rejected.get_by_role("button", name="Undo", exact=True).click()
    expect(card.get_by_role("heading")).to_have_text("P4 confirmed by you")
    own_page.reload()
    expect(card.get_by_role("heading")).to_have_text("P4 confirmed by you")


def test_who_does_not_matter_is_ignored_until_that_is_undone(own_page: Page) -> None:
    card = card_of(own_page, "P4")
    place = own_page.locator(f"#{card.get_by_role('heading').get_attribute('id')}")
    card.get_by_role("button", name="Ignore this person").click()
    expect(place).to_have_text("Unknown ignored")
    own_page.get_by_role("button", name="Undo").click()
    expect(place).to_have_text("P4 match")


def test_a_stranger_in_the_library_is_named_and_unnamed(own_page: Page) -> None:
    stranger = card_of(own_page, "Unknown").first
    stranger.get_by_role("button", name="Name this person …").click()
    own_page.get_by_role("combobox").fill("Ada")
    own_page.get_by_role("option", name="New performer “Ada”").click()
    named = card_of(own_page, "Ada")
    expect(named).to_contain_text("Ada is now in the gallery")
    expect(named.get_by_role("link", name="Every video of Ada")).to_be_visible()
    named.get_by_role("button", name="Undo").click()
    expect(card_of(own_page, "Ada")).to_have_count(0)
    own_page.get_by_role("link", name="Gallery", exact=True).click()
    expect(own_page.locator("#grid li")).to_have_count(10)


def test_a_rejected_performer_is_not_offered_and_a_taken_name_is_asked_about(
    own_page: Page,
) -> None:
    card_of(own_page, "P4").get_by_role("button", name="Not P4").click()
    own_page.get_by_role("button", name="Who is it then …").click()
    name = own_page.get_by_role("combobox")
    expect(own_page.get_by_role("option")).to_have_count(7)
    expect(own_page.get_by_role("option", name="P4")).to_have_count(0)
    name.press("Enter")
    expect(name).to_be_focused()
    name.fill("p4")
    own_page.get_by_role("option", name="New performer “p4”").click()
    dialog = own_page.get_by_role("dialog")
    expect(dialog).to_contain_text("You said that this is not the p4 who is enrolled")
    dialog.get_by_role("button", name="Back").click()
    name.fill("P9")
    own_page.get_by_role("option", name="New performer “P9”").click()
    expect(dialog.get_by_role("img", name="No picture is stored")).to_be_visible()
    dialog.get_by_role("button", name="The same: P9, 3 photos").click()
    expect(card_of(own_page, "P9")).to_contain_text("Saved: this is P9")
    own_page.get_by_role("link", name="Gallery", exact=True).click()
    expect(own_page.locator("#grid li")).to_have_count(10)


def test_a_performer_leads_to_every_video_and_each_points_them_out(
    open_page: Open, server: str
) -> None:
    page = open_page(f"{server}/#performer/1", viewport={"width": 1100, "height": 500})
    page.get_by_role("link", name="Every video of P0").click()
    expect(page.locator("#videos li")).to_have_count(3)
    page.get_by_role("link", name="group.mp4").click()
    card = page.get_by_role("article").filter(has=page.get_by_role("heading", name="P0"))
    expect(card).to_be_in_viewport()
    card.get_by_role("link", name="Every video of P0").click()
    expect(page.locator("#videos li")).to_have_count(3)


def test_every_video_of_a_performer_shows_when_and_plays_it(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library/performer=1")
    row = page.locator("#videos li").filter(has_text="group.mp4")
    row.get_by_role("link", name="Play from 0:00 to 0:03").click()
    page.wait_for_function("() => document.querySelector('#video video')?.currentTime > 0")
    assert re.search(r"#video/[0-9a-f]{16}/1//0$", page.url)
    page.reload()
    expect(page.locator("#video video")).to_be_visible()
    page.go_back()
    expect(row.get_by_role("link", name="Play from 0:00 to 0:03")).to_be_visible()
    page.get_by_label("Performer").select_option("")
    expect(page.locator("#videos li")).to_have_count(5)
    expect(page.locator(".span")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_axe_finds_nothing_serious(
    open_page: Open, server: str, scheme: str
) -> None:
    look = {"viewport": PHONE, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = open_page(f"{server}/#library", has_touch=True, **look)
    expect(page.locator("#videos li")).to_have_count(5)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role("link", name="group.mp4").tap()
    expect(page.get_by_role("article").first).to_be_visible()
    page.get_by_role("button", name="Play from 0:00").first.tap()
    assert_fits(page)
    assert_accessible(page)


def test_ten_thousand_videos_are_scrolled_and_searched_at_once(
    open_page: Open, tmp_path: Path
) -> None:
    made = MadeUpLibrary(tmp_path)
    made.scan("clip.mp4", [made.person(0)])
    repeat_video(made, "clip.mp4", 9_999)
    with running_server(tmp_path / "log", **made.settings()) as address:
        page = open_page(f"{address}/#library")
        expect(page.get_by_role("button", name="All 10,000")).to_be_visible()
        assert rows(page)[:4] == ["clip 1.mp4", "clip 2.mp4", "clip 3.mp4", "clip 4.mp4"]
        page.keyboard.press("End")
        last = page.get_by_role("link", name="clip.mp4", exact=True)
        expect(last).to_be_in_viewport()
        assert page.evaluate("document.querySelectorAll('*').length") < 2500
        milliseconds = page.evaluate(
            """() => new Promise((done) => {
              const text = document.getElementById("library-text");
              new MutationObserver(() => done(performance.now() - started))
                .observe(document.getElementById("videos"), {childList: true});
              text.value = "clip 777";
              const started = performance.now();
              text.dispatchEvent(new Event("input", {bubbles: true}));
            })"""
        )
        assert milliseconds < 1000
        expect(page.locator("#videos li")).to_have_count(19)


def test_a_scan_is_started_and_followed_on_the_page(
    open_page: Open, tmp_path: Path, page_media: Path
) -> None:
    made = MadeUpLibrary(tmp_path)
    shutil.copy(page_media / "long.mp4", made.root)
    with running_server(tmp_path / "log", **made.settings(), SANDBOX="off") as address:
        page = open_page(f"{address}/#library")
        expect(page.get_by_text("Nothing is scanned yet")).to_be_visible()
        page.evaluate(
            """() => {
              window.said = [];
              const text = document.getElementById("scan-text");
              new MutationObserver(() => window.said.push(text.textContent))
                .observe(text, {childList: true});
            }"""
        )
        page.get_by_role("button", name="Scan all videos").click()
        page.get_by_role("button", name="Keep", exact=True).click()
        expect(page.locator("#videos li")).to_contain_text(re.compile("Queued|In work"))
        expect(page.locator("#scan-text")).to_have_text("1 video scanned.", timeout=60_000)
        expect(page.locator("#videos .chips")).to_have_text("1 stranger")
        said = page.evaluate("window.said")
        assert any(
            re.match(r"0 of 1 video done. Now long.mp4: 0:\d\d of 1:00", one) for one in said
        )


def test_what_becomes_of_strangers_is_asked_however_early_a_scan_is_begun(
    open_page: Open, tmp_path: Path
) -> None:
    made, held, is_pressed = MadeUpLibrary(tmp_path), list[Route](), False

    def answer(route: Route) -> None:
        if is_pressed:
            route.continue_()
        else:
            held.append(route)

    with running_server(tmp_path / "log", **made.settings()) as address:
        page = open_page(address)
        page.route("**/library/status", answer)
        page.get_by_role("link", name="Library").click()
        page.get_by_role("button", name="Scan all videos").click()
        page.wait_for_timeout(100)
        is_pressed = True
        for one in held:
            one.continue_()
        expect(page.get_by_role("dialog")).to_contain_text("Keep the faces of people")
        assert not made.ledger_path.exists()


@pytest.mark.parametrize(
    ("button", "chosen"), [("Keep", "keep"), ("Keep for 90 days", "90d"), ("Do not keep", "off")]
)
def test_what_becomes_of_strangers_is_asked_once_before_the_first_scan(
    open_page: Open, tmp_path: Path, button: str, chosen: str
) -> None:
    made = MadeUpLibrary(tmp_path)
    with running_server(tmp_path / "log", **made.settings()) as address:
        page = open_page(f"{address}/#library", viewport=PHONE, color_scheme="dark")
        scan = page.get_by_role("button", name="Scan all videos")
        scan.click()
        expect(page.get_by_role("dialog")).to_contain_text("36 KB for each person in a video")
        assert_accessible(page)
        page.get_by_role("button", name="Not now").click()
        assert not made.ledger_path.exists()
        scan.click()
        with page.expect_response("**/library/scan") as answer, page.expect_response(says_idle):
            page.get_by_role("button", name=button, exact=True).click()
        assert answer.value.json()["strangers"] == chosen
        expect(scan).to_be_visible()  # the scan has looked, and found nothing
        with page.expect_response("**/library/scan"):
            scan.click()
        expect(page.get_by_role("dialog")).to_have_count(0)


def says_idle(response: Response) -> bool:
    return response.url.endswith("/library/status") and response.json()["state"] == "idle"


def test_a_click_is_not_lost_where_the_list_is_read_again_during_it(
    open_page: Open, tmp_path: Path
) -> None:
    made = MadeUpLibrary(tmp_path)
    with running_server(tmp_path / "log", **made.settings()) as address:
        page = open_page(f"{address}/#library")
        page.get_by_role("button", name="Scan all videos").hover()
        other = {"videos": [], "performers": [], "next": None, "stale": True}
        page.route("**/library/overview*", lambda route: route.fulfill(json=other))
        page.mouse.down()
        with page.expect_response("**/library/overview*"):
            page.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")
        page.wait_for_timeout(200)  # until the answer is shown
        page.mouse.up()
        expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("pressed_one", ["a link", "a button"])
@pytest.mark.parametrize("typed", ["", "group"])
def test_a_click_is_not_lost_where_what_is_pressed_would_be_drawn_anew(
    open_page: Open, server: str, pressed_one: str, typed: str
) -> None:
    page = open_page(f"{server}/#library")
    link = page.get_by_role("link", name="group.mp4")
    pressed = link if pressed_one == "a link" else page.get_by_role("button", name="Scanned")
    pressed.hover()
    page.route("**/library/overview*", answer_without_one)
    page.mouse.down()
    if typed:  # right before, as the list is drawn a little later
        page.get_by_label("Path or name").fill(typed)
    else:
        with page.expect_response("**/library/overview*"):
            page.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")
    page.wait_for_timeout(300)  # until the list would be drawn
    page.mouse.up()
    if pressed_one == "a link":
        expect(page.get_by_role("heading", name="group.mp4", level=1)).to_be_visible()
    else:
        expect(pressed).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#videos li")).to_have_count(1 if typed else 3)


FORGET_LONG_PAUSES = """() => {
  const later = window.setTimeout;
  window.setTimeout = (work, ms) => (ms > 5000 ? 0 : later(work, ms));
  addEventListener("pointercancel", () => (document.body.dataset.swiped = "yes"));
}"""


def test_a_swipe_that_begins_on_a_link_holds_nothing_up(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library", viewport={"width": 360, "height": 300}, has_touch=True)
    link = page.get_by_role("link", name="group.mp4")
    link.scroll_into_view_if_needed()
    page.evaluate(FORGET_LONG_PAUSES)
    place = link.bounding_box()
    assert place
    touch = page.context.new_cdp_session(page)
    x, y = place["x"] + 20, place["y"] + place["height"] / 2
    for kind, up in (("Start", 0), *(("Move", 20 * step) for step in range(1, 6))):
        points = [{"x": x, "y": y - up}]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    expect(page.locator("body[data-swiped]")).to_have_count(1)  # no pointerup comes after that
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.get_by_label("Path or name").fill("group")
    expect(page.locator("#videos li")).to_have_count(1)


def answer_without_one(route: Route) -> None:
    reply = route.fetch().json()
    del reply["videos"][0]
    route.fulfill(json=reply)


def test_what_the_setting_says_of_strangers_is_not_asked(open_page: Open, tmp_path: Path) -> None:
    made = MadeUpLibrary(tmp_path)
    with running_server(tmp_path / "log", **made.settings(), STRANGERS="off") as address:
        page = open_page(f"{address}/#library")
        with page.expect_response("**/library/scan"):
            page.get_by_role("button", name="Scan all videos").click()


def test_a_scan_is_paused_resumed_and_what_failed_is_named(open_page: Open, tmp_path: Path) -> None:
    made = MadeUpLibrary(tmp_path)
    made.add_file("broken.mp4")
    with running_server(tmp_path / "log", **made.settings(), SANDBOX="off") as address:
        page = open_page(f"{address}/#library")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("0 of 1 video done. Paused.")).to_be_visible()
        expect(page.get_by_role("button", name="Resume")).to_be_focused()
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#scan-text")).to_have_text(
            "0 videos scanned, 1 failed.", timeout=60_000
        )
        expect(page.locator("#videos .chips")).to_contain_text("Failed: ")
        page.set_viewport_size(PHONE)
        assert_fits(page)
        reason = page.locator("#videos .chips")
        whole = (
            "(one) => one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight"
        )
        assert reason.evaluate(whole), "all of the reason is seen"
        expect(page.get_by_role("button", name="Try those again")).to_be_visible()


def test_a_video_in_no_folder_is_named_once(open_page: Open, server: str) -> None:
    page = open_page(f"{server}/#library")
    page.get_by_role("link", name="group.mp4").click()
    expect(page.get_by_role("heading", name="group.mp4")).to_be_visible()
    expect(page.locator("#video").get_by_text("group.mp4")).to_have_count(1)
    page.goto(f"{server}/#library")
    page.locator("#videos .path", has_text="beach 2.mp4").click()
    expect(page.locator("#video .detail").first).to_have_text("sub/beach 2.mp4")


def test_what_a_full_server_refuses_is_asked_for_again(open_page: Open, server: str) -> None:
    """Through a proxy that speaks HTTP/2 a browser asks for all of many tabs at once."""
    asked = 0

    def be_full_at_first(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked > 2:
            route.fallback()
        else:
            error = {"code": "busy", "message": "Others are being answered."}
            route.fulfill(status=429, json={"error": error})

    page = open_page(server)
    page.add_init_script(WAITS)
    page.route("**/library/overview*", be_full_at_first)
    page.goto("about:blank")  # or only the part behind # would change, and nothing be loaded anew
    page.goto(f"{server}/#library")
    expect(page.locator("#videos li")).to_have_count(5, timeout=15_000)
    assert asked == 3
    first, second = page.evaluate("waits")
    assert 500 <= first <= 1500
    assert 1000 <= second <= 3000
    assert {first, second}.isdisjoint({500, 1000, 1500, 2000, 3000}), (
        "not all tabs at the same moment"
    )
