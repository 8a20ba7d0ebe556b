"""Reads HL7 annotated ECG (`AnnotatedECG`): the first series' rhythm leads, in mV by the file's own scale."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from ecglipse.errors import RecordError
from ecglipse.leads import canonical
from ecglipse.records.reading import PER_MILLIVOLT, rate, sex_of
from ecglipse.records.record import Record
from ecglipse.records.xml_tree import read_tree

_PREFIX = "MDC_ECG_LEAD_"
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


def read_aecg(path: Path, root: Any = None) -> Record:
    """Read a recording.

    Args:
        path: of the file.
        root: its tree, if it was parsed already.

    Raises:
        RecordError: reason "missing-file", "unsafe-path", "unreadable", "format", "header", "unit", "gain",
            "lead-name" or "length".
    """
    root = read_tree(path) if root is None else root
    sets = [s for series in root.iter("series") for s in series.iter("sequenceSet")]
    if not sets:
        raise RecordError(f"{path.name}: no sequence set", reason="format")
    leads: dict[str, np.ndarray] = {}
    fs: float | None = None
    for sequence in sets[0].iter("sequence"):
        code, value = sequence.find("code"), sequence.find("value")
        name = "" if code is None else str(code.get("code", ""))
        if value is not None and name in ("TIME_ABSOLUTE", "TIME_RELATIVE"):
            fs = _rate(value, path.name)
        if value is None or not name.startswith(_PREFIX):
            continue
        lead = canonical(name.removeprefix(_PREFIX))
        if lead in leads:
            raise RecordError(f"{path.name}: lead {lead} is there twice", reason="lead-name")
        leads[lead] = _samples(value, f"{path.name}: lead {lead}")
    lengths = {len(values) for values in leads.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise RecordError(f"{path.name}: leads of {sorted(lengths)} samples", reason="length")
    if fs is None:
        raise RecordError(f"{path.name}: no time sequence says its rate", reason="header")
    gender = next((e.get("code") for e in root.iter("administrativeGenderCode")), None)
    return Record(
        signal=np.stack(list(leads.values())).astype(np.float32),
        fs=fs,
        leads=tuple(leads),
        record_id=path.stem,
        patient_id=_subject(root) or path.stem,
        source="own",
        sex=sex_of(gender),
    )


def _subject(root: Any) -> str:
    """Extension of the trial subject's id."""
    for subject in root.iter("trialSubject"):
        found = subject.find("id")
        if found is not None:
            return str(found.get("extension") or "")
    return ""


def _rate(value: Any, where: str) -> float:
    increment = value.find("increment")
    unit = "" if increment is None else str(increment.get("unit", ""))
    step = math.nan if increment is None else _number(increment.get("value"))
    if unit not in _SECONDS or not step > 0:
        raise RecordError(f"{where}: its time sequence has no increment in s or ms", reason="header")
    return rate(round(1 / (step * _SECONDS[unit]), 6), where=where)


def _samples(value: Any, where: str) -> np.ndarray:
    """One lead, mV: origin + scale x digits."""
    origin, scale, digits = (value.find(name) for name in ("origin", "scale", "digits"))
    if scale is None or digits is None:
        raise RecordError(f"{where}: without scale or digits", reason="format")
    unit = str(scale.get("unit", ""))
    zero_unit = unit if origin is None else str(origin.get("unit", unit))
    if unit not in PER_MILLIVOLT or zero_unit not in PER_MILLIVOLT:
        raise RecordError(f"{where}: unit {unit or 'none':.20} is not one of mV, uV, V", reason="unit")
    step = _number(scale.get("value"))
    zero = 0.0 if origin is None else _number(origin.get("value"))
    if not (step > 0 and math.isfinite(step) and math.isfinite(zero)):
        raise RecordError(f"{where}: scale {scale.get('value')!s:.20}", reason="gain")
    try:
        values = np.array((digits.text or "").split(), dtype=np.float64)
    except ValueError:
        raise RecordError(f"{where}: its digits are not numbers", reason="format") from None
    return np.asarray(zero / PER_MILLIVOLT[zero_unit] + values * (step / PER_MILLIVOLT[unit]))


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan
