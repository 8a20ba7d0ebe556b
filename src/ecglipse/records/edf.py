"""Reads EDF and EDF+ files through pyedflib: the channels that are ECG leads, in mV."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from ecglipse.errors import RecordError
from ecglipse.leads import canonical
from ecglipse.records.plain_file import check_plain
from ecglipse.records.reading import PER_MILLIVOLT, millivolts_per, rate, sex_of
from ecglipse.records.record import Record

_MOST_SAMPLES = 2**28
_PREFIXES = ("ecg", "ekg", "lead", "electrocardiogram")


def read_edf(path: Path) -> Record:
    """Read a recording.

    Channels whose labels are leads ("ECG I", "EKG V1", "II") are taken, all others left out.

    Raises:
        RecordError: reason "missing-file", "unsafe-path", "unreadable", "format", "header", "unit",
            "lead-name" or "length".
    """
    check_plain(path)
    try:
        import pyedflib
    except ImportError:
        raise RecordError(
            f"{path.name}: EDF needs pyedflib", reason="format", hint="pip install 'ecglipse[formats]'"
        ) from None
    try:
        reader = pyedflib.EdfReader(str(path), check_file_size=pyedflib.CHECK_FILE_SIZE)
    except (OSError, ValueError, RuntimeError) as error:
        said = str(error).replace(str(path), path.name)
        raise RecordError(f"{path.name}: not a sound EDF file: {said:.200}", reason="format") from None
    with contextlib.closing(reader):
        try:
            return _taken(reader, path)
        except RecordError:
            raise
        except (OSError, ValueError, RuntimeError, AssertionError) as error:
            raise RecordError(f"{path.name}: cannot be read: {error!s:.200}", reason="format") from None


def _taken(reader: Any, path: Path) -> Record:
    channels: dict[str, int] = {}
    for number, label in enumerate(reader.getSignalLabels()):
        lead = _lead(str(label))
        if lead is None:
            continue
        if lead in channels:
            raise RecordError(f"{path.name}: lead {lead} is there twice", reason="lead-name")
        channels[lead] = number
    if not channels:
        found = ", ".join(map(str, reader.getSignalLabels()[:6]))
        raise RecordError(f"{path.name}: no channel is a lead; found {found:.100}", reason="lead-name")
    rates = {float(reader.getSampleFrequency(number)) for number in channels.values()}
    lengths = {int(reader.getNSamples()[number]) for number in channels.values()}
    if len(rates) > 1 or len(lengths) > 1:
        raise RecordError(f"{path.name}: leads of several sampling rates", reason="format")
    (fs,), (n,) = rates, lengths
    if n < 1 or n * len(channels) > _MOST_SAMPLES:
        raise RecordError(f"{path.name}: {n} samples of {len(channels)} leads", reason="length")
    signal = np.empty((len(channels), n), dtype=np.float32)
    for row, number in enumerate(channels.values()):
        unit = str(reader.getPhysicalDimension(number)).strip()
        if unit not in PER_MILLIVOLT:
            raise RecordError(
                f"{path.name}: unit {unit or 'none':.20} is not one of mV, uV, V", reason="unit"
            )
        signal[row] = reader.readSignal(number) * millivolts_per(unit, where=path.name)
    return Record(
        signal=signal,
        fs=rate(fs, where=path.name),
        leads=tuple(channels),
        record_id=path.stem,
        patient_id=str(reader.getPatientCode()).strip() or path.stem,
        source="own",
        sex=sex_of(reader.getSex()),
    )


def _lead(label: str) -> str | None:
    """The lead that a label names, if it names one."""
    words = label.lower().replace("-", " ").replace("_", " ").split()
    words = [word for word in words if word not in _PREFIXES and word != "ref"]
    try:
        return canonical(words[0]) if len(words) == 1 else None
    except RecordError:
        return None
