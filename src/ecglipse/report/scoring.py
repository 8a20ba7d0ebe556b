"""The headline's scores: means with their intervals, or why there is none. Pure but for the test sets."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ecglipse.report.bench import Bench, Estimate
from ecglipse.report.cells import Cells, Key, Line
from ecglipse.report.kept import NO_CLASS
from ecglipse.report.methods import Method
from ecglipse.report.scores import Group, Score
from ecglipse.report.study import planned
from ecglipse.statistics import interval


def scored(
    facts: Mapping[str, Any],
    methods: Sequence[Method],
    groups: Sequence[Group],
    cells: Cells,
    bench: Bench,
    *,
    numbers: Collection[str],
) -> tuple[tuple[Score, ...], dict[tuple[Group, str], Estimate]]:
    """Give the score of every method with cells in a group, and the estimates behind those with a number.

    Args:
        facts: `study.json` as read.
        methods: of the study.
        groups: in the order of the page.
        cells: by group and method.
        bench: computes the estimates.
        numbers: tasks that are regressions.
    """
    scores: list[Score] = []
    estimates: dict[tuple[Group, str], Estimate] = {}
    wanted = [(g, m) for g in groups for m in methods if (g, m.name) in cells]
    lacks = [_lack(facts, m, g, cells[g, m.name]) for g, m in wanted]
    whole = [(g, m) for (g, m), lack in zip(wanted, lacks, strict=True) if not lack]
    made = bench.estimates([cells[g, m.name] for g, m in whole])
    found = {(g, m.name): estimate for (g, m), estimate in zip(whole, made, strict=True)}
    for (group, method), lack in zip(wanted, lacks, strict=True):
        estimate = found.get((group, method.name))
        if estimate is not None and math.isfinite(estimate.mean):
            estimates[group, method.name] = estimate
        elif not lack:
            why = "all test records alike" if group.task in numbers else NO_CLASS
            estimate, lack = None, f"n/a, {why}"
        floor = -math.inf if group.task in numbers else 0.0
        mine = cells[group, method.name]
        scores.append(_score(group, method, mine, estimate, bench, note=lack, floor=floor))
    return tuple(scores), estimates


def _lack(facts: Mapping[str, Any], method: Method, group: Group, mine: Mapping[Key, Line]) -> str:
    """Say what is missing for a number, or nothing."""
    rotations, seeds, draws = (len({key[i] for key in mine}) for i in range(3))
    encoders, n_draws = rotations * seeds, draws
    plan = planned(facts, method, group.probe, group.fraction)
    if plan is not None:
        encoders, n_draws = max(encoders, plan[0]), max(n_draws, plan[1])
    if len(mine) == encoders * n_draws:
        return ""
    return f"n/a, {len(mine)} of {encoders * n_draws} {'draws' if encoders == 1 else 'cells'} done"


def _score(
    group: Group,
    method: Method,
    mine: Mapping[Key, Line],
    found: Estimate | None,
    bench: Bench,
    *,
    note: str,
    floor: float,
) -> Score:
    """A score with its interval, cut where no score can be: an AUROC is in 0..1, an R2 at most 1."""
    rotations, seeds, draws = (sorted({key[i] for key in mine}) for i in range(3))
    low, high = (
        interval(found.replicates, estimate=found.mean, levels=found.levels)
        if found
        else (math.nan, math.nan)
    )
    low, high = max(low, floor), min(high, 1.0)
    return Score(
        group,
        method.name,
        found.mean if found else None,
        low=finite(low),
        high=finite(high),
        sd_seeds=_sd(found.by_seed) if found else None,
        sd_draws=_sd(found.by_draw) if found else None,
        n_seeds=len(seeds),
        n_draws=len(draws),
        n_rotations=len(rotations),
        n_cells=len(mine),
        n_test=bench.tested(group.task, rotations)[0],
        note=note,
    )


def _sd(values: np.ndarray) -> float | None:
    return float(values.std(ddof=1)) if values.size > 1 else None


def finite(value: float) -> float | None:
    """Give a number as it is; None where it is none."""
    return value if math.isfinite(value) else None
