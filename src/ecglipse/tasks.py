"""Tasks: what a label is, and which records of a store carry one. No torch, nothing read from disk."""

import difflib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int, UInt8

from ecglipse.corpora.label_sets import CHAPMAN_RHYTHMS, LABEL_SETS
from ecglipse.errors import TaskError

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
OLDEST = 90.0
"""Stores hold 90 for "over 89" (PTB-XL writes 300): no age that a regression could learn."""
STATEMENT_RECORDS = 40
"""A statement with fewer records than this is left out of the task "statements"."""
KINDS = {
    "diagnostic": ("Diagnostic statements", "diagnostic"),
    "form": ("Form statements", "form"),
    "rhythm-statements": ("Rhythm statements", "rhythm"),
    "all": ("All statements", ""),
}
"""Tasks of all statements of a kind, PTB-XL's 44, 19, 12 and 71: title, and kind in the vocabulary.

Source: Strodthoff et al. 2021, IEEE JBHI 25:1519 (tasks and their records). Departures: none where the store
has every statement; one that no record has is no class.
"""
LABEL_SET_RECORDS = 20
"""A class of a label set with fewer records than this is left out; as in the published system."""

RHYTHMS: tuple[dict[str, frozenset[str]], ...] = (
    {name: frozenset({name}) for name in ("SR", "AFIB", "STACH", "SBRAD", "SARRH")},
    {name: frozenset({name}) for name in ("SR", "SB", "ST", "AF", "AFL", "SVT", "PACE")},
    {
        "sinus": frozenset({"426783006"}),
        "AF/AFL": frozenset({"164889003", "164890007"}),
        "tachycardia": frozenset({"427084000"}),
        "bradycardia": frozenset({"426177001"}),
    },
    CHAPMAN_RHYTHMS,
)
"""Rhythm classes in PTB-XL's, the simulator's, SNOMED's and Chapman-Shaoxing's words."""


_RATE, _SHAPE = frozenset({"rate", "rhythm"}), frozenset({"intervals", "st", "voltage", "axis"})
READS: dict[str, frozenset[str]] = {
    "rhythm": _RATE,
    "rhythm-statements": _RATE,
    **dict.fromkeys(("superclass", "subclass", "diagnostic"), _SHAPE),
    **dict.fromkeys(("statements", "form", "all", *LABEL_SETS), _RATE | _SHAPE),
}
"""What the labels of a task are read from, in the words of `ecglipse.views.view.LABELS`."""


@dataclass(frozen=True)
class Task:
    """What is to be told from a recording.

    Args:
        name: as in a config.
        title: as in a report.
        kind: multi-label, one of several, yes and no, or a number (regression).
        classes: one name a column of the labels.
        codes: for each class the codes that mean it; None for sex and age, which are columns.
        scope: codes of which a record must have at least one to be in a multi-label task; empty: any record.
        rare: whether classes are too rare for a small share of the labels to hold each; see
            `ecglipse.splits.fraction_subset`.
    """

    name: str
    title: str
    kind: Literal["multilabel", "multiclass", "binary", "regression"]
    classes: tuple[str, ...]
    codes: tuple[frozenset[str], ...] | None = None
    scope: frozenset[str] = frozenset()
    rare: bool = False


@dataclass(frozen=True)
class Labels:
    """Labels of the records of a store that carry one.

    Args:
        task: what they mean.
        rows: of the store, ascending.
        y: 0 or 1, a column a class; one-hot for a multi-class task. Float numbers for a regression.
        patients: code of each row's patient; equal for records of one person.
    """

    task: Task
    rows: Int[np.ndarray, " record"]
    y: UInt8[np.ndarray, "record class"] | Float32[np.ndarray, "record 1"]
    patients: Int[np.ndarray, " record"]


def find_task(
    name: str, vocabulary: Mapping[str, Any], table: pd.DataFrame, *, custom: Mapping[str, Task] | None = None
) -> Task:
    """Give a task by name.

    Args:
        name: "sex", "age", "superclass", "subclass", "diagnostic", "form", "rhythm", "rhythm-statements",
            "all", "statements", a key of `LABEL_SETS`, or of `custom`.
        vocabulary: of the store's manifest.
        table: of the store's records.
        custom: a user's own tasks, which come first.

    Raises:
        TaskError: if there is no such task, or the store's codes know nothing of it.
    """
    if custom and name in custom:
        return custom[name]
    makers: dict[str, Callable[[Mapping[str, Any], pd.DataFrame], Task]] = {
        "sex": _sex,
        "age": _age,
        "superclass": _superclass,
        "subclass": _subclass,
        "statements": _statements,
        "rhythm": _rhythm,
        **{key: partial(_of_kind, key) for key in KINDS},
    }
    if name in LABEL_SETS:
        return _label_set(name, table)
    if name not in makers:
        known = sorted({*makers, *LABEL_SETS, *(custom or {})})
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise TaskError(f"no task {name!r}{meant}", hint=f"tasks are {', '.join(known)}")
    return makers[name](vocabulary, table)


