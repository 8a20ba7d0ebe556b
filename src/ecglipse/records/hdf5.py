"""Reads recordings from HDF5 files through h5py, one at a time: a file of any size is never in memory.

A dataset of three axes holds many recordings, (record, time, lead) or (record, lead, time); one of two axes
holds one. Attributes `fs`, `unit` and `leads`, of the dataset or the file, are taken at their word. Links,
external and virtual storage and plugins are refused: they make a file read what is not in it.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ecglipse.errors import RecordError
from ecglipse.leads import canonical
from ecglipse.records.arrays import by_lead
from ecglipse.records.plain_file import check_plain
from ecglipse.records.reading import Reading, millivolts_per, rate
from ecglipse.records.record import Record
from ecglipse.signal import without_padding

ENDINGS = (".h5", ".hdf5")
_MOST_SAMPLES = 2**28
_LARGEST_CHUNK = 2**28
"""Bytes: a compressed chunk is in memory whole."""
_PADDING_S = 0.1
"""A shorter stretch of zeros at an end of one's own recordings may be signal, s."""


def read_hdf5(path: Path, reading: Reading, *, index: int | None = None) -> Record:
    """Read one recording.

    Zeros in all leads at either end, of 0.1 s and more, are padding and cut off.

    Args:
        path: of the file.
        reading: what the file does not say; what it does say goes before. `dataset` is the name of the one
            that holds recordings, needed where several could.
        index: of the recording, in a dataset of three axes.

    Raises:
        RecordError: reason "missing-file", "unsafe-path", "unreadable", "format", "header", "unit",
            "lead-name", "length" or "empty" (all zeros).
    """
    with _refusals(path):
        dataset = _dataset(path, reading.dataset)
        said = _said(dataset, path.name)
        leads, fs = reading.leads or said.leads, rate(said.fs or reading.fs, where=path.name)
        signal = by_lead(_values(dataset, index, path.name), leads, path.name, is_table=False)
    scale = millivolts_per(said.unit or reading.unit, where=path.name)
    signal = without_padding(signal, least=round(_PADDING_S * fs))
    record_id = path.stem if index is None else f"{path.stem}-{index:06d}"
    if not signal.any():
        raise RecordError(f"{record_id}: all zeros", reason="empty")
    assert leads is not None
    return Record(
        signal=np.ascontiguousarray(signal * scale, dtype=np.float32),
        fs=fs,
        leads=leads,
        record_id=record_id,
        patient_id=record_id,
        source="own",
    )


def read_rows(path: Path, index: int, *, dataset: str) -> Float[np.ndarray, "time lead"]:
    """Read one recording of a dataset of three axes as it is stored.

    Raises:
        RecordError: as `read_hdf5`.
    """
    with _refusals(path):
        return _values(_dataset(path, dataset), index, path.name)


def read_column(path: Path, name: str) -> np.ndarray | None:
    """Read a dataset of one axis, whole numbers; None if the file has none of that name.

    Raises:
        RecordError: as `read_hdf5`.
    """
    with _refusals(path), _open(path) as file:
        if name not in file:
            return None
        dataset = _checked(file, name, path.name)
        if len(dataset.shape) != 1 or dataset.dtype.kind not in "iu" or dataset.size > _MOST_SAMPLES:
            found = f"{dataset.dtype} {dataset.shape}"
            raise RecordError(
                f"{path.name}: {name} is {found}, whole numbers of one axis expected", reason="format"
            )
        return np.asarray(dataset[...])


def shape_of(path: Path, *, dataset: str | None = None) -> tuple[int, ...]:
    """Shape of the dataset that holds recordings.

    Raises:
        RecordError: as `read_hdf5`.
    """
    with _refusals(path):
        return tuple(int(length) for length in _dataset(path, dataset).shape)


def _values(dataset: Any, index: int | None, where: str) -> np.ndarray:
    """One recording's numbers; nothing else of the dataset is read."""
    shape = dataset.shape
    if len(shape) == 3 and (index is None or not 0 <= index < shape[0]):
        raise RecordError(f"{where}: holds {shape[0]} recordings, none of number {index}", reason="format")
    if math.prod(shape[-2:]) > _MOST_SAMPLES or 0 in shape:
        raise RecordError(
            f"{where}: a recording of shape {shape[-2:]}, 1 to {_MOST_SAMPLES} samples are read",
            reason="length",
        )
    with np.errstate(invalid="ignore"):  # what is no number stays none, and the gate refuses it
        return np.asarray(dataset[index] if len(shape) == 3 else dataset[...], dtype=np.float64)


def _dataset(path: Path, name: str | None) -> Any:
    """The dataset of that name, or the only one that could hold recordings."""
    check_plain(path)
    facts = path.stat()
    return _found(path, name, os.getpid(), facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=64)
