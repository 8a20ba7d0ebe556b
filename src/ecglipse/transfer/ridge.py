"""Ridge regression of a number, such as age, on frozen features. No torch here."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


def ridge_path(
    train_x: Float[np.ndarray, "train dim"],
    train_y: Float[np.ndarray, "train one"],
    others: Sequence[Float[np.ndarray, "_record dim"]],
    *,
    penalties: Sequence[float] = PENALTIES,
) -> list[list[Float[np.ndarray, "_record 1"]]]:
    """Fit one ridge regression a penalty, by one singular value decomposition, and predict.

    Minimises mean (y - mean y - x w)^2 + penalty * |w|^2, so that a penalty means the same whatever the
    number of records; no penalty on the mean.

    Args:
        train_x: features, standardised.
        train_y: numbers.
        others: features to predict from, standardised likewise.
        penalties: above 0.

    Returns:
        For each penalty the predictions for each of `others`.
    """
    n, middle = len(train_y), float(train_y.mean())
    u, s, vt = np.linalg.svd(train_x - train_x.mean(axis=0), full_matrices=False)
    target = u.T @ (train_y[:, 0].astype(np.float64) - middle)
    found = []
    for penalty in penalties:
        weights = vt.T @ (s / (s**2 + n * penalty) * target)
        offset = middle - float(train_x.mean(axis=0) @ weights)
        found.append([(x @ weights + offset)[:, None] for x in others])
    return found
