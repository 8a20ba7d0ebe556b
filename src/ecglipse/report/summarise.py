"""From a study's ledger to everything a report says in numbers. Reads disk, writes nothing."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecglipse.errors import LedgerError
from ecglipse.report.cautions import cautions, missing_floors
from ecglipse.report.cells import Bench, Estimate, Key, Line, current, group_of
from ecglipse.report.differences import Comparison
from ecglipse.report.intervals import with_intervals
from ecglipse.report.kept import NO_CLASS
from ecglipse.report.matched import method_masks, unmatched
from ecglipse.report.measures import measures
from ecglipse.report.methods import Method
from ecglipse.report.needed import labels_needed
from ecglipse.report.reads import test_reads
from ecglipse.report.reliability import reliability
from ecglipse.report.robustness import robustness
from ecglipse.report.scores import ClassScore, Group, Score
from ecglipse.report.seeds import singles
from ecglipse.report.study import baselines, planned, read_study, replicates
from ecglipse.report.subgroups import REPLICATES, gaps, read_subgroups
from ecglipse.report.summary import Summary
from ecglipse.report.uncompared import uncompared
from ecglipse.report.verdict import headline_fraction
from ecglipse.report.waves import read_waves
from ecglipse.results import Ledger
from ecglipse.statistics import holm, interval

PROBES: Final = ("linear", "finetune", "knn")
"""The order of probes on a page; the first is the headline."""

PERMUTATIONS: Final = 2000
"""Of the permutation test: the standard error of p = 0.05 is 0.005."""

Cells = dict[tuple[Group, str], dict[Key, Line]]


def summarise(folder: Path, *, without_floors: bool = False) -> Summary:
    """Summarise a study, as far as it has been run.

    Each number is the mean over rotations (test sets) of the mean over seeds and label draws; its interval
    comes from the hierarchical bootstrap of `ecglipse.statistics`. A number whose cells are not all there is
    None, with a note: over other draws than its neighbours', it could not be compared with them.

    Args:
        folder: of the study.
        without_floors: rank the methods even where floors are missing.

    Raises:
        LedgerError: `study.json`, the ledger or a prediction file is missing or damaged.
    """
    facts, methods = read_study(folder)
    ledger = Ledger(folder)
    every = ledger.lines()
    lines, stale = current(every, facts, methods)
    cells: Cells = {}
    try:
        plain = [line for line in lines if not line.get("disturbance")]
        for line in plain:
            key = (int(line["rotation"]), int(line["seed"]), int(line["draw"]))
            cells.setdefault((group_of(line), str(line["method"])), {})[key] = line
        bench = Bench(ledger, lines, replicates=replicates(facts))
        found = _summarise(facts, methods, cells, bench, stale=stale)
        looked = read_waves(folder, methods)
        few = Bench(ledger, lines, replicates=min(REPLICATES, bench.replicates))
        rest = [line for line in lines if line.get("disturbance")]
        compared, known = _compared(found), read_subgroups(folder)
        found = replace(
            found,
            gaps=gaps(compared, cells, known, few),
            reliability=reliability(_judged(found), cells, few),
            waves=tuple(looked.shares),
            wave_parts=tuple(looked.parts),
            agreements=tuple(looked.agreements),
            costs=tuple(looked.costs),
            wave_faults=tuple(looked.faults),
            hardware=_gather(lines) | {"reads": test_reads(folder, every, facts)},
            disturbed=robustness(methods, cells, rest, few),
            singles=singles(_scored(found), cells, few),
        )
        lone = uncompared(compared, cells, known, few, gaps=found.gaps)
        at = (*found.settings[:1], headline_fraction(found))
        few_labels = [(g, m) for g, m in _scored(found) if ((g.probe, g.validation), g.fraction) == at]
        sure, measured = with_intervals(
            few_labels, cells, few, classes=found.classes, measures=found.measures
        )
        found = replace(found, classes=sure, measures=measured, uncompared=lone)
        masks, mask_faults = method_masks(folder, found)
        said = (*found.cautions, *unmatched(masks, found))
        found = replace(found, masks=masks, mask_faults=mask_faults, cautions=said)
    except KeyError as error:
        raise LedgerError(
            f"{folder / 'results.jsonl'}: a line lacks {error}", hint="restore the file from a copy"
        ) from None
    return replace(found, ranked=without_floors or not found.missing_floors)


def _summarise(
    facts: Mapping[str, Any], methods: tuple[Method, ...], cells: Cells, bench: Bench, *, stale: int
) -> Summary:
    lines = [line for some in cells.values() for line in some.values()]
    scores: list[Score] = []
    estimates: dict[tuple[Group, str], Estimate] = {}
    tasks = _tasks(facts, lines)
    numbers = {str(line["task"]) for line in lines if line["task_kind"] == "regression"}
    groups = sorted({group for group, _ in cells}, key=lambda g: _order(g, tasks))
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
    settings = list(dict.fromkeys((g.probe, g.validation) for g in groups))
    settings.sort(
        key=lambda s: (s[1] != "matched", PROBES.index(s[0]) if s[0] in PROBES else len(PROBES), s[0])
    )
    summary = Summary(
        name=str(facts.get("name") or "study"),
        methods=methods,
        baselines=baselines(facts),
        tasks=tasks,
        settings=tuple(settings),
        fractions=tuple(sorted({g.fraction for g in groups}, key=lambda f: (f > 0, abs(f)))),
        scores=tuple(scores),
        comparisons=(),
        classes=tuple(_classes(groups, methods, cells, bench)),
        synthetic=facts.get("synthetic") is True,
        cautions=(),
        missing_floors=(),
        ranked=True,
        measures=measures(groups, methods, cells, bench),
        regressions=tuple(t for t in tasks if t in numbers),
        facts=facts,
    )
    summary = replace(summary, missing_floors=missing_floors(summary))
    compared = _permuted(summary, _comparisons(summary, groups, estimates), cells, bench)
    shared = bench.overlapping(tasks)
    said = cautions(summary, lines, shared=shared, stale=stale, replicates=bench.replicates)
    needed = labels_needed(summary, estimates)
    return replace(summary, comparisons=compared, cautions=said, needed=needed)


def _compared(summary: Summary) -> list[tuple[Group, str]]:
    """What subgroups are looked at for: the headline's cells of candidates, twins, baselines, a floor."""
    fraction = headline_fraction(summary)
    if fraction is None or not summary.settings:
        return []
    twins = [twin.name for m in summary.candidates() if (twin := summary.twin(m.name))]
    floors = [m.name for m in summary.methods if m.kind == "handcrafted"]
    names = dict.fromkeys([*(m.name for m in summary.candidates()), *twins, *summary.baselines, *floors])
    groups = [Group(task, *summary.settings[0], fraction) for task in summary.tasks]
    return [(g, name) for g in groups for name in names if summary.score(g, name).mean is not None]


