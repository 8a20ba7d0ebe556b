"""Metrics of whole sets of labels, record by record: Fmax, and the score of the CinC Challenges."""

import numpy as np
from jaxtyping import Bool, Float, Integer

_STEPS = 100


def fmax(
    truth: Integer[np.ndarray, "record class"], scores: Float[np.ndarray, "record class"]
) -> float | None:
    """Largest F of record-wise precision and recall over one threshold for all classes.

    At a threshold t of 0, 0.01, ..., 1, with a record's classes of score >= t as given: precision is the mean
    over records that are given any class of the share that is right; recall the mean over records that have
    any class of the share that is given; F = 2 P R / (P + R). The threshold is chosen on the test set itself,
    as the measure is defined: it tells what could be reached, not what a rule would.

    Args:
        truth: 0 or 1.
        scores: probabilities.

    Returns:
        A number in [0, 1]; None where no record has a class.

    Source:
        Radivojac et al. 2013, Nat Methods 10:221 (CAFA); in ECGs Strodthoff et al. 2021, arXiv:2004.13701.
        Departures: records without any class are left out of the recall.
    """
    true = truth == 1
    held = true.sum(axis=1)
    if not held.any():
        return None
    best = 0.0
    for step in range(_STEPS + 1):
        given = scores >= step / _STEPS
        n_given = given.sum(axis=1)
        if not n_given.any():
            continue
        hits = (given & true).sum(axis=1)
        precision = float(np.mean(hits[n_given > 0] / n_given[n_given > 0]))
        recall = float(np.mean(hits[held > 0] / held[held > 0]))
        if precision + recall > 0:
            best = max(best, 2 * precision * recall / (precision + recall))
    return best


def challenge_score(
    truth: Bool[np.ndarray, "record class"],
    decided: Bool[np.ndarray, "record class"],
    weights: Float[np.ndarray, "class class"],
    *,
    normal: int,
) -> float | None:
    """Score of the PhysioNet/CinC Challenges 2020 and 2021: partial credit for kindred classes.

    With A_jk the sum, over records that have class j and are given class k, of 1 / |classes held or given|,
    S = sum W_jk A_jk, scaled so that giving every record just its classes is 1 and giving every record the
    normal class is 0; it may be negative.

    Args:
        truth: classes held.
        decided: classes given.
        weights: W; rows are true classes.
        normal: index of the normal class.

    Returns:
        None where the two scores that scale it are equal (the Challenge gives 0 there).

    Source:
        Alday et al. 2020, Physiol Meas 41:124003, section 2.4. Departures: None where undefined.
    """
    inactive = np.zeros_like(decided)
    inactive[:, normal] = True
    observed, correct, idle = (_credit(truth, given, weights) for given in (decided, truth, inactive))
    return None if correct == idle else (observed - idle) / (correct - idle)


def _credit(truth: np.ndarray, given: np.ndarray, weights: np.ndarray) -> float:
    held = np.maximum((truth | given).sum(axis=1), 1)
    credits_ = (truth / held[:, None]).T @ given.astype(np.float64)
    return float(np.sum(weights * credits_))
