"""A summary as one long CSV. Writes nothing itself."""

import csv
import io
import math
from collections.abc import Iterator
from typing import Final

from ecglipse.occlusion.applied import QUANTILES
from ecglipse.report.needed import ratio_text
from ecglipse.report.scores import Group
from ecglipse.report.summary import Summary

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
    "seed",
    "rotation",
    "lead",
    "records",
    "metric",
    "value",
    "low",
    "high",
    "sd_seeds",
    "sd_draws",
    "p_value",
    "p_holm",
    "p_permuted",
    "superiority",
    "n_seeds",
    "n_draws",
    "n_rotations",
    "n_cells",
    "n_test",
    "own",
    "rest",
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


def mask_rows(summary: Summary) -> Iterator[dict[str, Cell]]:
    """Give what is known of masks, which belongs to no task: shares, waves, agreements, costs."""
    for m in summary.masks:
        row: dict[str, Cell] = {"kind": "masks", "method": m.method, "baseline": m.twin, "n_cells": m.runs}
        row["note"] = f"{m.runs} runs, {m.records} records, {m.draws} draws"
        quantiles = zip(QUANTILES, m.run_s, strict=False)
        named: dict[str, Cell] = {
            "hidden stretch, mean, s": m.run_mean_s,
            **{f"hidden stretch, {q:.0%} quantile, s": value for q, value in quantiles},
            "leads hidden at once": m.leads_at_once,
        }
        yield row | {"metric": "share hidden", "value": m.coverage, "low": m.least, "high": m.most}
        for metric, value in named.items():
            yield row | {"metric": metric, "value": value}
    for w in (*summary.waves, *summary.wave_parts):
        row = {"kind": "waves", "method": w.method, "class": w.region, "metric": "times chance"}
        row |= {"value": w.ratio, "low": w.low, "high": w.high, "p_holm": w.p_holm, "n_test": w.records}
        yield row | {"records": w.group, "lead": w.lead, "note": f"{w.run}, {w.corpus}, {w.marks}"}
    for a in summary.agreements:
        row = {"kind": "stability", "method": a.method, "baseline": a.other, "n_test": a.records}
        row |= {"p_value": a.p_value, "note": f"{a.run}, {a.corpus}"}
        yield row | {"metric": "rank correlation", "value": a.rank, "low": a.rank_low, "high": a.rank_high}
        yield row | {"metric": "cosine", "value": a.cosine, "low": a.cosine_low, "high": a.cosine_high}
    for c in summary.costs:
        row = {"kind": "causality", "method": c.method, "class": c.arm, "n_test": c.tested}
        row["note"] = f"{c.run}, {c.corpus}, {c.task}, {c.model}"
        yield row | {"metric": "macro_auroc", "value": c.auroc, "low": c.low, "high": c.high}
        if c.extra is not None:
            row |= {"value": c.extra, "low": c.extra_low, "high": c.extra_high, "p_value": c.p_value}
            yield row | {"metric": "lost under these masks beyond"}


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
        row |= {"p_permuted": c.p_permuted}
        write(c.group, c.method, row | {"superiority": c.superiority, "n_cells": c.n_pairs, "note": c.note})
    for n in summary.needed:
        row = {"kind": "labels needed", "metric": "ratio", "baseline": n.baseline, "twin": n.twin}
        row |= {"note": n.note, "control": n.control}
        if n.ratio is not None:
            row |= {"note": ratio_text(n.ratio.estimate, n)}
            ends = {"value": n.ratio.estimate, "low": n.ratio.low, "high": n.ratio.high}
            row |= {key: x if 0 < x < math.inf else None for key, x in ends.items()}
        write(n.group, n.method, row)
    for o in summary.singles:
        row = {
            "kind": "seed" if o.rotation is None else "rotation" if o.seed is None else "seed and rotation"
        }
        row |= {"metric": summary.metric(o.group.task), "value": o.value}
        write(o.group, o.method, row | {"seed": o.seed, "rotation": o.rotation})
    for m in summary.measures:
        row = {"kind": "measure", "metric": m.metric, "value": m.value, "note": m.note}
        write(m.group, m.method, row | {"low": m.low, "high": m.high})
    for g in summary.gaps:
        row = {"kind": "subgroup", "metric": g.metric, "class": f"{g.variable}: {g.name}", "value": g.gap}
        row |= {"low": g.low, "high": g.high, "n_test": g.n, "own": g.value, "rest": g.rest}
        row["note"] = f"others: {g.n_rest}"
        write(g.group, g.method, row)
    for u in summary.uncompared:
        row = {"kind": "subgroup", "task": u.task, "class": f"{u.variable}: {u.name}", "n_test": u.n}
        writer.writerow(_plain_row({**dict.fromkeys(COLUMNS, ""), **row, "note": f"n/a, {u.note}"}))
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
    for row in mask_rows(summary):
        cells = _plain_row({"title": summary.method(str(row["method"])).title, **row})
        writer.writerow({name: "" if x is None else x for name, x in cells.items()})
    for k in summary.classes:
        for metric, value in (("auroc", k.auroc), ("auprc", k.auprc), ("f1", k.f1)):
            row = {"kind": "class", "class": k.label, "metric": metric, "value": value}
            row |= {"low": k.low, "high": k.high} if metric == "auroc" else {}
            note = k.note or ("" if k.in_macro else "kept out of the macro average")
            write(k.group, k.method, row | {"n_test": k.positives, "note": note})
    return out.getvalue()
