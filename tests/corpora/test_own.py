"""A folder of one's own, in every format that it may have: values, questions, refusals."""

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecglipse.commands import prepare
from ecglipse.corpora import detect, own
from ecglipse.corpora.simulator import simulate
from ecglipse.errors import ConfigError, CorpusError, EcglipseError, RecordError
from ecglipse.leads import LEADS
from ecglipse.records.arrays import read_array
from ecglipse.records.dicom import read_dicom
from ecglipse.records.edf import read_edf
from ecglipse.records.reading import Reading
from ecglipse.records.record import Record
from ecglipse.store import Store

FULL = Reading(unit="uV", fs=100.0, leads=LEADS)


@pytest.fixture(scope="module")
def signal() -> np.ndarray:
    """A simulated recording, mV (lead, time) at 100 Hz, in whole microvolts."""
    (record,) = simulate(1, seed=4)
    return np.round(record.signal.astype(np.float64), 3)


def write_csv(
    path: Path, x: np.ndarray, *, names: tuple[str, ...] | None = LEADS, separator: str = ","
) -> None:
    frame = pd.DataFrame(x.T * 1000, columns=names)
    frame.to_csv(path, index=False, header=names is not None, sep=separator)


def write_edf(
    path: Path, x: np.ndarray, *, unit: str = "uV", labels: tuple[str, ...] = LEADS, fs: int = 100
) -> None:
    import pyedflib

    scale = {"uV": 1000, "mV": 1}.get(unit, 1)
    writer = pyedflib.EdfWriter(str(path), len(labels), file_type=pyedflib.FILETYPE_EDFPLUS)
    writer.setSignalHeaders(
        [
            {"label": f"ECG {label}", "dimension": unit, "sample_frequency": 100,
             "physical_min": -10.0 * scale, "physical_max": 10.0 * scale, "digital_min": -32768,
             "digital_max": 32767, "transducer": "", "prefilter": ""}
            for label in labels
        ]
    )  # fmt: skip
    writer.setSex(0)
    writer.setPatientCode("p17")
    writer.setPatientName("Jane_Doe")
    writer.writeSamples([row * scale for row in x])
    writer.close()


