"""Parses WFDB headers (`.hea`), strictly and in linear time: what is not understood is refused, not guessed.

Specification: WFDB Applications Guide, header(5). Read: records whose signals have all nine fields, in the
formats of `wfdb_packed`, and records of several segments. Refused with a reason: everything else.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ecglipse.errors import RecordError
from ecglipse.leads import canonical
from ecglipse.records.wfdb_packed import PACKINGS

LARGEST_HEADER = 256 * 1024
"""Bytes; the longest header of PhysioNet's ECG archives has a few thousand."""

_PER_MILLIVOLT = {"mV": 1.0, "uV": 1e3, "µV": 1e3, "μV": 1e3, "V": 1e-3}
_MOST_SIGNALS = 64
_MOST_SEGMENTS = 10_000
_MOST_SAMPLES = 2**28
"""Of all signals together: 12 leads of 12 hours at 500 Hz, 512 MiB as int16."""
_LARGEST_BASELINE = 2**31
_DIGITS = frozenset("0123456789")


class SignalSpec(NamedTuple):
    """One signal's line.

    Args:
        file: name of the file that holds its samples.
        form: number of their format, a key of `PACKINGS`.
        per_frame: samples in a frame.
        skew: frames by which its samples come too late in the file.
        offset: bytes before the first sample.
        gain: steps of the converter per mV.
        baseline: the converter's value at 0 mV.
        initial: the first sample, as the header states it.
        checksum: 16-bit sum of all samples, as the header states it.
        lead: canonical name.
    """

    file: str
    form: int
    per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    initial: int
    checksum: int
    lead: str


@dataclass(frozen=True)
class Header:
    """What a header says.

    Args:
        name: of the record.
        fs: frames per second, Hz.
        n_samples: frames.
        signals: in the file's order; none in a record of several segments.
        comments: text of the lines that begin with "#", without it.
        segments: names of records and their lengths in frames; "~" is a gap, and a first one of length 0
            only says which signals there are.
    """

    name: str
    fs: float
    n_samples: int
    signals: tuple[SignalSpec, ...]
    comments: tuple[str, ...]
    segments: tuple[tuple[str, int], ...] = ()


def parse_header(content: bytes, *, where: str) -> Header:
    """Parse the bytes of a header.

    Args:
        content: of the file.
        where: its name, for messages.

    Raises:
        RecordError: reason "header", "format", "gain", "unit", "lead-name" or "unsafe-path".
    """
    if len(content) > LARGEST_HEADER:
        raise _bad(where, 0, f"{len(content)} bytes, {LARGEST_HEADER} at most")
    if b"\0" in content:
        raise _bad(where, 0, "holds a NUL byte")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines, comments = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if line[:1] == "#":
            comments.append(line[1:].strip())
        elif line := line.strip():
            _check_characters(line, where, number)
            lines.append((number, line))
            if len(lines) > 1 + (_MOST_SEGMENTS if "/" in lines[0][1].split()[0] else _MOST_SIGNALS):
                raise _bad(where, number, f"1 to {_MOST_SIGNALS} signals expected, more lines found")
    if not lines:
        raise _bad(where, 0, "no record line")
    name, n_signals, fs, n_samples = _record_line(lines[0][1], where, lines[0][0])
    if "/" in name:
        name, _, count = name.partition("/")
        segments = _segments(lines[1:], _whole(count), n_samples, where)
        return Header(name, fs, n_samples, (), tuple(comments), segments)
    if len(lines) - 1 != n_signals:
        raise _bad(where, lines[0][0], f"{n_signals} signals expected, {len(lines) - 1} found")
    signals = []
    for number, line in lines[1:]:
        try:
            signals.append(_signal_line(line))
        except RecordError as error:
            raise RecordError(
                f"{where}:{number}: {error.message}", reason=error.reason, hint=error.hint
            ) from None
    leads = [spec.lead for spec in signals]
    if len(set(leads)) < len(leads):
        twice = sorted({lead for lead in leads if leads.count(lead) > 1})
        raise RecordError(
            f"{where}: lead {', '.join(twice)} is there twice",
            reason="lead-name",
            hint="mend the lead names in the header, if you know which is which",
        )
    return Header(name, fs, n_samples, tuple(signals), tuple(comments))


