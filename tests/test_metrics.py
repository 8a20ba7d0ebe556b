"""Metrics against scikit-learn, closed forms and by-hand counts; what is undefined is None, with a reason."""

from collections.abc import Iterator

import jaxtyping
import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
    recall_score,
    roc_auc_score,
)

from ecglipse.corpora.challenge_weights import challenge_weights
from ecglipse.corpora.label_sets import LABEL_SETS
from ecglipse.metrics import (
    apply_temperature,
    auprc,
    auroc,
    best_thresholds,
    brier,
    challenge_score,
    ece,
    evaluate,
    evaluate_numbers,
    fmax,
    temperature,
)


@pytest.fixture
def as_installed() -> Iterator[None]:
    """Switch the tests' own shape checks off: users meet the functions without them."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


HALF = np.array([0.5, 0.5, 0.5])


def draw_task(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One class's truth and scores: any size and share of positives, often tied, sometimes one-sided."""
    n = int(rng.integers(1, 60))
    truth = (rng.random(n) < rng.choice([0.0, 0.05, 0.3, 0.5, 0.9, 1.0])).astype(np.uint8)
    score = rng.normal(size=n) + truth * rng.normal()
    if rng.random() < 0.5:
        score = np.round(score, int(rng.integers(0, 2)))
    return truth, score.astype(rng.choice([np.float32, np.float64]))


