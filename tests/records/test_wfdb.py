"""The WFDB reader: equal to the reference reader on what is sound, one documented error on what is not."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from wfdb_miniatures import matrix, samples, signal_line, write_dat, write_mat

from ecglipse.errors import RecordError
from ecglipse.leads import LEADS
from ecglipse.records.wfdb import read_header, read_wfdb


@pytest.mark.parametrize("folder", ["ptbxl", "cinc2021", "ludb"])
def test_equals_the_reference_reader_on_real_recordings(pack: Path, folder: str) -> None:
    wfdb = pytest.importorskip("wfdb")
    found = sorted((pack / folder).rglob("*.hea"))
    for path in found[:: max(len(found) // 20, 1)]:
        ours, theirs = read_wfdb(path), wfdb.rdrecord(str(path)[:-4])
        assert ours.fs == theirs.fs
        assert [lead.lower() for lead in ours.leads] == [lead.lower() for lead in theirs.sig_name]
        np.testing.assert_allclose(ours.signal.T, theirs.p_signal, rtol=2e-7, atol=1e-7)


def test_reads_dat_in_millivolts(tmp_path: Path) -> None:
    x = samples()
    read = read_wfdb(write_dat(tmp_path, x=x, comments=("Age: 65", "Sex: F")))
    np.testing.assert_allclose(read.signal, x.T / 1000, rtol=1e-7)
    assert (read.fs, read.leads, read.comments) == (100.0, LEADS, ("Age: 65", "Sex: F"))
    assert read.signal.dtype == np.float32


@pytest.mark.parametrize("form", ["16+24", "16x1+24"])
def test_reads_the_challenges_mat_files(tmp_path: Path, form: str) -> None:
    x = samples()
    read = read_wfdb(write_mat(tmp_path, x=x, form=form))
    np.testing.assert_allclose(read.signal, x.T / 1000, rtol=1e-7)
    assert read.comments[2] == "Dx: 426783006,164889003"


@pytest.mark.parametrize(
    ("gain", "per_unit"),
    [
        ("200", 1 / 200),
        ("200/mV", 1 / 200),
        ("1000(0)/mV", 1 / 1000),
        ("1.0/uV", 1 / 1000),
        ("0.5/µV", 2 / 1000),
        ("1000000/V", 1 / 1000),
    ],
)
def test_units_become_millivolts(tmp_path: Path, gain: str, per_unit: float) -> None:
    x = samples()
    read = read_wfdb(write_dat(tmp_path, x=x, gain=gain))
    np.testing.assert_allclose(read.signal, x.T * per_unit, rtol=1e-6)


def test_baseline_is_taken_off(tmp_path: Path) -> None:
    x = samples()
    read = read_wfdb(write_dat(tmp_path, x=x, gain="1000.0(100)/mV"))
    np.testing.assert_allclose(read.signal, (x.T.astype(int) - 100) / 1000, rtol=1e-6)


def test_invalid_samples_are_not_numbers(tmp_path: Path) -> None:
    x = samples()
    x[7, 3] = -32768
    read = read_wfdb(write_dat(tmp_path, x=x))
    assert np.isnan(read.signal[3, 7])
    assert np.isnan(read.signal).sum() == 1


def test_several_signal_files(tmp_path: Path) -> None:
    x = samples()
    path = write_dat(tmp_path, x=x)
    (tmp_path / "limb.dat").write_bytes(x[:, :6].tobytes())
    (tmp_path / "chest.dat").write_bytes(x[:, 6:].tobytes())
    lines = path.read_text().splitlines()
    lines[1:] = [
        signal_line("limb.dat" if k < 6 else "chest.dat", x[:, k], lead) for k, lead in enumerate(LEADS)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    np.testing.assert_allclose(read_wfdb(path).signal, x.T / 1000, rtol=1e-7)


def test_lead_names_in_any_case_windows_lines_and_other_encodings(tmp_path: Path) -> None:
    path = write_dat(tmp_path, leads=tuple(lead.upper() for lead in LEADS))
    text = path.read_text().replace("\n", "\r\n") + "#Patient: José Núñez\r\n"
    for encoding in ("utf-8", "latin-1"):
        path.write_bytes(text.encode(encoding))
        read = read_wfdb(path.with_suffix(""))
        assert read.leads == LEADS
        assert read.comments[-1] == "Patient: José Núñez"


Spoil = Callable[[Path, Path], None]


def header(old: str, new: str, count: int = 1) -> Spoil:
    """Change the header's text."""

    def spoil(path: Path, dat: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, count), encoding="utf-8")

    return spoil


