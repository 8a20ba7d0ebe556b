"""How much better or worse a method is for some patients than for the others: AUROC, TPR and FPR gaps."""

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool, Int

from ecglipse.errors import LedgerError
from ecglipse.metrics.decisions import decide
from ecglipse.report.bench import Bench
from ecglipse.report.cells import Cells, Key, Line
from ecglipse.report.differences import Gap
from ecglipse.report.scores import Group
from ecglipse.statistics import Sides, interval, sides

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
    cells: Cells,
    known: Mapping[str, Mapping[str, Variable]],
    bench: Bench,
) -> tuple[Gap, ...]:
    """Give each subgroup's gap to all other test records, for each group of cells and method.

    A variable of two values gives one gap. AUROC is the macro average of the classes that have `LEAST`
    positives and negatives on both sides in every rotation; TPR and FPR are, over the same classes, at the
    thresholds that validation chose. Means over seeds, draws and rotations; 95 % intervals of the study's
    bootstrap, widened where few seeds or draws spread.
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
    """The three gaps of one subgroup; none where no class can be compared in every rotation."""
    places = {key[0]: bench.test_set(line) for key, line in mine.items()}
    tested = list(places.values())
    codes = [about.codes[ours.rows] for ours in tested]
    parts = [(code == value, (code != value) & (code != -1)) for code in codes]
    kept = np.all([_kept(s.truth == 1, *part) for s, part in zip(tested, parts, strict=True)], axis=0)
    if not kept.any():
        return []
    found = [_sides(mine, rotation, *part, kept, bench) for rotation, part in zip(places, parts, strict=True)]
    by_cell, replicates = (np.mean([one[k] for one in found], axis=0) for k in range(2))
    n, n_rest = (
        len(np.unique(np.concatenate([s.rows[part[k]] for s, part in zip(tested, parts, strict=True)])))
        for k in range(2)
    )
    made = []
    for k, metric in enumerate(("AUROC", "TPR", "FPR")):
        own, rest = by_cell[k].mean(axis=(1, 2))
        if not (math.isfinite(own) and math.isfinite(rest)):
            continue
        gap = by_cell[k, 0] - by_cell[k, 1]
        low, high = interval(
            replicates[k, 0] - replicates[k, 1],
            estimate=float(own - rest),
            levels=(gap.mean(axis=1), gap.mean(axis=0)),
        )
        made.append(
            Gap(
                *(group, method, variable, about.names[value], metric, n, n_rest),
                *(float(own), float(rest), float(own - rest)),
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


def _sides(
    mine: Mapping[Key, Line],
    rotation: int,
    inside: Bool[np.ndarray, " record"],
    outside: Bool[np.ndarray, " record"],
    kept: Bool[np.ndarray, " class"],
    bench: Bench,
) -> Sides:
    """Both sides in one rotation; without thresholds there is no TPR and no FPR."""
    seeds, draws = (sorted({key[i] for key in mine}) for i in (1, 2))
    lines = [mine[rotation, seed, draw] for seed in seeds for draw in draws]
    ours, scores, decided = bench.test_set(lines[0]), [bench.scores(line) for line in lines], []
    for line, score in zip(lines, scores, strict=True):
        limits = line.get("thresholds")
        decided.append(decide(score, line["task_kind"], None if limits is None else np.array(limits)))
    shape = (len(seeds), len(draws), *ours.truth.shape)
    found = sides(
        np.stack(scores).reshape(shape),
        np.stack(decided).reshape(shape),
        ours.truth,
        ours.resampling,
        inside=inside,
        outside=outside,
        keep=kept,
    )
    if any(line.get("thresholds") is None and line["task_kind"] != "multiclass" for line in lines):
        found.by_cell[1:] = np.nan
    return found
