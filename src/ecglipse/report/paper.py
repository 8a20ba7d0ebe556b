"""ECGs on paper, at true size: traces on the 1 mm and 5 mm grid, with what a mask hides. Writes nothing."""

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ecglipse.leads import LEADS
from ecglipse.report.inline import short
from ecglipse.report.sheet import (
    INK,
    LEFT_MM,
    MAJOR,
    MINOR,
    MM_PER_INCH,
    PAPER,
    Layout,
    Sheet,
    Strip,
    lay_out,
)
from ecglipse.report.svg import quiet

HIDDEN: Final = "#0072b2"
"""Okabe and Ito's blue: apart from the pink grid and the black trace for every kind of colour vision."""
HEAT: Final = LinearSegmentedColormap.from_list("hidden", ["#ffffff", "#9ecae1", "#0072b2", "#08224a"])
BAR_MM: Final = 1.0
HEAT_MM: Final = 2.6


def stretches(hidden: Bool[np.ndarray, " time"]) -> list[tuple[int, int]]:
    """Give the runs of True as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], hidden, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def blank(sheet: Sheet) -> tuple[Figure, Axes]:
    """Give a figure of the sheet's true size with the grid drawn; its axes are in millimetres."""
    width, height = sheet.width_mm, sheet.height_mm
    figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.set_axis_off()
    for step_mm, colour, points in ((1.0, MINOR, 0.4), (5.0, MAJOR, 0.6)):
        across = [[(x, 0.0), (x, height)] for x in np.arange(0, width + 1e-9, step_mm)]
        along = [[(0.0, y), (width, y)] for y in np.arange(0, height + 1e-9, step_mm)]
        axes.add_collection(LineCollection(across + along, colors=colour, linewidths=points, zorder=0.5))
    return figure, axes


def _text(axes: Axes, x: float, y: float, text: str, **style: object) -> None:
    axes.text(x, y, short(text, 110), color=INK, parse_math=False, zorder=6, **style)  # type: ignore[arg-type]


def _calibrate(axes: Axes, sheet: Sheet, *, speed_mm_s: float, gain_mm_mv: float) -> None:
    """Draw 1 mV for 0.2 s at the left of each row: what it measures is what the sheet's scale is."""
    wide = 0.2 * speed_mm_s
    left = (LEFT_MM - wide) / 2
    for zero in sorted({strip.zero_mm for strip in sheet.strips if strip.start == 0}):
        xs = [left - 2, left, left, left + wide, left + wide, left + wide + 2]
        ys = [zero, zero, zero + gain_mm_mv, zero + gain_mm_mv, zero, zero]
        axes.plot(xs, ys, color=INK, linewidth=0.8, zorder=4, gid="calibration")


def _shade(
    axes: Axes, strip: Strip, hidden: Bool[np.ndarray, " time"], *, per_sample: float, lift_mm: float
) -> None:
    """Shade and hatch what is hidden over the strip's height, with a solid bar at its foot."""
    foot = strip.low_mm + 0.4 + lift_mm
    high = strip.high_mm - 0.4 - foot
    for a, b in stretches(hidden[strip.start : strip.stop]):
        x, wide = strip.x_mm + a * per_sample, (b - a) * per_sample
        axes.add_patch(
            Rectangle(
                (x, foot), wide, high, facecolor=HIDDEN, alpha=0.16, linewidth=0, zorder=1, gid="hidden"
            )
        )
        axes.add_patch(
            Rectangle(
                (x, foot),
                wide,
                high,
                fill=False,
                edgecolor=HIDDEN,
                alpha=0.28,
                hatch="///",
                linewidth=0,
                zorder=1,
            )
        )
        axes.add_patch(Rectangle((x, foot), wide, BAR_MM, facecolor=HIDDEN, linewidth=0, zorder=2, gid="bar"))


