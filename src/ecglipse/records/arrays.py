"""Reads recordings from plain arrays: CSV, TSV, Parquet, NPY and NPZ. What they do not say must be said.

A table has a column a lead, named (any case; columns with other names are left out) or in the order that the
user gives. An array is (lead, time) or (time, lead), whichever has as many as there are leads; one of three
axes holds many recordings. NPZ files may say `fs`, `unit` and `leads` themselves.
"""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ecglipse.errors import RecordError
from ecglipse.leads import canonical
from ecglipse.records.plain_file import read_plain
from ecglipse.records.reading import Reading, millivolts_per, rate
from ecglipse.records.record import Record

ENDINGS = (".csv", ".tsv", ".parquet", ".npy", ".npz")
_LARGEST = 2**31
"""Bytes of a file."""
_MOST_SAMPLES = 2**28


def read_array(path: Path, reading: Reading, *, index: int | None = None) -> Record:
    """Read one recording.

    Args:
        path: of the file; its ending says what it is.
        reading: what the file does not say; what it does say goes before.
        index: of the recording, in an array of three axes.

    Raises:
        RecordError: reason "missing-file", "unsafe-path", "unreadable", "format", "header", "unit",
            "lead-name" or "length".
    """
    where = path.name
    content = read_plain(str(path), where, most=_LARGEST)
    try:
        table, names, said = _parsed(content, path.suffix.lower(), where)
    except RecordError:
        raise
    except Exception as error:  # parsers of four formats have many exceptions
        what = f"{type(error).__name__}: {error}"
        raise RecordError(
            f"{where}: cannot be read as {path.suffix[1:]}: {what:.200}", reason="format"
        ) from None
    if table.ndim == 3:
        if index is None or not 0 <= index < len(table):
            raise RecordError(f"{where}: holds {len(table)} recordings", reason="format")
        table = table[index]
    if table.ndim != 2 or 0 in table.shape:
        raise RecordError(f"{where}: shape {table.shape}, one recording has two axes", reason="format")
    if table.size > _MOST_SAMPLES:
        raise RecordError(f"{where}: {table.size} samples, {_MOST_SAMPLES} at most are read", reason="length")
    leads = reading.leads or said.leads
    if names is not None and reading.leads is None:
        table, leads = _named(table, names, where)
    signal = by_lead(table, leads, where, is_table=names is not None)
    scale = millivolts_per(said.unit or reading.unit, where=where)
    assert leads is not None
    record_id = path.stem if index is None else f"{path.stem}-{index:06d}"
    return Record(
        signal=np.ascontiguousarray(signal * scale, dtype=np.float32),
        fs=rate(said.fs or reading.fs, where=where),
        leads=leads,
        record_id=record_id,
        patient_id=record_id,
        source="own",
    )


def count_recordings(path: Path) -> int | None:
    """How many recordings an `.npy` file of three axes holds; None for every other file."""
    if path.suffix.lower() != ".npy":
        return None
    try:
        shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    except (OSError, ValueError, EOFError):
        return None
    return int(shape[0]) if len(shape) == 3 else None


