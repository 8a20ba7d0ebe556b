"""MIMIC-IV-ECG in miniature: leads out of order, several studies of a patient, statements as codes."""

from pathlib import Path

import numpy as np
import pytest

from ecglipse.commands import prepare
from ecglipse.corpora import detect
from ecglipse.corpora.simulator import simulate
from ecglipse.errors import CorpusError
from ecglipse.leads import LEADS
from ecglipse.store import Store
from wfdb_miniatures import write_dat

ORDER = ("I", "II", "III", "aVR", "aVF", "aVL", *LEADS[6:])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three listed studies of two patients, the last one not fetched."""
    root = tmp_path / "mimic"
    lines, reports = (
        ["subject_id,study_id,file_name,ecg_time,path"],
        ["subject_id,study_id,report_0,report_1"],
    )
    records = list(simulate(2, fs=500.0, seed=1))
    for number, (subject, study) in enumerate(
        [("10000032", "40689238"), ("10000032", "44458630"), ("2", "3")]
    ):
        inner = f"files/p1000/p{subject}/s{study}"
        if number < 2:
            (root / inner).mkdir(parents=True)
            steps = np.round(records[number].signal[[LEADS.index(lead) for lead in ORDER]].T * 200).astype(
                int
            )
            write_dat(root / inner, study, x=steps, fs="500", gain="200.0(0)/mV", leads=ORDER)
        lines.append(f"{subject},{study},{study},2180-07-23 08:44:00,{inner}/{study}")
        reports.append(f"{subject},{study},Sinus rhythm.,{'Normal ECG' if number else ''}")
    (root / "files").mkdir(exist_ok=True)
    (root / "record_list.csv").write_text("\n".join(lines) + "\n")
    (root / "machine_measurements.csv").write_text("\n".join(reports) + "\n")
    return root


def test_leads_are_taken_by_name_and_patients_kept_together(folder: Path, tmp_path: Path) -> None:
    assert detect(folder).name == "mimic-iv-ecg"
    store = Store.open(prepare(folder, tmp_path / "s").store)
    assert list(store.table["record_id"]) == ["40689238", "44458630"]
    assert store.table["patient_id"].nunique() == 1
    assert store.table["codes"].tolist() == [["sinus rhythm"], ["sinus rhythm", "normal ecg"]]
    found = store.millivolts(np.array([0]))[0]
    assert np.abs((found[1] + found[2]) / 2 - found[LEADS.index("aVF")]).max() < 0.02
    assert np.abs((found[0] - found[2]) / 2 - found[LEADS.index("aVL")]).max() < 0.02


def test_a_path_out_of_the_folder_and_a_missing_column_are_said(folder: Path) -> None:
    text = (folder / "record_list.csv").read_text()
    (folder / "record_list.csv").write_text(text.replace("files/p1000", "../p1000", 1))
    with pytest.raises(CorpusError, match=r"record_list.csv:2: .* is not a path inside the folder"):
        detect(folder).entries(folder)
    (folder / "record_list.csv").write_text(text.replace("study_id", "study", 1))
    with pytest.raises(CorpusError, match="without column study_id"):
        detect(folder).entries(folder)
