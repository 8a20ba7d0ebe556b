"""Writes small WFDB records with right checksums, for the tests to read and to spoil."""

import struct
from pathlib import Path

import numpy as np

from ecglipse.leads import LEADS


def samples(n: int = 50, leads: int = 12, seed: int = 0) -> np.ndarray:
    """Integers (time, lead) such as a converter gives."""
    return np.random.default_rng(seed).integers(-2000, 2000, (n, leads)).astype("<i2")


def signal_line(
    file: str, column: np.ndarray, lead: str, *, form: str = "16", gain: str = "1000.0(0)/mV"
) -> str:
    """One signal's line of a header."""
    checksum = int(column.astype(np.int64).sum()) & 0xFFFF
    checksum -= 0x10000 if checksum >= 0x8000 else 0
    return f"{file} {form} {gain} 16 0 {column[0]} {checksum} 0 {lead}"


def write_dat(
    folder: Path,
    name: str = "r",
    *,
    x: np.ndarray | None = None,
    fs: str = "100",
    gain: str = "1000.0(0)/mV",
    leads: tuple[str, ...] = LEADS,
    comments: tuple[str, ...] = (),
) -> Path:
    """A record of format 16 in one `.dat` file; gives the path of its header."""
    x = samples() if x is None else x
    (folder / f"{name}.dat").write_bytes(x.astype("<i2").tobytes())
    lines = [f"{name} {x.shape[1]} {fs} {len(x)}"]
    lines += [signal_line(f"{name}.dat", x[:, k], lead, gain=gain) for k, lead in enumerate(leads)]
    lines += [f"#{comment}" for comment in comments]
    path = folder / f"{name}.hea"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def matrix(x: np.ndarray, *, kind: int = 30, name: bytes = b"val\0") -> bytes:
    """A MATLAB v4 file of these samples."""
    return struct.pack("<5i", kind, x.shape[1], len(x), 0, len(name)) + name + x.astype("<i2").tobytes()


def write_mat(folder: Path, name: str = "A0001", *, x: np.ndarray | None = None, form: str = "16+24") -> Path:
    """A record in the CinC challenges' form."""
    x = samples() if x is None else x
    (folder / f"{name}.mat").write_bytes(matrix(x))
    lines = [f"{name} 12 500 {len(x)} 05-May-2020 09:49:17"]
    lines += [
        signal_line(f"{name}.mat", x[:, k], lead, form=form, gain="1000/mV") for k, lead in enumerate(LEADS)
    ]
    lines += ["#Age: 65", "#Sex: Female", "#Dx: 426783006,164889003"]
    path = folder / f"{name}.hea"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
