"""The bootstrap, DeLong and Holm: exact laws, by-hand loops, and promises kept over simulated studies."""

from collections.abc import Iterator

import jaxtyping
import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from ecglipse.metrics import auroc
from ecglipse.statistics import (
    bootstrap_explained,
    bootstrap_macro_auroc,
    delong,
    explained,
    explained_by_cell,
    freedom,
    holm,
    interval,
    label_ratio,
    labels_needed,
    macro_auroc,
    macro_by_cell,
    paired_difference,
    resample,
    resample_patients,
    weighted_auroc,
)
from ecglipse.statistics.resampling import SMALLEST_STRATUM

ALL = np.ones(2, dtype=bool)


@pytest.fixture
def as_installed() -> Iterator[None]:
    """Switch the tests' own shape checks off: users meet the functions without them."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def study(
    rng: np.random.Generator, *, n: int = 120, n_seeds: int = 1, n_draws: int = 1, strength: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Truth (n, 2) and scores (seed, draw, n, 2) of a method whose true AUROC is Phi(strength / sqrt 2)."""
    truth = (rng.random((n, 2)) < [0.5, 0.25]).astype(np.uint8)
    patient = rng.normal(size=(n, 2))
    own = rng.normal(size=(n_seeds, n_draws, n, 2))
    return truth, strength * truth + np.sqrt(0.7) * patient + np.sqrt(0.3) * own


def test_weighted_auroc_equals_sklearn_on_repeated_records() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        n = int(rng.integers(2, 40))
        truth = (rng.random(n) < 0.4).astype(np.uint8)
        score = np.round(rng.normal(size=n), int(rng.integers(0, 3)))
        weights = rng.integers(0, 3, size=(4, n))
        found = weighted_auroc(truth, score, weights)
        for row, value in zip(weights, found, strict=True):
            repeated = np.repeat(truth, row)
            if repeated.size == 0 or repeated.min() == repeated.max():
                assert np.isnan(value)
            else:
                expected = roc_auc_score(repeated, np.repeat(score, row))
                assert value == pytest.approx(expected, abs=1e-12)


def test_weighted_auroc_is_exact_at_weights_of_one_and_in_every_block() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random(3000) < 0.3).astype(np.uint8)
    score = rng.normal(size=3000).astype(np.float32)
    found = weighted_auroc(truth, score, np.ones((100, 3000), dtype=np.int32))
    assert set(found.tolist()) == {auroc(truth, score)}


def test_patients_are_resampled_with_all_their_records() -> None:
    rng = np.random.default_rng(2)
    patients = np.repeat(np.arange(60) * 7, rng.integers(1, 4, size=60))
    truth = (rng.random((patients.size, 2)) < 0.4).astype(np.uint8)
    weights = resample_patients(truth, patients, draws=50, rng=rng)
    for patient in np.unique(patients):
        own = weights[:, patients == patient]
        assert np.all(own == own[:, :1])
    assert weights.max() > 1
    assert np.any(np.ptp(weights, axis=1) > 0)


def test_resampling_keeps_the_class_composition() -> None:
    rng = np.random.default_rng(3)
    truth = np.eye(3, dtype=np.uint8)[rng.permutation([0] * 100 + [1] * 40 + [2] * 12)]
    weights = resample_patients(truth, np.arange(152), draws=200, rng=rng)
    np.testing.assert_array_equal(weights @ truth.astype(int), np.tile([100, 40, 12], (200, 1)))
    assert np.all(weights.sum(axis=1) == 152)
    assert weights.std(axis=0).min() > 0


def test_rare_patterns_are_pooled_so_that_every_patient_varies() -> None:
    rng = np.random.default_rng(4)
    # Patterns of 100, 30, 3, 2 and 1 patients: the last three have 6 in all, so the 30 join them.
    truth = np.repeat([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], [100, 30, 3, 2, 1], axis=0)
    weights = resample_patients(truth.astype(np.uint8), np.arange(136), draws=400, rng=rng)
    assert np.all(weights[:, :100].sum(axis=1) == 100)
    assert np.all(weights[:, 100:].sum(axis=1) == 36)
    assert np.ptp(weights[:, 100:130].sum(axis=1)) > 0
    assert np.all(np.ptp(weights, axis=0) > 0)
    assert SMALLEST_STRATUM <= 36


