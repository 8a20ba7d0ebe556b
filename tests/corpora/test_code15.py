"""CODE-15% and SaMi-Trop on miniatures of their layout: units asked for, zeros cut off, rows by id."""

import csv
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from ecglipse.commands import prepare, show
from ecglipse.corpora import CORPORA, detect
from ecglipse.corpora.simulator import simulate
from ecglipse.errors import CorpusError, StoreError
from ecglipse.leads import LEADS
from ecglipse.records.reading import Reading
from ecglipse.signal import resample
from ecglipse.store import Store

COLUMNS = (
    "exam_id", "age", "is_male", "nn_predicted_age", "1dAVb", "RBBB", "LBBB", "SB", "ST", "AF", "patient_id",
    "death", "timey", "normal_ecg", "trace_file",
)  # fmt: skip
MV = Reading(unit="mV")


def tracing(record: np.ndarray, n: int) -> np.ndarray:
    """A recording of `n` samples among zeros, (4096, 12), as both corpora store it."""
    stored = np.zeros((4096, 12), dtype=np.float32)
    start = (4096 - n) // 2
    stored[start : start + n] = record[:, :n].T
    return stored


@pytest.fixture(scope="module")
def signals() -> list[np.ndarray]:
    """Simulated recordings of 10.24 s at 400 Hz, mV; no sample is 0 in all leads."""
    made = simulate(5, seed=2, duration_s=10.24)
    return [resample(np.asarray(record.signal), record.fs, 400.0)[:, :4096] + 0.001 for record in made]


def write_code15(folder: Path, signals: list[np.ndarray]) -> Path:
    """Two parts: exams 7 (10.24 s), 3 (7.3 s), 5 (zeros); 9, 9 again, 11 (no line); each with its filler."""
    parts = {
        "exams_part0.hdf5": (
            [7, 3, 5, 0],
            [tracing(signals[0], 4096), tracing(signals[1], 2934), None, None],
        ),
        "exams_part1.hdf5": ([9, 9, 11, 0], [*(tracing(signals[n], 4000) for n in (2, 3, 4)), None]),
    }
    folder.mkdir()
    for name, (ids, tracings) in parts.items():
        with h5py.File(folder / name, "w") as file:
            file["exam_id"] = np.array(ids, dtype=np.int64)
            empty = np.zeros((4096, 12), dtype=np.float32)
            file["tracings"] = np.stack([empty if t is None else t for t in tracings])
    lines = [
        (3, 53, "True", 50.1, *["False"] * 5, "True", 77, "", "", "False", "exams_part0.hdf5"),
        (5, 20, "False", 20.1, *["False"] * 6, 78, "", "", "True", "exams_part0.hdf5"),
        (7, 95, "False", 90.1, "True", "True", *["False"] * 4, 77, "", "", "False", "exams_part0.hdf5"),
        (9, 40, "False", 41.0, *["False"] * 6, 79, "", "", "True", "exams_part1.hdf5"),
        (13, 40, "False", 41.0, *["False"] * 6, 80, "", "", "True", "exams_part1.hdf5"),
        (15, 40, "False", 41.0, *["False"] * 6, 81, "", "", "True", "exams_part2.hdf5"),
    ]
    with (folder / "exams.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *lines])
    return folder


def test_exams_are_matched_by_id_and_zeros_never_become_signal(
    signals: list[np.ndarray], tmp_path: Path
) -> None:
    folder = write_code15(tmp_path / "code", signals)
    assert detect(folder).name == "code15"
    made = prepare(folder, tmp_path / "s", reading=MV, form=None)
    assert made.rejects == {"empty": 1, "labels": 2, "missing-file": 1, "too-short": 1}
    store = Store.open(made.store)
    assert list(store.table["record_id"]) == ["7", "9"]
    row = next(store.table.itertuples())
    assert (row.age, row.sex, list(row.codes)) == (90.0, "female", ["code15:1dAVb", "code15:RBBB"])
    reasons = {line["record_id"]: line["message"] for line in store.rejects}
    assert reasons["3"] == "3: 7.335 s long, 10 s needed"
    assert reasons["5"] == "exam 5: all zeros"
    assert reasons["13"] == "exam 13: no tracing of it in exams_part1.hdf5"
    assert reasons["exams_part1-row1"] == "exams_part1-row1: exam 9 is in exams_part1.hdf5 twice"
    assert reasons["exams_part1-row2"] == "exams_part1-row2: exam 11 of exams_part1.hdf5 is not in exams.csv"
    assert "15" not in reasons
    assert made.guessed[0].startswith("2 filler rows (exam_id 0) left out")
    assert made.guessed[1] == "1 of the table's 3 files are not here"
    assert "read as: unit mV" in store.manifest.processing


def test_padding_is_flagged_and_patients_are_told_apart(signals: list[np.ndarray], tmp_path: Path) -> None:
    folder = write_code15(tmp_path / "code", signals)
    corpus = CORPORA["code15"].read_as
    assert corpus is not None
    held = {entry.record_id: entry for entry in corpus(Reading(unit="0.5mV")).entries(folder)}
    seven = held["3"].load()
    assert (seven.fs, seven.leads, seven.sex, seven.codes) == (400.0, LEADS, "male", ("code15:AF",))
    np.testing.assert_allclose(seven.signal, signals[1][:, :2934] / 2, rtol=1e-6)
    assert seven.patient_id == held["7"].load().patient_id != held["9"].load().patient_id
    assert "77" not in seven.patient_id


def test_the_unit_is_asked_for_with_what_was_found(signals: list[np.ndarray], tmp_path: Path) -> None:
    folder = write_code15(tmp_path / "code", signals)
    with pytest.raises(CorpusError) as caught:
        prepare(folder, tmp_path / "s")
    exams = [x[:, :n] for x, n in zip(signals, (4096, 2934, 4000), strict=False)]
    span = np.median([np.median(np.subtract(*np.percentile(x, [99, 1], axis=1))) for x in exams])
    found = float(str(caught.value).partition("the first 3 exams span ")[2].split()[0])
    assert found == pytest.approx(span, rel=0.006)  # three digits are printed
    assert "`--unit 0.5mV`" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["code"]
    with pytest.raises(CorpusError, match="only `--unit` can be said"):
        prepare(folder, tmp_path / "s", reading=Reading(unit="mV", fs=500.0))


def test_a_wrong_unit_is_refused_by_the_gate(signals: list[np.ndarray], tmp_path: Path) -> None:
    folder = write_code15(tmp_path / "code", signals)
    with pytest.raises(StoreError, match="2 amplitude"):
        prepare(folder, tmp_path / "s", reading=Reading(unit="V"))


def write_samitrop(folder: Path, signals: list[np.ndarray], *, n: int = 3) -> Path:
    """Three tracings in double precision without ids; a table of `n` lines."""
    folder.mkdir()
    with h5py.File(folder / "exams.hdf5", "w") as file:
        file["tracings"] = np.stack([tracing(x, 4000) for x in signals[:3]]).astype(np.float64)
    names = "exam_id,age,is_male,normal_ecg,death,timey,nn_predicted_age"
    rows = [f"{900 - k},{60 + k},{k == 1},{k == 2},False,2.1,60.0" for k in range(n)]
    (folder / "exams.csv").write_text("\n".join([names, *rows, ""]))
    return folder


def test_samitrop_follows_the_lines_of_its_table(signals: list[np.ndarray], tmp_path: Path) -> None:
    folder = write_samitrop(tmp_path / "sami", signals)
    assert detect(folder).name == "samitrop"
    with pytest.raises(CorpusError, match="nothing says which unit"):
        prepare(folder, tmp_path / "s")
    made = prepare(folder, tmp_path / "s", reading=MV)
    store = Store.open(made.store)
    assert list(store.table["record_id"]) == ["900", "899", "898"]
    assert list(store.table["sex"]) == ["female", "male", "female"]
    assert [list(codes) for codes in store.table["codes"]] == [[], [], ["samitrop:normal_ecg"]]
    assert store.table["patient_id"].nunique() == 3
    shorter = write_samitrop(tmp_path / "other", signals, n=2)
    with pytest.raises(CorpusError, match=r"2 lines in exams\.csv, 3 tracings: nothing says which"):
        prepare(shorter, tmp_path / "t", reading=MV)


def test_a_packed_corpus_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "exams.csv").write_text("exam_id\n")
    (tmp_path / "exams_part0.zip").write_bytes(b"PK")
    with pytest.raises(CorpusError, match="unpack its zip files in place"):
        prepare(tmp_path, tmp_path / "s", reading=MV)


