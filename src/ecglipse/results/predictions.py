"""The predictions of a cell, as the bytes of `predictions/CELL.npz` and back. Pure."""

import io
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, Integer, Num


@dataclass(frozen=True)
class Predictions:
    """What a method said about each test record of a cell.

    Args:
        rows: of the store.
        scores: probabilities; of a regression, the predicted numbers.
        truth: 0 or 1; of a regression, the true numbers.
        patients: codes 0..n_patients-1; equal for records of one patient.
    """

    rows: Integer[np.ndarray, " record"]
    scores: Float[np.ndarray, "record class"]
    truth: Num[np.ndarray, "record class"]
    patients: Integer[np.ndarray, " record"]


def pack(found: Predictions) -> bytes:
    """Give the bytes: scores as float32, truth too where it is float and else as uint8, the rest as int64."""
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        rows=found.rows.astype(np.int64),
        scores=found.scores.astype(np.float32),
        truth=found.truth.astype(np.float32 if found.truth.dtype.kind == "f" else np.uint8),
        patients=found.patients.astype(np.int64),
    )
    return packed.getvalue()


def unpack(content: bytes) -> Predictions:
    """Give the predictions.

    Raises:
        ValueError, KeyError, OSError, zipfile.BadZipFile: if the bytes hold none.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        names = ("rows", "scores", "truth", "patients")
        return Predictions(**{name: _array(packed.read(f"{name}.npy")) for name in names})


def _array(raw: bytes) -> np.ndarray:
    """Read a .npy file as `np.load` does, in a third of its time: a study has few different headers."""
    start = 10 + int.from_bytes(raw[8:10], "little")
    shape, fortran, dtype = _header(raw[:start])
    return np.frombuffer(raw, dtype, offset=start).reshape(shape, order="F" if fortran else "C")


@lru_cache(maxsize=1024)
def _header(raw: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first index runs fastest, and dtype."""
    file = io.BytesIO(raw)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("not a .npy file of version 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError("objects instead of numbers")
    return shape, fortran, dtype
