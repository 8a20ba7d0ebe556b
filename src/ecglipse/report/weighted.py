"""Metrics of a test set under many weights of its records at once, as a bootstrap wants them. Pure."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from ecglipse.metrics import equal_mass
from ecglipse.metrics.decisions import decide

Weighted: TypeAlias = dict[str, Float[np.ndarray, " replicate"]]
"""A metric under each row of weights, by its name in the ledger; under a row of ones the ledger's number."""

ECE_BINS = 15
"""As `ecglipse.metrics.ece` has them; a record keeps the bin that it has in the test set as it is."""


def of_precision(
    positive: Bool[np.ndarray, "record class"],
    scores: Float[np.ndarray, "record class"],
    weights: Int[np.ndarray, "replicate record"],
    *,
    kept: Sequence[int],
) -> Weighted:
    """Give the mean average precision of the classes kept; nothing if none is."""
    precise = [weighted_auprc(positive[:, k], scores[:, k], weights) for k in kept]
    return {"macro_auprc": np.mean(precise, axis=0)} if precise else {}


def weighted_auprc(
    positive: Bool[np.ndarray, " record"],
    score: Float[np.ndarray, " record"],
    weights: Int[np.ndarray, "replicate record"],
) -> Float[np.ndarray, " replicate"]:
    """Average precision under each row of whole-number weights, as if each record stood there so many times.

    NaN where no positive has weight; see `ecglipse.metrics.auprc`.
    """
    order = np.argsort(-score, kind="stable")
    ranked, columns = score[order], weights.T[order].astype(np.float32)  # whole, so exact below 2^24
    found = np.flatnonzero(positive[order])
    ends = np.searchsorted(-ranked, -ranked[found], side="right") - 1  # of the equal scores
    ours = columns[found].astype(np.float64)
    hits = np.cumsum(ours, axis=0)[np.searchsorted(found, ends, side="right") - 1]
    called = (np.arange(len(ranked)) <= ends[:, None]).astype(np.float32) @ columns
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((ours * hits / np.maximum(called, 1)).sum(axis=0) / ours.sum(axis=0))


def of_decisions(
    positive: Bool[np.ndarray, "record class"],
    scores: Float[np.ndarray, "record class"],
    line: Any,
    weights: Int[np.ndarray, "replicate record"],
    *,
    kept: Sequence[int],
) -> Weighted:
    """Give macro F1, balanced accuracy and accuracy at the ledger line's thresholds; nothing without them."""
    kind, limits = line["task_kind"], line.get("thresholds")
    if not kept or (limits is None and kind != "multiclass"):
        return {}
    decided = decide(scores, kind, None if limits is None else np.array(limits))
    w = weights.astype(np.float64)
    ours, said = positive[:, kept], decided[:, kept]
    both, positives, called = (w @ one.astype(np.float64) for one in (ours & said, ours, said))
    total = w.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity = both / positives
        specificity = (total - positives - called + both) / (total - positives)
        f1 = np.where(positives > 0, 2 * both / np.maximum(positives + called, 1), np.nan)
        right = (w @ (ours == said)) / total
    balanced = sensitivity if kind == "multiclass" else (sensitivity + specificity) / 2
    whole = (w @ np.any(positive & decided, axis=1)) / total[:, 0]
    return {
        "macro_f1": f1.mean(axis=1),
        "balanced_accuracy": balanced.mean(axis=1),
        "accuracy": whole if kind == "multiclass" else right.mean(axis=1),
    }


def of_probabilities(
    truth: Num[np.ndarray, "record class"],
    scores: Float[np.ndarray, "record class"],
    weights: Int[np.ndarray, "replicate record"],
    *,
    kept: Sequence[int],
) -> Weighted:
    """Give ECE and Brier score, means over the classes kept; nothing if none is."""
    if not kept:
        return {}
    w = weights.astype(np.float64)
    off = scores[:, kept] - truth[:, kept]
    total = w.sum(axis=1)
    bins = np.stack([equal_mass(scores[:, k], bins=ECE_BINS) for k in kept], axis=1)
    inside = bins[..., None] == np.arange(ECE_BINS)
    gaps = np.abs(w @ (inside * off[..., None]).reshape(len(off), -1)).reshape(len(w), *inside.shape[1:])
    return {"ece": gaps.sum(axis=2).mean(axis=1) / total, "brier": (w @ np.mean(off**2, axis=1)) / total}


def of_numbers(
    truth: Float[np.ndarray, " record"],
    predicted: Float[np.ndarray, " record"],
    weights: Int[np.ndarray, "replicate record"],
) -> Weighted:
    """Give MAE, RMSE and bias of a regression."""
    w, error = weights.astype(np.float64), predicted - truth
    total = w.sum(axis=1)
    return {
        "mae": (w @ np.abs(error)) / total,
        "rmse": np.sqrt((w @ error**2) / total),
        "bias": (w @ error) / total,
    }
