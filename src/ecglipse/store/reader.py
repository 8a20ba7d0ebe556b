"""`Store`: opens an array store and reads its signals by memory map. Reads the disk, changes nothing."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar, final

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float32, Int, Int16

from ecglipse.errors import StoreError
from ecglipse.store import _tables
from ecglipse.store._folder import sha256_of
from ecglipse.store._shards import HINT, check_length, open_shard
from ecglipse.store.manifest import Manifest, read_manifest

T = TypeVar("T")


@final
class Store:
    """A store, open for reading; `Store.open` makes one.

    Args:
        path: its folder.
        manifest: what it says of itself.
        shards: one memory map per shard, in order.
    """

    def __init__(
        self, path: Path, manifest: Manifest, shards: list[Int16[np.ndarray, "_shard lead time"]]
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.scale_mv: Float32[np.ndarray, " lead"] = np.array(manifest.scale_mv, dtype=np.float32)
        """Millivolts a unit."""
        self._shards = shards
        self._starts = np.cumsum([0, *(len(shard) for shard in shards)])

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open a store; its tables are read when asked for. The digests are left to `problems`.

        Raises:
            StoreError: if it is missing, of a future version, or if a file is missing or has not the length
                that the manifest gives it. A file that is cut off would kill the process on reading.
        """
        manifest = read_manifest(path)
        for table in manifest.tables:
            check_length(path, table)
        return cls(path, manifest, [open_shard(path, shard, manifest) for shard in manifest.shards])

    def __len__(self) -> int:
        return self.manifest.n_records

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r}: {len(self)} records, {self.fs:g} Hz, {self.digest[:12]})"

    @property
    def fs(self) -> float:
        """Samples per second, Hz."""
        return self.manifest.fs

    @property
    def leads(self) -> tuple[str, ...]:
        """Names, in the order of the signals."""
        return self.manifest.leads

    @property
    def n_samples(self) -> int:
        """Samples in each lead of each record."""
        return self.manifest.n_samples

    @cached_property
    def digest(self) -> str:
        """Name of the content, see `Manifest.digest`."""
        return self.manifest.digest

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per record: record_id, patient_id, source, fold, age (years), sex, codes (list of str).

        Raises:
            StoreError: if `records.parquet` is damaged.
        """
        table = self._read("records.parquet", _tables.read_records)
        if len(table) != len(self):
            raise StoreError(
                f"{self.path}: records.parquet has {len(table)} rows, expected {len(self)}", hint=HINT
            )
        return table

    @cached_property
    def waves(self) -> pd.DataFrame:
        """One row per marked wave: row, kind, lead, onset_s, peak_s, offset_s; no rows where none is marked.

        Raises:
            StoreError: if `waves.parquet` is damaged.
        """
        return self._read("waves.parquet", _tables.read_waves)

    @property
    def rejects(self) -> list[dict[str, str]]:
        """The recordings that were left out: record_id, reason, message.

        Raises:
            StoreError: if `rejects.jsonl` is damaged.
        """
        return self._read("rejects.jsonl", _tables.read_rejects)

    def _read(self, name: str, read: Callable[[Path], T]) -> T:
        """Read a table whose digest is right: it is small, and the folder may have been replaced by now."""
        path = self.path / name
        try:
            for entry in self.manifest.tables:
                if entry.file == name and sha256_of(path) != entry.sha256:
                    raise StoreError(f"{self.path}: {name} does not match its SHA-256", hint=HINT)
            return read(path)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise StoreError(f"{self.path}: {name} cannot be read: {error}", hint=HINT) from None

    def signals(self, rows: Int[np.ndarray, " batch"]) -> Int16[np.ndarray, "batch lead time"]:
        """Give the signals of these rows, in this order, in units of `scale_mv`.

        Raises:
            IndexError: if there is no such row; rows are not counted from the end.
        """
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"`rows` must be in 0..{len(self) - 1}; got {rows.min()}..{rows.max()}")
        found = np.empty((len(rows), len(self.leads), self.n_samples), dtype=np.int16)
        which = np.searchsorted(self._starts, rows, side="right") - 1
        for place in np.argsort(rows, kind="stable"):  # in the order of the disk
            shard = which[place]
            found[place] = self._shards[shard][rows[place] - self._starts[shard]]
        return found

    def millivolts(self, rows: Int[np.ndarray, " batch"]) -> Float32[np.ndarray, "batch lead time"]:
        """Give the signals of these rows, in this order, in mV.

        Raises:
            IndexError: as for `signals`.
        """
        units: np.ndarray = self.signals(rows)
        return np.asarray(units * self.scale_mv[:, None])
