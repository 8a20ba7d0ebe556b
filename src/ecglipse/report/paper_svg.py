"""ECG paper with what a mask hides, as inline SVG: the same sheet as `ecglipse.report.paper` draws. Pure.

A recording is drawn once and used again under each mask, so a picture costs as much as what differs in it.
"""

import html
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from ecglipse.report.inline import flat, short
from ecglipse.report.sheet import MM_PER_INCH, Sheet, Strip, lay_out

SPEED_MM_S: Final = 25.0
GAIN_MM_MV: Final = 10.0
BAR_MM: Final = 1.0
HEAT_MM: Final = 2.6
COLUMN_MM: Final = 0.25
"""Of a trace: about a pixel of a screen at true size; what moves within it is drawn as one stroke."""
LEVELS: Final = 8
"""Of grey in the strips: shares are told apart to an eighth."""
UNIT: Final = 0.05
"""Millimetres of a step of a trace, so that its numbers are whole."""


def sheet_of(signal: Float[np.ndarray, "lead time"], fs: float) -> Sheet:
    """Lay out a recording, one lead below the other, with room for bar and strip under each.

    Args:
        signal: millivolts.
        fs: Hz.
    """
    below = HEAT_MM + BAR_MM + 0.8
    return lay_out(signal, fs, "12x1", speed_mm_s=SPEED_MM_S, gain_mm_mv=GAIN_MM_MV, below_mm=below)


def recording(
    signal: Float[np.ndarray, "lead time"], fs: float, sheet: Sheet, *, leads: Sequence[str], name: str
) -> str:
    """Give grid, traces and leads' names as a group that pictures of the page can use.

    Args:
        signal: millivolts; undefined samples leave a gap.
        fs: Hz.
        sheet: from `sheet_of`.
        leads: a name for each lead.
        name: the group's id, unique on the page; the grid is `name` with "g" behind it.
    """
    wide, high = round(sheet.width_mm, 2), round(sheet.height_mm, 2)
    grid = f'<rect class="ep" width="{wide:g}" height="{high:g}"/>'
    for style, step in (("en", 1), ("ej", 5)):
        down = "".join(f"M{x} 0v{high:g}" for x in range(0, int(wide) + 1, step))
        along = "".join(f"M0 {y}h{wide:g}" for y in range(0, int(high) + 1, step))
        grid += f'<path class="{style}" d="{down}{along}"/>'
    traces = "".join(
        f'<path class="et" d="{_trace(signal[strip.lead], fs, strip)}"/>' for strip in sheet.strips
    )
    pulses = "".join(
        f"M3 {high - strip.zero_mm:g}h2v-{GAIN_MM_MV:g}h5v{GAIN_MM_MV:g}h2" for strip in sheet.strips
    )
    names = "".join(
        f'<text class="el" x="{strip.x_mm + 0.8:g}" y="{high - strip.high_mm + 3.4:g}">'
        f"{html.escape(short(_named(leads[strip.lead], signal[strip.lead]), 40))}</text>"
        for strip in sheet.strips
    )
    scale = f"{SPEED_MM_S:g} mm/s · {GAIN_MM_MV:g} mm/mV · {fs:g} Hz"
    foot = f'<text class="eu" x="5" y="{high - 3:g}">{scale}</text>'
    moved = f'<g transform="translate(0 {high:g}) scale({UNIT:g} -{UNIT:g})">{traces}</g>'
    return (
        f'<svg class="defs" width="0" height="0" aria-hidden="true"><defs><g id="{name}g">{grid}</g>'
        f'<g id="{name}">{moved}<path class="ec" d="{pulses}"/>{names}{foot}</g></defs></svg>'
    )


def _named(lead: str, signal: Float[np.ndarray, " time"]) -> str:
    return lead if np.isfinite(signal).any() else f"{lead} (no signal)"


def _trace(signal: Float[np.ndarray, " time"], fs: float, strip: Strip) -> str:
    """Path data of one lead in steps of `UNIT`, upwards from the sheet's foot."""
    part = signal[strip.start : strip.stop]
    x = strip.x_mm + np.arange(part.size) * SPEED_MM_S / fs
    column = np.floor((x - strip.x_mm) / COLUMN_MM + 1e-6).astype(np.int64)
    kept = _extremes(part, column)
    places = np.stack([x, strip.zero_mm + part * GAIN_MM_MV], axis=1)[kept] / UNIT
    data, before = [], None
    for defined, (right, up) in zip(
        np.isfinite(part[kept]), np.nan_to_num(places).round().astype(int), strict=True
    ):
        if defined:
            if before is None:
                data.append(f"M{right} {up}")
            else:
                rise = up - before[1]
                data.append(f"l{right - before[0]}{'' if rise < 0 else ' '}{rise}")
        before = (right, up) if defined else None
    return "".join(data)


def _extremes(
    signal: Float[np.ndarray, " time"], column: Int[np.ndarray, " time"]
) -> Int[np.ndarray, " kept"]:
    """First and last sample of each column and its lowest and highest, in order; undefined ones stay."""
    edges = np.flatnonzero(np.diff(column, prepend=-1))
    ends = np.append(edges[1:], len(signal))
    if len(edges) == len(signal):
        return np.arange(len(signal))
    kept = [edges, ends - 1, np.flatnonzero(~np.isfinite(signal))]
    for filled, find in ((np.inf, np.argmin), (-np.inf, np.argmax)):
        there = np.where(np.isfinite(signal), signal, filled)
        kept.append(np.array([a + int(find(there[a:b])) for a, b in zip(edges, ends, strict=True)]))
    return np.unique(np.concatenate(kept))