def test_one_patient_alone_is_one_stratum() -> None:
    weights = resample_patients(
        np.ones((2, 1), dtype=np.uint8), np.zeros(2, int), draws=3, rng=np.random.default_rng(0)
    )
    np.testing.assert_array_equal(weights, np.ones((3, 2)))


@pytest.mark.usefixtures("as_installed")
def test_resampling_refuses_nothing_and_what_does_not_fit() -> None:
    rng = np.random.default_rng(0)
    truth = np.ones((2, 1), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"of one length; got 2 and 3"):
        resample_patients(truth, np.zeros(3, int), draws=3, rng=rng)
    with pytest.raises(ValueError, match=r"at least one record and one draw are needed; got 2 and 0"):
        resample_patients(truth, np.zeros(2, int), draws=0, rng=rng)


def test_deviations_give_the_variance_of_a_mean_without_bias() -> None:
    """Of few seeds: sum of deviation x result is normal, of variance s^2 / n; n of n would understate it."""
    resampling = resample(np.zeros((4, 1), dtype=np.uint8), np.arange(4), replicates=20000, seed=5)
    of_seeds, of_draws = resampling.deviations(3, 2)
    np.testing.assert_allclose(of_seeds.sum(axis=1), 0.0, atol=1e-12)
    # Standard error of a variance from 20000 replicates: 1 % of it.
    for deviations, results in ((of_seeds, np.array([0.7, 0.8, 0.75])), (of_draws, np.array([0.1, 0.3]))):
        moved = deviations @ results
        assert moved.var() == pytest.approx(results.var(ddof=1) / results.size, rel=0.05)
        assert np.mean(np.abs(moved) < 1.96 * moved.std()) == pytest.approx(0.95, abs=0.006)
    assert abs(np.corrcoef(of_seeds[:, 0], of_draws[:, 0])[0, 1]) < 0.03
    assert not resampling.deviations(1, 1)[0].any()


def test_crossed_label_draws_are_resampled_alike_for_any_number_of_seeds() -> None:
    resampling = resample(np.zeros((4, 1), dtype=np.uint8), np.arange(4), replicates=50, seed=1)
    one, three = resampling.deviations(1, 5)[1], resampling.deviations(3, 5)[1]
    np.testing.assert_array_equal(one, three)
    assert np.ptp(one) > 0


