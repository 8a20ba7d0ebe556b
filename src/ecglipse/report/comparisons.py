"""Differences between methods: paired, with Holm over the tasks, and the verdict's by permutation too."""

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import numpy as np

from ecglipse.report.bench import Bench, Estimate
from ecglipse.report.cells import Cells
from ecglipse.report.differences import Comparison
from ecglipse.report.scores import Group
from ecglipse.report.scoring import finite
from ecglipse.report.summary import Summary
from ecglipse.report.verdict import headline_groups
from ecglipse.statistics import holm

PERMUTATIONS: Final = 2000
"""Of the permutation test: the standard error of p = 0.05 is 0.005."""


def comparisons(
    summary: Summary, groups: Sequence[Group], estimates: Mapping[tuple[Group, str], Estimate]
) -> list[Comparison]:
    """Every method minus its twins and minus each baseline, with Holm over the tasks."""
    made: list[Comparison] = []
    for method in summary.methods:
        for baseline, role in summary.opponents(method.name).items():
            for probe, validation in summary.settings:
                for fraction in summary.fractions:
                    at = (probe, validation, fraction)
                    family = [g for g in groups if (g.probe, g.validation, g.fraction) == at]
                    present = [g for g in family if summary.score(g, method.name).n_cells]
                    made += _holm(
                        [_compare(summary, g, method.name, baseline, role, estimates) for g in present]
                    )
    return made


def permuted(
    summary: Summary, found: Sequence[Comparison], cells: Cells, bench: Bench
) -> tuple[Comparison, ...]:
    """Add the permutation test's p to the comparisons of candidates that the verdict is about: it is dear."""
    groups = headline_groups(summary)
    names = {m.name for m in summary.candidates()}
    able = [c.estimate is not None and c.method in names and c.group in groups for c in found]
    here = [k for k, wanted in enumerate(able) if wanted]

    def test(k: int) -> float | None:
        c = found[k]
        mine, theirs = (cells[c.group, name] for name in (c.method, c.baseline))
        return bench.permuted(mine, theirs, permutations=PERMUTATIONS)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        tested = dict(zip(here, pool.map(test, here), strict=True))
    return tuple(replace(c, p_permuted=tested.get(k)) for k, c in enumerate(found))


def _compare(
    summary: Summary,
    group: Group,
    method: str,
    baseline: str,
    role: str,
    estimates: Mapping[tuple[Group, str], Estimate],
) -> Comparison:
    """One difference, or why there is none."""
    twin, control = role == "random twin", "" if role == "random twin" else role
    a, b = estimates.get((group, method)), estimates.get((group, baseline))
    if a is None or b is None:
        who = method if a is None else baseline
        why = summary.score(group, who).note.removeprefix("n/a").lstrip(", ") or "no cell"
        note = f"{summary.method(who).title}: {why}"
        return Comparison(group, method, baseline, twin, None, note=note, control=control)
    found = a.minus(b)
    numbers = (found.low, found.high, found.p_value, found.probability_of_superiority)
    low, high, p_value, superiority = (finite(x) for x in numbers)
    if low is None or high is None:
        note = "more than 5 % of the resamples lack a class"
        return Comparison(group, method, baseline, twin, None, note=note, control=control)
    pairs = summary.score(group, method).n_cells
    return Comparison(
        group,
        method,
        baseline,
        twin,
        found.estimate,
        low=low,
        high=high,
        p_value=p_value,
        superiority=superiority,
        n_pairs=pairs,
        control=control,
    )


def _holm(family: list[Comparison]) -> list[Comparison]:
    """Adjust the p-values of one method, baseline, probe and fraction over the tasks."""
    given = np.array([math.nan if c.p_value is None else c.p_value for c in family], dtype=np.float64)
    adjusted = holm(given) if given.size else given
    return [replace(c, p_holm=finite(float(p))) for c, p in zip(family, adjusted, strict=True)]
