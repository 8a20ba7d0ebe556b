"""SCP-ECG files that the tests write: every packing gives the same samples, nothing unsound is read."""

import binascii
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from ecglipse.commands import prepare, show
from ecglipse.corpora.simulator import simulate
from ecglipse.errors import RecordError
from ecglipse.leads import INDEPENDENT, LEADS
from ecglipse.records.scp import read_scp
from ecglipse.seeding import numpy_rng
from ecglipse.store import Store

NUMBERS = {
    "I": 1,
    "II": 2,
    **{f"V{k}": k + 2 for k in range(1, 7)},
    "III": 61,
    "aVR": 62,
    "aVL": 63,
    "aVF": 64,
}
UV = 2500
"""Nanovolts a unit."""
OWN = [("0", 0, 1, 0), ("10", 6, 1, 0), ("110", 16, 1, 0), ("111", 0, 0, 2)]
OTHER = [("1", 0, 1, 0), ("01", 16, 1, 0), ("00", 0, 0, 1)]
"""Two tables of one's own: prefix, bits after it, 1 for a sample or 0 for another table, value."""


def section(number: int, body: bytes) -> bytes:
    body += bytes(len(body) % 2)
    rest = struct.pack("<HIBB6x", number, 16 + len(body), 20, 20) + body
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def assemble(sections: dict[int, bytes]) -> bytes:
    """A file of these bodies, with its pointers and checksums."""
    whole = {number: section(number, body) for number, body in sorted(sections.items())}
    pointers, at = b"", 7 + 16 + 120
    entries = {0: (16 + 120, 7)}
    for number, content in whole.items():
        entries[number] = (len(content), at)
        at += len(content)
    for number in range(12):
        pointers += struct.pack("<HII", number, *entries.get(number, (0, 0)))
    content = section(0, pointers) + b"".join(whole.values())
    rest = struct.pack("<I", 6 + len(content)) + content
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def signed(value: int, bits: int) -> str:
    return f"{value & (1 << bits) - 1:0{bits}b}"


def default_code(value: int) -> str:
    if value == 0:
        return "0"
    if abs(value) <= 8:
        return "1" * abs(value) + ("00" if value > 0 else "01")
    return "1111111110" + signed(value, 8) if -128 <= value < 128 else "1111111111" + signed(value, 16)


def own_code(value: int, *, other: bool) -> str:
    """Codes of `OWN` or `OTHER`."""
    if other:
        return "1" if value == 0 else "01" + signed(value, 16)
    return "0" if value == 0 else "10" + signed(value, 6) if -32 <= value < 32 else "110" + signed(value, 16)


def packed(values: np.ndarray, order: int, packing: str) -> bytes:
    """A lead's bytes."""
    x = values.astype(np.int64)
    if order:
        x = np.concatenate([x[:order], np.diff(x, n=order)])
    x = x.astype(np.int16)
    if packing == "plain":
        return x.astype("<i2").tobytes()
    if packing == "default":
        bits = "".join(map(default_code, x.tolist()))
    else:  # the other table halfway
        half = len(x) // 2
        bits = "".join(own_code(v, other=False) for v in x[:half].tolist()) + "111"
        bits += "".join(own_code(v, other=True) for v in x[half:].tolist())
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def data(
    leads: Sequence[np.ndarray], order: int, packing: str, *, interval: int = 2000, unit: int = UV
) -> bytes:
    parts = [packed(x, order, packing) for x in leads]
    sizes = b"".join(struct.pack("<H", len(part)) for part in parts)
    return struct.pack("<HHBB", unit, interval, order, 0) + sizes + b"".join(parts)


def tables_of(*tables: Sequence[tuple[str, int, int, int]]) -> bytes:
    body = struct.pack("<H", len(tables))
    for table in tables:
        body += struct.pack("<H", len(table))
        for prefix, more, mode, value in table:
            body += struct.pack("<BBBhI", len(prefix), len(prefix) + more, mode, value, int(prefix[::-1], 2))
    return body


