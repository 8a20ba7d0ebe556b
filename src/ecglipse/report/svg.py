"""Figures as inline SVG in the page's own colours and font: text stays text, and ids are the figure's own."""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from ecglipse.report.inline import flat, themed

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


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out warnings on letters that matplotlib's font lacks: an SVG is set in the reader's font."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield
