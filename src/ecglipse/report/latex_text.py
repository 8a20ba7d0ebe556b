"""Text and numbers as LaTeX sets them, and about how wide. Pure."""

import re
from typing import Final

from ecglipse.report.grids import Cell

_SYMBOLS: Final = (
    "↑uparrow ↓downarrow →to ≤le ≥ge ≠ne ≈approx ∞infty αalpha βbeta γgamma δdelta ΔDelta εepsilon λlambda "
    "μmu σsigma τtau ωomega ΩOmega"
)
"""What pdfLaTeX has no letters for, and its commands."""
_SPECIAL: Final = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "\\": "\\textbackslash{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "''",
    "`": "\\textasciigrave{}",
    "−": "$-$",
    "²": "\\textsuperscript{2}",
    **{pair[0]: f"$\\{pair[1:]}$" for pair in _SYMBOLS.split()},
}
_NARROW, _WIDE = frozenset(" .,:;'()[]|!fijlt"), frozenset("mwMW<>+-−%→@&")


def tex(text: str) -> str:
    """Give text that LaTeX sets as it stands: no command, no environment, no line of its own."""
    flat = re.sub(r"\s+", " ", text).strip()
    return "".join(_SPECIAL.get(c, c) for c in flat if c.isprintable())


def cell_tex(cell: Cell) -> str:
    """Give a number, over its interval if there is one."""
    if not cell.value:
        return "n/a"
    return f"\\ecgci{{{cell.value}}}{{{cell.ends[0]}}}{{{cell.ends[1]}}}" if cell.ends else f"${cell.value}$"


def text_width(text: str, size: float) -> float:
    """Give about how wide Computer Modern sets a text, points; `size` is the font's."""
    return size * sum(
        0.3 if c in _NARROW else 0.8 if c in _WIDE else 0.73 if c.isupper() else 0.53 for c in text
    )


def cell_width(cell: Cell, size: float) -> float:
    """Give about how wide a number is, points; its interval is set a point smaller, in a wider cut."""
    ends = f"[{cell.ends[0]}, {cell.ends[1]}]" if cell.ends else ""
    return max(text_width(cell.value or "n/a", size), 1.1 * text_width(ends, size - 1))