TABLES = {"default": struct.pack("<H", 19999), "own": tables_of(OWN, OTHER)}


def tag(number: int, value: bytes) -> bytes:
    return struct.pack("<BH", number, len(value)) + value


PATIENT = b"".join(
    tag(number, value)
    for number, value in (
        (0, b"Doe\0"), (1, b"Jane\0"), (2, b"p17\0"), (4, struct.pack("<HB", 63, 1)), (5, b"\xd0\x07\1\2"),
        (8, b"\2"), (255, b""),
    )
)  # fmt: skip


def bodies(
    x: np.ndarray, leads: tuple[str, ...] = LEADS, *, order: int = 0, packing: str = "plain"
) -> dict[int, bytes]:
    """Sections of a recording of units (lead, time)."""
    named = b"".join(struct.pack("<IIB", 1, x.shape[1], NUMBERS[lead]) for lead in leads)
    found = {1: PATIENT, 3: bytes([len(leads), 4]) + named, 6: data(list(x), order, packing)}
    return found | ({2: TABLES[packing]} if packing in TABLES else {})


@pytest.fixture(scope="module")
def units() -> np.ndarray:
    """A recording of 10 s at 500 Hz, units of 2.5 uV (lead, time); its first sample is far from 0."""
    (record,) = simulate(1, fs=500.0, seed=6)
    return np.round(record.signal * 1e6 / UV).astype(np.int64) + 300


@pytest.mark.parametrize("packing", ["plain", "default", "own"])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_every_packing_gives_the_same_samples(
    order: int, packing: str, units: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "a.scp").write_bytes(assemble(bodies(units, order=order, packing=packing)))
    found = read_scp(tmp_path / "a.scp")
    assert (found.leads, found.fs) == (LEADS, 500.0)
    np.testing.assert_allclose(found.signal, units * UV * 1e-6, rtol=1e-6)


@pytest.mark.parametrize("packing", ["plain", "default"])
def test_numbers_of_16_bits_wrap_around_as_their_writers_do(packing: str, tmp_path: Path) -> None:
    x = numpy_rng(2, "scp").integers(-32000, 32000, (12, 3000))
    (tmp_path / "a.scp").write_bytes(assemble(bodies(x, order=2, packing=packing)))
    np.testing.assert_allclose(read_scp(tmp_path / "a.scp").signal, x * UV * 1e-6, rtol=1e-6)


def test_eight_leads_become_twelve_and_no_name_is_kept(units: np.ndarray, tmp_path: Path) -> None:
    rows = units[[LEADS.index(lead) for lead in INDEPENDENT]]
    (tmp_path / "a.scp").write_bytes(assemble(bodies(rows, INDEPENDENT, order=1, packing="default")))
    found = read_scp(tmp_path / "a.scp")
    assert (found.age, found.sex, found.patient_id, found.leads) == (63.0, "female", "p17", LEADS)
    np.testing.assert_allclose(found.signal[2], (rows[1] - rows[0]) * UV * 1e-6, atol=1e-6)
    assert not any(word in repr(found) for word in ("Doe", "Jane", "2000"))


@pytest.mark.parametrize(
    ("born", "recorded", "age"),
    [((1950, 6, 2), (2010, 6, 1), 59.0), ((1950, 6, 2), (2010, 6, 2), 60.0), ((0, 0, 0), (2010, 6, 2), None),
     ((2011, 1, 1), (2010, 1, 1), None), ((1901, 1, 1), (2010, 1, 1), 90.0)],
)  # fmt: skip
def test_an_age_that_is_not_stated_follows_from_the_dates(
    born: tuple, recorded: tuple, age: float | None, units: np.ndarray, tmp_path: Path
) -> None:
    dates = b"".join(tag(number, struct.pack("<HBB", *date)) for number, date in ((5, born), (25, recorded)))
    (tmp_path / "a.scp").write_bytes(assemble(bodies(units) | {1: dates + tag(255, b"")}))
    assert read_scp(tmp_path / "a.scp").age == age


