"""`problems`: reads every byte of a store and says what does not agree with its manifest."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from ecglipse.errors import StoreError
from ecglipse.store import _tables
from ecglipse.store._folder import sha256_of
from ecglipse.store._shards import check_length, open_shard
from ecglipse.store.manifest import FILE, Manifest, ShardFile, TableFile, read_manifest


def problems(path: Path) -> list[str]:
    """Say what is wrong with a store's files; empty if nothing is.

    Found are changed, cut, missing, swapped, older and additional files, tables that do not fit the shards,
    and any change of the manifest. Not found is a whole other store with its own manifest: compare digests.
    """
    try:
        manifest = read_manifest(path)
        text = (path / FILE).read_text(encoding="utf-8")
    except (StoreError, OSError, ValueError) as error:
        said = error.message if isinstance(error, StoreError) else f"{FILE}: {error}"
        return [said.removeprefix(f"{path}/").removeprefix(f"{path}: ")]
    found = [] if text == manifest.text() else [f"{FILE}: not as it was written"]
    listed = {FILE} | {entry.file for entry in manifest.files}
    extra = sorted(entry.name for entry in path.iterdir() if entry.name not in listed)
    found += [f"{name}: not in the manifest" for name in extra]
    sound = set()
    for entry in manifest.files:
        fault = _fault(path, entry, manifest)
        if fault is None:
            sound.add(entry.file)
        else:
            found.append(fault)
    return found + _contradictions(path, manifest, sound)


def _fault(path: Path, entry: ShardFile | TableFile, manifest: Manifest) -> str | None:
    """Say what is wrong with one file."""
    try:
        check_length(path, entry)
        if sha256_of(path / entry.file) != entry.sha256:
            return f"{entry.file}: does not match its SHA-256"
        if isinstance(entry, ShardFile):
            open_shard(path, entry, manifest)
    except StoreError as error:
        return error.message.removeprefix(f"{path}: ")
    except OSError as error:
        return f"{entry.file}: cannot be read: {error.strerror}"
    return None


def _contradictions(path: Path, manifest: Manifest, sound: set[str]) -> list[str]:
    """Say where undamaged tables contradict the manifest: the fault of who wrote them."""
    found = []
    try:
        if "records.parquet" in sound:
            rows = len(_tables.read_records(path / "records.parquet"))
            if rows != manifest.n_records:
                found.append(f"records.parquet: {rows} rows, expected {manifest.n_records}")
        if "waves.parquet" in sound:
            row = _tables.read_waves(path / "waves.parquet")["row"].to_numpy(dtype=np.int64)
            if len(row) and not (row.min() >= 0 and row.max() < manifest.n_records):
                found.append(
                    f"waves.parquet: rows {row.min()} to {row.max()} of {manifest.n_records} records"
                )
        listed = {table.file for table in manifest.tables}
        if "rejects.jsonl" in sound or "rejects.jsonl" not in listed:
            rejects = Counter(row["reason"] for row in _tables.read_rejects(path / "rejects.jsonl"))
            if rejects != manifest.rejects:
                found.append(f"rejects.jsonl: lists {dict(rejects)}, the manifest counts {manifest.rejects}")
    except (OSError, ValueError, pa.ArrowException) as error:
        found.append(f"tables: cannot be read: {error}")
    return found