def _heat(axes: Axes, strip: Strip, probability: Float[np.ndarray, " time"], per_sample: float) -> None:
    """Draw the share of draws that hide each sample as a strip of colour, dark for always, under the lead."""
    part = probability[strip.start : strip.stop][None]
    right = strip.x_mm + part.shape[1] * per_sample
    foot = strip.low_mm + 0.4
    axes.imshow(
        part,
        cmap=HEAT,
        vmin=0,
        vmax=1,
        extent=(strip.x_mm, right, foot, foot + HEAT_MM),
        aspect="auto",
        interpolation="nearest",
        zorder=2,
    )
    axes.add_patch(
        Rectangle(
            (strip.x_mm, foot),
            right - strip.x_mm,
            HEAT_MM,
            fill=False,
            edgecolor=INK,
            linewidth=0.3,
            zorder=3,
        )
    )


def _key(axes: Axes, sheet: Sheet, *, mask: bool, probability: bool) -> None:
    """Say at the sheet's foot, on the right, what shading and strips mean."""
    right = sheet.width_mm - 5.0
    if probability:
        ramp = np.linspace(0, 1, 64)[None]
        _text(axes, right, 4.0, "always", fontsize=7, ha="right", va="center")
        axes.imshow(
            ramp,
            cmap=HEAT,
            vmin=0,
            vmax=1,
            extent=(right - 42, right - 12, 2.8, 5.2),
            aspect="auto",
            zorder=4,
        )
        _text(axes, right - 43, 4.0, "hidden: never", fontsize=7, ha="right", va="center")
        right -= 70
    if mask:
        _text(axes, right, 4.0, "hidden in this draw", fontsize=7, ha="right", va="center")
        box = Rectangle((right - 37, 2), 9, 4, facecolor=HIDDEN, alpha=0.2, linewidth=0, zorder=4)
        lines = Rectangle(
            (right - 37, 2), 9, 4, fill=False, edgecolor=HIDDEN, alpha=0.5, hatch="///", linewidth=0, zorder=4
        )
        axes.add_patch(box)
        axes.add_patch(lines)
        axes.add_patch(Rectangle((right - 37, 2), 9, BAR_MM, facecolor=HIDDEN, linewidth=0, zorder=4))


def _draw(
    signal: Float[np.ndarray, "lead time"],
    fs: float,
    *,
    leads: Sequence[str],
    title: str,
    mask: Float[np.ndarray, "lead time"] | None,
    probability: Float[np.ndarray, "lead time"] | None,
    speed_mm_s: float,
    gain_mm_mv: float,
    layout: Layout,
) -> Figure:
    if len(leads) != signal.shape[0]:
        raise ValueError(f"`leads` must name each of the signal's {signal.shape[0]} leads; got {len(leads)}")
    if not fs > 0 or signal.shape[1] == 0:
        raise ValueError(f"`signal` must last longer than 0 s; got {signal.shape[1]} samples at {fs} Hz")
    if layout not in ("12x1", "6x2", "3x4+rhythm"):
        raise ValueError(f"`layout` must be '12x1', '6x2' or '3x4+rhythm'; got {layout!r}")
    below = (0.0 if probability is None else HEAT_MM + 0.4) + (0.0 if mask is None else BAR_MM + 0.4)
    sheet = lay_out(signal, fs, layout, speed_mm_s=speed_mm_s, gain_mm_mv=gain_mm_mv, below_mm=below)
    figure, axes = blank(sheet)
    per_sample = speed_mm_s / fs
    for strip in sheet.strips:
        part = signal[strip.lead, strip.start : strip.stop]
        x = strip.x_mm + np.arange(part.size) * per_sample
        if mask is not None:
            lift = 0.0 if probability is None else HEAT_MM
            _shade(axes, strip, mask[strip.lead] >= 0.5, per_sample=per_sample, lift_mm=lift)
        if probability is not None:
            _heat(axes, strip, probability[strip.lead], per_sample)
        axes.plot(
            x, strip.zero_mm + part * gain_mm_mv, color=INK, linewidth=0.75, zorder=5, gid=leads[strip.lead]
        )
        if strip.start > 0:
            axes.plot(
                [strip.x_mm] * 2, [strip.zero_mm - 2, strip.zero_mm + 4], color=INK, linewidth=0.6, zorder=4
            )
        name = leads[strip.lead] if np.isfinite(part).any() else f"{leads[strip.lead]} (no signal)"
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
        _text(
            axes,
            strip.x_mm + 0.8,
            strip.high_mm - 0.6,
            name,
            fontsize=8,
            fontweight="bold",
            va="top",
            bbox=box,
        )
    _calibrate(axes, sheet, speed_mm_s=speed_mm_s, gain_mm_mv=gain_mm_mv)
    _text(axes, 5.0, sheet.height_mm - 5, title, fontsize=9.5, fontweight="bold", va="center")
    scale = f"{speed_mm_s:g} mm/s · {gain_mm_mv:g} mm/mV · {fs:g} Hz"
    _text(axes, 5.0, 4.0, scale, fontsize=7, va="center")
    _key(axes, sheet, mask=mask is not None, probability=probability is not None)
    return figure


