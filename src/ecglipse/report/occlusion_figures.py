"""Forest and heat map of what masks hide, as inline SVG."""

import math
from collections.abc import Sequence
from typing import Final

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullFormatter, ScalarFormatter

from ecglipse.occlusion import Enrichment, Findings
from ecglipse.report.inline import short
from ecglipse.report.occlusion_words import SURE
from ecglipse.report.svg import FAINT, GRID, INK, PAGE, to_svg
from ecglipse.waves import REGIONS

MORE: Final = "#d55e00"
LESS: Final = "#0072b2"
"""Okabe and Ito's vermilion and blue: hidden more and less often than chance."""


def enrichment_forest(rows: Sequence[Enrichment], *, name: str) -> str | None:
    """Draw the enrichment of each region with its interval; several groups stand below each other.

    A filled marker is a departure from chance that survives Holm; an open one is not. None without numbers.

    Args:
        rows: of all leads or bands together.
        name: prefix of the picture's ids.
    """
    defined = [row for row in rows if not math.isnan(row.ratio)]
    if not defined:
        return None
    groups = list(dict.fromkeys(row.group for row in rows))
    one = len(groups) == 1

    def draw() -> Figure:
        lines = len({row.region for row in defined}) * (len(groups) + (not one))
        figure = Figure(figsize=(8.6, 0.29 * lines + 0.9), layout="constrained")
        axes = figure.subplots()
        axes.axvline(1, color=INK, linewidth=1.0, zorder=2)
        y, labels = 0.0, []
        for region in REGIONS:
            own = [row for row in defined if row.region == region]
            if own and not one:
                labels.append((y, region, True))
                y += 1
            for row in own:
                labels.append((y, region if one else short(row.group, 34), one))
                _whisker(axes, row, y)
                y += 1
        for place, text, strong in labels:
            axes.text(
                -0.02,
                place,
                text,
                transform=axes.get_yaxis_transform(),
                ha="right",
                va="center",
                fontweight="bold" if strong else "normal",
            )
        axes.set_ylim(y - 0.3, -0.7)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        _log_axis(axes, defined)
        axes.set_xlabel("← hidden less often than chance\u2003·\u2003times as often\u2003·\u2003more often →")
        return figure

    said = "; ".join(f"{row.region} {row.ratio:.2f}" for row in defined if row.group == groups[0])
    return to_svg(draw, name=name, label=f"Forest of enrichment by region, 1 is chance: {said}")


def _whisker(axes, row: Enrichment, y: float) -> None:  # type: ignore[no-untyped-def]
    """One interval, with a filled marker where the departure survives Holm."""
    sure, colour = row.p_holm < SURE, MORE if row.ratio >= 1 else LESS
    if not (math.isnan(row.low) or math.isnan(row.high)):
        axes.plot([max(row.low, 1e-3), max(row.high, 1e-3)], [y, y], color=colour, linewidth=1.8, zorder=3)
    axes.plot(
        [max(row.ratio, 1e-3)],
        [y],
        marker="D" if row.ratio >= 1 else "o",
        markersize=6.5,
        color=colour,
        markerfacecolor=colour if sure else PAGE,
        markeredgewidth=1.5,
        linestyle="none",
        zorder=4,
    )


def _log_axis(axes, rows: Sequence[Enrichment]) -> None:  # type: ignore[no-untyped-def]
    """A logarithmic axis, as ratios need it, symmetric about 1."""
    ends = [v for row in rows for v in (row.low, row.high, row.ratio) if v > 0 and not math.isnan(v)]
    reach = min(max([abs(math.log(v)) for v in ends] + [math.log(1.2)]) * 1.08, math.log(20))
    axes.set_xscale("log")
    axes.set_xlim(math.exp(-reach), math.exp(reach))
    nice = (0.05, 0.1, 0.2, 0.33, 0.5, 0.67, 0.75, 0.8, 0.9, 1, 1.1, 1.25, 1.33, 1.5, 2, 3, 5, 10, 20)
    ticks = [t for t in nice if abs(math.log(t)) <= reach]
    far = 0.16 * reach
    kept: list[float] = []
    for tick in sorted(ticks, key=lambda t: abs(math.log(t))):
        if all(abs(math.log(tick / other)) > far for other in kept):
            kept.append(tick)
    axes.set_xticks(sorted(kept))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


def lead_map(findings: Findings, *, name: str) -> str | None:
    """Draw the enrichment of each region in each lead or band, as numbers; framed where they survive Holm.

    Bands stand with the highest above. None without numbers, and where masks and marks are one for all
    leads, so that all are alike.
    """
    rows = [row for row in findings.enrichments if row.group == "all" and row.row is not None]
    leads = list(dict.fromkeys(row.row for row in rows))
    leads = leads[::-1] if findings.bands else leads
    if findings.leads_alike() or not any(not math.isnan(row.ratio) for row in rows):
        return None
    most = max(abs(math.log(max(row.ratio, 1e-3))) for row in rows if not math.isnan(row.ratio)) or 1.0

    def draw() -> Figure:
        figure = Figure(figsize=(7.4, 0.34 * len(leads) + 0.7), layout="constrained")
        axes = figure.subplots()
        for row in rows:
            x, y = REGIONS.index(row.region), leads.index(row.row)
            if math.isnan(row.ratio):
                axes.text(x, y, "–", ha="center", va="center", color=FAINT)
                continue
            size = abs(math.log(max(row.ratio, 1e-3))) / most
            box = Rectangle(
                (x - 0.5, y - 0.5),
                1,
                1,
                facecolor=MORE if row.ratio >= 1 else LESS,
                alpha=0.05 + 0.5 * size,
                linewidth=0,
            )
            axes.add_patch(box)
            sure = row.p_holm < SURE
            if sure:
                frame = Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, fill=False, edgecolor=INK, linewidth=0.9)
                axes.add_patch(frame)
            axes.text(
                x,
                y,
                f"{row.ratio:.2f}",
                ha="center",
                va="center_baseline",
                fontweight="bold" if sure else "normal",
            )
        axes.set_xlim(-0.5, len(REGIONS) - 0.5)
        axes.set_ylim(len(leads) - 0.5, -0.5)
        axes.set_xticks(range(len(REGIONS)), REGIONS)
        axes.set_yticks(range(len(leads)), [short(str(lead), 12) for lead in leads])
        axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
        axes.grid(visible=False)
        for x in range(1, len(REGIONS)):
            axes.axvline(x - 0.5, color=GRID, linewidth=0.8)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return figure

    size = f"{len(leads)} {findings.rows}s by {len(REGIONS)} regions"
    label = f"Heat map of enrichment, {size}; numbers in the cells"
    return to_svg(draw, name=name, label=label)
