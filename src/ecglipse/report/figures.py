"""Curves of label efficiency, forests of paired differences, and curves of the game, as inline SVG."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from ecglipse.report.looks import Look
from ecglipse.report.svg import FAINT, GRID, INK, PAGE, letters_at_end, short, to_svg
from ecglipse.report.tables import CONTROLS, Comparison, Group, Summary, percent

Steps = Sequence[Mapping[str, float | int | None]]

GAME: Final = {
    "loss": "loss of the objective",
    "coverage": "share hidden",
    "spread": "spread of the mask's scores",
    "variation": "variation between records",
    "encoder_grad": "gradient norm, encoder",
    "mask_grad": "gradient norm, mask network",
}
"""Fields of `steps.jsonl` that a reader of the game looks at first, and what they are."""


def label_efficiency(
    summary: Summary, look: Mapping[str, Look], *, probe: str, validation: str, name: str
) -> str:
    """Draw macro AUROC over the share of labels, one panel a task, a line and 95 % band a method.

    Args:
        summary: of the study.
        look: of each method.
        probe: which probe.
        validation: which size of validation set.
        name: prefix of the picture's ids.
    """

    def draw() -> Figure:
        columns = 2 if len(summary.tasks) == 4 else min(3, len(summary.tasks))
        rows = -(-len(summary.tasks) // columns)
        figure = Figure(figsize=(10.2 if columns == 3 else 4.4 * columns, 3.5 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in panels[len(summary.tasks) :]:
            axes.set_visible(False)
        for axes, task in zip(panels, summary.tasks, strict=False):
            ends: list[tuple[float, str, str]] = []
            heights: list[float] = []
            for method in summary.methods:
                if method.kind == "majority":
                    continue
                groups = [Group(task, probe, validation, f) for f in summary.shares]
                scores = [s for s in (summary.floor(g, method.name) for g in groups) if s.mean is not None]
                if not scores:
                    continue
                one = look[method.name]
                x = np.array([100 * s.group.fraction for s in scores])
                y = np.array([s.mean for s in scores], dtype=float)
                low = np.array([s.mean if s.low is None else s.low for s in scores], dtype=float)
                high = np.array([s.mean if s.high is None else s.high for s in scores], dtype=float)
                strong = one.width > 2
                axes.fill_between(
                    x, low, high, color=one.colour, alpha=0.17 if strong else 0.06, linewidth=0, zorder=1
                )
                axes.plot(
                    x,
                    y,
                    color=one.colour,
                    linestyle=one.line,
                    linewidth=one.width,
                    marker=one.marker,
                    markersize=6 if strong else 5,
                    zorder=4 if strong else 3,
                )
                ends.append((float(y[-1]), one.letter, one.colour))
                heights += [*(low if strong else y), *(high if strong else y)]
            axes.set_title(short(task, 30) + (" (R²)" if task in summary.regressions else ""))
            axes.set_xscale("log")
            ticks = [100 * f for f in summary.shares]
            axes.set_xticks(ticks, [percent(f) for f in summary.shares])
            axes.xaxis.set_minor_locator(NullLocator())
            axes.grid(axis="x", visible=False)
            axes.set_xlabel("share of the training labels")
            if not ends:
                axes.text(0.5, 0.5, "n/a", transform=axes.transAxes, ha="center", color=FAINT)
                continue
            margin = max(0.06 * (max(heights) - min(heights)), 0.005)
            bottom, top = min(heights) - margin, max(heights) + margin
            axes.set_ylim(bottom, top)
            letters_at_end(axes, ticks[-1], ends, gap=(top - bottom) / 17, low=bottom, high=top)
        for axes in panels[::columns]:
            axes.set_ylabel("score" if summary.regressions else "macro AUROC")
        return figure

    words = f"{summary.measured} over label fraction, {probe} probe; the numbers are in the table"
    return to_svg(draw, name=name, label=words)


def forest(
    summary: Summary,
    look: Mapping[str, Look],
    tasks: Sequence[str],
    *,
    probe: str,
    validation: str,
    name: str,
) -> str | None:
    """Draw the paired differences of each candidate, a column an opponent, by task and label fraction.

    A filled marker is a difference that survives Holm over the tasks; an open one does not. Gives None
    where nothing can be compared.

    Args:
        summary: of the study.
        look: of each method.
        tasks: of one metric: differences in R² would dwarf those in AUROC on one axis.
        probe: which probe.
        validation: which size of validation set.
        name: prefix of the picture's ids.
    """
    columns = [
        (title, [c for c in found if c.group.task in tasks])
        for title, found in forest_columns(summary, probe=probe, validation=validation)
    ]
    metric = "R²" if all(task in summary.regressions for task in tasks) else "macro AUROC"
    if not any(c.estimate is not None for _, found in columns for c in found):
        return None
    keys = [
        (task, fraction, method.name)
        for task in tasks
        for fraction in summary.fractions
        for method in summary.candidates()
    ]

    def draw() -> Figure:
        figure = Figure(figsize=(10.2, 0.235 * (len(keys) + len(tasks)) + 1.1), layout="constrained")
        panels = figure.subplots(1, len(columns), sharex=True, sharey=True, squeeze=False)[0]
        place, bottom = _forest_rows(panels[0], keys, look)
        values = [
            v for _, found in columns for c in found for v in (c.low, c.high, c.estimate) if v is not None
        ]
        reach = 1.08 * max((abs(v) for v in values), default=0.01) or 0.01
        for axes, (title, found) in zip(panels, columns, strict=True):
            axes.axvline(0, color=INK, linewidth=1.0, zorder=2)
            for c in found:
                if c.estimate is not None and c.low is not None and c.high is not None:
                    _whisker(axes, c, look[c.method], place[c.group.task, c.group.fraction, c.method])
            axes.set_title(fill(short(title, 38), max(14, 80 // len(columns))), fontsize=10)
            axes.set_ylim(bottom - 0.4, -0.6)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            for task in tasks[1:]:
                head = min(y for key, y in place.items() if key[0] == task) - 1
                axes.axhline(head - 0.45, color=GRID, linewidth=0.8)
            axes.set_xlim(-reach, reach)
            axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], symmetric=True))
            axes.set_xlabel("← worse\u2003\u2003better →", fontsize=9)
        figure.supxlabel(f"difference in {metric}", fontsize=10)
        return figure

    words = f"Forest of paired differences in {metric}, {probe} probe; numbers in the table below"
    return to_svg(draw, name=name, label=words)


def _forest_rows(
    axes: Axes, keys: Sequence[tuple[str, float, str]], look: Mapping[str, Look]
) -> tuple[dict[tuple[str, float, str], float], float]:
    """Write task, fraction and method left of a forest; give each row's height and the end of the last."""
    place: dict[tuple[str, float, str], float] = {}
    y, before = 0.0, ("", -1.0)
    side = axes.get_yaxis_transform()
    for task, fraction, method in keys:
        if task != before[0]:
            axes.text(-0.34, y, short(task, 24), transform=side, fontweight="bold", ha="left", va="center")
            y += 1
        if (task, fraction) != before:
            axes.text(-0.13, y, percent(fraction), transform=side, ha="right", va="center")
        one = look[method]
        axes.text(-0.07, y, one.letter, transform=side, color=one.colour, fontweight="bold", va="center")
        place[task, fraction, method] = y
        before = (task, fraction)
        y += 1
    return place, y


