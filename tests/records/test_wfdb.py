"""The WFDB reader: equal to the reference reader on what is sound, one documented error on what is not."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglipse.errors import RecordError
from ecglipse.leads import LEADS
from ecglipse.records.wfdb import read_header, read_wfdb
from wfdb_miniatures import matrix, samples, signal_line, write_dat, write_mat


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


def test_a_counter_may_follow_the_rate(tmp_path: Path) -> None:
    assert read_wfdb(write_dat(tmp_path, fs="100/25.5(0)")).fs == 100.0


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
    for encoding, case in (("utf-8", str.upper), ("latin-1", str.lower)):
        path = write_dat(tmp_path, leads=tuple(case(lead) for lead in LEADS), gain="1.0/µV")
        text = path.read_text(encoding="utf-8").replace("\n", "\r\n") + "#Patient: José Núñez\r\n"
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


def two_files_of(length: str) -> Spoil:
    """Two signal files, each far shorter than the header says: no room may be made for what is not there."""

    def spoil(path: Path, dat: Path) -> None:
        dat.with_name("s.dat").write_bytes(dat.read_bytes())
        lines = path.read_text().replace(" 50\n", f"{length}\n", 1).splitlines()
        lines[7:13] = [line.replace("r.dat", "s.dat") for line in lines[7:13]]
        path.write_text("\n".join(lines), encoding="utf-8")

    return spoil


def checksum_of_19_digits(path: Path, dat: Path) -> None:
    lines = path.read_text().splitlines()
    fields = lines[1].split(" ")
    lines[1] = " ".join([*fields[:6], "9" * 19, *fields[7:]])
    path.write_text("\n".join(lines), encoding="utf-8")


def piped_header(path: Path, dat: Path) -> None:
    path.unlink()
    os.mkfifo(path)


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
    "a trillion samples claimed": (header(" 50", " 1000000000000"), "length", "268435456 at most are read"),
    "all samples that are read claimed": (header(" 50", " 22369621"), "length", "need 536870904"),
    "as many in two files": (two_files_of(" 22369621"), "length", "need 268435452"),
    "no samples claimed": (header(" 50", " 0"), "header", "at least 1 expected"),
    "negative samples": (header(" 50", " -50"), "header", "at least 1 expected"),
    "one signal too many claimed": (header("r 12", "r 13"), "header", "13 signals expected, 12 found"),
    "a billion signals claimed": (header("r 12", "r 999999999"), "header", "1 to 64 expected"),
    "no signals claimed": (header("r 12", "r 0"), "header", "1 to 64 expected"),
    "fs 0": (header(" 100 ", " 0 "), "header", "50 to 10000 Hz"),
    "fs negative": (header(" 100 ", " -100 "), "header", "50 to 10000 Hz"),
    "fs with exponent": (header(" 100 ", " 5e2 "), "header", "50 to 10000 Hz"),
    "fs cut by a control character": (header(" 100 ", " 1\x1c00 "), "header", "U+001C"),
    "fs cut by a blank that is not ASCII": (header(" 100 ", " 1\xa000 "), "header", "U+00A0"),
    "fs cut by a slash": (header(" 100 ", " 1/x "), "header", "50 to 10000 Hz"),
    "a mark of byte order": (header("r 12", "\ufeffr 12"), "header", "U+FEFF"),
    "a digit of another script": (header(" 100 ", " 1\u0660\u0660 "), "header", "U+0660"),
    "a checksum beyond int64": (checksum_of_19_digits, "header", "integers"),
    "fs missing": (header(" 100 50", ""), "header", "name, signals, rate and length expected"),
    "gain 0": (header("1000.0(0)/mV", "0(0)/mV"), "gain", "not a positive number"),
    "gain negative": (header("1000.0(0)/mV", "-1000(0)/mV"), "gain", "not a positive number"),
    "gain nan": (header("1000.0(0)/mV", "nan/mV"), "gain", "not a positive number"),
    "gain overflowing": (header("1000.0(0)/mV", "1e999/mV"), "gain", "not a positive number"),
    "baseline not a number": (header("1000.0(0)/mV", "1000.0(x)/mV"), "gain", "baseline x"),
    "baseline beyond 32 bits": (header("(0)/mV", "(99999999999)/mV"), "gain", "baseline 99999999999"),
    "baseline beyond int64": (header("(0)/mV", "(9999999999999999999)/mV"), "gain", "not an integer"),
    "zero beyond 32 bits": (header("(0)/mV 16 0 ", "/mV 16 99999999999 "), "header", "integers"),
    "gain not a number": (header("1000.0(0)/mV", "abc/mV"), "gain", "gain abc is not a positive number"),
    "another unit": (header("/mV", "/furlong"), "unit", "unit furlong is not one of mV, uV, V"),
    "format 508": (header(".dat 16 ", ".dat 508 ", -1), "format", "format 508 is not read"),
    "format 016": (header(".dat 16 ", ".dat 016 "), "format", "format 016 is not read"),
    "format 212 of 16": (
        header(".dat 16 ", ".dat 212 ", -1),
        "length",
        "1200 bytes, the header's lengths need 900",
    ),
    "two formats in a file": (header(".dat 16 ", ".dat 160 "), "format", "several formats or offsets"),
    "several rates": (header(".dat 16 ", ".dat 16x2 "), "format", "several sampling rates"),
    "no samples a frame": (header(".dat 16 ", ".dat 16x0 "), "format", "format 16x0: 1 to 1000 samples"),
    "negative skew": (header(".dat 16 ", ".dat 16:-3 "), "format", "skew and offset expected to be >= 0"),
    "blocks": (header(" 0 I\n", " 7 I\n"), "format", "block size 7"),
    "linked samples": (linked, "unsafe-path", "is a link"),
    "linked header": (linked_header, "unsafe-path", "is a link"),
    "a pipe": (piped, "unsafe-path", "not a plain file"),
    "a folder": (folder, "unsafe-path", "not a plain file"),
    "a piped header": (piped_header, "unsafe-path", "not a plain file"),
    "the header in capitals": (header("r.dat", "R.HEA"), "unsafe-path", "not a plain file name"),
    "a hidden file": (header("r.dat", ".r.dat"), "unsafe-path", "not a plain file name"),
    "a name too long": (header("r.dat", "r" * 300), "unreadable", "cannot be opened (File name too long)"),
    "absolute path": (header("r.dat", "/etc/passwd"), "unsafe-path", "not a plain file name"),
    "folder above": (header("r.dat", "../r.dat"), "unsafe-path", "not a plain file name"),
    "folder below": (header("r.dat", "x/r.dat"), "unsafe-path", "not a plain file name"),
    "the header itself": (header("r.dat", "r.hea"), "unsafe-path", "not a plain file name"),
    "samples missing": (
        lambda path, dat: dat.unlink(),
        "missing-file",
        "no such file",
    ),
    "segments that are signals": (header("r 12", "r/3 12"), "header", "3 segments expected, 12 found"),
    "NUL byte": (header(" 100 ", " 1\x0000 "), "header", "NUL"),
    "another name": (header("r 12", "s 12"), "header", "names itself s"),
    "unknown lead": (header(" 0 V3\n", " 0 V9\n"), "lead-name", "lead name 'V9' is not one of the twelve"),
    "lead twice": (header(" 0 V3\n", " 0 V2\n"), "lead-name", "lead V2 is there twice"),
    "lead name missing": (header(" 0 V3\n", "\n"), "header", "nine fields expected, 7 found"),
    "wrong initial value": (header(" 16 0 ", " 16 0 9"), "checksum", "initial value"),
    "wrong checksum": (header(" 0 V3\n", "1 0 V3\n"), "checksum", "lead V3: samples do not match"),
    "fields missing": (header(" 16 0 ", " "), "header", "fields expected"),
    "words for numbers": (header(" 16 0 ", " 16 zero "), "header", "expected to be integers"),
    "empty": (lambda path, dat: path.write_text("") and None, "header", "no record line"),
    "comments only": (lambda path, dat: path.write_text("# a\n# b\n") and None, "header", "no record line"),
    "a megabyte": (lambda path, dat: path.write_text("x" * 2**20) and None, "header", "262144 at most"),
    "50 kB without a blank": (lambda path, dat: path.write_text("x" * 50_000) and None, "header", "expected"),
    "120,000 lines": (lambda path, dat: path.write_text("a\n" * 120_000) and None, "header", "expected"),
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


def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = write_dat(tmp_path)
    (tmp_path / "r.dat").chmod(0)
    with pytest.raises(RecordError, match="Permission denied") as caught:
        read_wfdb(path)
    assert caught.value.reason == "unreadable"


def test_a_sparse_file_of_a_terabyte_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = write_dat(tmp_path)
    path.write_text(path.read_text().replace(" 50\n", " 50000000000\n", 1), encoding="utf-8")
    try:
        os.truncate(tmp_path / "r.dat", 12 * 2 * 50_000_000_000)
    except OSError:
        pytest.skip("the file system has no files of this size")
    with pytest.raises(RecordError, match="at most are read") as caught:
        read_wfdb(path)
    assert caught.value.reason == "length"


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