def test_a_file_of_any_size_is_read_a_recording_at_a_time(tmp_path: Path) -> None:
    """240 MB of tracings, sparse on disk; reading one record takes the memory of a few."""
    n = 1200
    with h5py.File(tmp_path / "exams_part0.hdf5", "w") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple((n, 4096, 12))
        made = h5py.h5d.create(file.id, b"tracings", h5py.h5t.IEEE_F32LE, space, plan)
        h5py.Dataset(made)[n - 1] = np.random.default_rng(0).normal(size=(4096, 12))
        file["exam_id"] = np.arange(1, n + 1)
    lines = "\n".join(f"{k},40,True,{'False,' * 7}{k},exams_part0.hdf5" for k in range(1, n + 1))
    (tmp_path / "exams.csv").write_text(
        f"exam_id,age,is_male,1dAVb,RBBB,LBBB,SB,ST,AF,normal_ecg,patient_id,trace_file\n{lines}\n"
    )
    assert (tmp_path / "exams_part0.hdf5").stat().st_size > 2.3e8
    read_as = CORPORA["code15"].read_as
    assert read_as is not None
    tracemalloc.start()
    record = read_as(MV).entries(tmp_path)[-1].load()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert record.signal.shape == (12, 4096)
    assert peak < 2e7


@pytest.mark.parametrize("name", ["code15", "samitrop"])
def test_the_corpora_say_licence_citation_and_traps(name: str) -> None:
    said = show(name).text
    for words in ("CC BY 4.0", "Zenodo", "`--unit`", f"`ecglipse fetch {name} FOLDER`", "zeros"):
        assert words in said, words
    assert name in show("corpora").text
