"""The delineator: beats where they are, the leads' agreement by hand, and no library without saying so."""

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ecglipse.corpora.simulator import simulate_arrays
from ecglipse.errors import EcglipseError
from ecglipse.signal import resample
from ecglipse.waves import agreement, delineator
from ecglipse.waves.delineator import delineate, delineate_rows, r_peaks


@pytest.fixture(scope="module")
def simulated() -> Any:
    return simulate_arrays(8, seed=2)


def test_beats_are_found_where_they_are(simulated: Any) -> None:
    qrs = simulated.waves[simulated.waves["kind"] == "QRS"]
    for row, signal in enumerate(simulated.signal):
        beats = r_peaks(resample(signal, 100.0, 250.0).astype(float), 250.0) / 250
        true = qrs[qrs["row"] == row]["peak_s"].to_numpy()
        off = np.abs(beats[:, None] - true).min(axis=0)
        assert (off < 0.06).all()
        assert len(beats) <= len(true) + 2  # beats at the edges have no marks


def test_no_beat_is_found_in_nothing() -> None:
    assert r_peaks(np.zeros((12, 2500)), 250.0).size == 0
    assert r_peaks(np.zeros((12, 100)), 250.0).size == 0


def fake(
    lead: np.ndarray, peaks: np.ndarray, *, sampling_rate: int, method: str
) -> tuple[None, dict[str, Any]]:
    """P 40 samples before each beat, T 75 after it; the higher a lead, the wider its QRS."""
    assert (sampling_rate, method) == (250, "prominence")
    wide = round(float(np.abs(lead).max()))
    if wide == 3:
        raise IndexError("the library fails on this lead")
    marks = {"P": (peaks - 45, peaks - 40, peaks - 35), "R": (peaks - wide, None, peaks + wide)}
    marks["T"] = (peaks + 60, peaks + 75, np.full(len(peaks), np.nan)) if wide > 4 else ([], [], [])
    found = {}
    for name, parts in marks.items():
        for mark, part in zip(("Onsets", "Peaks", "Offsets"), parts, strict=True):
            if part is not None:
                found[f"ECG_{name}_{mark}"] = part
    return None, found


def test_what_leads_agree_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve leads of sizes 1 to 12: one fails; QRS by its third extremes, T is found by eight of twelve."""
    monkeypatch.setattr(delineator, "load_library", lambda: fake)
    beat = np.zeros(2500, np.float32)
    beat[250::250] = 1.0
    found = delineate(beat * np.arange(1, 13, dtype=np.float32)[:, None], 250.0)
    counts = found["kind"].value_counts()
    assert counts["QRS"] == counts["P"] == counts["T"] == 9
    assert found["lead"].isna().all()
    qrs = found[found["kind"] == "QRS"].iloc[3]
    assert qrs["peak_s"] == pytest.approx(4.0)
    assert qrs["onset_s"] == pytest.approx(4.0 - 10 / 250)
    assert qrs["offset_s"] == pytest.approx(4.0 + 10 / 250)
    assert found[found["kind"] == "T"]["offset_s"].isna().all()


def test_a_wave_that_few_leads_see_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delineator, "load_library", lambda: fake)
    beat = np.zeros(2500, np.float32)
    beat[250::250] = 1.0
    found = delineate(beat * np.array([1.0, 2, 2, 5, 5], np.float32)[:, None], 250.0)
    assert set(found["kind"]) == {"P", "QRS"}


def test_a_flat_record_has_no_waves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delineator, "load_library", lambda: fake)
    assert len(delineate(np.zeros((12, 1000), np.float32), 100.0)) == 0
    none = delineate_rows(lambda rows: np.zeros((1, 12, 1000), np.float32), [0, 1], 100.0)
    assert list(none.columns) == ["row", "kind", "lead", "onset_s", "peak_s", "offset_s"]


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "neurokit2", None)
    with pytest.raises(EcglipseError, match="not installed") as raised:
        delineate(np.zeros((12, 1000), np.float32), 100.0)
    assert "ecglipse[delineate]" in (raised.value.hint or "")


@pytest.mark.filterwarnings("ignore")
def test_marks_of_the_library_agree_with_the_truth(simulated: Any) -> None:
    pytest.importorskip("neurokit2", reason="the delineator is an extra: pip install ecglipse[delineate]")
    truth: pd.DataFrame = simulated.waves.assign(lead="II")
    found = delineate_rows(lambda rows: simulated.signal[rows], range(8), 100.0)
    for score in agreement(found, truth):
        if score.mark == "peak":
            assert score.sensitivity > 0.9
            assert abs(score.mean_ms) < 25
