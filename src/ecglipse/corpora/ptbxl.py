"""PTB-XL: 21,799 ten-second recordings with 71 statements, in its own folder layout. Reads."""

import ast
import math
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ecglipse.corpora.corpus import CodeInfo, Corpus, Entry, hashed_patient
from ecglipse.errors import CorpusError, RecordError
from ecglipse.records.record import Record
from ecglipse.records.wfdb import read_wfdb

_SEXES: dict[str, Literal["female", "male"]] = {"0": "male", "1": "female"}
_KINDS = ("diagnostic", "form", "rhythm")
_NEEDED = ("ecg_id", "patient_id", "age", "sex", "scp_codes", "strat_fold", "filename_lr", "filename_hr")


def _matches(folder: Path) -> bool:
    return (folder / "ptbxl_database.csv").is_file()


def _entries(folder: Path) -> list[Entry]:
    """All rows of the table; the 100 Hz files where they are there, else the 500 Hz ones."""
    table = _table(folder, "ptbxl_database.csv", _NEEDED)
    slow = (folder / "records100").is_dir()
    column = "filename_lr" if slow or not (folder / "records500").is_dir() else "filename_hr"
    return [
        Entry(_plain(row["ecg_id"]), partial(_load, folder, row, column)) for row in table.to_dict("records")
    ]


def _load(folder: Path, row: dict[str, Any], column: str) -> Record:
    name = str(row[column])
    if name.startswith(("/", "~")) or ".." in Path(name).parts:
        raise RecordError(f"file name {name:.60} leaves the folder", reason="unsafe-path")
    patient, fold = _number(row["patient_id"], "patient_id"), _number(row["strat_fold"], "strat_fold")
    codes, age = _codes(row["scp_codes"]), _age(row["age"])
    read = read_wfdb(folder / f"{name}.hea")
    return Record(
        signal=read.signal,
        fs=read.fs,
        leads=read.leads,
        record_id=_plain(row["ecg_id"]),
        patient_id=hashed_patient("ptbxl", str(patient)),
        source="ptbxl",
        age=age,
        sex=_SEXES.get(_plain(row["sex"])),
        codes=codes,
        fold=fold,
    )


def _number(value: Any, column: str) -> int:
    """A whole number. The table has 15709.0, and as text if any other cell of the column is no number."""
    try:
        number = float(value)
    except (ValueError, TypeError):
        number = math.nan
    if not number.is_integer():
        raise RecordError(f"column {column} holds {value!r:.40}, a whole number expected", reason="labels")
    return int(number)


def _plain(value: Any) -> str:
    """The text of a cell, "1.0" as "1"."""
    return str(value).removesuffix(".0")


def _age(value: Any) -> float | None:
    """Years, 90 for the table's 300 ("over 89"); None where the cell is empty."""
    try:
        age = float(value)
    except (ValueError, TypeError):
        age = -1.0
    if age < 0:
        raise RecordError(f"column age holds {value!r:.40}, years expected", reason="labels")
    return None if math.isnan(age) else min(age, 90.0)


def _codes(cell: Any) -> tuple[str, ...]:
    """The statements of a cell such as "{'NORM': 100.0, 'SR': 0.0}", whatever their likelihood.

    A likelihood of 0 means "unknown" in PTB-XL, not "absent"; the authors' own aggregation ignores it too.
    """
    try:
        found = ast.literal_eval(cell) if len(cell) < 10_000 else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RecordError(f"scp_codes {cell!r:.60} is not a table of statements", reason="labels")
    return tuple(str(code) for code in found)


def _vocabulary(folder: Path) -> dict[str, CodeInfo]:
    table = _table(folder, "scp_statements.csv", ("description", *_KINDS, "diagnostic_class"))
    table = table.rename(columns={table.columns[0]: "code"})
    return {
        str(row["code"]): CodeInfo(
            description=_text(row["description"]) or "",
            superclass=_text(row["diagnostic_class"]) if row["diagnostic"] == 1 else None,
            subclass=_text(row.get("diagnostic_subclass")) if row["diagnostic"] == 1 else None,
            kinds=[kind for kind in _KINDS if row[kind] == 1],
        )
        for row in table.to_dict("records")
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _table(folder: Path, name: str, needed: tuple[str, ...]) -> Any:
    """Read one of the corpus' tables and see that it has its columns."""
    import pandas as pd

    try:
        table = pd.read_csv(folder / name, low_memory=False)
    except FileNotFoundError:
        raise CorpusError(f"{folder / name}: no such file", hint="it belongs to PTB-XL's folder") from None
    except (OSError, ValueError) as error:
        raise CorpusError(f"{folder / name}: not a CSV table ({error})") from None
    missing = [column for column in needed if column not in table.columns]
    if missing:
        raise CorpusError(f"{folder / name}: without column {', '.join(missing)}")
    return table


CORPUS = Corpus(
    name="ptbxl",
    title="PTB-XL, a large publicly available electrocardiography dataset (1.0.3)",
    licence="CC BY 4.0",
    citation="Wagner et al. 2020, Sci Data 7:154, doi:10.1038/s41597-020-0495-6",
    about=(
        "21,799 records of 18,869 patients, 10 s, 12 leads, at 100 and 500 Hz; 71 SCP statements, ten "
        "folds by patient. Ages over 89 are written 300 and stored as 90. A likelihood of 0 means "
        "unknown. PTB-XL is also part of CinC 2020 and 2021: pretraining on these and testing on PTB-XL "
        "leaks."
    ),
    matches=_matches,
    entries=_entries,
    vocabulary=_vocabulary,
)
