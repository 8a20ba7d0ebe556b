"""Intervals of what stands beside the headline: of every class, and of the other metrics. Reads disk only."""

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int, Num

from ecglipse.metrics import apply_temperature
from ecglipse.report.bench import Bench, TestSet
from ecglipse.report.cells import Cells, Key, Line
from ecglipse.report.scores import ClassScore, Group, Measure
from ecglipse.report.subgroups import REPLICATES
from ecglipse.report.weighted import Weighted, of_decisions, of_numbers, of_precision, of_probabilities
from ecglipse.statistics import interval, macro_by_cell, over_patients

Ends = dict[str, tuple[float | None, float | None]]


def with_intervals(
    wanted: Sequence[tuple[Group, str]],
    cells: Cells,
    bench: Bench,
    *,
    classes: Sequence[ClassScore],
    measures: Sequence[Measure],
) -> tuple[tuple[ClassScore, ...], tuple[Measure, ...]]:
    """Give classes and metrics with the 95 % intervals of the study's bootstrap, where they are wanted.

    Seeds and label draws deviate, and patients are resampled, as for the headline; of the replicates the
    first `REPLICATES` are used.

    Args:
        wanted: groups and methods.
        cells: by group and method.
        bench: reads predictions, and has the resampled patients.
        classes: whose AUROC gets an interval.
        measures: of which all but Fmax, the Challenge's score and the slope get one.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        made = list(pool.map(lambda key: _ends(cells[key], bench), wanted))
    found = dict(zip(wanted, made, strict=True))
    none = (None, None)
    return (
        tuple(
            replace(k, low=low, high=high)
            for k in classes
            for low, high in (found.get((k.group, k.method), {}).get(f"auroc[{k.label}]", none),)
        ),
        tuple(
            replace(m, low=low, high=high)
            for m in measures
            for low, high in (found.get((m.group, m.method), {}).get(m.metric, none),)
        ),
    )


def _ends(mine: Mapping[Key, Line], bench: Bench) -> Ends:
    """The interval of each metric, of the cells of one method and group."""
    parts: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    for rotation in sorted({key[0] for key in mine}):
        lines = {key[1:]: line for key, line in mine.items() if key[0] == rotation}
        for name, one in _of_rotation(lines, bench).items():
            if math.isfinite(one[1].mean()):
                parts.setdefault(name, []).append(one)
    found: Ends = {}
    for name, several in parts.items():
        replicates, by_seed, by_draw = (np.mean([part[k] for part in several], axis=0) for k in range(3))
        ends = interval(replicates, estimate=float(by_seed.mean()), levels=(by_seed, by_draw))
        found[name] = (None, None) if math.isnan(ends[0]) else ends
    return found


def _of_rotation(
    lines: Mapping[tuple[int, int], Line], bench: Bench
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Replicates of each metric on one test set, and its means by seed and by label draw as they are."""
    seeds, draws = (sorted({key[i] for key in lines}) for i in range(2))
    ours = bench.test_set(next(iter(lines.values())))
    resampled = ours.resampling.weights[:REPLICATES]
    weights = np.concatenate([np.ones((1, resampled.shape[1]), dtype=resampled.dtype), resampled])
    of_seeds, of_draws = (d[:REPLICATES] for d in ours.resampling.deviations(len(seeds), len(draws)))
    scores = np.stack([[bench.scores(lines[s, d]) for d in draws] for s in seeds])
    grid = [
        [_of_cell(lines[s, d], ours, scores[i, j], weights) for j, d in enumerate(draws)]
        for i, s in enumerate(seeds)
    ]
    found = {}
    for name in grid[0][0]:
        values = np.array([[cell.get(name, np.full(len(weights), np.nan)) for cell in row] for row in grid])
        by_seed, by_draw = values[..., 0].mean(axis=1), values[..., 0].mean(axis=0)
        moved = of_seeds @ by_seed + of_draws @ by_draw
        found[name] = values[..., 1:].mean(axis=(0, 1)) + moved, by_seed, by_draw
    for k, name in enumerate(next(iter(lines.values()))["classes"]) if ours.truth.dtype.kind != "f" else ():
        one = np.arange(ours.truth.shape[1]) == k
        table = macro_by_cell(scores, ours.truth, keep=one)
        by_seed, by_draw = table.mean(axis=1), table.mean(axis=0)
        moved = of_seeds @ by_seed + of_draws @ by_draw
        found[f"auroc[{name}]"] = (
            over_patients(scores, ours.truth, resampled, keep=one) + moved,
            by_seed,
            by_draw,
        )
    return found


def _of_cell(
    line: Line,
    ours: TestSet,
    scores: Float[np.ndarray, "record class"],
    weights: Int[np.ndarray, "replicate record"],
) -> Weighted:
    """Each metric of a cell under each row of weights; the classes averaged are those of the headline."""
    truth: Num[np.ndarray, "record class"] = ours.truth
    kind = line["task_kind"]
    if kind == "regression":
        return of_numbers(truth[:, 0].astype(np.float64), scores[:, 0], weights)
    kept = [int(k) for k in np.flatnonzero(ours.keep)]
    found = of_precision(truth == 1, scores, weights, kept=kept)
    found |= of_decisions(truth == 1, scores, line, weights, kept=kept)
    if line.get("temperature") is not None:
        warmed = apply_temperature(scores, float(line["temperature"]), kind)
        found |= of_probabilities(truth, warmed, weights, kept=kept)
    return found
