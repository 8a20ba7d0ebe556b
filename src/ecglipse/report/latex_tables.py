"""A summary's other tables in LaTeX, each a small file of its own: what a paper's appendix needs. Pure.

All are about the verdict's probe; those that name no share of the labels are about the verdict's.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ecglipse.report.latex import head_of, metric_name, score_text, table, tex
from ecglipse.report.needed import ratio_text
from ecglipse.report.tables import FLOORS, Gap, Group, Needed, Summary, percent
from ecglipse.report.verdict import headline_fraction, setting_title

COLUMNS: Final = 8
"""Of numbers that a page of a paper has room for; a wider table becomes several."""


def latex_tables(summary: Summary) -> dict[str, str]:
    """Give the tables by name: `floors`, `labels`, `classes`, `calibration`, `subgroups`, `robustness`.

    What was not measured has no table. All need `booktabs`.
    """
    fraction = headline_fraction(summary)
    if fraction is None or not summary.settings:
        return {}
    makers: dict[str, Callable[[Summary, float], list[str]]] = {
        "floors": _floors,
        "labels": _labels,
        "classes": _classes,
        "calibration": _calibration,
        "subgroups": _subgroups,
        "robustness": _robustness,
    }
    made = {name: make(summary, fraction) for name, make in makers.items()}
    return {name: "\n".join([*head_of(summary), *lines]) + "\n" for name, lines in made.items() if lines}


def _where(summary: Summary, fraction: float) -> str:
    return f"{setting_title(*summary.settings[0])}, {percent(fraction)} of the labels."


def _row(*cells: str) -> str:
    return " & ".join(cells) + r" \\"


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"${value:.3f}$"


def _difference(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "n/a"
    ends = "" if low is None or high is None else f" [${low:+.3f}$, ${high:+.3f}$]"
    return f"${value:+.3f}${ends}"


def _by_method(summary: Summary, cells: Mapping[str, Sequence[str]]) -> list[str]:
    """Give a row a method that has cells, floors above a rule."""
    rows: dict[bool, list[str]] = {True: [], False: []}
    for method in summary.methods:
        if method.name in cells:
            rows[method.kind in FLOORS].append(_row(tex(method.title), *cells[method.name]))
    rule = [r"\midrule"] if rows[True] and rows[False] else []
    return [*rows[True], *rule, *rows[False]]


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + COLUMNS] for start in range(0, len(names), COLUMNS)]


def _floors(summary: Summary, fraction: float) -> list[str]:
    """Each floor, and the best pretrained encoder where methods may be ranked; a row a task."""
    floors = [m for m in summary.methods if m.kind in FLOORS]
    rows = []
    for task in summary.tasks:
        group = Group(task, *summary.settings[0], fraction)
        cells = [score_text(summary.floor(group, m.name)) for m in floors]
        if summary.ranked:
            others = [summary.score(group, m.name) for m in summary.methods if m.kind not in FLOORS]
            best = max((s for s in others if s.mean is not None), key=lambda s: s.mean or 0.0, default=None)
            name = tex(summary.method(best.method).title) if best else ""
            cells += [score_text(best), name] if best else ["n/a", ""]
        rows.append(_row(tex(task), tex(metric_name(summary, task)), *cells))
    best_heads = ["best pretrained", "which"] if summary.ranked else []
    head = ["task", "metric", *(m.title for m in floors), *best_heads]
    return table(f"Floors, with 95 % intervals. {_where(summary, fraction)}", head, rows) if floors else []


def _labels(summary: Summary, fraction: float) -> list[str]:
    """Labels needed for an opponent's score, as ratios; a row a method, opponent and task."""
    del fraction
    found: dict[tuple[str, str, str], dict[float, Needed]] = {}
    for n in summary.needed:
        if (n.group.probe, n.group.validation) == summary.settings[0]:
            found.setdefault((n.method, n.baseline, n.group.task), {})[n.group.fraction] = n
    rows = []
    for (method, baseline, task), by_fraction in found.items():
        who = (summary.method(method).title, summary.method(baseline).title, task)
        cells = [_ratio(by_fraction.get(f)) for f in summary.shares]
        rows.append(_row(*map(tex, who), *cells))
    head = ["method", "to reach", "task", *(f"with {percent(f)}" for f in summary.shares)]
    caption = f"Labels needed for the same score, as ratios. {setting_title(*summary.settings[0])}."
    return table(caption, head, rows) if rows else []


