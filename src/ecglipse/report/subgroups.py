"""How much better or worse a method is for some patients than for the others: AUROC, TPR and FPR gaps."""

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from ecglipse.errors import LedgerError
from ecglipse.metrics.decisions import decide
from ecglipse.report.cells import Bench, Key, Line
from ecglipse.report.tables import Gap, Group
from ecglipse.statistics import Resampling, interval, weighted_auroc

VARIABLES: Final = ("sex", "age", "source")
LEAST: Final = 10
"""Positives and negatives that a class must have on either side to be compared, in each test set."""
REPLICATES: Final = 300


@dataclass(frozen=True)
class Variable:
    """What the rows of a store are grouped by."""

    codes: Int[np.ndarray, " row"]
    names: tuple[str, ...]


def read_subgroups(folder: Path) -> dict[str, dict[str, Variable]]:
    """Read `subgroups/*.npz` by the beginning of the store's digest; nothing where an older study has none.

    Raises:
        LedgerError: a file is damaged.
    """
    found: dict[str, dict[str, Variable]] = {}
    for path in sorted((folder / "subgroups").glob("*.npz")):
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                found[path.stem] = {
                    name: Variable(
                        arrays[name].astype(np.int64), tuple(map(str, arrays[f"{name}_names"].tolist()))
                    )
                    for name in VARIABLES
                }
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as problem:
            raise LedgerError(
                f"{path}: not a file of subgroups: {problem}", hint="run the study again: it is written anew"
            ) from None
    return found


def gaps(
    wanted: Sequence[tuple[Group, str]],
    cells: Mapping[tuple[Group, str], Mapping[Key, Line]],
    known: Mapping[str, Mapping[str, Variable]],
    bench: Bench,
) -> tuple[Gap, ...]:
    """Give each subgroup's gap to all other test records, for each group of cells and method.

    A variable of two values gives one gap. AUROC is the macro average of the classes that have `LEAST`
    positives and negatives on both sides; TPR and FPR are, over the same classes, at the thresholds that
    validation chose. Means over seeds, draws and rotations; 95 % intervals of the study's bootstrap.
    """
    made: list[Gap] = []
    for group, method in wanted:
        mine = cells.get((group, method), {})
        first = next(iter(mine.values()), None)
        if first is None or first["task_kind"] == "regression":
            continue
        variables = known.get(str(first["store"])[:16], {})
        for variable, about in variables.items():
            values = sorted(set(np.unique(about.codes)) - {-1})
            for value in values[: 1 if len(values) == 2 else None] if len(values) > 1 else ():
                made += _gap(group, method, variable, int(value), about, mine, bench)
    return tuple(made)


def _gap(
    group: Group,
    method: str,
    variable: str,
    value: int,
    about: Variable,
    mine: Mapping[Key, Line],
    bench: Bench,
) -> list[Gap]:
    """The three gaps of one subgroup; none where no class can be compared."""
    parts, n, n_rest = [], 0, 0
    for rotation in sorted({key[0] for key in mine}):
        lines = {key[1:]: line for key, line in mine.items() if key[0] == rotation}
        one = next(iter(lines.values()))
        ours = bench.test_set(one)
        code = about.codes[ours.rows]
        inside, outside = code == value, (code != value) & (code != -1)
        kept = _kept(ours.truth == 1, inside, outside)
        if not kept.any():
            continue
        n, n_rest = n + int(inside.sum()), n_rest + int(outside.sum())
        parts.append(_rates(lines, inside, outside, kept, bench))
    if not parts:
        return []
    table = np.mean(parts, axis=0)
    made = []
    for k, metric in enumerate(("AUROC", "TPR", "FPR")):
        own, rest = table[k]
        if not (math.isfinite(own[0]) and math.isfinite(rest[0])):
            continue
        low, high = interval(own[1:] - rest[1:])
        made.append(
            Gap(
                *(group, method, variable, about.names[value], metric, n, n_rest),
                *(float(own[0]), float(rest[0]), float(own[0] - rest[0])),
                *(None if math.isnan(x) else x for x in (low, high)),
            )
        )
    return made


def _kept(
    positive: Bool[np.ndarray, "record class"],
    inside: Bool[np.ndarray, " record"],
    outside: Bool[np.ndarray, " record"],
) -> Bool[np.ndarray, " class"]:
    """Classes with enough positives and negatives on both sides."""
    counts = [side.sum(axis=0) for part in (inside, outside) for side in (positive[part], ~positive[part])]
    return np.asarray(np.min(counts, axis=0) >= LEAST)


def _rates(
    lines: Mapping[tuple[int, int], Line],
    inside: Bool[np.ndarray, " record"],
    outside: Bool[np.ndarray, " record"],
    kept: Bool[np.ndarray, " class"],
    bench: Bench,
) -> Float[np.ndarray, "metric side replicate"]:
    """AUROC, TPR and FPR of both sides: as they are (first), then in each replicate."""
    seeds, draws = (sorted({key[i] for key in lines}) for i in range(2))
    ours = bench.test_set(next(iter(lines.values())))
    weights = ours.resampling.weights[:REPLICATES]
    shares = Resampling(weights, ours.resampling.seed).shares(len(seeds), len(draws))
    shares = np.concatenate([np.full((1, *shares.shape[1:]), 1 / shares[0].size), shares])
    weights = np.concatenate([np.ones((1, weights.shape[1]), dtype=weights.dtype), weights])
    found = np.zeros((3, 2, len(weights)))
    for (seed, draw), line in lines.items():
        scores, share = bench.scores(line), shares[:, seeds.index(seed), draws.index(draw)]
        limits = line.get("thresholds")
        decided = decide(scores, line["task_kind"], None if limits is None else np.array(limits))
        blind = limits is None and line["task_kind"] != "multiclass"
        for side, part in enumerate((inside, outside)):
            w = weights[:, part]
            for k in np.flatnonzero(kept):
                positive = ours.truth[part, k] == 1
                area = weighted_auroc(ours.truth[part, k], scores[part, k], w)
                said = decided[part, k]
                with np.errstate(invalid="ignore", divide="ignore"):
                    tpr = w @ (positive & said) / (w @ positive)
                    fpr = w @ (~positive & said) / (w @ ~positive)
                rates = (area, tpr * np.nan if blind else tpr, fpr * np.nan if blind else fpr)
                found[:, side] += share * np.array(rates) / np.count_nonzero(kept)
    return found
