"""What the page's template is filled with: tables, banners and facts of a summary, as plain values. Pure."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Final

from markupsafe import Markup

from ecglipse.report.calibration_figures import reliability_plots
from ecglipse.report.cautions import in_few_words
from ecglipse.report.differences import Comparison, Needed
from ecglipse.report.figures import forest, label_efficiency
from ecglipse.report.gallery import Picture
from ecglipse.report.looks import Look
from ecglipse.report.methods import FLOORS
from ecglipse.report.needed import ratio_text
from ecglipse.report.parts import cut
from ecglipse.report.scores import Group, Reliability, Score, percent
from ecglipse.report.summary import Summary
from ecglipse.report.verdict import headline_fraction, setting_title

MOST_COLUMNS: Final = 8
"""Columns of numbers with intervals that a sheet of paper takes beside the methods' names."""


def p_value(value: float | None) -> str:
    """Give a p-value as readers write it."""
    return "n/a" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _store(summary: Summary) -> Mapping[str, Any]:
    store = summary.facts.get("store")
    return store if isinstance(store, dict) else {}


def compared(summary: Summary) -> str:
    """Say in one sentence what was compared, on what."""
    store = _store(summary)
    seeds = max((s.n_seeds for s in summary.scores), default=0)
    draws = max((s.n_draws for s in summary.scores), default=0)
    text = f"{_count(len(summary.methods), 'method')} on {_count(len(summary.tasks), 'task')}"
    if summary.tasks:
        text += f" ({', '.join(summary.tasks)})"
    if summary.shares:
        text += f", with {', '.join(percent(f) for f in summary.shares)} of the labels"
    shots = [f for f in summary.fractions if f < 0]
    if shots:
        text += f", {'and' if summary.shares else 'with'} {', '.join(f'{-f:g}' for f in shots)} a class"
    text += f"; {_count(seeds, 'pretraining seed')}, up to {_count(draws, 'draw')} of labels."
    if isinstance(store.get("n_records"), int) and isinstance(store.get("n_patients"), int):
        text += f" Recordings: {store.get('corpus', 'unknown')}, {_count(store['n_records'], 'record')}"
        text += f" of {_count(store['n_patients'], 'patient')}"
        if "fs" in store and "duration_s" in store:
            text += f", {store['fs']:g} Hz, {store['duration_s']:g} s"
        text += "."
    return text


def banners(summary: Summary) -> list[str]:
    found = []
    if summary.synthetic:
        found.append(
            "Synthetic data: these recordings come from a simulator; nothing here is clinical evidence."
        )
    if summary.missing_floors:
        found.append(
            f"Floors missing: {in_few_words(summary.missing_floors)}. Without them nobody can tell how much "
            "of a score comes from pretraining at all."
            + (" The methods are ranked all the same, as was asked for." if summary.ranked else "")
        )
    return found


