"""Metrics of a whole test set, from probabilities: pure NumPy, no randomness, no intervals."""

from ecglipse.metrics.calibration import apply_temperature, brier, ece, equal_mass, temperature
from ecglipse.metrics.decisions import best_thresholds
from ecglipse.metrics.evaluation import Evaluation, Kind, evaluate
from ecglipse.metrics.ranking import auprc, auroc
from ecglipse.metrics.regression import evaluate_numbers
from ecglipse.metrics.sets import challenge_score, fmax

__all__ = [
    "Evaluation",
    "Kind",
    "apply_temperature",
    "auprc",
    "auroc",
    "best_thresholds",
    "brier",
    "challenge_score",
    "ece",
    "equal_mass",
    "evaluate",
    "evaluate_numbers",
    "fmax",
    "temperature",
]