@pytest.mark.parametrize("packing", ["plain", "default"])
def test_beats_that_were_taken_off_are_put_back(packing: str, units: np.ndarray, tmp_path: Path) -> None:
    length, middle, peaks = 300, 120, [400, 1300, 4900]
    beat = np.round(200 * np.sin(np.arange(length) / 20)).astype(np.int64) * np.arange(1, 13)[:, None]
    rest = units.copy()
    marks = b""
    for number, peak in enumerate(peaks):
        start, stop = peak - middle, min(peak - middle + length, 5000)
        kind = 1 if number == 1 else 0
        marks += struct.pack("<HIII", kind, start + 1, peak, stop)
        if kind == 0:  # a unit of the beats is two of the rest
            rest[:, start:stop] -= 2 * beat[:, : stop - start]
    sections = bodies(rest, order=1, packing=packing)
    sections[3] = bytes([12, 5]) + sections[3][2:]
    sections[4] = struct.pack("<HHH", length * 2, middle, len(peaks)) + marks
    sections[5] = data(list(beat), 2, packing, unit=2 * UV)
    (tmp_path / "a.scp").write_bytes(assemble(sections))
    np.testing.assert_allclose(read_scp(tmp_path / "a.scp").signal, units * UV * 1e-6, atol=1e-6)
    del sections[5]
    (tmp_path / "a.scp").write_bytes(assemble(sections))
    with pytest.raises(RecordError, match="were taken off and are not there"):
        read_scp(tmp_path / "a.scp")


