"""Masks over bands of frequency as pictures: shares of bands as inline SVG, records as PNG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from ecglipse.occlusion import BandShare
from ecglipse.report.gallery import LONGEST_S
from ecglipse.report.inline import short
from ecglipse.report.occlusion_figures import LESS, MORE
from ecglipse.report.occlusion_words import SURE
from ecglipse.report.svg import INK, PAGE, to_svg


@dataclass(frozen=True)
class BandMasks:
    """One lead of some records under masks of bands.

    Args:
        signal: of the lead, mV.
        seen: the same with the cells of one draw taken out.
        probability: share of draws in which each band is hidden at a sample.
        fs: Hz.
        lead: its name.
        bands: their names, from low to high.
        titles: of the records; labels only.
    """

    signal: Float[np.ndarray, "record time"]
    seen: Float[np.ndarray, "record time"]
    probability: Float[np.ndarray, "record band time"]
    fs: float
    lead: str
    bands: tuple[str, ...]
    titles: tuple[str, ...]


def share_forest(rows: Sequence[BandShare], *, name: str) -> str | None:
    """Draw how much of each band is hidden, high bands above; a line marks what random masks hide.

    Diamonds: more than random masks; circles: less. Filled: it survives Holm. None without bands.

    Args:
        rows: of the bands, from low to high.
        name: prefix of the picture's ids.
    """
    if not rows:
        return None

    def draw() -> Figure:
        figure = Figure(figsize=(8.6, 0.32 * len(rows) + 0.9), layout="constrained")
        axes = figure.subplots()
        axes.axvline(100 * rows[0].chance, color=INK, linewidth=1.0, zorder=2)
        for y, row in enumerate(rows):
            more, sure = row.hidden >= row.chance, row.p_holm < SURE
            colour = MORE if more else LESS
            if not math.isnan(row.low):
                axes.plot([100 * row.low, 100 * row.high], [y, y], color=colour, linewidth=1.8, zorder=3)
            axes.plot(
                [100 * row.hidden],
                [y],
                marker="D" if more else "o",
                markersize=6.5,
                color=colour,
                markerfacecolor=colour if sure else PAGE,
                markeredgewidth=1.5,
                linestyle="none",
                zorder=4,
            )
        axes.set_xlim(-2, 102)
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.set_yticks(range(len(rows)), [row.band for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("hidden share of the band, %")
        return figure

    said = "; ".join(f"{row.band} {100 * row.hidden:.0f} %" for row in rows)
    label = f"Share of each band that is hidden, {100 * rows[0].chance:.0f} % is chance: {said}"
    return to_svg(draw, name=name, label=label)


def draw_band_masks(masks: BandMasks, row: int, *, title: str) -> Figure:
    """Draw one record: the lead, the lead under one draw, and below how often each cell is hidden.

    Args:
        masks: of the records.
        row: of the record.
        title: written above.
    """
    end = min(round(LONGEST_S * masks.fs), masks.signal.shape[1])
    seconds = np.arange(end) / masks.fs
    figure = Figure(figsize=(10.2, 5.4), layout="constrained", facecolor="white")
    top, middle, bottom = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": [1.0, 1.0, 0.16 * len(masks.bands)]}
    )
    traces = (masks.signal[row, :end], masks.seen[row, :end])
    ends = float(np.nanmin(np.stack(traces))), float(np.nanmax(np.stack(traces)))
    room = 0.08 * max(ends[1] - ends[0], 0.1)
    for axes, trace, text in zip(
        (top, middle), traces, (f"{masks.lead}, as it is", f"{masks.lead}, one draw taken out"), strict=True
    ):
        axes.plot(seconds, trace, color="black", linewidth=0.8)
        axes.set_ylim(ends[0] - room, ends[1] + room)
        axes.set_ylabel("mV", fontsize=8)
        axes.set_title(text, fontsize=8.5, loc="left")
        axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    image = bottom.imshow(
        masks.probability[row, :, :end],
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap="Greys",
        vmin=0,
        vmax=1,
        extent=(0.0, end / masks.fs, -0.5, len(masks.bands) - 0.5),
    )
    bottom.set_yticks(range(len(masks.bands)), masks.bands, fontsize=8)
    bottom.set_yticks(np.arange(1, len(masks.bands)) - 0.5, minor=True)
    bottom.grid(visible=True, which="minor", axis="y", color="#999999", linewidth=0.5)
    bottom.tick_params(which="minor", length=0)
    bottom.set_title("how often each cell is hidden", fontsize=8.5, loc="left")
    bottom.set_xlabel("s", fontsize=8)
    bar = figure.colorbar(image, ax=bottom, pad=0.01, aspect=12, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["never", "half", "always"], fontsize=8)
    for axes in (top, middle, bottom):
        axes.tick_params(labelsize=8)
    figure.suptitle(short(title, 110), fontsize=9.5, fontweight="bold", x=0.01, ha="left", parse_math=False)
    return figure
