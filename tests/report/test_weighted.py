"""Metrics under weights: ones give the metric itself, and a weight of two is a record that is there twice."""

from typing import Any

import numpy as np
import pytest

from ecglipse.metrics import best_thresholds, evaluate, evaluate_numbers
from ecglipse.report.weighted import of_decisions, of_numbers, of_precision, of_probabilities

KINDS = ("multilabel", "multiclass", "binary")


def example(kind: str, *, seed: int = 0, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    k = 1 if kind == "binary" else 3
    if kind == "multiclass":
        truth = (rng.integers(0, k, n)[:, None] == np.arange(k)).astype(np.uint8)
    else:
        truth = (rng.random((n, k)) < 0.3).astype(np.uint8)
    scores = np.round(rng.random((n, k)) + 0.5 * truth, 2) / 1.5  # with ties
    return truth, scores / scores.sum(axis=1, keepdims=True) if kind == "multiclass" else scores


def weighed(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray, kind: Any) -> dict[str, np.ndarray]:
    kept = list(range(truth.shape[1]))
    line = {"task_kind": kind, "thresholds": [float(t) for t in best_thresholds(truth, scores)]}
    return {
        **of_precision(truth == 1, scores, weights, kept=kept),
        **of_decisions(truth == 1, scores, line, weights, kept=kept),
        **of_probabilities(truth, scores, weights, kept=kept),
    }


def plain(
    truth: np.ndarray, scores: np.ndarray, kind: Any, thresholds: np.ndarray
) -> dict[str, float | None]:
    names = tuple(f"c{k}" for k in range(truth.shape[1]))
    found = evaluate(truth, scores, kind=kind, classes=names, thresholds=thresholds)
    return found.metrics


@pytest.mark.parametrize("kind", KINDS)
def test_ones_give_the_metric(kind: str) -> None:
    truth, scores = example(kind)
    found = weighed(truth, scores, np.ones((1, len(truth)), dtype=np.int32), kind)
    wanted = plain(truth, scores, kind, best_thresholds(truth, scores))
    assert len(found) == 6
    for name, value in found.items():
        assert value[0] == pytest.approx(wanted[name], abs=1e-12), name


@pytest.mark.parametrize("kind", KINDS)
def test_a_weight_is_a_record_that_stands_there_so_many_times(kind: str) -> None:
    """But for ECE, whose bins stay those of the test set as it is."""
    truth, scores = example(kind)
    weights = np.random.default_rng(1).integers(0, 4, (3, len(truth))).astype(np.int32)
    found = weighed(truth, scores, weights, kind)
    for number, row in enumerate(weights):
        again = np.repeat(np.arange(len(truth)), row)
        wanted = plain(truth[again], scores[again], kind, best_thresholds(truth, scores))
        for name in found.keys() - {"ece"}:
            assert found[name][number] == pytest.approx(wanted[name], abs=1e-12), name


def test_numbers_likewise() -> None:
    rng = np.random.default_rng(2)
    truth, predicted = rng.normal(60, 10, 50), rng.normal(58, 12, 50)
    weights = np.vstack([np.ones(50), rng.integers(0, 4, 50)]).astype(np.int32)
    found = of_numbers(truth, predicted, weights)
    for number, row in enumerate(weights):
        again = np.repeat(np.arange(50), row)
        wanted = evaluate_numbers(truth[again, None], predicted[again, None]).metrics
        for name, value in found.items():
            assert value[number] == pytest.approx(wanted[name], abs=1e-9), name