def test_a_folder_of_scp_becomes_a_store_and_a_file_is_drawn(units: np.ndarray, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.scp").write_bytes(assemble(bodies(units, order=2, packing="default")))
    (folder / "1.scp").write_bytes((folder / "1.scp").read_bytes()[:-1])
    made = prepare(folder, tmp_path / "s")
    assert (made.n_records, made.rejects) == (2, {"length": 1})
    assert set(Store.open(made.store).table["sex"]) == {"female"}
    found = show(str(folder / "0.scp"), out=tmp_path / "p.png")
    assert (found.data["fs"], len(found.data["leads"])) == (500.0, 12)
    assert (tmp_path / "p.png").stat().st_size > 20_000


Sections = dict[int, bytes]


def changed(number: int, at: int, value: bytes) -> Callable[[Sections], None]:
    """Write bytes into a section's body; the checksums will fit."""

    def spoil(sections: Sections) -> None:
        body = sections[number]
        sections[number] = body[:at] + value + body[at + len(value) :]

    return spoil


def lasting(n: int) -> Callable[[Sections], None]:
    """All leads of so many samples, in section 3."""

    def spoil(sections: Sections) -> None:
        for number in range(12):
            changed(3, 2 + 9 * number, struct.pack("<II", 1, n))(sections)

    return spoil


def without(number: int) -> Callable[[Sections], None]:
    return lambda sections: sections.pop(number) and None


HOSTILE: dict[str, tuple[Callable[[Sections], None], str, str]] = {
    "bimodal": (changed(6, 5, b"\1"), "format", "bimodal compression is not read"),
    "no rhythm": (without(6), "format", "without section 6"),
    "no leads": (without(3), "format", "without section 3"),
    "0 leads": (changed(3, 0, b"\0"), "header", "0 leads"),
    "255 leads": (changed(3, 0, b"\xff"), "header", "64 at most are read"),
    "more leads than there are": (changed(3, 0, b"\x0d"), "", ""),
    "a lead of no samples": (changed(3, 2, struct.pack("<II", 5, 4)), "header", "without samples"),
    "a lead of 4e9 samples": (changed(3, 2, struct.pack("<II", 1, 2**32 - 1)), "header", "without samples"),
    "leads of other times": (changed(3, 2, struct.pack("<II", 2, 2001)), "format", "one after the other"),
    "a lead twice": (changed(3, 10, b"\2"), "lead-name", "one is there twice"),
    "0 nV": (changed(6, 0, b"\0\0"), "gain", "0 nV a unit"),
    "0 us": (changed(6, 2, b"\0\0"), "header", "0 us a sample"),
    "30 Hz": (changed(6, 2, struct.pack("<H", 33333)), "header", "50 to 10000 Hz"),
    "differences of order 3": (changed(6, 4, b"\3"), "header", "differences of order 3"),
    "more bytes than there are": (changed(6, 6, b"\xff\xff"), "length", "its leads need"),
    "no table": (changed(2, 0, b"\0\0"), "format", "0 Huffman tables"),
    "a table without room": (changed(2, 0, struct.pack("<HH", 1, 60_000)), "", ""),
    "a tag too long": (changed(1, 1, b"\xff\xff"), "format", "is longer than it"),
    "ten samples more": (lasting(2010), "length", "do not hold 2010 samples"),
    "a hundred samples fewer": (lasting(1900), "length", "do not hold 1900 samples"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_not_sound_is_refused_with_its_reason(case: str, units: np.ndarray, tmp_path: Path) -> None:
    spoil, reason, words = HOSTILE[case]
    sections = bodies(units[:, :2000], order=1, packing="default")
    spoil(sections)
    (tmp_path / "a.scp").write_bytes(assemble(sections))
    with pytest.raises(RecordError) as caught:
        read_scp(tmp_path / "a.scp")
    assert caught.value.reason == (reason or caught.value.reason), caught.value
    assert words in str(caught.value)
    assert str(caught.value).startswith("a.scp: ")


def test_codes_that_are_none_are_refused(units: np.ndarray, tmp_path: Path) -> None:
    for table, words in (
        ([("0", 0, 1, 0), ("01", 0, 1, 1)], "begins another"),
        ([("0", 40, 1, 0)], "is not read"),
        ([("0", 0, 0, 9), ("1", 0, 0, 9)], "no Huffman table 9"),
        ([("1", 0, 1, 0)], "no Huffman code"),
    ):
        sections = bodies(units[:, :2000], order=1, packing="default") | {2: tables_of(table)}
        (tmp_path / "a.scp").write_bytes(assemble(sections))
        with pytest.raises(RecordError, match=words):
            read_scp(tmp_path / "a.scp")


def test_any_flipped_bit_or_cut_is_found(units: np.ndarray, tmp_path: Path) -> None:
    content = assemble(bodies(units[:, :500], order=2, packing="default"))
    rng = numpy_rng(0, "scp flips")
    for bit in rng.choice(8 * len(content), size=300, replace=False).tolist():
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        (tmp_path / "a.scp").write_bytes(flipped)
        with pytest.raises(RecordError):
            read_scp(tmp_path / "a.scp")
    for size in (0, 1, 5, 6, 40, len(content) // 2, len(content) - 1):
        (tmp_path / "a.scp").write_bytes(content[:size])
        with pytest.raises(RecordError) as caught:
            read_scp(tmp_path / "a.scp")
        assert caught.value.reason in ("length", "format", "checksum")


def test_mutated_sections_with_right_checksums_raise_nothing_else(units: np.ndarray, tmp_path: Path) -> None:
    rng = numpy_rng(0, "scp mutations")
    refused = 0
    for _ in range(300):
        sections = bodies(units[:, :200], order=1, packing="default")
        number = int(rng.choice([1, 2, 3, 6]))
        changed(number, int(rng.integers(len(sections[number]))), rng.bytes(int(rng.integers(1, 5))))(
            sections
        )
        (tmp_path / "a.scp").write_bytes(assemble(sections))
        try:
            read_scp(tmp_path / "a.scp")
        except RecordError:
            refused += 1
    assert refused > 50
