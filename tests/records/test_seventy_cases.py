"""Seventy inputs on which readers of recordings have failed, each with its test.

wfdb 4.3.1 raised undocumented errors on most of them, and changed values in silence on some.

01 half a .dat                            test_wfdb: half a file
02 an empty .dat                          test_wfdb: an empty file
03 more samples claimed than there are    test_wfdb: too many samples claimed
04 a byte short                           test_wfdb: a byte short
05 fewer samples claimed than there are   test_wfdb: too few samples claimed
06 1e12 samples claimed                   test_wfdb: a trillion samples claimed
07 1e8 samples a frame                    here
08 skew of 1e9                            here
09 a header of 20 bytes, 1e9 signals      here
10 5e7 signals                            here
11 a sparse .dat of 100 MB                test_a_sparse_file_is_refused_unread
12 a sparse .dat of 400 MB                test_a_sparse_file_is_refused_unread
13 12 signals claimed, 11 lines           here
14 12 signals claimed, 13 lines           here
15 gain 0                                 test_wfdb: gain 0
16 gain -1000                             test_wfdb: gain negative
17 gain 1e999                             test_wfdb: gain overflowing
18 gain 1e-300                            here
19 gain nan/mV                            test_wfdb: gain nan
20 unit uV                                test_units_become_millivolts
21 unit furlong                           test_wfdb: another unit
22 lost samples                           test_invalid_samples_are_not_numbers
23 nothing but lost samples               test_a_recording_of_lost_samples_is_rejected
24 a flipped bit                          test_wfdb: a flipped bit
25 212 claimed for 16                     test_wfdb: format 212 of 16
26 ../../etc/passwd                       here
27 /etc/passwd                            test_wfdb: absolute path
28 http://host/file                       here
29 file::memory:                          here
30 a link                                 test_wfdb: linked samples
31 a pipe                                 test_wfdb: a pipe
32 the header itself                      test_wfdb: the header itself
33 a segment is the record itself         test_wfdb_formats: itself
34 segments in a circle                   test_segments_in_a_circle_end
35 a record line of 50 kB                 test_wfdb: 50 kB without a blank
36 a signal line of 50 kB                 here
37 200,000 signal lines                   here
38 NUL in the rate                        test_wfdb: NUL byte
39 no rate                                test_wfdb: fs missing
40 rate 5e2                               test_wfdb: fs with exponent
41 rate 0                                 test_wfdb: fs 0
42 a date with the month's name           test_reads_the_challenges_mat_files
43 the 31st of February                   test_a_date_that_cannot_be_is_not_looked_at
44 the header has another name            test_wfdb: another name
45 a lead twice                           test_wfdb: lead twice
46 leads in reverse order                 test_leads_that_contradict_each_other_are_flagged
47 Latin letters with accents             test_lead_names_in_any_case_windows_lines_and_other_encodings
48 Chinese letters                        test_no_letter_of_a_comment_is_dropped
49 an empty header                        test_wfdb: empty
50 nothing but comments                   test_wfdb: comments only
51 16 segments claimed, 15 given          test_wfdb_formats: count
52 a folder in the file's name            test_wfdb: folder below
53 a mark of byte order                   test_wfdb: a mark of byte order
54 UTF-16                                 here
55 lines of Windows                       test_lead_names_in_any_case_windows_lines_and_other_encodings
56 a linked header                        test_wfdb: linked header
57 a piped header                         test_wfdb: a piped header
58 a folder for samples                   test_wfdb: a folder
59 a device for samples                   test_a_device_is_no_recording
60 the header in capitals                 test_wfdb: the header in capitals
61 a header of a megabyte                 test_wfdb: a megabyte
62 comments of 100 MB                     test_comments_of_a_hundred_megabytes_are_refused
63 segments within segments               test_wfdb_formats: nested
64 20,000 segments                        test_twenty_thousand_segments_are_refused
65 a packed MATLAB file                   test_mat_files_that_are_something_else
66 CSV with semicolons                    here, CSV
67 CSV with decimal commas                here, CSV
68 CSV with lines of unlike length        here, CSV
69 CSV with a word in row 5001            here, CSV
70 CSV with a column too many             here, CSV
"""

import importlib
import os
import re
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglipse.commands._fit import fit
from ecglipse.commands._form import Form
from ecglipse.corpora.simulator import simulate
from ecglipse.corpora.wfdb_folder import load
from ecglipse.errors import RecordError
from ecglipse.leads import LEADS
from ecglipse.quality import findings
from ecglipse.records.arrays import read_array
from ecglipse.records.reading import Reading
from ecglipse.records.wfdb import read_wfdb
from wfdb_miniatures import samples, write_dat

