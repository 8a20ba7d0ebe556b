"""Writes what the report groups test records by: sex, age band and source of each row, and no one's id."""

import os
from pathlib import Path

import numpy as np

from ecglipse.store import Store

BANDS = ((0, 40), (40, 60), (60, 75), (75, 200))
"""Ages from and below, years; 90 stands for "over 89"."""


def write_subgroups(folder: Path, store: Store) -> None:
    """Write `subgroups/DIGEST.npz`: of each variable the code of each row (-1: unknown) and the names."""
    path = folder / "subgroups" / f"{store.digest[:16]}.npz"
    if path.exists():
        return
    table = store.table
    age = table["age"].to_numpy(dtype=np.float64, na_value=np.nan)
    band = np.full(len(table), -1, dtype=np.int16)
    for code, (low, high) in enumerate(BANDS):
        band[(age >= low) & (age < high)] = code
    sources, source = np.unique(table["source"].to_numpy(dtype=str), return_inverse=True)
    sex = table["sex"].map({"female": 0, "male": 1}).to_numpy(dtype=np.float64, na_value=np.nan)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    names = [f"{low} to {high - 1}" for low, high in BANDS]
    names[0], names[-1] = f"below {BANDS[0][1]}", f"{BANDS[-1][0]} and over"
    try:
        np.savez_compressed(
            partial,
            sex=np.nan_to_num(sex, nan=-1).astype(np.int16),
            sex_names=np.array(["women", "men"]),
            age=band,
            age_names=np.array(names),
            source=source.astype(np.int16),
            source_names=sources,
        )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