def _ratio(needed: Needed | None) -> str:
    if needed is None or needed.ratio is None:
        return "n/a"
    middle, low, high = (
        tex(ratio_text(x, needed)) for x in (needed.ratio.estimate, needed.ratio.low, needed.ratio.high)
    )
    return f"{middle} [{low}, {high}]"


def _classes(summary: Summary, fraction: float) -> list[str]:
    """AUROC of each class; a table a task, a row a method."""
    lines = []
    for task in summary.tasks:
        group = Group(task, *summary.settings[0], fraction)
        mine = {(k.method, k.label): k for k in summary.classes if k.group == group}
        for labels in _parts(list(dict.fromkeys(label for _, label in mine))):
            cells = {
                method: [_number(k.auroc if (k := mine.get((method, label))) else None) for label in labels]
                for method in {name for name, _ in mine}
            }
            caption = f"{task}: AUROC of each class. {_where(summary, fraction)}"
            lines += table(caption, ["method", *labels], _by_method(summary, cells))
    return lines


def _calibration(summary: Summary, fraction: float) -> list[str]:
    """Expected calibration error before and after the temperature; a table a task, a row a method."""
    lines = []
    for task in summary.tasks:
        errors = {(r.method, r.when): r.ece for r in summary.reliability if r.group.task == task}
        cells = {
            method: [_number(errors.get((method, when))) for when in ("before", "after")]
            for method, _ in errors
        }
        if errors:
            caption = f"{task}: expected calibration error (ECE). {_where(summary, fraction)}"
            lines += table(caption, ["method", "as given", "after temperature"], _by_method(summary, cells))
    return lines


def _subgroups(summary: Summary, fraction: float) -> list[str]:
    """Gaps of AUROC, TPR and FPR to all other test records; a table a task, a row a subgroup and method."""
    lines = []
    metrics = ("AUROC", "TPR", "FPR")
    for task in summary.tasks:
        found: dict[tuple[str, str, str], dict[str, Gap]] = {}
        for g in summary.gaps:
            if g.group.task == task:
                found.setdefault((g.variable, g.name, g.method), {})[g.metric] = g
        rows = []
        for (variable, name, method), gaps in found.items():
            one = next(iter(gaps.values()))
            numbers = [
                _difference(gap.gap, gap.low, gap.high) if (gap := gaps.get(m)) else "n/a" for m in metrics
            ]
            who = (f"{variable}: {name}", summary.method(method).title)
            rows.append(_row(*map(tex, who), f"{one.n}", f"{one.n_rest}", *numbers))
        if rows:
            caption = f"{task}: subgroups minus all others, with 95 % intervals. {_where(summary, fraction)}"
            lines += table(caption, ["subgroup", "method", "n", "others", *metrics], rows)
    return lines


def _robustness(summary: Summary, fraction: float) -> list[str]:
    """What disturbances change; a table a task, a row a method, a column a disturbance."""
    del fraction
    lines = []
    for task in summary.tasks:
        found = {(d.method, d.name): d for d in summary.disturbed if d.group.task == task}
        for names in _parts(list(dict.fromkeys(name for _, name in found))):
            cells = {}
            for method, _ in found:
                mine = [found.get((method, name)) for name in names]
                clean = next((d.clean for d in mine if d), None)
                changes = [_difference(d.change, d.low, d.high) if d else "n/a" for d in mine]
                cells[method] = [_number(clean), *changes]
            caption = f"{task}: change in {metric_name(summary, task)} on disturbed test recordings."
            lines += table(caption, ["method", "as it is", *names], _by_method(summary, cells))
    return lines
