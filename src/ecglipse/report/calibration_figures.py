"""Reliability plots as inline SVG: one small panel a method, before and after the temperature."""

from collections.abc import Mapping, Sequence

from ecglipse.report.figures import WIDTH
from ecglipse.report.inline import short
from ecglipse.report.looks import Look
from ecglipse.report.plot import Panel, bars, line, marker, number_text, picture, ticks, words, x_axis, y_axis
from ecglipse.report.scores import Reliability
from ecglipse.report.summary import Summary

COLUMNS = 5
SIDE = 150.0
"""Of a panel, CSS pixels."""


def reliability_plots(summary: Summary, look: Mapping[str, Look], found: Sequence[Reliability]) -> str | None:
    """Draw how often things happened over how often they were said to, a panel a method.

    Open circles on a broken line: as the probe gives the probabilities; the method's filled marker on a
    whole line, with 95 % intervals: after the temperature. Gives None where there is nothing to draw.

    Args:
        summary: of the study.
        look: of each method.
        found: of one task.
    """
    drawn = {r.method: [one for one in found if one.method == r.method] for r in found if r.bins}
    if not drawn:
        return None
    bins = [b for many in drawn.values() for r in many for b in r.bins]
    reach = min(1.0, 1.05 * max(max(b.said, b.observed, b.high or 0.0) for b in bins))
    wide, high = WIDTH / COLUMNS, SIDE + 54
    rows = -(-len(drawn) // COLUMNS)
    values = ticks(0.0, reach, most=5)
    parts = []
    for number, (method, many) in enumerate(drawn.items()):
        row, column = divmod(number, COLUMNS)
        panel = Panel(column * wide + 34, row * high + 26, SIDE, SIDE, x=(0.0, reach), y=(0.0, reach))
        title = f"{look[method].letter}  {summary.method(method).title}"
        parts.append(words(short(title, 34), (panel.left - 10, panel.top - 10), "k"))
        parts.append(y_axis(panel, values) + x_axis(panel, [(v, number_text(v)) for v in values]))
        parts.append(line([panel.at(0.0, 0.0), panel.at(reach, reach)], "f d"))
        parts += [_curve(panel, one, look[method]) for one in many]
    height = rows * high + 24
    parts.append(words("probability that was said; upwards: share that had it", (WIDTH / 2, height - 8), "m"))
    said = "Reliability: observed share over predicted probability. " + "; ".join(
        _words(summary, method, many) for method, many in drawn.items()
    )
    return picture(parts, width=WIDTH, height=height, label=said)


def _curve(panel: Panel, one: Reliability, look: Look) -> str:
    points = [panel.at(b.said, b.observed) for b in one.bins]
    if one.when == "before":
        drawn = line(points, "f") + "".join(marker("m0", point, hollow=True) for point in points)
        return f'<g class="q">{drawn}</g>'
    ends = [
        (panel.at(b.said, b.low), panel.at(b.said, b.high))
        for b in one.bins
        if b.low is not None and b.high is not None
    ]
    drawn = bars(ends) + line(points, "l t") + "".join(marker(look.marker, point) for point in points)
    return f'<g class="{look.style}">{drawn}</g>'


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
