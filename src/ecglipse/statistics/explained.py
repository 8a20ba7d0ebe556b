"""R2 of regression tasks: as it is, and in each replicate of the hierarchical bootstrap."""

import numpy as np
from jaxtyping import Float, Num

from ecglipse.statistics.resampling import Resampling


def explained(scores: Float[np.ndarray, "seed draw record 1"], truth: Float[np.ndarray, "record 1"]) -> float:
    """Mean over seeds and draws of R2; NaN where all records have the same value."""
    n_seeds, n_draws = scores.shape[:2]
    shares = np.full((1, n_seeds, n_draws), 1 / (n_seeds * n_draws))
    return float(_explained(scores, truth, np.ones((1, len(truth))), shares)[0])


def bootstrap_explained(
    scores: Float[np.ndarray, "seed draw record 1"],
    truth: Float[np.ndarray, "record 1"],
    resampling: Resampling,
) -> Float[np.ndarray, " replicate"]:
    """R2 in each replicate over seeds, label draws and patients; see `bootstrap_macro_auroc`."""
    shares = resampling.shares(*scores.shape[:2])
    return _explained(scores, truth, resampling.weights, shares)


def _explained(
    scores: Float[np.ndarray, "seed draw record 1"],
    truth: Float[np.ndarray, "record 1"],
    weights: Num[np.ndarray, "replicate record"],
    shares: Float[np.ndarray, "replicate seed draw"],
) -> Float[np.ndarray, " replicate"]:
    """Weighted R2, 1 - W(error^2) / W((y - weighted mean)^2), averaged by the shares."""
    if scores.shape[2:] != truth.shape or weights.shape[1] != len(truth):
        raise ValueError(
            f"`scores`, `truth` and the weights must fit;"
            f" got {scores.shape}, {truth.shape} and {weights.shape}"
        )
    if not np.isfinite(scores).all():
        raise ValueError("`scores` must hold finite numbers")
    w = weights.astype(np.float64)
    y = truth[:, 0].astype(np.float64)
    y = y - y.mean()
    total = w @ y**2 - (w @ y) ** 2 / w.sum(axis=1)
    errors = (scores[..., 0].astype(np.float64) - truth[:, 0].astype(np.float64)) ** 2
    lost = np.einsum("wn,sdn->wsd", w, errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 1 - lost / total[:, None, None]
    found[~(total > 1e-12 * w.sum(axis=1))] = np.nan
    return np.asarray(np.sum(shares * found, axis=(1, 2)))