def _found(path: Path, name: str | None, process: int, size: int, changed: int) -> Any:
    """As `_dataset`; kept per process, since handles must not be shared with a forked one."""
    file = _open(path)
    if name is not None:
        found = _checked(file, name, path.name)
    else:
        candidates = [key for key in sorted(file) if _may_be_recordings(file, key, path.name)]
        if len(candidates) != 1:
            several = ", ".join(candidates[:6]) or "none"
            raise RecordError(
                f"{path.name}: {len(candidates)} datasets of two or three axes of numbers ({several:.100})",
                reason="format",
                hint="say which with `--dataset NAME`" + ("" if candidates else "; one in a group is a/b"),
            )
        found = _checked(file, candidates[0], path.name)
    if len(found.shape) not in (2, 3) or found.dtype.kind not in "iuf":
        raise RecordError(
            f"{path.name}: dataset {found.name:.40} is {found.dtype} {found.shape}, numbers of two or three "
            "axes expected",
            reason="format",
        )
    return found


def _may_be_recordings(file: Any, name: str, where: str) -> bool:
    import h5py

    if file.get(name, getclass=True) is not h5py.Dataset:
        return False
    found = _checked(file, name, where)
    return len(found.shape) in (2, 3) and found.dtype.kind in "iuf"


def _checked(file: Any, name: str, where: str) -> Any:
    """A dataset whose numbers are in the file itself, in chunks that fit in memory."""
    import h5py

    place = file
    for part in name.strip("/").split("/"):
        if not isinstance(place, h5py.Group) or not part or part not in place:
            held = ", ".join(sorted(file)[:6])
            raise RecordError(f"{where}: no dataset {name:.40}; it holds {held:.100}", reason="format")
        if not isinstance(place.get(part, getlink=True), h5py.HardLink):
            raise RecordError(f"{where}: {name:.40} is a link", reason="unsafe-path")
        place = place[part]
    if not isinstance(place, h5py.Dataset):
        raise RecordError(f"{where}: {name:.40} is no dataset", reason="format")
    if place.external or place.is_virtual:
        raise RecordError(f"{where}: the numbers of {name:.40} are in another file", reason="unsafe-path")
    if place.dtype.kind in "iuf" and place.id.get_type() != h5py.h5t.py_create(place.dtype):
        raise RecordError(f"{where}: {name:.40} has numbers of an unusual form", reason="format")
    filters = place.id.get_create_plist()
    known = all(
        filters.get_filter(number)[0] in (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE,
                                          h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF)
        for number in range(filters.get_nfilters())
    )  # fmt: skip
    if not known:
        raise RecordError(f"{where}: {name:.40} is packed by a plugin", reason="format")
    if place.chunks and math.prod(place.chunks) * place.dtype.itemsize > _LARGEST_CHUNK:
        raise RecordError(f"{where}: {name:.40} has chunks above {_LARGEST_CHUNK} bytes", reason="length")
    if not _is_whole(place):
        raise RecordError(f"{where}: {name:.40} is not stored whole: gaps would read as 0", reason="length")
    return place


def _is_whole(dataset: Any) -> bool:
    """Whether every number of a dataset was written."""
    if dataset.chunks is None:
        return bool(dataset.id.get_storage_size() >= dataset.size * dataset.dtype.itemsize)
    grid = [math.ceil(length / size) for length, size in zip(dataset.shape, dataset.chunks, strict=True)]
    return bool(dataset.id.get_num_chunks() == math.prod(grid))


def _said(dataset: Any, where: str) -> Reading:
    """What attributes of the dataset, or of the file, say."""
    held = {**dict(dataset.file.attrs), **dict(dataset.attrs)}
    unit, fs, leads = held.get("unit"), held.get("fs"), held.get("leads")
    words = (
        [w.decode() if isinstance(w, bytes) else str(w) for w in np.ravel(leads)] if leads is not None else []
    )
    names = tuple(canonical(word) for word in (words[0].split(",") if len(words) == 1 else words))
    if len(set(names)) < len(names):
        raise RecordError(f"{where}: a lead is there twice", reason="lead-name")
    return Reading(
        unit=None if unit is None else unit.decode() if isinstance(unit, bytes) else str(unit),
        fs=None if fs is None else float(fs),
        leads=names or None,
    )


def _open(path: Path) -> Any:
    check_plain(path)
    try:
        import h5py
    except ImportError:
        raise RecordError(
            f"{path.name}: HDF5 needs h5py", reason="format", hint="pip install 'ecglipse[formats]'"
        ) from None
    return h5py.File(path, "r", locking=False, rdcc_nbytes=2**26)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Say whatever the library raises as a RecordError."""
    try:
        yield
    except RecordError:
        raise
    except Exception as error:  # a parser of hostile bytes has many exceptions
        said = str(error).replace(str(path), path.name)
        raise RecordError(f"{path.name}: cannot be read as HDF5: {said:.160}", reason="format") from None
