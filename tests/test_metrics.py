"""Metrics against scikit-learn, closed forms and by-hand counts; what is undefined is None, with a reason."""

from collections.abc import Iterator

import jaxtyping
import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)

from ecglipse.metrics import (
    apply_temperature,
    auprc,
    auroc,
    best_thresholds,
    brier,
    ece,
    evaluate,
    evaluate_numbers,
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
    assert all_three.metrics == two.metrics
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
            assert m.metrics["r2"] == pytest.approx(r2_score(y, p), rel=1e-9, abs=1e-12)
            assert m.metrics["slope"] == pytest.approx(np.polyfit(y[:, 0], p[:, 0], 1)[0], rel=1e-6, abs=1e-9)
    assert 100 < degenerate < 900


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        evaluate_numbers(np.ones((2, 1)), np.array([[1.0], [np.nan]]))
    with pytest.raises(ValueError, match="at least one record"):
        evaluate_numbers(np.ones((0, 1)), np.ones((0, 1)))
