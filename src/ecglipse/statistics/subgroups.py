"""A subgroup against all others of one test set: AUROC, TPR and FPR, as they are and in each replicate."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer

from ecglipse.statistics.bootstrap import weighted_auroc
from ecglipse.statistics.resampling import Resampling


class Sides(NamedTuple):
    """AUROC, TPR and FPR (in this order) of a subgroup and of the rest (in this order)."""

    by_cell: Float[np.ndarray, "metric side seed draw"]
    replicates: Float[np.ndarray, "metric side replicate"]


def sides(
    scores: Float[np.ndarray, "seed draw record class"],
    decided: Bool[np.ndarray, "seed draw record class"],
    truth: Integer[np.ndarray, "record class"],
    resampling: Resampling,
    *,
    inside: Bool[np.ndarray, " record"],
    outside: Bool[np.ndarray, " record"],
    keep: Bool[np.ndarray, " class"],
) -> Sides:
    """Macro averages over the kept classes; replicates over seeds, label draws and patients.

    TPR is the share of the positives, and FPR that of the negatives, that are decided to be positive.
    Replicates are made as those of `bootstrap_macro_auroc` are.

    Args:
        scores: of one method on one test set.
        decided: what it takes as positive.
        truth: 0 or 1.
        resampling: of the test set.
        inside: records of the subgroup.
        outside: of all others.
        keep: classes that are averaged.
    """
    as_they_are = np.ones((1, len(truth)), dtype=resampling.weights.dtype)
    weights = np.concatenate([as_they_are, resampling.weights])
    by_cell, patients = np.zeros((3, 2, *scores.shape[:2])), np.zeros((3, 2, len(resampling.weights)))
    for side, part in enumerate((inside, outside)):
        w = weights[:, part]
        for s, d in np.ndindex(*scores.shape[:2]):
            found = np.mean(
                [
                    _rates(scores[s, d, part, k], decided[s, d, part, k], truth[part, k], w)
                    for k in np.flatnonzero(keep)
                ],
                axis=0,
            )
            by_cell[:, side, s, d] = found[:, 0]
            patients[:, side] += found[:, 1:] / by_cell[0, 0].size
    of_seeds, of_draws = resampling.deviations(*scores.shape[:2])
    moved = by_cell.mean(axis=3) @ of_seeds.T + by_cell.mean(axis=2) @ of_draws.T
    return Sides(by_cell, patients + moved)


def _rates(
    score: Float[np.ndarray, " record"],
    decided: Bool[np.ndarray, " record"],
    truth: Integer[np.ndarray, " record"],
    weights: Integer[np.ndarray, "draws record"],
) -> Float[np.ndarray, "metric draws"]:
    """AUROC, TPR and FPR of one class and cell under each row of weights."""
    positive = truth == 1
    with np.errstate(invalid="ignore", divide="ignore"):
        tpr = weights @ (positive & decided) / (weights @ positive)
        fpr = weights @ (~positive & decided) / (weights @ ~positive)
    return np.stack([weighted_auroc(truth, score, weights), tpr, fpr])
