"""Every sample format, several files, frames, skew and segments: as the reference reader reads them."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglipse.errors import RecordError
from ecglipse.leads import LEADS
from ecglipse.records.wfdb import read_wfdb
from ecglipse.records.wfdb_packed import PACKINGS
from wfdb_miniatures import pack, signal_line, write_packed, write_segments

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own use of pandas
    import wfdb

BITS = {8: 7, 16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10}


def samples(form: int, n: int = 51, leads: int = 12) -> np.ndarray:
    """Values (time, lead) over the whole range of a format, without its mark for lost samples."""
    rng = np.random.default_rng(form)
    most = 2 ** (BITS[form] - 1) - 1
    values = rng.integers(-most, most + 1, (n, leads))
    values[0, 0], values[1, 0] = most, -most
    return np.cumsum(values // 16, axis=0) if form == 8 else values


def reference(path: Path) -> np.ndarray:
    """mV (lead, time) by the reference reader."""
    return wfdb.rdrecord(str(path.with_suffix(""))).p_signal.T


@pytest.mark.parametrize("n", [50, 51, 52])
@pytest.mark.parametrize("form", PACKINGS)
def test_a_format_is_read_as_the_reference_reads_it(form: int, n: int, tmp_path: Path) -> None:
    leads = 5 if form in (310, 311, 212) else 12  # so that the last block is whole or not
    x = samples(form, n, leads)
    path = write_packed(tmp_path, x, form=form, leads=LEADS[:leads])
    found = read_wfdb(path)
    np.testing.assert_allclose(found.signal, x.T / 1000, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.signal, reference(path), rtol=1e-6, atol=1e-9)
    assert found.leads == LEADS[:leads]


@pytest.mark.parametrize("form", [form for form, packing in PACKINGS.items() if packing.invalid is not None])
def test_lost_samples_are_nan_as_in_the_reference(form: int, tmp_path: Path) -> None:
    x = samples(form)
    x[7, 2], x[20:23, 5] = PACKINGS[form].invalid, PACKINGS[form].invalid
    path = write_packed(tmp_path, x, form=form)
    found = read_wfdb(path).signal
    lost = np.zeros(found.shape, dtype=bool)
    lost[2, 7], lost[5, 20:23] = True, True
    np.testing.assert_array_equal(np.isnan(found), lost)
    np.testing.assert_array_equal(np.isnan(reference(path)), lost)


@pytest.mark.parametrize("form", PACKINGS)
def test_a_file_that_is_too_short_or_too_long_is_refused(form: int, tmp_path: Path) -> None:
    path = write_packed(tmp_path, samples(form), form=form)
    content = path.with_suffix(".dat").read_bytes()
    for wrong in (content[:-3], content + b"abcde"):
        path.with_suffix(".dat").write_bytes(wrong)
        with pytest.raises(RecordError, match="bytes, the header's lengths need") as caught:
            read_wfdb(path)
        assert caught.value.reason == "length"


@pytest.mark.parametrize("form", PACKINGS)
def test_a_flipped_bit_is_seen_by_the_checksum(form: int, tmp_path: Path) -> None:
    path = write_packed(tmp_path, samples(form), form=form)
    content = bytearray(path.with_suffix(".dat").read_bytes())
    content[len(content) // 2] ^= 2
    path.with_suffix(".dat").write_bytes(content)
    with pytest.raises(RecordError) as caught:
        read_wfdb(path)
    assert caught.value.reason == "checksum"


def test_leads_in_files_of_several_formats_are_put_together(tmp_path: Path) -> None:
    limb, chest = samples(212, leads=6), samples(24, leads=6)
    (tmp_path / "limb.dat").write_bytes(pack(limb, 212))
    (tmp_path / "chest.dat").write_bytes(b"12345" + pack(chest, 24))
    lines = ["r 12 250 51"]
    lines += [signal_line("limb.dat", limb[:, k], LEADS[k], form="212") for k in range(6)]
    lines += [signal_line("chest.dat", chest[:, k], LEADS[6 + k], form="24+5") for k in range(6)]
    path = tmp_path / "r.hea"
    path.write_text("\n".join(lines) + "\n")
    found = read_wfdb(path)
    np.testing.assert_allclose(found.signal, np.concatenate([limb.T, chest.T]) / 1000, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.signal, reference(path), rtol=1e-6, atol=1e-9)


def test_several_samples_a_frame_are_a_higher_rate(tmp_path: Path) -> None:
    x = samples(16, 60)
    framed = x.reshape(15, 4, 12).transpose(0, 2, 1).reshape(-1)  # in a frame, four of each lead
    (tmp_path / "r.dat").write_bytes(framed.astype("<i2").tobytes())
    lines = ["r 12 125 15", *(signal_line("r.dat", x[:, k], LEADS[k], form="16x4") for k in range(12))]
    (tmp_path / "r.hea").write_text("\n".join(lines) + "\n")
    found = read_wfdb(tmp_path / "r.hea")
    assert found.fs == 500.0
    np.testing.assert_allclose(found.signal, x.T / 1000, rtol=1e-6)
    unsmoothed = wfdb.rdrecord(str(tmp_path / "r"), smooth_frames=False).e_p_signal
    np.testing.assert_allclose(found.signal, np.stack(unsmoothed), rtol=1e-6)


def test_a_skewed_lead_is_set_to_its_time_and_its_lost_end_is_nan(tmp_path: Path) -> None:
    x = samples(16)
    lines = ["r 12 100 51"]
    lines += [signal_line("r.dat", x[:, k], LEADS[k], form="16:3" if k == 4 else "16") for k in range(12)]
    (tmp_path / "r.dat").write_bytes(x.astype("<i2").tobytes())
    (tmp_path / "r.hea").write_text("\n".join(lines) + "\n")
    found = read_wfdb(tmp_path / "r.hea").signal
    np.testing.assert_allclose(found[4, :48], x[3:, 4] / 1000, rtol=1e-6)
    assert np.isnan(found[4, 48:]).all()
    np.testing.assert_allclose(np.delete(found, 4, 0), np.delete(x.T, 4, 0) / 1000, rtol=1e-6)
    np.testing.assert_allclose(found, reference(tmp_path / "r.hea"), rtol=1e-6)


def test_segments_of_fixed_layout_follow_each_other(tmp_path: Path) -> None:
    parts = [samples(16, 30), samples(16, 20), samples(16, 41)]
    path = write_segments(tmp_path, [parts[0], parts[1], None, parts[2]], gap=10)
    found = read_wfdb(path)
    assert found.signal.shape == (12, 101)
    np.testing.assert_allclose(found.signal[:, :50], np.concatenate(parts[:2]).T / 1000, rtol=1e-6)
    assert np.isnan(found.signal[:, 50:60]).all()
    np.testing.assert_allclose(found.signal[:, 60:], parts[2].T / 1000, rtol=1e-6)
    without = write_segments(tmp_path, [*parts])  # the reference does not read gaps in a fixed layout
    np.testing.assert_allclose(read_wfdb(without).signal, reference(without), rtol=1e-6)


def test_segments_of_variable_layout_leave_nan_where_a_lead_is_missing(tmp_path: Path) -> None:
    whole, few = samples(16, 30), samples(16, 20, leads=3)
    path = write_segments(tmp_path, [whole, few], layout=True, leads=[LEADS, ("V1", "II", "I")])
    found = read_wfdb(path)
    assert found.leads == LEADS
    np.testing.assert_allclose(found.signal[:, :30], whole.T / 1000, rtol=1e-6)
    np.testing.assert_allclose(found.signal[[6, 1, 0], 30:], few.T / 1000, rtol=1e-6)
    assert np.isnan(np.delete(found.signal, [6, 1, 0], 0)[:, 30:]).all()


def rewritten(name: str, old: str, new: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return spoil


SPOILT: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a segment missing": (
        lambda folder: (folder / "r_1.hea").unlink(),
        "missing-file",
        "r_1.hea: no such file",
    ),
    "nested": (rewritten("r_1.hea", "r_1 12 100 20", "r_1/1 12 100 20\nr_0 20\n#"), "header", "r_1.hea"),
    "itself": (rewritten("r.hea", "r_1 20", "r 20"), "format", "a segment of several segments"),
    "outside": (rewritten("r.hea", "r_1 20", "../r_1 20"), "unsafe-path", "is not a plain file name"),
    "lengths": (rewritten("r.hea", "r_1 20", "r_1 21"), "header", "50 samples, the segments have 51"),
    "another rate": (rewritten("r_1.hea", "r_1 12 100", "r_1 12 200"), "length", "200 Hz, 20 samples"),
    "no length": (rewritten("r.hea", "r_1 20", "r_1"), "header", "a name and a length expected"),
    "count": (rewritten("r.hea", "r/2", "r/3"), "header", "3 segments expected, 2 found"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_segments_that_do_not_fit_are_refused(case: str, tmp_path: Path) -> None:
    write_segments(tmp_path, [samples(16, 30), samples(16, 20)])
    spoil, reason, words = SPOILT[case]
    spoil(tmp_path)
    with pytest.raises(RecordError) as caught:
        read_wfdb(tmp_path / "r.hea")
    assert (caught.value.reason, words in str(caught.value)) == (reason, True), caught.value