def multilabel(rng: np.random.Generator, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    truth = (rng.random((n, 3)) < [0.5, 0.2, 0.1]).astype(np.uint8)
    scores = 1 / (1 + np.exp(-rng.normal(size=(n, 3)) - truth))
    return truth, scores.astype(np.float32)


def multiclass(rng: np.random.Generator, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    label = rng.choice(4, size=n, p=[0.5, 0.3, 0.15, 0.05])
    truth = np.eye(4, dtype=np.uint8)[label]
    scores = np.exp(rng.normal(size=(n, 4)) + truth)
    return truth, scores / scores.sum(axis=1, keepdims=True)


def test_auroc_and_auprc_equal_sklearn_on_1000_tasks() -> None:
    rng = np.random.default_rng(0)
    degenerate = 0
    for _ in range(1000):
        truth, score = draw_task(rng)
        if truth.min() == truth.max():
            degenerate += 1
            assert auroc(truth, score) is None
            assert auprc(truth, score) is None
            continue
        assert auroc(truth, score) == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
        assert auprc(truth, score) == pytest.approx(average_precision_score(truth, score), abs=1e-12)
    assert 100 < degenerate < 900


def test_auroc_is_the_share_of_pairs_won() -> None:
    truth = np.array([1, 0, 1, 0, 0], dtype=np.uint8)
    assert auroc(truth, np.array([0.9, 0.9, 0.2, 0.1, 0.3])) == (0.5 + 1 + 1 + 0 + 1 + 0) / 6
    assert auroc(truth, np.zeros(5)) == 0.5
    assert auroc(truth, truth.astype(np.float64)) == 1.0
    assert auroc(truth, np.array([np.inf, -np.inf, 0.0, 0.0, 0.0])) == (3 + 1 + 0.5 + 0.5) / 6


def test_auroc_changes_when_a_rank_changes_but_not_under_a_monotone_map() -> None:
    rng = np.random.default_rng(1)
    truth, score = (rng.random(50) < 0.4).astype(np.uint8), rng.normal(size=50)
    assert auroc(truth, score) == auroc(truth, np.exp(score))
    score[np.argmax(truth)] = 9.0
    assert auroc(truth, score) != auroc(truth, -score)


@pytest.mark.parametrize("metric", [auroc, auprc])
@pytest.mark.usefixtures("as_installed")
def test_ranking_refuses_what_is_not_a_number(metric) -> None:
    with pytest.raises(ValueError, match=r"of one length; got 2 and 3"):
        metric(np.array([0, 1], dtype=np.uint8), HALF)
    with pytest.raises(ValueError, match=r"`score` must hold numbers; 1 of 3 are NaN"):
        metric(np.array([0, 1, 1], dtype=np.uint8), np.array([0.1, np.nan, 0.3]))
    with pytest.raises(ValueError, match=r"`truth` must be 0 or 1; got 2"):
        metric(np.array([0, 1, 2], dtype=np.uint8), HALF)


def test_multilabel_evaluation_equals_sklearn() -> None:
    truth, scores = multilabel(np.random.default_rng(2))
    thresholds = np.array([0.6, 0.5, 0.4])
    found = evaluate(truth, scores, kind="multilabel", classes=("A", "B", "C"), thresholds=thresholds)
    decided = (scores >= thresholds).astype(int)
    m = found.metrics
    assert m["macro_auroc"] == pytest.approx(roc_auc_score(truth, scores, average="macro"), abs=1e-12)
    assert m["macro_auprc"] == pytest.approx(average_precision_score(truth, scores), abs=1e-12)
    assert m["macro_f1"] == pytest.approx(f1_score(truth, decided, average="macro"), abs=1e-12)
    each = [balanced_accuracy_score(truth[:, k], decided[:, k]) for k in range(3)]
    assert m["balanced_accuracy"] == pytest.approx(np.mean(each), abs=1e-12)
    assert m["accuracy"] == pytest.approx(np.mean(truth == decided), abs=1e-12)
    each = [brier_score_loss(truth[:, k], scores[:, k].astype(np.float64)) for k in range(3)]
    assert m["brier"] == pytest.approx(np.mean(each), abs=1e-12)
    assert m["ece"] == pytest.approx(ece(truth, scores), abs=1e-12)
    assert found.left_out == ()
    assert found.undefined == {}


def test_multiclass_evaluation_equals_sklearn() -> None:
    truth, scores = multiclass(np.random.default_rng(3))
    found = evaluate(truth, scores, kind="multiclass", classes=("A", "B", "C", "D"))
    label, guess = truth.argmax(axis=1), scores.argmax(axis=1)
    m = found.metrics
    assert m["macro_auroc"] == pytest.approx(roc_auc_score(label, scores, multi_class="ovr"), abs=1e-12)
    assert m["macro_f1"] == pytest.approx(f1_score(label, guess, average="macro"), abs=1e-12)
    assert m["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(label, guess), abs=1e-12)
    assert m["accuracy"] == pytest.approx(np.mean(label == guess), abs=1e-12)


def test_binary_evaluation_is_that_of_its_column() -> None:
    truth, scores = multilabel(np.random.default_rng(4))
    one = evaluate(truth[:, :1], scores[:, :1], kind="binary", classes=("female",))
    assert one.metrics["macro_auroc"] == auroc(truth[:, 0], scores[:, 0])
    assert one.per_class["auroc"] == {"female": one.metrics["macro_auroc"]}


def test_accuracy_of_multilabel_is_not_exact_match() -> None:
    truth = np.array([[1, 0], [0, 1], [0, 0], [1, 1]], dtype=np.uint8)
    scores = np.array([[0.9, 0.9], [0.1, 0.9], [0.1, 0.1], [0.9, 0.9]])
    found = evaluate(truth, scores, kind="multilabel", classes=("A", "B"), min_positives=0)
    assert found.metrics["accuracy"] == 7 / 8
    assert found.metrics["accuracy"] != np.mean(np.all(truth == (scores >= 0.5), axis=1))


def test_rare_classes_are_reported_but_kept_out_of_every_average() -> None:
    truth, scores = multilabel(np.random.default_rng(5))
    truth[:, 2] = 0
    truth[:9, 2] = 1
    all_three = evaluate(truth, scores, kind="multilabel", classes=("A", "B", "C"))
    two = evaluate(truth[:, :2], scores[:, :2], kind="multilabel", classes=("A", "B"))
    averages = set(two.metrics) - {"fmax"}
    assert len(averages) == 7
    assert {m: all_three.metrics[m] for m in averages} == {m: two.metrics[m] for m in averages}
    assert all_three.left_out == ("C",)
    assert all_three.per_class["auroc"]["C"] == auroc(truth[:, 2], scores[:, 2])
    kept = evaluate(truth, scores, kind="multilabel", classes=("A", "B", "C"), min_positives=9)
    assert kept.metrics != two.metrics
    assert kept.left_out == ()


def test_classes_with_few_negatives_are_left_out_too() -> None:
    truth, scores = multilabel(np.random.default_rng(6))
    truth[9:, 0] = 1
    truth[:9, 0] = 0
    assert evaluate(truth, scores, kind="multilabel", classes=("A", "B", "C")).left_out == ("A",)


def test_undefined_is_none_with_its_reason() -> None:
    truth, scores = multilabel(np.random.default_rng(7))
    truth[:, 0] = 1
    found = evaluate(truth, scores, kind="multilabel", classes=("SR", "B", "C"), min_positives=0)
    assert found.metrics["macro_auroc"] is None
    assert found.undefined["macro_auroc"] == "class SR has no negative in the test set"
    assert found.undefined["auroc[SR]"] == "class SR has no negative in the test set"
    assert found.metrics["brier"] is not None
    truth[:, 0] = 0
    found = evaluate(truth, scores, kind="multilabel", classes=("SR", "B", "C"))
    assert found.metrics["macro_auroc"] is not None
    assert found.per_class["f1"]["SR"] is None
    assert found.undefined["f1[SR]"] == "class SR has no positive in the test set"
    none_left = evaluate(truth[:, :1], scores[:, :1], kind="binary", classes=("SR",))
    assert set(none_left.metrics.values()) == {None}
    words = "no class has 10 positives and 10 negatives in the test set"
    assert none_left.undefined["macro_auroc"] == words


def test_multiclass_accuracy_counts_records_of_classes_left_out() -> None:
    truth = np.eye(2, dtype=np.uint8)[[0] * 20 + [1] * 5]
    scores = np.tile([0.8, 0.2], (25, 1))
    found = evaluate(truth, scores, kind="multiclass", classes=("A", "B"))
    assert found.metrics["accuracy"] == 20 / 25
    assert found.metrics["macro_auroc"] is None
    assert "accuracy" not in found.undefined


def test_evaluation_does_not_depend_on_the_order_of_records() -> None:
    rng = np.random.default_rng(8)
    truth, scores = multilabel(rng)
    scores = np.round(scores, 1)
    order = rng.permutation(len(truth))
    one = evaluate(truth, scores, kind="multilabel", classes=("A", "B", "C")).metrics
    two = evaluate(truth[order], scores[order], kind="multilabel", classes=("A", "B", "C")).metrics
    assert one == pytest.approx(two, abs=1e-12)
    three = evaluate(truth, scores[order], kind="multilabel", classes=("A", "B", "C")).metrics
    assert one != pytest.approx(three, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores": np.full((4, 2), np.nan)}, r"`scores` must hold numbers; 8 of 8 are NaN"),
        ({"scores": np.full((4, 2), 1.5)}, r"`scores` must be probabilities; got 1\.5 to 1\.5"),
        ({"scores": np.full((4, 2), 0.4)}, r"must sum to 1 in every row"),
        ({"truth": np.ones((4, 2), dtype=np.uint8)}, r"must be one-hot"),
        ({"truth": np.full((4, 2), 3, dtype=np.uint8)}, r"`truth` must be 0 or 1"),
        ({"kind": "binary"}, r"`classes` of a binary task must be the positive one alone"),
        ({"classes": ("A",)}, r"must fit; got \(4, 2\), \(4, 2\) and 1 classes"),
        ({"thresholds": np.zeros(3)}, r"`thresholds` must hold one number a class; got shape \(3,\)"),
        (
            {"truth": np.zeros((0, 2), dtype=np.uint8), "scores": np.zeros((0, 2))},
            r"`truth` must hold at least one record",
        ),
    ],
)
@pytest.mark.usefixtures("as_installed")
def test_evaluate_refuses(change: dict, words: str) -> None:
    good = {
        "truth": np.eye(2, dtype=np.uint8)[[0, 1, 0, 1]],
        "scores": np.full((4, 2), 0.5),
        "kind": "multiclass",
        "classes": ("A", "B"),
        "thresholds": None,
    }
    arguments = good | change
    with pytest.raises(ValueError, match=words):
        evaluate(arguments.pop("truth"), arguments.pop("scores"), **arguments)


def test_best_thresholds_give_the_highest_f1_of_all_thresholds() -> None:
    rng = np.random.default_rng(9)
    for _ in range(20):
        truth, scores = multilabel(rng, n=15)
        scores = np.round(scores, 1)
        found = best_thresholds(truth, scores)
        for k in range(3):
            if truth[:, k].min() == truth[:, k].max():
                assert found[k] == 0.5
                continue
            tried = [f1_score(truth[:, k], scores[:, k] >= t) for t in np.arange(0.05, 1.0, 0.1)]
            own = f1_score(truth[:, k], scores[:, k] >= found[k])
            assert own == pytest.approx(max(tried), abs=1e-12)


def test_best_thresholds_are_half_where_a_class_is_one_sided() -> None:
    truth = np.array([[1, 0], [1, 0], [1, 0]], dtype=np.uint8)
    assert best_thresholds(truth, np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])).tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match=r"1 are NaN"):
        best_thresholds(truth[:1, :1], np.array([[np.nan]]))


