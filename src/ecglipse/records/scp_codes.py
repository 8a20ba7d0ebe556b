"""Unpacks the samples of SCP-ECG: Huffman codes and differences. Pure.

Source: EN 1064:2005+A1:2007, what it says of sections 2, 5 and 6 of a record, and its default Huffman table.
"""

import struct
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from ecglipse.errors import RecordError

Table = dict[str, tuple[int, int, int, bool]]
"""The next `longest` bits to: bits of the prefix, bits after it, value, and whether it is a sample."""

_DEFAULT_TABLE = 19999
_LONGEST = 16
"""Bits of a prefix that is read; the default table has 10."""
_MOST_TABLES = 16
_CODE = struct.Struct("<BBBhI")


def huffman_tables(body: bytes) -> list[Table]:
    """Read the tables of section 2.

    Args:
        body: of the section, after its header.

    Raises:
        RecordError: reason "format".
    """
    (count,) = struct.unpack_from("<H", body)
    if count == _DEFAULT_TABLE:
        return [default_table()]
    if not 1 <= count <= _MOST_TABLES:
        raise RecordError(f"{count} Huffman tables, 1 to {_MOST_TABLES} expected", reason="format")
    tables, at = [], 2
    for _ in range(count):
        (codes,) = struct.unpack_from("<H", body, at)
        at += 2
        if at + 9 * codes > len(body):
            raise RecordError(f"{codes} codes in a table that has no room for them", reason="format")
        read = [_CODE.unpack_from(body, at + 9 * number) for number in range(codes)]
        at += 9 * codes
        tables.append(_table([_bits(*code) for code in read]))
    return tables


def default_table() -> Table:
    """Values up to 8 in few bits, others in 8 or 16 bits after a prefix."""
    codes = [("0", 0, 0, True)]
    for size in range(1, 9):
        codes += [("1" * size + "00", 0, size, True), ("1" * size + "01", 0, -size, True)]
    return _table([*codes, ("1111111110", 8, 0, True), ("1111111111", 16, 0, True)])


def _bits(prefix: int, total: int, mode: int, value: int, code: int) -> tuple[str, int, int, bool]:
    """One code: its prefix is stored with the first bit lowest."""
    if not 1 <= prefix <= _LONGEST or total < prefix or total - prefix > 32:
        raise RecordError(f"a Huffman code of {prefix} and {total} bits is not read", reason="format")
    return f"{code & (1 << prefix) - 1:0{prefix}b}"[::-1], total - prefix, value, mode == 1


def _table(codes: Sequence[tuple[str, int, int, bool]]) -> Table:
    """All that may follow in the bits, by the longest prefix."""
    longest = max(len(prefix) for prefix, _, _, _ in codes) if codes else 0
    table: Table = {}
    for prefix, more, value, is_sample in codes:
        room = longest - len(prefix)
        for rest in range(1 << room):
            following = prefix + (f"{rest:0{room}b}" if room else "")
            if following in table:
                raise RecordError(f"Huffman code {prefix} begins another", reason="format")
            table[following] = (len(prefix), more, value, is_sample)
    return table


def decoded(content: bytes, count: int, tables: Sequence[Table] | None) -> Int[np.ndarray, " {count}"]:
    """Unpack numbers of a lead.

    Args:
        content: its bytes.
        count: numbers to come; no more than three bytes may be left over.
        tables: of section 2; None: 16-bit numbers.

    Raises:
        RecordError: reason "length" if there are more or fewer, "format" if the codes are none.
    """
    if tables is None:
        if not 0 <= len(content) - 2 * count < 4:
            raise RecordError(f"{len(content)} bytes for {count} samples", reason="length")
        return np.frombuffer(content, dtype="<i2", count=count).astype(np.int64)
    bits = f"{int.from_bytes(content, 'big'):0{8 * len(content)}b}" if content else ""
    end, bits = len(bits), bits + "0" * _LONGEST
    table = tables[0]
    longest = len(next(iter(table), ""))
    values: list[int] = []
    at = 0
    while len(values) < count and at < end:
        found = table.get(bits[at : at + longest])
        if found is None:
            raise RecordError(f"no Huffman code at bit {at}", reason="format")
        size, more, value, is_sample = found
        at += size
        if not is_sample:
            if not 1 <= value <= len(tables):
                raise RecordError(f"no Huffman table {value}", reason="format")
            table = tables[value - 1]
            longest = len(next(iter(table), ""))
            continue
        if more:
            raw = int(bits[at : at + more], 2)
            value += raw - (1 << more) if raw >> (more - 1) else raw
            at += more
        values.append(value)
    if len(values) < count or at > end or end - at >= 32:
        raise RecordError(f"{len(content)} bytes do not hold {count} samples", reason="length")
    return np.array(values, dtype=np.int64)


def summed(values: Int[np.ndarray, " time"], order: int) -> Int[np.ndarray, " time"]:
    """Undo differences of first or second order, as 16-bit numbers that wrap around; order 0: nothing to do.

    The first sample, and of second differences the first two, are stored as they are.
    """
    if order == 1:
        values = np.cumsum(values)
    elif order == 2 and len(values) > 2:
        steps = np.concatenate([[values[1] - values[0]], values[2:]]).cumsum()
        values = values[0] + np.concatenate([[0], steps.cumsum()])
    return np.asarray(values.astype(np.int16).astype(np.int64))
