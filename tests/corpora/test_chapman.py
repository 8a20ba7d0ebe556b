"""Chapman-Shaoxing in miniature, as its authors published it: no header row, microvolts, .xlsx or .csv."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecglipse.commands import prepare
from ecglipse.corpora import detect
from ecglipse.corpora.label_sets import CHAPMAN_RHYTHMS, LABEL_SETS
from ecglipse.corpora.simulator import simulate
from ecglipse.errors import CorpusError
from ecglipse.store import Store
from ecglipse.tasks import find_task, label

ROWS = [
    ("MUSE_1", "AFIB", "RBBB TWC", 85, "MALE"),
    ("MUSE_2", "AF", "NONE", 95, "FEMALE"),
    ("MUSE_3", "SB", "NONE", 59, "FEMALE"),
    ("MUSE_4", "SA", "TWC", 20, "MALE"),
    ("MUSE_5", "AVNRT", "NONE", 66, "FEMALE"),
    ("MUSE_6", "SR", "NONE", 66, "UNKNOWN"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six recordings; the last one's file has a word among its numbers."""
    place = tmp_path / "chapman" / "ECGDataDenoised"
    place.mkdir(parents=True)
    for row, record in zip(ROWS, simulate(6, fs=500.0, seed=2), strict=True):
        pd.DataFrame(np.round(record.signal.T * 1000, 3)).to_csv(
            place / f"{row[0]}.csv", header=False, index=False
        )
    path = place / "MUSE_6.csv"
    path.write_text(path.read_text().replace("\n", "\nx", 1))
    table = pd.DataFrame(ROWS, columns=["FileName", "Rhythm", "Beat", "PatientAge", "Gender"])
    table.assign(VentricularRate=70).to_csv(place.parent / "Diagnostics.csv", index=False)
    return place.parent


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_both_forms_of_the_table_give_the_same_store(form: str, folder: Path, tmp_path: Path) -> None:
    if form == "xlsx":
        pd.read_csv(folder / "Diagnostics.csv").to_excel(folder / "Diagnostics.xlsx", index=False)
        (folder / "Diagnostics.csv").unlink()
    assert detect(folder).name == "chapman"
    made = prepare(folder, tmp_path / "s", form=None)
    store = Store.open(made.store)
    assert made.rejects == {"format": 1}
    assert list(store.table["record_id"]) == [row[0] for row in ROWS[:5]]
    assert list(store.table["age"]) == [85, 90, 59, 20, 66]
    assert store.table["codes"][0] == ["chapman:AFIB", "chapman:RBBB", "chapman:TWC"]
    truth = next(simulate(1, fs=500.0, seed=2)).signal
    found = store.millivolts(np.array([0]))[0]
    assert np.abs(found[:, ::1] - truth[:, ::5]).mean() < 0.03  # millivolts, not microvolts
    rhythm = label(find_task("rhythm", store.manifest.vocabulary, store.table), store.table)
    assert rhythm.task.classes == ("AFIB", "GSVT", "SB", "SR")
    assert rhythm.y.argmax(axis=1).tolist() == [0, 0, 2, 3, 1]


def test_a_table_without_a_column_or_with_a_path_is_said(folder: Path) -> None:
    table = pd.read_csv(folder / "Diagnostics.csv")
    table.drop(columns="Gender").to_csv(folder / "Diagnostics.csv", index=False)
    with pytest.raises(CorpusError, match="without column Gender"):
        detect(folder).entries(folder)
    table.assign(FileName="../x").to_csv(folder / "Diagnostics.csv", index=False)
    with pytest.raises(CorpusError, match="is no file name"):
        detect(folder).entries(folder)


def test_label_sets_have_the_published_numbers_of_classes_and_codes() -> None:
    sizes = {name: (len(classes), sum(map(len, classes.values()))) for name, classes in LABEL_SETS.items()}
    assert sizes == {
        "cinc2020-scored": (24, 27),
        "cinc2021-scored": (26, 30),
        "cinc2020-19": (19, 22),
        "cinc2021-21": (21, 25),
        "code15": (6, 6),
    }
    for classes in (*LABEL_SETS.values(), CHAPMAN_RHYTHMS):
        codes = [code for held in classes.values() for code in held]
        assert len(set(codes)) == len(codes)


def test_a_label_set_is_a_task_on_real_recordings(pack: Path, tmp_path: Path) -> None:
    store = Store.open(prepare(pack / "cinc2021", tmp_path / "s", progress=False).store)
    task = find_task("cinc2021-scored", store.manifest.vocabulary, store.table)
    found = label(task, store.table)
    assert set(task.classes) <= set(LABEL_SETS["cinc2021-scored"])
    assert found.y.sum(axis=0).min() >= 20
    af = found.y[:, task.classes.index("AF")]
    held = [{"164889003"} <= set(codes) for codes in store.table["codes"].iloc[found.rows]]
    np.testing.assert_array_equal(af.astype(bool), held)