def _segments(
    lines: list[tuple[int, str]], n_segments: int | None, n_samples: int, where: str
) -> tuple[tuple[str, int], ...]:
    """Names and lengths of the segments."""
    if n_segments is None or n_segments != len(lines) or not lines:
        raise _bad(where, 1, f"{n_segments} segments expected, {len(lines)} found")
    found: list[tuple[str, int]] = []
    for number, line in lines:
        name, _, length = line.partition(" ")
        frames = _whole(length.strip())
        if frames is None or frames < (0 if not found else 1):
            raise _bad(where, number, f"segment {line:.60}: a name and a length expected")
        if name != "~":
            _check_name(name)
        found.append((name, frames))
    if (total := sum(frames for _, frames in found)) != n_samples:
        raise _bad(where, 1, f"{n_samples} samples, the segments have {total}")
    if found[0][1] == 0 and (len(found) == 1 or found[0][0] == "~"):
        raise _bad(where, 1, "segments without samples")
    return tuple(found)


def _record_line(line: str, where: str, number: int) -> tuple[str, int, float, int]:
    """Name, number of signals, rate and length; date and time, which may follow, are not kept."""
    fields = line.split()
    if len(fields) < 4:
        raise _bad(where, number, "name, signals, rate and length expected")
    n_signals, n_samples = _whole(fields[1]), _whole(fields[3])
    fs = _rate(fields[2])
    if n_signals is None or not 1 <= n_signals <= _MOST_SIGNALS:
        raise _bad(where, number, f"{fields[1]:.20} signals, 1 to {_MOST_SIGNALS} expected")
    if fs is None or not 50 <= fs <= 10_000:
        raise _bad(where, number, f"rate {fields[2]:.20}, 50 to 10000 Hz expected")
    if n_samples is None or n_samples < 1:
        raise _bad(where, number, f"{fields[3]:.20} samples, at least 1 expected")
    if n_signals * n_samples > _MOST_SAMPLES:
        raise RecordError(
            f"{where}:{number}: {n_signals} x {n_samples} samples, {_MOST_SAMPLES} at most are read",
            reason="length",
            hint="cut the recording into pieces",
        )
    return fields[0], n_signals, fs, n_samples


def _check_characters(line: str, where: str, number: int) -> None:
    """Refuse what other readers may take for a blank or drop: only ASCII, the tab and the micro sign pass."""
    plain = line if line.isascii() else line.replace("µ", "u").replace("μ", "u")
    if not (plain.isascii() and plain.replace("\t", " ").isprintable()):
        odd = next(c for c in plain if not (c.isascii() and (c.isprintable() or c == "\t")))
        raise _bad(where, number, f"holds the character U+{ord(odd):04X}")


def _rate(text: str) -> float | None:
    """Samples per second; a counter's frequency, which may follow as in "500/250(0)", must be a number."""
    amount, slash, counter = text.partition("/")
    return _decimal(amount) if not slash or _decimal(counter.partition("(")[0]) else None


def _gain(text: str) -> tuple[float, int | None]:
    """Steps per mV and the baseline, if it is stated: "1000.0(0)/mV"."""
    amount, _, unit = text.partition("/")
    stated = None
    if amount.endswith(")"):
        amount, _, inner = amount[:-1].partition("(")
        stated = _whole(inner)
        if stated is None or abs(stated) >= _LARGEST_BASELINE:
            raise RecordError(f"baseline {inner:.20} is not an integer of 32 bits", reason="gain")
    gain, unit = _decimal(amount), unit or "mV"
    if gain is None or not (gain > 0 and math.isfinite(gain)):
        raise RecordError(
            f"gain {amount:.20} is not a positive number",
            reason="gain",
            hint="mend the gain in the header, if you know it; amplitudes are never guessed",
        )
    if unit not in _PER_MILLIVOLT:
        raise RecordError(
            f"unit {unit:.20} is not one of mV, uV, V",
            reason="unit",
            hint="mend the unit in the header, if you know it; amplitudes are never guessed",
        )
    return gain * _PER_MILLIVOLT[unit], stated


