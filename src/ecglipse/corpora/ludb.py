"""LUDB: 200 recordings with waves marked by hand in every lead. Reads."""

from functools import partial
from pathlib import Path
from typing import Any

from ecglipse.corpora.corpus import CodeInfo, Corpus, Entry, hashed_patient
from ecglipse.errors import CorpusError, RecordError
from ecglipse.leads import LEADS
from ecglipse.records.record import Record
from ecglipse.records.wfdb import read_wfdb
from ecglipse.records.wfdb_annotations import read_waves


def _matches(folder: Path) -> bool:
    return (folder / "ludb.csv").is_file() and (folder / "data").is_dir()


def _entries(folder: Path) -> list[Entry]:
    import pandas as pd

    try:
        table = pd.read_csv(folder / "ludb.csv")
    except (OSError, ValueError) as error:
        raise CorpusError(f"{folder / 'ludb.csv'}: not readable as a table ({error})") from None
    table.columns = [str(column).strip() for column in table.columns]
    missing = [column for column in ("ID", "Sex", "Age", "Rhythms") if column not in table.columns]
    if missing:
        raise CorpusError(f"{folder / 'ludb.csv'}: without column {', '.join(missing)}")
    rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    return [Entry(str(row["ID"]), partial(_load, folder, row)) for row in rows]


def _load(folder: Path, row: dict[str, Any]) -> Record:
    name = str(row["ID"])
    if "/" in name or "\\" in name or name.startswith("."):
        raise RecordError(f"ID {name:.60} is not a plain file name", reason="unsafe-path")
    path = folder / "data" / f"{name}.hea"
    read = read_wfdb(path)
    waves = tuple(
        wave
        for lead in LEADS
        for wave in read_waves(path.with_suffix(f".{lead.lower()}"), fs=read.fs, lead=lead)
    )
    sex = str(row["Sex"]).strip().upper()
    rhythm = str(row["Rhythms"]).strip().rstrip(".")
    return Record(
        signal=read.signal,
        fs=read.fs,
        leads=read.leads,
        record_id=name,
        patient_id=hashed_patient("ludb", name),
        source="ludb",
        age=_age(row["Age"]),
        sex="female" if sex == "F" else "male" if sex == "M" else None,
        codes=(rhythm,) if rhythm and rhythm != "nan" else (),
        waves=waves,
    )


def _age(cell: Any) -> float | None:
    """Years; ">89" is stored as 90."""
    text = str(cell).strip()
    try:
        return 90.0 if text.startswith(">") else min(float(text), 90.0) if float(text) >= 0 else None
    except ValueError:
        return None


def _vocabulary(folder: Path) -> dict[str, CodeInfo]:
    names = (
        "Sinus rhythm",
        "Sinus bradycardia",
        "Sinus tachycardia",
        "Sinus arrhythmia",
        "Irregular sinus rhythm",
        "Atrial fibrillation",
        "Atrial flutter, typical",
    )
    return {
        name: CodeInfo(description=name, superclass=None, subclass=None, kinds=["rhythm"]) for name in names
    }


CORPUS = Corpus(
    name="ludb",
    title="Lobachevsky University Electrocardiography Database (1.0.1)",
    licence="ODC-By 1.0",
    citation="Kalyakulina et al. 2020, IEEE Access 8:186181",
    about=(
        "200 records, 10 s, 500 Hz, 12 leads, with onset, peak and offset of P, QRS and T marked by hand "
        "in each lead. The first and the last beat usually carry no marks: score only within the marked "
        "span."
    ),
    matches=_matches,
    entries=_entries,
    vocabulary=_vocabulary,
)
