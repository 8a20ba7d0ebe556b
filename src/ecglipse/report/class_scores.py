"""What stands behind a macro average: each class's own scores, means of the ledger's. Reads disk only."""

from collections.abc import Mapping, Sequence

import numpy as np

from ecglipse.report.bench import Bench
from ecglipse.report.cells import Cells, Key, Line
from ecglipse.report.methods import Method
from ecglipse.report.scores import ClassScore, Group


def class_scores(
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
                auroc, auprc, f1 = (_mean(mine, metric, label) for metric in ("auroc", "auprc", "f1"))
                kept = label not in bench.left_out(first)
                note = "" if auroc is not None else "n/a, no positive or no negative in the test set"
                about = (group, method.name, str(label), auroc, auprc)
                made.append(ClassScore(*about, int(count), kept, note, f1))
    return made


def _mean(mine: Mapping[Key, Line], metric: str, label: str) -> float | None:
    values = [line["per_class"].get(metric, {}).get(label) for line in mine.values()]
    defined = [v for v in values if v is not None]
    return float(np.mean(defined)) if defined else None
