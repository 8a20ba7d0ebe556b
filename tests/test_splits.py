"""Splits: no patient twice, the test set fixed, label subsets nested and stratified."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecglipse.errors import TaskError
from ecglipse.splits import (
    by_folds,
    by_patient,
    fraction_subset,
    label_order,
    patient_rotations,
    restrict,
    rotations,
    shot_subset,
    strata,
)
from ecglipse.tasks import Labels, Task

FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)


def table(n: int = 400, *, per_patient: int = 2) -> pd.DataFrame:
    patient = np.arange(n) // per_patient
    return pd.DataFrame({"patient_id": [f"p{i}" for i in patient], "fold": patient % 10 + 1})


def labelled(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Multi-label y with a common, a middling and a rare class, and patients of one to four records."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, 3)) < [0.5, 0.2, 0.04]).astype(np.uint8)
    patients = np.repeat(np.arange(n), rng.integers(1, 5, n))[:n].astype(np.int64)
    return y, rng.permutation(patients)


@given(n=st.integers(40, 300), per_patient=st.integers(1, 3), seed=st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_rotations_of_drawn_patients_test_every_record_once(n: int, per_patient: int, seed: int) -> None:
    records = table(n, per_patient=per_patient)
    splits = patient_rotations(records, seed=seed)
    assert np.array_equal(np.sort(np.concatenate([s.test for s in splits])), np.arange(n))
    n_patients = records["patient_id"].nunique()
    for split in splits:
        assert np.array_equal(
            np.sort(np.concatenate([split.train, split.validation, split.test])), np.arange(n)
        )
        tested, choosing = (
            records["patient_id"].iloc[rows].nunique() for rows in (split.test, split.validation)
        )
        assert tested in (n_patients // 5, n_patients // 5 + 1)
        assert choosing == round(0.15 * n_patients)
    again, other = patient_rotations(records, seed=seed), patient_rotations(records, seed=seed + 1)
    assert [s.digest for s in again] == [s.digest for s in splits] != [s.digest for s in other]


@given(n=st.integers(20, 300), seed=st.integers(0, 50), draw=st.integers(0, 4))
@settings(max_examples=40, deadline=None)
def test_label_subsets_are_nested_and_hold_whole_patients(n: int, seed: int, draw: int) -> None:
    y, patients = labelled(n, seed)
    before: set[int] = set()
    for fraction in FRACTIONS:
        chosen = fraction_subset(y, patients, fraction, seed=0, draw=draw)
        assert before <= set(chosen.tolist())
        before = set(chosen.tolist())
        outside = np.setdiff1d(np.arange(n), chosen)
        assert not set(patients[chosen]) & set(patients[outside])
        assert len(chosen) >= fraction * n - 1e-9
    assert before == set(range(n))


@given(n=st.integers(20, 300), seed=st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_every_subset_has_a_positive_and_a_negative_of_each_class_that_has_them(n: int, seed: int) -> None:
    y, patients = labelled(n, seed)
    few = y[fraction_subset(y, patients, 0.01, seed=0, draw=0)]
    assert (few.any(axis=0) == y.any(axis=0)).all()
    assert ((1 - few).any(axis=0) == (1 - y).any(axis=0)).all()


def test_subsets_are_stratified() -> None:
    """Ten draws of 10 % of 2,000: shares within 2.5 points, and twice as close as random subsets."""
    y, patients = labelled(2000, 3)
    rng = np.random.default_rng(0)
    ours, chance = [], []
    for draw in range(10):
        chosen = fraction_subset(y, patients, 0.1, seed=0, draw=draw)
        assert 200 <= len(chosen) <= 204
        ours.append(np.abs(y[chosen].mean(axis=0) - y.mean(axis=0)))
        chance.append(np.abs(y[rng.permutation(2000)[:200]].mean(axis=0) - y.mean(axis=0)))
    assert np.max(ours) < 0.025
    assert np.mean(ours) < 0.5 * np.mean(chance)


@given(n=st.integers(20, 120), seed=st.integers(0, 50), draw=st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_shots_are_nested_hold_whole_patients_and_enough_of_each_class(n: int, seed: int, draw: int) -> None:
    rng = np.random.default_rng(seed)
    y = (rng.random((n, 3)) < [0.6, 0.2, 0.03]).astype(np.uint8)
    patients = rng.integers(0, max(2, n // 2), size=n)
    full = np.concatenate([y, ~y.any(axis=1, keepdims=True)], axis=1).astype(int)
    smaller: set[int] = set()
    for k in (1, 5, 10, 25):
        chosen = shot_subset(y, patients, k, seed=0, draw=draw)
        assert (full[chosen].sum(axis=0) >= np.minimum(k, full.sum(axis=0))).all()
        assert set(np.flatnonzero(np.isin(patients, patients[chosen]))) == set(chosen)
        assert smaller <= set(chosen)
        smaller = set(chosen)


def test_shots_of_a_binary_task_are_k_of_each_side() -> None:
    y = (np.arange(400) % 10 == 0).astype(np.uint8)[:, None]
    chosen = shot_subset(y, np.arange(400), 7, seed=0, draw=0)
    assert (len(chosen), int(y[chosen].sum())) == (14, 7)
    assert not np.array_equal(chosen, shot_subset(y, np.arange(400), 7, seed=0, draw=1))
    assert np.array_equal(chosen, shot_subset(y, np.arange(400), 7, seed=0, draw=0))
    with pytest.raises(ValueError, match="`k` must be 1 or more"):
        shot_subset(y, np.arange(400), 0, seed=0, draw=0)


def test_numbers_are_stratified_by_fifths_and_nested() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(60, 15, size=(500, 1)).astype(np.float32)
    patients = np.arange(500)
    edges = np.quantile(y, [0.2, 0.4, 0.6, 0.8])
    smaller: set[int] = set()
    for fraction in (0.02, 0.1, 0.5, 1.0):
        chosen = fraction_subset(y, patients, fraction, seed=0, draw=1)
        counts = np.bincount(np.searchsorted(edges, y[chosen, 0], side="right"), minlength=5)
        assert counts.max() - counts.min() <= 1
        assert smaller <= set(chosen.tolist())
        smaller = set(chosen.tolist())
    assert strata(np.ones((4, 1), dtype=np.float32)).shape == (4, 1), "equal numbers are one stratum"


def test_draws_differ_and_repeat() -> None:
    y, patients = labelled(300, 1)
    first, again, other = (fraction_subset(y, patients, 0.1, seed=0, draw=draw) for draw in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_order_is_a_permutation_and_quick_for_twenty_thousand() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random((20_000, 5)) < 0.2).astype(np.uint8)
    start = time.process_time()
    order = label_order(y, np.arange(20_000, dtype=np.int64), seed=0, draw=0)
    assert time.process_time() - start < 10
    assert np.array_equal(np.sort(order), np.arange(20_000))


def test_fraction_must_be_a_share() -> None:
    y, patients = labelled(30, 0)
    with pytest.raises(ValueError, match=r"`fraction` must be in \(0, 1\]; got 0"):
        fraction_subset(y, patients, 0.0, seed=0, draw=0)


def test_folds_make_disjoint_parts() -> None:
    split = by_folds(table(), train=[1, 2], validation=[9], test=[10])
    assert [len(part) for part in (split.train, split.validation, split.test)] == [80, 40, 40]
    assert len(split.digest) == 16
    assert split.digest == by_folds(table(), train=[2, 1], validation=[9], test=[10]).digest
    assert split.digest != by_folds(table(), train=[1, 3], validation=[9], test=[10]).digest


def test_a_patient_in_two_parts_is_refused() -> None:
    leaky = table()
    leaky.loc[leaky.index[leaky["fold"] == 10][0], "patient_id"] = leaky["patient_id"][0]
    with pytest.raises(TaskError, match="1 patients are both in the train and the test part"):
        by_folds(leaky, train=[1], validation=[9], test=[10])


def test_empty_parts_and_missing_folds_are_refused() -> None:
    with pytest.raises(TaskError, match="the validation part has no record"):
        by_folds(table(), train=[1], validation=[77], test=[10])
    none = table()
    none["fold"] = pd.array([pd.NA] * len(none), dtype="Int64")
    with pytest.raises(TaskError, match="no folds") as caught:
        by_folds(none, train=[1], validation=[9], test=[10])
    assert "patients" in str(caught.value)


@given(n=st.integers(40, 200), seed=st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_split_by_patient_covers_everything_once(n: int, seed: int) -> None:
    records = table(n, per_patient=3)
    split = by_patient(records, seed=seed)
    together = np.concatenate([split.train, split.validation, split.test])
    assert np.array_equal(np.sort(together), np.arange(n))
    sets = [set(records["patient_id"].iloc[part]) for part in (split.train, split.validation, split.test)]
    assert not sets[0] & sets[1] | sets[0] & sets[2] | sets[1] & sets[2]


def test_rotations_test_every_record_once() -> None:
    splits = rotations(table())
    assert len(splits) == 5
    assert np.array_equal(np.sort(np.concatenate([split.test for split in splits])), np.arange(400))
    assert all(len(split.train) == 7 * 40 for split in splits)


def test_restrict_keeps_labelled_rows_and_refuses_an_empty_part() -> None:
    split = by_folds(table(), train=[1, 2], validation=[9], test=[10])
    task = Task("t", "T", "binary", ("a",))

    def labels(rows: np.ndarray) -> Labels:
        return Labels(task, rows, np.ones((len(rows), 1), dtype=np.uint8), np.arange(len(rows)))

    some = restrict(split, labels(np.arange(0, 400, 3, dtype=np.int64)))
    assert set(some.test) == {row for row in split.test if row % 3 == 0}
    with pytest.raises(TaskError, match="task 't': no labelled record in the validation part"):
        restrict(split, labels(np.setdiff1d(np.arange(400), split.validation).astype(np.int64)))


def test_shares_do_not_wait_for_rare_classes_that_they_cannot_be_expected_to_hold() -> None:
    """One record in a thousand has the last class; a share that waits for it is mostly much larger."""
    rng = np.random.default_rng(0)
    y = np.stack([rng.random(1000) < 0.3, rng.random(1000) < 0.05, np.arange(1000) == 700], axis=1)
    y, patients = y.astype(np.uint8), np.arange(1000)
    waits = [len(fraction_subset(y, patients, 0.01, seed=0, draw=d)) for d in range(5)]
    sizes = {f: [] for f in (0.01, 0.1, 0.5)}
    for draw in range(5):
        held: set[int] = set()
        for fraction, found in sizes.items():
            chosen = fraction_subset(y, patients, fraction, seed=0, draw=draw, rare=True)
            assert held <= set(chosen), "nested"
            held = set(chosen)
            found.append(len(chosen))
            assert y[chosen, 0].any()
            assert fraction < 0.1 or y[chosen, 1].any()
    assert sizes == {0.01: [10] * 5, 0.1: [100] * 5, 0.5: [500] * 5}
    assert max(waits) > 300
    every = [len(fraction_subset(y, patients, 1.0, seed=0, draw=0, rare=rare)) for rare in (False, True)]
    assert every == [1000, 1000]
