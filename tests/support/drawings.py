"""A page becomes an SVG drawing of what the browser laid out, with silhouettes for pictures."""

from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from playwright.sync_api import Page

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif"

TINTS = ("#c9d5e6 #566f93", "#e3d3e6 #84608f", "#d5e2d3 #5f8060", "#ecdcc8 #94744c")
"""Ground and figure of a silhouette; one pair for each card."""

SILHOUETTE = (
    '<rect width="100" height="100" rx="{radius}" fill="{ground}"/>'
    '<g fill="{figure}"><ellipse cx="50" cy="42" rx="17.5" ry="22"/>'
    '<path d="M12 100c1-16 8-23 22-26 5-1 7-3 7-8V56h18v10c0 5 2 7 7 8 14 3 21 10 22 26z"/></g>'
)

DRAWING = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="{fonts}">
<title>{title}</title>
<clipPath id="all"><rect width="{width}" height="{height}" rx="10"/></clipPath>
<g clip-path="url(#all)">
{shapes}
</g>
<rect x=".5" y=".5" width="{inner_width}" height="{inner_height}" rx="9.5" fill="none" \
stroke="#d3d7de"/>
</svg>
"""

MEASURE = """() => {
  const canvas = document.createElement("canvas").getContext("2d");
  const drawn = [];
  const cards = [...document.querySelectorAll("article")];
  const place = ({x, y, width, height}) => ({x, y, width, height});
  for (const element of document.querySelectorAll("body, body *")) {
    if (!element.checkVisibility() || element.closest(".skip")) continue;
    const style = getComputedStyle(element);
    if (!element.getBoundingClientRect().width) continue;
    drawn.push({
      ...place(element.getBoundingClientRect()),
      kind: element.tagName === "IMG" ? "picture" : "box",
      card: cards.indexOf(element.closest("article")),
      fill: style.backgroundColor,
      radius: parseFloat(style.borderTopLeftRadius) || 0,
      is_round: style.borderTopLeftRadius.endsWith("%"),
      borders: ["Top", "Right", "Bottom", "Left"].map((side) =>
        [parseFloat(style[`border${side}Width`]), style[`border${side}Color`]]),
    });
    for (const node of element.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
      canvas.font = style.font;
      const {fontBoundingBoxAscent: up, fontBoundingBoxDescent: down} = canvas.measureText("x");
      const range = document.createRange();
      const start = node.data.length - node.data.trimStart().length;
      range.setStart(node, start);
      range.setEnd(node, node.data.trimEnd().length);
      if (range.getClientRects().length > 1) throw new Error(`Make the page wider: ${node.data}`);
      const {x, y, width, height} = place(range.getBoundingClientRect());
      drawn.push({
        x, y: y + height * up / (up + down), width, height, kind: "text", text: node.data.trim(),
        fill: style.color, size: parseFloat(style.fontSize), weight: style.fontWeight,
        underlined: style.textDecorationLine === "underline",
      });
    }
  }
  return drawn;
}"""


@dataclass(frozen=True)
class Rectangle:
    """Where something lies, in CSS pixels, and how round its corners are."""

    x: float
    y: float
    width: float
    height: float
    radius: float

    def inside(self, top: float, right: float, bottom: float, left: float) -> str:
        """Return the path of what such borders leave; the corners become ellipses."""
        x, y = self.x + left, self.y + top
        width, height = self.width - left - right, self.height - top - bottom
        corners = [
            (max(self.radius - across, 0), max(self.radius - along, 0))
            for across, along in ((right, top), (right, bottom), (left, bottom), (left, top))
        ]
        (a, b), (c, d), (e, f), (g, h) = corners
        return (
            f"M{_n(x + g)} {_n(y)}H{_n(x + width - a)}a{_n(a)} {_n(b)} 0 0 1 {_n(a)} {_n(b)}"
            f"V{_n(y + height - d)}a{_n(c)} {_n(d)} 0 0 1 {_n(-c)} {_n(d)}"
            f"H{_n(x + e)}a{_n(e)} {_n(f)} 0 0 1 {_n(-e)} {_n(-f)}"
            f"V{_n(y + h)}a{_n(g)} {_n(h)} 0 0 1 {_n(g)} {_n(-h)}z"
        )

    def left_end(self) -> str:
        """Return the path of the left border with what belongs to it of the outer corners."""
        reach = 0.55 * self.radius
        rise = self.radius - (self.radius**2 - (self.radius - reach) ** 2) ** 0.5
        arc = f"A{_n(self.radius)} {_n(self.radius)} 0 0 0"
        below, bottom = self.y + self.height - self.radius, self.y + self.height - rise
        return (
            f"M{_n(self.x + reach)} {_n(self.y + rise)}"
            f"{arc} {_n(self.x)} {_n(self.y + self.radius)}"
            f"V{_n(below)}{arc} {_n(self.x + reach)} {_n(bottom)}z"
        )


def draw_page(page: Page, height: int, title: str) -> str:
    """Draw the top of a page, as high as that; texts keep the widths that they have there."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    shapes = [shape for one in page.evaluate(MEASURE) for shape in _shapes(one)]
    return DRAWING.format(
        fonts=FONTS,
        width=width,
        height=height,
        title=escape(title),
        shapes="\n".join(shapes),
        inner_width=width - 1,
        inner_height=height - 1,
    )


