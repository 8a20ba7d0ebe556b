"""Whether probabilities mean what they say: ECE, Brier score, and one temperature to mend them."""

from typing import Literal

import numpy as np
from jaxtyping import Float, Int, Integer

_LEAST, _MOST = 0.1, 10.0
_CLIP = 1e-7
"""Keeps the log loss of a float32 probability of 0 or 1 finite."""


def equal_mass(scores: Float[np.ndarray, " record"], *, bins: int) -> Int[np.ndarray, " record"]:
    """Give each score's bin, 0 to `bins` - 1, such that all bins hold about as many scores.

    By the midrank: equal scores share a bin, and the order of the records does not matter. Where many
    scores are equal, some bins hold more and others are empty.
    """
    ranked = np.sort(scores)
    midrank = (np.searchsorted(ranked, scores, "left") + np.searchsorted(ranked, scores, "right")) / 2
    return np.floor(midrank * bins / len(scores)).astype(np.int64)


def ece(
    truth: Integer[np.ndarray, "record class"],
    scores: Float[np.ndarray, "record class"],
    *,
    bins: int = 15,
) -> float:
    """Expected calibration error with bins of equal mass, averaged over the classes.

    Per class, sum over bins b of (n_b / n) * |mean score in b - share of positives in b|. A record's bin
    follows from the midrank of its score, so records of equal scores share a bin and the order of the
    records does not matter.

    Args:
        truth: 1 for a positive record, 0 for a negative one.
        scores: probabilities.
        bins: at most so many; fewer where scores are tied or records few.

    Returns:
        A number in [0, 1]. It is biased upwards when a bin holds few records: n / `bins` should be 10
        or more before two values are compared.

    Source:
        Nguyen and O'Connor 2015, arXiv:1508.05154 (adaptive bins). Departures: ties stay together.
    """
    n, n_classes = scores.shape
    errors = np.empty(n_classes)
    for k in range(n_classes):
        score = scores[:, k].astype(np.float64)
        gap = np.bincount(equal_mass(score, bins=bins), weights=score - truth[:, k])
        errors[k] = np.abs(gap).sum() / n
    return float(errors.mean())


def brier(truth: Integer[np.ndarray, "record class"], scores: Float[np.ndarray, "record class"]) -> float:
    """Brier score: mean over records and classes of (score - truth) squared, in [0, 1].

    Source:
        Brier 1950, Mon Weather Rev 78:1. Departures: averaged over classes where the original adds them
        up, so that tasks of different numbers of classes are on one scale.
    """
    return float(np.mean((scores.astype(np.float64) - truth) ** 2))


def temperature(
    truth: Integer[np.ndarray, "record class"],
    scores: Float[np.ndarray, "record class"],
    kind: Literal["multilabel", "multiclass", "binary"],
) -> float:
    """Temperature, one for all classes, that gives validation scores the least log loss.

    Args:
        truth: of the validation records.
        scores: their probabilities.
        kind: multiclass scores are a softmax over classes, all others one sigmoid per class.

    Returns:
        Dimensionless, 0.1 to 10; above 1 makes scores less sure. The bounds keep a handful of separable
        validation records from making every score 0 or 1. 1.0 where it is undefined: no records, no class
        with both positives and negatives, or scores that do not change with it.

    Source:
        Guo et al. 2017, arXiv:1706.04599, section 4.2. Departures: bounded; sigmoids for multilabel.
    """
    from scipy.optimize import minimize_scalar

    both = (truth.sum(axis=0) > 0) & (truth.sum(axis=0) < len(truth))
    if not both.any():
        return 1.0
    used = slice(None) if kind == "multiclass" else both
    wanted, given = truth[:, used], np.clip(scores[:, used].astype(np.float64), _CLIP, 1 - _CLIP)

    def loss(log_t: float) -> float:
        warmed = np.clip(apply_temperature(given, float(np.exp(log_t)), kind), _CLIP, 1 - _CLIP)
        if kind == "multiclass":
            return float(-np.mean(np.sum(wanted * np.log(warmed), axis=1)))
        return float(-np.mean(np.where(wanted == 1, np.log(warmed), np.log1p(-warmed))))

    found = minimize_scalar(loss, bounds=(np.log(_LEAST), np.log(_MOST)), method="bounded")
    return float(np.exp(found.x)) if found.fun < loss(0.0) - 1e-9 else 1.0


def apply_temperature(
    scores: Float[np.ndarray, "record class"],
    t: float,
    kind: Literal["multilabel", "multiclass", "binary"],
) -> Float[np.ndarray, "record class"]:
    """Divide the logits of probabilities by `t` and give probabilities again, as float64.

    Scores of 0 and 1 stay. The order within a class stays too, except between the records of a multiclass
    task, whose scores are shares of a sum: rank with the scores as they were, calibrate with these.

    Args:
        scores: probabilities.
        t: temperature; dimensionless, > 0.
        kind: as in `temperature`.

    Raises:
        ValueError: if `t` is not positive.
    """
    if not t > 0:
        raise ValueError(f"`t` must be > 0; got {t}")
    given = np.clip(scores.astype(np.float64), 0.0, 1.0)
    if t == 1.0:
        return given
    with np.errstate(divide="ignore"):
        if kind == "multiclass":
            logits = np.log(given) / t
            shares = np.exp(logits - logits.max(axis=1, keepdims=True))
            return np.asarray(shares / shares.sum(axis=1, keepdims=True))
        logits = (np.log(given) - np.log1p(-given)) / t
    from scipy.special import expit

    return np.asarray(expit(logits))
