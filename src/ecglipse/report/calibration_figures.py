"""Reliability plots as inline SVG: one small panel a method, before and after the temperature."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ecglipse.report.looks import Look
from ecglipse.report.svg import FAINT, GRID, PAGE, short, to_svg
from ecglipse.report.tables import Reliability, Summary

COLUMNS = 4


def reliability_plots(
    summary: Summary, look: Mapping[str, Look], found: Sequence[Reliability], *, name: str
) -> str | None:
    """Draw how often things happened over how often they were said to, a panel a method.

    Open circles on a broken line: as the probe gives the probabilities; the method's filled marker on a
    whole line, with 95 % intervals: after the temperature. Gives None where there is nothing to draw.

    Args:
        summary: of the study.
        look: of each method.
        found: of one task.
        name: prefix of the picture's ids.
    """
    drawn = {r.method: [one for one in found if one.method == r.method] for r in found if r.bins}
    if not drawn:
        return None
    bins = [b for many in drawn.values() for r in many for b in r.bins]
    reach = min(1.0, 1.05 * max(max(b.said, b.observed, b.high or 0.0) for b in bins))

    def draw() -> Figure:
        columns = min(COLUMNS, len(drawn))
        rows = -(-len(drawn) // columns)
        width, height = 2.55 * columns, 2.75 * rows + 0.3
        figure = Figure(figsize=(width, height))
        figure.subplots_adjust(  # inches; a layout that is computed takes longer than the drawing
            left=0.85 / width,
            right=1 - 0.25 / width,
            bottom=0.6 / height,
            top=1 - 0.35 / height,
            wspace=0.18,
            hspace=0.22,
        )
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes in panels[len(drawn) :]:
            axes.set_visible(False)
        for axes, (method, many) in zip(panels, drawn.items(), strict=False):
            axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1)
            axes.grid(color=GRID)
            for one in many:
                _curve(axes, one, look[method])
            title = f"{look[method].letter}  {summary.method(method).title}"
            axes.set_title(short(title, 30), fontsize=9)
            axes.set_xlim(0, reach)
            axes.set_ylim(0, reach)
            axes.set_aspect("equal")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(MaxNLocator(4))
                axis.set_major_formatter("{x:g}")
        figure.supxlabel("probability that was said", fontsize=10)
        figure.supylabel("share that had it", x=0.15 / width, fontsize=10)
        return figure

    words = "Reliability: observed share over predicted probability. " + "; ".join(
        _words(summary, method, many) for method, many in drawn.items()
    )
    return to_svg(draw, name=name, label=words)


def _curve(axes: Axes, one: Reliability, look: Look) -> None:
    said, observed = [b.said for b in one.bins], [b.observed for b in one.bins]
    if one.when == "before":
        axes.plot(said, observed, color=FAINT, linestyle="--", linewidth=1.0, zorder=2)
        axes.plot(
            *(said, observed),
            linestyle="none",
            marker="o",
            markersize=4.5,
            color=FAINT,
            markerfacecolor=PAGE,
            zorder=3,
        )
        return
    ends = [(b.said, b.low, b.high) for b in one.bins if b.low is not None and b.high is not None]
    if ends:
        axes.vlines(*zip(*ends, strict=True), color=look.colour, linewidth=1.2, zorder=4)
    axes.plot(said, observed, color=look.colour, linewidth=1.4, marker=look.marker, markersize=4.5, zorder=5)


def _words(summary: Summary, method: str, many: Sequence[Reliability]) -> str:
    """Say what a panel shows, to those who cannot see it."""
    title = summary.method(method).title
    said = [
        f"{one.when} temperature ECE {one.ece:.3f}, lowest bin {one.bins[0].observed:.2f} at "
        f"{one.bins[0].said:.2f}, highest {one.bins[-1].observed:.2f} at {one.bins[-1].said:.2f}"
        for one in many
        if one.bins and one.ece is not None
    ]
    return f"{title}: {'; '.join(said)}"
