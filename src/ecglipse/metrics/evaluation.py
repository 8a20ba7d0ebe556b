"""`evaluate`: every metric of one cell of a study, on the whole test set, with what is undefined and why."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Integer

from ecglipse.metrics.calibration import brier, ece
from ecglipse.metrics.decisions import decide, worth
from ecglipse.metrics.ranking import auprc, auroc
from ecglipse.metrics.sets import challenge_score, fmax

Kind: TypeAlias = Literal["multilabel", "multiclass", "binary"]


@dataclass(frozen=True)
class Evaluation:
    """The metrics of one test set.

    Args:
        metrics: `macro_auroc`, `macro_auprc`, `macro_f1`, `balanced_accuracy`, `accuracy`, `ece`, `brier`;
            `fmax` and `challenge` for some tasks. None where undefined.
        per_class: `auroc`, `auprc` and `f1`, each by class, classes that are left out included.
        left_out: classes with too few positives or negatives; no average over classes has them.
        undefined: why a metric is None; a class's own metric is named as in "auroc[LVH]".
    """

    metrics: dict[str, float | None]
    per_class: dict[str, dict[str, float | None]]
    left_out: tuple[str, ...] = ()
    undefined: dict[str, str] = field(default_factory=dict)


def evaluate(
    truth: Integer[np.ndarray, "record class"],
    scores: Float[np.ndarray, "record class"],
    *,
    kind: Kind,
    classes: tuple[str, ...],
    thresholds: Float[np.ndarray, " class"] | None = None,
    min_positives: int = 10,
    challenge: tuple[Float[np.ndarray, "class class"], int] | str | None = None,
) -> Evaluation:
    """Compute the metrics of one test set from probabilities.

    Every average over classes is over the same classes, those not left out:

    - `macro_auroc`, `macro_auprc`, `macro_f1`: means of the classes' own (one against the rest);
    - `balanced_accuracy`: mean of (sensitivity + specificity) / 2; of a multiclass task, mean sensitivity;
    - `accuracy`: mean of the classes' own accuracies, not the share of records that are right in every
      class; of a multiclass task, the share of all records whose class is right;
    - `ece`, `brier`: see `ecglipse.metrics.calibration`;
    - `fmax` (multilabel) and `challenge` (where its weights are given): over all classes, record by record;
      see `ecglipse.metrics.sets`.

    Args:
        truth: 0 or 1. One column (of the positive class) for a binary task; one-hot for a multiclass one.
        scores: probabilities; the rows of a multiclass task sum to 1.
        kind: decides how decisions are made: by the largest score (multiclass) or by threshold.
        classes: names of the columns.
        thresholds: from validation (`best_thresholds`, on scores of the same temperature); 0.5 if None.
            Not used by a multiclass task.
        min_positives: a class with fewer positives, or fewer negatives, is left out of the averages.
        challenge: weights of the Challenge's score and the index of its normal class, or why there are none.

    Raises:
        ValueError: if there is no record, the shapes do not fit, a score is not a probability or not a
            number, or `truth` is not 0 or 1 (one-hot in a multiclass task).
    """
    _check(truth, scores, kind=kind, classes=classes, thresholds=thresholds)
    positive = truth == 1
    n_positive = positive.sum(axis=0)
    n_negative = len(truth) - n_positive
    kept = np.minimum(n_positive, n_negative) >= min_positives
    decided = decide(scores, kind, thresholds)
    value = worth(positive, decided)
    columns = range(len(classes))
    balanced = value.sensitivity if kind == "multiclass" else (value.sensitivity + value.specificity) / 2
    by_class: dict[str, list[float | None]] = {
        "auroc": [auroc(truth[:, k], scores[:, k]) for k in columns],
        "auprc": [auprc(truth[:, k], scores[:, k]) for k in columns],
        "f1": [_number(x) for x in value.f1],
    }
    averaged: dict[str, list[float | None]] = {
        "macro_auroc": by_class["auroc"],
        "macro_auprc": by_class["auprc"],
        "macro_f1": by_class["f1"],
        "balanced_accuracy": [_number(x) for x in balanced],
        "accuracy": [_number(x) for x in value.accuracy],
        "ece": [ece(truth[:, [k]], scores[:, [k]]) for k in columns],
        "brier": [brier(truth[:, [k]], scores[:, [k]]) for k in columns],
    }
    lacks = [_lack(name, int(n_positive[k]), int(n_negative[k])) for k, name in enumerate(classes)]
    undefined: dict[str, str] = {}
    metrics: dict[str, float | None] = {}
    for metric, values in averaged.items():
        chosen = [values[k] for k in columns if kept[k]]
        numbers = [x for x in chosen if x is not None]
        metrics[metric] = float(np.mean(numbers)) if numbers and len(numbers) == len(chosen) else None
        if not chosen:
            undefined[metric] = (
                f"no class has {min_positives} positives and {min_positives} negatives in the test set"
            )
        elif metrics[metric] is None:
            undefined[metric] = next(lacks[k] for k in columns if kept[k] and values[k] is None)
    if kind == "multiclass":
        metrics["accuracy"] = float(np.mean(np.any(positive & decided, axis=1)))
        undefined.pop("accuracy", None)
    if kind == "multilabel":
        metrics["fmax"] = fmax(truth, scores)
        if metrics["fmax"] is None:
            undefined["fmax"] = "no test record has any class"
    if challenge is not None:
        _challenge(positive, decided, challenge, metrics, undefined)
    for metric, values in by_class.items():
        undefined |= {f"{metric}[{classes[k]}]": lacks[k] for k in columns if values[k] is None}
    return Evaluation(
        metrics=metrics,
        per_class={metric: dict(zip(classes, values, strict=True)) for metric, values in by_class.items()},
        left_out=tuple(name for name, keep in zip(classes, kept, strict=True) if not keep),
        undefined=undefined,
    )


def _challenge(
    positive: Bool[np.ndarray, "record class"],
    decided: Bool[np.ndarray, "record class"],
    challenge: tuple[Float[np.ndarray, "class class"], int] | str,
    metrics: dict[str, float | None],
    undefined: dict[str, str],
) -> None:
    """Add the Challenge's score, or why there is none."""
    metrics["challenge"] = None
    if isinstance(challenge, str):
        undefined["challenge"] = challenge
        return
    metrics["challenge"] = challenge_score(positive, decided, challenge[0], normal=challenge[1])
    if metrics["challenge"] is None:
        undefined["challenge"] = "every test record is normal and nothing else"


