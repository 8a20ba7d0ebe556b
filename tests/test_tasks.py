"""Tasks: which records carry a label, on small tables and on the real PTB-XL table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecglipse.corpora import get
from ecglipse.errors import TaskError
from ecglipse.tasks import Task, find_task, label

VOCABULARY = {
    "NORM": {"superclass": "NORM"},
    "IMI": {"superclass": "MI"},
    "NDT": {"superclass": "STTC"},
    "LAFB": {"superclass": "CD"},
    "LVH": {"superclass": "HYP"},
    "SR": {"superclass": None},
}


def table(codes: list[list[str]], sex: list[str | None] | None = None) -> pd.DataFrame:
    n = len(codes)
    return pd.DataFrame(
        {
            "patient_id": [f"p{i // 2}" for i in range(n)],
            "sex": sex or ["female", "male"] * (n // 2) + ["female"] * (n % 2),
            "codes": [np.array(c, dtype=object) for c in codes],
        }
    )


def test_sex_takes_records_of_known_sex() -> None:
    records = table([[]] * 4, ["female", None, "male", "female"])
    found = label(find_task("sex", {}, records), records)
    assert found.rows.tolist() == [0, 2, 3]
    assert found.y.tolist() == [[1], [0], [1]]
    assert found.patients.tolist() == [0, 1, 1]
    assert found.task.kind == "binary"


def test_age_takes_known_ages_below_ninety() -> None:
    """Stores hold 90 for "over 89": PTB-XL's 300 must not become a label."""
    table = pd.DataFrame(
        {"patient_id": list("aabcd"), "age": [40.0, 41.5, None, 90.0, 89.0], "sex": None, "codes": [[]] * 5}
    )
    labels = label(find_task("age", {}, table), table)
    assert labels.rows.tolist() == [0, 1, 4]
    assert labels.y[:, 0].tolist() == [40.0, 41.5, 89.0]
    assert labels.y.dtype == np.float32
    assert labels.patients[0] == labels.patients[1] != labels.patients[2]
    with pytest.raises(TaskError, match="fewer than two records of known age"):
        label(find_task("age", {}, table), table.iloc[2:4].reset_index(drop=True))


def test_superclass_is_multi_label_over_records_with_a_diagnosis() -> None:
    records = table([["NORM", "SR"], ["IMI", "NDT"], ["SR"], ["LAFB", "LVH"], ["NORM"]])
    found = label(find_task("superclass", VOCABULARY, records), records)
    assert found.task.classes == ("NORM", "MI", "STTC", "CD", "HYP")
    assert found.rows.tolist() == [0, 1, 3, 4]
    assert found.y.tolist() == [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1], [1, 0, 0, 0, 0]]


def test_rhythm_takes_records_of_exactly_one_rhythm() -> None:
    records = table([["SR"], ["AFIB"], ["SR", "AFIB"], ["LVH"], ["STACH", "PVC"]])
    found = label(find_task("rhythm", VOCABULARY, records), records)
    assert found.task.kind == "multiclass"
    assert found.task.classes == ("SR", "AFIB", "STACH")
    assert found.rows.tolist() == [0, 1, 4]
    assert (found.y.sum(axis=1) == 1).all()


def test_rhythm_speaks_snomed_and_the_simulators_words() -> None:
    snomed = table([["426783006"], ["164889003"], ["164890007"], ["427084000"]])
    assert find_task("rhythm", {}, snomed).classes == ("sinus", "AF/AFL", "tachycardia")
    assert label(find_task("rhythm", {}, snomed), snomed).y.sum(axis=0).tolist() == [1, 2, 1]
    simulated = table([["SR"], ["SB"], ["ST"], ["AF"]])
    assert find_task("rhythm", {}, simulated).classes == ("SR", "SB", "ST", "AF")


def test_statements_are_those_with_forty_records() -> None:
    records = table([["LVH"]] * 40 + [["IMI"]] * 39 + [["NORM"]] * 50)
    found = label(find_task("statements", VOCABULARY, records), records)
    assert found.task.classes == ("LVH",)
    assert len(found.rows) == 129


WORDS = {
    "PVC": {"superclass": None, "subclass": None, "kinds": ["form"]},
    "SR": {"superclass": None, "subclass": None, "kinds": ["rhythm"]},
    "NDT": {"superclass": "STTC", "subclass": "STTC", "kinds": ["diagnostic", "form"]},
    "LMI": {"superclass": "MI", "subclass": "LMI", "kinds": ["diagnostic"]},
    "WPW": {"superclass": "CD", "subclass": "WPW", "kinds": ["diagnostic"]},
}


