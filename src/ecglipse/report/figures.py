"""Curves of label efficiency, forests of paired differences, and curves of the game, as inline SVG."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Final

import numpy as np
from jaxtyping import Float

from ecglipse.report.differences import Comparison
from ecglipse.report.inline import short
from ecglipse.report.looks import Look
from ecglipse.report.methods import CONTROLS
from ecglipse.report.plot import (
    Panel,
    Point,
    band,
    bars,
    dots,
    letters,
    line,
    marker,
    number_text,
    picture,
    ticks,
    words,
    x_axis,
    y_axis,
)
from ecglipse.report.scores import Group, Score, percent
from ecglipse.report.summary import Summary
from ecglipse.report.verdict import shown_fractions

Steps = Sequence[Mapping[str, float | int | None]]

WIDTH: Final = 980.0
"""Of every picture, CSS pixels: what the page's column has room for."""

GAME: Final = {
    "loss": "loss of the objective",
    "coverage": "share hidden",
    "spread": "spread of the mask's scores",
    "variation": "variation between records",
    "encoder_grad": "gradient norm, encoder",
    "mask_grad": "gradient norm, mask network",
}
"""Fields of `steps.jsonl` that a reader of the game looks at first, and what they are."""

BANDS: Final = 8
"""Methods in a panel, at most, that all have their band; among more, only those that the study is about."""

POINTS: Final = 80
"""Of a curve of the game."""