@pytest.mark.parametrize("pairs", [0, 10**6])
def test_bootstrap_equals_a_by_hand_loop(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By sorting each cell and by counting the wins of pairs; ties are among the scores."""
    monkeypatch.setattr("ecglipse.statistics.bootstrap._PAIRS", pairs)
    rng = np.random.default_rng(6)
    truth, scores = study(rng, n=50, n_seeds=2, n_draws=3)
    scores = np.round(scores, 1)
    resampling = resample(truth, np.arange(50) // 2, replicates=5, seed=0)
    found = bootstrap_macro_auroc(scores, truth, resampling, keep=ALL)
    of_seeds, of_draws = resampling.deviations(2, 3)

    def areas(rows: np.ndarray) -> np.ndarray:
        each = [[roc_auc_score(truth[rows], cell[rows], average="macro") for cell in row] for row in scores]
        return np.array(each)

    as_it_is = areas(np.arange(50))
    for r in range(5):
        patients = areas(np.repeat(np.arange(50), resampling.weights[r])).mean()
        moved = of_seeds[r] @ as_it_is.mean(axis=1) + of_draws[r] @ as_it_is.mean(axis=0)
        assert found[r] == pytest.approx(patients + moved, abs=1e-12)
    np.testing.assert_allclose(macro_by_cell(scores, truth, keep=ALL), as_it_is, atol=1e-12)


def test_estimate_is_the_mean_over_seeds_draws_and_kept_classes() -> None:
    truth, scores = study(np.random.default_rng(7), n_seeds=2, n_draws=3)
    each = [[roc_auc_score(truth[:, 0], scores[s, d, :, 0]) for d in range(3)] for s in range(2)]
    only_first = np.array([True, False])
    assert macro_auroc(scores, truth, keep=only_first) == pytest.approx(np.mean(each), abs=1e-12)
    assert macro_auroc(scores, truth, keep=ALL) != macro_auroc(scores, truth, keep=only_first)
    assert np.isnan(macro_auroc(scores, truth, keep=np.zeros(2, bool)))
    assert np.isnan(macro_auroc(scores, np.zeros_like(truth), keep=ALL))


def test_one_seed_and_one_draw_work_and_vary_by_patients_alone() -> None:
    truth, scores = study(np.random.default_rng(8))
    resampling = resample(truth, np.arange(120), replicates=300, seed=0)
    replicates = bootstrap_macro_auroc(scores, truth, resampling, keep=ALL)
    by_class = [weighted_auroc(truth[:, k], scores[0, 0, :, k].copy(), resampling.weights) for k in range(2)]
    np.testing.assert_allclose(replicates, np.mean(by_class, axis=0), atol=1e-12)
    low, high = interval(replicates)
    assert low < macro_auroc(scores, truth, keep=ALL) < high


def test_seeds_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(9)
    truth, same = study(rng, n=400, n_seeds=4)
    apart = same + np.array([0.0, 0.5, 1.0, 1.5])[:, None, None, None] * truth
    resampling = resample(truth, np.arange(400), replicates=400, seed=0)
    widths = []
    for scores in (same, apart):
        low, high = interval(bootstrap_macro_auroc(scores, truth, resampling, keep=ALL))
        widths.append(high - low)
    assert widths[1] > 1.3 * widths[0]


def test_equal_seeds_give_equal_replicates_and_others_do_not() -> None:
    truth, scores = study(np.random.default_rng(10), n_seeds=2, n_draws=2)
    one, again, other = (
        bootstrap_macro_auroc(
            scores, truth, resample(truth, np.arange(120), replicates=20, seed=seed), keep=ALL
        )
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.usefixtures("as_installed")
def test_bootstrap_refuses_nan_and_misfits() -> None:
    truth, scores = study(np.random.default_rng(11), n=30)
    resampling = resample(truth, np.arange(30), replicates=3, seed=0)
    with pytest.raises(ValueError, match=r"must fit; got \(1, 1, 29, 2\), \(30, 2\), \(3, 30\)"):
        bootstrap_macro_auroc(scores[:, :, 1:], truth, resampling, keep=ALL)
    scores[0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"`score` must hold numbers; 1 of 30 are NaN"):
        bootstrap_macro_auroc(scores, truth, resampling, keep=ALL)


def test_bootstrap_interval_covers_the_truth_as_often_as_it_says() -> None:
    """200 simulated studies, 3 seeds x 2 draws, 95 % nominal: 99 %, too wide rather than too narrow.

    These seeds differ by noise alone, and that counts in patients, seeds and draws (docs/protocol.md).
    """
    true = 0.7602499389065233  # Phi(1 / sqrt 2), the AUROC of two unit normals one apart
    covered = []
    for i in range(200):
        truth, scores = study(np.random.default_rng([12, i]), n=150, n_seeds=3, n_draws=2)
        covered.append(holds(scores, truth, true, seed=i))
    assert 0.95 <= np.mean(covered) <= 0.995


def test_intervals_keep_their_promise_where_three_seeds_spread() -> None:
    """300 studies whose seeds move AUROC by 0.04: 95 % with Student's factor, far fewer without it."""
    kept, without = [], []
    for i in range(300):
        rng = np.random.default_rng([20, i])
        truth, scores = study(rng, n=150, n_seeds=3)
        ours = rng.normal(0, 0.15, 3)[:, None, None, None]
        # Phi((1 + 0.15 g) / sqrt 2) averaged over normal g.
        true = 0.7582
        kept.append(holds(scores + ours * truth, truth, true, seed=i))
        without.append(holds(scores + ours * truth, truth, true, seed=i, plain=True))
    # Binomial standard error at 95 %: 1.3 points.
    assert 0.945 <= np.mean(kept) <= 0.985
    assert np.mean(without) < np.mean(kept) - 0.02


def holds(scores: np.ndarray, truth: np.ndarray, true: float, *, seed: int, plain: bool = False) -> bool:
    """Whether a study's interval holds the truth."""
    resampling = resample(truth, np.arange(len(truth)), replicates=200, seed=seed)
    grid = macro_by_cell(scores, truth, keep=ALL)
    low, high = interval(
        bootstrap_macro_auroc(scores, truth, resampling, keep=ALL),
        estimate=float(grid.mean()),
        levels=() if plain else (grid.mean(axis=1), grid.mean(axis=0)),
    )
    return low <= true <= high


def test_freedom_is_that_of_the_only_level_that_gives_anything() -> None:
    """Three seeds and no patients: 2 degrees of freedom; seeds that give little: many; none: infinite."""
    rng = np.random.default_rng(21)
    seeds = np.array([0.70, 0.74, 0.81])
    alone = rng.normal(0, np.sqrt(seeds.var(ddof=1) / 3), 100_000)
    assert freedom(alone, [seeds]) == pytest.approx(2, rel=0.03)
    assert freedom(alone, [seeds, np.array([0.5])]) == freedom(alone, [seeds])
    assert freedom(3 * alone, [seeds]) == pytest.approx(2 * 9, rel=0.03)
    assert freedom(alone, [np.full(3, 0.7)]) == freedom(alone) == np.inf
    both = np.sqrt(2) * alone
    assert freedom(both, [seeds, seeds]) == pytest.approx(2, rel=0.03)
    assert freedom(both, [seeds, np.zeros(3)]) == pytest.approx(4, rel=0.03)


def test_an_interval_is_widened_about_the_estimate_by_students_factor() -> None:
    rng = np.random.default_rng(22)
    seeds = np.array([-0.1, 0.0, 0.1])
    replicates = rng.normal(0, np.sqrt(0.01 / 3), 100_001)
    low, high = interval(replicates, estimate=0.0, levels=[seeds])
    # Student's quantile at 97.5 % with 2 degrees of freedom: 4.3027; normal: 1.9600.
    plain = interval(replicates)
    assert (low, high) == pytest.approx((plain[0] * 4.3027 / 1.96, plain[1] * 4.3027 / 1.96), rel=0.03)
    assert interval(replicates, estimate=0.0, levels=[np.zeros(3)]) == plain


def test_a_p_value_is_below_a_level_just_where_the_interval_leaves_out_zero() -> None:
    rng = np.random.default_rng(23)
    both = set()
    for _ in range(200):
        seeds = rng.normal(0.02, 0.02, 3)
        replicates = rng.normal(seeds.mean(), np.hypot(seeds.std(ddof=1) / np.sqrt(3), 0.005), 999)
        nothing = [np.zeros(3)]
        for level in (0.9, 0.95):
            found = paired_difference(
                replicates, np.zeros(999), seeds.mean(), 0.0, level=level, levels_a=[seeds], levels_b=nothing
            )
            if min(abs(found.low), abs(found.high)) > 1e-3:  # quantiles interpolate between replicates
                outside = not found.low <= 0 <= found.high
                assert (found.p_value <= 1 - level + 1e-12) == outside
                both.add(outside)
    assert both == {True, False}


def test_p_values_of_equal_methods_are_about_uniform() -> None:
    """200 simulated pairs of equally good methods: p below 0.05, 0.2 and 0.5 about as often as that."""
    p_values = []
    for i in range(200):
        rng = np.random.default_rng([13, i])
        truth, both = study(rng, n=150, n_seeds=2)
        a, b = both[:1], both[1:]
        resampling = resample(truth, np.arange(150), replicates=200, seed=i)
        p_values.append(compare(a, b, truth, resampling).p_value)
    # Binomial standard errors: 1.5, 2.8 and 3.5 points; three of them allowed.
    for level, slack in ((0.05, 0.046), (0.2, 0.085), (0.5, 0.106)):
        assert abs(np.mean(np.array(p_values) <= level) - level) < slack


def test_p_values_of_unequal_methods_are_small() -> None:
    rng = np.random.default_rng(14)
    truth, weak = study(rng, n=300)
    strong = weak + 0.8 * truth
    found = compare(strong, weak, truth, resample(truth, np.arange(300), replicates=999, seed=0))
    assert found.p_value == pytest.approx(2 / 1000)
    assert found.low > 0
    assert found.probability_of_superiority == 1.0


def compare(a, b, truth, resampling):
    grids = [macro_by_cell(scores, truth, keep=ALL) for scores in (a, b)]
    levels = [(grid.mean(axis=1), grid.mean(axis=0)) for grid in grids]
    return paired_difference(
        bootstrap_macro_auroc(a, truth, resampling, keep=ALL),
        bootstrap_macro_auroc(b, truth, resampling, keep=ALL),
        macro_auroc(a, truth, keep=ALL),
        macro_auroc(b, truth, keep=ALL),
        levels_a=levels[0],
        levels_b=levels[1],
    )


def test_a_method_does_not_differ_from_itself() -> None:
    truth, scores = study(np.random.default_rng(15), n_seeds=3, n_draws=2)
    found = compare(scores, scores, truth, resample(truth, np.arange(120), replicates=100, seed=0))
    assert (found.estimate, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert found.probability_of_superiority == 0.5


def test_a_difference_turns_round_with_its_methods() -> None:
    rng = np.random.default_rng(16)
    truth, a = study(rng, n_seeds=2)
    b = a + 0.3 * rng.normal(size=a.shape)
    resampling = resample(truth, np.arange(120), replicates=200, seed=0)
    there, back = compare(a, b, truth, resampling), compare(b, a, truth, resampling)
    assert there.estimate == -back.estimate
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)
    assert there.p_value == back.p_value
    assert there.probability_of_superiority == pytest.approx(1 - back.probability_of_superiority, abs=1e-12)


def test_pairing_narrows_the_interval() -> None:
    rng = np.random.default_rng(17)
    truth, a = study(rng, n=200)
    b = a + 0.2 * rng.normal(size=a.shape)
    paired = resample(truth, np.arange(200), replicates=400, seed=0)
    other = resample(truth, np.arange(200), replicates=400, seed=1)
    of_a, of_b = (bootstrap_macro_auroc(x, truth, paired, keep=ALL) for x in (a, b))
    unpaired = bootstrap_macro_auroc(b, truth, other, keep=ALL)
    narrow, wide = paired_difference(of_a, of_b, 0.0, 0.0), paired_difference(of_a, unpaired, 0.0, 0.0)
    assert narrow.high - narrow.low < 0.6 * (wide.high - wide.low)


def test_interval_of_known_replicates() -> None:
    assert interval(np.arange(1001.0)) == pytest.approx((25.0, 975.0))
    assert interval(np.arange(1001.0), 0.5) == pytest.approx((250.0, 750.0))
    with pytest.raises(ValueError, match=r"`level` must be between 0 and 1; got 95.0"):
        interval(np.arange(3.0), 95.0)


def test_undefined_replicates_are_left_out_unless_too_many() -> None:
    replicates = np.append(np.arange(1001.0), np.full(40, np.nan))
    assert interval(replicates) == pytest.approx((25.0, 975.0))
    spoilt = np.append(np.arange(100.0), np.full(10, np.nan))
    assert np.all(np.isnan(interval(spoilt)))
    assert np.all(np.isnan(interval(np.empty(0))))
    found = paired_difference(spoilt, spoilt, 0.7, 0.6)
    assert np.isnan(found.p_value)
    assert np.isnan(found.probability_of_superiority)
    assert found.estimate == pytest.approx(0.1)


@pytest.mark.usefixtures("as_installed")
def test_replicates_must_be_paired() -> None:
    with pytest.raises(ValueError, match=r"replicates must be paired, of one number; got 2 and 3"):
        paired_difference(np.zeros(2), np.zeros(3), 0.0, 0.0)


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, 0.03, 0.5])), [0.09, 0.04, 0.09, 0.5])
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, np.nan])), [0.04, 0.02, np.nan])
    np.testing.assert_allclose(holm(np.array([0.9, 0.9])), [1.0, 1.0])
    assert holm(np.empty(0)).size == 0
    with pytest.raises(ValueError, match=r"`p_values` must be between 0 and 1; got 0\.5 to 1\.5"):
        holm(np.array([0.5, 1.5]))


