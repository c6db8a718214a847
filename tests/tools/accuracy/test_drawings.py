"""Drawings of figures."""

import xml.etree.ElementTree as ET

from tools.accuracy.drawings import BOTTOM, LEFT, RIGHT, TOP, Axes, draw_misses, draw_reliability
from tools.accuracy.figures import CurvePoint
from tools.accuracy.reliabilities import ReliabilityBin

SVG = "{http://www.w3.org/2000/svg}"
BINS = (ReliabilityBin(1, 40, 0.15, 0.1), ReliabilityBin(9, 73, 0.97, 1.0))
CURVE = (CurvePoint(50, 0.4, 0.1), CurvePoint(90, 0.02, 0.3), CurvePoint(99, 0.0, 0.52))


def _misses(label: str = "1 enrolled") -> str:
    return draw_misses([(label, CURVE)], strangers=400, score=90, about="5 people & 1 <dog>")


def _places(drawing: str) -> list[tuple[float, float]]:
    """Return where the circles are."""
    circles = ET.fromstring(drawing).iter(f"{SVG}circle")
    return [(float(one.get("cx", "")), float(one.get("cy", ""))) for one in circles]


def _texts(drawing: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(drawing).iter(f"{SVG}text")]


def test_drawings_are_well_formed_say_what_they_show_and_load_nothing() -> None:
    for drawing in (draw_reliability(BINS, "5 people & 1 <dog>"), _misses("a < b")):
        root = ET.fromstring(drawing)
        assert root.tag == f"{SVG}svg"
        assert "5 people & 1 <dog>" in (root.findtext(f"{SVG}title") or "")
        assert "Across: " in (root.findtext(f"{SVG}desc") or "")
        assert "href" not in drawing
        assert "prefers-color-scheme:dark" in drawing


def test_the_same_figures_give_the_same_bytes() -> None:
    assert draw_reliability(BINS, "5 people") == draw_reliability(BINS, "5 people")
    assert _misses() == _misses()


def test_a_tenth_lies_where_its_score_and_its_truth_cross_and_has_its_count() -> None:
    drawing = draw_reliability(BINS, "5 people")
    (left, low), (right, high) = _places(drawing)
    assert (left, low) == (
        round(LEFT + 0.15 * (RIGHT - LEFT), 1),
        round(0.9 * BOTTOM + 0.1 * TOP, 1),
    )
    assert (right, high) == (round(LEFT + 0.97 * (RIGHT - LEFT), 1), TOP)
    assert {"40", "73"} <= set(_texts(drawing))


def test_the_threshold_in_use_has_a_ring_on_the_curve() -> None:
    (ring,) = _places(_misses())
    axes = Axes(top=0.6, least=1 / 400)
    assert ring == tuple(round(at, 1) for at in axes.place(0.02, 0.3))
    assert axes.place(0.02, 0.6)[1] == TOP


def test_a_log_axis_gives_each_factor_of_ten_the_same_room_and_none_its_edge() -> None:
    axes = Axes(top=1, least=0.001)
    places = [axes.place(share, 0)[0] for share in (0, 0.0005, 0.01, 0.1, 1)]
    assert places[0] == places[1] == LEFT
    assert places[-1] == RIGHT
    assert abs((places[3] - places[2]) - (places[4] - places[3])) < 1e-6
