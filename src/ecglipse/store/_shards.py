"""Writes and maps shards: `.npy` files (record, lead, time) of little-endian int16."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import Int16

from ecglipse.errors import StoreError
from ecglipse.store._folder import write_new
from ecglipse.store.manifest import Manifest, ShardFile, TableFile

HINT = "see `ecglipse verify`; restore it from a copy, or make it again with `ecglipse prepare ... --replace`"


def write_shard(path: Path, units: Int16[np.ndarray, "shard lead time"]) -> ShardFile:
    """Write a new shard, as `numpy.save` would, and flush it to the disk.

    Raises:
        OSError: if the disk fails or is full.
    """
    head = io.BytesIO()
    facts = {"descr": "<i2", "fortran_order": False, "shape": units.shape}
    np.lib.format.write_array_header_1_0(head, facts)
    length, digest = write_new(path, [head.getvalue(), units.data.cast("B")])
    return ShardFile(path.name, len(units), length, digest)


def check_length(store: Path, entry: ShardFile | TableFile) -> None:
    """See that a file is there and as long as the manifest says.

    Raises:
        StoreError: naming the file.
    """
    try:
        length = (store / entry.file).stat().st_size
    except OSError as error:
        raise StoreError(f"{store}: {entry.file} cannot be read: {error.strerror}", hint=HINT) from None
    if length != entry.bytes:
        raise StoreError(f"{store}: {entry.file} has {length} bytes, expected {entry.bytes}", hint=HINT)


def open_shard(store: Path, entry: ShardFile, manifest: Manifest) -> Int16[np.ndarray, "shard lead time"]:
    """Map a shard into memory.

    Raises:
        StoreError: naming the shard, if it is missing, cut off, or not the array that the manifest promises.
    """
    check_length(store, entry)
    try:
        mapped: np.ndarray = np.load(store / entry.file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise StoreError(f"{store}: {entry.file} cannot be read: {error}", hint=HINT) from None
    wanted = (entry.records, len(manifest.leads), manifest.n_samples)
    if mapped.dtype != np.dtype("<i2") or mapped.shape != wanted or not mapped.flags.c_contiguous:
        found = f"{mapped.dtype} {mapped.shape}"
        raise StoreError(f"{store}: {entry.file} holds {found}, expected int16 {wanted}", hint=HINT)
    return mapped.view(np.ndarray)
