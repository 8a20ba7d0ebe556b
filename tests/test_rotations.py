"""Several test sets of one task: who is tested twice is one person, and intervals know it."""

from collections.abc import Callable

import numpy as np
import pytest

from ecglipse.statistics import (
    Resampling,
    bootstrap_macro_auroc,
    interval,
    macro_auroc,
    people,
    resample_patients,
    resample_rotations,
    sharing,
)

ONE = np.ones(1, dtype=bool)


def rngs(seed: int, n: int) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, k]) for k in range(n)]


def test_who_shares_a_record_is_one_person_in_all_sets() -> None:
    """Codes of patients mean nothing between sets; a chain of shared records makes one person of all."""
    rows = [np.array([10, 11, 12]), np.array([30, 12, 20, 21]), np.array([20, 40])]
    patients = [np.array([0, 0, 1]), np.array([0, 1, 1, 2]), np.array([5, 5])]
    first, second, third = people(rows, patients)
    assert first[0] == first[1] != first[2]
    assert second[1] == second[2] == first[2] == third[0] == third[1]
    assert len({*first, *second, *third}) == 4
    assert sharing([first, second, third]) == [[0, 1, 2]]


def test_sets_that_share_nobody_are_apart_and_resampled_as_each_alone() -> None:
    rows = [np.arange(40), np.arange(40, 100), np.arange(20, 40)]
    owners = people(rows, [one // 2 for one in rows])
    assert sharing(owners) == [[0, 2], [1]]
    truth = [(np.random.default_rng(5).random((100, 2)) < 0.4).astype(np.uint8)[one] for one in rows]
    found = resample_rotations(truth, owners, draws=30, rngs=rngs(1, 3))
    alone = resample_patients(truth[1], rows[1] // 2, draws=30, rng=rngs(1, 3)[1])
    np.testing.assert_array_equal(found[1], alone)
    np.testing.assert_array_equal(found[0][:, 20:], found[2])
    assert not np.array_equal(found[0][:, :20], found[2])


def simulated(
    test_sets: Callable[[np.random.Generator], list[np.ndarray]], *, together: bool
) -> tuple[float, float]:
    """Of 300 studies: the share whose interval of a mean over rotations holds the true AUROC, and the spread
    that the bootstrap says over the one there is.

    Scores are `truth` + noise, most of it the patient's own, so that other encoders see it as well.
    """
    true = 0.7602499389065233  # Phi(1 / sqrt 2)
    held, estimates, spreads = [], [], []
    for study in range(300):
        rng = np.random.default_rng([77, study])
        truth = (rng.random((240, 1)) < 0.4).astype(np.uint8)
        own = np.sqrt(0.8) * rng.normal(size=240)
        rows = test_sets(rng)
        owners = people(rows, rows) if together else [one + 1000 * k for k, one in enumerate(rows)]
        weights = resample_rotations([truth[one] for one in rows], owners, draws=150, rngs=rngs(study, 5))
        means, replicates = [], []
        for one, weight in zip(rows, weights, strict=True):
            noise = own[one] + np.sqrt(0.2) * rng.normal(size=len(one))
            scores = (truth[one, 0] + noise)[None, None, :, None]
            means.append(macro_auroc(scores, truth[one], keep=ONE))
            replicates.append(bootstrap_macro_auroc(scores, truth[one], Resampling(weight, 0), keep=ONE))
        made = np.mean(replicates, axis=0)
        low, high = interval(made, estimate=float(np.mean(means)))
        held.append(low <= true <= high)
        estimates.append(np.mean(means))
        spreads.append(np.nanvar(made))
    return float(np.mean(held)), float(np.sqrt(np.mean(spreads)) / np.std(estimates))


def overlapping(rng: np.random.Generator) -> list[np.ndarray]:
    """A quarter of the patients, drawn anew for each of five rotations."""
    return [np.sort(rng.permutation(240)[:60]) for _ in range(5)]


def folds(rng: np.random.Generator) -> list[np.ndarray]:
    """A fifth of the patients each."""
    return np.split(rng.permutation(240), 5)


@pytest.mark.parametrize("test_sets", [overlapping, folds])
def test_intervals_keep_their_promise_over_rotations(
    test_sets: Callable[[np.random.Generator], list[np.ndarray]],
) -> None:
    """Binomial standard error 1.5 points; the spread's is 4 %. 1,200 studies: 92.8 and 95.1 %."""
    held, spread = simulated(test_sets, together=True)
    assert 0.885 <= held <= 0.98
    assert 0.9 <= spread <= 1.1


def test_overlapping_rotations_taken_for_strangers_do_not_keep_it() -> None:
    held, spread = simulated(overlapping, together=False)
    assert held < 0.88
    assert spread < 0.75