Spoil = Callable[[Path], object]


def changed(old: str, new: str, count: int = 1) -> Spoil:
    """Change the header's text."""

    def spoil(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, count), encoding="utf-8")

    return spoil


def without_a_line(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def with_a_line(path: Path) -> None:
    path.write_text(path.read_text() + "r.dat 16 1 16 0 0 0 0 V7\n")


CASES: dict[str, tuple[Spoil, str, str]] = {
    "07 1e8 samples a frame": (changed("16 1000", "16x100000000 1000", -1), "format", "a frame"),
    "08 skew of 1e9": (changed("16 1000", "16:1000000000 1000"), "format", "skew and offset"),
    "09 twenty bytes": (lambda p: p.write_text("r 999999999 500 5000"), "header", "1 to 64 expected"),
    "10 5e7 signals": (changed("r 12", "r 50000000"), "header", "1 to 64 expected"),
    "13 eleven lines": (without_a_line, "header", "12 signals expected, 11 found"),
    "14 thirteen lines": (with_a_line, "header", "13 found"),
    "18 gain 1e-300": (changed("1000.0(0)/mV", "1e-300/mV"), "gain", "not a positive number"),
    "26 folders above": (changed("r.dat", "../../etc/passwd"), "unsafe-path", "not a plain file name"),
    "28 an address": (changed("r.dat", "http://127.0.0.1/r.dat"), "unsafe-path", "not a plain file name"),
    "29 an address of files": (changed("r.dat", "file::memory:"), "missing-file", "no such file"),
    "36 a long signal line": (changed("r.dat 16 ", f"r.dat {'1' * 50_000}"), "header", "fields expected"),
    "37 many lines": (lambda p: p.write_text("r 2 100 50\n" + "r.dat 16\n" * 200_000), "header", "at most"),
    "54 UTF-16": (lambda p: p.write_bytes(p.read_text().encode("utf-16")), "header", "NUL byte"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_refused_within_a_second(case: str, tmp_path: Path) -> None:
    spoil, reason, words = CASES[case]
    path = write_dat(tmp_path)
    spoil(path)
    start = time.process_time()
    with pytest.raises(RecordError) as caught:
        read_wfdb(path)
    assert time.process_time() - start < 1
    assert (caught.value.reason, words in str(caught.value)) == (reason, True), caught.value
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("megabytes", [100, 400], ids=["11 100 MB", "12 400 MB"])
def test_a_sparse_file_is_refused_unread(megabytes: int, tmp_path: Path) -> None:
    path = write_dat(tmp_path)
    os.truncate(tmp_path / "r.dat", megabytes * 10**6)
    tracemalloc.start()
    with pytest.raises(RecordError, match="the header's lengths need 1200") as caught:
        read_wfdb(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason == "length"
    assert peak < 1e6


def test_a_recording_of_lost_samples_is_rejected(tmp_path: Path) -> None:
    """Case 23."""
    path = write_dat(tmp_path, x=np.full((1000, 12), -32768))
    assert np.isnan(read_wfdb(path).signal).all()
    with pytest.raises(RecordError, match=r"100\.0% of the recording is not a finite number") as caught:
        fit(load(tmp_path, path), Form())
    assert caught.value.reason == "not-finite"


def test_segments_in_a_circle_end(tmp_path: Path) -> None:
    """Case 34."""
    (tmp_path / "r.hea").write_text("r/1 12 100 20\ns 20\n")
    (tmp_path / "s.hea").write_text("s/1 12 100 20\nr 20\n")
    with pytest.raises(RecordError, match="a segment of several segments"):
        read_wfdb(tmp_path / "r.hea")


def test_a_date_that_cannot_be_is_not_looked_at(tmp_path: Path) -> None:
    """Case 43: dates name persons and are never kept."""
    path = write_dat(tmp_path)
    changed(" 100 50", " 100 50 25:61:00 31/02/2020")(path)
    read = read_wfdb(path)
    assert (read.fs, read.signal.shape) == (100.0, (12, 50))
    assert "2020" not in repr(read)


def test_leads_that_contradict_each_other_are_flagged(tmp_path: Path) -> None:
    """Case 46: a reader cannot see it; the gate does."""
    (record,) = simulate(1, seed=1)
    x = np.round(record.signal.T * 1000).astype("<i2")
    found = {}
    for leads in (LEADS, LEADS[::-1]):
        read = read_wfdb(write_dat(tmp_path, x=x, leads=leads))
        assert read.leads == leads
        found[leads] = {finding.reason for finding in findings(read.signal, read.fs, read.leads)}
    assert found[LEADS[::-1]] - found[LEADS] >= {"lead-algebra"}


def test_no_letter_of_a_comment_is_dropped(tmp_path: Path) -> None:
    """Case 48."""
    words = ("Dx: 心房顫動", "José Núñez", "Ω ☃ 🫀")
    assert read_wfdb(write_dat(tmp_path, comments=words)).comments == words


def test_a_device_is_no_recording(tmp_path: Path) -> None:
    """Case 59."""
    path = write_dat(tmp_path)
    (tmp_path / "r.dat").unlink()
    try:
        os.mknod(tmp_path / "r.dat", 0o020644, os.makedev(1, 5))
    except OSError:
        pytest.skip("devices cannot be made here")
    with pytest.raises(RecordError) as caught:
        read_wfdb(path)
    assert caught.value.reason in ("unsafe-path", "unreadable")


def test_comments_of_a_hundred_megabytes_are_refused(tmp_path: Path) -> None:
    """Case 62."""
    path = write_dat(tmp_path)
    with path.open("a") as file:
        file.write("#")
    os.truncate(path, 10**8)
    tracemalloc.start()
    with pytest.raises(RecordError, match="262144 at most"):
        read_wfdb(path)
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()


def test_twenty_thousand_segments_are_refused(tmp_path: Path) -> None:
    """Case 64."""
    (tmp_path / "r.hea").write_text("r/20000 12 100 20000\n" + "s 1\n" * 20_000)
    with pytest.raises(RecordError, match="more lines found"):
        read_wfdb(tmp_path / "r.hea")


def _table(*, rows: int = 6000, separator: str = ",", comma: bool = False) -> list[str]:
    """Lines of a CSV file with the twelve leads."""
    text = (0.1234 * samples(rows)).tolist()
    lines = [separator.join(f"{value:.3f}" for value in row) for row in text]
    if comma:
        lines = [line.replace(".", ",") for line in lines]
    return [separator.join(LEADS), *lines]


TABLES: dict[str, tuple[Callable[[], list[str]], str]] = {
    "66 semicolons": (lambda: _table(separator=";"), "format"),
    "66 semicolons, decimal commas": (lambda: _table(separator=";", comma=True), "format"),
    "67 decimal commas": (lambda: _table(comma=True), "format"),
    "68 a short line": (lambda: [*_table()[:-1], "1.0,2.0"], "format"),
    "68 a long line": (lambda: [*_table(), _table()[1] + ",1.0"], "format"),
    "69 a word in row 5001": (lambda: [*_table()[:5001], "x" + _table()[1], *_table()[5002:]], "format"),
    "70 a column too many": (lambda: [_table()[0], *(f"1.0,{line}" for line in _table()[1:])], "format"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_that_can_be_read_in_two_ways_is_refused(case: str, tmp_path: Path) -> None:
    make, reason = TABLES[case]
    (tmp_path / "a.csv").write_text("\n".join(make()) + "\n")
    with pytest.raises(RecordError) as caught:
        read_array(tmp_path / "a.csv", Reading(unit="uV", fs=500.0))
    assert caught.value.reason == reason, caught.value


def test_the_sound_table_is_read(tmp_path: Path) -> None:
    """The negative control of the cases above."""
    (tmp_path / "a.csv").write_text("\n".join(_table()) + "\n")
    assert read_array(tmp_path / "a.csv", Reading(unit="uV", fs=500.0)).signal.shape == (12, 6000)


def test_each_of_the_seventy_cases_names_a_test_that_there_is() -> None:
    lines = re.findall(r"^(\d\d) (.{38}) (.+)$", __doc__ or "", flags=re.M)
    assert [int(number) for number, _, _ in lines] == list(range(1, 71))
    others = {name: importlib.import_module(name) for name in ("test_wfdb", "test_wfdb_formats")}
    known = {
        "test_wfdb": others["test_wfdb"].HOSTILE,
        "test_wfdb_formats": others["test_wfdb_formats"].SPOILT,
    }
    for number, _, place in lines:
        module, colon, case = place.partition(": ")
        if colon:
            assert case in known[module], place
        elif place.startswith("here"):
            assert any(key.startswith(number) for key in (*CASES, *TABLES)), place
        else:
            assert any(hasattr(held, place) for held in others.values()) or place in globals(), place