def test_delong_equals_its_covariance_by_hand() -> None:
    rng = np.random.default_rng(18)
    truth = (rng.random(60) < 0.4).astype(np.uint8)
    a, b = (np.round(rng.normal(size=60) + truth, 1) for _ in range(2))
    positive, negative = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
    psi = [
        np.array([[(s[i] > s[j]) + 0.5 * (s[i] == s[j]) for j in negative] for i in positive]) for s in (a, b)
    ]
    s10 = np.cov([p.mean(axis=1) for p in psi])
    s01 = np.cov([p.mean(axis=0) for p in psi])
    s = s10 / positive.size + s01 / negative.size
    found = delong(truth, a, b)
    assert found.auc_a == pytest.approx(roc_auc_score(truth, a), abs=1e-12)
    assert found.auc_b == pytest.approx(roc_auc_score(truth, b), abs=1e-12)
    assert found.se_of_difference == pytest.approx(np.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1]), abs=1e-12)


def test_delong_agrees_with_the_bootstrap() -> None:
    rng = np.random.default_rng(19)
    truth, a = study(rng, n=400)
    b = a + 0.5 * rng.normal(size=a.shape)
    exact = delong(truth[:, 0], a[0, 0, :, 0].copy(), b[0, 0, :, 0].copy())
    weights = resample_patients(truth[:, :1], np.arange(400), draws=2000, rng=rng)
    draws = [weighted_auroc(truth[:, 0], s[0, 0, :, 0].copy(), weights) for s in (a, b)]
    # Standard error of a standard deviation from 2000 replicates: 1.6 % of it; DeLong itself is asymptotic.
    assert np.std(draws[0] - draws[1]) == pytest.approx(exact.se_of_difference, rel=0.08)


