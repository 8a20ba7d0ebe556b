"""The page of what a preparation left out or flagged: a few recordings drawn, all reasons counted. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

import jinja2
import numpy as np
from jaxtyping import Float
from markupsafe import Markup

_COLUMNS, _WIDTH, _ROW = 2, 480, 44
"""Strips side by side; width and height of a strip, units of the picture."""
_GAP, _LABEL = 16, 34
_LOWEST_MV = 1.0
"""A strip is at least so high."""


@dataclass(frozen=True)
class Picture:
    """A recording that is drawn.

    Args:
        name: of the recording.
        reason: why it was left out or flagged.
        message: the same in a sentence.
        kept: whether it is in the store, flagged.
        signal: mV.
        fs: Hz.
        leads: names of its rows.
    """

    name: str
    reason: str
    message: str
    kept: bool
    signal: Float[np.ndarray, "lead time"]
    fs: float
    leads: tuple[str, ...]


@dataclass(frozen=True)
class Counted:
    """How many recordings have a reason.

    Args:
        reason: a short word.
        meaning: in a few words; empty where the word says it.
        left_out: not in the store.
        flagged: rows of the store.
    """

    reason: str
    meaning: str
    left_out: int
    flagged: int


def render_rejects(
    title: str, facts: Mapping[str, str], counts: Sequence[Counted], pictures: Sequence[Picture]
) -> str:
    """Give the page as text; it needs nothing beside it, and all text in it is escaped."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(
        files("ecglipse.report").joinpath("rejects.html.j2").read_text("utf-8")
    )
    drawn = [{"about": picture, "svg": Markup(strips(picture)), "height": height_mv(picture.signal)}
             for picture in pictures]  # fmt: skip
    return template.render(title=title, facts=facts, counts=counts, drawn=drawn)


def height_mv(signal: Float[np.ndarray, "lead time"]) -> float:
    """How many millivolts a strip is high, to two digits: room for most samples of most leads.

    So one lead far out does not make lines of all others.
    """
    spans = [
        float(np.subtract(*np.percentile(finite, [99.5, 0.5])))
        for lead in signal
        if (finite := lead[np.isfinite(lead)]).size
    ]
    moving = [span for span in spans if span > 0]
    return float(f"{max(_LOWEST_MV, 3 * float(np.median(moving)) if moving else 0):.2g}")


def strips(picture: Picture) -> str:
    """Draw every lead over the whole time, as one `<svg>` in the page's colours.

    Of each of 480 columns the lowest and the highest sample are joined: no spike is lost. What is not a
    number is left open, what is beyond the strip is cut off there.
    """
    height = height_mv(picture.signal)
    rows = -(-len(picture.leads) // _COLUMNS)
    wide, high = _COLUMNS * (_LABEL + _WIDTH) + _GAP, rows * _ROW
    parts = [f'<svg role="img" aria-label="{len(picture.leads)} leads" viewBox="0 0 {wide} {high}">']
    for number, (lead, trace) in enumerate(zip(picture.leads, picture.signal, strict=True)):
        x = (number // rows) * (_LABEL + _WIDTH + _GAP)
        y = (number % rows) * _ROW
        middle = y + _ROW // 2
        path = _path(trace, x + _LABEL, middle, _ROW / height)
        parts.append(f'<path class="zero" d="M{x + _LABEL} {middle}h{_WIDTH}"/>')
        parts.append(f'<text x="{x}" y="{middle + 5}">{Markup.escape(lead)}</text><path d="{path}"/>')
    return "".join(parts) + "</svg>"


def _path(trace: Float[np.ndarray, " time"], left: int, middle: int, per_mv: float) -> str:
    """One lead about its median: each column's first, lowest, highest and last sample."""
    finite = np.isfinite(trace)
    if not finite.any():
        return ""
    about = np.where(finite, trace - np.median(trace[finite]), np.nan)
    edges = np.linspace(0, len(trace), min(_WIDTH, len(trace)) + 1).astype(int)
    low, high = np.fmin.reduceat(about, edges[:-1]), np.fmax.reduceat(about, edges[:-1])
    first, last = about[edges[:-1]], about[edges[1:] - 1]
    ends = np.stack([np.where(np.isnan(first), low, first), low, high, np.where(np.isnan(last), high, last)])
    reach = (_ROW // 2 - 1) / per_mv
    open_columns = np.isnan(low)
    heights = (middle - np.rint(np.clip(np.nan_to_num(ends), -reach, reach) * per_mv)).astype(int).T.tolist()
    parts, drawing = [], False
    for column, four in enumerate(heights):
        if open_columns[column]:
            drawing = False
            continue
        x = left + round(column * _WIDTH / len(heights))
        parts.append(f"{'L' if drawing else 'M'}{x} {four[0]}")
        parts += [f"V{height}" for before, height in pairwise(four) if height != before]
        drawing = True
    return "".join(parts)
