"""A summary as one long CSV. Writes nothing itself."""

import csv
import io
import math
from typing import Final

from ecglipse.report.needed import ratio_text
from ecglipse.report.tables import Group, Summary

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


def _plain_row(row: dict[str, Cell]) -> dict[str, Cell]:
    return {key: plain(value) for key, value in row.items()}


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
        cells = _plain_row({**head, **row})
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
    for w in summary.waves:
        cells: dict[str, Cell] = {
            "kind": "waves",
            "method": w.method,
            "title": summary.method(w.method).title,
        }
        cells |= {"class": w.region, "metric": "times chance", "value": w.ratio, "low": w.low, "high": w.high}
        cells |= {"p_holm": w.p_holm, "n_test": w.records, "note": f"{w.run}, {w.corpus}, {w.marks}"}
        writer.writerow({name: "" if x is None else x for name, x in _plain_row(cells).items()})
    for k in summary.classes:
        for metric, value in (("auroc", k.auroc), ("auprc", k.auprc)):
            row = {"kind": "class", "class": k.label, "metric": metric, "value": value}
            note = k.note or ("" if k.in_macro else "kept out of the macro average")
            write(k.group, k.method, row | {"n_test": k.positives, "note": note})
    return out.getvalue()
