"""Wave marks from annotation files, by hand and against the reference reader on LUDB."""

import math
import warnings
from pathlib import Path

import pytest

from ecglipse.errors import RecordError
from ecglipse.records.wfdb_annotations import read_waves


def word(code: int, difference: int) -> bytes:
    return (code << 10 | difference).to_bytes(2, "little")


def test_marks_become_waves(tmp_path: Path) -> None:
    """( p ) with a skip of 5,000 samples, text attached to a mark, then ( N )."""
    skip = word(59, 0) + (5000 >> 16).to_bytes(2, "little") + (5000 & 0xFFFF).to_bytes(2, "little")
    content = word(39, 100) + word(24, 20) + word(40, 30) + word(63, 3) + b"abc\0" + skip
    content += word(39, 10) + word(60, 1) + word(1, 5) + word(40, 7) + word(0, 0)
    (tmp_path / "r.ii").write_bytes(content)
    p, qrs = read_waves(tmp_path / "r.ii", fs=500.0, lead="II")
    assert (p.kind, p.onset_s, p.peak_s, p.offset_s) == ("P", 0.2, 0.24, 0.3)
    assert (qrs.kind, qrs.onset_s, qrs.peak_s, qrs.offset_s) == ("QRS", 10.32, 10.33, 10.344)
    assert p.lead == "II"


def test_a_peak_without_onset_or_offset_is_still_a_wave(tmp_path: Path) -> None:
    content = word(24, 100) + word(39, 50) + word(1, 10) + word(27, 40) + word(40, 5) + word(0, 0)
    (tmp_path / "r.ii").write_bytes(content)
    p, qrs, t = read_waves(tmp_path / "r.ii", fs=100.0, lead="II")
    assert (p.peak_s, math.isnan(p.onset_s), math.isnan(p.offset_s)) == (1.0, True, True)
    assert (qrs.onset_s, qrs.peak_s, math.isnan(qrs.offset_s)) == (1.5, 1.6, True)
    assert (math.isnan(t.onset_s), t.peak_s, t.offset_s) == (True, 2.0, 2.05)


def test_a_file_that_ends_within_a_mark_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.ii").write_bytes(word(39, 100))
    with pytest.raises(RecordError, match="ends within an annotation") as caught:
        read_waves(tmp_path / "r.ii", fs=500.0, lead="II")
    assert caught.value.reason == "annotations"


def test_every_peak_of_ludb_is_a_wave(pack: Path) -> None:
    """Ten records, five leads: the peaks that the reference reader finds, at the same samples."""
    wfdb = pytest.importorskip("wfdb")
    for number in range(1, 200, 20):
        for lead in ("i", "ii", "avr", "v1", "v6"):
            path = pack / "ludb" / "data" / f"{number}.{lead}"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the reference reader's own use of pandas
                theirs = wfdb.rdann(str(path.with_suffix("")), lead)
            kinds = {"p": "P", "N": "QRS", "t": "T"}
            wanted = [
                (kinds[symbol], int(sample))
                for symbol, sample in zip(theirs.symbol, theirs.sample, strict=True)
                if symbol in kinds
            ]
            found = [(w.kind, round(w.peak_s * 500)) for w in read_waves(path, fs=500.0, lead="I")]
            assert found == wanted
