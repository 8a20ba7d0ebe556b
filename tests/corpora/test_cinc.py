"""CinC 2020 and 2021, and any WFDB folder: labels from the headers' comments."""

from collections import Counter
from pathlib import Path

import pytest

from ecglipse.corpora import get
from ecglipse.corpora.cinc import SCORED
from ecglipse.errors import RecordError
from ecglipse.records.record import Record
from wfdb_miniatures import write_dat


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


def test_sources_and_labels_of_the_pack_add_up(pack: Path) -> None:
    """Sources as the pack's README counts them; labels against its own table, gathered apart from us."""
    import pandas as pd

    table = pd.read_csv(pack / "cinc2021" / "labels_all.csv")
    records = [entry.load() for entry in get("cinc").entries(pack / "cinc2021")]
    assert sorted(Counter(record.source for record in records).values()) == [20, 36, 66, 74, 165]
    assert len({record.patient_id for record in records}) == len(records) == len(table) == 361
    assert {record.fs for record in records} == {500.0}
    assert sum(record.sex == "female" for record in records) == (table.sex.str.lower() == "female").sum()
    assert sum(not record.codes for record in records) == 0
    assert all(record.age is None or 0 <= record.age <= 90 for record in records)
    stated = dict(zip(table.record, table.dx_snomed.astype(str), strict=True))
    for record in records:
        assert set(record.codes) == set(stated[record.record_id.split("/")[-1]].split(","))


def said(folder: Path, *comments: str) -> Record:
    """A record with these comments."""
    write_dat(folder, comments=comments)
    (entry,) = get("wfdb").entries(folder)
    return entry.load()


@pytest.mark.parametrize(
    ("text", "age"),
    [("65", 65.0), ("NaN", None), ("Unknown", None), ("-1", None), ("92", 90.0), ("300", None), ("", None)],
)
def test_ages(tmp_path: Path, text: str, age: float | None) -> None:
    assert said(tmp_path, f"Age: {text}").age == age


@pytest.mark.parametrize(
    ("text", "sex"), [("Female", "female"), ("F", "female"), ("M", "male"), ("male", "male"), ("X", None)]
)
def test_sexes(tmp_path: Path, text: str, sex: str | None) -> None:
    assert said(tmp_path, f"Sex: {text}").sex == sex


def test_diagnoses_are_split_and_trimmed(tmp_path: Path) -> None:
    assert said(tmp_path, "Dx: 426783006, 164889003,").codes == ("426783006", "164889003")
    assert said(tmp_path, "Age: 5").codes == ()


def test_ids_are_paths_and_sources_their_first_folders(tmp_path: Path) -> None:
    (tmp_path / "georgia" / "g1").mkdir(parents=True)
    write_dat(tmp_path / "georgia" / "g1", "E1")
    (entry,) = get("cinc").entries(tmp_path)
    record = entry.load()
    assert (entry.record_id, record.record_id, record.source) == ("georgia/g1/E1", "georgia/g1/E1", "georgia")
    assert "E1" not in record.patient_id


def test_a_damaged_recording_is_listed_and_refused_alone(tmp_path: Path) -> None:
    write_dat(tmp_path, "a")
    write_dat(tmp_path, "b")
    (tmp_path / "a.dat").write_bytes(b"")
    first, second = get("wfdb").entries(tmp_path)
    with pytest.raises(RecordError, match=r"a\.dat: 0 bytes"):
        first.load()
    assert second.load().record_id == "b"


def test_every_scored_diagnosis_has_a_meaning_and_a_kind() -> None:
    words = get("cinc").vocabulary(Path())
    assert set(words) == set(SCORED)
    assert len(words) == 30
    assert words["164889003"]["kinds"] == ["rhythm"]
    assert words["164909002"]["kinds"] == ["diagnostic"]


def test_words_of_cpsc_become_snomed_codes(pack: Path) -> None:
    """165 records of CPSC 2018, 23 of whose headers say AF and 7 the code for it."""
    entries = [e for e in get("cinc").entries(pack / "cinc2021") if e.record_id.startswith("cpsc2018/")]
    codes = [code for entry in entries for code in entry.load().codes]
    assert len(entries) == 165
    assert codes.count("164889003") == 30
    assert all(code.isdigit() for code in codes)


@pytest.mark.parametrize(("name", "n"), [("georgia", 74), ("cpsc2018", 165), ("ningbo", 66)])
def test_a_source_of_the_challenge_is_a_corpus_of_its_own(pack: Path, name: str, n: int) -> None:
    entries = get(name).entries(pack / "cinc2021" / name)
    assert len(entries) == n
    assert entries[0].load().source == name
    assert get(name).vocabulary(pack) == get("cinc").vocabulary(pack)
