"""Wave marks from annotation files, by hand and against the reference reader on LUDB."""

import math
import warnings
from collections import Counter
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


@pytest.mark.parametrize("content", [b"", b"\0", word(39, 1) + word(63, 200) + b"ab", word(59, 0) + b"\0\0"])
def test_other_short_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.ii").write_bytes(content)
    with pytest.raises(RecordError, match="ends within an annotation"):
        read_waves(tmp_path / "r.ii", fs=500.0, lead="II")


def test_a_gap_may_lead_back_but_not_before_the_start(tmp_path: Path) -> None:
    def back(samples: int) -> bytes:
        low_word_last = (-samples).to_bytes(4, "little", signed=True)
        return word(59, 0) + low_word_last[2:] + low_word_last[:2]

    (tmp_path / "r.ii").write_bytes(word(1, 100) + back(60) + word(27, 10) + word(0, 0))
    assert [w.peak_s for w in read_waves(tmp_path / "r.ii", fs=100.0, lead="II")] == [1.0, 0.5]
    (tmp_path / "r.ii").write_bytes(word(1, 100) + back(160) + word(27, 10) + word(0, 0))
    with pytest.raises(RecordError, match="before the recording's start") as caught:
        read_waves(tmp_path / "r.ii", fs=100.0, lead="II")
    assert caught.value.reason == "annotations"


def test_other_marks_are_no_waves(tmp_path: Path) -> None:
    """A rhythm change (28) with its text, a pair of marks around nothing, a noise mark (14)."""
    content = word(28, 5) + word(63, 2) + b"(N" + word(39, 10) + word(40, 9) + word(14, 3) + word(0, 0)
    (tmp_path / "r.ii").write_bytes(content)
    assert read_waves(tmp_path / "r.ii", fs=500.0, lead="II") == ()


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(word(0, 0))
    (tmp_path / "r.ii").symlink_to(tmp_path / "real")
    with pytest.raises(RecordError, match=r"r\.ii: is a link"):
        read_waves(tmp_path / "r.ii", fs=500.0, lead="II")


def test_ludb_has_as_many_waves_as_its_authors_count(pack: Path) -> None:
    """Kalyakulina et al. 2020: 16,797 P, 21,965 QRS, 19,661 T; few marks missing, none out of order."""
    kinds: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for path in (pack / "ludb" / "data").iterdir():
        if path.suffix in (".hea", ".dat"):
            continue
        for wave in read_waves(path, fs=500.0, lead="I"):
            kinds[wave.kind] += 1
            missing["onset"] += math.isnan(wave.onset_s)
            missing["offset"] += math.isnan(wave.offset_s)
            assert not wave.onset_s > wave.peak_s
            assert not wave.peak_s > wave.offset_s
    assert kinds == {"P": 16_797, "QRS": 21_965, "T": 19_661}
    assert missing == {"onset": 131, "offset": 29}


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
