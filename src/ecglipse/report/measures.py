"""What is measured beside the headline: means of the ledger's other metrics, and which way is better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ecglipse.metrics import apply_temperature, brier, ece
from ecglipse.metrics.decisions import decide, worth
from ecglipse.report.bench import Bench
from ecglipse.report.cells import Cells, Line
from ecglipse.report.kept import NO_CLASS
from ecglipse.report.methods import Method
from ecglipse.report.scores import Group, Measure

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

OVER_CLASSES: Final = ("macro_auprc", "macro_f1", "balanced_accuracy", "accuracy", "ece", "brier")
"""Those that average over classes."""
BY_DECISIONS: Final = ("macro_f1", "balanced_accuracy", "accuracy")
NO_TEMPERATURE: Final = "the ledger was written before temperatures were kept in it"
NO_THRESHOLDS: Final = "the ledger was written before thresholds were kept in it"


def measures(
    groups: Sequence[Group],
    methods: Sequence[Method],
    cells: Cells,
    bench: Bench,
) -> tuple[Measure, ...]:
    """Mean of each metric over the cells of each group and method, where all of them have it.

    Averages over classes are over those that the study keeps in all its rotations; see `kept`.
    """
    made = []
    for group in groups:
        for method in methods:
            lines = [read(line, bench) for line in cells.get((group, method.name), {}).values()]
            known = {name for line in lines for name in line.metrics}
            for name in (key for key in TITLES if key in known):
                values = [line.metrics.get(name) for line in lines]
                defined = [v for v in values if v is not None]
                reasons = [str(line.undefined.get(name, "")) for line in lines]
                whole = len(defined) == len(values)
                why = "" if whole else next((r for r in reasons if r), "undefined in some cells")
                mean = float(np.mean(defined)) if whole else None
                made.append(Measure(group, method.name, name, mean, note=why))
    return tuple(made)


@dataclass(frozen=True)
class Read:
    """What a cell measures, and why it does not."""

    metrics: Mapping[str, float | None]
    undefined: Mapping[str, str]


def read(line: Line, bench: Bench) -> Read:
    """Give a cell's metrics over the study's classes; the ledger's where the cell's own are the same."""
    if set(bench.left_out(line)) == set(line["left_out"]):
        return Read(line["metrics"], line["undefined"])
    keep = bench.test_set(line).keep
    if not keep.any():
        lost = [name for name in OVER_CLASSES if name in line["metrics"]]
        return Read(line["metrics"] | dict.fromkeys(lost), line["undefined"] | dict.fromkeys(lost, NO_CLASS))
    scores, positive, kind = bench.scores(line), bench.test_set(line).truth == 1, line["task_kind"]
    names = [name for name, kept in zip(line["classes"], keep, strict=True) if kept]
    metrics: dict[str, float | None] = {
        "macro_auprc": float(np.mean([line["per_class"]["auprc"][name] for name in names]))
    }
    undefined: dict[str, str] = {}
    limits = line.get("thresholds")
    if limits is None and kind != "multiclass":
        undefined |= dict.fromkeys(BY_DECISIONS, NO_THRESHOLDS)
    else:
        value = worth(positive, decide(scores, kind, None if limits is None else np.array(limits)))
        balanced = value.sensitivity if kind == "multiclass" else (value.sensitivity + value.specificity) / 2
        metrics |= {
            "macro_f1": float(value.f1[keep].mean()),
            "balanced_accuracy": float(balanced[keep].mean()),
        }
        whole = line["metrics"].get("accuracy")  # of a multiclass task, the share of all records
        metrics["accuracy"] = whole if kind == "multiclass" else float(value.accuracy[keep].mean())
    if line.get("temperature") is None:
        undefined |= dict.fromkeys(("ece", "brier"), NO_TEMPERATURE)
    else:
        warmed = apply_temperature(scores, float(line["temperature"]), kind)[:, keep]
        truth = bench.test_set(line).truth[:, keep]
        metrics |= {"ece": ece(truth, warmed), "brier": brier(truth, warmed)}
    metrics |= dict.fromkeys(undefined)
    others = {name: why for name, why in line["undefined"].items() if name not in OVER_CLASSES}
    return Read(line["metrics"] | metrics, others | undefined)