def _scored(summary: Summary) -> list[tuple[Group, str]]:
    """What has a number."""
    return [(score.group, score.method) for score in summary.scores if score.mean is not None]


def _judged(summary: Summary) -> list[tuple[Group, str]]:
    """What calibration is looked at for: every method at the verdict's share of the labels."""
    fraction = headline_fraction(summary)
    if fraction is None or not summary.settings:
        return []
    floors = [
        summary.floor(Group(task, *summary.settings[0], fraction), m.name)
        for task in summary.tasks
        if task not in summary.regressions
        for m in summary.methods
    ]
    return [(score.group, score.method) for score in floors if score.mean is not None]


def _tasks(facts: Mapping[str, Any], lines: Sequence[Line]) -> tuple[str, ...]:
    """Tasks with a line, in the config's order where there is one."""
    present = list(dict.fromkeys(str(line["task"]) for line in lines))
    try:
        wanted = list(facts["config"]["transfer"]["tasks"])
    except (KeyError, TypeError):
        wanted = []
    return tuple(sorted(present, key=lambda t: wanted.index(t) if t in wanted else len(wanted)))


def _order(group: Group, tasks: tuple[str, ...]) -> tuple[int, str, str, float]:
    return tasks.index(group.task), group.probe, group.validation, group.fraction


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


def _sd(values: np.ndarray) -> float | None:
    return float(values.std(ddof=1)) if values.size > 1 else None


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


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
        low=_number(low),
        high=_number(high),
        sd_seeds=_sd(found.by_seed) if found else None,
        sd_draws=_sd(found.by_draw) if found else None,
        n_seeds=len(seeds),
        n_draws=len(draws),
        n_rotations=len(rotations),
        n_cells=len(mine),
        n_test=bench.tested(group.task, rotations)[0],
        note=note,
    )


