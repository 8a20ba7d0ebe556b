"""Probes: what a frozen encoder's features are worth, by logistic regression and by nearest neighbours.

Both choose their one setting by the validation labels' mean log loss: a proper score that is defined even
when a small validation set lacks a class, where an AUROC is not. No torch here.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Num

from ecglipse.transfer.ridge import PENALTIES, ridge_path

Kind = Literal["multilabel", "multiclass", "binary", "regression"]
GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
NEIGHBOURS = (1, 3, 5, 10, 20, 50)


@dataclass(frozen=True)
class ProbeResult:
    """What a probe gives.

    Args:
        test_scores: probabilities; of a regression, the predicted numbers.
        validation_scores: likewise.
        chosen: the setting that validation chose, and what else is worth knowing.
        validation_loss: mean log loss of the chosen one, nats; of a regression, its mean squared error.
    """

    test_scores: Float[np.ndarray, "test class"]
    validation_scores: Float[np.ndarray, "validation class"]
    chosen: dict[str, Any]
    validation_loss: float


def linear_probe(
    train_x: Float[np.ndarray, "train dim"],
    train_y: Num[np.ndarray, "train class"],
    validation_x: Float[np.ndarray, "validation dim"],
    validation_y: Num[np.ndarray, "validation class"],
    test_x: Float[np.ndarray, "test dim"],
    *,
    kind: Kind,
    grid: Sequence[float] = GRID,
) -> ProbeResult:
    """Standardise by the training records, fit logistic regressions, choose C on validation.

    Multi-class: one multinomial regression. Else one regression a class; a class with a single value among
    the training records scores its prevalence, with one count of each value added.

    Args:
        train_x: features.
        train_y: labels.
        validation_x: features of the records that choose.
        validation_y: their labels.
        test_x: features of the test records.
        kind: of the task. A regression is a ridge regression, its penalty chosen on validation.
        grid: values of C (inverse strength of the L2 penalty), ascending; ties go to the smaller.
    """
    mean, spread = train_x.mean(axis=0), train_x.std(axis=0)
    spread[spread < 1e-6] = 1.0
    train, validation, test = (
        ((x - mean) / spread).astype(np.float64) for x in (train_x, validation_x, test_x)
    )
    if kind == "regression":
        return _ridge(train, train_y, validation, validation_y, test)
    best: ProbeResult | None = None
    unconverged, models = 0, _Regressions(train, train_y, kind)
    for strength in sorted(grid):
        unconverged += models.fit(strength)
        scores = models.scores(validation)
        loss = log_loss(validation_y, scores, kind)
        if best is None or loss < best.validation_loss - 1e-12:
            best = ProbeResult(models.scores(test), scores, {"C": strength}, loss)
    if best is None:
        raise ValueError("`grid` must hold at least one value; got none")
    if unconverged:
        best.chosen["not_converged"] = unconverged
    return best


def _ridge(
    train: np.ndarray, train_y: np.ndarray, validation: np.ndarray, validation_y: np.ndarray, test: np.ndarray
) -> ProbeResult:
    """Ridge regression, its penalty by validation; ties go to the larger."""
    best: ProbeResult | None = None
    penalties = sorted(PENALTIES, reverse=True)
    for penalty, (on_validation, on_test) in zip(
        penalties, ridge_path(train, train_y, [validation, test], penalties=penalties), strict=True
    ):
        loss = log_loss(validation_y, on_validation, "regression")
        if best is None or loss < best.validation_loss - 1e-12:
            best = ProbeResult(on_test, on_validation, {"penalty": penalty}, loss)
    assert best is not None
    return best


class _Regressions:
    """The regressions of one task, warm-started from one C to the next."""

    def __init__(self, x: np.ndarray, y: np.ndarray, kind: Kind) -> None:
        self.x, self.y, self.kind = x, y, kind
        self.columns = [y.argmax(axis=1)] if kind == "multiclass" else list(y.T)
        self.models: list[Any] = [self._new(column) for column in self.columns]

    def _new(self, column: np.ndarray) -> Any:
        from sklearn.linear_model import LogisticRegression

        single = len(np.unique(column)) < 2
        return None if single else LogisticRegression(max_iter=500, tol=1e-4, warm_start=True)

    def fit(self, strength: float) -> int:
        """Fit all at this C; gives how many did not converge."""
        from sklearn.exceptions import ConvergenceWarning

        missed = 0
        for model, column in zip(self.models, self.columns, strict=True):
            if model is None:
                continue
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ConvergenceWarning)
                model.set_params(C=strength).fit(self.x, column)
            missed += any(issubclass(w.category, ConvergenceWarning) for w in caught)
        return missed

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Probabilities, a column a class."""
        n_classes = self.y.shape[1]
        scores = np.empty((len(x), n_classes))
        if self.kind == "multiclass":
            (model,) = self.models
            prevalence = (self.y.sum(axis=0) + 1) / (len(self.y) + n_classes)
            if model is None:
                scores[:] = prevalence
                return scores
            scores[:] = 1e-9
            scores[:, model.classes_] = model.predict_proba(x)
            shares: np.ndarray = scores / scores.sum(axis=1, keepdims=True)
            return shares
        for k, model in enumerate(self.models):
            if model is None:
                scores[:, k] = (self.y[:, k].sum() + 1) / (len(self.y) + 2)
            else:
                scores[:, k] = model.predict_proba(x)[:, 1]
        return scores


