"""Metrics of a whole test set, from probabilities: pure NumPy, no randomness, no intervals."""

from ecglipse.metrics.calibration import apply_temperature, brier, ece, temperature
from ecglipse.metrics.decisions import best_thresholds
from ecglipse.metrics.evaluation import Evaluation, Kind, evaluate
from ecglipse.metrics.ranking import auprc, auroc
from ecglipse.metrics.regression import evaluate_numbers

__all__ = [
    "Evaluation",
    "Kind",
    "apply_temperature",
    "auprc",
    "auroc",
    "best_thresholds",
    "brier",
    "ece",
    "evaluate",
    "evaluate_numbers",
    "temperature",
]