def runs(values: Int[np.ndarray, " time"]) -> list[tuple[int, int, int]]:
    """Give the stretches of equal values as (first, one past the last, value)."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return [(a, b, int(values[a])) for a, b in pairwise(edges) if b > a]


def under_mask(
    name: str,
    sheet: Sheet,
    fs: float,
    hidden: Bool[np.ndarray, "lead time"],
    probability: Float[np.ndarray, "lead time"],
    *,
    title: str,
    label: str,
) -> str:
    """Give a picture of a recording under a mask: shaded, hatched and barred what one draw hides.

    The strip under each lead says how often each sample is hidden, white never and dark always.

    Args:
        name: of a `recording` on the page.
        sheet: as that recording's.
        fs: Hz.
        hidden: in one draw.
        probability: share of draws in which each sample is hidden.
        title: written above.
        label: what it shows, for those who cannot see it.
    """
    high, per_sample = sheet.height_mm, SPEED_MM_S / fs
    shade, foot = [], []
    heat: dict[int, list[str]] = {}
    frames = []
    for strip in sheet.strips:
        low = high - strip.low_mm - 0.4
        bar, tall = low - HEAT_MM - BAR_MM / 2, strip.high_mm - strip.low_mm - 0.8 - HEAT_MM
        for a, b, covered in runs(hidden[strip.lead, strip.start : strip.stop].astype(np.int64)):
            if covered:
                x, wide = strip.x_mm + a * per_sample, (b - a) * per_sample
                shade.append(f"M{x:.4g} {low - HEAT_MM:.4g}h{wide:.4g}v-{tall:.4g}h-{wide:.4g}z")
                foot.append(f"M{x:.4g} {bar:.4g}h{wide:.4g}")
        levels = np.rint(probability[strip.lead, strip.start : strip.stop] * LEVELS).astype(np.int64)
        for a, b, level in runs(levels):
            data = f"M{strip.x_mm + a * per_sample:.4g} {low - HEAT_MM / 2:.4g}h{(b - a) * per_sample:.4g}"
            heat.setdefault(level, []).append(data)
        wide = (strip.stop - strip.start) * per_sample
        frames.append(f"M{strip.x_mm:.4g} {low:.4g}h{wide:.4g}v-{HEAT_MM:.4g}h-{wide:.4g}z")
    strips = "".join(
        f'<path class="eh e{level}" d="{"".join(data)}"/>' for level, data in sorted(heat.items())
    )
    return (
        f'<svg class="e" role="img" aria-label="{html.escape(flat(label))}" '
        f'width="{true_width(sheet)}" viewBox="0 0 {sheet.width_mm:.4g} {high:.4g}"><use href="#{name}g"/>'
        f'<path class="es" d="{"".join(shade)}"/><path class="ex" d="{"".join(shade)}"/>'
        f'<path class="eb" d="{"".join(foot)}"/>{strips}<path class="ef" d="{"".join(frames)}"/>'
        f'<use href="#{name}"/><text class="el" x="5" y="6.5">{html.escape(short(title, 110))}</text>'
        f"{_key(sheet)}</svg>"
    )


def _key(sheet: Sheet) -> str:
    """Say at the sheet's foot, on the right, what shading and strips mean."""
    right, y = sheet.width_mm - 5, sheet.height_mm - 4
    ramp = "".join(
        f'<path class="eh e{level}" d="M{right - 42 + 30 * level / (LEVELS + 1):.4g} {y:.4g}h3.4"/>'
        for level in range(LEVELS + 1)
    )
    box = f"M{right - 107:.4g} {y + 2:.4g}h9v-4h-9z"
    return (
        f'{ramp}<text class="eu ee" x="{right:.4g}" y="{y + 1:.4g}">always</text>'
        f'<text class="eu ee" x="{right - 43:.4g}" y="{y + 1:.4g}">hidden: never</text>'
        f'<path class="es" d="{box}"/><path class="ex" d="{box}"/>'
        f'<path class="eb" d="M{right - 107:.4g} {y + 1.5:.4g}h9"/>'
        f'<text class="eu ee" x="{right - 70:.4g}" y="{y + 1:.4g}">hidden in this draw</text>'
    )


HATCH: Final = (
    '<svg class="defs" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="2" '
    'height="2" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V2" '
    'stroke="#0072b2" stroke-width=".5"/></pattern></defs></svg>'
)
"""The hatching of what is hidden, once on the page."""


def styles() -> str:
    """Give the CSS rules of the pictures: paper and ink are the same on a dark page."""
    ends = np.array([[255, 255, 255], [158, 202, 225], [0, 114, 178], [8, 34, 74]], float)
    shares = np.arange(LEVELS + 1) / LEVELS * 3
    colours = (
        np.stack([np.interp(shares, range(4), ends[:, k]) for k in range(3)], axis=1).round().astype(int)
    )
    heat = "".join(f".e{level}{{stroke:#{r:02x}{g:02x}{b:02x}}}" for level, (r, g, b) in enumerate(colours))
    return (
        heat
        + f".eh{{stroke-width:{HEAT_MM:g}}}.eb{{stroke-width:{BAR_MM:g}}}.et{{stroke-width:{0.27 / UNIT:g}}}"
    )


def true_width(sheet: Sheet) -> int:
    """Give the CSS pixels at which the paper has its true size."""
    return round(sheet.width_mm / MM_PER_INCH * 96)
