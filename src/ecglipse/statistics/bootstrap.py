"""AUROC of all bootstrap replicates at once, and the hierarchical bootstrap of a macro AUROC."""

import numpy as np
from jaxtyping import Bool, Float, Integer

from ecglipse.statistics.resampling import Resampling

_PAIRS = 60
"""Below so many pairs per cell and record, counting wins of pairs is faster than sorting each cell."""
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
    return _auroc(score, positive, *_sides(positive, _columns(weights)))


def macro_by_cell(
    scores: Float[np.ndarray, "seed draw record class"],
    truth: Integer[np.ndarray, "record class"],
    *,
    keep: Bool[np.ndarray, " class"],
) -> Float[np.ndarray, "seed draw"]:
    """Macro AUROC over the kept classes of each seed and draw; NaN if none is kept or one undefined."""
    _fits(scores, truth)
    total = np.zeros(scores.shape[:2])
    for k in np.flatnonzero(keep):
        positive = truth[:, k] == 1
        _numbers(scores[..., k])
        pairs = np.count_nonzero(positive) * np.count_nonzero(~positive)
        wins = np.array([_wins(one, positive) for one in scores[..., k].reshape(-1, len(truth))])
        total += wins.reshape(total.shape) / pairs if pairs else np.nan
    return np.asarray(total / np.count_nonzero(keep)) if keep.any() else np.full(scores.shape[:2], np.nan)


def _wins(score: Float[np.ndarray, " record"], positive: Bool[np.ndarray, " record"]) -> float:
    """Pairs of a positive and a negative in which the positive has the larger score; ties count one half."""
    ranked, above = np.sort(score[~positive]), score[positive]
    beaten, reached = (np.searchsorted(ranked, above, side=side).sum() for side in ("left", "right"))
    return float(beaten + reached) / 2


def macro_auroc(
    scores: Float[np.ndarray, "seed draw record class"],
    truth: Integer[np.ndarray, "record class"],
    *,
    keep: Bool[np.ndarray, " class"],
) -> float:
    """Mean over seeds, draws and kept classes of the AUROC; NaN if none is kept or one undefined."""
    return float(macro_by_cell(scores, truth, keep=keep).mean())


def bootstrap_macro_auroc(
    scores: Float[np.ndarray, "seed draw record class"],
    truth: Integer[np.ndarray, "record class"],
    resampling: Resampling,
    *,
    keep: Bool[np.ndarray, " class"],
    by_cell: Float[np.ndarray, "seed draw"] | None = None,
) -> Float[np.ndarray, " replicate"]:
    """Macro AUROC in each replicate of a hierarchical bootstrap over seeds, label draws and patients.

    With A(w) the mean macro AUROC of all seeds and draws under the patients' weights w, A_s and A_d those of
    a seed and of a draw on the test set as it is, and the deviations of `Resampling`,

        A(w) + sum over s of deviation_s A_s + sum over d of deviation_d A_d.

    All methods that are compared must be given the same `resampling`: equal numbers of seeds and draws then
    deviate alike.

    Args:
        scores: of one method on one test set.
        truth: 0 or 1, the same for all seeds and draws.
        resampling: from `resample`, made once for the test set.
        keep: classes in the macro average.
        by_cell: what `macro_by_cell` gives, where it is there already.

    Returns:
        NaN where no class is kept, or where the resampled patients leave a kept class without positives
        or negatives.

    Raises:
        ValueError: if a score is not a number, or the shapes do not fit.
    """
    _fits(scores, truth, resampling.weights)
    grid = macro_by_cell(scores, truth, keep=keep) if by_cell is None else by_cell
    of_seeds, of_draws = resampling.deviations(*grid.shape)
    moved = of_seeds @ grid.mean(axis=1) + of_draws @ grid.mean(axis=0)
    return np.asarray(over_patients(scores, truth, resampling.weights, keep=keep) + moved)


def over_patients(
    scores: Float[np.ndarray, "seed draw record class"],
    truth: Integer[np.ndarray, "record class"],
    weights: Integer[np.ndarray, "replicate record"],
    *,
    keep: Bool[np.ndarray, " class"],
) -> Float[np.ndarray, " replicate"]:
    """Mean over seeds, draws and kept classes of the AUROC under each row of weights; NaN if undefined."""
    _fits(scores, truth, weights)
    if not keep.any():
        return np.full(len(weights), np.nan)
    total = np.zeros(len(weights))
    cells, columns = scores.reshape(-1, *truth.shape), _columns(weights)
    for k in np.flatnonzero(keep):
        positive = truth[:, k] == 1
        above, below = np.count_nonzero(positive), np.count_nonzero(~positive)
        exact = 2 * above * len(cells) < 1 << 24  # in float32
        if exact and above * below <= _PAIRS * len(cells) * len(truth):
            total += _by_pairs(cells[..., k], positive, columns)
        else:
            sides = _sides(positive, columns)
            total += np.mean([_auroc(one, positive, *sides) for one in cells[..., k]], axis=0)
    return np.asarray(total / np.count_nonzero(keep))


def _by_pairs(
    cells: Float[np.ndarray, "cell record"],
    positive: Bool[np.ndarray, " record"],
    columns: Float[np.ndarray, "record draws"],
) -> Float[np.ndarray, " draws"]:
    """Mean AUROC over cells under each row of weights: wins of each pair counted once for all cells.

    Counts are whole, and float32 products of them exact below 2^24.
    """
    _numbers(cells)
    wins = np.zeros((np.count_nonzero(positive), np.count_nonzero(~positive)), dtype=np.int32)
    for one in cells:
        above, below = one[positive, None], one[None, ~positive]
        wins += above > below
        wins += above >= below
    ours, theirs = _sides(positive, columns)
    pairs = ours.sum(axis=0) * theirs.sum(axis=0)
    won = wins.T.astype(np.float32) @ ours.astype(np.float32)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.einsum("nd,nd->d", won, theirs) / (2 * len(cells) * pairs))


def _fits(
    scores: Float[np.ndarray, "seed draw record class"],
    truth: Integer[np.ndarray, "record class"],
    weights: Integer[np.ndarray, "replicate record"] | None = None,
) -> None:
    """See that arrays are of the same records and classes."""
    if scores.shape[2:] != truth.shape or (weights is not None and weights.shape[1] != len(truth)):
        found = [str(one.shape) for one in (scores, truth, weights) if one is not None]
        raise ValueError(f"`scores`, `truth` and the weights must fit; got {', '.join(found)}")


def _numbers(score: Float[np.ndarray, "..."]) -> None:
    """See that scores are numbers."""
    if np.isnan(score).any():
        raise ValueError(f"`score` must hold numbers; {int(np.isnan(score).sum())} of {score.size} are NaN")


def _columns(weights: Integer[np.ndarray, "draws record"]) -> Float[np.ndarray, "record draws"]:
    """Weights record by record, so that rows are read as they lie."""
    return np.ascontiguousarray(weights.T, dtype=np.float64)


def _sides(
    positive: Bool[np.ndarray, " record"], columns: Float[np.ndarray, "record draws"]
) -> tuple[Float[np.ndarray, "positives draws"], Float[np.ndarray, "negatives draws"]]:
    """Weights of positives and of negatives."""
    return columns[positive], columns[~positive]


def _auroc(
    score: Float[np.ndarray, " record"],
    positive: Bool[np.ndarray, " record"],
    of_positives: Float[np.ndarray, "positives draws"],
    of_negatives: Float[np.ndarray, "negatives draws"],
) -> Float[np.ndarray, " draws"]:
    """The equation of `weighted_auroc`, in blocks of draws."""
    _numbers(score)
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
