"""How well one class's scores rank its records: area under the ROC curve and average precision."""

import numpy as np
from jaxtyping import Float, Integer


def auroc(truth: Integer[np.ndarray, " record"], score: Float[np.ndarray, " record"]) -> float | None:
    """Area under the ROC curve: the chance that a positive record scores above a negative one.

    The Mann-Whitney statistic, ties counting one half, counted in integers:

        sum over positives i of (#{j: s_j < s_i} + #{j: s_j <= s_i}) / (2 * positives * negatives)

    Args:
        truth: 1 for a positive record, 0 for a negative one.
        score: larger means more likely positive; infinite scores are allowed.

    Returns:
        A number in [0, 1]; None where there is no positive or no negative record.

    Raises:
        ValueError: if a score is not a number, or `truth` holds anything but 0 and 1.

    Source:
        Hanley and McNeil 1982, Radiology 143:29. Departures: none.
    """
    positive = _positive(truth, score)
    above, below = score[positive], np.sort(score[~positive])
    if above.size == 0 or below.size == 0:
        return None
    beaten = np.searchsorted(below, above, side="left").sum(dtype=np.int64)
    reached = np.searchsorted(below, above, side="right").sum(dtype=np.int64)
    return float((beaten + reached) / (2 * above.size * below.size))


def auprc(truth: Integer[np.ndarray, " record"], score: Float[np.ndarray, " record"]) -> float | None:
    """Area under the precision-recall curve, as average precision: no interpolation.

        sum over distinct scores t, from the top, of (recall(t) - recall(before t)) * precision(t)

    Args:
        truth: 1 for a positive record, 0 for a negative one.
        score: larger means more likely positive.

    Returns:
        A number in (0, 1]; chance level is the share of positives. None where there is no positive or
        no negative record (scikit-learn gives 0 and 1 there).

    Raises:
        ValueError: if a score is not a number, or `truth` holds anything but 0 and 1.

    Source:
        scikit-learn, `average_precision_score`. Departures: None where it is undefined.
    """
    positive = _positive(truth, score)
    total = int(positive.sum())
    if total in (0, positive.size):
        return None
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1)
    hits = np.cumsum(positive[order])[ends]
    return float(np.sum(np.diff(hits, prepend=0) / total * (hits / (ends + 1))))


def _positive(truth: Integer[np.ndarray, " record"], score: Float[np.ndarray, " record"]) -> np.ndarray:
    """Check both, and give the positive records as booleans."""
    if truth.shape != score.shape:
        raise ValueError(f"`truth` and `score` must be of one length; got {truth.size} and {score.size}")
    missing = int(np.isnan(score).sum())
    if missing:
        raise ValueError(f"`score` must hold numbers; {missing} of {score.size} are NaN")
    positive = truth == 1
    if not np.all(positive | (truth == 0)):
        raise ValueError(f"`truth` must be 0 or 1; got {truth[~positive & (truth != 0)][0]}")
    return np.asarray(positive)