def _whisker(axes: Axes, c: Comparison, one: Look, y: float) -> None:
    """Draw one interval, with a filled marker where the difference survives Holm."""
    sure = c.p_holm is not None and c.p_holm < 0.05
    axes.plot([c.low or 0.0, c.high or 0.0], [y, y], color=one.colour, linewidth=1.8, zorder=3)
    axes.plot(
        [c.estimate or 0.0],
        [y],
        marker=one.marker,
        markersize=7 if sure else 6.5,
        color=one.colour,
        markerfacecolor=one.colour if sure else PAGE,
        markeredgewidth=1.5,
        linestyle="none",
        zorder=4,
    )


def forest_columns(summary: Summary, *, probe: str, validation: str) -> list[tuple[str, list[Comparison]]]:
    """Give the forest's columns: the random, frozen and shuffled twins, then each other baseline."""
    names = {m.name for m in summary.candidates()}
    here = [
        c
        for c in summary.comparisons
        if (c.group.probe, c.group.validation) == (probe, validation) and c.method in names
    ]
    columns = [("minus its random twin", [c for c in here if c.twin])]
    for control in (f"{kind} twin" for kind in CONTROLS):
        columns.append((f"minus its {control}", [c for c in here if c.control == control]))
    for baseline in summary.baselines:
        found = [c for c in here if c.baseline == baseline and not (c.twin or c.control)]
        if summary.method(baseline).masks != "random":
            columns.append((f"minus {summary.method(baseline).title}", found))
    return [column for column in columns if column[1]]


def game_curves(runs: Mapping[str, Sequence[Steps]], look: Mapping[str, Look], *, name: str) -> str | None:
    """Draw how the game went: loss, coverage, what the mask network scores, gradients; a line a run.

    Args:
        runs: by method, the steps of each of its seeds.
        look: of each method.
        name: prefix of the picture's ids.
    """
    fields = [key for key in GAME if any(_series(steps, key)[1] for many in runs.values() for steps in many)]
    if not fields:
        return None

    def draw() -> Figure:
        columns = min(3, len(fields))
        rows = -(-len(fields) // columns)
        figure = Figure(figsize=(10.2, 2.5 * rows + 0.2), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in panels[len(fields) :]:
            axes.set_visible(False)
        for axes, key in zip(panels, fields, strict=False):
            ends, last, values = [], 0.0, []
            for method, many in runs.items():
                for number, steps in enumerate(many):
                    x, y = _series(steps, key)
                    if not y:
                        continue
                    one = look[method]
                    axes.plot(x, y, color=one.colour, linestyle=one.line, linewidth=1.1, alpha=0.9)
                    values += y
                    last = max(last, x[-1])
                    if number == 0:
                        ends.append((y[-1], one.letter, one.colour))
            axes.set_title(GAME[key], fontsize=10)
            axes.set_xlabel("step")
            axes.margins(x=0.01)
            margin = 0.06 * (max(values) - min(values)) or 0.05 * abs(max(values)) or 0.1
            bottom, top = min(values) - margin, max(values) + margin
            axes.set_ylim(bottom, top)
            letters_at_end(axes, last, ends, gap=(top - bottom) / 10, low=bottom, high=top)
        return figure

    return to_svg(draw, name=name, label=f"Curves of pretraining over its steps: {', '.join(fields)}")


def _series(steps: Steps, key: str, *, points: int = 160) -> tuple[list[float], list[float]]:
    """Steps and values of one field, averaged over windows so that at most `points` remain."""
    pairs = [
        (float(s["step"] or 0), float(v)) for s in steps if (v := s.get(key)) is not None and "step" in s
    ]
    pairs = [(a, b) for a, b in pairs if np.isfinite(b)]
    if not pairs:
        return [], []
    x, y = np.array(pairs).T
    parts = min(points, len(pairs))
    return (
        [float(part.mean()) for part in np.array_split(x, parts)],
        [float(part.mean()) for part in np.array_split(y, parts)],
    )
