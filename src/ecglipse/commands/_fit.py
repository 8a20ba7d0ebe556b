"""Brings a recording to the form of a store: twelve leads in order, one length, one rate. Pure."""

import dataclasses
import math

import numpy as np

from ecglipse import quality
from ecglipse.errors import RecordError
from ecglipse.leads import LEADS
from ecglipse.records.record import Record, Wave
from ecglipse.signal import centre_window, resample


def fit(record: Record, *, fs: float, duration_s: float) -> Record:
    """Order the leads, take the middle, check its quality at its own rate, and resample it.

    Leads beside the twelve are left out; waves move with the window, and marks outside it are dropped.

    Args:
        record: as its reader gave it.
        fs: rate to give, Hz.
        duration_s: length to give, s.

    Raises:
        RecordError: reason "missing-lead", "too-short", or one of `quality.check`.
    """
    missing = [lead for lead in LEADS if lead not in record.leads]
    if missing:
        raise RecordError(f"{record.record_id}: without lead {', '.join(missing)}", reason="missing-lead")
    needed = math.ceil(round(duration_s * record.fs, 6))
    length = record.signal.shape[1]
    if length < needed:
        seconds = f"{length / record.fs:g} s long, {duration_s:g} s needed"
        raise RecordError(f"{record.record_id}: {seconds}", reason="too-short")
    ordered = record.signal[[record.leads.index(lead) for lead in LEADS]]
    window, start = centre_window(ordered, needed)
    quality.check(window, record.fs, LEADS)
    resampled = resample(window, record.fs, fs)[:, : round(fs * duration_s)]
    waves = tuple(
        shifted for wave in record.waves if (shifted := _shift(wave, start / record.fs, duration_s))
    )
    signal = np.ascontiguousarray(resampled, dtype=np.float32)
    return dataclasses.replace(record, signal=signal, fs=float(fs), leads=LEADS, waves=waves)


def _shift(wave: Wave, start_s: float, duration_s: float) -> Wave | None:
    """A wave's marks relative to the window's start, NaN where they lie outside; None if all do."""
    moved = [mark - start_s for mark in (wave.onset_s, wave.peak_s, wave.offset_s)]
    onset, peak, offset = (mark if 0 <= mark <= duration_s else math.nan for mark in moved)
    if math.isnan(onset) and math.isnan(peak) and math.isnan(offset):
        return None
    return dataclasses.replace(wave, onset_s=onset, peak_s=peak, offset_s=offset)
