"""Permutation test of two methods on the same patients: under the null, any score may be either's."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer
from scipy.stats import rankdata


class Permutation(NamedTuple):
    """Two methods' scores; NaN where undefined."""

    difference: float
    p: float
    """Two-sided; at least 1 / (permutations + 1)."""


def permutation_test(
    contributions: Float[np.ndarray, " record"],
    patients: Integer[np.ndarray, " record"],
    *,
    permutations: int,
    rng: np.random.Generator,
) -> Permutation:
    """Test a difference by exchanging two methods' scores patient by patient.

    Exchanging the scores of a set of patients changes the sign of their contributions to the difference and
    nothing else (see `contributions`): with e_p = +-1 for each patient,

        D(e) = sum over patients of e_p c_p,    p = (#{|D(e)| >= |D|} + 1) / (permutations + 1).

    It holds for the encoders and label draws that were compared: another seed is no part of it.

    Args:
        contributions: of each record; of several test sets one after another, divided by their number.
        patients: equal numbers for records of one patient.
        permutations: sign patterns that are drawn.
        rng: draws them.

    Source:
        Venkatraman and Begg 1996, Biometrika 83:835 (exchanged ranks). Departures: the statistic is the
        difference of the areas; a patient is exchanged with all records, in all classes, seeds and draws.
    """
    difference = float(contributions.sum())
    if not np.isfinite(difference):
        return Permutation(float("nan"), float("nan"))
    _, owner = np.unique(patients, return_inverse=True)
    by_patient = np.bincount(owner, weights=contributions)
    as_large, slack = 0, 1e-12 * float(np.abs(by_patient).sum())
    for start in range(0, permutations, 1000):
        signs = rng.integers(0, 2, size=(min(1000, permutations - start), by_patient.size)) * 2 - 1
        as_large += int(np.sum(np.abs(signs @ by_patient) >= abs(difference) - slack))
    return Permutation(difference, (as_large + 1) / (permutations + 1))


def contributions(
    scores_a: Float[np.ndarray, "#seed #draw record class"],
    scores_b: Float[np.ndarray, "#seed #draw record class"],
    truth: Integer[np.ndarray, "record class"],
    *,
    keep: Bool[np.ndarray, " class"],
) -> Float[np.ndarray, " record"]:
    """What each record gives to the difference of two methods' macro AUROC, a - b; they sum to it.

    Scores become midranks within their seed, draw and class, so that both methods speak of the same scale.
    With A and B the ranks, and [x > y] counting a tie one half, positive i gives

        1/2 sum over negatives j of [A_i > A_j] - [B_i > B_j] + [A_i > B_j] - [B_i > A_j]

    and negative j likewise 1/2 sum over positives i of [A_i > A_j] - [B_i > B_j] - [A_i > B_j] + [B_i > A_j],
    each over positives x negatives. Whoever is exchanged, the difference of the areas is the sum of the
    contributions with the signs of the exchanged turned: the crossed terms of one and the other cancel.

    Args:
        scores_a: of the first method.
        scores_b: of the second; either has as many seeds and draws as the other, or one.
        truth: 0 or 1.
        keep: classes in the macro average.

    Returns:
        NaN where no class is kept, or a kept class lacks positives or negatives.
    """
    a, b = np.broadcast_arrays(scores_a, scores_b)
    if a.shape[2:] != truth.shape:
        raise ValueError(f"`scores` and `truth` must fit; got {a.shape} and {truth.shape}")
    found = np.full(len(truth), 0.0 if keep.any() else np.nan)
    cells = a.shape[0] * a.shape[1] * max(int(keep.sum()), 1)
    for k in np.flatnonzero(keep):
        positive = truth[:, k] == 1
        pairs = int(positive.sum()) * int(np.sum(~positive))
        if not pairs:
            return np.full(len(truth), np.nan)
        for s, d in np.ndindex(*a.shape[:2]):
            ranks = rankdata(a[s, d, :, k]), rankdata(b[s, d, :, k])
            (up, low), (up_b, low_b) = ((r[positive], r[~positive]) for r in ranks)
            gained = _above(up, low) - _above(up_b, low_b) + _above(up, low_b) - _above(up_b, low)
            kept = _above(low_b, up_b) - _above(low, up) + _above(low_b, up) - _above(low, up_b)
            found[positive] += gained / (2 * pairs * cells)
            found[~positive] += kept / (2 * pairs * cells)
    return found


def contributions_explained(
    scores_a: Float[np.ndarray, "#seed #draw record 1"],
    scores_b: Float[np.ndarray, "#seed #draw record 1"],
    truth: Float[np.ndarray, "record 1"],
) -> Float[np.ndarray, " record"]:
    """What each record gives to the difference of two methods' R2, a - b: (e_b^2 - e_a^2) / SST, cells' mean.

    Who is exchanged turns the sign of it, and SST is of the truth alone. NaN where all records are alike.
    """
    a, b = (np.mean((one - truth) ** 2, axis=(0, 1))[:, 0] for one in np.broadcast_arrays(scores_a, scores_b))
    total = float(np.sum((truth - truth.mean()) ** 2))
    return np.asarray((b - a) / total if total > 0 else np.full(len(truth), np.nan))


def _above(
    ours: Float[np.ndarray, " record"], theirs: Float[np.ndarray, " other"]
) -> Float[np.ndarray, " record"]:
    """How many of `theirs` each of `ours` is above, ties by half."""
    there = np.sort(theirs)
    return np.asarray((np.searchsorted(there, ours, "left") + np.searchsorted(there, ours, "right")) / 2)