def _number(x: float) -> float | None:
    return None if np.isnan(x) else float(x)


def _lack(name: str, positives: int, negatives: int) -> str:
    """Say what a class has none of."""
    missing = [word for word, n in (("positive", positives), ("negative", negatives)) if n == 0]
    return f"class {name} has no {' and no '.join(missing)} in the test set"


def _check(
    truth: Integer[np.ndarray, "record class"],
    scores: Float[np.ndarray, "record class"],
    *,
    kind: Kind,
    classes: tuple[str, ...],
    thresholds: Float[np.ndarray, " class"] | None,
) -> None:
    """Refuse what cannot be evaluated, naming argument, rule and value."""
    if kind not in ("multilabel", "multiclass", "binary"):
        raise ValueError(f"`kind` must be 'multilabel', 'multiclass' or 'binary'; got {kind!r}")
    if truth.shape != scores.shape or truth.shape[1:] != (len(classes),):
        raise ValueError(
            f"`truth`, `scores` and `classes` must fit;"
            f" got {truth.shape}, {scores.shape} and {len(classes)} classes"
        )
    if kind == "binary" and len(classes) != 1:
        raise ValueError(f"`classes` of a binary task must be the positive one alone; got {classes}")
    if len(truth) == 0:
        raise ValueError("`truth` must hold at least one record; got none")
    if np.isnan(scores).any():
        raise ValueError(
            f"`scores` must hold numbers; {int(np.isnan(scores).sum())} of {scores.size} are NaN"
        )
    if scores.min() < -1e-6 or scores.max() > 1 + 1e-6:
        raise ValueError(f"`scores` must be probabilities; got {scores.min():.4g} to {scores.max():.4g}")
    if not np.all((truth == 0) | (truth == 1)):
        raise ValueError("`truth` must be 0 or 1")
    if kind == "multiclass":
        if np.any(truth.sum(axis=1) != 1):
            raise ValueError("`truth` of a multiclass task must be one-hot: one class a record")
        if np.abs(scores.sum(axis=1) - 1).max() > 1e-3:
            raise ValueError("`scores` of a multiclass task must sum to 1 in every row")
    if thresholds is not None and thresholds.shape != (len(classes),):
        raise ValueError(f"`thresholds` must hold one number a class; got shape {thresholds.shape}")