def label(task: Task, table: pd.DataFrame) -> Labels:
    """Label the records that the task applies to.

    Sex: records of known sex. Age: records of known age below 90, since 90 stands for "over 89".
    Multi-class: records with exactly one of the classes. Multi-label: records with at least one code of the
    task's scope.

    Raises:
        TaskError: if no record is labelled, or a class has no record.
    """
    if task.kind == "regression":
        age = table["age"].to_numpy(dtype=np.float64, na_value=np.nan)
        rows = np.flatnonzero(age < OLDEST).astype(np.int64)
        if len(rows) < 2:
            raise TaskError(f"task {task.name!r}: fewer than two records of known age in the store")
        patients = pd.factorize(table["patient_id"])[0][rows].astype(np.int64)
        return Labels(task, rows, age[rows, None].astype(np.float32), patients)
    if task.codes is None:
        known = table["sex"].isin(["female", "male"]).to_numpy()
        y = (table["sex"] == "female").to_numpy(dtype=bool)[:, None]
    else:
        held = [frozenset(codes) for codes in table["codes"]]
        y = np.array([[bool(codes & wanted) for wanted in task.codes] for codes in held], dtype=bool)
        y = y.reshape(len(held), len(task.codes))
        if task.kind == "multiclass":
            known = y.sum(axis=1) == 1
        else:
            known = np.array([not task.scope or bool(codes & task.scope) for codes in held], dtype=bool)
    rows = np.flatnonzero(known).astype(np.int64)
    y = y[rows].astype(np.uint8)
    if not len(rows):
        raise TaskError(f"task {task.name!r}: no record of the store is labelled")
    empty = [name for name, count in zip(task.classes, y.sum(axis=0), strict=True) if count == 0]
    if empty:
        raise TaskError(f"task {task.name!r}: no record of class {', '.join(empty)} in the store")
    patients = pd.factorize(table["patient_id"])[0][rows].astype(np.int64)
    return Labels(task, rows, y, patients)


def _sex(vocabulary: Mapping[str, Any], table: pd.DataFrame) -> Task:
    return Task("sex", "Sex", "binary", ("female",))


def _age(vocabulary: Mapping[str, Any], table: pd.DataFrame) -> Task:
    return Task("age", "Age, years", "regression", ("age",))


def _superclass(vocabulary: Mapping[str, Any], table: pd.DataFrame) -> Task:
    of = {name: _coded(vocabulary, "superclass", name) for name in SUPERCLASSES}
    if not all(of.values()):
        raise TaskError(
            "task 'superclass': the store's codes have no superclasses", hint="it is a task of PTB-XL"
        )
    scope = frozenset().union(*of.values())
    return Task("superclass", "Diagnostic superclass", "multilabel", SUPERCLASSES, tuple(of.values()), scope)


def _statements(vocabulary: Mapping[str, Any], table: pd.DataFrame) -> Task:
    """Every diagnostic, form or rhythm statement with enough records but the plain NORM and SR."""
    names = [name for name in _frequent(vocabulary, table) if name not in ("NORM", "SR")]
    if not names:
        raise TaskError(f"task 'statements': no statement has {STATEMENT_RECORDS} records in the store")
    return _one_code_each("statements", "Statements", names)


def _of_kind(name: str, vocabulary: Mapping[str, Any], table: pd.DataFrame) -> Task:
    """Every statement of a kind that a record has; of the records those with at least one of them."""
    title, kind = KINDS[name]
    able = [code for code, info in vocabulary.items() if not kind or kind in info.get("kinds", ())]
    held = _held(table)
    names = sorted(code for code in able if code in held)
    if not names:
        raise TaskError(f"task {name!r}: no record of the store has such a statement")
    return replace(_one_code_each(name, title, names), scope=frozenset(able), rare=True)


def _subclass(vocabulary: Mapping[str, Any], table: pd.DataFrame) -> Task:
    """PTB-XL's 23 diagnostic subclasses, those that a record has."""
    held, of = _held(table), dict[str, frozenset[str]]()
    for value in sorted({str(info["subclass"]) for info in vocabulary.values() if info.get("subclass")}):
        codes = _coded(vocabulary, "subclass", value)
        of |= {value: codes} if codes & held else {}
    if not of:
        raise TaskError(
            "task 'subclass': the store's codes have no subclasses", hint="it is a task of PTB-XL"
        )
    scope = frozenset().union(*of.values())
    title = "Diagnostic subclass"
    return Task("subclass", title, "multilabel", tuple(of), tuple(of.values()), scope, rare=True)


def _held(table: pd.DataFrame) -> set[str]:
    """The codes that any record has."""
    return {code for codes in table["codes"] for code in codes}


def _frequent(vocabulary: Mapping[str, Any], table: pd.DataFrame) -> list[str]:
    """The vocabulary's codes that `STATEMENT_RECORDS` records have, in order."""
    counts = Counter(code for codes in table["codes"] for code in codes)
    return sorted(code for code, count in counts.items() if count >= STATEMENT_RECORDS and code in vocabulary)


def _one_code_each(name: str, title: str, names: list[str]) -> Task:
    return Task(name, title, "multilabel", tuple(names), tuple(frozenset({code}) for code in names))


def _rhythm(vocabulary: Mapping[str, Any], table: pd.DataFrame) -> Task:
    """The rhythm classes of the vocabulary of which the store has most."""
    held = _held(table)
    best = max(RHYTHMS, key=lambda classes: sum(bool(codes & held) for codes in classes.values()))
    present = {name: codes for name, codes in best.items() if codes & held}
    if len(present) < 2:
        raise TaskError("task 'rhythm': the store's codes name fewer than two rhythms")
    return Task("rhythm", "Rhythm", "multiclass", tuple(present), tuple(present.values()))


def _label_set(name: str, table: pd.DataFrame) -> Task:
    """The classes of a published set of which the store has enough."""
    classes = {}
    for title, codes in LABEL_SETS[name].items():
        if sum(bool(codes & set(held)) for held in table["codes"]) >= LABEL_SET_RECORDS:
            classes[title] = codes
    if not classes:
        raise TaskError(f"task {name!r}: no class has {LABEL_SET_RECORDS} records in the store")
    return Task(name, name, "multilabel", tuple(classes), tuple(classes.values()))


def _coded(vocabulary: Mapping[str, Any], key: str, value: str) -> frozenset[str]:
    return frozenset(code for code, info in vocabulary.items() if info.get(key) == value)
