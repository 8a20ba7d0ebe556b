"""Reads WFDB records: `.hea` with samples in `.dat` files or in the MATLAB v4 files of the CinC challenges.

Strict: the samples must be exactly as many as the header says, begin with the stated value and add up to
the stated checksum; a file must be a plain file beside its header (no link, pipe or other folder). Fast:
one read a file and a handful of array operations.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from ecglipse.errors import RecordError
from ecglipse.leads import canonical
from ecglipse.records.plain_file import read_plain
from ecglipse.records.wfdb_header import LARGEST_HEADER, Header, parse_header
from ecglipse.records.wfdb_packed import PACKINGS

LARGEST_RECORD = 2**28
"""Samples of all leads together that a record of several segments may have."""

_MATRIX = struct.Struct("<5i")
_INT16_MATRIX = 30
"""MATLAB v4 type: little-endian, int16, full matrix."""


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
    if header.segments:
        return _read_segments(path, header)
    folder = os.path.dirname(path)
    specs = header.signals
    per_frame = specs[0].per_frame
    if any(spec.per_frame != per_frame for spec in specs):
        raise RecordError(f"{path.name}: leads of several sampling rates", reason="format")
    n = header.n_samples * per_frame
    files: dict[tuple[str, int, int], list[int]] = {}
    for index, spec in enumerate(specs):
        files.setdefault((spec.file, spec.form, spec.offset), []).append(index)
    if len({name for name, _, _ in files}) < len(files):
        raise RecordError(f"{path.name}: a file of several formats or offsets", reason="format")
    parts = [
        _read_samples(os.path.join(folder, name), name, form, offset, shape=(len(members), n, per_frame))
        for (name, form, offset), members in files.items()
    ]
    samples = parts[0]
    if len(parts) > 1:  # only now, when the sizes of the files have been seen, is there room to be made
        samples = np.empty((len(specs), n), dtype=np.result_type(*parts))
        for members, part in zip(files.values(), parts, strict=True):
            samples[members] = part
    for row in [row for row, spec in enumerate(specs) if spec.form == 8]:
        samples[row] = np.cumsum(samples[row]) + specs[row].initial
    _verify(samples, header, path.name)
    gain = np.array([spec.gain for spec in specs], dtype=np.float32)
    baseline = np.array([spec.baseline for spec in specs])
    shifted = samples - baseline[:, None] if baseline.any() else samples
    signal = np.divide(shifted, gain[:, None], dtype=np.float32, casting="unsafe", order="C")
    _mark_lost(signal, samples, header)
    return WfdbRecord(
        signal, header.fs * per_frame, tuple(spec.lead for spec in specs), header.comments, header
    )


def _read_segments(path: Path, header: Header) -> WfdbRecord:
    """Read a record of several segments: gaps and leads that a segment lacks are NaN."""
    leads: list[str] = []
    parts: list[tuple[int, WfdbRecord]] = []
    first = 0
    for name, length in header.segments:
        if name != "~":
            part = _read_segment(path.with_name(f"{name}.hea"), header, length)
            leads += [lead for lead in part.leads if lead not in leads]
            if length:
                parts.append((first, part))
        first += length
    if not parts:
        raise RecordError(f"{path.name}: no segment holds samples", reason="length")
    per_frame = {round(part.fs / header.fs) for _, part in parts}
    if len(per_frame) > 1:
        raise RecordError(f"{path.name}: segments of several sampling rates", reason="format")
    (factor,) = per_frame
    if len(leads) * header.n_samples * factor > LARGEST_RECORD:
        raise RecordError(f"{path.name}: more than {LARGEST_RECORD} samples", reason="length")
    signal = np.full((len(leads), header.n_samples * factor), np.nan, dtype=np.float32)
    for start, part in parts:
        rows = [leads.index(lead) for lead in part.leads]
        signal[rows, start * factor : start * factor + part.signal.shape[1]] = part.signal
    comments = header.comments or parts[0][1].comments
    return WfdbRecord(signal, header.fs * factor, tuple(leads), comments, header)


def _read_segment(path: Path, whole: Header, length: int) -> WfdbRecord:
    """Read one segment; of length 0 it is the list of signals of a record of variable layout."""
    if length == 0:
        leads = read_layout(path)
        return WfdbRecord(np.empty((len(leads), 0), dtype=np.float32), whole.fs, leads, (), whole)
    header = read_header(path)
    if header.segments:
        raise RecordError(f"{path.name}: a segment of several segments", reason="format")
    if (header.fs, header.n_samples) != (whole.fs, length):
        found = f"{header.fs:g} Hz, {header.n_samples} samples"
        raise RecordError(f"{path.name}: {found}; the record says {whole.fs:g} Hz, {length}", reason="length")
    return read_wfdb(path)


def read_layout(path: Path) -> tuple[str, ...]:
    """Leads that the layout segment of a record lists, in order; its signals have no samples."""
    text = read_plain(str(path), path.name, most=LARGEST_HEADER + 1).decode("latin-1")
    lines = [line.split(None, 8) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    named = [canonical(fields[8]) for fields in lines[1:] if len(fields) == 9]
    if len(named) != len(lines) - 1 or len(set(named)) < len(named) or not named:
        raise RecordError(f"{path.name}: nine fields a signal expected, each lead once", reason="header")
    return tuple(named)


def _mark_lost(
    signal: Float[np.ndarray, "lead time"], samples: Int[np.ndarray, "lead time"], header: Header
) -> None:
    """Put NaN where the file says that there is no sample, and shift skewed leads to their time."""
    marks = [PACKINGS[spec.form].invalid for spec in header.signals]
    if len(set(marks)) == 1:
        if marks[0] is not None and samples.min() == marks[0]:
            signal[samples == marks[0]] = np.nan
    else:
        for row, mark in enumerate(marks):
            signal[row, samples[row] == mark] = np.nan
    for row, spec in enumerate(header.signals):
        if spec.skew:
            late = spec.skew * spec.per_frame
            signal[row] = np.concatenate([signal[row, late:], np.full(min(late, signal.shape[1]), np.nan)])


def _verify(samples: Int[np.ndarray, "lead time"], header: Header, where: str) -> None:
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
    path: str, name: str, form: int, offset: int, *, shape: tuple[int, int, int]
) -> Int[np.ndarray, "lead time"]:
    """Read a file's interleaved samples; it must be exactly as long as they need.

    Args:
        path: of the file.
        name: of the file.
        form: number of the format.
        offset: bytes before the first sample.
        shape: signals, samples of each, and how many of them come together in a frame.
    """
    n_signals, n, per_frame = shape
    packing = PACKINGS[form]
    lengths = tuple(offset + length for length in packing.lengths(n_signals * n))
    content = read_plain(path, name, exactly=lengths)
    if name.endswith(".mat"):
        _check_matrix(content, name, n_signals, n, offset)
    if form == 16:
        values: np.ndarray = np.frombuffer(content, dtype="<i2", offset=offset)
    else:
        values = packing.values(content[offset:], n_signals * n)
    if per_frame == 1:
        return values.reshape(n, n_signals).T
    framed = values.reshape(n // per_frame, n_signals, per_frame)
    return framed.transpose(1, 0, 2).reshape(n_signals, n)


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
