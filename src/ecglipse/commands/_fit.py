"""Brings recordings to the form of a store: leads in order, one length, one rate, judged. Pure."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ecglipse import quality
from ecglipse.commands._form import Form
from ecglipse.errors import RecordError
from ecglipse.records.record import Record, Wave
from ecglipse.signal import Filters, filtered, resample
from ecglipse.store import Window


def fit(record: Record, form: Form) -> list[Window]:
    """Bring a recording to the form; one window a row.

    Each window is judged at the recording's own rate, before filters: a filter hides what was wrong. Other
    leads are left out; waves move with the window, and marks outside it are dropped.

    Raises:
        RecordError: reason "missing-lead", "too-short", or one of `quality.REASONS`; of a recording of
            several windows, only if none of them can be used.
    """
    present = tuple(lead for lead in form.leads if lead in record.leads)
    missing = tuple(lead for lead in form.leads if lead not in present)
    if missing and (form.missing == "reject" or not present):
        raise RecordError(f"{record.record_id}: without lead {', '.join(missing)}", reason="missing-lead")
    signal = record.signal[[record.leads.index(lead) for lead in present]]
    length, needed = signal.shape[1], math.ceil(round(form.duration_s * record.fs, 6))
    if length < needed and form.short == "reject":
        seconds = f"{length / record.fs:g} s long, {form.duration_s:g} s needed"
        raise RecordError(f"{record.record_id}: {seconds}", reason="too-short")
    if length < 2:
        raise RecordError(f"{record.record_id}: of {length} samples", reason="too-short")
    fitted: list[Window] = []
    refusals: list[RecordError] = []
    clean: Float[np.ndarray, "lead time"] | None = None
    for start in _starts(length, needed, form):
        piece = slice(start, start + needed)
        try:
            flags = quality.check(signal[:, piece], record.fs, present, limits=form.limits)
        except RecordError as error:
            refusals.append(error)
            continue
        if clean is None:
            clean = _clean(signal, record, form)
        fitted.append(_window(record, clean[:, piece], start, form, present, [flag.reason for flag in flags]))
    if not fitted:
        raise refusals[0]
    return fitted


def _clean(signal: np.ndarray, record: Record, form: Form) -> np.ndarray:
    """Filter the whole recording; where one of its other windows is not finite, nothing can be filtered."""
    if form.filters == Filters():
        return signal
    if not np.isfinite(signal).all():
        raise RecordError(
            f"{record.record_id}: cannot be filtered: some values are no numbers", reason="not-finite"
        )
    try:
        return filtered(signal, record.fs, form.filters)
    except ValueError as error:
        raise RecordError(f"{record.record_id}: cannot be filtered: {error}", reason="filter") from None


def _starts(length: int, needed: int, form: Form) -> Sequence[int]:
    """First samples of the windows."""
    if length <= needed:
        return [0]
    if form.windows == "centre":
        return [(length - needed) // 2]
    hop = max(round(needed * (1 - form.overlap)), 1)
    return range(0, length - needed + 1, hop)


def _window(
    record: Record,
    piece: Float[np.ndarray, "present time"],
    start: int,
    form: Form,
    present: tuple[str, ...],
    flags: list[str],
) -> Window:
    """Resample a stretch and set its leads among the store's."""
    resampled = resample(piece, record.fs, form.fs)[:, : form.n_samples]
    n_valid = resampled.shape[1]
    signal = np.zeros((len(form.leads), form.n_samples), dtype=np.float32)
    signal[[form.leads.index(lead) for lead in present], :n_valid] = resampled
    waves = tuple(
        moved for wave in record.waves if (moved := _shift(wave, start / record.fs, form.duration_s))
    )
    return Window(
        dataclasses.replace(record, signal=signal, fs=float(form.fs), leads=form.leads, waves=waves),
        start_s=start / record.fs,
        n_valid=n_valid,
        missing=tuple(lead for lead in form.leads if lead not in present),
        flags=tuple(flags),
        source_fs=record.fs,
        source_s=record.signal.shape[1] / record.fs,
    )


def _shift(wave: Wave, start_s: float, duration_s: float) -> Wave | None:
    """A wave's marks relative to the window's start, NaN where they lie outside; None if all do."""
    moved = [mark - start_s for mark in (wave.onset_s, wave.peak_s, wave.offset_s)]
    onset, peak, offset = (mark if 0 <= mark <= duration_s else math.nan for mark in moved)
    if math.isnan(onset) and math.isnan(peak) and math.isnan(offset):
        return None
    return dataclasses.replace(wave, onset_s=onset, peak_s=peak, offset_s=offset)
