"""How a method looks everywhere on a page: one colour, one marker, one letter. Readable without colour."""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ecglipse.report.inline import themed
from ecglipse.report.methods import FLOORS
from ecglipse.report.summary import Summary

GREY: Final = "#7a7f87"
CANDIDATES: Final = ("#d55e00", "#0072b2", "#cc79a7", "#009e73")
OTHERS: Final = ("#009e73", "#e69f00", "#56b4e9", "#cc79a7", "#8c6d00", "#004d73")
"""Okabe and Ito 2008 (jfly.uni-koeln.de/color), without their yellow and black, which vanish on white and on
black paper; the last two of `OTHERS` are darker shades of it."""

MARKERS: Final = {"candidate": "oDp*", "other": "s^vh<>", "floor": "XPd8"}
"""By role, so that no two methods of a usual study share one."""
_PATHS: Final = {
    "o": '<circle cx="6" cy="6" r="4"/>',
    "s": '<rect x="2.5" y="2.5" width="7" height="7"/>',
    "D": '<path d="M6 1 11 6 6 11 1 6z"/>',
    "^": '<path d="M6 1.5 10.7 10H1.3z"/>',
    "v": '<path d="M6 10.5 1.3 2h9.4z"/>',
    "P": '<path d="M4.3 1.5h3.4v2.8h2.8v3.4H7.7v2.8H4.3V7.7H1.5V4.3h2.8z"/>',
    "<": '<path d="M1.5 6 10 1.3v9.4z"/>',
    "X": '<path d="M3.5 1.5 6 4l2.5-2.5 2 2L8 6l2.5 2.5-2 2L6 8l-2.5 2.5-2-2L4 6 1.5 3.5z"/>',
    ">": '<path d="M10.5 6 2 1.3v9.4z"/>',
    "p": '<path d="M6 1.2 10.8 4.7 9 10.3H3L1.2 4.7z"/>',
    "h": '<path d="M6 1.2 10.2 3.6v4.8L6 10.8 1.8 8.4V3.6z"/>',
    "d": '<path d="M6 .8 9 6 6 11.2 3 6z"/>',
    "8": '<path d="M4.1 1.5h3.8l2.6 2.6v3.8l-2.6 2.6H4.1L1.5 7.9V4.1z"/>',
    "*": '<path d="M6 .8 7.5 4.5l3.9.2-3 2.5 1 3.8L6 8.9 2.6 11l1-3.8-3-2.5 3.9-.2z"/>',
}


@dataclass(frozen=True)
class Look:
    """How a method looks.

    Args:
        style: class of the page that holds its colour, and width and dashes of its lines.
        colour: #rrggbb.
        marker: id of its marker among the page's `<defs>`.
        letter: its name in pictures.
        dash: of its lines, CSS pixels; "" for a whole one.
        strong: whether the study is about it.
    """

    style: str
    colour: str
    marker: str
    letter: str
    dash: str
    strong: bool


def looks(summary: Summary) -> dict[str, Look]:
    """Give each method its look: candidates strong and solid, other methods thin, floors grey and dashed."""
    chosen: dict[str, Look] = {}
    names = {m.name for m in summary.candidates()}
    colours = {"candidate": CANDIDATES, "other": OTHERS, "floor": (GREY,)}
    counts = dict.fromkeys(colours, 0)
    for number, method in enumerate(summary.methods):
        role = "candidate" if method.name in names else "floor" if method.kind in FLOORS else "other"
        n = counts[role]
        counts[role] += 1
        chosen[method.name] = Look(
            f"k{number}",
            colours[role][n % len(colours[role])],
            _id(MARKERS[role][n % len(MARKERS[role])]),
            _letter(number),
            ("2 3", "6 3", "6 3 2 3")[n % 3] if role == "floor" else "",
            role == "candidate",
        )
    return chosen


def _letter(number: int) -> str:
    """A .. Z, then AA, AB ..."""
    letters = string.ascii_uppercase
    return letters[number] if number < 26 else letters[number // 26 - 1] + letters[number % 26]


def _id(marker: str) -> str:
    return f"m{list(_PATHS).index(marker)}"


def markers() -> str:
    """Give the page's markers, each once, centred on their own origin."""
    held = "".join(
        f'<g id="{_id(name)}" transform="translate(-6 -6)">{shape}</g>' for name, shape in _PATHS.items()
    )
    return f'<svg class="defs" width="0" height="0" aria-hidden="true"><defs>{held}</defs></svg>'


def styles(look: Mapping[str, Look]) -> str:
    """Give the CSS rules of all looks."""
    rules = []
    for one in look.values():
        rules.append(f".{one.style}{{color:{themed(one.colour)}}}")
        line = "stroke-width:2.6;" if one.strong else ""
        line += f"stroke-dasharray:{one.dash};" if one.dash else ""
        rules += [f".{one.style} .l{{{line}}}"] if line else []
    return "\n".join(rules)


def swatch(look: Look) -> str:
    """Give the marker as a small inline SVG, to stand before the method's name; it says nothing by itself."""
    return (
        f'<svg class="s {look.style}" viewBox="-6 -6 12 12" aria-hidden="true">'
        f'<use href="#{look.marker}"/></svg>'
    )