def setting(summary: Summary, look: Mapping[str, Look], number: int) -> dict[str, Any]:
    """Gather what the template shows of one probe and validation."""
    probe, validation = summary.settings[number]
    here = {"probe": probe, "validation": validation}
    groups = [Group(t, probe, validation, f) for t in summary.tasks for f in summary.fractions]
    many = max(1, MOST_COLUMNS // max(1, len(summary.fractions)))
    tables = [
        {"tasks": tasks, "fractions": part, "rows": _score_rows(summary, tasks, part, probe, validation)}
        for tasks in cut(summary.tasks, most=many)
        for part in cut(summary.fractions, most=MOST_COLUMNS)
    ]
    metrics = ([t for t in summary.tasks if t not in summary.regressions], summary.regressions)
    plots = [forest(summary, look, tasks, **here) for tasks in metrics if tasks]
    drawn = [plot for plot in plots if plot]
    names = {m.name for m in summary.candidates()}
    mine = _ordered(
        [c for c in summary.comparisons if (c.group.probe, c.group.validation) == (probe, validation)], names
    )
    few = headline_fraction(summary)
    return {
        "title": setting_title(probe, validation),
        "efficiency": Markup(label_efficiency(summary, look, **here)),
        "forest": Markup("\n".join(drawn)) if drawn else None,
        "tables": [table for table in tables if table["rows"]],
        "comparisons": [c for c in mine if c.group.fraction == few] if number == 0 else [],
        "fraction": few,
        "differences": _difference_tables(summary, [c for c in mine if number == 0 or c.method in names]),
        "needed": needed_rows(summary, probe, validation),
        "counts": _counts([summary.score(g, m.name) for g in groups for m in summary.methods]),
    }


def _difference_tables(summary: Summary, found: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Gather differences: a row a method, opponent and task, a column a fraction; wide ones in parts."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for c in found:
        about = {"method": c.method, "baseline": c.baseline, "role": role_of(c), "task": c.group.task}
        row = rows.setdefault((c.method, c.baseline, c.group.task), about | {"cells": {}})
        row["cells"][c.group.fraction] = c
    whole = [row for row in rows.values() if any(c.estimate is not None for c in row["cells"].values())]
    if not whole:
        return []
    return [{"fractions": part, "rows": whole} for part in cut(summary.fractions, most=MOST_COLUMNS - 2)]


def _score_rows(
    summary: Summary, tasks: Sequence[str], fractions: Sequence[float], probe: str, validation: str
) -> list[dict[str, Any]]:
    """Gather the scores of some tasks: a row a method, a column a task and fraction."""
    groups = [Group(t, probe, validation, f) for t in tasks for f in fractions]
    best = {}
    for group in groups:
        means = [s.mean for m in summary.methods if (s := summary.floor(group, m.name)).mean is not None]
        best[group] = max(means, default=None) if summary.ranked else None
    rows = []
    for method in summary.methods:
        scores = [summary.floor(group, method.name) for group in groups]
        if any(score.n_cells for score in scores):
            cells = [
                _cell(score, best[group], first=group.fraction == fractions[0])
                for score, group in zip(scores, groups, strict=True)
            ]
            borrowed = scores[0].group.probe
            borrowed = "" if borrowed == probe else setting_title(borrowed, "matched").lower()
            rows.append(
                {"method": method, "floor": method.kind in FLOORS, "borrowed": borrowed, "cells": cells}
            )
    return rows


def needed_rows(summary: Summary, probe: str, validation: str) -> list[dict[str, Any]]:
    """Gather the table of label-efficiency ratios: a row a method, opponent and task; a column a fraction."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for n in summary.needed:
        if (n.group.probe, n.group.validation) == (probe, validation):
            key = (n.method, n.baseline, n.group.task)
            about = {"method": n.method, "baseline": n.baseline, "role": role_of(n), "task": n.group.task}
            cell: dict[str, Any] = {"text": "n/a", "span": n.note, "fewer": False}
            if n.ratio is not None:
                ends = [ratio_text(x, n) for x in (n.ratio.low, n.ratio.high)]
                cell = {"text": ratio_text(n.ratio.estimate, n), "span": " to ".join(ends)}
                cell["fewer"] = n.ratio.high < 1
            rows.setdefault(key, about | {"cells": {}})["cells"][n.group.fraction] = cell
    return list(rows.values())


def _cell(score: Score, best: float | None, *, first: bool) -> dict[str, Any]:
    return {
        "score": score,
        "first": first,
        "best": score.mean is not None and score.mean == best,
        "why": score.note.removeprefix("n/a").lstrip(", "),
    }


def _ordered(comparisons: list[Comparison], first: set[str]) -> list[Comparison]:
    """Candidates before others, twins before other baselines; otherwise as they stand."""
    return sorted(comparisons, key=lambda c: (c.method not in first, not c.twin, not c.control))


def role_of(found: Comparison | Needed) -> str:
    """Say what the opponent is to the method: "its random twin", "its frozen twin", or nothing."""
    return "its random twin" if found.twin else f"its {found.control}" if found.control else ""


def _counts(scores: list[Score]) -> str:
    """Say how many cells, seeds and records the numbers of a table rest on."""
    done = [s for s in scores if s.mean is not None]
    if not done:
        return "No number yet."

    def span(values: list[int]) -> str:
        return str(min(values)) if min(values) == max(values) else f"{min(values)} to {max(values)}"

    return (
        f"Each number is the mean over {span([s.n_seeds for s in done])} seeds, "
        f"{span([s.n_draws for s in done])} label draws and {span([s.n_rotations for s in done])} test sets; "
        f"{span([s.n_test for s in done])} test records."
    )


def calibration(summary: Summary, look: Mapping[str, Look]) -> list[dict[str, Any]]:
    """Gather the reliability plots and their numbers: one table a task, a row a method."""
    tables = []
    for task in summary.tasks:
        mine = [r for r in summary.reliability if r.group.task == task]
        rows = []
        for method in summary.methods:
            found = {r.when: r for r in mine if r.method == method.name}
            if found:
                rows.append({"method": method, "floor": method.kind in FLOORS, **found})
        if rows:
            plot = reliability_plots(summary, look, mine)
            fraction = mine[0].group.fraction
            tables.append(
                {"task": task, "plot": Markup(plot) if plot else None, "rows": rows, "fraction": fraction}
            )
    return tables


def bins_of(found: Reliability) -> str:
    """Say how many predictions a bin holds."""
    held = [b.n for b in found.bins]
    if not held:
        return "n/a"
    span = f"{min(held):,}" if min(held) == max(held) else f"{min(held):,} to {max(held):,}"
    return f"{span} in {len(held)}"


def ladders(summary: Summary) -> list[dict[str, Any]]:
    """Gather the tables of disturbances: one a task, a row a method, a column a disturbance."""
    value = {(d.group.task, d.method, d.name): d for d in summary.disturbed}
    every = list(dict.fromkeys(d.name for d in summary.disturbed))
    tables = []
    for task, names in product(summary.tasks, cut(every, most=MOST_COLUMNS - 1)):
        rows = []
        for m in summary.methods:
            found = [value.get((task, m.name, name)) for name in names]
            first = next((d for d in found if d), None)
            if first:
                rows.append({"method": m, "floor": m.kind in FLOORS, "clean": first.clean, "cells": found})
        if rows:
            tables.append({"task": task, "names": names, "rows": rows})
    return tables


def by_record(gallery: list[Picture]) -> list[dict[str, Any]]:
    titles = dict.fromkeys(p.record for p in gallery)
    return [{"title": t, "pictures": [p for p in gallery if p.record == t]} for t in titles]


def provenance(summary: Summary) -> list[tuple[str, str]]:
    """Gather what a reader needs to repeat or to doubt the study: hashes, versions, hardware, times."""
    facts, store = summary.facts, _store(summary)
    own = facts.get("provenance")
    own = own if isinstance(own, dict) else {}
    made = summary.hardware
    lines: list[tuple[str, Any]] = [
        ("config hash", facts.get("config_hash")),
        ("store digest", store.get("digest")),
        ("commit", made.get("commit") or own.get("commit")),
        ("versions", made.get("versions") or own.get("versions")),
        *((name, own.get(name)) for name in ("python", "platform")),
        ("hardware", own.get("hardware") or made.get("hardware")),
        *((name, facts.get(name)) for name in ("started", "finished")),
        ("duration", _duration(facts.get("seconds"))),
        ("cells in the ledger", made.get("cells")),
        ("time of all cells", _duration(made.get("seconds"))),
        ("times each test set was read", made.get("reads")),
    ]
    return [(name, _say(value)) for name, value in lines if value not in (None, "", {}, [])]


def _duration(seconds: object) -> str | None:
    if not isinstance(seconds, int | float):
        return None
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return (
        f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s" if minutes else f"{seconds:.1f} s"
    )


def _say(value: object) -> str:
    """Give nested facts as one line of text."""
    if isinstance(value, Mapping):
        return "; ".join(f"{k} {_say(v)}" for k, v in value.items() if v is not None)
    if isinstance(value, list | tuple):
        return ", ".join(_say(v) for v in value)
    return (
        f"{value:,}"
        if isinstance(value, int) and not isinstance(value, bool) and value >= 10000
        else str(value)
    )
