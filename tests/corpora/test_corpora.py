"""Corpora: told apart by what a folder holds, read with their labels, faults kept to the recording."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from ecglipse.corpora import CORPORA, detect, get
from ecglipse.corpora.corpus import hashed_patient
from ecglipse.errors import CorpusError, RecordError


@pytest.mark.parametrize(
    ("folder", "name", "n"),
    [
        ("ptbxl", "ptbxl", 1987),
        ("cinc2021", "cinc", 361),
        ("ludb", "ludb", 200),
        ("cinc2011", "cinc2011", 1000),
    ],
)
def test_real_folders_are_recognised_and_listed(pack: Path, folder: str, name: str, n: int) -> None:
    corpus = detect(pack / folder)
    assert corpus.name == name
    entries = corpus.entries(pack / folder)
    assert len(entries) == len({entry.record_id for entry in entries}) == n


def test_ptbxl_records_have_their_labels(pack: Path) -> None:
    entries = {entry.record_id: entry for entry in get("ptbxl").entries(pack / "ptbxl")}
    first = entries["1"].load()
    assert (first.sex, first.age, first.fold, first.source) == ("female", 56.0, 3, "ptbxl")
    assert first.codes == ("NORM", "LVOLT", "SR")
    assert (first.fs, first.signal.shape) == (100.0, (12, 1000))
    assert first.patient_id == hashed_patient("ptbxl", "15709")
    records = [entry.load() for entry in list(entries.values())[::40]]
    assert all(record.age is None or record.age <= 90 for record in records)


def test_ptbxl_vocabulary_knows_superclasses_and_kinds(pack: Path) -> None:
    words = get("ptbxl").vocabulary(pack / "ptbxl")
    assert len(words) == 71
    assert words["IMI"]["superclass"] == "MI"
    assert words["SR"]["kinds"] == ["rhythm"]
    assert words["SR"]["superclass"] is None
    assert sum(word["superclass"] is not None for word in words.values()) == 44


def ptbxl(folder: Path, **changes: str) -> Path:
    """A PTB-XL folder of one row."""
    row = {
        "ecg_id": "1",
        "patient_id": "7.0",
        "age": "300",
        "sex": "0",
        "scp_codes": "\"{'NORM': 100.0}\"",
        "strat_fold": "4",
        "filename_lr": "records100/r",
        "filename_hr": "records500/r",
    } | changes
    text = ",".join(row) + "\n" + ",".join(row.values()) + "\n"
    (folder / "ptbxl_database.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "missing-file"),
        ({"filename_lr": "../../secret"}, "unsafe-path"),
        ({"filename_lr": "/etc/passwd"}, "unsafe-path"),
    ],
)
def test_a_faulty_row_spoils_its_own_recording_only(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    (entry,) = get("ptbxl").entries(ptbxl(tmp_path, **changes))
    with pytest.raises(RecordError) as caught:
        entry.load()
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scp_codes": "\"__import__('os')\""}, "is not a table of statements"),
        ({"scp_codes": "\"{'A'\""}, "is not a table of statements"),
        ({"patient_id": "x"}, "column patient_id holds"),
        ({"strat_fold": ""}, "column strat_fold holds"),
    ],
)
def test_faulty_labels_are_said(pack: Path, tmp_path: Path, changes: dict[str, str], words: str) -> None:
    source = pack / "ptbxl" / "records100" / "00000"
    (tmp_path / "records100").mkdir()
    for ending in (".hea", ".dat"):
        shutil.copy(source / f"00001_lr{ending}", tmp_path / "records100")
    (entry,) = get("ptbxl").entries(ptbxl(tmp_path, filename_lr="records100/00001_lr", **changes))
    with pytest.raises(RecordError) as caught:
        entry.load()
    assert caught.value.reason == "labels"
    assert words in str(caught.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    ptbxl(tmp_path)
    path = tmp_path / "ptbxl_database.csv"
    path.write_text(path.read_text().replace("strat_fold", "stratum"), encoding="utf-8")
    with pytest.raises(CorpusError, match="without column strat_fold"):
        get("ptbxl").entries(tmp_path)


def test_cinc_records_have_the_headers_labels(pack: Path) -> None:
    entries = {entry.record_id: entry for entry in get("cinc").entries(pack / "cinc2021")}
    record = entries["georgia/E07938"].load()
    assert (record.age, record.sex, record.codes, record.source) == (
        65.0,
        "female",
        ("284470004",),
        "georgia",
    )
    assert get("cinc").vocabulary(pack)["284470004"]["description"] == "PAC, premature atrial contraction"


def test_ludb_records_have_waves_in_every_lead(pack: Path) -> None:
    record = get("ludb").entries(pack / "ludb")[0].load()
    assert (record.sex, record.age, record.codes) == ("female", 51.0, ("Sinus bradycardia",))
    assert {wave.lead for wave in record.waves} == set(record.leads)
    assert {wave.kind for wave in record.waves} == {"P", "QRS", "T"}
    whole = [w for w in record.waves if not np.isnan([w.onset_s, w.peak_s, w.offset_s]).any()]
    assert len(whole) > 0.95 * len(record.waves)
    assert all(wave.onset_s <= wave.peak_s <= wave.offset_s for wave in whole)


def test_cinc2011_is_in_millivolts_with_its_grade(pack: Path) -> None:
    record = get("cinc2011").entries(pack / "cinc2011")[0].load()
    with np.load(pack / "cinc2011" / "set_a_12lead_500hz_uV_int16.npz", allow_pickle=False) as archive:
        np.testing.assert_allclose(record.signal, archive["x"][0].T / 1000, rtol=1e-6)
        assert record.codes == (f"quality:{archive['quality_group'][0]}",)
    assert (record.fs, record.signal.shape) == (500.0, (12, 5000))


def test_patients_are_hashed_with_the_users_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECGLIPSE_ID_KEY", raising=False)
    plain = hashed_patient("ptbxl", "15709")
    assert plain == hashed_patient("ptbxl", "15709")
    assert plain != hashed_patient("ludb", "15709")
    assert "15709" not in plain
    monkeypatch.setenv("ECGLIPSE_ID_KEY", "secret")
    assert hashed_patient("ptbxl", "15709") != plain


def test_unknown_names_and_empty_folders_say_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no corpus 'ptbx'; did you mean 'ptbxl'") as caught:
        get("ptbx")
    assert "cinc2011" in str(caught.value)
    with pytest.raises(CorpusError, match="no recordings found") as caught:
        detect(tmp_path)
    assert "ptbxl_database.csv" in str(caught.value)
    with pytest.raises(CorpusError, match="no such folder"):
        detect(tmp_path / "none")


@pytest.mark.parametrize("name", CORPORA)
def test_every_corpus_says_its_licence_and_its_traps(name: str) -> None:
    corpus = CORPORA[name]
    assert corpus.name == name
    assert corpus.licence
    assert len(corpus.about) > 80
