"""Figures as inline SVG in the page's own colours and font: text stays text, and ids are the figure's own."""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK: Final = "#010203"
FAINT: Final = "#040506"
GRID: Final = "#070809"
PAGE: Final = "#0a0b0c"
"""Stand-ins that `to_svg` turns into the page's own colours, so that one picture does for light and dark."""

_NAMES: Final = {INK: "var(--ink)", FAINT: "var(--faint)", GRID: "var(--rule)", PAGE: "var(--page)"}

SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10.0,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": "none",
}


def to_svg(draw: Callable[[], Figure], *, name: str, label: str) -> str:
    """Draw a figure under the page's settings and give it as one `<svg>` element.

    Args:
        draw: makes the figure.
        name: prefix of all ids, unique on the page.
        label: what the picture shows, for those who cannot see it.
    """
    with quiet(), mpl.rc_context({**SETTINGS, "svg.hashsalt": name}):
        out = io.StringIO()
        draw().savefig(
            out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.S)
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"', text)
    text = re.sub(r'href="#([^"]*)"', lambda m: f'href="#{name}-{m[1]}"', text)
    text = re.sub(r"url\(#([^)]*)\)", lambda m: f"url(#{name}-{m[1]})", text)
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.S)
    text = re.sub(r"font-family: 'DejaVu Sans'[^;\"]*", "font-family: var(--sans)", text)
    for stand_in, named in _NAMES.items():
        text = text.replace(stand_in, named)
    text = re.sub(r"(fill|stroke): (#[0-9a-f]{6})", lambda m: f"{m[1]}: {themed(m[2])}", text)
    text = re.sub(r"\s*\n\s*", "\n", text)
    alt = flat(label).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    head = f'<svg role="img" aria-label="{alt}" stroke-linejoin="round" '
    return text.replace("<svg ", head, 1).strip()


def flat(text: str) -> str:
    """Give text on one line, of printable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def short(text: str, most: int) -> str:
    """Give text for a picture: on one line, of printable characters, cut to `most` of them."""
    line = flat(text)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out warnings on letters that matplotlib's font lacks: an SVG is set in the reader's font."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield


def themed(colour: str) -> str:
    """Give a colour as CSS that a dark page may replace by a lighter one: `var(--c0072b2, #0072b2)`."""
    return f"var(--c{colour[1:]}, {colour})"


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


def letters_at_end(
    axes: Axes, x: float, points: list[tuple[float, str, str]], *, gap: float, low: float, high: float
) -> None:
    """Write a letter right of each line's last point, moved apart and tied to it by a thin leader.

    Args:
        axes: with limits set; `x` is the last point in data units, labels stand in the right margin.
        points: height, letter and colour of each line.
        gap: least distance of two letters, in data units.
        low: lower limit of the axes.
        high: upper limit of the axes.
    """
    places = spread([y for y, _, _ in points], gap=gap, low=low, high=high)
    for (y, letter, colour), place in zip(points, places, strict=True):
        axes.annotate(
            letter,
            (x, y),
            xytext=(1.045, place),
            textcoords=("axes fraction", "data"),
            color=colour,
            fontsize=9,
            fontweight="bold",
            va="center",
            ha="left",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 0.6,
                "alpha": 0.6,
                "shrinkA": 1,
                "shrinkB": 4,
            },
        )
