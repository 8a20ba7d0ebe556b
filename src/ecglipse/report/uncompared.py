"""Subgroups that could not be compared, each with its reason. Pure but for the test sets."""

from collections.abc import Mapping, Sequence

import numpy as np

from ecglipse.report.bench import Bench
from ecglipse.report.cells import Cells
from ecglipse.report.differences import Gap, Uncompared
from ecglipse.report.scores import Group
from ecglipse.report.subgroups import LEAST, Variable


def uncompared(
    wanted: Sequence[tuple[Group, str]],
    cells: Cells,
    known: Mapping[str, Mapping[str, Variable]],
    bench: Bench,
    *,
    gaps: Sequence[Gap],
) -> tuple[Uncompared, ...]:
    """Give the subgroups of each task that no method has a gap for.

    Args:
        wanted: groups and methods that were looked at.
        cells: by group and method.
        known: what the rows of a store are grouped by, by the beginning of its digest.
        bench: knows the test sets.
        gaps: that were found.
    """
    there = {(g.group.task, g.variable, g.name) for g in gaps}
    made: list[Uncompared] = []
    for task, mine in {group.task: cells[group, method] for group, method in wanted}.items():
        sets = list({key[0]: line for key, line in mine.items()}.values())
        first = sets[0]
        for variable, about in known.get(str(first["store"])[:16], {}).items():
            codes = [about.codes[bench.test_set(line).rows] for line in sets]
            values = sorted(set(np.unique(about.codes)) - {-1})
            missing = [v for v in values if (task, variable, about.names[v]) not in there]
            if len(values) == 2 and len(missing) == 1:
                continue  # of two values, one gap stands for both
            for value in missing:
                n = sum(int((c == value).sum()) for c in codes)
                rest = sum(int(((c != value) & (c != -1)).sum()) for c in codes)
                if first["task_kind"] == "regression":
                    why = "a number has no AUROC, TPR or FPR"
                elif len(values) == 1:
                    why = "no test record has another value"
                else:
                    why = f"no class has {LEAST} positives and {LEAST} negatives on both sides"
                made.append(Uncompared(task, variable, about.names[value], n, rest, why))
            if not values:
                n = sum(len(c) for c in codes)
                made.append(Uncompared(task, variable, "any", 0, n, "known of no record"))
    return tuple(made)
