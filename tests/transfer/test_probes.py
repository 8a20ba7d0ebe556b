"""Probes: equal to scikit-learn and to a loop by hand; chosen by validation and by nothing else."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecglipse.metrics import auroc
from ecglipse.transfer.probes import GRID, knn_probe, linear_probe, log_loss
from ecglipse.transfer.ridge import PENALTIES

RNG = np.random.default_rng(0)
X = RNG.standard_normal((300, 4)).astype(np.float32) * np.array([1, 0.5, 2, 1], dtype=np.float32)
SCORE = X[:, 0] * 8 + 0.3 * RNG.standard_normal(300)
BINARY = (SCORE > 0).astype(np.uint8)[:, None]
MULTI = np.stack([X[:, 0] > 0, X[:, 1] > 0.4, X[:, 2] > 1], axis=1).astype(np.uint8)
CLASS = np.eye(3, dtype=np.uint8)[np.digitize(X[:, 3], [-1.0, 1.0])]
TASKS = {"binary": BINARY, "multilabel": MULTI, "multiclass": CLASS}


def parts(y: np.ndarray) -> tuple:
    return X[:200], y[:200], X[200:250], y[200:250], X[250:]


@pytest.mark.parametrize("kind", TASKS)
def test_linear_probe_equals_a_scikit_learn_pipeline_at_the_chosen_c(kind: str) -> None:
    y = TASKS[kind]
    result = linear_probe(*parts(y), kind=kind)
    assert result.chosen["C"] in GRID
    columns = [y[:200].argmax(1)] if kind == "multiclass" else list(y[:200].T)
    wanted = []
    for column in columns:
        model = LogisticRegression(C=result.chosen["C"], max_iter=5000, tol=1e-8)
        wanted.append(make_pipeline(StandardScaler(), model).fit(X[:200], column).predict_proba(X[250:]))
    stacked = wanted[0] if kind == "multiclass" else np.stack([p[:, 1] for p in wanted], axis=1)
    np.testing.assert_allclose(result.test_scores, stacked, atol=0.01)


@pytest.mark.parametrize("probe", [linear_probe, knn_probe])
@pytest.mark.parametrize("kind", TASKS)
def test_scores_are_probabilities_and_beat_chance(probe, kind: str) -> None:
    result = probe(*parts(TASKS[kind]), kind=kind)
    for scores in (result.test_scores, result.validation_scores):
        assert (scores >= 0).all()
        assert (scores <= 1).all()
    if kind == "multiclass":
        np.testing.assert_allclose(result.test_scores.sum(axis=1), 1, atol=1e-9)
    truth = TASKS[kind][250:]
    assert np.mean([auroc(truth[:, k], result.test_scores[:, k]) for k in range(truth.shape[1])]) > 0.65


def test_separable_data_are_separated() -> None:
    y = (X[:, 2] > 0).astype(np.uint8)[:, None]
    easy = X.copy()
    easy[:, 2] = 5 * (2.0 * y[:, 0] - 1)
    result = linear_probe(easy[:200], y[:200], easy[200:250], y[200:250], easy[250:], kind="binary")
    assert auroc(y[250:, 0], result.test_scores[:, 0]) == 1


def test_c_is_the_one_of_least_validation_loss() -> None:
    losses = {c: linear_probe(*parts(MULTI), kind="multilabel", grid=[c]).validation_loss for c in GRID}
    chosen = linear_probe(*parts(MULTI), kind="multilabel")
    assert chosen.validation_loss == pytest.approx(min(losses.values()), rel=1e-2)


@pytest.mark.parametrize("probe", [linear_probe, knn_probe])
def test_nothing_is_chosen_by_the_test_set(probe) -> None:
    one = probe(*parts(BINARY), kind="binary")
    *rest, test = parts(BINARY)
    other = probe(*rest, test[::-1] * 3, kind="binary")
    assert one.chosen == other.chosen
    np.testing.assert_array_equal(one.validation_scores, other.validation_scores)
    turned = probe(*rest, test[::-1], kind="binary")
    np.testing.assert_allclose(turned.test_scores[::-1], one.test_scores, rtol=1e-9)


def test_a_class_with_one_value_among_the_labels_scores_its_prevalence() -> None:
    y = MULTI.copy()
    y[:200, 2] = 0
    result = linear_probe(*parts(y), kind="multilabel")
    np.testing.assert_allclose(result.test_scores[:, 2], 1 / 202)
    missing = CLASS.copy()
    missing[:200] = [1, 0, 0]
    scores = linear_probe(*parts(missing), kind="multiclass").test_scores
    np.testing.assert_allclose(scores, np.tile([201 / 203, 1 / 203, 1 / 203], (50, 1)))


def test_a_constant_feature_is_no_harm() -> None:
    flat = X.copy()
    flat[:, 1] = 2.5
    result = linear_probe(flat[:200], BINARY[:200], flat[200:250], BINARY[200:250], flat[250:], kind="binary")
    assert np.isfinite(result.test_scores).all()


def test_neighbours_equal_a_loop_by_hand() -> None:
    result = knn_probe(*parts(MULTI), kind="multilabel")
    k, mean = result.chosen["k"], X[:200].mean(axis=0)
    train = X[:200].astype(np.float64) - mean
    prevalence = (MULTI[:200].sum(axis=0) + 1) / 202
    for row in range(5):
        query = X[250 + row].astype(np.float64) - mean
        cosine = np.array([t @ query / np.linalg.norm(t) / np.linalg.norm(query) for t in train])
        near = np.argsort(-cosine)[:k]
        weight = np.exp((cosine[near] - 1) / 0.1)
        votes = (weight[:, None] * MULTI[:200][near]).sum(axis=0) / weight.sum()
        np.testing.assert_allclose(result.test_scores[row], (k * votes + prevalence) / (k + 1), rtol=1e-6)


def test_log_loss_equals_its_equation() -> None:
    y, p = np.array([[1, 0], [0, 1]], dtype=np.uint8), np.array([[0.8, 0.3], [0.1, 0.6]])
    by_hand = -np.mean(np.log([0.8, 0.7, 0.9, 0.6]))
    assert log_loss(y, p, "multilabel") == pytest.approx(by_hand)
    one_hot = np.array([[1, 0], [0, 1]], dtype=np.uint8)
    q = np.array([[0.8, 0.2], [0.4, 0.6]])
    assert log_loss(one_hot, q, "multiclass") == pytest.approx(-np.mean(np.log([0.8, 0.6])))


def test_ridge_equals_scikit_learn_at_the_chosen_penalty() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(160, 30)).astype(np.float32)
    y = (60 + 10 * x[:, [0]] - 5 * x[:, [3]] + rng.normal(0, 8, (160, 1))).astype(np.float32)
    found = linear_probe(x[:80], y[:80], x[80:120], y[80:120], x[120:], kind="regression")
    model = make_pipeline(StandardScaler(), Ridge(alpha=80 * found.chosen["penalty"])).fit(x[:80], y[:80])
    assert found.test_scores[:, 0] == pytest.approx(model.predict(x[120:]).ravel(), abs=1e-3)
    losses = {}
    for penalty in PENALTIES:
        one = make_pipeline(StandardScaler(), Ridge(alpha=80 * penalty)).fit(x[:80], y[:80])
        losses[penalty] = float(np.mean((one.predict(x[80:120]).reshape(-1, 1) - y[80:120]) ** 2))
    assert found.chosen["penalty"] == min(losses, key=losses.__getitem__)
    assert found.validation_loss == pytest.approx(min(losses.values()), rel=1e-4)


@pytest.mark.parametrize("probe", [linear_probe, knn_probe])
def test_a_number_is_read_and_a_constant_gives_the_mean(probe) -> None:
    rng = np.random.default_rng(9)
    y = rng.normal(60, 15, size=(300, 1)).astype(np.float32)
    x = (y - 60) / 15 * np.array([[1.0, -0.5, 0.2]]) + rng.normal(0, 0.2, (300, 3))
    x = np.concatenate([x, rng.normal(size=(300, 1))], axis=1).astype(np.float32)
    found = probe(x[:200], y[:200], x[200:250], y[200:250], x[250:], kind="regression")
    assert np.corrcoef(found.test_scores[:, 0], y[250:, 0])[0, 1] > 0.8
    none = np.zeros((300, 1), dtype=np.float32)
    flat = linear_probe(none[:200], y[:200], none[200:250], y[200:250], none[250:], kind="regression")
    assert flat.test_scores == pytest.approx(np.full((50, 1), y[:200].mean()), rel=1e-6)
