"""`Window`: what one row of a store is made from; `pack` brings it to the form that is stored. Pure."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int16

from ecglipse.errors import RecordError
from ecglipse.records.record import Record
from ecglipse.store import _tables

LARGEST = 32767
"""The largest number of units in a sample; -32768 is not used."""


@dataclass(frozen=True)
class Window:
    """A recording, or a stretch of one, at the store's rate and length.

    Args:
        record: its signal has the store's leads, in order; what is missing or padded is 0.
        start_s: where it begins in the recording, s.
        n_valid: samples that were recorded; those after them are padding. None: all.
        missing: leads that the recording does not have.
        flags: what the quality gate found and did not refuse.
        source_fs: rate of the recording, Hz; None: the store's.
        source_s: length of the recording, s; None: the store's.
    """

    record: Record
    start_s: float = 0.0
    n_valid: int | None = None
    missing: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    source_fs: float | None = None
    source_s: float | None = None


@dataclass(frozen=True)
class Packed:
    """A row of a store: its signal in units, its line of the table, its marks."""

    units: Int16[np.ndarray, "lead time"]
    row: dict[str, Any]
    waves: list[dict[str, Any]] = field(default_factory=list)


def pack(window: Window, *, leads: tuple[str, ...], fs: float, n_samples: int, scale_mv: float) -> Packed:
    """Round to whole units and take the table's line.

    Raises:
        RecordError: reason "amplitude" if a value does not fit in 16 bits, "not-finite" if one is no number.
        ValueError: if the record has another rate, length or lead order than the store.
    """
    record, wanted = window.record, (len(leads), n_samples)
    if record.fs != fs or record.leads != leads or record.signal.shape != wanted:
        found = f"{record.fs} Hz, {record.signal.shape}, {record.leads}"
        raise ValueError(f"`record` must have {fs} Hz, shape {wanted} and the leads {leads}; got {found}")
    units = to_units(record.signal, scale_mv, record_id=record.record_id, leads=leads)
    return Packed(units, _tables.record_row(window, n_samples), _tables.wave_rows(record))


def to_units(
    signal: Float[np.ndarray, "lead time"], scale_mv: float, *, record_id: str, leads: tuple[str, ...]
) -> Int16[np.ndarray, "lead time"]:
    """Round millivolts to whole units of `scale_mv`; the error is at most half a unit.

    Raises:
        RecordError: as for `pack`.
    """
    units = np.rint(signal.astype(np.float64) / scale_mv)
    largest = np.abs(units).max(axis=1)
    if not np.isfinite(largest).all():
        bad = ", ".join(leads[lead] for lead in np.flatnonzero(~np.isfinite(largest)))
        raise RecordError(f"{record_id}: lead {bad} has values that are no numbers", reason="not-finite")
    if largest.max() > LARGEST:
        lead = int(largest.argmax())
        reached, limit = largest[lead] * scale_mv, LARGEST * scale_mv
        raise RecordError(
            f"{record_id}: lead {leads[lead]} reaches {reached:.6g} mV; {limit:.6g} mV can be stored",
            reason="amplitude",
            hint="see whether its gain and unit are right",
        )
    return np.asarray(units.astype("<i2"))
