"""The page behind a proxy that serves it under a path of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.browsers import PATIENCE_MS, Open
from tests.support.proxies import proxy_to
from tests.support.servers import running_server

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def address(page_media: Path, gallery_path: Path, tmp_path: Path) -> Iterator[str]:
    settings = {"MEDIA_ROOT": page_media, "PERFORMERS_DB": gallery_path}
    settings["LIBRARY_DB"] = tmp_path / "library.db"
    with (
        running_server(tmp_path / "log", **settings) as server,
        proxy_to(server, "/faces/of") as address,
    ):
        yield address


def test_every_view_works_under_a_path_of_a_proxy(address: str, open_page: Open) -> None:
    page = open_page(f"{address}/")
    page.get_by_role("button", name="two.mp4").click()
    expect(page.locator("article").first).to_contain_text("Barack Obama", timeout=60_000)
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("link", name="Barack Obama")).to_be_visible()
    picture = page.locator("main img").first
    expect(picture).to_have_js_property("complete", value=True)
    for view in ("library", "strangers", "review"):
        page.goto(f"{address}/#{view}")
        expect(page.locator("main h1:visible, main h2:visible").first).to_be_visible()
