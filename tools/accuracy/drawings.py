"""Draws figures as SVG: whether scores come true, and misses against strangers named.

Plain text without scripts or fonts; the same figures give the same bytes. Each drawing has its own
ground, so it can be read on a light and on a dark page.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tools.accuracy.figures import CurvePoint
from tools.accuracy.reliabilities import ReliabilityBin

WIDTH, HEIGHT = 640, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 616, 72, 356
"""The corners of the field that the axes span, in pixels."""

OF_DRAWINGS = b'class="ground"'
"""Stands near the beginning of each drawing: by it a file is known as one."""

LEGEND_WIDTH, LEGEND_STEP = 224, 20

COLOURS = ("#3f7fd9", "#d9682b", "#239a68", "#a668cc")
"""One a line, each clear on white and on black."""

STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.ground{fill:#fff}.grid{stroke:#d8dde3}"
    ".line{fill:none;stroke-width:2}.true{stroke:#8a929b;stroke-dasharray:5 4}"
    "@media(prefers-color-scheme:dark){text{fill:#e3e8ee}.ground{fill:#14181d}.grid{stroke:#39414a}}"
)


@dataclass(frozen=True)
class Axes:
    """What the field spans: y from 0 to `top`; x from 0 to 1, or from `least` on a log scale.

    On a log scale 0 has no place; it is drawn at the left edge, half of `least`.
    """

    top: float
    least: float | None = None

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point (shares from 0 to 1) lies, in pixels."""
        if self.least is not None:
            edge = math.log(self.least / 2)
            x = 1 - math.log(max(x, self.least / 2)) / edge
        return LEFT + x * (RIGHT - LEFT), BOTTOM - y / self.top * (BOTTOM - TOP)


def draw_reliability(bins: Sequence[ReliabilityBin], about: str) -> str:
    """Draw what scores promised against what came true; on the dashed line both are equal.

    `about` says in a few words what was measured.
    """
    axes = Axes(top=1.0)
    tenths = [number / 10 for number in range(11)]
    places = [axes.place(one.promised, one.true) for one in bins]
    shapes = [
        *_grid(axes, [(at, f"{100 * at:.0f}") for at in tenths], tenths[::2]),
        _polyline([axes.place(0, 0), axes.place(1, 1)], "true"),
        _polyline(places, "line", COLOURS[0]),
        *(_circle(place, 4, f'fill="{COLOURS[0]}"') for place in places),
        *(
            _text(axes.place((one.tenth + 0.5) / 10, 1)[0], TOP - 8, str(one.count), "middle")
            for one in bins
        ),
        _text(LEFT, TOP - 28, "searches with a score in each tenth:"),
    ]
    names = ("score of the first name (%)", "right (%)")
    return _document(f"What scores promise, and what comes true: {about}", names, shapes)


def draw_misses(
    curves: Sequence[tuple[str, Sequence[CurvePoint]]], strangers: int, score: float, about: str
) -> str:
    """Draw the share of enrolled who are not named right against that of strangers who are named.

    Each curve has a label and a point for each threshold; that of `score` gets a ring. `strangers`
    is how many were searched for: one of them is the least that can be seen.
    """
    highest = max((point.missed for _, points in curves for point in points), default=1.0)
    least = 1 / max(strangers, 2)
    axes = Axes(top=max(math.ceil(10 * highest) / 10, 0.1), least=least)
    decades = [10.0**power for power in range(-6, 1) if 10.0**power >= least]
    across = [(0.0, "0"), *((at, f"{100 * at:g}") for at in decades)]
    shapes = [
        *_grid(axes, across, [step / 10 for step in range(round(10 * axes.top) + 1)]),
        *(
            shape
            for row, (_, points) in enumerate(curves)
            for shape in _curve(axes, row, points, score)
        ),
        *_legend([label for label, _ in curves]),
        _text(LEFT, TOP - 16, f"Rings: the threshold in use, a score of {score:g}"),
    ]
    names = ("strangers named (%, log scale)", "enrolled not named right (%)")
    return _document(f"Misses and strangers named: {about}", names, shapes)


def _curve(axes: Axes, row: int, points: Sequence[CurvePoint], score: float) -> list[str]:
    colour = COLOURS[row % len(COLOURS)]
    places = [axes.place(point.strangers_named, point.missed) for point in points]
    ring = f'class="ground" stroke="{colour}" stroke-width="2"'
    return [
        _polyline(places, "line", colour),
        *(
            _circle(place, 5, ring)
            for place, point in zip(places, points, strict=True)
            if point.score == score
        ),
    ]


def _legend(labels: Sequence[str]) -> list[str]:
    left, top = RIGHT - LEGEND_WIDTH, TOP + 8
    height = LEGEND_STEP * len(labels) + 6
    shapes = [
        f'<rect class="ground" x="{left}" y="{top}" width="{LEGEND_WIDTH - 8}" height="{height}"/>'
    ]
    for row, label in enumerate(labels):
        y = top + LEGEND_STEP * (row + 1) - 3
        sample = [(left + 8, y - 4), (left + 32, y - 4)]
        shapes.append(_polyline(sample, "line", COLOURS[row % len(COLOURS)]))
        shapes.append(_text(left + 40, y, label))
    return shapes


def _grid(axes: Axes, across: Sequence[tuple[float, str]], up: Sequence[float]) -> list[str]:
    shapes = []
    for at, label in across:
        x = axes.place(at, 0)[0]
        shapes.append(f'<path class="grid" d="M{_n(x)} {TOP}V{BOTTOM}"/>')
        shapes.append(_text(x, BOTTOM + 20, label, "middle"))
    for at in up:
        y = axes.place(0, at)[1]
        shapes.append(f'<path class="grid" d="M{LEFT} {_n(y)}H{RIGHT}"/>')
        shapes.append(_text(LEFT - 8, y + 4, f"{100 * at:.0f}", "end"))
    return shapes


def _document(title: str, axis_names: tuple[str, str], shapes: Sequence[str]) -> str:
    across, up = axis_names
    middle = (TOP + BOTTOM) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(f'Across: {across}. Up: {up}.')}</desc>",
        f"<style>{STYLE}</style>",
        f'<rect {OF_DRAWINGS.decode()} width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        *shapes,
        _text(WIDTH / 2, 26, title, "middle"),
        _text((LEFT + RIGHT) / 2, BOTTOM + 46, across, "middle"),
        f'<g transform="translate(22 {_n(middle)}) rotate(-90)">{_text(0, 0, up, "middle")}</g>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _polyline(places: Sequence[tuple[float, float]], kind: str, colour: str = "") -> str:
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in places)
    stroke = f' stroke="{colour}"' if colour else ""
    return f'<polyline class="{kind}"{stroke} points="{points}"/>'


def _circle(place: tuple[float, float], radius: int, paint: str) -> str:
    x, y = place
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{radius}" {paint}/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{escape(text)}</text>'


def _n(number: float) -> str:
    return f"{round(number, 1):g}"