def draw_ecg(
    signal: Float[np.ndarray, "lead time"],
    fs: float,
    *,
    leads: Sequence[str] = LEADS,
    title: str = "",
    mask: Float[np.ndarray, "lead time"] | None = None,
    speed_mm_s: float = 25.0,
    gain_mm_mv: float = 10.0,
    layout: Layout = "12x1",
) -> Figure:
    """Draw an ECG at true size: small squares are 0.04 s by 0.1 mV, large ones 0.2 s by 0.5 mV.

    Args:
        signal: millivolts; undefined samples leave a gap.
        fs: samples per second, Hz.
        leads: a name for each lead of `signal`.
        title: written above.
        mask: 0..1; what is at least 0.5 is shaded, hatched and underlined as hidden.
        speed_mm_s: paper speed, mm/s.
        gain_mm_mv: mm per mV.
        layout: for twelve leads; in several columns each column shows the next stretch of time.
            Other numbers of leads are always drawn one below the other.

    Raises:
        ValueError: names and leads differ in number, the signal is empty, or the layout is unknown.
    """
    return _draw(
        signal,
        fs,
        leads=leads,
        title=title,
        mask=mask,
        probability=None,
        speed_mm_s=speed_mm_s,
        gain_mm_mv=gain_mm_mv,
        layout=layout,
    )


def draw_mask_probability(
    signal: Float[np.ndarray, "lead time"],
    fs: float,
    probability: Float[np.ndarray, "lead time"],
    *,
    leads: Sequence[str] = LEADS,
    title: str = "",
    mask: Float[np.ndarray, "lead time"] | None = None,
    speed_mm_s: float = 25.0,
    gain_mm_mv: float = 10.0,
    layout: Layout = "12x1",
) -> Figure:
    """Draw an ECG as `draw_ecg` does, with a strip under each lead: how often each sample is hidden.

    Args:
        signal: millivolts.
        fs: samples per second, Hz.
        probability: share of draws in which the sample was hidden, 0..1; white never, dark always.
        leads: as in `draw_ecg`; so are `title`, `mask`, `speed_mm_s`, `gain_mm_mv` and `layout`.
    """
    return _draw(
        signal,
        fs,
        leads=leads,
        title=title,
        mask=mask,
        probability=probability,
        speed_mm_s=speed_mm_s,
        gain_mm_mv=gain_mm_mv,
        layout=layout,
    )


def to_png(figure: Figure, *, dpi: float = 110.0) -> bytes:
    """Give the figure as a PNG file of at most 64 colours, which is a third of its full size.

    Args:
        figure: any figure of this package.
        dpi: dots per inch; at 96, a browser shows ECG paper at its true size.
    """
    from PIL import Image  # comes with matplotlib

    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(dpi)
    with quiet():
        canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    image = Image.fromarray(pixels).convert("RGB")
    out = io.BytesIO()
    image.quantize(colors=64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        out, format="png", optimize=True, dpi=(dpi, dpi)
    )
    return out.getvalue()
