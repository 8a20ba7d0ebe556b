"""Writes and reads the tables of a store: `records.parquet`, `waves.parquet` and their columns."""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ecglipse.records.record import Record
from ecglipse.store._folder import open_new

if TYPE_CHECKING:
    from ecglipse.store.packing import Window

RECORDS = pa.schema(
    [
        ("record_id", pa.string()),
        ("patient_id", pa.string()),
        ("source", pa.string()),
        ("fold", pa.int64()),
        ("age", pa.float64()),
        ("sex", pa.string()),
        ("codes", pa.list_(pa.string())),
        ("start_s", pa.float64()),
        ("n_valid", pa.int64()),
        ("missing", pa.list_(pa.string())),
        ("flags", pa.list_(pa.string())),
        ("source_fs", pa.float64()),
        ("source_s", pa.float64()),
    ]
)
WAVES = pa.schema(
    [
        ("row", pa.int64()),
        ("kind", pa.string()),
        ("lead", pa.string()),
        ("onset_s", pa.float64()),
        ("peak_s", pa.float64()),
        ("offset_s", pa.float64()),
    ]
)


def record_row(window: "Window", n_samples: int) -> dict[str, Any]:
    """The row of `records.parquet` for a window of `n_samples`."""
    record = window.record
    return {
        "record_id": record.record_id,
        "patient_id": record.patient_id,
        "source": record.source,
        "fold": record.fold,
        "age": None if record.age is None or math.isnan(record.age) else float(record.age),
        "sex": record.sex,
        "codes": list(record.codes),
        "start_s": float(window.start_s),
        "n_valid": n_samples if window.n_valid is None else window.n_valid,
        "missing": list(window.missing),
        "flags": list(window.flags),
        "source_fs": record.fs if window.source_fs is None else float(window.source_fs),
        "source_s": n_samples / record.fs if window.source_s is None else float(window.source_s),
    }


def wave_rows(record: Record) -> list[dict[str, Any]]:
    """The rows of `waves.parquet` for a record, still without their `row`."""
    return [
        {
            "kind": wave.kind,
            "lead": wave.lead,
            "onset_s": wave.onset_s,
            "peak_s": wave.peak_s,
            "offset_s": wave.offset_s,
        }
        for wave in record.waves
    ]


def write_waves(path: Path, waves: pd.DataFrame) -> None:
    """Write marks in the form of `waves.parquet`, flushed to the disk; an older file goes."""
    rows = waves.astype(object).where(waves.notna(), None).to_dict("records")
    write_part(path, [{str(name): value for name, value in row.items()} for row in rows], WAVES)


def write_part(path: Path, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
    """Write the rows of one shard as a file of its own, flushed to the disk; an older one goes."""
    path.unlink(missing_ok=True)
    with os.fdopen(open_new(path), "wb") as file:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), file)
        file.flush()
        os.fsync(file.fileno())


def merge_parts(parts: Sequence[Path], path: Path, schema: pa.Schema) -> None:
    """Put parts together as one table, a row group each; in memory is one at a time."""
    path.unlink(missing_ok=True)
    with os.fdopen(open_new(path), "wb") as file:
        with pq.ParquetWriter(file, schema) as table:
            for part in parts:
                table.write_table(pq.read_table(part, schema=schema, partitioning=None))
        file.flush()
        os.fsync(file.fileno())


def is_empty(path: Path) -> bool:
    """Whether a table has no rows."""
    return bool(pq.read_metadata(path).num_rows == 0)


def read_columns(
    parts: Sequence[Path], rows: Sequence[dict[str, Any]], columns: Sequence[str]
) -> pd.DataFrame:
    """Read some columns of the parts of `records`, and of the rows after them."""
    tables = [pq.read_table(part, columns=list(columns), partitioning=None) for part in parts]
    held = pa.Table.from_pylist(list(rows), schema=RECORDS).select(list(columns))
    return pd.DataFrame(pa.concat_tables([*tables, held]).to_pandas())


def read_records(path: Path) -> pd.DataFrame:
    """Read `records.parquet`: `fold` as Int64; `codes`, `missing` and `flags` as lists."""
    found = pq.read_table(path, schema=RECORDS, partitioning=None)
    lists = [field.name for field in RECORDS if pa.types.is_list(field.type)]
    table = found.drop(lists).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    for name in lists:
        table[name] = pd.Series(found.column(name).to_pylist(), index=table.index, dtype=object)
    table["n_valid"] = table["n_valid"].astype("int64")
    return pd.DataFrame(table[list(RECORDS.names)])


def read_waves(path: Path) -> pd.DataFrame:
    """Read `waves.parquet`; without the file, a table of no rows."""
    if not path.is_file():
        return pd.DataFrame(WAVES.empty_table().to_pandas())
    return pd.DataFrame(pq.read_table(path, schema=WAVES, partitioning=None).to_pandas())


def read_rejects(path: Path) -> list[dict[str, str]]:
    """Read `rejects.jsonl`; without the file, nothing was rejected.

    Raises:
        ValueError: if a line is not what `StoreWriter.reject` wrote.
    """
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="\n") as lines:  # str.splitlines would split at U+2028 as well
        rows = [json.loads(line) for line in lines]
    if not all(isinstance(row, dict) and row.keys() == {"record_id", "reason", "message"} for row in rows):
        raise ValueError("a line without record_id, reason and message")
    return rows
