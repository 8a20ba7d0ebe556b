"""A folder of your own: arrays, tables, HDF5, EDF, DICOM, SCP, XML; a table says what is known. Reads.

`records.csv` in the folder, if there is one, lists them: `file`, and any of `record_id`, `patient_id`, `age`,
`sex`, `codes` (with semicolons between), `fold`. Without it, every file with a known ending is a recording.
"""

import csv
import dataclasses
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ecglipse.corpora.corpus import CodeInfo, Corpus, Entry, hashed_patient
from ecglipse.errors import CorpusError, RecordError
from ecglipse.records.arrays import ENDINGS, count_recordings, read_array
from ecglipse.records.dicom import read_dicom
from ecglipse.records.edf import read_edf
from ecglipse.records.hdf5 import ENDINGS as HDF5_ENDINGS
from ecglipse.records.hdf5 import read_hdf5, shape_of
from ecglipse.records.reading import Reading, sex_of
from ecglipse.records.record import Record
from ecglipse.records.scp import read_scp
from ecglipse.records.xml_ecg import read_xml

TABLE = "records.csv"
COLUMNS = ("file", "record_id", "patient_id", "age", "sex", "codes", "fold")
_READERS: dict[str, Callable[[Path], Record]] = {
    ".edf": read_edf,
    ".dcm": read_dicom,
    ".xml": read_xml,
    ".scp": read_scp,
}
_ENDINGS = (*ENDINGS, *HDF5_ENDINGS, *_READERS)


def with_reading(reading: Reading) -> Corpus:
    """The corpus, with what its files do not say of themselves."""
    return dataclasses.replace(
        CORPUS, entries=partial(entries, reading=reading), guesses=partial(guesses, reading=reading)
    )


def entries(folder: Path, *, reading: Reading = Reading()) -> list[Entry]:  # noqa: B008 (frozen)
    """All recordings of a folder, those of its table if it has one.

    Raises:
        CorpusError: if the table is wrong, or the first recording shows that something must be said first.
    """
    listed = []
    for row in _rows(folder):
        path = folder / row["file"]
        many = _count(path, reading)
        for index in range(many) if many is not None else [None]:
            name = row.get("record_id") or str(Path(row["file"]).with_suffix(""))
            name = name if index is None else f"{name}-{index:06d}"
            listed.append(Entry(name, partial(load, folder, row, name, index, reading)))
    if listed:
        try:
            listed[0].load()
        except RecordError as error:
            if error.hint and "`--" in error.hint:
                raise CorpusError(f"{folder}: {error.message}", hint=error.hint) from None
    return listed


def guesses(folder: Path, *, reading: Reading = Reading()) -> list[str]:  # noqa: B008 (frozen)
    """Say what was concluded from the first recording."""
    listed = entries(folder, reading=reading)
    table = (
        f"`{TABLE}` names the recordings"
        if _table(folder) is not None
        else f"no `{TABLE}`: every file is one"
    )
    said = [table + ", each recording without a patient_id is a patient of its own"]
    if any(Path(row["file"]).suffix.lower() in HDF5_ENDINGS for row in _rows(folder)):
        said.append("HDF5: zeros in all leads for 0.1 s and more at either end are padding and cut off")
    for entry in listed[:1]:
        try:
            record = entry.load()
        except RecordError:
            continue
        seconds = record.signal.shape[1] / record.fs
        said.append(
            f"{entry.record_id}: {len(record.leads)} leads ({', '.join(record.leads)}), {record.fs:g} Hz, "
            f"{seconds:g} s, {record.signal.min():.3g} to {record.signal.max():.3g} mV"
        )
    return said


