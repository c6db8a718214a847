"""Pictures of the page, made anew: `make screenshot`. Those with photographs stay out of git."""

import json
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from db.sqlite.gallery import SqliteGallery
from function.engines.loading import load_engine
from function.engines.protocol import EngineOptions
from tests.support.browsers import ARGUMENTS, CHROMIUM
from tests.support.drawings import draw_page
from tests.support.servers import ROOT, running_server
from tools.footage.photos import fetch_photos
from tools.footage.videos import moving_picture, read_portrait, write_video
from tools.imports.enrol import enrol_all
from tools.sources.folder import read_folder

DOCS = ROOT / "docs"
PEOPLE = {"Barack Obama": ("obama1.jpg", "obama2.jpg"), "Grace Hopper": ("hopper.jpg",)}
SHOTS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1000, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1000, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}


def main() -> None:
    """Enrol two people, film them and somebody else, and picture what the page makes of it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        media = _film(fetch_photos(), folder / "media")
        gallery = _enrol(fetch_photos(), folder)
        settings = {"MEDIA_ROOT": media, "PERFORMERS_DB": gallery}
        with (
            running_server(folder / "server.log", **settings) as address,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            for name, look in SHOTS.items():
                path = DOCS / f"screenshot-{name}.png"
                _picture(browser, address, look, path)
                print(path)  # noqa: T201  # the result
            _draw(browser, address, DOCS / "page.svg")
            browser.close()


def _film(photos: Path, media: Path) -> Path:
    (media / "Interviews").mkdir(parents=True)
    pictures = (
        picture
        for name in ("obama3.jpg", "astronaut.png", "hopper.jpg", "obama3.jpg")
        for picture in moving_picture(read_portrait(photos / name), 4, size=(1280, 720))
    )
    write_video(media / "Evening news.mp4", pictures)
    return media


def _enrol(photos: Path, folder: Path) -> Path:
    for name, files in PEOPLE.items():
        (folder / "people" / name).mkdir(parents=True)
        for file in files:
            shutil.copy(photos / file, folder / "people" / name)
        link = {"urls": [f"https://en.wikipedia.org/wiki/{name.replace(' ', '_')}"]}
        (folder / "people" / name / "performer.json").write_text(json.dumps(link))
    path = folder / "performers.db"
    with SqliteGallery(path, create=True) as gallery:
        engine = load_engine("auto", EngineOptions())
        assert list(enrol_all(read_folder(folder / "people"), gallery, engine))
    return path


def _draw(browser: Browser, address: str, path: Path) -> None:
    """Draw the results as they are on a page high enough for all of them."""
    page = _results(browser, address, SHOTS["light"] | {"viewport": {"width": 900, "height": 2000}})
    page.evaluate(
        """() => {
          for (const one of document.querySelectorAll("#identify > :not(#results)"))
            one.hidden = true;
          document.activeElement.blur();
          scrollTo(0, 0);
        }"""
    )
    bottom = page.locator("#people").evaluate("(one) => one.getBoundingClientRect().bottom")
    path.write_text(draw_page(page, round(bottom) + 20, "The page shows who is in a video"))
    print(path)  # noqa: T201  # the result
    page.close()


def _results(browser: Browser, address: str, look: dict[str, object], **options: int) -> Page:
    page = browser.new_page(**look, **options)  # type: ignore[arg-type]
    page.goto(address)
    page.get_by_role("button", name="Evening news.mp4").click()
    page.get_by_role("article").first.wait_for(timeout=60_000)
    page.wait_for_timeout(600)
    return page


def _picture(browser: Browser, address: str, look: dict[str, object], path: Path) -> None:
    page = _results(browser, address, look, device_scale_factor=2)
    page.locator("#results").evaluate("(one) => one.scrollIntoView({block: 'start'})")
    page.screenshot(path=path)
    page.close()


if __name__ == "__main__":
    main()
