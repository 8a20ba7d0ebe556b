"""Every seed and every rotation: the scores that a mean hides, from the ledger's lines. Reads disk only."""

from collections.abc import Sequence

import numpy as np

from ecglipse.report.bench import Bench
from ecglipse.report.cells import Cells, Line
from ecglipse.report.scores import Group, Single


def singles(
    wanted: Sequence[tuple[Group, str]],
    cells: Cells,
    bench: Bench,
) -> tuple[Single, ...]:
    """Give each seed's mean, each rotation's, and each seed's on each rotation.

    The classes averaged are those of the score itself, so that the seeds' mean is the score.

    Args:
        wanted: groups and methods that have a score.
        cells: by group and method.
        bench: knows the test sets.
    """
    made: list[Single] = []
    for group, method in wanted:
        mine = cells[group, method]
        rotations, seeds, draws = (sorted({key[i] for key in mine}) for i in range(3))
        scores = [[np.mean([_score(mine[r, s, d], bench) for d in draws]) for s in seeds] for r in rotations]
        table = np.array(scores, dtype=np.float64)
        for s, value in zip(seeds, table.mean(axis=0), strict=True):
            made.append(Single(group, method, s, None, float(value)))
        for r, row in zip(rotations, table, strict=True) if len(rotations) > 1 else ():
            made.append(Single(group, method, None, r, float(row.mean())))
            made += [Single(group, method, s, r, float(x)) for s, x in zip(seeds, row, strict=True)]
    return tuple(made)


def _score(line: Line, bench: Bench) -> float:
    """A cell's score: R2, or the mean AUROC of the classes in the macro average."""
    if line["task_kind"] == "regression":
        return float(line["metrics"]["r2"])
    kept = bench.test_set(line).keep
    found = line["per_class"]["auroc"]
    return float(np.mean([found[name] for name, keep in zip(line["classes"], kept, strict=True) if keep]))
