"""Judges what a probe said of a test set: metrics, thresholds and temperature, chosen on validation. Pure."""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Num

from ecglipse.commands._places import Part
from ecglipse.corpora.challenge_weights import challenge_weights
from ecglipse.metrics import (
    Evaluation,
    apply_temperature,
    best_thresholds,
    evaluate,
    evaluate_numbers,
    temperature,
)
from ecglipse.tasks import Task


def thresholds_of(validation: Num[np.ndarray, "some class"], result: Any, kind: str) -> list[float] | None:
    """What decisions are made at, a number a class; None where the largest score decides, or nothing does."""
    if kind not in ("multilabel", "binary"):
        return None
    return [float(t) for t in best_thresholds(validation, result.validation_scores)]


def temperature_of(validation: Num[np.ndarray, "some class"], result: Any, kind: Any) -> float | None:
    """The temperature that ECE and Brier are read after, chosen on validation; a regression has none."""
    if kind == "regression":
        return None
    return temperature(validation, result.validation_scores, kind)


def positives(test: Part, kind: str) -> list[int]:
    """Test positives of each class; a regression has none."""
    return [] if kind == "regression" else [int(count) for count in test.y.sum(0)]


def judge(
    truth: Num[np.ndarray, "record class"],
    validation: Num[np.ndarray, "some class"],
    result: Any,
    *,
    task: Task,
) -> Evaluation:
    """Rank and decide by the scores as they are; ECE and Brier after one temperature from validation.

    A regression has none of these.
    """
    if task.kind == "regression":
        return evaluate_numbers(truth, result.test_scores)
    kind, classes = task.kind, task.classes
    thresholds = best_thresholds(validation, result.validation_scores)
    challenge = challenge_weights(task.name, classes)
    read = evaluate(
        truth,
        result.test_scores,
        kind=kind,
        classes=classes,
        thresholds=thresholds,
        challenge=challenge,
    )
    warmth = temperature_of(validation, result, kind) or 1.0
    warmed = evaluate(truth, apply_temperature(result.test_scores, warmth, kind), kind=kind, classes=classes)
    calibrated = {name: warmed.metrics[name] for name in ("ece", "brier")}
    return replace(read, metrics=read.metrics | calibrated)