def test_ece_of_bins_by_hand() -> None:
    scores = np.array([[0.1], [0.2], [0.8], [0.9]])
    truth = np.array([[0], [1], [1], [1]], dtype=np.uint8)
    # Two bins of two: |0.15 - 0.5| and |0.85 - 1|, half of the mass each.
    assert ece(truth, scores, bins=2) == pytest.approx((0.35 + 0.15) / 2, abs=1e-12)
    assert ece(truth, scores, bins=1) == pytest.approx(0.25, abs=1e-12)


def test_ece_bins_hold_equal_mass() -> None:
    rng = np.random.default_rng(10)
    scores = rng.random((1500, 1))
    truth = np.zeros((1500, 1), dtype=np.uint8)
    ordered = np.sort(scores[:, 0]).reshape(15, 100)
    by_hand = np.mean(ordered.mean(axis=1))
    assert ece(truth, scores) == pytest.approx(by_hand, abs=1e-12)


def test_ece_keeps_tied_scores_together() -> None:
    truth = np.array([1] * 30 + [0] * 70, dtype=np.uint8)[:, None]
    assert ece(truth, np.full((100, 1), 0.3)) == pytest.approx(0.0, abs=1e-12)
    assert ece(truth, np.full((100, 1), 0.9)) == pytest.approx(0.6, abs=1e-12)


