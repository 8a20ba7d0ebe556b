"""Promises of intervals beside the plain score, over simulated studies of `benchmarks/coverage_parts.py`."""

import runpy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecglipse.statistics import interval, label_ratio

PARTS: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "coverage_parts.py"))
STUDIES = 150
"""Binomial standard error at 95 %: 1.8 points."""


def coverage(study: Any) -> dict[str, float]:
    found: dict[str, float] = PARTS["coverage"](study, studies=STUDIES, replicates=150)
    return found


def test_gaps_of_three_seeds_keep_their_promise_and_without_students_factor_do_not() -> None:
    wide, plain = (coverage(partial(PARTS["gaps"], seed_sd=0.08, widened=way)) for way in (True, False))
    for metric in ("AUROC", "TPR"):
        assert 0.92 <= wide[metric] <= 0.99, metric
        assert plain[metric] < wide[metric] - 0.03, metric


def test_ratios_of_three_seeds_keep_their_promise_and_without_students_factor_do_not() -> None:
    wide, plain = (coverage(partial(PARTS["ratios"], widened=way))["ratio"] for way in (True, False))
    assert wide >= 0.92
    assert plain < wide - 0.03


@pytest.mark.parametrize("shift", [-0.05, -0.02, 0.0, 0.02, 0.05])
def test_a_ratio_leaves_out_one_just_where_the_difference_leaves_out_zero(shift: float) -> None:
    rng = np.random.default_rng(31)
    fractions = np.array([0.01, 0.1, 1.0])
    curve = np.array([0.6, 0.7, 0.8])
    replicates = curve + rng.normal(0, 0.01, (400, 3))
    opponent = 0.7 - shift
    theirs = opponent + rng.normal(0, 0.01, 400)
    by_seed = [0.7 + np.array([-0.01, 0.0, 0.01]), np.array([0.7])]
    low, high = interval(
        replicates[:, 1] - theirs, estimate=shift, levels=[by_seed[0] - opponent, by_seed[1] - opponent]
    )
    found = label_ratio(
        fractions,
        curve,
        replicates,
        opponent=opponent,
        opponent_replicates=theirs,
        at=0.1,
        levels=[by_seed] * 3,
        opponent_levels=[np.full(3, opponent), np.array([opponent])],
    )
    assert (found.low <= 1 <= found.high) == (low <= 0 <= high)
    assert found.low <= found.estimate <= found.high
