"""The WFDB reader under thousands of mutations: one documented error, or the same samples."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglipse.errors import RecordError
from ecglipse.records.wfdb import WfdbRecord, read_wfdb
from wfdb_miniatures import samples, write_dat, write_mat

UNCHECKED = {"fs", "gain", "baseline", "lead"}
"""What no other field and no sample speaks about: a change of these alone cannot be found in the files."""

INSERTED = [
    "0",
    "9",
    "-",
    "e3",
    "/uV",
    "(5)",
    "x",
    "\x00",
    "²",
    "\u0663",
    "\xa0",
    "\x1c",
    "\t",
    "\r",
    "#",
    "µ",
]


def mutated(text: str, rng: np.random.Generator) -> str:
    """Delete, double, swap, change or extend a field or a line."""
    lines = text.splitlines()
    row, other_row = (int(k) for k in rng.integers(len(lines), size=2))
    fields = lines[row].split(" ")
    place, other = (int(k) for k in rng.integers(len(fields), size=2))
    match int(rng.integers(10)):
        case 0:
            del fields[place]
        case 1:
            fields.insert(place, fields[place])
        case 2:
            fields[place], fields[other] = fields[other], fields[place]
        case 3:
            field = list(fields[place] or "0")
            field[int(rng.integers(len(field)))] = str(rng.choice(list("0123456789-+./()eE_ \t")))
            fields[place] = "".join(field)
        case 4:
            at = int(rng.integers(len(fields[place]) + 1))
            fields[place] = fields[place][:at] + str(rng.choice(INSERTED)) + fields[place][at:]
        case 5:
            field = fields[place]
            fields[place] = field[: int(rng.integers(len(field) + 1))]
        case 6:  # the same field of two lines
            theirs = lines[other_row].split(" ")
            if row != other_row and place < len(theirs):
                fields[place], theirs[place] = theirs[place], fields[place]
                lines[other_row] = " ".join(theirs)
        case 7:
            lines.insert(other_row, lines[row])
            return "\n".join(lines) + "\n"
        case 8:
            lines[row], lines[other_row] = lines[other_row], lines[row]
            return "\n".join(lines) + "\n"
        case _:
            del lines[row]
            return "\n".join(lines) + "\n"
    lines[row] = " ".join(fields)
    return "\n".join(lines) + "\n"


def steps(read: WfdbRecord) -> np.ndarray:
    """The converter's values, from what was read."""
    gain = np.array([spec.gain for spec in read.header.signals])[:, None]
    baseline = np.array([spec.baseline for spec in read.header.signals])[:, None]
    return np.rint(read.signal.astype(np.float64) * gain + baseline).astype(np.int64)


def said(read: WfdbRecord) -> dict[str, object]:
    """What a header says about values."""
    specs = read.header.signals
    return {
        "fs": read.fs,
        "gain": [spec.gain for spec in specs],
        "baseline": [spec.baseline for spec in specs],
        "lead": read.leads,
        "length": read.signal.shape,
    }


def changed(original: WfdbRecord, read: WfdbRecord) -> set[str]:
    """Names of what a mutant says otherwise; fails if a sample is another or elsewhere."""
    before, after = said(original), said(read)
    differing = {name for name in before if before[name] != after[name]}
    # float32 holds 24 bits: a baseline of 10^7 steps leaves less than a step of room, one beyond none
    largest = max(abs(spec.baseline) for spec in read.header.signals)
    assert read.signal.shape == original.signal.shape
    assert np.abs(steps(read) - steps(original)).max() <= largest * 2.0**-23
    return differing


@pytest.mark.parametrize(("write", "n", "seed"), [(write_dat, 2000, 0), (write_mat, 1000, 1)])
def test_a_mutated_header_is_refused_or_changes_no_sample(
    tmp_path: Path, write: Callable[..., Path], n: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    path = write(tmp_path, x=samples())
    text, original = path.read_text(), read_wfdb(path)
    outcome: Counter[str] = Counter()
    reasons: set[str] = set()
    for _ in range(n):
        path.write_text(mutated(text, rng), encoding="utf-8")
        try:
            read = read_wfdb(path)
        except RecordError as error:
            outcome["refused"] += 1
            reasons.add(error.reason)
            continue
        names = changed(original, read)
        assert names <= UNCHECKED
        outcome[", ".join(sorted(names)) or "nothing"] += 1
    print(f"{write.__name__}: {dict(outcome)}, {sorted(reasons)}")  # shown by `pytest -s`
    assert reasons <= READER_REASONS
    assert outcome["refused"] > n / 2
    assert outcome["nothing"] > 0
    assert sum(outcome[name] for name in outcome if name not in ("refused", "nothing")) < n / 4, outcome


READER_REASONS = {
    "missing-file", "unsafe-path", "header", "format", "gain", "unit", "lead-name", "length", "checksum",
    "unreadable",
}  # fmt: skip


def test_the_comparison_would_see_another_sample(tmp_path: Path) -> None:
    """Negative control: one sample one step higher, with the checksum that fits it, is seen."""
    x = samples()
    original = read_wfdb(write_dat(tmp_path, x=x))
    x[20, 5] += 1
    other = read_wfdb(write_dat(tmp_path, x=x))
    with pytest.raises(AssertionError):
        changed(original, other)
    assert changed(original, original) == set()


def test_any_flipped_bit_of_the_samples_is_found(tmp_path: Path) -> None:
    """A 16-bit sum always changes when one bit does."""
    rng = np.random.default_rng(2)
    path = write_dat(tmp_path)
    sound = (tmp_path / "r.dat").read_bytes()
    for place in rng.integers(len(sound) * 8, size=400).tolist():
        spoilt = bytearray(sound)
        spoilt[place // 8] ^= 1 << place % 8
        (tmp_path / "r.dat").write_bytes(spoilt)
        with pytest.raises(RecordError, match="checksum"):
            read_wfdb(path)
