"""The picture of the page in the README."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.support.browsers import chromium
from tests.support.drawings import draw_page

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "page.svg"
SVG = "{http://www.w3.org/2000/svg}"


def texts(drawing: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(drawing).iter(f"{SVG}text")]


def test_the_picture_is_a_small_drawing_that_holds_no_photograph_and_loads_nothing() -> None:
    drawing = PICTURE.read_text()
    assert len(drawing) < 60_000
    assert {one.tag.removeprefix(SVG) for one in ET.fromstring(drawing).iter()} <= {
        *("svg", "title", "clipPath", "g", "path", "rect", "ellipse", "text")
    }
    assert "href" not in drawing
    assert "data:" not in drawing


def test_the_picture_shows_the_buttons_that_the_page_has() -> None:
    modules = "".join(
        path.read_text() for path in (ROOT / "function" / "web" / "page" / "assets").glob("*.js")
    )
    said = texts(PICTURE.read_text())
    for button in ("Yes, right", "Not this person", "Someone else …", "Name this person …"):
        assert button in said
        assert f'"{button}"' in modules


def test_a_page_is_drawn_where_it_lies_and_its_pictures_become_silhouettes() -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 300, "height": 200})
        page.set_content(
            """<body style="margin: 0"><article style="margin: 10px; border: 1px solid #123456">
            <img style="width: 50px; height: 50px" alt="" src="data:,">
            <b>Ada &lt;b&gt;</b><p hidden>Nobody</p></article>"""
        )
        drawing = draw_page(page, 150, "Two & three")
    assert texts(drawing) == ["Ada <b>"]
    assert "#123456" in drawing
    (place,) = re.findall(r"translate\(([\d.]+) ([\d.]+)\) scale\(0.5\)", drawing)
    assert [float(one) for one in place] == [11, 11]
    assert drawing.count("<ellipse") == 1
