"""Judges what a probe said of a test set: metrics, thresholds and temperature, chosen on validation. Pure."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Num

from ecglipse.commands._places import Part
from ecglipse.metrics import (
    Evaluation,
    Kind,
    apply_temperature,
    best_thresholds,
    evaluate,
    evaluate_numbers,
    temperature,
)


def thresholds_of(validation: Num[np.ndarray, "some class"], result: Any, kind: str) -> list[float] | None:
    """What decisions are made at, a number a class; None where the largest score decides, or nothing does."""
    if kind not in ("multilabel", "binary"):
        return None
    return [float(t) for t in best_thresholds(validation, result.validation_scores)]


def positives(test: Part, kind: str) -> list[int]:
    """Test positives of each class; a regression has none."""
    return [] if kind == "regression" else [int(count) for count in test.y.sum(0)]


def judge(
    truth: Num[np.ndarray, "record class"],
    validation: Num[np.ndarray, "some class"],
    result: Any,
    *,
    kind: Kind | Literal["regression"],
    classes: tuple[str, ...],
) -> Evaluation:
    """Rank and decide by the scores as they are; ECE and Brier after one temperature from validation.

    A regression has none of these.
    """
    if kind == "regression":
        return evaluate_numbers(truth, result.test_scores)
    thresholds = best_thresholds(validation, result.validation_scores)
    read = evaluate(truth, result.test_scores, kind=kind, classes=classes, thresholds=thresholds)
    warmth = temperature(validation, result.validation_scores, kind)
    warmed = evaluate(truth, apply_temperature(result.test_scores, warmth, kind), kind=kind, classes=classes)
    calibrated = {name: warmed.metrics[name] for name in ("ece", "brier")}
    return replace(read, metrics=read.metrics | calibrated)