def _signal_line(line: str) -> SignalSpec:
    """File, format, gain, resolution, zero, initial value, checksum, block size, lead."""
    fields = line.split(None, 8)
    if len(fields) < 9:
        raise RecordError(f"nine fields expected, {len(fields)} found", reason="header")
    file, form, amount, resolution, zero, first, total, block, lead = fields
    _check_name(file)
    kind, per_frame, skew, offset, gain, baseline, name = _shared(form, amount, resolution, zero, block, lead)
    initial, checksum = _whole(first), _whole(total)
    if initial is None or checksum is None:
        raise RecordError("initial value and checksum expected to be integers", reason="header")
    return SignalSpec(file, kind, per_frame, skew, offset, gain, baseline, initial, checksum, name)


@lru_cache(maxsize=4096)
def _shared(
    form: str, amount: str, resolution: str, zero: str, block: str, lead: str
) -> tuple[int, int, int, int, float, int, str]:
    """All that the lines of a whole corpus have in common, parsed once: format to lead."""
    kind, per_frame, skew, offset = _format(form)
    gain, baseline = _gain(amount)
    bits, middle, size = _whole(resolution), _whole(zero), _whole(block)
    if bits is None or middle is None or size is None or abs(middle) >= _LARGEST_BASELINE:
        raise RecordError("resolution, zero and block size expected to be integers", reason="header")
    if size != 0:
        raise RecordError(f"block size {size} is not read", reason="format")
    middle = middle if baseline is None else baseline
    return kind, per_frame, skew, offset, gain, middle, canonical(lead)


def _format(text: str) -> tuple[int, int, int, int]:
    """Number of the format, samples a frame, skew and offset: "212x2:1+24"."""
    rest, plus, skipped = text.partition("+")
    rest, colon, late = rest.partition(":")
    kind, times, frame = rest.partition("x")
    number, per_frame = _whole(kind), _whole(frame) if times else 1
    skew, offset = _whole(late) if colon else 0, _whole(skipped) if plus else 0
    if number not in PACKINGS or kind != str(number):
        known = ", ".join(str(form) for form in PACKINGS)
        raise RecordError(f"format {text:.20} is not read", reason="format", hint=f"formats {known} are")
    if per_frame is None or not 1 <= per_frame <= 1000:
        raise RecordError(f"format {text:.20}: 1 to 1000 samples a frame expected", reason="format")
    if skew is None or not 0 <= skew <= 100_000 or offset is None or offset < 0:
        raise RecordError(f"format {text:.20}: skew and offset expected to be >= 0", reason="format")
    return number, per_frame, skew, offset


@lru_cache(maxsize=64)
def _check_name(file: str) -> None:
    """Refuse a signal file that is not a plain name in the header's own folder."""
    if "/" in file or "\\" in file or file.startswith((".", "~")) or file.lower().endswith(".hea"):
        raise RecordError(f"signal file {file:.60} is not a plain file name", reason="unsafe-path")


def _whole(text: str) -> int | None:
    """An integer of at most 18 characters (it fits int64), or None."""
    if len(text) > 18 or "_" in text or not text.isascii():
        return None
    try:
        return int(text)
    except ValueError:
        return None


def _decimal(text: str) -> float | None:
    """A number such as 500 or 257.0, without exponent, or None."""
    digits = text.replace(".", "", 1)
    return float(text) if 0 < len(digits) <= 18 and _DIGITS.issuperset(digits) else None


def _bad(where: str, number: int, what: str) -> RecordError:
    place = f"{where}:{number}" if number else where
    return RecordError(f"{place}: {what}", reason="header", hint="the header is damaged or not a WFDB header")
