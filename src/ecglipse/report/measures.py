"""What is measured beside the headline: means of the ledger's other metrics, and which way is better."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ecglipse.report.tables import Group, Measure, Method

TITLES: Final = {
    "macro_auprc": "macro AUPRC ↑",
    "macro_f1": "macro F1 ↑",
    "balanced_accuracy": "balanced accuracy ↑",
    "accuracy": "accuracy ↑",
    "fmax": "Fmax ↑",
    "challenge": "CinC score ↑",
    "ece": "ECE ↓",
    "brier": "Brier ↓",
    "mae": "MAE ↓",
    "rmse": "RMSE ↓",
    "bias": "bias → 0",
    "slope": "slope → 1",
}
"""Metrics in a reader's words, in the order of the page; the arrow says which way is better."""


def measures(
    groups: Sequence[Group],
    methods: Sequence[Method],
    cells: Mapping[tuple[Group, str], Mapping[Any, Mapping[str, Any]]],
) -> tuple[Measure, ...]:
    """Mean of each metric over the cells of each group and method, where all of them have it."""
    made = []
    for group in groups:
        for method in methods:
            lines = list(cells.get((group, method.name), {}).values())
            known = {name for line in lines for name in line["metrics"]}
            for name in (key for key in TITLES if key in known):
                values = [line["metrics"].get(name) for line in lines]
                defined = [v for v in values if v is not None]
                reasons = [str(line["undefined"].get(name, "")) for line in lines]
                whole = len(defined) == len(values)
                why = "" if whole else next((r for r in reasons if r), "undefined in some cells")
                mean = float(np.mean(defined)) if whole else None
                made.append(Measure(group, method.name, name, mean, note=why))
    return tuple(made)
