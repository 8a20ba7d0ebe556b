"""From scores to decisions: thresholds chosen on validation, and what the decisions are worth."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Integer


def best_thresholds(
    truth: Integer[np.ndarray, "record class"], scores: Float[np.ndarray, "record class"]
) -> Float[np.ndarray, " class"]:
    """Threshold of each class that gives the highest F1; to be chosen on validation records only.

    A record is positive at `score >= threshold`. The threshold lies half-way between the lowest score
    that is taken as positive and the next lower one (or 0), so that rounding to float32 moves no
    decision. Of equal F1, the highest threshold is given.

    Args:
        truth: 1 for a positive record, 0 for a negative one.
        scores: probabilities.

    Returns:
        0.5 where there is no positive or no negative record to choose by.

    Raises:
        ValueError: if a score is not a number.
    """
    if np.isnan(scores).any():
        raise ValueError(f"`scores` must hold numbers; {int(np.isnan(scores).sum())} are NaN")
    thresholds = np.full(scores.shape[1], 0.5)
    for k in range(scores.shape[1]):
        total = int(truth[:, k].sum())
        if total in (0, len(truth)):
            continue
        order = np.argsort(-scores[:, k], kind="stable")
        ranked = scores[order, k].astype(np.float64)
        ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1)
        hits = np.cumsum(truth[order, k], dtype=np.int64)[ends]
        f1 = 2 * hits / (ends + 1 + total)
        levels = np.append(ranked[ends], 0.0)
        best = int(np.argmax(f1))
        thresholds[k] = (levels[best] + levels[best + 1]) / 2
    return thresholds


def decide(
    scores: Float[np.ndarray, "record class"],
    kind: Literal["multilabel", "multiclass", "binary"],
    thresholds: Float[np.ndarray, " class"] | None,
) -> Bool[np.ndarray, "record class"]:
    """Take the largest score of each record (multiclass; the first of equals), or all at a threshold.

    Args:
        scores: probabilities.
        kind: of the task.
        thresholds: per class; None stands for 0.5. Not used by a multiclass task.
    """
    if kind == "multiclass":
        return np.asarray(np.arange(scores.shape[1]) == np.argmax(scores, axis=1)[:, None])
    return np.asarray(scores >= (0.5 if thresholds is None else thresholds))


@dataclass(frozen=True)
class Worth:
    """What decisions are worth, per class; NaN where a class has no positives or no negatives to tell by."""

    f1: Float[np.ndarray, " class"]
    sensitivity: Float[np.ndarray, " class"]
    specificity: Float[np.ndarray, " class"]
    accuracy: Float[np.ndarray, " class"]


def worth(truth: Bool[np.ndarray, "record class"], decided: Bool[np.ndarray, "record class"]) -> Worth:
    """Compare decisions with the truth, class by class."""
    hits = np.sum(truth & decided, axis=0)
    rejections = np.sum(~truth & ~decided, axis=0)
    positives, negatives = truth.sum(axis=0), np.sum(~truth, axis=0)
    with np.errstate(invalid="ignore"):
        sensitivity = hits / positives
        specificity = rejections / negatives
    return Worth(
        f1=np.where(positives > 0, 2 * hits / np.maximum(positives + decided.sum(axis=0), 1), np.nan),
        sensitivity=sensitivity,
        specificity=specificity,
        accuracy=(hits + rejections) / len(truth),
    )
