"""Chapman-Shaoxing as its authors published it: CSV files in microvolts and a table of diagnoses. Reads.

Its WFDB form, in the CinC challenge 2021 and on its own, is read by `cinc`.
"""

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ecglipse.corpora.corpus import CodeInfo, Corpus, Entry, hashed_patient
from ecglipse.errors import CorpusError
from ecglipse.leads import LEADS
from ecglipse.records.arrays import read_array
from ecglipse.records.reading import Reading, sex_of
from ecglipse.records.record import Record

FOLDERS = ("ECGDataDenoised", "ECGData")
TABLES = ("Diagnostics.csv", "Diagnostics.xlsx")
COLUMNS = ("FileName", "Rhythm", "Beat", "PatientAge", "Gender")
READING = Reading(unit="uV", fs=500.0, leads=LEADS)

RHYTHMS: dict[str, str] = {
    "SB": "sinus bradycardia",
    "SR": "sinus rhythm",
    "AFIB": "atrial fibrillation",
    "ST": "sinus tachycardia",
    "AF": "atrial flutter",
    "SA": "sinus irregularity",
    "SI": "sinus irregularity",
    "SVT": "supraventricular tachycardia",
    "AT": "atrial tachycardia",
    "AVNRT": "atrioventricular node reentrant tachycardia",
    "AVRT": "atrioventricular reentrant tachycardia",
    "SAAWR": "sinus atrium to atrial wandering rhythm",
}
"""Zheng et al. 2020, table 3."""


def _entries(folder: Path) -> list[Entry]:
    """The recordings of the table whose files are named there."""
    place = next(folder / name for name in FOLDERS if (folder / name).is_dir())
    listed = []
    for number, row in enumerate(_rows(folder), start=2):
        name = row["FileName"].strip()
        if not name or Path(name).name != name or name.startswith("."):
            raise CorpusError(f"{_table(folder)}:{number}: {name!r:.60} is no file name")
        listed.append(Entry(name, partial(_load, place / f"{name}.csv", name, row)))
    return listed


def _load(path: Path, name: str, row: dict[str, str]) -> Record:
    read = read_array(path, READING)
    try:
        age = float(row["PatientAge"])
    except ValueError:
        age = -1.0
    beats = [word for word in row["Beat"].split() if word.upper() != "NONE"]
    return Record(
        signal=read.signal,
        fs=read.fs,
        leads=read.leads,
        record_id=name,
        patient_id=hashed_patient("chapman", name),
        source="chapman",
        age=min(age, 90.0) if 0 <= age <= 130 else None,
        sex=sex_of(row["Gender"]),
        codes=tuple(f"chapman:{code}" for code in dict.fromkeys([row["Rhythm"].strip().upper(), *beats])),
    )


def _rows(folder: Path) -> Iterator[dict[str, str]]:
    """Rows of the table, as text.

    Raises:
        CorpusError: if it cannot be read or lacks a column.
    """
    path = _table(folder)
    rows = _workbook(path) if path.suffix == ".xlsx" else _text(path)
    try:
        names = [str(name).strip() for name in next(rows)]
    except StopIteration:
        raise CorpusError(f"{path}: empty") from None
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise CorpusError(f"{path}: without column {', '.join(missing)}")
    for row in rows:
        held = dict(zip(names, ("" if value is None else str(value) for value in row), strict=False))
        if held.get("FileName"):
            yield dict.fromkeys(COLUMNS, "") | held


def _text(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.reader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot be read: {error}") from None


def _workbook(path: Path) -> Iterator[tuple[object, ...]]:
    try:
        import openpyxl
    except ImportError:
        raise CorpusError(
            f"{path}: needs openpyxl", hint="pip install 'ecglipse[formats]', or save it as Diagnostics.csv"
        ) from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # a parser of zipped XML has many exceptions
        raise CorpusError(f"{path}: not a sound workbook: {error!s:.100}") from None
    try:
        yield from book.worksheets[0].iter_rows(values_only=True)
    finally:
        book.close()


def _table(folder: Path) -> Path:
    return next(folder / name for name in TABLES if (folder / name).is_file())


def _matches(folder: Path) -> bool:
    has_table = any((folder / name).is_file() for name in TABLES)
    return has_table and any((folder / name).is_dir() for name in FOLDERS)


def _vocabulary(folder: Path) -> dict[str, CodeInfo]:
    found = {
        f"chapman:{code}": CodeInfo(description=text, superclass=None, subclass=None, kinds=["rhythm"])
        for code, text in RHYTHMS.items()
    }
    beats = {word for row in _rows(folder) for word in row["Beat"].split() if word.upper() != "NONE"}
    for beat in sorted(beats - set(RHYTHMS)):
        found[f"chapman:{beat}"] = CodeInfo(
            description=beat, superclass=None, subclass=None, kinds=["diagnostic"]
        )
    return found


CORPUS = Corpus(
    name="chapman",
    title="Chapman University and Shaoxing People's Hospital 12-lead database",
    licence="CC BY 4.0",
    citation="Zheng et al. 2020, Sci Data 7:48",
    about=(
        "10,646 patients, one 10 s record each, 500 Hz, 11 rhythms. The CSV files hold microvolts; those in "
        "ECGDataDenoised have no header row and were filtered by their authors (they are taken if both "
        "folders are there). AF means atrial flutter; the task `rhythm` has four groups, AFIB, GSVT, SB, SR. "
        "The CinC challenge 2021 holds these recordings: never pretrain on it and test here."
    ),
    matches=_matches,
    entries=_entries,
    vocabulary=_vocabulary,
)