def _comparisons(
    summary: Summary, groups: Sequence[Group], estimates: Mapping[tuple[Group, str], Estimate]
) -> list[Comparison]:
    """Every method minus its twins and minus each baseline, with Holm over the tasks."""
    made: list[Comparison] = []
    for method in summary.methods:
        for baseline, role in summary.opponents(method.name).items():
            for probe, validation in summary.settings:
                for fraction in summary.fractions:
                    family = [
                        g
                        for g in groups
                        if (g.probe, g.validation, g.fraction) == (probe, validation, fraction)
                    ]
                    present = [g for g in family if summary.score(g, method.name).n_cells]
                    made += _holm(
                        [_compare(summary, g, method.name, baseline, role, estimates) for g in present]
                    )
    return made


def _compare(
    summary: Summary,
    group: Group,
    method: str,
    baseline: str,
    role: str,
    estimates: Mapping[tuple[Group, str], Estimate],
) -> Comparison:
    twin, control = role == "random twin", "" if role == "random twin" else role
    a, b = estimates.get((group, method)), estimates.get((group, baseline))
    if a is None or b is None:
        who = method if a is None else baseline
        why = summary.score(group, who).note.removeprefix("n/a").lstrip(", ") or "no cell"
        note = f"{summary.method(who).title}: {why}"
        return Comparison(group, method, baseline, twin, None, note=note, control=control)
    found = a.minus(b)
    numbers = (found.low, found.high, found.p_value, found.probability_of_superiority)
    low, high, p_value, superiority = (_number(x) for x in numbers)
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


def _permuted(
    summary: Summary, found: Sequence[Comparison], cells: Cells, bench: Bench
) -> tuple[Comparison, ...]:
    """Add the permutation test's p to the comparisons of candidates that the verdict is about: it is dear."""
    fraction = headline_fraction(summary)
    names = {m.name for m in summary.candidates()}
    here = [
        k
        for k, c in enumerate(found)
        if c.estimate is not None
        and c.method in names
        and (c.group.probe, c.group.validation, c.group.fraction) == (*summary.settings[0], fraction)
    ]

    def test(k: int) -> float | None:
        c = found[k]
        mine, theirs = (cells[c.group, name] for name in (c.method, c.baseline))
        return bench.permuted(mine, theirs, permutations=PERMUTATIONS)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        tested = dict(zip(here, pool.map(test, here), strict=True))
    return tuple(replace(c, p_permuted=tested.get(k)) for k, c in enumerate(found))


def _holm(family: list[Comparison]) -> list[Comparison]:
    """Adjust the p-values of one method, baseline, probe and fraction over the tasks."""
    given = np.array([math.nan if c.p_value is None else c.p_value for c in family], dtype=np.float64)
    adjusted = holm(given) if given.size else given
    return [
        Comparison(**{**vars(c), "p_holm": _number(float(p))}) for c, p in zip(family, adjusted, strict=True)
    ]


def _classes(
    groups: Sequence[Group], methods: Sequence[Method], cells: Cells, bench: Bench
) -> list[ClassScore]:
    """Mean AUROC, AUPRC and F1 of each class over the cells in which they are defined."""
    made = []
    for group in groups:
        for method in methods:
            mine = cells.get((group, method.name), {})
            if not any(line["positives_test"] for line in mine.values()):
                continue
            _, positives = bench.tested(group.task, sorted({key[0] for key in mine}))
            first = next(iter(mine.values()))
            for label, count in zip(first["classes"], positives, strict=True):
                auroc, auprc, f1 = (_class_mean(mine, metric, label) for metric in ("auroc", "auprc", "f1"))
                kept = label not in bench.left_out(first)
                note = "" if auroc is not None else "n/a, no positive or no negative in the test set"
                about = (group, method.name, str(label), auroc, auprc)
                made.append(ClassScore(*about, int(count), kept, note, f1))
    return made


def _class_mean(mine: Mapping[Key, Line], metric: str, label: str) -> float | None:
    values = [line["per_class"].get(metric, {}).get(label) for line in mine.values()]
    defined = [v for v in values if v is not None]
    return float(np.mean(defined)) if defined else None


def _gather(lines: Sequence[Line]) -> dict[str, Any]:
    """Commits, versions and hardware of all lines, each said once; cells and their seconds."""
    facts: dict[str, Any] = {
        "cells": len(lines),
        "seconds": sum(float(line["seconds"] or 0) for line in lines),
    }
    for name in ("commit", "versions", "hardware"):
        distinct = {json.dumps(line[name], sort_keys=True): line[name] for line in lines if line[name]}
        facts[name] = list(distinct.values())
    return facts
