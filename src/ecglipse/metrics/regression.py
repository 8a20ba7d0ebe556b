"""How far predicted numbers are from the true ones: `evaluate_numbers`, for tasks such as age."""

import numpy as np
from jaxtyping import Float

from ecglipse.metrics.evaluation import Evaluation


def evaluate_numbers(
    truth: Float[np.ndarray, "record one"], predicted: Float[np.ndarray, "record one"]
) -> Evaluation:
    """Compute the metrics of one test set of a regression task.

    - `r2`: 1 - sum (y - p)^2 / sum (y - mean y)^2, higher is better, 0 for the test set's own mean; negative
      for what is worse than that;
    - `mae`: mean |y - p|, `rmse`: root of mean (y - p)^2, in the unit of the truth, lower is better;
    - `bias`: mean p - y; `slope`: of p over y by least squares; below 1, the old are made younger and the
      young older, as every cautious regression does.

    Args:
        truth: numbers, such as years.
        predicted: in the same unit.

    Raises:
        ValueError: if there is no record, the shapes do not fit, or a number is none.
    """
    if truth.shape != predicted.shape or truth.shape[1:] != (1,):
        raise ValueError(
            f"`truth` and `predicted` must be one column each; got {truth.shape} and {predicted.shape}"
        )
    if len(truth) == 0:
        raise ValueError("`truth` must hold at least one record; got none")
    if not (np.isfinite(truth).all() and np.isfinite(predicted).all()):
        raise ValueError("`truth` and `predicted` must hold finite numbers")
    y, p = truth[:, 0].astype(np.float64), predicted[:, 0].astype(np.float64)
    error, around = p - y, y - y.mean()
    total = float(np.sum(around**2))
    metrics: dict[str, float | None] = {
        "r2": None,
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "bias": float(error.mean()),
        "slope": None,
    }
    undefined = {}
    if np.ptp(y) > 0:
        metrics |= {"r2": 1 - float(np.sum(error**2)) / total, "slope": float(around @ p) / total}
    else:
        undefined = dict.fromkeys(("r2", "slope"), "all test records have the same value")
    return Evaluation(metrics=metrics, per_class={}, undefined=undefined)
