"""The permutation test: its sum against exchanged scores themselves, uniform p-values, and DeLong's."""

import numpy as np
import pytest
from scipy.stats import kstest, rankdata

from ecglipse.statistics import contributions, delong, macro_auroc, permutation_test

ALL = np.ones(2, dtype=bool)


def ranked(scores: np.ndarray) -> np.ndarray:
    return rankdata(scores, axis=2)


def pair(
    rng: np.random.Generator, *, n: int, better: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth (n, 2) and two methods' scores (2, 1, n, 2); the first is `better` standard deviations better."""
    truth = (rng.random((n, 2)) < 0.4).astype(np.uint8)
    shared = rng.normal(size=(n, 2)) + truth
    a, b = (shared + 0.5 * rng.normal(size=(2, 1, n, 2)) for _ in range(2))
    return truth, a + better * truth, b


def test_contributions_with_turned_signs_are_the_difference_of_exchanged_scores() -> None:
    """By exchanging the ranks of random patients and computing both areas anew, ties and all."""
    rng = np.random.default_rng(0)
    truth, a, b = pair(rng, n=60, better=0.3)
    a, b = np.round(a, 1), np.round(b, 1)
    patients = rng.integers(0, 40, size=60)
    parts = contributions(a, b, truth, keep=ALL)
    assert parts.sum() == pytest.approx(macro_auroc(a, truth, keep=ALL) - macro_auroc(b, truth, keep=ALL))
    ra, rb = ranked(a), ranked(b)
    for _ in range(20):
        exchanged = rng.random(40) < 0.5
        swap = exchanged[patients][None, None, :, None]
        first, second = np.where(swap, rb, ra), np.where(swap, ra, rb)
        expected = macro_auroc(first, truth, keep=ALL) - macro_auroc(second, truth, keep=ALL)
        found = np.sum(parts * np.where(exchanged[patients], -1, 1))
        assert found == pytest.approx(expected, abs=1e-12)


def test_p_values_of_equal_methods_are_uniform() -> None:
    p_values = []
    for i in range(300):
        rng = np.random.default_rng([1, i])
        truth, a, b = pair(rng, n=80)
        parts = contributions(a, b, truth, keep=ALL)
        p_values.append(permutation_test(parts, np.arange(80) // 2, permutations=199, rng=rng).p)
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.04)


def test_a_better_method_is_found_and_patients_count_whole() -> None:
    """Each record three times: a test that takes records for patients is surer than it may be."""
    rng = np.random.default_rng(2)
    truth, a, b = pair(rng, n=150, better=0.5)
    parts = contributions(a, b, truth, keep=ALL)
    found = permutation_test(parts, np.arange(150), permutations=9999, rng=rng)
    assert found.difference > 0
    assert found.p < 0.01
    thrice = np.tile(parts, 3) / 3
    whole = permutation_test(thrice, np.tile(np.arange(150), 3), permutations=9999, rng=rng)
    assert whole.p == pytest.approx(found.p, abs=0.003)
    weak = contributions(*pair(np.random.default_rng(5), n=150)[1:], truth, keep=ALL)
    one = permutation_test(np.tile(weak, 3), np.tile(np.arange(150), 3), permutations=999, rng=rng).p
    apart = permutation_test(np.tile(weak, 3), np.arange(450), permutations=999, rng=rng).p
    assert apart < one


def test_it_agrees_with_delong_on_one_area_of_independent_records() -> None:
    rng = np.random.default_rng(3)
    for better in (0.0, 0.1, 0.2, 0.3):
        truth, a, b = pair(rng, n=400, better=better)
        first = np.array([True, False])
        parts = contributions(a[:1], b[:1], truth, keep=first)
        found = permutation_test(parts, np.arange(400), permutations=9999, rng=rng)
        exact = delong(truth[:, 0], a[0, 0, :, 0].copy(), b[0, 0, :, 0].copy())
        assert found.difference == pytest.approx(exact.auc_a - exact.auc_b, abs=1e-12)
        assert found.p == pytest.approx(exact.p, rel=0.3, abs=0.02)


def test_one_seed_is_set_beside_each_of_several() -> None:
    truth, a, b = pair(np.random.default_rng(4), n=50)
    several = contributions(a, b[:1], truth, keep=ALL)
    each = [contributions(a[s : s + 1], b[:1], truth, keep=ALL) for s in range(2)]
    np.testing.assert_allclose(several, np.mean(each, axis=0), atol=1e-12)


def test_what_is_undefined_stays_so() -> None:
    truth, a, b = pair(np.random.default_rng(4), n=50)
    for keep, y in ((np.zeros(2, dtype=bool), truth), (ALL, np.zeros_like(truth))):
        parts = contributions(a, b, y, keep=keep)
        assert np.isnan(
            permutation_test(parts, np.arange(50), permutations=9, rng=np.random.default_rng(0)).p
        )
    same = permutation_test(
        contributions(a, a, truth, keep=ALL), np.arange(50), permutations=99, rng=np.random.default_rng(0)
    )
    assert same == (0.0, 1.0)
