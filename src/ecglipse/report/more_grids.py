"""A summary's tables beside scores and differences, as plain cells. Pure.

All are about the verdict's probe; those that name no share of the labels are about the verdict's.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ecglipse.report.content import role_of
from ecglipse.report.differences import Gap, Needed
from ecglipse.report.grids import (
    Block,
    Cell,
    Grid,
    borrowed,
    by_method,
    change,
    metric_name,
    number,
    opponent,
)
from ecglipse.report.measures import TITLES
from ecglipse.report.methods import FLOORS, Method
from ecglipse.report.needed import ratio_text
from ecglipse.report.scores import Group, Score, percent
from ecglipse.report.summary import Summary
from ecglipse.report.verdict import headline_fraction, setting_title


def more_grids(summary: Summary) -> dict[str, list[Grid]]:
    """Give the tables by the names of `MAKERS`; what was not measured has none."""
    fraction = headline_fraction(summary)
    if fraction is None or not summary.settings:
        return {}
    made = {name: make(summary, fraction) for name, make in MAKERS.items()}
    return {name: grids for name, grids in made.items() if grids}


def _where(summary: Summary, fraction: float) -> str:
    labels = f"{percent(fraction)} of the labels" if fraction > 0 else f"{percent(fraction)} labelled"
    return f"{setting_title(*summary.settings[0])}, {labels}"


def _floors(summary: Summary, fraction: float) -> list[Grid]:
    """Each floor, and the best pretrained encoder where methods may be ranked; a row a task."""
    floors = [m for m in summary.methods if m.kind in FLOORS]
    groups = [Group(task, *summary.settings[0], fraction) for task in summary.tasks]
    scores = {m.name: [summary.floor(group, m.name) for group in groups] for m in floors}
    read = borrowed(scores, summary.settings[0][0])
    heads = ["task", *(f"{m.title}, {read[m.name]}" if m.name in read else m.title for m in floors)]
    columns = list(scores.values())
    won: dict[str, list[str]] = {}
    if summary.ranked:
        best = [_best(summary, group) for group in groups]
        heads, columns = [*heads, "best pretrained"], [*columns, best]
        for score in best:
            if score.mean is not None:
                won.setdefault(summary.method(score.method).title, []).append(score.group.task)
    names = [task + (" (R²)" if task in summary.regressions else "") for task in summary.tasks]
    rows = tuple(
        (name, tuple(number(s.mean, s.low, s.high, s.note) for s in mine))
        for name, *mine in zip(names, *columns, strict=True)
    )
    title = f"Floors: {summary.measured} with its 95 % interval"
    note = "; ".join(f"{title} ({', '.join(tasks)})" for title, tasks in won.items())
    note = f"Best pretrained: {note}." if note else ""
    grid = Grid(title, _where(summary, fraction), tuple(heads), (Block(rows),), note=note)
    return [grid] if floors and rows else []


def _best(summary: Summary, group: Group) -> Score:
    others = [summary.score(group, m.name) for m in summary.methods if m.kind not in FLOORS]
    done = [score for score in others if score.mean is not None]
    return max(done, key=lambda score: score.mean or 0.0, default=Score(group, "", None))


def _labels(summary: Summary, fraction: float) -> list[Grid]:
    """Labels needed for an opponent's score; a table a method, a block an opponent, a row a task."""
    del fraction
    return [grid for method in summary.methods if (grid := _labels_of(summary, method))]


def _labels_of(summary: Summary, method: Method) -> Grid | None:
    found: dict[tuple[str, str], dict[str, dict[float, Needed]]] = {}
    for n in summary.needed:
        if n.method == method.name and (n.group.probe, n.group.validation) == summary.settings[0]:
            tasks = found.setdefault((n.baseline, role_of(n)), {})
            tasks.setdefault(n.group.task, {})[n.group.fraction] = n
    blocks = tuple(
        Block(
            tuple((task, tuple(_ratio(by.get(f)) for f in summary.shares)) for task, by in tasks.items()),
            opponent(summary, baseline, role),
        )
        for (baseline, role), tasks in found.items()
    )
    if not blocks:
        return None
    heads = ("task", *(f"with {percent(f)}" for f in summary.shares))
    title = f"{method.title}: labels needed for another's score, as ratios with 95 % intervals"
    note = "0.5 is half of the other's labels; < and >: beyond the shares tried."
    return Grid(title, setting_title(*summary.settings[0]), heads, blocks, over="to reach", note=note)


def _ratio(needed: Needed | None) -> Cell:
    if needed is None or needed.ratio is None:
        return Cell(why=needed.note if needed else "")
    middle, low, high = (
        ratio_text(x, needed) for x in (needed.ratio.estimate, needed.ratio.low, needed.ratio.high)
    )
    return Cell(middle, (low, high))


