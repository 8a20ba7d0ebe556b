"""From a study's ledger to everything a report says in numbers. Reads disk, writes nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ecglipse.errors import LedgerError
from ecglipse.report.bench import Bench
from ecglipse.report.cautions import cautions, missing_floors
from ecglipse.report.cells import Cells, Line, by_place, current
from ecglipse.report.class_scores import class_scores
from ecglipse.report.comparisons import comparisons, permuted
from ecglipse.report.intervals import with_intervals
from ecglipse.report.matched import method_masks, unmatched
from ecglipse.report.measures import measures
from ecglipse.report.methods import Method
from ecglipse.report.needed import labels_needed
from ecglipse.report.reads import test_reads
from ecglipse.report.reliability import reliability
from ecglipse.report.robustness import robustness
from ecglipse.report.scores import Group
from ecglipse.report.scoring import scored
from ecglipse.report.seeds import singles
from ecglipse.report.study import baselines, read_study, replicates
from ecglipse.report.subgroups import REPLICATES, gaps, read_subgroups
from ecglipse.report.summary import Summary
from ecglipse.report.uncompared import uncompared
from ecglipse.report.verdict import headline_groups
from ecglipse.report.waves import read_waves
from ecglipse.results import Ledger

PROBES: Final = ("linear", "finetune", "knn")
"""The order of probes on a page; the first is the headline."""


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
    try:
        cells = by_place(line for line in lines if not line.get("disturbance"))
        bench = Bench(ledger, lines, replicates=replicates(facts))
        few = Bench(ledger, lines, replicates=min(REPLICATES, bench.replicates))
        found = _headline(facts, methods, cells, bench, stale=stale)
        found = _beside(found, folder, cells, few)
        found = replace(
            found,
            disturbed=robustness(methods, cells, [line for line in lines if line.get("disturbance")], few),
            hardware=_gather(lines) | {"reads": test_reads(folder, every, facts)},
        )
    except KeyError as error:
        raise LedgerError(
            f"{folder / 'results.jsonl'}: a line lacks {error}", hint="restore the file from a copy"
        ) from None
    found = _masks(found, folder)
    return replace(found, ranked=without_floors or not found.missing_floors)


def _headline(
    facts: Mapping[str, Any], methods: tuple[Method, ...], cells: Cells, bench: Bench, *, stale: int
) -> Summary:
    """What a study is about: scores, their differences, and what may be said of them."""
    lines = [line for some in cells.values() for line in some.values()]
    tasks = _tasks(facts, lines)
    numbers = {str(line["task"]) for line in lines if line["task_kind"] == "regression"}
    groups = sorted(
        {group for group, _ in cells},
        key=lambda g: (tasks.index(g.task), g.probe, g.validation, g.fraction),
    )
    scores, estimates = scored(facts, methods, groups, cells, bench, numbers=numbers)
    summary = Summary(
        name=str(facts.get("name") or "study"),
        methods=methods,
        baselines=baselines(facts),
        tasks=tasks,
        settings=_settings(groups),
        fractions=tuple(sorted({g.fraction for g in groups}, key=lambda f: (f > 0, abs(f)))),
        scores=scores,
        comparisons=(),
        classes=tuple(class_scores(groups, methods, cells, bench)),
        synthetic=facts.get("synthetic") is True,
        cautions=(),
        missing_floors=(),
        measures=measures(groups, methods, cells, bench),
        regressions=tuple(t for t in tasks if t in numbers),
        facts=facts,
    )
    summary = replace(summary, missing_floors=missing_floors(summary))
    compared = permuted(summary, comparisons(summary, groups, estimates), cells, bench)
    shared = bench.overlapping(tasks)
    said = cautions(summary, lines, shared=shared, stale=stale, replicates=bench.replicates)
    needed = labels_needed(summary, estimates)
    return replace(summary, comparisons=compared, cautions=said, needed=needed)


def _beside(summary: Summary, folder: Path, cells: Cells, bench: Bench) -> Summary:
    """Add what stands beside the headline: subgroups, calibration, seeds, intervals of classes."""
    compared, known = _compared(summary), read_subgroups(folder)
    everywhere = [(score.group, score.method) for score in summary.scores if score.mean is not None]
    here = headline_groups(summary)
    found = gaps(compared, cells, known, bench)
    classes, measured = with_intervals(
        [(group, method) for group, method in everywhere if group in here],
        cells,
        bench,
        classes=summary.classes,
        measures=summary.measures,
    )
    return replace(
        summary,
        gaps=found,
        uncompared=uncompared(compared, cells, known, bench, gaps=found),
        reliability=reliability(_judged(summary), cells, bench),
        singles=singles(everywhere, cells, bench),
        classes=classes,
        measures=measured,
    )


def _masks(summary: Summary, folder: Path) -> Summary:
    """Add what the runs' masks hid, as far as it was looked at."""
    waves = read_waves(folder, summary.methods)
    masks, faults = method_masks(folder, summary)
    return replace(
        summary,
        waves=tuple(waves.shares),
        wave_parts=tuple(waves.parts),
        agreements=tuple(waves.agreements),
        costs=tuple(waves.costs),
        wave_faults=tuple(waves.faults),
        masks=masks,
        mask_faults=faults,
        cautions=(*summary.cautions, *unmatched(masks, summary)),
    )


def _compared(summary: Summary) -> list[tuple[Group, str]]:
    """What subgroups are looked at for: the headline's cells of candidates, twins, baselines, a floor."""
    twins = [twin.name for m in summary.candidates() if (twin := summary.twin(m.name))]
    floors = [m.name for m in summary.methods if m.kind == "handcrafted"]
    names = dict.fromkeys([*(m.name for m in summary.candidates()), *twins, *summary.baselines, *floors])
    wanted = [(g, name) for g in headline_groups(summary) for name in names]
    return [(g, name) for g, name in wanted if summary.score(g, name).mean is not None]


def _judged(summary: Summary) -> list[tuple[Group, str]]:
    """What calibration is looked at for: every method at the verdict's share of the labels."""
    groups = [g for g in headline_groups(summary) if g.task not in summary.regressions]
    scores = [summary.floor(g, m.name) for g in groups for m in summary.methods]
    return [(score.group, score.method) for score in scores if score.mean is not None]


def _tasks(facts: Mapping[str, Any], lines: Sequence[Line]) -> tuple[str, ...]:
    """Tasks with a line, in the config's order where there is one."""
    present = list(dict.fromkeys(str(line["task"]) for line in lines))
    try:
        wanted = list(facts["config"]["transfer"]["tasks"])
    except (KeyError, TypeError):
        wanted = []
    return tuple(sorted(present, key=lambda t: wanted.index(t) if t in wanted else len(wanted)))


def _settings(groups: Sequence[Group]) -> tuple[tuple[str, str], ...]:
    """Pairs of probe and validation, the headline first."""
    pairs = {(g.probe, g.validation) for g in groups}
    rank = {probe: k for k, probe in enumerate(PROBES)}
    return tuple(sorted(pairs, key=lambda s: (s[1] != "matched", rank.get(s[0], len(rank)), s)))


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
