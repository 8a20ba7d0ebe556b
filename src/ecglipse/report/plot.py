"""Small inline SVG plots: panels, axes, lines, bands and markers, styled by the page's classes. Pure.

The page draws some hundred panels: as elements of a few bytes that share classes and markers they take a
tenth of the space that matplotlib's take, and none of its time. Colours are those of the class `kN` that
stands around a method's elements; markers are the page's own `<defs>`; see `ecglipse.report.looks`.
"""

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ecglipse.report.inline import flat

Point = tuple[float, float]
"""Right and down from the picture's upper left corner, CSS pixels."""


@dataclass(frozen=True)
class Panel:
    """A rectangle of a picture and what its edges mean; y grows upwards, `log` x is logarithmic.

    Args:
        left: of the picture's left edge, CSS pixels; so are `top`, `width` and `height`.
        top: below the picture's upper edge.
        width: of the panel.
        height: of the panel.
        x: values at its left and right edge.
        y: values at its lower and upper edge.
        log: whether x is logarithmic.
    """

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]
    log: bool = False

    @property
    def bottom(self) -> float:
        """Of the panel, CSS pixels."""
        return self.top + self.height

    def at(self, x: float, y: float) -> Point:
        """Give where a value lies; what lies outside is put on the edge."""
        low, high, value = (math.log(v) if self.log else v for v in (*self.x, x))
        share = (value - low) / (high - low) if high > low else 0.5
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + self.width * share, self.bottom - self.height * min(1.0, max(0.0, up))


def short_number(value: float) -> str:
    """Give a coordinate to a tenth of a pixel, which is more than a screen shows."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def path(points: Sequence[Point]) -> str:
    """Give the path data of a line through points, each relative to the last as it was rounded."""
    steps, before = [], (0.0, 0.0)
    for number, point in enumerate(points):
        step = [short_number(value - old) for value, old in zip(point, before, strict=True)]
        before = before[0] + float(step[0]), before[1] + float(step[1])
        steps.append(("l" if number else "M") + step[0] + ("" if step[1].startswith("-") else " ") + step[1])
    return "".join(steps)


def line(points: Sequence[Point], style: str = "l") -> str:
    """Give a line of a class of the page: "l" a method's, "f" a faint broken one."""
    return f'<path class="{style}" d="{path(points)}"/>' if points else ""


def band(low: Sequence[Point], high: Sequence[Point]) -> str:
    """Give the area between two lines over the same x."""
    return f'<path class="b" d="{path([*low, *reversed(high)])}z"/>' if low else ""


def bars(ends: Iterable[tuple[Point, Point]]) -> str:
    """Give straight strokes, such as intervals, as one element; none: nothing."""
    data = "".join(f"M{short_number(a[0])} {short_number(a[1])}L{short_number(b[0])} {short_number(b[1])}"
                   for a, b in ends)  # fmt: skip
    return f'<path class="l w" d="{data}"/>' if data else ""


def marker(name: str, point: Point, *, hollow: bool = False) -> str:
    """Give a marker of the page's `<defs>` at a point."""
    style = ' class="o"' if hollow else ""
    return f'<use href="#{name}" x="{short_number(point[0])}" y="{short_number(point[1])}"{style}/>'


def dots(points: Iterable[Point]) -> str:
    """Give small dots of a method's colour as one element; none: nothing."""
    data = "".join(f"M{short_number(x)} {short_number(y)}h0" for x, y in points)
    return f'<path class="i" d="{data}"/>' if data else ""


def words(text: str, point: Point, style: str = "") -> str:
    """Give text as text; `style` are classes of the page: "m" centred, "e" right-aligned, "h" bold."""
    classes = f' class="{style}"' if style else ""
    place = f'x="{short_number(point[0])}" y="{short_number(point[1])}"'
    return f"<text {place}{classes}>{html.escape(flat(text))}</text>"