def _classes(summary: Summary, fraction: float) -> list[Grid]:
    """AUROC of each class; a table a task, a row a method."""
    grids = []
    for task in summary.tasks:
        group = Group(task, *summary.settings[0], fraction)
        mine = {(k.method, k.label): k for k in summary.classes if k.group == group}
        labels = {k.label: k for k in mine.values()}
        cells = {
            method: [
                number(k.auroc, why=k.note) if (k := mine.get((method, label))) else Cell()
                for label in labels
            ]
            for method in {name for name, _ in mine}
        }
        heads = ("method", *(f"{k.label}\nn = {k.positives}" for k in labels.values()))
        left = [k.label for k in labels.values() if not k.in_macro]
        note = f"Not in the macro average: {', '.join(left)}." if left else ""
        blocks = by_method(summary, cells)
        title = f"{task}: AUROC of each class"
        grids += [Grid(title, _where(summary, fraction), heads, blocks, note=note)] if blocks else []
    return grids


def _measures(summary: Summary, fraction: float) -> list[Grid]:
    """The other metrics; a table a task, a row a method."""
    grids = []
    for task in summary.tasks:
        group = Group(task, *summary.settings[0], fraction)
        mine = {(m.method, m.metric): m for m in summary.measures if m.group == group}
        metrics = [key for key in TITLES if key in {metric for _, metric in mine}]
        cells = {
            method: [
                number(m.value, why=m.note) if (m := mine.get((method, key))) else Cell() for key in metrics
            ]
            for method in {name for name, _ in mine}
        }
        heads = ("method", *(TITLES[key] for key in metrics))
        blocks = by_method(summary, cells)
        grids += [Grid(f"{task}: other metrics", _where(summary, fraction), heads, blocks)] if blocks else []
    return grids


def _calibration(summary: Summary, fraction: float) -> list[Grid]:
    """Expected calibration error before and after the temperature; a table a task, a row a method."""
    grids = []
    for task in summary.tasks:
        errors = {(r.method, r.when): r for r in summary.reliability if r.group.task == task}
        cells = {
            method: [
                number(r.ece, why=r.note) if (r := errors.get((method, when))) else Cell()
                for when in ("before", "after")
            ]
            for method, _ in errors
        }
        heads = ("method", "as given", "after temperature")
        blocks = by_method(summary, cells)
        title = f"{task}: expected calibration error (ECE)"
        grids += [Grid(title, _where(summary, fraction), heads, blocks)] if blocks else []
    return grids


def _subgroups(summary: Summary, fraction: float) -> list[Grid]:
    """Gaps of AUROC, TPR and FPR to all other test records; a table a task, a block a subgroup."""
    grids = []
    metrics = ("AUROC", "TPR", "FPR")
    for task in summary.tasks:
        found: dict[str, dict[str, dict[str, Gap]]] = {}
        for g in summary.gaps:
            if g.group.task == task:
                name = f"{g.variable}: {g.name} (n = {g.n}, others {g.n_rest})"
                found.setdefault(name, {}).setdefault(g.method, {})[g.metric] = g
        blocks = tuple(
            Block(
                tuple(
                    (summary.method(name).title, tuple(_gap(gaps.get(m)) for m in metrics))
                    for name, gaps in methods.items()
                ),
                subgroup,
            )
            for subgroup, methods in found.items()
        )
        heads = ("method", *(f"{m}, gap" for m in metrics))
        title = f"{task}: subgroups, and their gaps to all others with 95 % intervals"
        grids += [Grid(title, _where(summary, fraction), heads, blocks, over="subgroup")] if blocks else []
    return grids


def _gap(found: Gap | None) -> Cell:
    if found is None:
        return Cell()
    cell = change(found.gap, found.low, found.high)
    return replace(cell, value=f"{found.value:.3f}, {cell.value}")


def _robustness(summary: Summary, fraction: float) -> list[Grid]:
    """What disturbances change; a table a task, a row a method, a column a disturbance."""
    del fraction
    grids = []
    for task in summary.tasks:
        found = {(d.method, d.name): d for d in summary.disturbed if d.group.task == task}
        names = list(dict.fromkeys(name for _, name in found))
        cells = {}
        for method in {name for name, _ in found}:
            mine = [found.get((method, name)) for name in names]
            changes = [change(d.change, d.low, d.high) if d else Cell() for d in mine]
            cells[method] = [number(next(d.clean for d in mine if d)), *changes]
        if cells:
            group = next(iter(found.values())).group
            where = f"{setting_title(group.probe, group.validation)}, {percent(group.fraction)} of the labels"
            title = f"{task}: change in {metric_name(summary, task)} on disturbed test recordings"
            title += ", with 95 % intervals"
            grids.append(Grid(title, where, ("method", "as it is", *names), by_method(summary, cells)))
    return grids


MAKERS: Final[dict[str, Callable[[Summary, float], list[Grid]]]] = {
    "floors": _floors,
    "labels": _labels,
    "classes": _classes,
    "measures": _measures,
    "calibration": _calibration,
    "subgroups": _subgroups,
    "robustness": _robustness,
}
