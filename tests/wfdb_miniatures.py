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


def pack(x: np.ndarray, form: int) -> bytes:
    """The content of a signal file of these samples (time, lead) in a format; last blocks are padded."""
    if form == 8:
        return np.diff(x, axis=0, prepend=x[:1]).astype("i1").tobytes()
    values = x.reshape(-1).astype(np.int64)
    if form in (16, 61, 32):
        return values.astype({16: "<i2", 61: ">i2", 32: "<i4"}[form]).tobytes()
    if form == 24:
        return values.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    if form in (80, 160):
        return (values + {80: 128, 160: 32768}[form]).astype({80: "u1", 160: "<u2"}[form]).tobytes()
    size = {212: 2, 310: 3, 311: 3}[form]
    values = np.append(values, np.zeros(-len(values) % size, dtype=np.int64)).reshape(-1, size)
    if form == 212:
        one, two = (values & 0xFFF).T
        parts = [one & 0xFF, one >> 8 | (two >> 8) << 4, two & 0xFF]
        return np.stack(parts, axis=1).astype(np.uint8).tobytes()
    one, two, three = (values & 0x3FF).T
    if form == 310:
        words = [one << 1 | (three & 0x1F) << 11, two << 1 | (three >> 5) << 11]
        return np.stack(words, axis=1).astype("<u2").tobytes()
    return (one | two << 10 | three << 20).astype("<u4").tobytes()


def write_packed(
    folder: Path, x: np.ndarray, *, form: int, name: str = "r", leads: tuple[str, ...] = LEADS
) -> Path:
    """A record of one file in a format."""
    (folder / f"{name}.dat").write_bytes(pack(x, form))
    lines = [f"{name} {x.shape[1]} 100 {len(x)}"]
    lines += [signal_line(f"{name}.dat", x[:, k], lead, form=str(form)) for k, lead in enumerate(leads)]
    path = folder / f"{name}.hea"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_segments(
    folder: Path,
    parts: list[np.ndarray | None],
    *,
    layout: bool = False,
    leads: list[tuple[str, ...]] | None = None,
    gap: int = 10,
) -> Path:
    """A record `r` of these segments; None is a gap of `gap` samples."""
    lines = []
    if layout:
        empty = [f"~ 0 1000.0(0)/mV 16 0 0 0 0 {lead}" for lead in LEADS]
        (folder / "r_layout.hea").write_text("\n".join(["r_layout 12 100 0", *empty]) + "\n")
        lines.append("r_layout 0")
    for number, part in enumerate(parts):
        if part is None:
            lines.append(f"~ {gap}")
            continue
        names = LEADS if leads is None else leads[number]
        write_packed(folder, part, form=16, name=f"r_{number}", leads=names)
        lines.append(f"r_{number} {len(part)}")
    total = sum(int(line.split()[1]) for line in lines)
    path = folder / "r.hea"
    path.write_text("\n".join([f"r/{len(lines)} 12 100 {total}", *lines]) + "\n")
    return path
