"""Delineates a store once and writes the marks beside it, `STORE.delineated/`: a file for every 64 records.

The index beside the files says of which store they are, who made the marks, and the SHA-256 of each file. A
call that was stopped, or finds a file damaged, makes what is missing.
"""

import fcntl
import logging
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from ecglipse.checkpoints import read_json, write_json
from ecglipse.errors import CheckpointError
from ecglipse.store import Store, read_waves, sha256_of, write_waves
from ecglipse.waves.delineator import delineate_rows, load_library

PART = 64
"""Records a file: about ten seconds of work."""

_log = logging.getLogger(__name__)


@dataclass
class _Index:
    """What lies in the folder.

    Args:
        store: digest of the store.
        delineator: who made the marks.
        parts: SHA-256 of each file, by name.
    """

    store: str
    delineator: str
    parts: dict[str, str] = field(default_factory=dict)


def delineated(store: Store) -> pd.DataFrame:
    """Give the delineator's marks of all records of a store, in the form of its `waves.parquet`.

    What is not there yet is made, 0.14 s a record; processes that ask at once wait for the one that does it.

    Raises:
        EcglipseError: if marks are missing and NeuroKit2 is not installed.
    """
    found = kept(store)
    if found is not None:
        return found
    load_library()
    folder = _folder(store)
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _completed(store, folder)


def kept(store: Store) -> pd.DataFrame | None:
    """Give the marks beside a store if they are all there and whole; else None."""
    folder, index = _folder(store), _index(store)
    if index is None or not all(_whole(folder / name, index) for name in _names(store)):
        return None
    return _joined(folder, store)


def delineator(store: Store) -> str:
    """Name who has made a store's marks, or is to make them, with its version.

    Raises:
        EcglipseError: if marks are missing and NeuroKit2 is not installed.
    """
    index = _index(store)
    if index is not None and index.parts.keys() >= set(_names(store)):
        return index.delineator
    load_library()
    return _installed()


def _completed(store: Store, folder: Path) -> pd.DataFrame:
    """Make the files that are missing, damaged, or by another delineator."""
    index = _index(store)
    if index is None or (index.delineator != _installed() and not index.parts.keys() >= set(_names(store))):
        index = _Index(store.digest, _installed())
    for number, name in enumerate(_names(store)):
        path, partial = folder / name, folder / f".{name}"
        if _whole(path, index):
            continue
        rows = range(number * PART, min((number + 1) * PART, len(store)))
        partial.unlink(missing_ok=True)
        write_waves(partial, delineate_rows(store.millivolts, rows, store.fs))
        partial.replace(path)
        index.parts[name] = sha256_of(path)
        write_json(folder / "index.json", asdict(index))
        _log.info("%s: %d of %d records delineated", store.path, rows.stop, len(store))
    return _joined(folder, store)


def _joined(folder: Path, store: Store) -> pd.DataFrame:
    tables = [read_waves(folder / name) for name in _names(store)]
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def _whole(path: Path, index: _Index) -> bool:
    """Whether a file is there, as the index has it."""
    return path.is_file() and sha256_of(path) == index.parts.get(path.name)


def _index(store: Store) -> _Index | None:
    """The index, if it is one of this store."""
    try:
        index = _Index(**read_json(_folder(store) / "index.json"))
    except (CheckpointError, TypeError):
        return None
    return index if index.store == store.digest else None


def _folder(store: Store) -> Path:
    return store.path.resolve().with_name(f"{store.path.resolve().name}.delineated")


def _names(store: Store) -> list[str]:
    return [f"part-{start // PART:05d}.parquet" for start in range(0, len(store), PART)]


def _installed() -> str:
    try:
        return f"neurokit2 {version('neurokit2')}"
    except PackageNotFoundError:
        return "neurokit2"
