"""One performer in a real browser: photos, names, merging and forgetting."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from db.sqlite.store import StoredGallery
from tests.support.browsers import Open, assert_accessible
from tests.support.galleries import flawed_gallery


def test_renaming_to_a_taken_name_asks_and_merges(open_shared: Open, gallery: Path) -> None:
    page = open_shared("#performer/1")
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


def test_whoever_is_merged_into_another_is_left_even_if_their_numbers_begin_alike(
    open_shared: Open, gallery: Path
) -> None:
    with StoredGallery(gallery) as stored, stored.writing() as db:
        db.execute(
            "INSERT INTO performers (id, name, source, source_id) "
            "VALUES (10, 'Barry', 'test', '10')"
        )
    page = open_shared("#performer/10")
    page.locator("#performer").get_by_label("Name", exact=True).fill("Barack Obama")
    page.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="The same: Barack Obama").click()
    dialog.get_by_role("button", name="Merge").click()
    expect(page.get_by_role("heading", name="Barack Obama")).to_be_visible()
    assert page.url.endswith("#performer/1")


def test_an_alias_is_removed(open_shared: Open) -> None:
    page = open_shared("#performer/1")
    page.get_by_role("button", name="Remove the alias 44").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="Barack Obama")).to_be_focused()
    expect(page.get_by_role("button", name="Remove the alias")).to_have_count(0)


def test_back_closes_a_question_and_nothing_is_forgotten(open_shared: Open, gallery: Path) -> None:
    page = open_shared("#gallery")
    page.get_by_role("link", name="Barack Obama").click()
    page.get_by_role("button", name="Forget Barack Obama …").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with StoredGallery(gallery) as stored:
        assert stored.performer(1).name == "Barack Obama"


def test_forgetting_warns_first_and_then_erases(open_shared: Open, gallery: Path) -> None:
    page = open_shared("#gallery")
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


def test_photos_are_added_by_choosing_and_by_dropping(open_shared: Open, photos: Path) -> None:
    page = open_shared("#gallery")
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
    open_shared: Open, photos: Path
) -> None:
    page = open_shared("#gallery")
    page.get_by_text("Add a performer").click()
    drop = page.locator("#new-photos").get_by_label("Photos, each with one face")
    drop.set_input_files(photos / "biden.jpg")
    expect(page.get_by_text("Give a name first, then choose")).to_be_visible()
    expect(drop).to_have_value("")  # the same file would be no change else
    page.get_by_label("Name", exact=True).fill("Joe Biden")
    drop.set_input_files(photos / "biden.jpg")
    expect(page.get_by_text("biden.jpg: added")).to_be_visible()


def test_photos_for_a_taken_name_ask_once_whose_they_are(open_shared: Open, photos: Path) -> None:
    page = open_shared("#gallery")
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
    open_shared: Open, photos: Path, how: str
) -> None:
    page = open_shared("#gallery")
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


def test_a_performer_is_renamed_merged_and_loses_a_photo(open_shared: Open) -> None:
    page = open_shared("#performer/2")
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
    open_shared: Open, gallery: Path
) -> None:
    gallery.unlink()
    flawed_gallery(gallery)
    page = open_shared("#gallery")
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


def test_a_gallery_with_nothing_to_look_at_says_so(open_shared: Open) -> None:
    page = open_shared("#gallery")
    summary = page.locator("#audit summary")
    expect(summary).to_have_text("What to look at: nothing")
