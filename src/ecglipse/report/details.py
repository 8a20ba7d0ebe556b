"""What the page's template is filled with in detail: classes, other metrics, seeds, subgroups. Pure."""

from typing import Any, Final

from ecglipse.report.footnotes import Footnotes
from ecglipse.report.measures import TITLES
from ecglipse.report.methods import FLOORS, Method
from ecglipse.report.parts import cut
from ecglipse.report.scores import ClassScore, Group, percent
from ecglipse.report.summary import Summary
from ecglipse.report.verdict import headline_fraction, shown_fractions

MOST_NUMBERS: Final = 12
"""Columns of numbers without intervals that a sheet of paper takes beside the methods' names."""


def _cell(text: str, *, span: str = "", why: str = "", first: bool = False) -> dict[str, Any]:
    """A number, what stands below it, why there is none, and whether a rule stands before it."""
    return {"text": text, "span": span, "why": why, "first": first}


def _row(method: Method, cells: list[dict[str, Any]], notes: Footnotes) -> dict[str, Any]:
    """A row whose reasons are footnotes."""
    marked = [cell | {"mark": notes.mark(cell["why"])} for cell in cells]
    return {"method": method, "floor": method.kind in FLOORS, "cells": marked}


def number(value: float | None) -> str:
    """Give three decimals, or n/a."""
    return "n/a" if value is None else f"{value:.3f}".replace("-", "−")


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{number(low)}–{number(high)}"


def classes(summary: Summary) -> list[dict[str, Any]]:
    """Gather the tables of classes of each task, at the headline's probe: AUROC, then AUPRC and F1."""
    if not summary.settings:
        return []
    mine = [k for k in summary.classes if (k.group.probe, k.group.validation) == summary.settings[0]]
    found = {(k.group.task, k.group.fraction, k.method, k.label): k for k in mine}
    shown, few = shown_fractions(summary), headline_fraction(summary) or 1.0
    tables = []
    for task in summary.tasks:
        every = list({k.label: k for k in mine if k.group.task == task}.values())
        wanted = (
            ("AUROC", [("auroc", percent(f), f) for f in shown]),
            ("AUPRC and F1", [(key, key.upper(), few) for key in ("auprc", "f1")]),
        )
        for title, columns in wanted:
            for labels in cut(every, most=max(1, MOST_NUMBERS // max(1, len(columns)))):
                notes, rows = Footnotes(), []
                for method in summary.methods:
                    cells = [
                        _class_cell(
                            found.get((task, f, method.name, k.label)),
                            key,
                            first=number == 0,
                            few=f == few,
                        )
                        for k in labels
                        for number, (key, _, f) in enumerate(columns)
                    ]
                    if any(c["text"] != "n/a" for c in cells):
                        rows.append(_row(method, cells, notes))
                if rows:
                    heads = [head for _, head, _ in columns]
                    table = {"task": task, "title": title, "labels": labels, "heads": heads, "rows": rows}
                    tables.append(table | {"notes": notes.lines, "share": percent(few)})
    return tables


def _class_cell(found: ClassScore | None, key: str, *, first: bool, few: bool) -> dict[str, Any]:
    if found is None:
        return _cell("n/a", why="not read so, or not yet", first=first)
    value = {"auroc": found.auroc, "auprc": found.auprc, "f1": found.f1}[key]
    if value is None:
        why = found.note.removeprefix("n/a, ") or "the ledger was written before it was kept there"
        return _cell("n/a", why=why, first=first)
    span = _range(found.low, found.high) if key == "auroc" and few else ""
    return _cell(number(value), span=span, first=first)


def other_measures(summary: Summary) -> list[dict[str, Any]]:
    """Gather the other metrics of each task at the headline's probe: few labels and all of them."""
    if not summary.settings:
        return []
    few = headline_fraction(summary)
    shown = list(dict.fromkeys(f for f in (few, max(summary.fractions)) if f is not None))
    mine = [m for m in summary.measures if (m.group.probe, m.group.validation) == summary.settings[0]]
    found = {(m.group.task, m.group.fraction, m.method, m.metric): m for m in mine}
    tables = []
    for task in summary.tasks:
        held = {m.metric for m in mine if m.group.task == task}
        for names in cut([name for name in TITLES if name in held], most=MOST_NUMBERS // len(shown)):
            notes, rows = Footnotes(), []
            for method in summary.methods:
                cells = []
                for name in names:
                    for f in shown:
                        one = found.get((task, f, method.name, name))
                        value = None if one is None else one.value
                        why = (
                            ""
                            if value is not None
                            else "not read so, or not yet"
                            if one is None
                            else one.note
                        )
                        span = "" if one is None else _range(one.low, one.high)
                        cells.append(_cell(number(value), span=span, why=why, first=f == shown[0]))
                if any(c["text"] != "n/a" for c in cells):
                    rows.append(_row(method, cells, notes))
            if rows:
                heads = [TITLES[name] for name in names]
                table = {"task": task, "heads": heads, "fractions": shown, "rows": rows}
                tables.append(table | {"notes": notes.lines})
    return tables


def seeds(summary: Summary) -> list[dict[str, Any]]:
    """Gather the score of every seed and rotation at the verdict's share: a table a task, a row a method."""
    few = headline_fraction(summary)
    if few is None or not summary.settings:
        return []
    value = {(o.group, o.method, o.seed, o.rotation): o.value for o in summary.singles}
    tables = []
    for task in summary.tasks:
        group = Group(task, *summary.settings[0], few)
        scores = [s for m in summary.methods if (s := summary.floor(group, m.name)).mean is not None]
        at = {s.method: s.group for s in scores}
        ours = [o for o in summary.singles if at.get(o.method) == o.group]
        drawn = sorted({o.seed for o in ours if o.seed is not None and o.rotation is None})
        tests = sorted({o.rotation for o in ours if o.rotation is not None and o.seed is None})
        columns = [(s, None) for s in drawn] + [(None, r) for r in tests]
        heads = [f"seed {s}" for s in drawn] + [f"rotation {r}" for r in tests]
        rows = []
        for score in scores:
            cells = [
                _cell(number(value.get((score.group, score.method, *which))), first=n in (0, len(drawn)))
                for n, which in enumerate(columns)
            ]
            rows.append(_row(summary.method(score.method), [_cell(number(score.mean)), *cells], Footnotes()))
        if rows and (len(drawn) > 1 or tests):
            tables.append({"task": task, "heads": ["mean", *heads], "rows": rows})
    return tables


def spreads(summary: Summary) -> list[dict[str, Any]]:
    """Gather the deviations over seeds and draws at the headline's probe: a row a method and task, a column
    a fraction; of methods that have some."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for s in summary.scores:
        if (s.group.probe, s.group.validation) == summary.settings[0] and (s.sd_seeds, s.sd_draws) != (
            None,
            None,
        ):
            about = {"method": s.method, "task": s.group.task, "n": s.n_test, "cells": {}}
            rows.setdefault((s.method, s.group.task), about)["cells"][s.group.fraction] = s
    return list(rows.values())


def gap_rows(summary: Summary) -> list[dict[str, Any]]:
    """Gather the table of subgroups: a row a task, subgroup and method."""
    rows: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for g in summary.gaps:
        key = (g.group.task, g.variable, g.name, g.method)
        about = {"task": g.group.task, "variable": g.variable, "name": g.name, "method": g.method}
        rows.setdefault(key, about | {"n": g.n, "n_rest": g.n_rest, "metrics": {}})["metrics"][g.metric] = g
    return list(rows.values())
