"""Draws docs/stash-faces.svg: the Faces tab in a real Stash, with silhouettes for the photographs.

`STASH_URL=... python -m tests.support.stash_drawing SCENE`; the plugin is installed there, and
connected.
"""

import os
import sys

from playwright.sync_api import sync_playwright

from tests.support.browsers import ARGUMENTS, CHROMIUM
from tests.support.drawings import draw_page
from tests.support.servers import ROOT

GOAL = ROOT / "docs" / "stash-faces.svg"
WIDTH = 640

ALONE = """() => {
  const faces = document.querySelector(".recognition-faces");
  const ground = getComputedStyle(document.body).backgroundColor;
  faces.style.padding = "12px";
  document.body.style.padding = "0";
  document.body.replaceChildren(faces);
  faces.querySelector("details")?.remove();
  document.activeElement.blur();
  for (const one of faces.querySelectorAll("article")) one.style.background = ground;
  for (const one of faces.querySelectorAll(".btn-link"))
    Object.assign(one.style, {borderColor: ground, background: ground});
  for (const one of faces.querySelectorAll("select")) {
    const shown = document.createElement("div");
    shown.className = one.className;
    shown.textContent = one.selectedOptions[0].textContent;
    one.replaceWith(shown);
  }
}"""
"""A drawing has no transparent ground, and no text that a control only shows."""


def main(scene: str) -> None:
    """Open a scene's faces, leave nothing else on the page, and draw that."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": 1600})
        page.goto(f"{os.environ['STASH_URL']}/scenes/{scene}")
        page.locator("[data-rb-event-key=performer-recognition-panel]").click()
        page.locator(".recognition-faces article").first.wait_for()
        page.evaluate(ALONE)
        bottom = page.locator(".recognition-faces").evaluate("(one) => one.offsetHeight")
        GOAL.write_text(draw_page(page, bottom, "The Faces tab shows who is in a scene"))
        print(GOAL)  # noqa: T201  # the result
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