def test_delong_where_it_is_undefined() -> None:
    truth = np.array([1, 1, 0, 0], dtype=np.uint8)
    good, flat = np.array([0.9, 0.8, 0.2, 0.1]), np.full(4, 0.5)
    assert delong(truth, good, good) == (1.0, 1.0, 0.0, 1.0)
    auc_a, auc_b, se, p = delong(truth, good, flat)
    assert (auc_a, auc_b, se) == (1.0, 0.5, 0.0)
    assert np.isnan(p)
    assert np.all(np.isnan(delong(np.ones(4, dtype=np.uint8), good, flat)))
    few = delong(np.array([1, 0, 0, 0], dtype=np.uint8), good, flat)
    assert few.auc_a == 1.0
    assert np.isnan(few.p)


@pytest.mark.usefixtures("as_installed")
def test_delong_refuses() -> None:
    truth = np.array([1, 0], dtype=np.uint8)
    with pytest.raises(ValueError, match=r"of one length; got 2, 2 and 3"):
        delong(truth, np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match=r"scores must hold numbers; got NaN"):
        delong(truth, np.zeros(2), np.array([0, np.nan]))


FRACTIONS = np.array([0.01, 0.1, 1.0])


def needed(curve: list[float], target: float) -> float:
    return float(labels_needed(FRACTIONS, np.array([curve]), np.array([target]))[0])


