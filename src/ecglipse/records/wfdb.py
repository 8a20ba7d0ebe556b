"""Reads WFDB records: `.hea` with format 16 in `.dat` files or in the MATLAB v4 files of the CinC challenges.

Strict: the samples must be exactly as many as the header says, begin with the stated value and add up to
the stated checksum; a file must be a plain file beside its header (no link, pipe or other folder). Fast:
one read a file and a handful of array operations.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int16

from ecglipse.errors import RecordError
from ecglipse.records.plain_file import read_plain
from ecglipse.records.wfdb_header import LARGEST_HEADER, Header, parse_header

_MATRIX = struct.Struct("<5i")
_INT16_MATRIX = 30
"""MATLAB v4 type: little-endian, int16, full matrix."""
_INVALID = -32768
"""WFDB's mark for "no sample here" in format 16."""


@dataclass(frozen=True)
class WfdbRecord:
    """A record as read.

    Args:
        signal: mV; NaN where the file marks samples as invalid.
        fs: Hz.
        leads: canonical names, in the file's order.
        comments: of the header.
        header: all of it.
    """

    signal: Float[np.ndarray, "lead time"]
    fs: float
    leads: tuple[str, ...]
    comments: tuple[str, ...]
    header: Header


def read_header(path: Path) -> Header:
    """Read a record's header.

    Args:
        path: of the `.hea` file, or of the record without ending.

    Raises:
        RecordError: see `read_wfdb`.
    """
    if path.suffix != ".hea":
        path = path.with_name(path.name + ".hea")
    header = parse_header(read_plain(str(path), path.name, most=LARGEST_HEADER + 1), where=path.name)
    if header.name != path.name[:-4]:
        raise RecordError(f"{path.name}: names itself {header.name:.60}", reason="header")
    return header


def read_wfdb(path: Path) -> WfdbRecord:
    """Read a record.

    Args:
        path: of the `.hea` file, or of the record without ending.

    Raises:
        RecordError: reason "missing-file", "unsafe-path", "header", "format", "gain", "unit", "lead-name",
            "length", "checksum" or "unreadable"; nothing else.
    """
    header = read_header(path)
    folder = os.path.dirname(path)
    specs, n = header.signals, header.n_samples
    files: dict[tuple[str, int], list[int]] = {}
    for index, spec in enumerate(specs):
        files.setdefault((spec.file, spec.offset), []).append(index)
    parts = [
        _read_samples(os.path.join(folder, name), name, len(members), n, offset)
        for (name, offset), members in files.items()
    ]
    samples = parts[0]
    if len(parts) > 1:  # only now, when the sizes of the files have been seen, is there room to be made
        samples = np.empty((len(specs), n), dtype=np.int16)
        for members, part in zip(files.values(), parts, strict=True):
            samples[members] = part
    _verify(samples, header, path.name)
    gain = np.array([spec.gain for spec in specs], dtype=np.float32)
    baseline = np.array([spec.baseline for spec in specs])
    shifted = samples - baseline[:, None] if baseline.any() else samples
    signal = np.divide(shifted, gain[:, None], dtype=np.float32, casting="unsafe", order="C")
    if samples.min() == _INVALID:
        signal[samples == _INVALID] = np.nan
    return WfdbRecord(signal, header.fs, tuple(spec.lead for spec in specs), header.comments, header)


def _verify(samples: Int16[np.ndarray, "lead time"], header: Header, where: str) -> None:
    """Hold the samples against the header's checksums and initial values."""
    sums = samples.sum(axis=1, dtype=np.int64)
    stated = np.array([spec.checksum for spec in header.signals])
    wrong = (sums - stated) & 0xFFFF != 0
    wrong |= samples[:, 0] != np.array([spec.initial for spec in header.signals])
    if wrong.any():
        leads = ", ".join(spec.lead for spec, bad in zip(header.signals, wrong, strict=True) if bad)
        raise RecordError(
            f"{where}: lead {leads}: samples do not match the header's checksum or initial value",
            reason="checksum",
            hint="the file is damaged, or header and samples belong to different recordings",
        )


def _read_samples(
    path: str, name: str, n_signals: int, n: int, offset: int
) -> Int16[np.ndarray, "lead time"]:
    """Read interleaved int16 samples; the file must be exactly as long as they need."""
    needed = offset + 2 * n_signals * n
    content = read_plain(path, name, exactly=needed)
    if name.endswith(".mat"):
        _check_matrix(content, name, n_signals, n, offset)
    return np.frombuffer(content, dtype="<i2", offset=offset).reshape(n, n_signals).T


def _check_matrix(content: bytes, name: str, n_signals: int, n: int, offset: int) -> None:
    """Refuse a `.mat` file whose own header says something else than the record's."""
    if offset != 24 or len(content) < 24:
        raise RecordError(f"{name}: samples of a `.mat` file begin at byte 24, not {offset}", reason="format")
    kind, rows, columns, imaginary, length = _MATRIX.unpack_from(content)
    if (kind, imaginary, length) != (_INT16_MATRIX, 0, 4) or content[20:24] != b"val\0":
        raise RecordError(f"{name}: not a MATLAB v4 file of 16-bit integers named val", reason="format")
    if (rows, columns) != (n_signals, n):
        raise RecordError(
            f"{name}: {rows} x {columns} samples, the header says {n_signals} x {n}", reason="length"
        )
