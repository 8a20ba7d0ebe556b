"""Hand-crafted features: beats where they are, measurements with their sizes, nothing that is not finite."""

from pathlib import Path

import numpy as np
import pytest

from ecglipse.corpora.ludb import CORPUS as LUDB
from ecglipse.leads import EXPANSION, LEADS
from ecglipse.transfer.handcrafted import handcrafted, names, r_peaks

FS = 250.0


def drawn(*, rate: float = 60.0, r_mv: float = 1.0, p_mv: float = 0.15, seconds: float = 10.0) -> np.ndarray:
    """A recording (12, time): R of `r_mv` and 40 ms, P 160 ms before it, T of 0.3 mV 280 ms after it."""
    t = np.arange(round(seconds * FS)) / FS
    wave = np.zeros_like(t)
    for beat in np.arange(0.7, seconds - 0.6, 60.0 / rate):
        for at, width, size in ((0.0, 0.010, r_mv), (-0.16, 0.020, p_mv), (0.28, 0.040, 0.3)):
            wave += size * np.exp(-0.5 * ((t - beat - at) / width) ** 2)
    return EXPANSION @ np.outer([0.5, 1.0, 0.1, 0.3, 0.6, 0.9, 1.0, 0.8], wave)


def value(signal: np.ndarray, name: str) -> float:
    return float(handcrafted(signal[None], fs=FS)[0, names(LEADS).index(name)])


@pytest.mark.parametrize("rate", [40.0, 75.0, 150.0])
def test_rate_is_that_of_the_drawing(rate: float) -> None:
    assert value(drawn(rate=rate), "rate") == pytest.approx(rate, rel=0.01)
    assert value(drawn(rate=rate), "rr_sd") < 0.012, "three samples of 4 ms"


def test_sizes_and_intervals_are_those_of_the_drawing() -> None:
    signal = drawn()
    assert value(signal, "r_II") == pytest.approx(1.0, abs=0.06)
    assert value(signal, "t_II") == pytest.approx(0.3, abs=0.05)
    assert value(signal, "p_II") == pytest.approx(0.15, abs=0.03)
    assert value(signal, "r_II") - value(drawn(r_mv=2.0), "r_II") == pytest.approx(-1.0, abs=0.1)
    begin = 0.16 - value(signal, "p_to_qrs_s")
    assert 0.01 < begin < 0.04, "the complex begins two to three widths before its peak"
    assert value(signal, "t_s") == pytest.approx(0.28 + begin, abs=0.02)


def test_a_missing_p_wave_is_seen() -> None:
    assert value(drawn(p_mv=0.0), "p_size") < 0.3 * value(drawn(), "p_size")


def test_turned_leads_turn_their_amplitudes() -> None:
    assert value(-drawn(), "t_II") == pytest.approx(-value(drawn(), "t_II"), abs=1e-3)


@pytest.mark.parametrize("kind", ["zeros", "constant", "noise", "one-lead-flat"])
def test_features_are_finite_whatever_is_measured(kind: str) -> None:
    rng = np.random.default_rng(0)
    flat = drawn()
    flat[3] = 0.0
    signal = {
        "zeros": np.zeros((12, 1000)),
        "constant": np.full((12, 1000), 2.5),
        "noise": rng.standard_normal((12, 1000)),
        "one-lead-flat": flat,
    }[kind]
    found = handcrafted(signal[None], fs=100.0)
    assert found.shape == (1, len(names(LEADS)))
    assert np.isfinite(found).all()


def test_beats_are_where_cardiologists_marked_them(pack: Path) -> None:
    """LUDB, lead II: a beat counts as found within 75 ms of a marked QRS peak."""
    found = hits = marked = 0
    for entry in LUDB.entries(pack / "ludb"):
        record = entry.load()
        at = np.array([w.peak_s for w in record.waves if w.kind == "QRS" and w.lead == "II"])
        if not len(at):
            continue
        peaks = r_peaks(record.signal, fs=record.fs) / record.fs
        peaks = peaks[(peaks > at.min() - 0.2) & (peaks < at.max() + 0.2)]
        near = np.abs(peaks[:, None] - at[None]).min(axis=0, initial=np.inf) <= 0.075
        found, marked = found + len(peaks), marked + len(at)
        hits += int(near.sum())
    print(f"{hits} of {marked} beats found, {found} detections")
    assert hits / marked > 0.98, f"sensitivity {hits / marked:.4f} of {marked}"
    assert hits / found > 0.98, f"positive predictive value {hits / found:.4f} of {found}"
