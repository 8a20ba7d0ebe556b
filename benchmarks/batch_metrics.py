"""What the published way of reading a test set is worth, on the predictions of a study that has been run.

    python benchmarks/batch_metrics.py STUDY --json

The published code takes the mean over batches of 256, weighted by their size, of a metric of each batch, and
cuts logits (not probabilities) at 0.5. For every linear probe of a classification task in the ledger: macro
AUROC of the whole test set against the mean over batches (a class that a batch has not both kinds of is left
out of it, which is kinder than the published code), and for tasks of one class accuracy at a logit of 0
against 0.5. Nothing is trained, and no cell is changed.
"""

import argparse
import json
import statistics
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

BATCH = 256


def macro(truth: np.ndarray, scores: np.ndarray) -> float | None:
    """Mean AUROC over the classes that are there and not there; None if there is no such class."""
    able = [c for c in range(truth.shape[1]) if 0 < truth[:, c].sum() < len(truth)]
    found = [float(roc_auc_score(truth[:, c], scores[:, c])) for c in able]
    return statistics.fmean(found) if found else None


def by_batches(truth: np.ndarray, scores: np.ndarray) -> float | None:
    """The same of each batch, then the mean weighted by size."""
    found = [
        (len(truth[s : s + BATCH]), macro(truth[s : s + BATCH], scores[s : s + BATCH]))
        for s in range(0, len(truth), BATCH)
    ]
    known = [(n, value) for n, value in found if value is not None]
    return sum(n * value for n, value in known) / sum(n for n, _ in known) if known else None


def main() -> None:
    """Print one JSON line, or a few sentences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    lines = (arguments.study / "results.jsonl").read_text(encoding="utf-8").splitlines()
    differences: dict[str, list[float]] = {}
    cuts: dict[str, list[float]] = {}
    for line in map(json.loads, lines):
        if line["probe"] != "linear" or line["task_kind"] == "regression" or line.get("disturbance"):
            continue
        with np.load(arguments.study / line["predictions"]) as found:
            truth, scores = found["truth"], found["scores"].astype(np.float64)
        whole, batched = macro(truth, scores), by_batches(truth, scores)
        if whole is not None and batched is not None:
            differences.setdefault(line["task"], []).append(batched - whole)
        if scores.shape[1] == 1:
            at = [float(((scores > cut) == truth).mean()) for cut in (1 / (1 + np.exp(-0.5)), 0.5)]
            cuts.setdefault(line["task"], []).append(at[0] - at[1])
    result = {
        "name": "batch_metrics",
        "cells": sum(map(len, differences.values())),
        "auroc_by_batches_minus_whole": {
            task: {
                "mean": round(statistics.fmean(values), 4),
                "largest": round(max(values, key=abs), 4),
                "n": len(values),
            }
            for task, values in differences.items()
        },
        "accuracy_at_logit_half_minus_at_0": {
            task: round(statistics.fmean(values), 4) for task, values in cuts.items()
        },
    }
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
