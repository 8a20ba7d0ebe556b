"""Marks of waves where nobody made any: NeuroKit2's delineator, lead by lead, and what the leads agree on.

NeuroKit2 is an extra (`pip install "ecglipse[delineate]"`). How well its marks agree with those of LUDB's
cardiologists is measured by `benchmarks/delineator.py`; see docs/masks.md. Nothing here reads or writes.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ecglipse.errors import EcglipseError
from ecglipse.signal import resample
from ecglipse.waves.agreement import KINDS

WORKING_FS: Final = 250.0
"""Rate at which waves are looked for, Hz: below it the library's marks are coarse, above it only slower."""
BAND_HZ: Final = (5.0, 20.0)
"""Where a QRS complex has most of its energy."""
REFRACTORY_S: Final = 0.25
APART_S: Final = {"P": 0.06, "QRS": 0.10, "T": 0.08}
"""Peaks of neighbouring leads, in order of time, belong to one wave if they are no further apart, s."""
AGREEING: Final = 0.5
"""Share of the leads that must have found a wave."""

Library = Callable[..., tuple[Any, dict[str, Any]]]


def r_peaks(signal: Float[np.ndarray, "lead time"], fs: float) -> Int[np.ndarray, " beat"]:
    """Find the QRS complexes of a record by the energy of the slope of all leads together.

    Args:
        signal: mV.
        fs: at least 100 Hz.

    Returns:
        One sample number a beat, near its R peak.
    """
    from scipy.signal import butter, find_peaks, sosfiltfilt

    if signal.shape[1] < fs:
        return np.empty(0, dtype=np.int64)
    slope = np.gradient(sosfiltfilt(butter(2, BAND_HZ, "bandpass", fs=fs, output="sos"), signal), axis=1)
    strength = np.quantile(np.abs(slope), 0.99, axis=1, keepdims=True)
    unit = np.divide(slope, strength, out=np.zeros_like(slope), where=strength > 0)
    width = max(round(0.1 * fs), 1)
    energy = np.convolve((unit**2).sum(axis=0), np.ones(width) / width, "same")
    seconds = energy[: energy.size // round(fs) * round(fs)].reshape(-1, round(fs))
    peaks, _ = find_peaks(
        energy, height=0.3 * np.median(seconds.max(axis=1)), distance=max(round(REFRACTORY_S * fs), 1)
    )
    return np.asarray(peaks, dtype=np.int64)


def delineate(signal: Float[np.ndarray, "lead time"], fs: float) -> pd.DataFrame:
    """Mark the waves of one record; each mark holds for all leads.

    Every lead is delineated on its own (`prominence`). A wave counts if at least half of the leads have
    found it. Its peak is the median of theirs, and so are onset and offset of P and T; QRS begins at the
    third earliest onset of any lead and ends at the third latest offset, because a lead at right angles to
    the first or last vector sees too little of it.

    Args:
        signal: mV.
        fs: Hz.

    Returns:
        Columns kind, lead (None), onset_s, peak_s, offset_s, NaN where no lead has the mark; no rows where
        there is no beat.

    Raises:
        EcglipseError: NeuroKit2 is not installed.

    Source:
        Emrich et al. 2024, "Physiology-informed ECG delineation based on peak prominence", EUSIPCO;
        NeuroKit2 0.2.13 (Makowski et al. 2021, Behav Res 53:1689). QRS over leads: after Laguna et al.
        1994, Comput Biomed Res 27:45. Departures: third extreme mark instead of one with three neighbours.
    """
    library = load_library()
    x = resample(signal.astype(np.float32), fs, WORKING_FS).astype(np.float64)
    beats = r_peaks(x, WORKING_FS)
    found = [marks for lead in x if (marks := _one_lead(lead, beats, library)) is not None]
    rows = [row for kind in KINDS for row in _agreed([one[kind] for one in found], kind, len(signal))]
    return pd.DataFrame(rows, columns=["kind", "lead", "onset_s", "peak_s", "offset_s"])


def load_library() -> Library:
    """Give NeuroKit2's `ecg_delineate`.

    Raises:
        EcglipseError: it is not installed.
    """
    try:
        from neurokit2 import ecg_delineate
    except ImportError:
        raise EcglipseError(
            "the delineator is not installed: NeuroKit2 is missing",
            hint='pip install "ecglipse[delineate]", or use a store with wave marks, such as one of LUDB',
        ) from None
    found: Library = ecg_delineate
    return found


def delineate_rows(
    millivolts: Callable[[Int[np.ndarray, " row"]], Float[np.ndarray, "row lead time"]],
    rows: Sequence[int],
    fs: float,
) -> pd.DataFrame:
    """Mark the waves of these rows of a store, in the form of its `waves.parquet`.

    Args:
        millivolts: gives the signals of rows.
        rows: which.
        fs: Hz.
    """
    tables = [delineate(millivolts(np.array([row]))[0], fs).assign(row=row) for row in rows]
    columns = ["row", "kind", "lead", "onset_s", "peak_s", "offset_s"]
    kept = [table for table in tables if len(table)]
    return pd.concat(kept, ignore_index=True)[columns] if kept else pd.DataFrame(columns=columns)


def _one_lead(
    lead: Float[np.ndarray, " time"], beats: Int[np.ndarray, " beat"], library: Library
) -> dict[str, Float[np.ndarray, "_wave 3"]] | None:
    """Onset, peak and offset of each wave of one lead, s; None where the library fails on it."""
    peaks = _snapped(lead, beats)
    if len(peaks) < 2 or np.ptp(lead) == 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _, marks = library(lead, peaks, sampling_rate=round(WORKING_FS), method="prominence")
        except Exception:  # whatever it raises: this lead has no say then
            return None
    named = {"P": "P", "QRS": "R", "T": "T"}
    given: dict[str, Any] = {"ECG_R_Peaks": peaks, **marks}
    found = {}
    for kind, name in named.items():
        parts = [
            np.asarray(given.get(f"ECG_{name}_{mark}s", []), float) for mark in ("Onset", "Peak", "Offset")
        ]
        n = min(len(part) for part in parts)
        found[kind] = np.stack([part[:n] for part in parts], axis=1) / WORKING_FS
    return found


def _snapped(lead: Float[np.ndarray, " time"], beats: Int[np.ndarray, " beat"]) -> Int[np.ndarray, " beat"]:
    """Move each beat to the largest deflection of this lead within 60 ms."""
    reach = round(0.06 * WORKING_FS)
    size = np.abs(lead - np.median(lead))
    starts = np.maximum(beats - reach, 0)
    moved = [
        start + int(size[start : beat + reach].argmax()) for start, beat in zip(starts, beats, strict=True)
    ]
    return np.unique(np.array(moved, dtype=np.int64))


def _agreed(
    leads: Sequence[Float[np.ndarray, "_wave 3"]], kind: str, n_leads: int
) -> list[tuple[str, None, float, float, float]]:
    """The waves of one kind that enough leads have found, as rows of a table."""
    if not leads:
        return []
    marks = np.concatenate(leads)
    marks = marks[~np.isnan(marks[:, 1])]
    marks = marks[np.argsort(marks[:, 1], kind="stable")]
    cuts = np.flatnonzero(np.diff(marks[:, 1]) > APART_S[kind]) + 1
    rows: list[tuple[str, None, float, float, float]] = []
    for part in np.split(marks, cuts):
        if len(part) >= max(AGREEING * n_leads, 1):
            onset, offset = (np.sort(edge[~np.isnan(edge)]) for edge in (part[:, 0], part[:, 2]))
            rows.append(
                (kind, None, _edge(onset, kind), float(np.median(part[:, 1])), _edge(offset[::-1], kind))
            )
    return rows


def _edge(marks: Float[np.ndarray, " lead"], kind: str) -> float:
    """The mark that counts, of marks ordered from outside to inside."""
    if not marks.size:
        return float("nan")
    return float(marks[min(2, marks.size - 1)] if kind == "QRS" else np.median(marks))