def x_axis(panel: Panel, ticks: Sequence[tuple[float, str]], *, grid: bool = False) -> str:
    """Give the axis at a panel's foot, with a label at each tick."""
    places = [panel.at(value, panel.y[0])[0] for value, _ in ticks]
    right = panel.left + panel.width
    lines = "".join(
        f"M{short_number(x)} {short_number(panel.top)}v{short_number(panel.height)}" for x in places
    )
    marks = "".join(f"M{short_number(x)} {short_number(panel.bottom)}v4" for x in places)
    edge = f"M{short_number(panel.left)} {short_number(panel.bottom)}H{short_number(right)}"
    said = (words(text, (x, panel.bottom + 16), "m") for x, (_, text) in zip(places, ticks, strict=True))
    return (
        (f'<path class="g" d="{lines}"/>' if grid else "")
        + f'<path class="a" d="{edge}{marks}"/>'
        + "".join(said)
    )


def y_axis(panel: Panel, values: Sequence[float], *, labels: bool = True) -> str:
    """Give grid lines over a panel at some values, with their numbers at its left."""
    places = [panel.at(panel.x[0], value)[1] for value in values]
    start, wide = short_number(panel.left), short_number(panel.width)
    lines = "".join(f"M{start} {short_number(y)}h{wide}" for y in places)
    said = (words(number_text(v), (panel.left - 6, y + 4), "e") for v, y in zip(values, places, strict=True))
    return f'<path class="g" d="{lines}"/>' + ("".join(said) if labels else "")


def ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Give round numbers between two ends, at most `most` and, where the ends differ, at least one."""
    if not high > low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = [size * power for size in (1, 2, 2.5, 5, 10, 20)]
    step = next(s for s in steps if math.floor(high / s + 1e-9) - math.ceil(low / s - 1e-9) < most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, last + 1)]


def number_text(value: float) -> str:
    """Give a tick's number, as short as it can be said."""
    return f"{value:g}".replace("-", "−")


def letters(panel: Panel, ends: Sequence[tuple[Point, str, str]]) -> str:
    """Write a letter right of each line's last point, moved apart and tied to it by a thin leader.

    Args:
        panel: whose right margin has room for two letters.
        ends: last point, letter and class of each line.
    """
    column = panel.left + panel.width + 14
    gap = min(12.0, panel.height / max(1, len(ends)))
    places = spread([point[1] for point, _, _ in ends], gap=gap, low=panel.top, high=panel.bottom)
    parts = []
    for (point, letter, style), y in zip(ends, places, strict=True):
        leader, name = line([point, (column - 3, y)], "l t"), words(letter, (column, y + 4), "h k")
        parts.append(f'<g class="{style}">{leader}{name}</g>')
    return "".join(parts)


def picture(parts: Iterable[str], *, width: float, height: float, label: str) -> str:
    """Give a whole `<svg>`; `label` is what it shows, for those who cannot see it."""
    size = f"0 0 {short_number(width)} {short_number(height)}"
    head = f'<svg class="p" role="img" aria-label="{html.escape(flat(label))}" viewBox="{size}">'
    return head + "".join(parts) + "</svg>"


def spread(wanted: list[float], *, gap: float, low: float, high: float) -> list[float]:
    """Move numbers apart until they are `gap` from each other, keeping their order and staying near.

    Args:
        wanted: where labels would like to be.
        gap: least distance between two of them.
        low: no label below this, as long as there is room.
        high: no label above this.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[list[float]] = []
    for i in order:
        blocks.append([wanted[i], 1.0])
        while len(blocks) > 1 and _first(blocks[-1], gap) - _last(blocks[-2], gap) < gap:
            centre, count = blocks.pop()
            blocks[-1] = [
                (blocks[-1][0] * blocks[-1][1] + centre * count) / (blocks[-1][1] + count),
                blocks[-1][1] + count,
            ]
    places: list[float] = []
    for block in blocks:
        places += [_first(block, gap) + gap * k for k in range(int(block[1]))]
    for i in range(len(places)):
        places[i] = max(places[i], places[i - 1] + gap if i else low)
    for i in reversed(range(len(places))):
        places[i] = min(places[i], places[i + 1] - gap if i + 1 < len(places) else high)
    result = [0.0] * len(wanted)
    for i, place in zip(order, places, strict=True):
        result[i] = place
    return result


def _first(block: list[float], gap: float) -> float:
    return block[0] - gap * (block[1] - 1) / 2


def _last(block: list[float], gap: float) -> float:
    return block[0] + gap * (block[1] - 1) / 2
