"""Weights of the CinC Challenge score, as data: what one scored class earns where another is true. Pure."""

import numpy as np
from jaxtyping import Float

from ecglipse.corpora.label_sets import LABEL_SETS

_PLACE = {
    "NSR": -0.05,
    "IAVB": 0.0,
    "Brady": 0.0,
    "IRBBB": 0.0,
    "LPR": 0.0,
    "SA": 0.0,
    "SB": 0.0,
    "PAC": 0.0375,
    "LAnFB": 0.05,
    "LAD": 0.05,
    "NSIVCB": 0.05,
    "RAD": 0.05,
    "PR": 0.075,
    "PVC": 0.075,
    "STach": 0.075,
    "RBBB": 0.1,
    "CRBBB": 0.1,
    "LQRSV": 0.125,
    "PRWP": 0.125,
    "LQT": 0.15,
    "LBBB": 0.175,
    "CLBBB": 0.175,
    "BBB": 0.175,
    "AF": 0.2,
    "AFL": 0.2,
    "TAb": 0.2,
    "TInv": 0.2,
    "QAb": 0.3,
}
"""Where each class lies on the line on which the published weights turn out to be distances."""
_APART = (frozenset({"BBB", "LBBB"}), frozenset({"LQRSV", "PRWP"}))
"""Pairs of 2021 that share a place and yet have 0.475."""


def challenge_weights(
    task: str, classes: tuple[str, ...]
) -> tuple[Float[np.ndarray, "class class"], int] | str | None:
    """Give the weights (true class, given class) and the index of the normal class.

    Args:
        task: name of the task.
        classes: of the task, as they are in the store.

    Returns:
        None for a task that is not "cinc2020-scored" or "cinc2021-scored"; a reason where classes are
        missing, as the score of some of the classes is not the Challenge's.

    Source:
        `weights.csv` of github.com/physionetchallenges/evaluation-2021 at e024f4e (24 classes) and, for the
        26 of 2021, as kept in github.com/DeepPSP/torch_ecg at 85559f8. All their numbers are
        0.5 - |place - place| beside a diagonal of 1, but for the pairs of `_APART`.
    """
    if task not in ("cinc2020-scored", "cinc2021-scored"):
        return None
    wanted = LABEL_SETS[task]
    missing = [name for name in wanted if name not in classes]
    if missing:
        return (
            f"{len(missing)} of the {len(wanted)} scored classes are not in the store: {', '.join(missing)}"
        )
    place = np.array([_PLACE[name] for name in classes])
    weights = 0.5 - np.abs(place[:, None] - place[None])
    for i, a in enumerate(classes):
        for j, b in enumerate(classes):
            weights[i, j] -= 0.025 * (frozenset({a, b}) in _APART)
    np.fill_diagonal(weights, 1.0)
    return weights, classes.index("NSR")