@pytest.mark.parametrize(
    ("name", "classes", "rows"),
    [
        ("form", ("NDT", "PVC"), [0, 2, 3]),
        ("rhythm-statements", ("SR",), [0, 1]),
        ("diagnostic", ("LMI", "NDT"), [2, 3, 4]),
        ("subclass", ("LMI", "STTC"), [2, 3, 4]),
        ("all", ("LMI", "NDT", "PVC", "SR"), [0, 1, 2, 3, 4]),
    ],
)
def test_statements_of_a_kind_are_of_the_records_with_one_of_them(
    name: str, classes: tuple[str, ...], rows: list[int]
) -> None:
    """WPW, which no record has, is no class of any."""
    records = table([["SR", "PVC"], ["SR"], ["NDT"], ["PVC", "LMI", "NDT"], ["LMI"], []])
    found = label(find_task(name, WORDS, records), records)
    assert found.task.classes == classes
    assert found.rows.tolist() == rows
    assert (found.y.sum(axis=1) > 0).all()
    assert found.task.rare
    with pytest.raises(TaskError, match=name):
        find_task(name, WORDS, records.iloc[5:])


def test_a_users_own_task() -> None:
    own = Task("mine", "Mine", "multilabel", ("a",), (frozenset({"LVH", "IMI"}),))
    records = table([["LVH"], ["IMI"], ["SR"]])
    found = label(find_task("mine", {}, records, custom={"mine": own}), records)
    assert found.y[:, 0].tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rythm", "no task 'rythm'; did you mean 'rhythm'?"),
        ("superclass", "the store's codes have no superclasses"),
        ("rhythm", "name fewer than two rhythms"),
        ("statements", "no statement has 40 records"),
    ],
)
def test_what_cannot_be_had_is_said(name: str, words: str) -> None:
    with pytest.raises(TaskError) as caught:
        find_task(name, {}, table([["SR"], ["X"]]))
    assert words in str(caught.value)


def test_a_class_without_records_and_a_task_without_labels_are_refused() -> None:
    records = table([["NORM"], ["IMI"]])
    with pytest.raises(TaskError, match="no record of class STTC, CD, HYP in the store"):
        label(find_task("superclass", VOCABULARY, records), records)
    with pytest.raises(TaskError, match="no record of the store is labelled"):
        label(find_task("sex", {}, records), table([[], []], [None, None]))


def test_the_real_table_has_the_counts_of_its_authors(pack: Path) -> None:
    """Counts of the pack's own description, by way of the corpus and not of the signals."""
    import ast

    raw = pd.read_csv(pack / "ptbxl" / "ptbxl_database.csv")
    records = pd.DataFrame(
        {
            "patient_id": raw["patient_id"].astype(str),
            "fold": raw["strat_fold"],
            "sex": raw["sex"].map({0: "male", 1: "female"}),
            "codes": [list(ast.literal_eval(cell)) for cell in raw["scp_codes"]],
        }
    )
    vocabulary = get("ptbxl").vocabulary(pack / "ptbxl")
    found = label(find_task("superclass", vocabulary, records), records)
    counts = dict(zip(found.task.classes, found.y.sum(axis=0).tolist(), strict=True))
    assert counts == {"NORM": 1051, "MI": 370, "STTC": 467, "CD": 410, "HYP": 215}
    assert len(records) - len(found.rows) == 22
    sex = label(find_task("sex", vocabulary, records), records)
    assert (int(sex.y.sum()), len(sex.y)) == (1058, 1987)
    rhythm = find_task("rhythm", vocabulary, records)
    assert rhythm.classes == ("SR", "AFIB", "STACH", "SBRAD", "SARRH")
    held = {name: sum(name in codes for codes in records["codes"]) for name in rhythm.classes}
    assert {name: held[name] for name in ("AFIB", "STACH", "SBRAD", "SARRH")} == {
        "AFIB": 100,
        "STACH": 61,
        "SBRAD": 45,
        "SARRH": 64,
    }
    assert records.groupby("patient_id")["fold"].nunique().max() == 1
    sizes = {"subclass": 22, "diagnostic": 42, "form": 19, "rhythm-statements": 11, "all": 68}
    for name, n in sizes.items():
        made = label(find_task(name, vocabulary, records), records)
        assert len(made.task.classes) == n, name
        assert {"WPW", "INJIN", "SVARR"}.isdisjoint(made.task.classes)
        assert made.y.sum(axis=0).min() > 0
    form = label(find_task("form", vocabulary, records), records)
    assert len(form.rows) == 693
    assert int(form.y[:, form.task.classes.index("PVC")].sum()) == 99
