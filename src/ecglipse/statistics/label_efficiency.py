"""How many labels a method needs for the score that another has: a ratio, with its bootstrap interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ecglipse.statistics.comparison import Levels, interval, paired_levels


@dataclass(frozen=True)
class LabelRatio:
    """Labels that a method needs over labels that its opponent has, at the opponent's score.

    Args:
        estimate: below 1, the method needs fewer. 0 where it is there with the fewest labels tried already,
            infinity where it is not there with all of them: the truth lies below `least` or above `most`.
        low: lower end of its interval, censored likewise.
        high: upper end of it.
        least: ratio that the fewest labels would be.
        most: ratio that all labels would be.
    """

    estimate: float
    low: float
    high: float
    least: float
    most: float


def labels_needed(
    fractions: Float[np.ndarray, " fraction"],
    curves: Float[np.ndarray, "curve fraction"],
    targets: Float[np.ndarray, " curve"],
) -> Float[np.ndarray, " curve"]:
    """Share of the labels at which each curve first reaches its target.

    Between two shares the curve is a straight line over the logarithm of the share. A curve that falls
    again later keeps what it reached first.

    Args:
        fractions: shares, ascending, above 0.
        curves: scores at them; higher is better.
        targets: scores to reach.

    Returns:
        0 where the first share reaches it, infinity where none does, NaN where a score is NaN.

    Raises:
        ValueError: if there are fewer than two shares, or they do not ascend.
    """
    if len(fractions) < 2 or np.any(np.diff(fractions) <= 0) or fractions[0] <= 0:
        raise ValueError(f"`fractions` must be two or more, ascending and > 0; got {fractions.tolist()}")
    reached = curves >= targets[:, None]
    first = np.argmax(reached, axis=1)
    needed = np.where(reached.any(axis=1), 0.0, np.inf)
    k = np.flatnonzero(reached.any(axis=1) & (first > 0))
    i = first[k]
    low, high = curves[k, i - 1], curves[k, i]
    way, logs = (targets[k] - low) / (high - low), np.log(fractions)
    needed[k] = np.exp((1 - way) * logs[i - 1] + way * logs[i])
    needed[np.isnan(curves).any(axis=1) | np.isnan(targets)] = np.nan
    return np.asarray(needed)


def label_ratio(
    fractions: Float[np.ndarray, " fraction"],
    curve: Float[np.ndarray, " fraction"],
    replicates: Float[np.ndarray, "replicate fraction"],
    *,
    opponent: float,
    opponent_replicates: Float[np.ndarray, " replicate"],
    at: float,
    level: float = 0.95,
    levels: Sequence[Levels] = (),
    opponent_levels: Levels = (),
) -> LabelRatio:
    """Labels that a method needs for its opponent's score with the share `at`, over `at`.

    With d_f the paired difference of the method at share f to the opponent at `at`, and (l_f, h_f) its
    interval, the estimate is where d first reaches 0, the lower end where h does, the upper end where l does.
    So few seeds widen it just as they widen differences, and it leaves out 1 where the difference at the
    share `at` leaves out 0. A percentile interval of the ratio would not know of them.

    Args:
        fractions: shares at which the method was read, ascending.
        curve: its scores there; higher is better.
        replicates: of these scores.
        opponent: the opponent's score at the share `at`.
        opponent_replicates: of it, on the same resampled records.
        at: the opponent's share of the labels.
        level: of the interval.
        levels: at each share, the method's scores by seed and by label draw; see
            `ecglipse.statistics.freedom`.
        opponent_levels: the opponent's.

    Returns:
        The interval is NaN where more than 5 % of the replicates at a share are.

    Source:
        Measures of this kind: Henaff et al. 2020, arXiv:1905.09272, figure 1. Departures: interpolated,
        censored where a curve ends, with an interval (by inversion, as Fieller 1954, J R Stat Soc B 16:175).
    """
    ends = np.empty((3, len(fractions)))
    for k, score in enumerate(curve):
        difference = float(score) - opponent
        low, high = interval(
            replicates[:, k] - opponent_replicates,
            level,
            estimate=difference,
            levels=paired_levels(levels[k], opponent_levels) if levels else (),
        )
        ends[:, k] = difference, high, low
    estimate, low, high = (labels_needed(fractions, ends, np.zeros(3)) / at).tolist()
    return LabelRatio(estimate, low, high, least=float(fractions[0] / at), most=float(fractions[-1] / at))
