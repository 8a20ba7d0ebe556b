"""MIMIC-IV-ECG: WFDB records by patient, and the machine's statements. Reads."""

import csv
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from ecglipse.corpora.corpus import CodeInfo, Corpus, Entry, hashed_patient
from ecglipse.errors import CorpusError
from ecglipse.records.record import Record
from ecglipse.records.wfdb import read_wfdb

LIST, STATEMENTS = "record_list.csv", "machine_measurements.csv"
_FEWEST = 20
"""A statement that fewer records have is not in the vocabulary."""


def _entries(folder: Path) -> list[Entry]:
    """All records of the list whose headers are there: a part of the database may have been fetched."""
    statements = _statements(folder)
    listed = []
    for number, row in enumerate(_rows(folder / LIST, ("subject_id", "study_id", "path")), start=2):
        inner = PurePosixPath(row["path"].strip())
        if not row["path"].strip() or inner.is_absolute() or ".." in inner.parts:
            raise CorpusError(
                f"{folder / LIST}:{number}: {row['path']!r:.60} is not a path inside the folder"
            )
        header = folder / f"{inner}.hea"
        if header.is_file():
            study = row["study_id"].strip()
            listed.append(
                Entry(
                    study, partial(_load, header, study, row["subject_id"].strip(), statements.get(study, ()))
                )
            )
    return listed


def _load(header: Path, study: str, subject: str, codes: tuple[str, ...]) -> Record:
    read = read_wfdb(header)
    return Record(
        signal=read.signal,
        fs=read.fs,
        leads=read.leads,
        record_id=study,
        patient_id=hashed_patient("mimic-iv-ecg", subject),
        source="mimic-iv-ecg",
        codes=codes,
    )


def _statements(folder: Path) -> dict[str, tuple[str, ...]]:
    """The machine's statements by study, in lower case and without the final full stop."""
    path = folder / STATEMENTS
    if not path.is_file():
        return {}
    found = {}
    for row in _rows(path, ("study_id",)):
        said = [row[name].strip().rstrip(".").lower() for name in row if name.startswith("report_")]
        found[row["study_id"].strip()] = tuple(dict.fromkeys(word for word in said if word))
    return found


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in needed if name not in (reader.fieldnames or [])]
            if missing:
                raise CorpusError(f"{path}: without column {', '.join(missing)}")
            for row in reader:
                yield {key: value or "" for key, value in row.items() if isinstance(key, str)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot be read: {error}") from None


def _vocabulary(folder: Path) -> dict[str, CodeInfo]:
    counts = Counter(code for codes in _statements(folder).values() for code in codes)
    return {
        code: CodeInfo(description=code, superclass=None, subclass=None, kinds=["diagnostic"])
        for code, count in sorted(counts.items())
        if count >= _FEWEST
    }


def _matches(folder: Path) -> bool:
    return (folder / LIST).is_file() and (folder / "files").is_dir()


CORPUS = Corpus(
    name="mimic-iv-ecg",
    title="MIMIC-IV-ECG, diagnostic electrocardiogram matched subset (1.0)",
    licence="Open Database License 1.0",
    citation="Gow et al. 2023, PhysioNet",
    about=(
        "About 800,000 records of 160,000 patients, 10 s, 500 Hz. The columns are in the order I, II, III, "
        "aVR, aVF, aVL, V1-V6: they are taken by name. Codes are the machine's statements, word for word, "
        "which no physician confirmed; age and sex are in MIMIC-IV itself and not here."
    ),
    matches=_matches,
    entries=_entries,
    vocabulary=_vocabulary,
)
