"""Splits: which rows of a store train, choose and test, by patient; and nested subsets of labels."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int, UInt8

from ecglipse.errors import TaskError
from ecglipse.seeding import numpy_rng
from ecglipse.tasks import Labels

ROTATIONS: Final = 5
"""Test sets that share no patient and together are all of a store."""


@dataclass(frozen=True)
class Split:
    """Three disjoint sets of rows; no patient is in two of them.

    Args:
        train: rows of the store, ascending.
        validation: likewise.
        test: likewise.
    """

    train: Int[np.ndarray, " train"]
    validation: Int[np.ndarray, " validation"]
    test: Int[np.ndarray, " test"]

    @property
    def digest(self) -> str:
        """16 hex digits of all three."""
        parts = (self.train, self.validation, self.test)
        text = "|".join(",".join(str(int(row)) for row in part) for part in parts)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def by_folds(
    table: pd.DataFrame, *, train: Sequence[int], validation: Sequence[int], test: Sequence[int]
) -> Split:
    """Split by the corpus' own folds.

    Args:
        table: of the store's records, with columns `fold` and `patient_id`.
        train: folds to train on.
        validation: folds that choose.
        test: folds that are read once.

    Raises:
        TaskError: if the store has no folds, a part is empty, or a patient is in two parts.
    """
    folds = table["fold"]
    if folds.isna().all():
        raise TaskError(
            "the store's records have no folds", hint='split by patient: `[split]` with `kind = "patients"`'
        )
    rows = [np.flatnonzero(folds.isin(list(part)).to_numpy()) for part in (train, validation, test)]
    return _checked(table, rows)


def by_patient(table: pd.DataFrame, *, seed: int, validation: float = 0.15, test: float = 0.25) -> Split:
    """Split by drawing patients.

    Args:
        table: of the store's records, with a column `patient_id`.
        seed: of the draw.
        validation: share of the patients that choose.
        test: share of the patients that are read once.

    Raises:
        TaskError: if a part is empty.
    """
    codes, patients = pd.factorize(table["patient_id"])
    order = numpy_rng(seed, "split").permutation(len(patients))
    n_test, n_validation = round(test * len(order)), round(validation * len(order))
    part = np.zeros(len(patients), dtype=np.int64)
    part[order[:n_test]] = 2
    part[order[n_test : n_test + n_validation]] = 1
    return _checked(table, [np.flatnonzero(part[codes] == name) for name in (0, 1, 2)])


def patient_rotations(
    table: pd.DataFrame, *, seed: int, n: int = ROTATIONS, validation: float = 0.15
) -> list[Split]:
    """Draw patients once into n folds and rotate them through the test set: no patient is tested twice.

    The patients that follow the tested fold choose; all others train.

    Args:
        table: of the store's records, with a column `patient_id`.
        seed: of the draw.
        n: folds.
        validation: share of the patients that choose.

    Raises:
        TaskError: if a part is empty.
    """
    codes, patients = pd.factorize(table["patient_id"])
    order = numpy_rng(seed, "split").permutation(len(patients))
    n_validation, start = round(validation * len(order)), 0
    splits = []
    for fold in np.array_split(order, n):
        part = np.zeros(len(patients), dtype=np.int64)
        others = np.roll(order, -start)[len(fold) :]
        part[fold], part[others[:n_validation]] = 2, 1
        splits.append(_checked(table, [np.flatnonzero(part[codes] == name) for name in (0, 1, 2)]))
        start += len(fold)
    return splits


def rotations(table: pd.DataFrame, *, n: int = ROTATIONS) -> list[Split]:
    """Rotate folds 1..2n through the test set, two at a time; the next pair's first fold chooses.

    Raises:
        TaskError: if a fold is missing or a patient is in two parts.
    """
    splits = []
    for turn in range(n):
        test = (2 * turn + 1, 2 * turn + 2)
        validation = (2 * ((turn + 1) % n) + 1,)
        train = [fold for fold in range(1, 2 * n + 1) if fold not in test + validation]
        splits.append(by_folds(table, train=train, validation=validation, test=test))
    return splits


def everything(table: pd.DataFrame) -> Split:
    """Train on all rows: for encoders that are read on other databases alone."""
    nothing = np.zeros(0, dtype=np.int64)
    return Split(np.arange(len(table)), nothing, nothing)


def restrict(split: Split, labels: Labels) -> Split:
    """Keep the labelled rows of each part.

    Raises:
        TaskError: if a part has none.
    """
    parts = {
        name: np.intersect1d(getattr(split, name), labels.rows) for name in ("train", "validation", "test")
    }
    for name, rows in parts.items():
        if not len(rows):
            raise TaskError(f"task {labels.task.name!r}: no labelled record in the {name} part")
    return Split(**parts)


def label_order(
    y: UInt8[np.ndarray, "record class"],
    patients: Int[np.ndarray, " record"],
    *,
    seed: int,
    draw: int,
) -> Int[np.ndarray, " record"]:
    """Order records so that every beginning of the order is stratified; patients stay together.

    Greedy: the next patient comes from the class that is furthest behind its share of what has been
    taken; within a class, and between patients, order is drawn. Records without a class form one more.

    Args:
        y: labels.
        patients: code of each record's patient.
        seed: of the order.
        draw: each has an order of its own.

    Returns:
        A permutation of 0..n-1.

    Source:
        Sechidis et al. 2011, "On the Stratification of Multi-Label Data". Departures: one growing subset
        instead of k folds.
    """
    rng = numpy_rng(seed, "labels", draw)
    _, codes = np.unique(patients, return_inverse=True)
    n_patients = int(codes.max()) + 1
    full = np.concatenate([y, ~y.any(axis=1, keepdims=True)], axis=1).astype(np.float64)
    has = np.zeros((n_patients, full.shape[1]))
    np.add.at(has, codes, full)
    share = has.sum(axis=0) / max(has.sum(), 1)
    queues = [list(rng.permutation(np.flatnonzero(column))[::-1]) for column in has.T]
    taken, used = np.zeros(full.shape[1]), np.zeros(n_patients, dtype=bool)
    order: list[int] = []
    while len(order) < n_patients:
        lag = share * (taken.sum() + 1) - taken
        for column in np.argsort(-lag, kind="stable"):
            queue = queues[column]
            while queue and used[queue[-1]]:
                queue.pop()
            if queue:
                patient = int(queue.pop())
                used[patient] = True
                order.append(patient)
                taken += has[patient]
                break
    place = np.empty(n_patients, dtype=np.int64)
    place[order] = np.arange(n_patients)
    return np.lexsort((rng.permutation(len(codes)), place[codes]))


def strata(
    y: UInt8[np.ndarray, "record class"] | Float32[np.ndarray, "record 1"],
) -> UInt8[np.ndarray, "record stratum"]:
    """Give labels as they are, and numbers as the fifth of all numbers that they lie in, one-hot."""
    if y.dtype == np.uint8:
        return np.asarray(y)
    edges = np.unique(np.quantile(y[:, 0], [0.2, 0.4, 0.6, 0.8]))
    found = np.eye(len(edges) + 1, dtype=np.uint8)[np.searchsorted(edges, y[:, 0], side="right")]
    return np.asarray(found[:, found.any(axis=0)])


def fraction_subset(
    y: UInt8[np.ndarray, "record class"] | Float32[np.ndarray, "record 1"],
    patients: Int[np.ndarray, " record"],
    fraction: float,
    *,
    seed: int,
    draw: int,
    rare: bool = False,
) -> Int[np.ndarray, " chosen"]:
    """Take a share of the labels: nested in every larger one, stratified, patients together.

    It is as long as `fraction` asks for, or longer where that is needed to hold a positive and a negative of
    every class that has one, and then to the end of the last patient's records. Of `rare` classes only those
    are waited for of which so large a share has one on average: one record in a thousand would else make
    every share a thousand records.

    Args:
        y: labels of all training records; numbers are stratified by fifths.
        patients: code of each record's patient.
        fraction: share of the records, in (0, 1].
        seed: of the order.
        draw: which subset of this size.
        rare: whether classes may be missing.

    Returns:
        Positions in `y`, ascending.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"`fraction` must be in (0, 1]; got {fraction}")
    y = strata(y)
    order = label_order(y, patients, seed=seed, draw=draw)
    sorted_y = y[order].astype(bool)
    least = 1 / fraction - 1e-9 if rare else 1
    columns = (*sorted_y.T, *(~sorted_y).T)
    firsts = [int(np.argmax(column)) + 1 for column in columns if column.sum() >= least]
    size = max(ceil(fraction * len(y) - 1e-9), *firsts, 2)
    while size < len(order) and patients[order[size]] == patients[order[size - 1]]:
        size += 1
    return np.sort(order[:size])