def _parsed(content: bytes, ending: str, where: str) -> tuple[np.ndarray, list[str] | None, Reading]:
    """Numbers, names of columns where there are some, and what the file says of itself."""
    if ending in (".csv", ".tsv"):
        return (*_text(content, "," if ending == ".csv" else "\t", where), Reading())
    if ending == ".parquet":
        import pyarrow.parquet as pq

        frame = pq.read_table(io.BytesIO(content)).to_pandas().select_dtypes("number")
        return frame.to_numpy(dtype=np.float64), [str(name) for name in frame.columns], Reading()
    if ending == ".npy":
        return _numbers(np.load(io.BytesIO(content), allow_pickle=False)), None, Reading()
    if ending == ".npz":
        with np.load(io.BytesIO(content), allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        signals = [name for name, array in arrays.items() if array.ndim >= 2]
        if len(signals) != 1:
            raise RecordError(
                f"{where}: holds {len(signals)} arrays of two axes, one expected", reason="format"
            )
        said = Reading(
            unit=str(arrays["unit"]) if "unit" in arrays else None,
            fs=float(arrays["fs"]) if "fs" in arrays else None,
            leads=tuple(canonical(str(name)) for name in arrays["leads"]) if "leads" in arrays else None,
        )
        return _numbers(arrays[signals[0]]), None, said
    raise RecordError(f"{where}: ending {ending} is not one of {', '.join(ENDINGS)}", reason="format")


_SEPARATORS = "commas separate fields in .csv files and tabs in .tsv files; numbers have a decimal point"


def _text(content: bytes, separator: str, where: str) -> tuple[np.ndarray, list[str] | None]:
    """A table of text; the first line holds names unless all of it is numbers.

    Every line must have as many fields as the first: parsers fill or shift the others in silence.
    """
    import pandas as pd

    lines = content.decode("utf-8-sig", errors="replace").splitlines()
    words = next(csv.reader(lines[:1], delimiter=separator), [])
    words = [word.strip() for word in words]
    for number, line in enumerate(lines[1:], start=2):
        if line and line.count(separator) != len(words) - 1:
            found = f"line {number} has {line.count(separator) + 1} fields, line 1 has {len(words)}"
            raise RecordError(f"{where}: {found}", reason="format", hint=_SEPARATORS)
    if len(words) == 1 and ";" in words[0]:
        raise RecordError(f"{where}: semicolons separate its fields", reason="format", hint=_SEPARATORS)
    has_names = not all(_is_number(word) for word in words)
    frame = pd.read_csv(
        io.BytesIO(content), sep=separator, header=0 if has_names else None, dtype=np.float64, na_values=[""]
    )
    return frame.to_numpy(), words if has_names else None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _numbers(array: Any) -> np.ndarray:
    """The array, if it holds real numbers."""
    found = np.asarray(array)
    if found.dtype.kind not in "iuf":
        raise RecordError(f"numbers expected, {found.dtype} found", reason="format")
    return found


def _named(table: np.ndarray, names: list[str], where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The columns whose names are leads."""
    kept, leads = [], []
    for column, name in enumerate(names):
        try:
            lead = canonical(name.lower().removeprefix("lead").strip(" _-"))
        except RecordError:
            continue
        if lead in leads:
            raise RecordError(f"{where}: lead {lead} is there twice", reason="lead-name")
        kept.append(column)
        leads.append(lead)
    if not kept:
        shown = ", ".join(names[:6])
        raise RecordError(
            f"{where}: no column is named as a lead; found {shown:.100}",
            reason="lead-name",
            hint="say the leads in the order of the columns: `--source-leads I,II,III,...`",
        )
    return table[:, kept], tuple(leads)


def by_lead(
    table: np.ndarray, leads: tuple[str, ...] | None, where: str, *, is_table: bool
) -> Float[np.ndarray, "lead time"]:
    """Put the leads first: the axis that has as many as there are leads; the columns of a table, if they fit.

    Raises:
        RecordError: reason "lead-name" if nobody said the leads, "format" if no axis fits, or both do.
    """
    if leads is None:
        raise RecordError(
            f"{where}: shape {table.shape}, and nothing says which lead is which",
            reason="lead-name",
            hint="say the leads in their order: `--source-leads I,II,III,aVR,...`",
        )
    fits = [axis for axis in (0, 1) if table.shape[axis] == len(leads)]
    if is_table and 1 in fits:
        fits = [1]
    if len(fits) != 1:
        raise RecordError(
            f"{where}: shape {table.shape} for {len(leads)} leads: "
            + ("both axes fit" if fits else "no axis fits"),
            reason="format",
        )
    return np.asarray(table if fits[0] == 0 else table.T, dtype=np.float64)