PREFIXED = tuple(f"Lead_{name}" for name in LEADS)
WRITERS: dict[str, Callable[[Path, np.ndarray], None]] = {
    "named.csv": write_csv,
    "unnamed.csv": lambda path, x: write_csv(path, x, names=None),
    "prefixed.tsv": lambda path, x: write_csv(
        path, x, names=tuple(f"Lead_{n}" for n in LEADS), separator="\t"
    ),
    "frame.parquet": lambda path, x: pd.DataFrame(x.T * 1000, columns=LEADS).to_parquet(path),
    "rows.npy": lambda path, x: np.save(path, x * 1000),
    "columns.npy": lambda path, x: np.save(path, (x.T * 1000).astype(np.int16)),
    "self.npz": lambda path, x: np.savez(path, ecg=x, fs=100.0, unit="mV", leads=np.array(LEADS)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_an_array_is_read_to_its_last_digit(name: str, signal: np.ndarray, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name, signal)
    found = read_array(tmp_path / name, FULL)
    assert (found.leads, found.fs, found.record_id) == (LEADS, 100.0, Path(name).stem)
    np.testing.assert_allclose(found.signal, signal, atol=1.1e-3 if name == "columns.npy" else 2e-6)


def test_columns_are_found_by_name_in_any_order_and_others_left_out(
    signal: np.ndarray, tmp_path: Path
) -> None:
    frame = pd.DataFrame(signal.T[:, ::-1], columns=LEADS[::-1])
    frame.insert(0, "time", np.arange(1000) / 100)
    frame.to_csv(tmp_path / "a.csv", index=False)
    found = read_array(tmp_path / "a.csv", Reading(unit="mV", fs=100.0))
    assert found.leads == LEADS[::-1]
    np.testing.assert_allclose(found.signal[::-1], signal, atol=2e-6)


def test_an_edf_file_gives_millivolts_and_no_name(signal: np.ndarray, tmp_path: Path) -> None:
    write_edf(tmp_path / "a.edf", signal, labels=(*LEADS[:6], "PLETH", *LEADS[6:11]))
    found = read_edf(tmp_path / "a.edf")
    assert (found.leads, found.fs, found.sex, found.patient_id) == (LEADS[:11], 100.0, "female", "p17")
    np.testing.assert_allclose(found.signal[:6], signal[:6], atol=20 / 65535)
    np.testing.assert_allclose(found.signal[6:], signal[7:], atol=20 / 65535)
    assert "Doe" not in repr(found)


def test_a_real_dicom_recording_is_read_as_its_library_reads_it() -> None:
    import pydicom
    from pydicom.data import get_testdata_file

    path = Path(str(get_testdata_file("waveform_ecg.dcm", download=False)))
    found = read_dicom(path)
    values = pydicom.dcmread(path).waveform_array(0).T
    assert (found.leads, found.fs) == (LEADS, 1000.0)
    np.testing.assert_allclose(found.signal, values / 1000, rtol=1e-5, atol=1e-6)
    algebra = found.signal[0] + found.signal[2] - found.signal[1]
    assert np.abs(algebra).max() < 0.01


def test_a_folder_with_a_table_becomes_a_store(signal: np.ndarray, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "deep").mkdir(parents=True)
    write_csv(folder / "a.csv", signal)
    write_edf(folder / "deep" / "b.edf", signal * 0.5)
    np.save(folder / "c.npy", np.stack([signal * 1000, signal * 700]))
    shutil.copy(folder / "a.csv", folder / "not-listed.csv")
    rows = [
        ("a.csv", "first", "7", "95", "F", "AF; PVC", "3"),
        ("deep/b.edf", "", "7", "", "", "", ""),
        ("c.npy", "", "", "40", "male", "AF", ""),
    ]
    with (folder / "records.csv").open("w", newline="") as file:
        csv.writer(file).writerows([own.COLUMNS, *rows])
    made = prepare(folder, tmp_path / "s", reading=FULL)
    store = Store.open(made.store)
    assert list(store.table["record_id"]) == ["first", "deep/b", "c-000000", "c-000001"]
    assert store.table["patient_id"].nunique() == 3
    assert store.table["patient_id"][0] == store.table["patient_id"][1] != "7"
    assert store.table["age"][0] == 90
    assert list(store.table["sex"]) == ["female", "female", "male", "male"]
    assert store.table["codes"][0] == ["AF", "PVC"]
    assert store.table["fold"][0] == 3
    assert set(store.manifest.vocabulary) == {"AF", "PVC"}
    np.testing.assert_allclose(store.millivolts(np.array([3]))[0], signal * 0.7, atol=0.000501)
    assert store.manifest.processing[0].startswith("read as: unit uV; 100 Hz; leads I, II")
    assert any("`records.csv` names the recordings" in sentence for sentence in made.guessed)
    assert any("12 leads (I, II, III" in sentence and "100 Hz, 10 s" in sentence for sentence in made.guessed)


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading(fs=100.0, leads=LEADS), "say it with `--unit mV`"),
        (Reading(unit="mV", leads=LEADS), "say it with `--source-fs 500`"),
        (Reading(unit="mV", fs=100.0), "`--source-leads I,II,III,aVR,...`"),
    ],
)
def test_what_cannot_be_known_is_asked_for_and_nothing_is_written(
    reading: Reading, words: str, signal: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    np.save(folder / "a.npy", signal)
    with pytest.raises(CorpusError) as caught:
        prepare(folder, tmp_path / "s", reading=reading)
    assert words in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def read(path: Path, reading: Reading) -> Record:
    """Read by the reader of a file's ending."""
    known = {".edf": read_edf, ".dcm": read_dicom}.get(path.suffix)
    return known(path) if known is not None else read_array(path, reading)


def spoilt(tmp_path: Path, x: np.ndarray) -> dict[str, tuple[Path, str, str]]:
    """Files that must be refused, with reason and words."""
    cases: dict[str, tuple[Path, str, str]] = {}

    def case(name: str, reason: str, words: str, write: Callable[[Path], object]) -> None:
        write(tmp_path / name)
        cases[name] = (tmp_path / name, reason, words)

    twice = pd.DataFrame(x.T, columns=["i", "I", *LEADS[2:]])
    case("twice.csv", "lead-name", "lead I is there twice", lambda p: twice.to_csv(p, index=False))
    case("names.csv", "lead-name", "no column is named as a lead", lambda p: p.write_text("a,b\n1,2\n"))
    case("words.csv", "format", "cannot be read as csv", lambda p: p.write_text("I,II\n1,x\n"))
    case("empty.csv", "format", "empty.csv", lambda p: p.write_text(""))
    case("square.npy", "format", "both axes fit", lambda p: np.save(p, np.zeros((12, 12))))
    case("thin.npy", "format", "no axis fits", lambda p: np.save(p, np.zeros((11, 500))))
    case("flat.npy", "format", "one recording has two axes", lambda p: np.save(p, np.zeros(500)))
    case("text.npy", "format", "numbers expected", lambda p: np.save(p, np.array([["a"]])))
    case("cut.npy", "format", "cannot be read as npy", lambda p: p.write_bytes(b"\x93NUMPY\x01\x00"))
    pickled = np.array([{"a": 1}], dtype=object)
    case("pickle.npy", "format", "cannot be read as npy", lambda p: np.save(p, pickled, allow_pickle=True))
    case("two.npz", "format", "holds 2 arrays of two axes", lambda p: np.savez(p, a=x, b=x))
    case("cut.parquet", "format", "cannot be read as parquet", lambda p: p.write_bytes(b"PAR1"))
    case("cut.edf", "format", "not a sound EDF file", lambda p: p.write_bytes(b"0" * 300))
    case("unit.edf", "unit", "unit mmHg is not one of", lambda p: write_edf(p, x, unit="mmHg"))
    case(
        "none.edf",
        "lead-name",
        "no channel is a lead",
        lambda p: write_edf(p, x[:2], labels=("SpO2", "R")),
    )
    case("junk.dcm", "format", "not a sound DICOM file", lambda p: p.write_bytes(b"junk" * 100))
    return cases


def test_hostile_files_are_refused_with_their_reason(signal: np.ndarray, tmp_path: Path) -> None:
    for name, (path, reason, words) in spoilt(tmp_path, signal).items():
        leads = None if path.suffix == ".csv" else LEADS
        with pytest.raises(RecordError) as caught:
            read(path, Reading(unit="mV", fs=100.0, leads=leads))
        assert (name, caught.value.reason) == (name, reason), caught.value
        assert words in str(caught.value), (name, caught.value)
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("ending", [".csv", ".edf", ".dcm"])
def test_links_and_pipes_are_never_opened(ending: str, signal: np.ndarray, tmp_path: Path) -> None:
    write_csv(tmp_path / "real.csv", signal)
    (tmp_path / f"link{ending}").symlink_to(tmp_path / "real.csv")
    os.mkfifo(tmp_path / f"pipe{ending}")
    for name in ("link", "pipe"):
        with pytest.raises(RecordError) as caught:
            read(tmp_path / f"{name}{ending}", FULL)
        assert caught.value.reason == "unsafe-path"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path\na.csv\n", "unknown columns path"),
        ("record_id\na\n", "no column `file`"),
        ("file\n../a.csv\n", "records.csv:2: file '../a.csv' is not a path inside the folder"),
        ("file\n/etc/a.csv\n", "is not a path inside the folder"),
        ("file\na.pdf\n", "ending '.pdf' is not read"),
    ],
)
def test_a_wrong_table_is_said(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "records.csv").write_text(text)
    with pytest.raises(CorpusError) as caught:
        own.entries(tmp_path)
    assert words in str(caught.value)


def test_a_bad_file_among_good_ones_is_listed(signal: np.ndarray, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(5):
        write_csv(folder / f"{number}.csv", signal)
    (folder / "3.csv").write_text("I,II\n1,x\n")
    made = prepare(folder, tmp_path / "s", reading=Reading(unit="uV", fs=100.0))
    assert (made.n_records, made.rejects) == (4, {"format": 1})
    (line,) = (json.loads(text) for text in (made.store / "rejects.jsonl").read_text().splitlines())
    assert line["record_id"] == "3"


def test_words_about_files_are_refused_where_the_corpus_is_known(pack: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"are for your own folders; .* is 'ptbxl'"):
        prepare(pack / "ptbxl", tmp_path / "s", reading=FULL)


def test_a_folder_of_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(EcglipseError, match="no recordings found"):
        detect(tmp_path)
