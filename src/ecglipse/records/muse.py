"""Reads GE MUSE XML (`RestingECG`): the rhythm waveform, in mV by the file's own units per bit.

A cart stores I, II and V1 to V6; III, aVR, aVL and aVF follow from I and II exactly and are computed so.
"""

import base64
import binascii
import math
from pathlib import Path
from typing import Any

import numpy as np

from ecglipse.errors import RecordError
from ecglipse.leads import canonical, expanded
from ecglipse.records.reading import rate, sex_of
from ecglipse.records.record import Record
from ecglipse.records.xml_tree import read_tree, text_of

_UNITS = {"MICROVOLTS": 1e-3, "MILLIVOLTS": 1.0, "UV": 1e-3, "MV": 1.0}


def read_muse(path: Path, root: Any = None) -> Record:
    """Read a recording.

    Args:
        path: of the file.
        root: its tree, if it was parsed already.

    Raises:
        RecordError: reason "missing-file", "unsafe-path", "unreadable", "format", "header", "unit", "gain",
            "lead-name" or "length".
    """
    root = read_tree(path) if root is None else root
    waves = [wave for wave in root.iter("Waveform") if text_of(wave, "WaveformType").lower() == "rhythm"]
    if len(waves) != 1:
        raise RecordError(f"{path.name}: {len(waves)} rhythm waveforms, one expected", reason="format")
    leads: dict[str, np.ndarray] = {}
    for data in waves[0].iter("LeadData"):
        lead = canonical(text_of(data, "LeadID"))
        if lead in leads:
            raise RecordError(f"{path.name}: lead {lead} is there twice", reason="lead-name")
        leads[lead] = _samples(data, f"{path.name}: lead {lead}")
    lengths = {len(values) for values in leads.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise RecordError(f"{path.name}: leads of {sorted(lengths)} samples", reason="length")
    signal, names = expanded(np.stack(list(leads.values())), tuple(leads))
    age, units = text_of(root, "PatientAge"), text_of(root, "AgeUnits").upper()
    return Record(
        signal=np.ascontiguousarray(signal, dtype=np.float32),
        fs=_rate(waves[0], path.name),
        leads=names,
        record_id=path.stem,
        patient_id=text_of(root, "PatientID") or path.stem,
        source="own",
        age=min(float(age), 90.0) if age.isdigit() and units in ("YEARS", "") else None,
        sex=sex_of(text_of(root, "Gender")),
    )


def _rate(wave: Any, where: str) -> float:
    base, exponent = text_of(wave, "SampleBase"), text_of(wave, "SampleExponent") or "0"
    try:
        return rate(float(base) * 10.0 ** int(exponent), where=where)
    except (ValueError, OverflowError):
        raise RecordError(f"{where}: sample base {base or 'none':.20}", reason="header") from None


def _samples(data: Any, where: str) -> np.ndarray:
    """One lead, mV."""
    unit, amount = text_of(data, "LeadAmplitudeUnits").upper(), text_of(data, "LeadAmplitudeUnitsPerBit")
    if unit not in _UNITS:
        raise RecordError(
            f"{where}: unit {unit or 'none':.20} is not one of {', '.join(_UNITS)}", reason="unit"
        )
    try:
        per_bit = float(amount)
    except ValueError:
        per_bit = math.nan
    if not (per_bit > 0 and math.isfinite(per_bit)):
        raise RecordError(f"{where}: {amount or 'no':.20} units per bit", reason="gain")
    if text_of(data, "LeadSampleSize") not in ("2", ""):
        raise RecordError(f"{where}: samples of {text_of(data, 'LeadSampleSize'):.10} bytes", reason="format")
    try:
        content = base64.b64decode("".join(text_of(data, "WaveFormData").split()), validate=True)
    except (binascii.Error, ValueError):
        raise RecordError(f"{where}: its samples are not base64", reason="format") from None
    stated = text_of(data, "LeadSampleCountTotal")
    if len(content) % 2 or (stated and stated != str(len(content) // 2)):
        raise RecordError(
            f"{where}: {len(content)} bytes, {stated or 'whole'} samples stated", reason="length"
        )
    return np.frombuffer(content, dtype="<i2").astype(np.float64) * per_bit * _UNITS[unit]
