"""Writes and reads the tables of a store: `records.parquet`, `waves.parquet` and their columns."""

import contextlib
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ecglipse.records.record import Record
from ecglipse.store._folder import open_new

RECORDS = pa.schema(
    [
        ("record_id", pa.string()),
        ("patient_id", pa.string()),
        ("source", pa.string()),
        ("fold", pa.int64()),
        ("age", pa.float64()),
        ("sex", pa.string()),
        ("codes", pa.list_(pa.string())),
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


def record_row(record: Record) -> dict[str, Any]:
    """The row of `records.parquet` for a record."""
    return {
        "record_id": record.record_id,
        "patient_id": record.patient_id,
        "source": record.source,
        "fold": record.fold,
        "age": None if record.age is None or math.isnan(record.age) else float(record.age),
        "sex": record.sex,
        "codes": list(record.codes),
    }


def wave_rows(row: int, record: Record) -> list[dict[str, Any]]:
    """The rows of `waves.parquet` for the record in this row of the store."""
    return [
        {
            "row": row,
            "kind": wave.kind,
            "lead": wave.lead,
            "onset_s": wave.onset_s,
            "peak_s": wave.peak_s,
            "offset_s": wave.offset_s,
        }
        for wave in record.waves
    ]


class TableWriter:
    """A Parquet file that grows by one row group at a time, so that few rows are held in memory."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._schema = schema
        self._file = os.fdopen(open_new(path), "wb")
        self._parquet = pq.ParquetWriter(self._file, schema)

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write rows as one group."""
        self._parquet.write_table(pa.Table.from_pylist(list(rows), schema=self._schema))

    def close(self) -> None:
        """Finish the file and flush it to the disk."""
        self._parquet.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Let go of a file that is to be removed; never fails."""
        for part in (self._parquet, self._file):
            with contextlib.suppress(OSError, ValueError, pa.ArrowException):
                part.close()


def read_records(path: Path) -> pd.DataFrame:
    """Read `records.parquet`: `fold` as Int64, `codes` as lists."""
    found = pq.read_table(path, schema=RECORDS, partitioning=None)
    table = found.drop(["codes"]).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    table["codes"] = pd.Series(found.column("codes").to_pylist(), index=table.index, dtype=object)
    return pd.DataFrame(table)


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
