"""DeLong's test for two AUROCs on the same records: one pair of scores, independent records, no bootstrap."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer


class DeLong(NamedTuple):
    """Two correlated AUROCs; NaN where undefined."""

    auc_a: float
    auc_b: float
    se_of_difference: float
    p: float
    """Two-sided, that both AUROCs are equal."""


def delong(
    truth: Integer[np.ndarray, " record"],
    score_a: Float[np.ndarray, " record"],
    score_b: Float[np.ndarray, " record"],
) -> DeLong:
    """Compare two AUROCs on the same records; it holds for one cell, where the bootstrap holds for a study.

    With V10 the share of negatives below each positive (ties one half) and V01 the share of positives
    above each negative, of a minus b:

        se^2 = var(V10) / positives + var(V01) / negatives,  z = (AUC_a - AUC_b) / se

    Args:
        truth: 1 for a positive record, 0 for a negative one; one record a patient.
        score_a: of the first method.
        score_b: of the second.

    Returns:
        All NaN without positives or negatives; `se_of_difference` and `p` NaN with fewer than two of
        either. Where the standard error is 0, p is 1 for equal AUROCs and NaN for others.

    Raises:
        ValueError: if a score is not a number, or the lengths differ.

    Source:
        DeLong et al. 1988, Biometrics 44:837; by midranks after Sun and Xu 2014, IEEE Signal Process Lett
        21:1389. Departures: none.
    """
    from scipy.special import ndtr

    if not truth.shape == score_a.shape == score_b.shape:
        raise ValueError(
            f"`truth` and the scores must be of one length;"
            f" got {truth.size}, {score_a.size} and {score_b.size}"
        )
    if np.isnan(score_a).any() or np.isnan(score_b).any():
        raise ValueError("scores must hold numbers; got NaN")
    positive = truth == 1
    n_positive, n_negative = int(positive.sum()), int(np.sum(~positive))
    nan = float("nan")
    if n_positive == 0 or n_negative == 0:
        return DeLong(nan, nan, nan, nan)
    v10_a, v01_a = _placements(score_a[positive], score_a[~positive])
    v10_b, v01_b = _placements(score_b[positive], score_b[~positive])
    auc_a, auc_b = float(v10_a.mean()), float(v10_b.mean())
    if n_positive < 2 or n_negative < 2:
        return DeLong(auc_a, auc_b, nan, nan)
    variance = np.var(v10_a - v10_b, ddof=1) / n_positive + np.var(v01_a - v01_b, ddof=1) / n_negative
    se = float(np.sqrt(variance))
    if se == 0:
        return DeLong(auc_a, auc_b, se, 1.0 if auc_a == auc_b else nan)
    return DeLong(auc_a, auc_b, se, float(2 * ndtr(-abs(auc_a - auc_b) / se)))


def _placements(
    above: Float[np.ndarray, " positive"], below: Float[np.ndarray, " negative"]
) -> tuple[Float[np.ndarray, " positive"], Float[np.ndarray, " negative"]]:
    """Share of negatives below each positive, and of positives above each negative; ties count one half."""
    ranked_below, ranked_above = np.sort(below), np.sort(above)
    under = np.searchsorted(ranked_below, above, "left") + np.searchsorted(ranked_below, above, "right")
    over = np.searchsorted(ranked_above, below, "left") + np.searchsorted(ranked_above, below, "right")
    return under / (2 * below.size), 1 - over / (2 * above.size)
