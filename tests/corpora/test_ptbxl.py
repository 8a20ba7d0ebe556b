"""PTB-XL: labels as published, ages and ids made safe, faults kept to the recording."""

from collections import Counter
from pathlib import Path

import pytest

from ecglipse.corpora import get
from ecglipse.corpora.corpus import hashed_patient
from ecglipse.errors import CorpusError, RecordError
from wfdb_miniatures import write_dat


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
        ({"filename_lr": "~/r"}, "unsafe-path"),
        ({"scp_codes": ""}, "labels"),
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
        ({"patient_id": "inf"}, "column patient_id holds inf, a whole number expected"),
        ({"patient_id": "7.5"}, "column patient_id holds 7.5"),
        ({"patient_id": ""}, "column patient_id holds nan"),
        ({"strat_fold": ""}, "column strat_fold holds"),
        ({"age": "old"}, "column age holds 'old', years expected"),
        ({"age": "-4"}, "column age holds -4"),
        ({"scp_codes": "\"['NORM']\""}, "is not a table of statements"),
        ({"scp_codes": "1" * 20_000}, "is not a table of statements"),
    ],
)
def test_faulty_labels_are_said(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    (tmp_path / "records100").mkdir()
    write_dat(tmp_path / "records100")
    (entry,) = get("ptbxl").entries(ptbxl(tmp_path, **changes))
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


def test_labels_of_the_pack_add_up(pack: Path) -> None:
    """Against the counts that the pack's README gives for its 1,987 recordings."""
    words = get("ptbxl").vocabulary(pack / "ptbxl")
    sexes, folds, classes = Counter(), Counter(), Counter()
    patients, over_89 = set(), 0
    for entry in get("ptbxl").entries(pack / "ptbxl"):
        record = entry.load()
        sexes[record.sex] += 1
        folds[record.fold] += 1
        patients.add(record.patient_id)
        over_89 += record.age == 90.0
        classes.update({words[code]["superclass"] for code in record.codes} - {None})
        classes.update(set(record.codes) & {"AFIB", "PVC", "1AVB"})
    assert sexes == {"male": 929, "female": 1058}
    assert [folds[k] for k in range(1, 11)] == [212, 178, 177, 193, 207, 156, 196, 171, 242, 255]
    assert len(patients) == 1850
    assert classes == {
        "NORM": 1051, "MI": 370, "STTC": 467, "CD": 410, "HYP": 215, "AFIB": 100, "PVC": 99, "1AVB": 63,
    }  # fmt: skip
    assert over_89 == 29  # 26 of them written as 300


def one(folder: Path, **changes: str):
    """The only recording of a folder of one row."""
    (folder / "records100").mkdir(exist_ok=True)
    write_dat(folder / "records100")
    (entry,) = get("ptbxl").entries(ptbxl(folder, **changes))
    return entry.load()


@pytest.mark.parametrize(
    ("cell", "age"), [("300", 90.0), ("300.0", 90.0), ("89", 89.0), ("0", 0.0), ("", None)]
)
def test_ages_over_89_are_pooled(tmp_path: Path, cell: str, age: float | None) -> None:
    assert one(tmp_path, age=cell).age == age


@pytest.mark.parametrize(
    ("cell", "sex"), [("0", "male"), ("1", "female"), ("1.0", "female"), ("", None), ("2", None)]
)
def test_sex_is_read_as_published(tmp_path: Path, cell: str, sex: str | None) -> None:
    assert one(tmp_path, sex=cell).sex == sex


def test_a_statement_of_likelihood_zero_counts(tmp_path: Path) -> None:
    assert one(tmp_path, scp_codes="\"{'NORM': 80.0, 'SR': 0.0}\"").codes == ("NORM", "SR")


def test_a_bad_cell_spoils_no_other_row(tmp_path: Path) -> None:
    """One word in a column of numbers makes pandas read the whole column as text."""
    (tmp_path / "records100").mkdir()
    write_dat(tmp_path / "records100")
    path = ptbxl(tmp_path) / "ptbxl_database.csv"
    head, row = path.read_text().splitlines()
    bad = row.replace("1,7.0,300,0", "2,unknown,old,woman")
    path.write_text("\n".join([head, row, bad, row.replace("1,", "3,", 1)]) + "\n", encoding="utf-8")
    first, second, third = get("ptbxl").entries(tmp_path)
    assert [first.record_id, second.record_id, third.record_id] == ["1", "2", "3"]
    assert first.load().patient_id == third.load().patient_id == hashed_patient("ptbxl", "7")
    assert (first.load().age, first.load().sex, first.load().fold) == (90.0, "male", 4)
    with pytest.raises(RecordError, match="column patient_id holds 'unknown'"):
        second.load()


def test_the_fast_files_are_read_where_the_slow_ones_are_absent(tmp_path: Path) -> None:
    (tmp_path / "records500").mkdir()
    write_dat(tmp_path / "records500", fs="500")
    (entry,) = get("ptbxl").entries(ptbxl(tmp_path))
    assert entry.load().fs == 500.0


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'a,b\n1,2,3\n1,"2'])
def test_what_is_no_table_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ptbxl_database.csv").write_bytes(content)
    with pytest.raises(CorpusError, match=r"ptbxl_database\.csv: (not a CSV table|without column)"):
        get("ptbxl").entries(tmp_path)


def test_the_table_of_statements_is_needed_for_the_vocabulary(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"scp_statements\.csv: no such file"):
        get("ptbxl").vocabulary(ptbxl(tmp_path))
