"""Corrections of a person in a result, in a real browser."""

import sqlite3
from contextlib import closing
from pathlib import Path

from playwright.sync_api import expect

from db.sqlite.store import StoredGallery
from tests.support.browsers import Open, assert_accessible
from tests.support.identifying import identify, names


def test_a_confirmed_person_is_kept_and_undo_takes_it_back(
    open_shared: Open, gallery: Path
) -> None:
    page = open_shared()
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


def test_a_rejected_performer_is_not_offered_again_until_undone(open_shared: Open) -> None:
    page = open_shared()
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


def test_a_named_stranger_is_recognised_on_the_next_run(open_shared: Open) -> None:
    page = open_shared()
    identify(page)
    page.get_by_role("button", name="Name this person …").click()
    page.get_by_role("combobox", name="Who is this?").fill("Eileen Collins")
    page.get_by_role("option", name="New performer “Eileen Collins”").click()
    expect(page.get_by_text("Eileen Collins is now in the gallery")).to_be_visible()
    expect(page.locator("#status-line")).to_have_text("3 performers, CPU")
    identify(page)
    assert set(names(page)) == {"Barack Obama", "Eileen Collins"}


def test_somebody_else_is_chosen_by_typing_and_arrow_keys(open_shared: Open, gallery: Path) -> None:
    page = open_shared()
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
    open_shared: Open, gallery: Path
) -> None:
    with closing(sqlite3.connect(gallery)) as raw, raw:
        raw.execute("DELETE FROM encodings WHERE performer_id = 2")
        columns = "vector, model, quality, photo_hash, origin"
        raw.execute(
            f"INSERT INTO encodings (performer_id, {columns}) SELECT 2, {columns} FROM encodings"
        )
    page = open_shared()
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
    open_shared: Open, gallery: Path
) -> None:
    page = open_shared()
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


def test_who_was_just_rejected_is_not_offered_and_the_card_says_unknown(open_shared: Open) -> None:
    page = open_shared()
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


def test_a_taken_name_asks_whether_it_is_the_same_person(open_shared: Open, gallery: Path) -> None:
    page = open_shared()
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


def test_the_list_of_names_is_scrolled_into_view(open_shared: Open) -> None:
    page = open_shared(viewport={"width": 900, "height": 420})
    identify(page)
    page.get_by_role("button", name="Name this person …").click()
    expect(page.get_by_role("option").last).to_be_in_viewport(ratio=1)
