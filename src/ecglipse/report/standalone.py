"""Figures of the page as SVG files of their own, for a paper or a README: light, and with their key. Pure."""

import re
from collections.abc import Mapping
from html import escape

from ecglipse.report.inline import short
from ecglipse.report.looks import Look

FIGURES = {"labels": "over label fraction", "differences": "Forest of paired differences"}
"""Files `results-NAME.svg`, and what their picture's label says; of several, the first of the page."""
HEAD = r'<svg class="p" role="img" aria-label="([^"]*{}[^"]*)" viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>'
ROW = 18.0
"""Height of a row of the key, CSS pixels."""


def standalone(page: str, key: Mapping[str, Look]) -> dict[str, str]:
    """Give the figures by name, as many as there are.

    Args:
        page: the report's HTML.
        key: titles of the methods and how they are drawn.
    """
    style = page.partition("<style>")[2].partition("</style>")[0]
    light = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", style)
    rules = [rule for rule in re.findall(r"[^{}]+\{[^{}]*\}", light) if rule.strip()[0] in ":."]
    css = "".join(rule.strip() for rule in rules).replace("--page: #fbfaf8", "--page: #ffffff")
    defs = "".join(re.findall(r"<defs>.*?</defs>", page, flags=re.S))
    found = {}
    for name, label in FIGURES.items():
        drawn = re.search(HEAD.format(label) + "(.*?)</svg>", page, flags=re.S)
        if drawn is None:
            continue
        said, wide, high, body = drawn.groups()
        width, height = float(wide), float(high)
        below = height + ROW * (1 + -(-len(key) // 2))
        size = f'viewBox="0 0 {width:g} {below:g}" width="{width:g}" height="{below:g}"'
        found[name] = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="p" role="img" aria-label="{said}" '
            f'font-family="sans-serif" {size}>'
            f'<style>{css}</style>{defs}<rect width="100%" height="100%" fill="#ffffff"/>{body}'
            f"{_rows(key, width=width, top=height + ROW)}</svg>\n"
        )
    return found


def _rows(key: Mapping[str, Look], *, width: float, top: float) -> str:
    """The key in two columns: marker, letter and title of each method."""
    half, found = -(-len(key) // 2), []
    for n, (title, one) in enumerate(key.items()):
        x, y = 46 + width / 2 * (n // half), top + ROW * (n % half)
        found.append(
            f'<g class="{one.style}"><use href="#{one.marker}" x="{x:g}" y="{y - 4:g}"/>'
            f'<text class="h k" x="{x + 12:g}" y="{y:g}">{one.letter}</text></g>'
            f'<text x="{x + 28:g}" y="{y:g}">{escape(short(title, 62))}</text>'
        )
    return "".join(found)
