"""From replicates to statements: intervals, paired differences, and p-values of several tasks at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_MOST_UNDEFINED = 0.05


@dataclass(frozen=True)
class Difference:
    """One method minus another, on the same records, seeds and draws.

    Args:
        estimate: the difference itself, not the mean of its replicates.
        low: lower end of its percentile interval.
        high: upper end of it.
        p_value: two-sided; at least 2 / (replicates + 1).
        probability_of_superiority: share of replicates in which the first is better, equal ones by half.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    probability_of_superiority: float


def interval(replicates: Float[np.ndarray, " replicate"], level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrap replicates.

    Args:
        replicates: NaN ones (a class without positives was drawn) are left out.
        level: share of the replicates that lies inside.

    Returns:
        Low and high; NaN both where more than 5 % of the replicates are NaN, or there are none.

    Raises:
        ValueError: if `level` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"`level` must be between 0 and 1; got {level}")
    defined = without_undefined(replicates)
    if defined.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_difference(
    replicates_a: Float[np.ndarray, " replicate"],
    replicates_b: Float[np.ndarray, " replicate"],
    estimate_a: float,
    estimate_b: float,
    *,
    level: float = 0.95,
) -> Difference:
    """Difference a - b with its interval and p-value, from replicates made with one `Resampling`.

    The p-value inverts the percentile interval: with d the differences of B replicates,

        p = min(1, 2 * (min(#{d <= 0}, #{d >= 0}) + 1) / (B + 1))

    so that a method compared with itself has p = 1, and p < 0.05 goes with an interval that leaves out 0.

    Args:
        replicates_a: of the first method.
        replicates_b: of the second, on the same resampled records.
        estimate_a: the first method's estimate on the test set as it is.
        estimate_b: the second's.
        level: of the interval.

    Returns:
        Interval, p-value and probability are NaN where more than 5 % of the replicates are.

    Raises:
        ValueError: if the numbers of replicates differ.

    Source:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 13 and 15.4; the + 1 after
        Davison and Hinkley 1997, eq. 4.11. Departures: none.
    """
    if replicates_a.shape != replicates_b.shape:
        raise ValueError(
            f"replicates must be paired, of one number; got {replicates_a.size} and {replicates_b.size}"
        )
    differences = replicates_a - replicates_b
    estimate = estimate_a - estimate_b
    low, high = interval(differences, level)
    defined = without_undefined(differences)
    if defined.size == 0:
        return Difference(estimate, low, high, float("nan"), float("nan"))
    not_above, not_below = int(np.sum(defined <= 0)), int(np.sum(defined >= 0))
    p_value = min(1.0, 2 * (min(not_above, not_below) + 1) / (defined.size + 1))
    superiority = float(np.mean(defined > 0) + np.mean(defined == 0) / 2)
    return Difference(estimate, low, high, p_value, superiority)


def holm(p_values: Float[np.ndarray, " test"]) -> Float[np.ndarray, " test"]:
    """Adjust p-values of several tests by Holm's step-down rule; NaN stays NaN and counts as no test.

    With p sorted, p_(1) <= ... <= p_(m): the adjusted one is max over j <= i of min(1, (m - j + 1) * p_(j)).

    Raises:
        ValueError: if a p-value is not between 0 and 1.

    Source:
        Holm 1979, Scand J Statist 6:65. Departures: none.
    """
    adjusted = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    given = p_values[tested]
    if np.any((given < 0) | (given > 1)):
        raise ValueError(f"`p_values` must be between 0 and 1; got {given.min():.4g} to {given.max():.4g}")
    order = np.argsort(given, kind="stable")
    factors = np.arange(given.size, 0, -1)
    adjusted[tested[order]] = np.maximum.accumulate(np.minimum(1.0, factors * given[order]))
    return adjusted


def without_undefined(
    replicates: Float[np.ndarray, " replicate"],
) -> Float[np.ndarray, " defined"]:
    """Replicates that are numbers; none of them if too many are not."""
    missing = np.isnan(replicates)
    if np.count_nonzero(missing) > _MOST_UNDEFINED * replicates.size:
        return np.empty(0)
    return np.asarray(replicates[~missing])