def _grid(count: int, *, columns: int, height: float) -> tuple[list[Point], float]:
    """Give the upper left corners of panels that are `height` high, and the height of all."""
    places = [(WIDTH / columns * (n % columns), height * (n // columns)) for n in range(count)]
    return places, height * -(-count // columns)


def label_efficiency(summary: Summary, look: Mapping[str, Look], *, probe: str, validation: str) -> str:
    """Draw macro AUROC over the share of labels, one panel a task, a line and 95 % band a method.

    Small dots are single pretraining seeds.

    Args:
        summary: of the study.
        look: of each method.
        probe: which probe.
        validation: which size of validation set.
    """
    columns = 2 if len(summary.tasks) in (1, 2, 4) else 3
    corners, height = _grid(len(summary.tasks), columns=columns, height=330.0)
    parts = []
    for (left, top), task in zip(corners, summary.tasks, strict=True):
        name = short(task, 30) + (" (R²)" if task in summary.regressions else "")
        parts.append(words(name, (left + 44, top + 18), "h"))
        curves = [
            (method.name, scores)
            for method in summary.methods
            if method.kind != "majority" and (scores := _curve(summary, method.name, task, probe, validation))
        ]
        place = (left + 44, top + 32, WIDTH / columns - 84, 240.0)
        parts.append(_curves(summary, look, curves, place))
        parts.append(words("share of the training labels", (left + 44 + place[2] / 2, top + 308), "m k"))
    said = f"{summary.measured} over label fraction, {probe} probe; the numbers are in the table"
    return picture(parts, width=WIDTH, height=height, label=said)


def _curve(summary: Summary, method: str, task: str, probe: str, validation: str) -> list[Score]:
    groups = [Group(task, probe, validation, f) for f in summary.shares]
    return [s for s in (summary.floor(g, method) for g in groups) if s.mean is not None]


def _curves(
    summary: Summary,
    look: Mapping[str, Look],
    curves: Sequence[tuple[str, list[Score]]],
    place: tuple[float, float, float, float],
) -> str:
    """One task's panel; candidates lie above the others, and their bands decide how high it reaches."""
    if not curves:
        return words("n/a", (place[0] + place[2] / 2, place[1] + place[3] / 2), "m k")
    single = summary.seeds_of
    heights = [
        end
        for name, scores in curves
        for s in scores
        for end in ((s.low, s.mean, s.high, *single(s)) if look[name].strong else (s.mean,))
        if end is not None
    ]
    margin = max(0.06 * (max(heights) - min(heights)), 0.005)
    ends = (min(heights) - margin, max(heights) + margin)
    shares = [100 * f for f in summary.shares]
    wide = (shares[0] / 1.1, shares[-1] * 1.1)
    panel = Panel(*place, x=wide, y=ends, log=True)
    names = [(share, percent(f)) for share, f in zip(shares, summary.shares, strict=True)]
    parts = [y_axis(panel, ticks(*ends)), x_axis(panel, names)]
    last = []
    for name, scores in sorted(curves, key=lambda curve: look[curve[0]].strong):
        one = look[name]
        middle = [panel.at(100 * s.group.fraction, s.mean or 0.0) for s in scores]
        low = [
            (x, y if s.low is None else panel.at(1.0, s.low)[1])
            for s, (x, y) in zip(scores, middle, strict=True)
        ]
        high = [
            (x, y if s.high is None else panel.at(1.0, s.high)[1])
            for s, (x, y) in zip(scores, middle, strict=True)
        ]
        shaded = one.strong or len(curves) <= BANDS
        drawn = (
            (band(low, high) if shaded else "")
            + dots(panel.at(100 * s.group.fraction, value) for s in scores for value in single(s))
            + line(middle)
            + "".join(marker(one.marker, p) for p in middle)
        )
        parts.append(f'<g class="{one.style}">{drawn}</g>')
        last.append((middle[-1], one.letter, one.style))
    return "".join([*parts, letters(panel, last)])


def forest(
    summary: Summary,
    look: Mapping[str, Look],
    tasks: Sequence[str],
    *,
    probe: str,
    validation: str,
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
    """
    budgets = shown_fractions(summary)
    columns = [
        (title, [c for c in found if c.group.task in tasks and c.group.fraction in budgets and _whole(c)])
        for title, found in forest_columns(summary, probe=probe, validation=validation)
    ]
    ends = [abs(v) for _, found in columns for c in found for v in (c.low, c.high) if v is not None]
    if not ends:
        return None
    metric = "R²" if all(task in summary.regressions for task in tasks) else "macro AUROC"
    reach = 1.08 * max(ends) or 0.01
    top, step, first = 62.0, 19.0, 190.0
    wide = (WIDTH - first) / len(columns)
    place, heads, bottom = _forest_rows(summary, tasks, budgets, step)
    parts = [_forest_names(place, heads, look, top)]
    for number, (title, found) in enumerate(columns):
        panel = Panel(first + number * wide + 8, top, wide - 16, bottom, x=(-reach, reach), y=(0.0, 1.0))
        middle = panel.at(0.0, 0.0)[0]
        lines = wrap(short(title, 44), max(10, int(wide / 7.2)))[:3]
        parts += [
            words(text, (panel.left, top - 14 - 14 * k), "h k") for k, text in enumerate(reversed(lines))
        ]
        values = ticks(-reach, reach, most=max(3, int(wide / 45)))
        parts.append(x_axis(panel, [(v, number_text(v)) for v in values], grid=True))
        parts.append(bars([((middle, top), (middle, top + bottom))]))
        parts.append(words("← worse · better →", (middle, top + bottom + 34), "m k"))
        parts += [
            _whisker(panel, c, look[c.method], top + place[c.group.task, c.group.fraction, c.method])
            for c in found
        ]
    parts.append(words(f"difference in {metric}", (first + (WIDTH - first) / 2, top + bottom + 54), "m"))
    said = f"Forest of paired differences in {metric}, {probe} probe; numbers in the table below"
    return picture(parts, width=WIDTH, height=top + bottom + 62, label=said)


Place = Mapping[tuple[str, float, str], float]


def _whole(c: Comparison) -> bool:
    return c.estimate is not None and c.low is not None and c.high is not None


def _forest_rows(
    summary: Summary, tasks: Sequence[str], budgets: Sequence[float], step: float
) -> tuple[Place, dict[str, float], float]:
    """Give each row's and each task's height below the forest's top, and the height of all, CSS pixels."""
    place: dict[tuple[str, float, str], float] = {}
    heads: dict[str, float] = {}
    y = 0.5 * step
    for task in tasks:
        heads[task] = y
        for fraction in budgets:
            for method in summary.candidates():
                y += step
                place[task, fraction, method.name] = y
        y += step
    return place, heads, y


def _forest_names(place: Place, heads: Mapping[str, float], look: Mapping[str, Look], top: float) -> str:
    """Write task, fraction and method left of a forest."""
    parts = [words(short(task, 24), (0.0, top + y + 4), "h") for task, y in heads.items()]
    before = None
    for (task, fraction, method), y in place.items():
        if (task, fraction) != before:
            parts.append(words(percent(fraction), (140.0, top + y + 4), "e"))
        before = (task, fraction)
        parts.append(
            f'<g class="{look[method].style}">{words(look[method].letter, (156.0, top + y + 4), "h k")}</g>'
        )
    parts += [f'<path class="g" d="M0 {top + y - 12:.1f}H{WIDTH:g}"/>' for y in list(heads.values())[1:]]
    return "".join(parts)


def _whisker(panel: Panel, c: Comparison, one: Look, y: float) -> str:
    """Draw one interval, with a filled marker where the difference survives Holm."""
    sure = c.p_holm is not None and c.p_holm < 0.05
    low, middle, high = (panel.at(v or 0.0, 0.0)[0] for v in (c.low, c.estimate, c.high))
    drawn = bars([((low, y), (high, y))]) + marker(one.marker, (middle, y), hollow=not sure)
    return f'<g class="{one.style}">{drawn}</g>'


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


def game_curves(runs: Mapping[str, Sequence[Steps]], look: Mapping[str, Look]) -> str | None:
    """Draw how the game went: loss, coverage, what the mask network scores, gradients; a line a method.

    A line is the mean of the method's runs, its band what lies between the lowest and the highest of them.

    Args:
        runs: by method, the steps of each of its runs.
        look: of each method.
    """
    fields = {key: found for key in GAME if (found := _methods_curves(runs, key))}
    if not fields:
        return None
    columns = min(3, max(2, len(fields)))
    corners, height = _grid(len(fields), columns=columns, height=240.0)
    parts = []
    for (left, top), (key, curves) in zip(corners, fields.items(), strict=True):
        values = np.concatenate([y for _, y in curves.values()], axis=None)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        margin = 0.06 * (high - low) or 0.05 * abs(high) or 0.1
        last = max(float(x[-1]) for x, _ in curves.values())
        place = (left + 44, top + 28, WIDTH / columns - 84, 164.0)
        panel = Panel(*place, x=(0.0, last), y=(low - margin, high + margin))
        parts.append(words(GAME[key], (left + 44, top + 18), "h"))
        parts.append(y_axis(panel, ticks(*panel.y, most=5)))
        parts.append(x_axis(panel, [(x, number_text(x)) for x in ticks(0.0, last, most=5)]))
        parts.append(words("step", (left + 44 + place[2] / 2, top + 228), "m k"))
        ends = []
        for method, (x, y) in curves.items():
            mean, lowest, highest = (
                [panel.at(float(a), float(b)) for a, b in zip(x, of, strict=True)]
                for of in (np.nanmean(y, axis=0), np.nanmin(y, axis=0), np.nanmax(y, axis=0))
            )
            drawn = (band(lowest, highest) if len(y) > 1 else "") + line(mean, "l t")
            parts.append(f'<g class="{look[method].style}">{drawn}</g>')
            ends.append((mean[-1], look[method].letter, look[method].style))
        parts.append(letters(panel, ends))
    said = f"Curves of pretraining over its steps: {', '.join(fields)}"
    return picture(parts, width=WIDTH, height=height, label=said)


def _methods_curves(
    runs: Mapping[str, Sequence[Steps]], key: str
) -> dict[str, tuple[Float[np.ndarray, " point"], Float[np.ndarray, "run point"]]]:
    """Steps, and one field of each run at them, by method; NaN after the end of a run that was cut short."""
    found = {}
    for method, many in runs.items():
        series = [one for steps in many if len((one := _series(steps, key))[1])]
        if series:
            longest = max((x for x, _ in series), key=lambda x: float(x[-1]))
            found[method] = longest, np.stack([np.interp(longest, x, y, right=np.nan) for x, y in series])
    return found


def _series(steps: Steps, key: str) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Steps and values of one field, averaged over windows so that at most `POINTS` remain."""
    pairs = [
        (float(s["step"] or 0), float(v)) for s in steps if (v := s.get(key)) is not None and "step" in s
    ]
    table = np.array([pair for pair in pairs if np.isfinite(pair[1])]).reshape(-1, 2)
    parts = np.array_split(table, min(POINTS, len(table)) or 1)
    if not len(table):
        return np.empty(0), np.empty(0)
    means = np.array([part.mean(axis=0) for part in parts])
    return means[:, 0], means[:, 1]
