"""A sheet of ECG paper: where each lead's strip lies, in millimetres, and the grid. No signals, no files."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Float

Layout = Literal["12x1", "6x2", "3x4+rhythm"]

MM_PER_INCH: Final = 25.4
LEFT_MM: Final = 15.0
"""Room left of the first strip, for the calibration pulse."""
RIGHT_MM: Final = 5.0
TOP_MM: Final = 10.0
BOTTOM_MM: Final = 10.0
LOWEST_MM: Final = 15.0
"""Height of the smallest row; rows grow with their signal up to `HIGHEST_MM`."""
HIGHEST_MM: Final = 50.0

PAPER: Final = "#fffaf8"
MINOR: Final = "#f7dcd8"
MAJOR: Final = "#eab3ac"
INK: Final = "#16181d"


@dataclass(frozen=True)
class Strip:
    """One stretch of one lead on the sheet; millimetres from the sheet's lower left corner."""

    lead: int
    """Row of the signal."""
    start: int
    stop: int
    """Samples drawn: start <= n < stop."""
    x_mm: float
    """Where sample `start` lies."""
    zero_mm: float
    """Height of 0 mV."""
    low_mm: float
    high_mm: float
    """The row's lower and upper border."""


@dataclass(frozen=True)
class Sheet:
    """A sheet's size and its strips, in millimetres."""

    width_mm: float
    height_mm: float
    strips: tuple[Strip, ...]


def _rows(layout: Layout, n_leads: int) -> list[list[int]]:
    """Leads per row of the sheet, left to right; anything but twelve leads is drawn one below the other."""
    if n_leads != 12 or layout == "12x1":
        return [[lead] for lead in range(n_leads)]
    if layout == "6x2":
        return [[row, row + 6] for row in range(6)]
    return [[row, row + 3, row + 6, row + 9] for row in range(3)] + [[1]]


def _extent_mm(signal: Float[np.ndarray, "lead time"], gain_mm_mv: float) -> tuple[float, float]:
    """How far a row reaches below and above 0 mV, in mm; empty or undefined signals reach nowhere."""
    finite = signal[np.isfinite(signal)]
    if finite.size == 0:
        return 0.0, 0.0
    return max(0.0, -float(finite.min()) * gain_mm_mv), max(0.0, float(finite.max()) * gain_mm_mv)


def lay_out(
    signal: Float[np.ndarray, "lead time"],
    fs: float,
    layout: Layout,
    *,
    speed_mm_s: float,
    gain_mm_mv: float,
    below_mm: float = 0.0,
) -> Sheet:
    """Place every lead: columns show successive stretches of time, rows are as high as their signal needs.

    Zero lines lie on thick grid lines, so that amplitudes can be read off.

    Args:
        signal: millivolts.
        fs: samples per second, Hz.
        layout: columns x rows; "3x4+rhythm" adds lead II over the whole time.
        speed_mm_s: paper speed, mm/s.
        gain_mm_mv: mm per mV.
        below_mm: room kept free under each lead, for a strip of its own.
    """
    n_time = signal.shape[1]
    per_sample = speed_mm_s / fs
    rows = _rows(layout, signal.shape[0])
    downs, ups = [], []
    for leads in rows:
        down, up = _extent_mm(signal[leads], gain_mm_mv)
        down, up = min(down, HIGHEST_MM / 2) + below_mm + 1, min(up, HIGHEST_MM / 2) + 3
        downs.append(5.0 * max(1, math.ceil(down / 5)))
        ups.append(5.0 * max(1, math.ceil(up / 5)))
        if downs[-1] + ups[-1] < LOWEST_MM:
            ups[-1] = LOWEST_MM - downs[-1]
    height = TOP_MM + sum(downs) + sum(ups) + BOTTOM_MM
    strips = []
    top = height - TOP_MM
    for leads, down, up in zip(rows, downs, ups, strict=True):
        edges = np.linspace(0, n_time, len(leads) + 1).round().astype(int)
        for lead, start, stop in zip(leads, edges[:-1], edges[1:], strict=True):
            x_mm = LEFT_MM + float(start) * per_sample
            strips.append(Strip(lead, int(start), int(stop), x_mm, top - up, top - up - down, top))
        top -= down + up
    return Sheet(LEFT_MM + n_time * per_sample + RIGHT_MM, height, tuple(strips))