def _shapes(one: dict[str, Any]) -> list[str]:
    if one["kind"] == "text":
        return [_text(one)]
    half = min(one["width"], one["height"]) / 2
    radius = half if one["is_round"] else min(one["radius"], half)
    rectangle = Rectangle(one["x"], one["y"], one["width"], one["height"], radius)
    if one["kind"] == "picture":
        return [_silhouette(rectangle, one["card"])]
    return _box(rectangle, one["borders"], _colour(one["fill"]))


def _box(rectangle: Rectangle, borders: list[tuple[float, str]], fill: str) -> list[str]:
    """Paint the borders as a larger shape under the smaller one that they leave."""
    widths = [width for width, _ in borders]
    shapes = []
    if max(widths) > 0:
        _, colour = max(borders, key=lambda border: border[0]) if min(widths) == 0 else borders[0]
        shapes.append(_path(rectangle.inside(0, 0, 0, 0), _colour(colour)))
        if min(widths) > 0 and borders[3][1] != colour:
            shapes.append(_path(rectangle.left_end(), _colour(borders[3][1])))
    if fill or shapes:
        shapes.append(_path(rectangle.inside(*widths), fill or "#ffffff"))
    return shapes


def _silhouette(rectangle: Rectangle, card: int) -> str:
    ground, figure = TINTS[card % len(TINTS)].split()
    scale = rectangle.width / 100
    where = f"translate({_n(rectangle.x)} {_n(rectangle.y)}) scale({_n(scale)})"
    picture = SILHOUETTE.format(ground=ground, figure=figure, radius=_n(rectangle.radius / scale))
    return f'<g transform="{where}">{picture}</g>'


def _text(one: dict[str, Any]) -> str:
    bold = "" if one["weight"] == "400" else f' font-weight="{one["weight"]}"'
    line = ' text-decoration="underline"' if one["underlined"] else ""
    return (
        f'<text x="{_n(one["x"])}" y="{_n(one["y"])}" font-size="{_n(one["size"])}"{bold}{line} '
        f'fill="{_colour(one["fill"])}" textLength="{_n(one["width"])}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(one["text"])}</text>'
    )


def _path(outline: str, colour: str) -> str:
    return f'<path d="{outline}" fill="{colour}"/>'


def _colour(text: str) -> str:
    """Write `rgb(1, 2, 3)` as #010203, and what is transparent as nothing."""
    red, green, blue, *opacity = (float(one) for one in text[text.index("(") + 1 : -1].split(","))
    if opacity == [0]:
        return ""
    return f"#{int(red):02x}{int(green):02x}{int(blue):02x}"


def _n(number: float) -> str:
    return f"{round(number, 2):g}"