def test_brier_averages_over_classes() -> None:
    truth = np.array([[1, 0], [0, 1]], dtype=np.uint8)
    assert brier(truth, np.array([[1.0, 0.0], [0.0, 1.0]])) == 0.0
    assert brier(truth, np.full((2, 2), 0.5)) == 0.25
    assert brier(truth, np.array([[0.0, 0.0], [0.0, 1.0]])) == 0.25


@pytest.mark.parametrize("true_t", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("kind", ["multilabel", "multiclass"])
def test_temperature_undoes_a_known_one(kind: str, true_t: float) -> None:
    rng = np.random.default_rng(11)
    n = 20_000
    if kind == "multiclass":
        logits = 2 * rng.normal(size=(n, 3))
        honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        label = (rng.random((n, 1)) > np.cumsum(honest, axis=1)).sum(axis=1)
        truth = np.eye(3, dtype=np.uint8)[label]
    else:
        honest = 1 / (1 + np.exp(-2 * rng.normal(size=(n, 2))))
        truth = (rng.random((n, 2)) < honest).astype(np.uint8)
    given = apply_temperature(honest, 1 / true_t, kind)
    found = temperature(truth, given, kind)
    # The temperature's own standard error is below 1 % at 20,000 records.
    assert found == pytest.approx(true_t, rel=0.03)
    mended = apply_temperature(given, found, kind)
    assert ece(truth, mended) < 0.02
    if true_t != 1.0:
        assert ece(truth, given) > 0.04


def test_temperature_never_raises_the_log_loss_it_is_fitted_to() -> None:
    rng = np.random.default_rng(12)
    for n in (3, 8, 40):
        truth, scores = multiclass(rng, n=n)
        t = temperature(truth, scores, "multiclass")
        before, after = (
            log_loss(truth.argmax(axis=1), p, labels=range(4))
            for p in (scores, apply_temperature(scores, t, "multiclass"))
        )
        assert after <= before + 1e-6


def test_temperature_is_one_where_undefined_and_bounded_where_separable() -> None:
    truth = np.array([[1], [1], [0]], dtype=np.uint8)
    assert temperature(np.ones((3, 1), dtype=np.uint8), np.full((3, 1), 0.7), "binary") == 1.0
    assert temperature(np.zeros((0, 1), dtype=np.uint8), np.zeros((0, 1)), "binary") == 1.0
    assert temperature(truth, np.full((3, 1), 0.5), "binary") == 1.0
    separable = np.array([[0.6], [0.7], [0.4]])
    assert temperature(truth, separable, "binary") == pytest.approx(0.1, rel=0.01)


def test_apply_temperature_keeps_ranks_and_ends() -> None:
    scores = np.array([[0.0], [0.2], [0.7], [1.0]], dtype=np.float32)
    hot = apply_temperature(scores, 4.0, "binary")
    assert hot[0, 0] == 0.0
    assert hot[3, 0] == 1.0
    assert np.all(np.diff(hot[:, 0]) > 0)
    assert abs(hot[2, 0] - 0.5) < abs(scores[2, 0] - 0.5)
    np.testing.assert_array_equal(apply_temperature(scores, 1.0, "binary"), scores)
    shares = apply_temperature(np.array([[0.0, 0.3, 0.7]]), 0.5, "multiclass")
    np.testing.assert_allclose(shares, [[0.0, 0.09 / 0.58, 0.49 / 0.58]], atol=1e-12)
    with pytest.raises(ValueError, match=r"`t` must be > 0; got 0\.0"):
        apply_temperature(scores, 0.0, "binary")


def test_numbers_equal_sklearn_on_1000_tasks() -> None:
    rng = np.random.default_rng(11)
    degenerate = 0
    for _ in range(1000):
        n = int(rng.integers(1, 40))
        y = rng.choice([rng.normal(60, 15, n), np.round(rng.normal(60, 1, n)), np.full(n, 55.0)])[:, None]
        p = y * rng.random() + rng.normal(0, 10, (n, 1))
        m = evaluate_numbers(y, p)
        assert m.metrics["mae"] == pytest.approx(mean_absolute_error(y, p), rel=1e-12)
        assert m.metrics["rmse"] == pytest.approx(mean_squared_error(y, p) ** 0.5, rel=1e-12)
        if np.ptp(y) == 0:
            degenerate += 1
            assert m.metrics["r2"] is None
            assert m.undefined["r2"] == "all test records have the same value"
        else:
            assert m.metrics["r2"] == pytest.approx(r2_score(y, p), rel=1e-12, abs=1e-12)
            assert m.metrics["slope"] == pytest.approx(np.polyfit(y[:, 0], p[:, 0], 1)[0], rel=1e-6, abs=1e-9)
    assert 100 < degenerate < 900


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        evaluate_numbers(np.ones((2, 1)), np.array([[1.0], [np.nan]]))
    with pytest.raises(ValueError, match="at least one record"):
        evaluate_numbers(np.ones((0, 1)), np.ones((0, 1)))


def test_every_class_metric_equals_sklearn_on_1000_tasks() -> None:
    """Multi-label tasks of any size and prevalence, tied scores, thresholds on scores, one-sided classes."""
    rng = np.random.default_rng(21)
    degenerate = 0
    for _ in range(1000):
        n, k = int(rng.integers(1, 40)), int(rng.integers(1, 5))
        truth = (rng.random((n, k)) < rng.choice([0.0, 0.1, 0.5, 0.9, 1.0], k)).astype(np.uint8)
        scores = np.round(rng.random((n, k)), int(rng.integers(1, 4)))
        thresholds = np.round(rng.random(k), 1)
        names = tuple(f"c{i}" for i in range(k))
        found = evaluate(
            truth, scores, kind="multilabel", classes=names, thresholds=thresholds, min_positives=1
        )
        decided = (scores >= thresholds).astype(int)
        sides = [0 < truth[:, i].sum() < n for i in range(k)]
        for i, name in enumerate(names):
            if truth[:, i].any():
                assert found.per_class["f1"][name] == pytest.approx(
                    f1_score(truth[:, i], decided[:, i], zero_division=0), abs=1e-12
                )
            else:
                assert found.per_class["f1"][name] is None
                assert "no positive" in found.undefined[f"f1[{name}]"]
            if sides[i]:
                of = (truth[:, i], scores[:, i])
                assert found.per_class["auroc"][name] == pytest.approx(roc_auc_score(*of), abs=1e-12)
                assert found.per_class["auprc"][name] == pytest.approx(
                    average_precision_score(*of), abs=1e-12
                )
        kept = [i for i in range(k) if sides[i]]
        if not kept:
            degenerate += 1
            assert found.metrics["balanced_accuracy"] is None
            assert found.undefined["balanced_accuracy"].startswith("no class has")
            continue
        balanced = [balanced_accuracy_score(truth[:, i], decided[:, i]) for i in kept]
        assert found.metrics["balanced_accuracy"] == pytest.approx(np.mean(balanced), abs=1e-12)
        each = [brier_score_loss(truth[:, i], scores[:, i]) for i in kept]
        assert found.metrics["brier"] == pytest.approx(np.mean(each), abs=1e-12)
        exact = np.mean([accuracy_score(truth[:, i], decided[:, i]) for i in kept])
        assert found.metrics["accuracy"] == pytest.approx(exact, abs=1e-12)
    assert 100 < degenerate < 900


def test_fmax_equals_a_loop_over_records() -> None:
    rng = np.random.default_rng(22)
    for _ in range(20):
        truth = (rng.random((30, 4)) < 0.3).astype(np.uint8)
        scores = np.clip(0.4 * truth + 0.6 * rng.random((30, 4)), 0, 1)
        best = 0.0
        for step in range(101):
            given = scores >= step / 100
            precisions = [t[g].mean() for t, g in zip(truth, given, strict=True) if g.any()]
            recalls = [g[t == 1].mean() for t, g in zip(truth, given, strict=True) if t.any()]
            if precisions and np.mean(precisions) + np.mean(recalls) > 0:
                p, r = np.mean(precisions), np.mean(recalls)
                best = max(best, 2 * p * r / (p + r))
        assert fmax(truth, scores) == pytest.approx(best, abs=1e-12)
    assert fmax(truth, truth.astype(np.float64)) == 1.0
    assert fmax(np.zeros((3, 2), dtype=np.uint8), np.full((3, 2), 0.5)) is None
    none = evaluate(
        np.zeros((3, 2), dtype=np.uint8), np.full((3, 2), 0.5), kind="multilabel", classes=("a", "b")
    )
    assert none.undefined["fmax"] == "no test record has any class"


WEIGHTS_2021 = """
AF AFL BBB Brady LBBB RBBB IAVB IRBBB LAD LAnFB LPR LQRSV LQT NSIVCB NSR PAC PR PRWP PVC QAb RAD SA SB STach TAb TInv
AF 1 .5 .475 .3 .475 .4 .3 .3 .35 .35 .3 .425 .45 .35 .25 .3375 .375 .425 .375 .4 .35 .3 .3 .375 .5 .5
BBB .475 .475 1 .325 .475 .425 .325 .325 .375 .375 .325 .45 .475 .375 .275 .3625 .4 .45 .4 .375 .375 .325 .325 .4 .475 .475
LQRSV .425 .425 .45 .375 .45 .475 .375 .375 .425 .425 .375 1 .475 .425 .325 .4125 .45 .475 .45 .325 .425 .375 .375 .45 .425 .425
NSR .25 .25 .275 .45 .275 .35 .45 .45 .4 .4 .45 .325 .3 .4 1 .4125 .375 .325 .375 .15 .4 .45 .45 .375 .25 .25
PAC .3375 .3375 .3625 .4625 .3625 .4375 .4625 .4625 .4875 .4875 .4625 .4125 .3875 .4875 .4125 1 .4625 .4125 .4625 .2375 .4875 .4625 .4625 .4625 .3375 .3375
QAb .4 .4 .375 .2 .375 .3 .2 .2 .25 .25 .2 .325 .35 .25 .15 .2375 .275 .325 .275 1 .25 .2 .2 .275 .4 .4
"""  # noqa: E501
"""Rows of the Challenge's own table."""


def test_challenge_weights_are_the_published_ones() -> None:
    head, *rows = [line.split() for line in WEIGHTS_2021.strip().splitlines()]
    classes = tuple(LABEL_SETS["cinc2021-scored"])
    found = challenge_weights("cinc2021-scored", classes)
    assert isinstance(found, tuple)
    weights, normal = found
    assert classes[normal] == "NSR"
    assert np.array_equal(weights, weights.T)
    alias = {"CLBBB": "LBBB", "CRBBB": "RBBB"}
    names = [alias.get(name, name) for name in classes]
    assert sorted(names) == sorted(head)
    for name, *values in rows:
        wanted = [float(values[head.index(other)]) for other in names]
        assert weights[names.index(name)] == pytest.approx(wanted, abs=1e-12)
    assert challenge_weights("superclass", ("NORM",)) is None
    assert "2 of the 26 scored classes" in str(challenge_weights("cinc2021-scored", classes[2:]))


def test_challenge_score_equals_its_loop_and_its_ends() -> None:
    rng = np.random.default_rng(23)
    classes = tuple(LABEL_SETS["cinc2020-scored"])
    found = challenge_weights("cinc2020-scored", classes)
    assert isinstance(found, tuple)
    weights, normal = found

    def loop(truth: np.ndarray, given: np.ndarray) -> float:
        total = 0.0
        for t, g in zip(truth, given, strict=True):
            for j in np.flatnonzero(t):
                for k in np.flatnonzero(g):
                    total += weights[j, k] / max((t | g).sum(), 1)
        return total

    truth, given = rng.random((2, 60, len(classes))) < 0.08
    idle = np.zeros_like(truth)
    idle[:, normal] = True
    wanted = (loop(truth, given) - loop(truth, idle)) / (loop(truth, truth) - loop(truth, idle))
    assert challenge_score(truth, given, weights, normal=normal) == pytest.approx(wanted, abs=1e-12)
    assert challenge_score(truth, truth, weights, normal=normal) == pytest.approx(1.0)
    assert challenge_score(truth, idle, weights, normal=normal) == 0.0
    assert challenge_score(idle, given, weights, normal=normal) is None


def test_every_multiclass_metric_equals_sklearn_on_1000_tasks() -> None:
    """Any size, tied scores, classes that are never true or always; means over the classes that are kept."""
    rng = np.random.default_rng(24)
    degenerate = 0
    for _ in range(1000):
        n, k = int(rng.integers(1, 50)), int(rng.integers(2, 6))
        label = rng.choice(k, n, p=rng.dirichlet(np.full(k, 0.5)))
        truth = np.eye(k, dtype=np.uint8)[label]
        scores = rng.integers(1, 9, (n, k)) + 3.0 * truth * (rng.random() < 0.7)
        scores /= scores.sum(axis=1, keepdims=True)
        names = tuple(f"c{i}" for i in range(k))
        least = int(rng.integers(1, 4))
        found = evaluate(truth, scores, kind="multiclass", classes=names, min_positives=least)
        guess = scores.argmax(axis=1)
        kept = [i for i in range(k) if least <= truth[:, i].sum() <= n - least]
        assert found.left_out == tuple(name for i, name in enumerate(names) if i not in kept)
        assert found.metrics["accuracy"] == pytest.approx(accuracy_score(label, guess), abs=1e-12)
        if not kept:
            degenerate += 1
            assert found.metrics["macro_auroc"] is None
            assert found.undefined["macro_auroc"].startswith("no class has")
            continue
        m = found.metrics
        each = [roc_auc_score(truth[:, i], scores[:, i]) for i in kept]
        assert m["macro_auroc"] == pytest.approx(np.mean(each), abs=1e-12)
        each = [average_precision_score(truth[:, i], scores[:, i]) for i in kept]
        assert m["macro_auprc"] == pytest.approx(np.mean(each), abs=1e-12)
        f1 = f1_score(label, guess, labels=kept, average="macro", zero_division=0)
        assert m["macro_f1"] == pytest.approx(f1, abs=1e-12)
        recall = recall_score(label, guess, labels=kept, average="macro", zero_division=0)
        assert m["balanced_accuracy"] == pytest.approx(recall, abs=1e-12)
        if len(kept) == k:
            assert recall == pytest.approx(balanced_accuracy_score(label, guess), abs=1e-12)
        each = [brier_score_loss(truth[:, i], scores[:, i]) for i in kept]
        assert m["brier"] == pytest.approx(np.mean(each), abs=1e-12)
    assert 100 < degenerate < 900


def test_ece_equals_sklearns_curve_on_1000_tasks() -> None:
    """Without ties and with n a multiple of the bins, its quantile bins are bins of equal mass."""
    rng = np.random.default_rng(25)
    for _ in range(1000):
        bins = int(rng.integers(2, 16))
        n = bins * int(rng.integers(1, 8))
        score = (rng.permutation(n) + 0.5) / n
        truth = (rng.random(n) < rng.choice([0.0, 0.1, 0.5, 1.0])).astype(np.uint8)
        share, said = calibration_curve(truth, score, n_bins=bins, strategy="quantile", pos_label=1)
        wanted = np.abs(share - said).mean()
        assert ece(truth[:, None], score[:, None], bins=bins) == pytest.approx(wanted, abs=1e-12)


def test_fmax_equals_sklearns_sample_averages_on_1000_tasks() -> None:
    """Its precision is over all records, ours over those that are given a class: a factor apart."""
    rng = np.random.default_rng(26)
    undefined = 0
    for _ in range(1000):
        n, k = int(rng.integers(1, 12)), int(rng.integers(2, 5))
        truth = (rng.random((n, k)) < rng.choice([0.05, 0.4, 0.9])).astype(np.uint8)
        scores = rng.integers(0, 5, (n, k)) / 4
        if not truth.any():
            undefined += 1
            assert fmax(truth, scores) is None
            continue
        best = 0.0
        for t in (0.0, 0.25, 0.5, 0.75, 1.0):
            given = (scores >= t).astype(int)
            if given.any():
                p, r, _, _ = precision_recall_fscore_support(truth, given, average="samples", zero_division=0)
                p, r = p * n / given.any(axis=1).sum(), r * n / truth.any(axis=1).sum()
                best = max(best, 2 * p * r / (p + r) if p + r else 0.0)
        assert fmax(truth, scores) == pytest.approx(best, abs=1e-12)
    assert 10 < undefined < 900
