"""What a user does in the page of a real Stash."""

from playwright.sync_api import Page, expect

from tests.support.live_stash import PLUGIN, LiveStash, ask_ours, wait_for, wait_for_quiet

FIRST_LOOK_MILLISECONDS = 60_000


def install(page: Page, address: str, ours: str, kind: str, tab: str) -> None:
    """Add our source of plugins or scrapers, and install what it offers."""
    page.goto(f"{address}/settings?tab={tab}")
    page.get_by_role("button", name="Add Source").click()
    fields = page.locator(".modal.show input")
    fields.nth(0).fill("Recognition")
    fields.nth(1).fill(f"{ours}/stash/{kind}/index.yml")
    page.locator(".modal.show").get_by_role("button", name="Confirm").click()
    page.get_by_text("Recognition", exact=True).click()
    rows = page.locator("tr").filter(has_text=PLUGIN)
    rows.locator("input[type=checkbox]").check()
    page.get_by_role("button", name="Install", exact=True).click()
    expect(rows).to_have_count(2)  # it is among those that are installed, too


def open_faces(page: Page, address: str, stash: LiveStash, film: str) -> None:
    """Open the tab Faces of one of our films."""
    page.goto(f"{address}/scenes/{stash.scene(film)['id']}")
    page.locator("[data-rb-event-key=performer-recognition-panel]").click()
    page.locator(".recognition-faces").wait_for()


def see_people(page: Page) -> None:
    """Wait for the faces; press the button where nobody has looked yet."""
    found = page.locator(".recognition-faces")
    first = found.locator("article").or_(found.get_by_role("button", name="Find people")).first
    first.wait_for(timeout=FIRST_LOOK_MILLISECONDS)
    if page.locator(".recognition-faces article").count() == 0:
        found.get_by_role("button", name="Find people").click()
        page.locator(".recognition-faces article").first.wait_for(timeout=FIRST_LOOK_MILLISECONDS)


def run_in_page(page: Page, address: str, ours: str, task: str) -> None:
    """Run a task as a user does, and wait until our server has done what it queued."""

    def newest() -> int:
        return max((one["id"] for one in ask_ours(ours, "/stash/status")["tasks"]), default=0)

    before = newest()
    page.goto(f"{address}/settings?tab=tasks")
    page.get_by_role("button", name=task, exact=True).click()
    wait_for(lambda: newest() > before)
    wait_for_quiet(ours)