def shot_subset(
    y: UInt8[np.ndarray, "record class"] | Float32[np.ndarray, "record 1"],
    patients: Int[np.ndarray, " record"],
    k: int,
    *,
    seed: int,
    draw: int,
) -> Int[np.ndarray, " chosen"]:
    """Take k records of each class, or all there are: nested in every larger k, patients together.

    "No class at all" (the negatives of a binary task) counts as a class, and so does each fifth of the
    numbers of a regression. Classes take turns, the rarest first; a patient comes with all records, and a
    record counts for all its classes, so a class may have more than k.

    Args:
        y: labels of all training records.
        patients: code of each record's patient.
        k: records of each class.
        seed: of the order.
        draw: which subset of this size.

    Returns:
        Positions in `y`, ascending.
    """
    if k < 1:
        raise ValueError(f"`k` must be 1 or more; got {k}")
    levels = strata(y)
    full = np.concatenate([levels, ~levels.any(axis=1, keepdims=True)], axis=1).astype(np.int64)
    _, codes = np.unique(patients, return_inverse=True)
    has = np.zeros((int(codes.max()) + 1, full.shape[1]), dtype=np.int64)
    np.add.at(has, codes, full)
    rng = numpy_rng(seed, "shots", draw)
    queues = [list(rng.permutation(np.flatnonzero(column))[::-1]) for column in has.T]
    total, count = has.sum(axis=0), np.zeros(full.shape[1], dtype=np.int64)
    taken = np.zeros(len(has), dtype=bool)
    for turn in range(1, k + 1):
        for column in np.argsort(total, kind="stable"):
            queue = queues[column]
            while count[column] < min(turn, total[column]):
                patient = int(queue.pop())
                if not taken[patient]:
                    taken[patient] = True
                    count += has[patient]
    return np.flatnonzero(taken[codes]).astype(np.int64)


def _checked(table: pd.DataFrame, parts: list[np.ndarray]) -> Split:
    """Refuse empty parts and patients in two parts."""
    names = ("train", "validation", "test")
    patients = [set(table["patient_id"].iloc[rows]) for rows in parts]
    for name, rows in zip(names, parts, strict=True):
        if not len(rows):
            raise TaskError(f"the {name} part has no record", hint="look at `[split]` in the config")
    for a in range(3):
        for b in range(a):
            shared = patients[a] & patients[b]
            if shared:
                raise TaskError(f"{len(shared)} patients are both in the {names[b]} and the {names[a]} part")
    return Split(*(rows.astype(np.int64) for rows in parts))
