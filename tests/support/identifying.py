"""Identifies a video on the page, and reads whom it shows."""

import re

from playwright.sync_api import Page, expect

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
