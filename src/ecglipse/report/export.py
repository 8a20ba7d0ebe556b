"""A summary as text: one long CSV, and Markdown tables. Writes nothing itself."""

import csv
import html
import io
import math
import re
from typing import Final

from ecglipse.report.needed import ratio_text
from ecglipse.report.tables import Group, Score, Summary, percent
from ecglipse.report.verdict import at_what, setting_title, signed, verdict

COLUMNS: Final = (
    "kind",
    "task",
    "probe",
    "validation",
    "fraction",
    "method",
    "title",
    "baseline",
    "twin",
    "control",
    "class",
    "metric",
    "value",
    "low",
    "high",
    "sd_seeds",
    "sd_draws",
    "p_value",
    "p_holm",
    "superiority",
    "n_seeds",
    "n_draws",
    "n_rotations",
    "n_cells",
    "n_test",
    "predicted",
    "note",
)

Cell = str | float | int | bool | None


def plain(cell: Cell) -> Cell:
    """Give a cell that no spreadsheet takes for a formula: text that begins like one gets a leading quote.

    Source: OWASP, "CSV Injection".
    """
    if isinstance(cell, str) and cell.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r", "\n"):
        return "'" + cell
    return cell


def to_csv(summary: Summary) -> str:
    """Give every score, difference and class in long form; an undefined number is empty, with a note."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()

    def write(group: Group, method: str, row: dict[str, Cell]) -> None:
        head: dict[str, Cell] = {
            "task": group.task,
            "probe": group.probe,
            "validation": group.validation,
            "fraction": group.fraction,
            "method": method,
            "title": summary.method(method).title,
        }
        cells = {key: plain(value) for key, value in {**head, **row}.items()}
        writer.writerow({key: "" if value is None else value for key, value in cells.items()})

    for s in summary.scores:
        row: dict[str, Cell] = {"kind": "score", "metric": summary.metric(s.group.task), "value": s.mean}
        row |= {"low": s.low, "high": s.high, "sd_seeds": s.sd_seeds, "sd_draws": s.sd_draws}
        row |= {"n_seeds": s.n_seeds, "n_draws": s.n_draws, "n_rotations": s.n_rotations}
        write(s.group, s.method, row | {"n_cells": s.n_cells, "n_test": s.n_test, "note": s.note})
    for c in summary.comparisons:
        row = {"kind": "difference", "metric": summary.metric(c.group.task)}
        row |= {"baseline": c.baseline, "twin": c.twin, "control": c.control}
        row |= {"value": c.estimate, "low": c.low, "high": c.high, "p_value": c.p_value, "p_holm": c.p_holm}
        write(c.group, c.method, row | {"superiority": c.superiority, "n_cells": c.n_pairs, "note": c.note})
    for n in summary.needed:
        row = {"kind": "labels needed", "metric": "ratio", "baseline": n.baseline, "twin": n.twin}
        row |= {"note": n.note, "control": n.control}
        if n.ratio is not None:
            row |= {"note": ratio_text(n.ratio.estimate, n)}
            ends = {"value": n.ratio.estimate, "low": n.ratio.low, "high": n.ratio.high}
            row |= {key: x if 0 < x < math.inf else None for key, x in ends.items()}
        write(n.group, n.method, row)
    for m in summary.measures:
        row = {"kind": "measure", "metric": m.metric, "value": m.value, "note": m.note}
        write(m.group, m.method, row)
    for g in summary.gaps:
        row = {"kind": "subgroup", "metric": g.metric, "class": f"{g.variable}: {g.name}", "value": g.gap}
        write(g.group, g.method, row | {"low": g.low, "high": g.high, "n_test": g.n})
    for d in summary.disturbed:
        row = {"kind": "disturbed", "metric": summary.metric(d.group.task), "class": d.name}
        write(d.group, d.method, row | {"value": d.change, "low": d.low, "high": d.high})
    for r in summary.reliability:
        row = {"kind": "calibration", "metric": f"ece {r.when}", "value": r.ece, "note": r.note}
        write(r.group, r.method, row)
        for number, b in enumerate(r.bins, start=1):
            row = {"kind": "reliability", "class": f"bin {number}", "metric": r.when, "value": b.observed}
            row |= {"low": b.low, "high": b.high, "predicted": b.said, "n_test": b.n}
            write(r.group, r.method, row)
    for k in summary.classes:
        for metric, value in (("auroc", k.auroc), ("auprc", k.auprc)):
            row = {"kind": "class", "class": k.label, "metric": metric, "value": value}
            note = k.note or ("" if k.in_macro else "kept out of the macro average")
            write(k.group, k.method, row | {"n_test": k.positives, "note": note})
    return out.getvalue()


def cell_text(text: str) -> str:
    """Give text that stays text inside a Markdown table: no markup, no column, no line of its own."""
    flat = html.escape(re.sub(r"\s+", " ", text).strip(), quote=False)
    return re.sub(r"([\\`*_\[\]|~$])", r"\\\1", flat)


def _table(head: list[str], rows: list[list[str]]) -> str:
    align = ["---"] + ["---:"] * (len(head) - 1)
    lines = [head, align, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def value_text(score: Score) -> str:
    """Give a score as "0.812 (0.790 to 0.833)", or "n/a" with its reason."""
    if score.mean is None:
        return score.note if score.note.startswith("n/a") else f"n/a {score.note}".strip()
    if score.low is None or score.high is None:
        return f"{score.mean:.3f}"
    return f"{score.mean:.3f} ({score.low:.3f} to {score.high:.3f})"


def to_markdown(summary: Summary) -> str:
    """Give the verdict and one table a task, probe and validation, with intervals; then the differences."""
    main, more = verdict(summary)
    parts = [f"# {cell_text(summary.name)}", ""]
    if summary.synthetic:
        parts += ["**Synthetic data: no clinical evidence.**", ""]
    parts += [f"{at_what(summary)}:", ""] + [f"- {cell_text(sentence)}" for sentence in (main, *more)] + [""]
    for probe, validation in summary.settings:
        for task in summary.tasks:
            groups = [Group(task, probe, validation, f) for f in summary.fractions]
            rows = []
            for m in summary.methods:
                scores = [summary.score(g, m.name) for g in groups]
                if any(s.n_cells or s.mean is not None for s in scores):
                    rows.append([cell_text(m.title)] + [cell_text(value_text(s)) for s in scores])
            if rows:
                parts += [
                    f"## {cell_text(task)}: {setting_title(probe, validation)}, "
                    f"{'R²' if task in summary.regressions else 'macro AUROC'} (95 % interval)",
                    "",
                ]
                parts += [_table(["method", *(percent(f) for f in summary.fractions)], rows), ""]
    rows = []
    for c in summary.comparisons:
        if c.estimate is None or c.low is None or c.high is None:
            continue
        where = [
            cell_text(c.group.task),
            setting_title(c.group.probe, c.group.validation),
            percent(c.group.fraction),
        ]
        who = [cell_text(summary.method(c.method).title), cell_text(summary.method(c.baseline).title)]
        numbers = [signed(c.estimate), f"{signed(c.low)} to {signed(c.high)}"]
        numbers += ["n/a" if p is None else f"{p:.3f}" for p in (c.p_value, c.p_holm)]
        rows.append([*where, *who, *numbers])
    if rows:
        head = ["task", "probe", "labels", "method", "minus", "difference", "95 % interval", "p", "p (Holm)"]
        parts += [f"## Paired differences in {summary.measured}", "", _table(head, rows), ""]
    if summary.cautions:
        parts += ["## Limits", ""] + [f"- {cell_text(c)}" for c in summary.cautions] + [""]
    return "\n".join(parts)
