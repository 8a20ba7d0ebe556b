"""Reads SCP-ECG files (EN 1064, ISO 11073-91064): the rhythm of section 6, in mV. An own reader, strict.

Read: samples as 16-bit numbers or Huffman codes (the default table or the file's own), differences of first
and second order, reference beats that were taken off (sections 4 and 5). Not read, and said: bimodal
compression (a lower rate between beats) and the long-term rhythm of version 3. Every checksum must hold.
"""

import binascii
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ecglipse.errors import RecordError
from ecglipse.leads import expanded
from ecglipse.records.plain_file import read_plain
from ecglipse.records.reading import rate, sex_of
from ecglipse.records.record import Record
from ecglipse.records.scp_codes import Table, decoded, huffman_tables, summed

_LARGEST = 2**24
"""Bytes; a lead's samples have 65,535 at most."""
_HEADER = 16
_MOST_LEADS, _MOST_BEATS = 64, 5000
_LEADS = {
    1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6",
    61: "III", 62: "aVR", 63: "aVL", 64: "aVF",
}  # fmt: skip
"""EN 1064, table of lead identifications: those of the twelve."""
_YEARS = {1: 1.0, 2: 1 / 12, 3: 7 / 365.25, 4: 1 / 365.25, 5: 1 / 8766}
_BORN, _RECORDED = 5, 25
"""Tags of section 1."""
_SEXES = {1: "male", 2: "female"}


@dataclass(frozen=True)
class _Lead:
    """A lead of section 3; samples count from 1."""

    first: int
    last: int
    number: int


def read_scp(path: Path) -> Record:
    """Read a recording.

    Leads I, II, V1 to V6 are made twelve. Of the patient age, sex and id are taken, no name and no date.

    Raises:
        RecordError: reason "missing-file", "unsafe-path", "unreadable", "format", "header", "gain",
            "lead-name", "length" or "checksum".
    """
    content = read_plain(str(path), path.name, most=_LARGEST + 1)
    if len(content) > _LARGEST:
        raise RecordError(f"{path.name}: more than {_LARGEST} bytes", reason="length")
    try:
        return _record(content, path)
    except RecordError as error:
        raise RecordError(f"{path.name}: {error.message}", reason=error.reason, hint=error.hint) from None
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise RecordError(f"{path.name}: not sound SCP-ECG: {error!s:.120}", reason="format") from None


def _record(content: bytes, path: Path) -> Record:
    sections = _sections(content)
    missing = [number for number in (3, 6) if number not in sections]
    if missing:
        what = "long-term rhythm (version 3) is not read" if 12 in sections else "no rhythm in it"
        raise RecordError(f"without section {', '.join(map(str, missing))}: {what}", reason="format")
    flags, leads = _leads(sections[3])
    tables = huffman_tables(sections[2]) if 2 in sections else None
    counts = [lead.last - lead.first + 1 for lead in leads]
    per_unit, interval, samples = _data(sections[6], counts, tables)
    if sections[6][5]:
        raise RecordError("bimodal compression is not read", reason="format")
    signal = [x * per_unit for x in samples]
    if flags & 1:
        signal = _with_beats(signal, leads, sections, tables, interval)
    kept = {_LEADS[lead.number]: row for row, lead in enumerate(leads) if lead.number in _LEADS}
    if not kept or len(kept) < sum(lead.number in _LEADS for lead in leads):
        raise RecordError("no lead is one of the twelve, or one is there twice", reason="lead-name")
    if len({(leads[row].first, leads[row].last) for row in kept.values()}) > 1:
        raise RecordError("leads that were recorded one after the other are not read", reason="format")
    rows = np.stack([signal[row] for row in kept.values()])
    about = _patient(sections.get(1, b""))
    twelve, names = expanded(rows * 1e-6, tuple(kept))
    age = about.get("age")
    return Record(
        signal=np.ascontiguousarray(twelve, dtype=np.float32),
        fs=rate(1e6 / interval, where="section 6"),
        leads=names,
        record_id=path.stem,
        patient_id=str(about.get("id") or path.stem),
        source="own",
        age=age if isinstance(age, float) else None,
        sex=sex_of(about.get("sex")),
    )


def _sections(content: bytes) -> dict[int, bytes]:
    """Bodies of the sections by number; every checksum is held against its bytes."""
    checksum, size = struct.unpack_from("<HI", content)
    if size != len(content):
        raise RecordError(f"{len(content)} bytes, {size} stated: cut short, or no SCP-ECG", reason="length")
    if binascii.crc_hqx(content[2:], 0xFFFF) != checksum:
        raise RecordError("its bytes do not match its checksum", reason="checksum")
    pointers = _section(content, 6, struct.unpack_from("<I", content, 10)[0], 0)
    found: dict[int, bytes] = {}
    for at in range(0, len(pointers) - 9, 10):
        number, length, index = struct.unpack_from("<HII", pointers, at)
        if length == 0 or number == 0:
            continue
        if number in found:
            raise RecordError(f"section {number} is there twice", reason="format")
        found[number] = _section(content, index - 1, length, number) if number <= 11 else b""
    return found


