"""AUROC of all bootstrap replicates at once, and the hierarchical bootstrap of a macro AUROC."""

import numpy as np
from jaxtyping import Bool, Float, Integer

from ecglipse.statistics.resampling import Resampling

_BLOCK = 1 << 17
"""Numbers worked on at once (1 MiB of float64): a block stays in the processor's cache."""


def weighted_auroc(
    truth: Integer[np.ndarray, " record"],
    score: Float[np.ndarray, " record"],
    weights: Integer[np.ndarray, "draws record"],
) -> Float[np.ndarray, " draws"]:
    """AUROC under each row of whole-number weights, as if each record stood there so many times.

        sum over positives i of w_i * (W(s < s_i) + W(s <= s_i)) / (2 * W(positives) * W(negatives))

    with W(...) the weight of the negatives for which (...) holds; ties count one half. Records are sorted
    once; the counts are whole, so a row of ones gives `metrics.auroc` exactly.

    Args:
        truth: 1 for a positive record, 0 for a negative one.
        score: larger means more likely positive.
        weights: 0 or more.

    Returns:
        NaN where no positive or no negative has weight.

    Raises:
        ValueError: if a score is not a number.
    """
    positive = truth == 1
    return _auroc(score, positive, *_sides(positive, weights))


def macro_auroc(
    scores: Float[np.ndarray, "seed draw record class"],
    truth: Integer[np.ndarray, "record class"],
    *,
    keep: Bool[np.ndarray, " class"],
) -> float:
    """Mean over seeds, draws and kept classes of the AUROC; NaN if none is kept or one undefined."""
    n_seeds, n_draws = scores.shape[:2]
    shares = np.full((1, n_seeds, n_draws), 1 / (n_seeds * n_draws))
    return float(_macro(scores, truth, np.ones((1, len(truth)), dtype=np.int32), shares, keep)[0])


def bootstrap_macro_auroc(
    scores: Float[np.ndarray, "seed draw record class"],
    truth: Integer[np.ndarray, "record class"],
    resampling: Resampling,
    *,
    keep: Bool[np.ndarray, " class"],
) -> Float[np.ndarray, " replicate"]:
    """Macro AUROC in each replicate of a hierarchical bootstrap over seeds, label draws and patients.

    A replicate resamples seeds and draws (`Resampling.shares`) and patients (`Resampling.weights`), and
    averages the AUROC over the kept classes and over what was chosen. All methods that are compared must
    be given the same `resampling`: equal numbers of seeds and draws are then resampled alike.

    Args:
        scores: of one method on one test set.
        truth: 0 or 1, the same for all seeds and draws.
        resampling: from `resample`, made once for the test set.
        keep: classes in the macro average.

    Returns:
        NaN where no class is kept, or where the resampled patients leave a kept class without positives
        or negatives.

    Raises:
        ValueError: if a score is not a number, or the shapes do not fit.
    """
    shares = resampling.shares(*scores.shape[:2])
    return _macro(scores, truth, resampling.weights, shares, keep)


def _macro(
    scores: Float[np.ndarray, "seed draw record class"],
    truth: Integer[np.ndarray, "record class"],
    weights: Integer[np.ndarray, "replicate record"],
    shares: Float[np.ndarray, "replicate seed draw"],
    keep: Bool[np.ndarray, " class"],
) -> Float[np.ndarray, " replicate"]:
    """Average the weighted AUROC over kept classes and, by their shares, over seeds and draws."""
    if scores.shape[2:] != truth.shape or weights.shape[1] != len(truth):
        raise ValueError(
            f"`scores`, `truth` and the weights must fit;"
            f" got {scores.shape}, {truth.shape} and {weights.shape}"
        )
    if not keep.any():
        return np.full(len(weights), np.nan)
    total = np.zeros(len(weights))
    for k in np.flatnonzero(keep):
        positive = truth[:, k] == 1
        sides = _sides(positive, weights)
        for s, d in np.ndindex(*scores.shape[:2]):
            total += shares[:, s, d] * _auroc(scores[s, d, :, k], positive, *sides)
    return np.asarray(total / np.count_nonzero(keep))


def _sides(
    positive: Bool[np.ndarray, " record"], weights: Integer[np.ndarray, "draws record"]
) -> tuple[Float[np.ndarray, "positives draws"], Float[np.ndarray, "negatives draws"]]:
    """Weights of positives and of negatives, record by record, so that rows are read as they lie."""
    columns = np.ascontiguousarray(weights.T, dtype=np.float64)
    return columns[positive], columns[~positive]


def _auroc(
    score: Float[np.ndarray, " record"],
    positive: Bool[np.ndarray, " record"],
    of_positives: Float[np.ndarray, "positives draws"],
    of_negatives: Float[np.ndarray, "negatives draws"],
) -> Float[np.ndarray, " draws"]:
    """The equation of `weighted_auroc`, in blocks of draws."""
    if np.isnan(score).any():
        raise ValueError(f"`score` must hold numbers; {int(np.isnan(score).sum())} of {score.size} are NaN")
    order = np.argsort(score[~positive], kind="stable")
    ranked, above = score[~positive][order], score[positive]
    beaten = np.searchsorted(ranked, above, side="left")
    reached = np.searchsorted(ranked, above, side="right")
    tied = bool(np.any(beaten != reached))
    n_draws = of_positives.shape[1]
    area = np.empty(n_draws)
    width = max(1, _BLOCK // max(1, score.size))
    for start in range(0, n_draws, width):
        block = slice(start, start + width)
        ours, theirs = of_positives[:, block], of_negatives[order, block]
        below = np.zeros((len(theirs) + 1, theirs.shape[1]))
        np.cumsum(theirs, axis=0, out=below[1:])
        wins = below[beaten] + below[reached] if tied else 2 * below[beaten]
        with np.errstate(invalid="ignore"):
            area[block] = np.einsum("pd,pd->d", ours, wins) / (2 * ours.sum(axis=0) * below[-1])
    return area