def bytes_of_dat(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the samples' file."""

    def spoil(path: Path, dat: Path) -> None:
        dat.write_bytes(change(dat.read_bytes()))

    return spoil


def linked(path: Path, dat: Path) -> None:
    dat.rename(dat.with_suffix(".real"))
    dat.symlink_to(dat.with_suffix(".real"))


def linked_header(path: Path, dat: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def piped(path: Path, dat: Path) -> None:
    dat.unlink()
    os.mkfifo(dat)


def folder(path: Path, dat: Path) -> None:
    dat.unlink()
    dat.mkdir()


HOSTILE: dict[str, tuple[Spoil, str, str]] = {
    "half a file": (
        bytes_of_dat(lambda b: b[: len(b) // 2]),
        "length",
        "600 bytes, the header's lengths need 1200",
    ),
    "an empty file": (bytes_of_dat(lambda b: b""), "length", "0 bytes"),
    "a byte short": (bytes_of_dat(lambda b: b[:-1]), "length", "1199 bytes"),
    "a byte long": (bytes_of_dat(lambda b: b + b"\0"), "length", "1201 bytes"),
    "a flipped bit": (
        bytes_of_dat(lambda b: b[:100] + bytes([b[100] ^ 4]) + b[101:]),
        "checksum",
        "do not match",
    ),
    "too few samples claimed": (header(" 50", " 25"), "length", "need 600"),
    "too many samples claimed": (header(" 50", " 51"), "length", "need 1224"),
    "a trillion samples claimed": (header(" 50", " 1000000000000"), "length", "need"),
    "no samples claimed": (header(" 50", " 0"), "header", "at least 1 expected"),
    "negative samples": (header(" 50", " -50"), "header", "at least 1 expected"),
    "one signal too many claimed": (header("r 12", "r 13"), "header", "13 signals expected, 12 found"),
    "a billion signals claimed": (header("r 12", "r 999999999"), "header", "1 to 64 expected"),
    "no signals claimed": (header("r 12", "r 0"), "header", "1 to 64 expected"),
    "fs 0": (header(" 100 ", " 0 "), "header", "1 to 100000 Hz"),
    "fs negative": (header(" 100 ", " -100 "), "header", "1 to 100000 Hz"),
    "fs with exponent": (header(" 100 ", " 5e2 "), "header", "1 to 100000 Hz"),
    "fs missing": (header(" 100 50", ""), "header", "name, signals, rate and length expected"),
    "gain 0": (header("1000.0(0)/mV", "0(0)/mV"), "gain", "not a positive number"),
    "gain negative": (header("1000.0(0)/mV", "-1000(0)/mV"), "gain", "not a positive number"),
    "gain nan": (header("1000.0(0)/mV", "nan/mV"), "gain", "not a positive number"),
    "gain overflowing": (header("1000.0(0)/mV", "1e999/mV"), "gain", "not a positive number"),
    "baseline not a number": (header("1000.0(0)/mV", "1000.0(x)/mV"), "gain", "baseline x"),
    "another unit": (header("/mV", "/furlong"), "unit", "unit furlong"),
    "format 212": (header(".dat 16 ", ".dat 212 "), "format", "format 212 is not read"),
    "format 80": (header(".dat 16 ", ".dat 80 "), "format", "format 80"),
    "skewed format": (header(".dat 16 ", ".dat 16:3 "), "format", "format 16:3"),
    "blocks": (header(" 0 I\n", " 7 I\n"), "format", "block size 7"),
    "linked samples": (linked, "unsafe-path", "is a link"),
    "linked header": (linked_header, "unsafe-path", "is a link"),
    "a pipe": (piped, "unsafe-path", "not a plain file"),
    "a folder": (folder, "unsafe-path", "not a plain file"),
    "absolute path": (header("r.dat", "/etc/passwd"), "unsafe-path", "not a plain file name"),
    "folder above": (header("r.dat", "../r.dat"), "unsafe-path", "not a plain file name"),
    "folder below": (header("r.dat", "x/r.dat"), "unsafe-path", "not a plain file name"),
    "the header itself": (header("r.dat", "r.hea"), "unsafe-path", "not a plain file name"),
    "samples missing": (
        lambda path, dat: dat.unlink(),
        "missing-file",
        "no such file",
    ),
    "multi-segment": (header("r 12", "r/3 12"), "format", "multi-segment"),
    "NUL byte": (header(" 100 ", " 1\x0000 "), "header", "NUL"),
    "another name": (header("r 12", "s 12"), "header", "names itself s"),
    "unknown lead": (header(" 0 V3\n", " 0 V9\n"), "lead-name", "lead name 'V9' is not one of the twelve"),
    "lead twice": (header(" 0 V3\n", " 0 V2\n"), "lead-name", "lead V2 is there twice"),
    "lead name missing": (header(" 0 V3\n", "\n"), "header", "nine fields expected, 7 found"),
    "wrong initial value": (header(" 16 0 ", " 16 0 9"), "checksum", "initial value"),
    "fields missing": (header(" 16 0 ", " "), "header", "fields expected"),
    "words for numbers": (header(" 16 0 ", " 16 zero "), "header", "expected to be integers"),
    "empty": (lambda path, dat: path.write_text("") and None, "header", "no record line"),
    "comments only": (lambda path, dat: path.write_text("# a\n# b\n") and None, "header", "no record line"),
    "a megabyte": (lambda path, dat: path.write_text("x" * 2**20) and None, "header", "262144 at most"),
    "50 kB without a blank": (lambda path, dat: path.write_text("x" * 50_000) and None, "header", "expected"),
    "200,000 lines": (lambda path, dat: path.write_text("a\n" * 120_000) and None, "header", "expected"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_not_sound_is_refused_with_its_reason(case: str, tmp_path: Path) -> None:
    spoil, reason, words = HOSTILE[case]
    path = write_dat(tmp_path)
    spoil(path, tmp_path / "r.dat")
    start = time.process_time()
    with pytest.raises(RecordError) as caught:
        read_wfdb(path)
    assert time.process_time() - start < 1
    assert caught.value.reason == reason, caught.value
    assert words in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_missing_header(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"none\.hea: no such file"):
        read_header(tmp_path / "none")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda x: matrix(x, kind=0), "format"),
        (lambda x: matrix(x, name=b"abc\0"), "format"),
        (lambda x: matrix(x[:, ::-1].T), "length"),
        (lambda x: b"MATLAB 5.0 MAT-file" + bytes(5) + x.tobytes(), "format"),
    ],
)
def test_mat_files_that_are_something_else(tmp_path: Path, content, reason: str) -> None:
    x = samples()
    path = write_mat(tmp_path, x=x)
    path.with_suffix(".mat").write_bytes(content(x))
    with pytest.raises(RecordError) as caught:
        read_wfdb(path)
    assert caught.value.reason == reason


def test_two_thousand_mutations_raise_one_error_or_change_no_sample(tmp_path: Path) -> None:
    """Fields and lines deleted, doubled, swapped, digits changed, characters put in; seeded.

    Where a mutant is read, each converter value it gives must be one of the original's for that lead: rate,
    gain, unit and a lead's name are not checked against anything in the file and may change.
    """
    rng = np.random.default_rng(0)
    x = samples()
    path = write_dat(tmp_path, x=x, comments=("Age: 65",))
    original = path.read_text()
    columns = {tuple(column) for column in x.T.tolist()}
    read_anyway = 0
    for _ in range(2000):
        path.write_text(_mutated(original, rng), encoding="utf-8")
        try:
            read = read_wfdb(path)
        except RecordError:
            continue
        read_anyway += 1
        gains = np.array([spec.gain for spec in read.header.signals])[:, None]
        bases = np.array([spec.baseline for spec in read.header.signals])[:, None]
        values = np.rint(read.signal.astype(float) * gains + bases).astype(int)
        assert {tuple(row) for row in values.tolist()} == columns
    assert 0 < read_anyway < 1000


def _mutated(text: str, rng: np.random.Generator) -> str:
    lines = text.splitlines()
    row = int(rng.integers(len(lines)))
    fields = lines[row].split(" ")
    place = int(rng.integers(len(fields)))
    kind = rng.integers(7)
    if kind == 0:
        del fields[place]
    elif kind == 1:
        fields.insert(place, fields[place])
    elif kind == 2:
        other = int(rng.integers(len(fields)))
        fields[place], fields[other] = fields[other], fields[place]
    elif kind == 3:
        field = list(fields[place] or "0")
        field[int(rng.integers(len(field)))] = str(rng.choice(list("0123456789-+./()eE_ \t")))
        fields[place] = "".join(field)
    elif kind == 4:
        fields[place] += str(rng.choice(["0", "9", "e3", "/uV", "(5)", "x", "\x00", "²", "\u0663"]))
    elif kind == 5:
        lines.insert(row, lines[row])
    else:
        del lines[row]
        return "\n".join(lines) + "\n"
    lines[row] = " ".join(fields)
    return "\n".join(lines) + "\n"
