"""R2 of regression tasks: as it is, and in each replicate of the hierarchical bootstrap."""

import numpy as np
from jaxtyping import Float, Num

from ecglipse.statistics.resampling import Resampling


def explained_by_cell(
    scores: Float[np.ndarray, "seed draw record 1"], truth: Float[np.ndarray, "record 1"]
) -> Float[np.ndarray, "seed draw"]:
    """R2 of each seed and draw; NaN where all records have the same value."""
    errors = _errors(scores, truth)
    every = np.ones((1, len(truth)))
    return np.asarray(np.stack([[_explained(one, truth, every)[0] for one in row] for row in errors]))


def explained(scores: Float[np.ndarray, "seed draw record 1"], truth: Float[np.ndarray, "record 1"]) -> float:
    """Mean over seeds and draws of R2; NaN where all records have the same value."""
    return float(explained_by_cell(scores, truth).mean())


def bootstrap_explained(
    scores: Float[np.ndarray, "seed draw record 1"],
    truth: Float[np.ndarray, "record 1"],
    resampling: Resampling,
) -> Float[np.ndarray, " replicate"]:
    """R2 in each replicate over seeds, label draws and patients; see `bootstrap_macro_auroc`."""
    if resampling.weights.shape[1] != len(truth):
        raise ValueError(
            f"`truth` and the weights must fit; got {truth.shape} and {resampling.weights.shape}"
        )
    grid = explained_by_cell(scores, truth)
    of_seeds, of_draws = resampling.deviations(*grid.shape)
    moved = of_seeds @ grid.mean(axis=1) + of_draws @ grid.mean(axis=0)
    mean = _errors(scores, truth).mean(axis=(0, 1))
    return np.asarray(_explained(mean, truth, resampling.weights) + moved)


def _errors(
    scores: Float[np.ndarray, "seed draw record 1"], truth: Float[np.ndarray, "record 1"]
) -> Float[np.ndarray, "seed draw record"]:
    """Squared errors."""
    if scores.shape[2:] != truth.shape:
        raise ValueError(f"`scores` and `truth` must fit; got {scores.shape} and {truth.shape}")
    if not np.isfinite(scores).all():
        raise ValueError("`scores` must hold finite numbers")
    return np.asarray((scores[..., 0].astype(np.float64) - truth[:, 0].astype(np.float64)) ** 2)


def _explained(
    errors: Float[np.ndarray, " record"],
    truth: Float[np.ndarray, "record 1"],
    weights: Num[np.ndarray, "replicate record"],
) -> Float[np.ndarray, " replicate"]:
    """Weighted R2, 1 - W(error^2) / W((y - weighted mean)^2), by squared errors; linear in them."""
    w = weights.astype(np.float64)
    y = truth[:, 0].astype(np.float64)
    y = y - y.mean()
    total = w @ y**2 - (w @ y) ** 2 / w.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 1 - (w @ errors) / total
    found[~(total > 1e-12 * w.sum(axis=1))] = np.nan
    return np.asarray(found)