def test_labels_needed_lie_on_the_line_over_the_logarithm() -> None:
    assert needed([0.5, 0.6, 0.8], 0.55) == pytest.approx(10**-1.5)
    assert needed([0.5, 0.6, 0.8], 0.65) == pytest.approx(10**-0.75)
    assert needed([0.5, 0.6, 0.8], 0.8) == pytest.approx(1.0)
    assert needed([0.5, 0.7, 0.6], 0.65) == pytest.approx(10**-1.25), "what was reached first counts"


def test_labels_needed_are_censored_where_the_curve_ends() -> None:
    assert needed([0.5, 0.6, 0.8], 0.5) == 0.0
    assert needed([0.5, 0.6, 0.8], 0.81) == np.inf
    assert np.isnan(needed([0.5, np.nan, 0.8], 0.7))
    with pytest.raises(ValueError, match="two or more, ascending"):
        labels_needed(np.array([0.1]), np.ones((1, 1)), np.ones(1))
    with pytest.raises(ValueError, match="two or more, ascending"):
        labels_needed(np.array([0.5, 0.1]), np.ones((1, 2)), np.ones(1))


def test_a_curve_moved_by_a_factor_of_labels_has_that_ratio() -> None:
    """A method that is everywhere where its opponent is with three times the labels: a third is enough."""
    fractions = np.geomspace(0.01, 1.0, 9)
    opponent = 0.6 + 0.05 * np.log(fractions)
    mine = 0.6 + 0.05 * np.log(3 * fractions)
    noise = np.random.default_rng(0).normal(0, 0.004, size=(2000, 1))
    found = label_ratio(
        fractions,
        mine,
        mine + noise,
        opponent=opponent[4],
        opponent_replicates=opponent[4] + np.random.default_rng(1).normal(0, 0.004, size=2000),
        at=float(fractions[4]),
    )
    assert found.estimate == pytest.approx(1 / 3)
    spread = 1.96 * np.sqrt(2) * 0.004 / 0.05
    assert np.log(found.low) == pytest.approx(np.log(1 / 3) - spread, abs=0.03)
    assert np.log(found.high) == pytest.approx(np.log(1 / 3) + spread, abs=0.03)
    assert (found.least, found.most) == (pytest.approx(0.1), pytest.approx(10.0))