def _section(content: bytes, start: int, length: int, number: int) -> bytes:
    """A section's body, after its header says the same and its checksum holds."""
    if start < 6 or length < _HEADER or start + length > len(content):
        raise RecordError(f"section {number} lies outside the file", reason="length")
    held = content[start : start + length]
    checksum, named, stated = struct.unpack_from("<HHI", held)
    if (named, stated) != (number, length):
        raise RecordError(f"section {number} says it is section {named} of {stated} bytes", reason="format")
    if binascii.crc_hqx(held[2:], 0xFFFF) != checksum:
        raise RecordError(f"section {number} does not match its checksum", reason="checksum")
    return held[_HEADER:]


def _leads(body: bytes) -> tuple[int, list[_Lead]]:
    """Flags of section 3, and the leads."""
    if body[0] > _MOST_LEADS:
        raise RecordError(f"{body[0]} leads, {_MOST_LEADS} at most are read", reason="header")
    found = [_Lead(*struct.unpack_from("<IIB", body, 2 + 9 * number)) for number in range(body[0])]
    if not found or any(not 1 <= lead.first <= lead.last <= 2**24 for lead in found):
        raise RecordError(f"{body[0]} leads, or one without samples", reason="header")
    return body[1], found


def _data(
    body: bytes, counts: Sequence[int], tables: Sequence[Table] | None
) -> tuple[int, int, list[Int[np.ndarray, " time"]]]:
    """Section 5 or 6: nanovolts a unit, microseconds a sample, and each lead's samples."""
    per_unit, interval, order = struct.unpack_from("<HHB", body)
    if per_unit == 0:
        raise RecordError("0 nV a unit", reason="gain")
    if interval == 0 or order > 2:
        raise RecordError(f"{interval} us a sample, differences of order {order}", reason="header")
    sizes = struct.unpack_from(f"<{len(counts)}H", body, 6)
    at = 6 + 2 * len(counts)
    if at + sum(sizes) > len(body):
        raise RecordError(f"{len(body)} bytes, its leads need {at + sum(sizes)}", reason="length")
    leads = []
    for size, count in zip(sizes, counts, strict=True):
        leads.append(summed(decoded(body[at : at + size], count, tables), order))
        at += size
    return per_unit, interval, leads


def _with_beats(
    signal: Sequence[Int[np.ndarray, " time"]],
    leads: Sequence[_Lead],
    sections: dict[int, bytes],
    tables: Sequence[Table] | None,
    interval: int,
) -> list[Int[np.ndarray, " time"]]:
    """Put back the reference beat wherever it was taken off, nV."""
    if not {4, 5} <= sections.keys():
        raise RecordError("reference beats were taken off and are not there", reason="format")
    length_ms, middle, n_beats = struct.unpack_from("<HHH", sections[4])
    per_sample = struct.unpack_from("<H", sections[5], 2)[0]
    if per_sample != interval:
        raise RecordError("reference beats of another rate are not read", reason="format")
    if n_beats > _MOST_BEATS:
        raise RecordError(f"{n_beats} beats, {_MOST_BEATS} at most are read", reason="header")
    marks = [struct.unpack_from("<HIII", sections[4], 6 + 14 * number) for number in range(n_beats)]
    count = round(length_ms * 1000 / interval)
    per_unit, _, beats = _data(sections[5], [count] * len(leads), tables)
    whole = []
    for lead, rest, beat in zip(leads, signal, beats, strict=True):
        made = rest.copy()
        for kind, first, peak, last in marks:
            begin = peak - middle + 1
            low, high = max(first, lead.first, begin), min(last, lead.last, begin + count - 1)
            if kind == 0 and low <= high:
                made[low - lead.first : high + 1 - lead.first] += (
                    per_unit * beat[low - begin : high + 1 - begin]
                )
        whole.append(made)
    return whole


def _patient(body: bytes) -> dict[str, object]:
    """Age, sex and id of section 1; of dates only the age that follows, if none is stated."""
    found: dict[str, object] = {}
    dates: dict[int, tuple[int, int, int]] = {}
    at = 0
    while at + 3 <= len(body) and body[at] != 255:
        tag, size = struct.unpack_from("<BH", body, at)
        value = body[at + 3 : at + 3 + size]
        if len(value) < size:
            raise RecordError(f"tag {tag} of section 1 is longer than it", reason="format")
        if tag == 2:
            found["id"] = value.split(b"\0")[0].decode("latin-1").strip()
        elif tag == 4 and size >= 3 and value[2] in _YEARS:
            years = struct.unpack_from("<H", value)[0] * _YEARS[value[2]]
            if 0 < years <= 130:
                found["age"] = float(min(math.floor(years), 90))
        elif tag == 8 and size >= 1:
            found["sex"] = _SEXES.get(value[0], "")
        elif tag in (_BORN, _RECORDED) and size >= 4:
            dates[tag] = struct.unpack_from("<HBB", value)
        at += 3 + size
    if "age" not in found and all(dates.get(tag, (0,))[0] > 1850 for tag in (_BORN, _RECORDED)):
        (year, *day), (born, *birthday) = dates[_RECORDED], dates[_BORN]
        years = year - born - (day < birthday)
        if 0 <= years <= 130:
            found["age"] = float(min(years, 90))
    return found