def knn_probe(
    train_x: Float[np.ndarray, "train dim"],
    train_y: Num[np.ndarray, "train class"],
    validation_x: Float[np.ndarray, "validation dim"],
    validation_y: Num[np.ndarray, "validation class"],
    test_x: Float[np.ndarray, "test dim"],
    *,
    kind: Kind,
    neighbours: Sequence[int] = NEIGHBOURS,
) -> ProbeResult:
    """Nearest neighbours by cosine similarity, weighted by exp(similarity / 0.1); k chosen on validation.

    A score is the weighted share of neighbours with the class, drawn towards the class's prevalence with the
    weight of one neighbour, so that no probability is 0 or 1; of a regression, the weighted mean, drawn
    towards the mean of all. Arguments as `linear_probe`.

    Source:
        Wu et al. 2018, arXiv:1805.01978, section 3.4 (weights). Departures: the prevalence term.
    """
    mean = train_x.mean(axis=0)
    train, validation, test = (_unit(x - mean) for x in (train_x, validation_x, test_x))
    most = sorted({min(k, len(train)) for k in neighbours})
    prevalence = (train_y.sum(axis=0) + 1) / (
        len(train_y) + (train_y.shape[1] if kind == "multiclass" else 2)
    )
    if kind == "regression":
        prevalence = train_y.mean(axis=0)
    on_validation = _neighbour_scores(train, train_y, validation, most, prevalence)
    losses = [log_loss(validation_y, scores, kind) for scores in on_validation]
    best = int(np.argmin(losses))
    (scores,) = _neighbour_scores(train, train_y, test, [most[best]], prevalence)
    return ProbeResult(scores, on_validation[best], {"k": most[best]}, losses[best])


def _neighbour_scores(
    train: np.ndarray, y: np.ndarray, x: np.ndarray, counts: Sequence[int], prevalence: np.ndarray
) -> list[np.ndarray]:
    similarity = x @ train.T
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, : max(counts)]
    weight = np.exp((np.take_along_axis(similarity, nearest, axis=1) - 1) / 0.1)
    found = []
    for k in counts:
        w = weight[:, :k] / weight[:, :k].sum(axis=1, keepdims=True)
        votes = np.einsum("nk,nkc->nc", w, y[nearest[:, :k]].astype(np.float64))
        found.append((k * votes + prevalence) / (k + 1))
    return found


def log_loss(
    y: Num[np.ndarray, "record class"], scores: Float[np.ndarray, "record class"], kind: Kind
) -> float:
    """Mean log loss in nats, over records (multi-class) or records and classes; else the mean square."""
    if kind == "regression":
        return float(np.mean((scores - y.astype(np.float64)) ** 2))
    p = np.clip(scores.astype(np.float64), 1e-7, 1 - 1e-7)
    if kind == "multiclass":
        return float(-(y * np.log(p)).sum(axis=1).mean())
    return float(-(y * np.log(p) + (1 - y.astype(np.float64)) * np.log1p(-p)).mean())


def _unit(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True).clip(min=1e-12))
