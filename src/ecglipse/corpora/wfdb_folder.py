"""Any folder of WFDB records: no labels but what CinC-style comments say. Reads."""

from functools import partial
from pathlib import Path

from ecglipse.corpora.corpus import CodeInfo, Corpus, Entry, hashed_patient, headers
from ecglipse.records.reading import sex_of
from ecglipse.records.record import Record
from ecglipse.records.wfdb import read_wfdb


def entries(folder: Path) -> list[Entry]:
    """All headers of a folder and its sub-folders; a record's id is its path from the folder on."""
    return [
        Entry(path.relative_to(folder).with_suffix("").as_posix(), partial(load, folder, path))
        for path in headers(folder)
    ]


def load(folder: Path, path: Path) -> Record:
    """Read a record with the age, sex and diagnoses of its comments ("Age: 65", "Sex: F", "Dx: a,b")."""
    read = read_wfdb(path)
    said: dict[str, str] = {}
    for comment in read.comments:
        key, _, value = comment.partition(":")
        said.setdefault(key.strip().lower(), value.strip())
    inner = path.relative_to(folder)
    source = inner.parts[0] if len(inner.parts) > 1 else folder.name
    return Record(
        signal=read.signal,
        fs=read.fs,
        leads=read.leads,
        record_id=inner.with_suffix("").as_posix(),
        patient_id=hashed_patient(source, inner.with_suffix("").as_posix()),
        source=source,
        age=_age(said.get("age", "")),
        sex=sex_of(said.get("sex", "")),
        codes=tuple(code.strip() for code in said.get("dx", "").split(",") if code.strip()),
    )


def _age(text: str) -> float | None:
    """Years, 90 for more than 89; None for "NaN", "Unknown" and what no living person has."""
    try:
        age = float(text)
    except ValueError:
        return None
    return min(age, 90.0) if 0 <= age <= 130 else None


def _vocabulary(folder: Path) -> dict[str, CodeInfo]:
    return {}


CORPUS = Corpus(
    name="wfdb",
    title="Any folder of WFDB records",
    licence="your own",
    citation="",
    about="Every `.hea` file of the folder and its sub-folders. Each record counts as a patient of its own: "
    "several recordings of one person would then be in training and test.",
    matches=lambda folder: folder.is_dir() and bool(headers(folder)),
    entries=entries,
    vocabulary=_vocabulary,
)
