"""What the page's template is filled with on masks: matched twins, waves, agreement, causality. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ecglipse.report.figures import Steps
from ecglipse.report.hidden import MethodMasks, WaveShare
from ecglipse.report.matched import COVERAGE, LENGTH
from ecglipse.report.summary import Summary

ARMS: Final = {
    "none": "nothing hidden",
    "learned": "these masks",
    "random": "random masks of the same form",
    "shifted": "these masks, at a random place",
}
SURE: Final = 0.05


def matched_rows(summary: Summary, steps: Mapping[str, Sequence[Steps]]) -> list[dict[str, Any]]:
    """Gather the table of what masks hide in all: a row a method, each learned one followed by its twin.

    Args:
        summary: of the study.
        steps: of every run, by method; their coverage is that of the whole training.
    """
    by_name, rows = {m.method: m for m in summary.masks}, []
    for one in summary.masks:
        twin = by_name.get(one.twin)
        seen = [c for run in steps.get(one.method, ()) for s in run if (c := s.get("coverage")) is not None]
        rows.append(
            {
                "masks": one,
                "trained": float(np.mean(seen)) if seen else None,
                "coverage_off": twin is not None and abs(one.coverage - twin.coverage) > COVERAGE,
                "length_off": twin is not None and _longer(one, twin),
                "twin": one.twin if twin else "",
            }
        )
    return rows


def _longer(one: MethodMasks, twin: MethodMasks) -> bool:
    """Whether hidden stretches are of other lengths than the twin's."""
    a, b = one.run_mean_s, twin.run_mean_s
    return (a is None) != (b is None) or (a is not None and b is not None and abs(a / b - 1) > LENGTH)


def wave_rows(summary: Summary) -> dict[str, Any]:
    """Gather the table of waves: a row a run and corpus, a column a region; nothing measured, no row."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for w in summary.waves:
        about = {"method": w.method, "run": w.run, "corpus": w.corpus, "marks": w.marks, "n": w.records}
        rows.setdefault((w.run, w.corpus), about | {"regions": {}})["regions"][w.region] = w
    return {"regions": list(dict.fromkeys(w.region for w in summary.waves)), "rows": list(rows.values())}


def wave_parts(summary: Summary) -> list[dict[str, Any]]:
    """Gather the waves of single leads, and of classes of records: a table a method and corpus of each.

    Of several runs a cell has the mean ratio, the least and the greatest, and in how many p is below 0.05.
    """
    tables = []
    for kind in ("lead", "group"):
        mine = [w for w in summary.wave_parts if getattr(w, kind)]
        for method, corpus in dict.fromkeys((w.method, w.corpus) for w in mine):
            ours = [w for w in mine if (w.method, w.corpus) == (method, corpus)]
            regions = list(dict.fromkeys(w.region for w in ours))
            names = list(dict.fromkeys(getattr(w, kind) for w in ours))
            cells = {
                (name, region): _over_runs(
                    [w for w in ours if (getattr(w, kind), w.region) == (name, region)]
                )
                for name in names
                for region in regions
            }
            rows = [{"name": name, "cells": [cells[name, region] for region in regions]} for name in names]
            about = {
                "kind": {"lead": "lead", "group": "class of records"}[kind],
                "regions": regions,
                "rows": rows,
            }
            runs = len({w.run for w in ours})
            tables.append({"method": method, "corpus": corpus, "runs": runs, **about})
    return tables


def _over_runs(found: Sequence[WaveShare]) -> dict[str, Any]:
    """A region of a lead or class, over the runs of a method."""
    ratios = [w.ratio for w in found if w.ratio is not None]
    if not ratios:
        return {"text": "n/a", "span": "", "sure": False}
    sure = sum(w.p_holm is not None and w.p_holm < SURE for w in found)
    if len(found) == 1:
        (w,) = found
        span = f"{w.low:.2f}–{w.high:.2f}" if w.low is not None and w.high is not None else ""
    else:
        span = f"{min(ratios):.2f}–{max(ratios):.2f}; {sure} of {len(ratios)}"
    return {"text": f"{np.mean(ratios):.2f}", "span": span, "sure": sure == len(ratios)}


def run_names(summary: Summary) -> dict[str, str]:
    """Give what a reader calls a run, by its folder's name: "seed 1", or "seed 1, rotation 2"."""
    found = {}
    several = len({place.partition("/")[2] for m in summary.methods for place in m.runs}) > 1
    for method in summary.methods:
        for place, run in method.runs.items():
            seed, _, rotation = place.partition("/")
            found[run] = f"seed {seed}" + (f", rotation {rotation}" if several else "")
    return found


def cost_rows(summary: Summary) -> list[dict[str, Any]]:
    """Gather what masks cost a supervised model: a row a run, task and model, a column a way of hiding."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for c in summary.costs:
        about = {"method": c.method, "run": c.run, "corpus": c.corpus, "task": c.task, "model": c.model}
        row = rows.setdefault(tuple(about.values()), about | {"n": c.tested, "arms": {}})
        row["arms"][c.arm] = c
    return list(rows.values())