def test_an_interval_of_labels_needed_may_be_open() -> None:
    replicates = np.tile([0.5, 0.6, 0.7], (100, 1))
    targets = np.r_[np.full(90, 0.65), np.full(10, 0.9)]
    found = label_ratio(
        FRACTIONS, replicates[0], replicates, opponent=0.65, opponent_replicates=targets, at=0.1
    )
    assert found.high == np.inf
    assert found.low == found.estimate == pytest.approx(10**-0.5 / 0.1)
    same = label_ratio(
        FRACTIONS, replicates[0], replicates, opponent=0.6, opponent_replicates=replicates[:, 1], at=0.1
    )
    assert (same.low, same.estimate, same.high) == pytest.approx((1.0, 1.0, 1.0))


def test_explained_equals_sklearn_on_repeated_records() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(60, 15, (80, 1))
    scores = truth + rng.normal(0, 10, (2, 3, 80, 1))
    whole = [r2_score(truth, scores[s, d]) for s in range(2) for d in range(3)]
    assert explained(scores, truth) == pytest.approx(np.mean(whole), abs=1e-12)
    patients = np.repeat(np.arange(40), 2)
    resampling = resample(np.zeros((80, 1), dtype=np.uint8), patients, replicates=5, seed=0)
    found = bootstrap_explained(scores, truth, resampling)
    of_seeds, of_draws = resampling.deviations(2, 3)
    grid = np.reshape(whole, (2, 3))
    np.testing.assert_allclose(explained_by_cell(scores, truth), grid, atol=1e-12)
    for b in range(5):
        rows = np.repeat(np.arange(80), resampling.weights[b])
        each = [[r2_score(truth[rows], scores[s, d][rows]) for d in range(3)] for s in range(2)]
        moved = of_seeds[b] @ grid.mean(axis=1) + of_draws[b] @ grid.mean(axis=0)
        assert found[b] == pytest.approx(np.mean(each) + moved, abs=1e-12)
    assert np.isnan(explained(scores, np.full((80, 1), 60.0)))