def load(folder: Path, row: dict[str, str], name: str, index: int | None, reading: Reading) -> Record:
    """Read a recording and add what the table says of it."""
    path = folder / row["file"]
    ending = path.suffix.lower()
    known = _READERS.get(ending)
    from_numbers = read_hdf5 if ending in HDF5_ENDINGS else read_array
    read = known(path) if known is not None else from_numbers(path, reading, index=index)
    patient = row.get("patient_id") or (name if read.patient_id == read.record_id else read.patient_id)
    age, fold = _number(row.get("age", "")), _number(row.get("fold", ""))
    return dataclasses.replace(
        read,
        record_id=name,
        patient_id=hashed_patient("own", patient),
        source=folder.name,
        age=read.age if age is None else min(age, 90.0),
        sex=sex_of(row.get("sex", "")) or read.sex,
        codes=tuple(code.strip() for code in row.get("codes", "").split(";") if code.strip()),
        fold=None if fold is None else int(fold),
    )


def _rows(folder: Path) -> list[dict[str, str]]:
    """The rows of the table; without one, a row a file."""
    rows = _table(folder)
    if rows is None:
        rows = [{"file": path.relative_to(folder).as_posix()} for path in _files(folder)]
    return rows


def _count(path: Path, reading: Reading) -> int | None:
    """How many recordings a file of many holds; None for a file of one, and for one that cannot be read."""
    if path.suffix.lower() not in HDF5_ENDINGS:
        return count_recordings(path)
    try:
        shape = shape_of(path, dataset=reading.dataset)
    except RecordError:
        return None
    return shape[0] if len(shape) == 3 else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 10_000 else None


def _table(folder: Path) -> list[dict[str, str]] | None:
    """The rows of `records.csv`; None if there is none.

    Raises:
        CorpusError: naming the column or the line that is wrong.
    """
    path = folder / TABLE
    if not path.is_file():
        return None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            columns = list(reader.fieldnames or [])
            rows = [{k: v for k, v in row.items() if k is not None and isinstance(v, str)} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot be read: {error}") from None
    unknown = [name for name in columns if name not in COLUMNS]
    if "file" not in columns or unknown:
        what = f"unknown columns {', '.join(unknown)}" if unknown else "no column `file`"
        raise CorpusError(f"{path}: {what}", hint=f"its columns may be {', '.join(COLUMNS)}")
    for number, row in enumerate(rows, start=2):
        name = Path(row["file"])
        if not row["file"] or name.is_absolute() or ".." in name.parts:
            raise CorpusError(f"{path}:{number}: file {row['file']!r:.60} is not a path inside the folder")
        if name.suffix.lower() not in _ENDINGS:
            raise CorpusError(f"{path}:{number}: ending {name.suffix!r:.20} is not read", hint=_HINT)
    return rows


_HINT = f"read are {', '.join(_ENDINGS)}; WFDB records are found by their `.hea` files"


def _files(folder: Path) -> list[Path]:
    """Files with a known ending, in order; links and hidden files are not followed."""

    def stop(error: OSError) -> None:
        raise CorpusError(f"{error.filename}: cannot be listed ({error.strerror})") from None

    return sorted(
        Path(place) / name
        for place, _, names in os.walk(folder, onerror=stop)
        for name in names
        if Path(name).suffix.lower() in _ENDINGS and not name.startswith(".")
    )


def _matches(folder: Path) -> bool:
    return folder.is_dir() and ((folder / TABLE).is_file() or bool(_files(folder)))


def _vocabulary(folder: Path) -> dict[str, CodeInfo]:
    """The codes of the table, each a diagnosis in its own words."""
    codes = {code.strip() for row in _table(folder) or [] for code in row.get("codes", "").split(";")}
    return {
        code: CodeInfo(description=code, superclass=None, subclass=None, kinds=["diagnostic"])
        for code in sorted(codes - {""})
    }


CORPUS = Corpus(
    name="own",
    title="A folder of your own",
    licence="your own",
    citation="",
    about="CSV, TSV, Parquet, NPY, NPZ, HDF5, EDF, DICOM, SCP-ECG and XML (MUSE, aECG) files. What they do "
    "not say is asked for: `--unit`, `--source-fs`, `--source-leads`, `--dataset`. Patients, ages, sexes, "
    f"codes and folds come from `{TABLE}` (columns {', '.join(COLUMNS)}); without it each recording is a "
    "patient.",
    matches=_matches,
    entries=entries,
    vocabulary=_vocabulary,
    guesses=guesses,
    read_as=with_reading,
)
