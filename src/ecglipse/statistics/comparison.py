"""From replicates to statements: intervals, paired differences, and p-values of several tasks at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

Levels: TypeAlias = Sequence[Float[np.ndarray, " _"]]
_LEVELS = np.array([0.001, 0.01, 0.05, 0.1])
"""Alphas at which a p-value and an interval must agree to the digit."""
_MANY = 1e6
"""Degrees of freedom that are as good as infinite."""
_MOST_UNDEFINED = 0.05


@dataclass(frozen=True)
class Difference:
    """One method minus another, on the same records, seeds and draws.

    Args:
        estimate: the difference itself, not the mean of its replicates.
        low: lower end of its interval.
        high: upper end of it.
        p_value: two-sided; at least 2 / (replicates + 1).
        probability_of_superiority: share of replicates in which the first is better, equal ones by half.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    probability_of_superiority: float


def freedom(replicates: Float[np.ndarray, " replicate"], levels: Levels = ()) -> float:
    """Degrees of freedom of a bootstrap's variance, of which a few seeds and label draws give a part.

    With V the variance of the replicates and v_l = s^2_l / n_l what level l (seeds, label draws) gives to it,

        1 / freedom = sum over l of (v_l / V) / (n_l - 1);

    patients are so many that they count as infinitely many.

    Args:
        replicates: without NaN.
        levels: for each level, the estimate by its members, averaged over all else.

    Returns:
        1 at least; infinity where no level gives anything.

    Source:
        Satterthwaite 1946, Biometrics Bulletin 2:110. Departures: the shares v_l / V weigh as they are, not
        squared, since they are estimates themselves: three seeds that look alike by chance would else be
        trusted twice (92.5 % instead of 95.5 % where seeds are most of the variance).
    """
    parts = [(np.var(one, ddof=1) / one.size, one.size - 1) for one in levels if one.size > 1]
    spent = float(sum(part / n for part, n in parts))
    found = float(np.var(replicates)) / spent if spent > 0 else float("inf")
    return max(1.0, found) if found < _MANY else float("inf")


def interval(
    replicates: Float[np.ndarray, " replicate"],
    level: float = 0.95,
    *,
    estimate: float | None = None,
    levels: Levels = (),
) -> tuple[float, float]:
    """Percentile interval of bootstrap replicates, widened where few seeds or label draws spread.

    With t and z the quantiles of Student's distribution of `freedom` and of the normal one, the ends lie
    t / z times as far from the estimate as the percentiles do.

    Args:
        replicates: NaN ones (a class without positives was drawn) are left out.
        level: share of the replicates that lies inside, before it is widened.
        estimate: what the ends are widened about; by default the median of the replicates.
        levels: see `freedom`; none: the percentiles themselves.

    Returns:
        Low and high; NaN both where more than 5 % of the replicates are NaN, or there are none.

    Raises:
        ValueError: if `level` is not between 0 and 1.

    Source:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13. Departures: widened as their
        chapter 12.2 widens the normal interval to Student's; chosen by simulation, benchmarks/coverage.py.
    """
    if not 0 < level < 1:
        raise ValueError(f"`level` must be between 0 and 1; got {level}")
    defined = without_undefined(replicates)
    if defined.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    nu = freedom(defined, levels)
    if np.isfinite(nu):
        centre = float(np.median(defined)) if estimate is None else estimate
        wider = float(_wider(np.array([1 - level]), nu)[0])
        low, high = centre + wider * (low - centre), centre + wider * (high - centre)
    return float(low), float(high)


def paired_difference(
    replicates_a: Float[np.ndarray, " replicate"],
    replicates_b: Float[np.ndarray, " replicate"],
    estimate_a: float,
    estimate_b: float,
    *,
    level: float = 0.95,
    levels_a: Levels = (),
    levels_b: Levels = (),
) -> Difference:
    """Difference a - b with its interval and p-value, from replicates made with one `Resampling`.

    The p-value inverts the interval: it is the smallest alpha whose 1 - alpha interval leaves out 0. Where
    no level spreads, with d the differences of B replicates,

        p = min(1, 2 * (min(#{d <= 0}, #{d >= 0}) + 1) / (B + 1))

    so that a method compared with itself has p = 1, and p < 0.05 goes with an interval that leaves out 0.

    Args:
        replicates_a: of the first method.
        replicates_b: of the second, on the same resampled records.
        estimate_a: the first method's estimate on the test set as it is.
        estimate_b: the second's.
        level: of the interval.
        levels_a: the first method's estimates by seed and by label draw; see `freedom`.
        levels_b: the second's; where both have as many, they are paired.

    Returns:
        Interval, p-value and probability are NaN where more than 5 % of the replicates are.

    Raises:
        ValueError: if the numbers of replicates differ.

    Source:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 13 and 15.4; the + 1 after
        Davison and Hinkley 1997, eq. 4.11. Departures: the interval is widened; see `interval`.
    """
    if replicates_a.shape != replicates_b.shape:
        raise ValueError(
            f"replicates must be paired, of one number; got {replicates_a.size} and {replicates_b.size}"
        )
    differences = replicates_a - replicates_b
    estimate = estimate_a - estimate_b
    levels = paired_levels(levels_a, levels_b)
    low, high = interval(differences, level, estimate=estimate, levels=levels)
    defined = without_undefined(differences)
    if defined.size == 0:
        return Difference(estimate, low, high, float("nan"), float("nan"))
    superiority = float(np.mean(defined > 0) + np.mean(defined == 0) / 2)
    return Difference(estimate, low, high, _p_value(defined, estimate, freedom(defined, levels)), superiority)


def paired_levels(levels_a: Levels, levels_b: Levels) -> list[Float[np.ndarray, " _"]]:
    """Levels of a difference: members that both have are paired; others give to it each on its own."""
    return [
        one
        for a, b in zip(levels_a, levels_b, strict=True)
        for one in ((a - b,) if a.size == b.size else (a, b))
    ]


def _p_value(differences: Float[np.ndarray, " replicate"], estimate: float, nu: float) -> float:
    """The smallest alpha whose interval leaves out 0; see `paired_difference`."""
    d = np.sort(differences)
    if np.isinf(nu):
        return float(_outside(d, np.zeros(1))[0])
    alphas = np.union1d(np.geomspace(2 / (d.size + 1), 0.999, 600), _LEVELS)
    # 0 is an end of the interval where the percentile is estimate * (1 - 1 / wider).
    left_out = _outside(d, estimate * (1 - 1 / _wider(alphas, nu))) <= alphas
    return float(alphas[np.argmax(left_out)]) if left_out.any() else 1.0


def _outside(
    ordered: Float[np.ndarray, " replicate"], bound: Float[np.ndarray, " alpha"]
) -> Float[np.ndarray, " alpha"]:
    """Two-sided p-value of a bound, from the differences in order."""
    not_above = np.searchsorted(ordered, bound, side="right")
    below, n = np.searchsorted(ordered, bound, side="left"), ordered.size
    return np.asarray(np.minimum(1.0, 2 * (np.minimum(not_above, n - below) + 1) / (n + 1)))


def _wider(alphas: Float[np.ndarray, " alpha"], nu: float) -> Float[np.ndarray, " alpha"]:
    """Student's quantile over the normal one, at both tails of alpha."""
    from scipy.special import ndtri, stdtrit

    return np.asarray(stdtrit(nu, 1 - alphas / 2) / ndtri(1 - alphas / 2))


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
