"""Reads DICOM waveforms through pydicom: the first multiplex group that holds ECG leads, in mV."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from ecglipse.errors import RecordError
from ecglipse.leads import canonical
from ecglipse.records.plain_file import read_plain
from ecglipse.records.reading import PER_MILLIVOLT, rate, sex_of
from ecglipse.records.record import Record

_LARGEST = 2**28
_MOST_SAMPLES = 2**28


def read_dicom(path: Path) -> Record:
    """Read a recording.

    Of several waveform groups the first with leads of 2 s and more is taken: carts store the rhythm before
    the median beat. Nothing that names a person is kept but the id, which corpora hash.

    Raises:
        RecordError: reason "missing-file", "unsafe-path", "unreadable", "format", "header", "unit",
            "lead-name" or "length".
    """
    content = read_plain(str(path), path.name, most=_LARGEST)
    try:
        import pydicom
    except ImportError:
        raise RecordError(
            f"{path.name}: DICOM needs pydicom", reason="format", hint="pip install 'ecglipse[formats]'"
        ) from None
    try:
        data = pydicom.dcmread(io.BytesIO(content))
        groups = list(data.get("WaveformSequence", []))
    except Exception as error:  # a parser of hostile bytes has many exceptions
        raise RecordError(f"{path.name}: not a sound DICOM file: {error!s:.200}", reason="format") from None
    if not groups:
        raise RecordError(f"{path.name}: a DICOM file without waveforms", reason="format")
    try:
        for number, group in enumerate(groups):
            fs = float(group.SamplingFrequency)
            if int(group.NumberOfWaveformSamples) >= 2 * fs and _leads(group):
                return _taken(data, number, fs, path)
    except RecordError:
        raise
    except Exception as error:
        raise RecordError(f"{path.name}: not a sound waveform: {error!s:.200}", reason="format") from None
    raise RecordError(f"{path.name}: no waveform of 2 s whose channels are leads", reason="lead-name")


def _taken(data: Any, number: int, fs: float, path: Path) -> Record:
    group = data.WaveformSequence[number]
    leads = _leads(group)
    names = [lead for _, lead in leads]
    if len(set(names)) < len(names):
        raise RecordError(f"{path.name}: a lead is there twice", reason="lead-name")
    if int(group.NumberOfWaveformSamples) * int(group.NumberOfWaveformChannels) > _MOST_SAMPLES:
        raise RecordError(f"{path.name}: more than {_MOST_SAMPLES} samples", reason="length")
    scales = []
    for channel, _ in leads:
        about = group.ChannelDefinitionSequence[channel]
        units = about.get("ChannelSensitivityUnitsSequence")
        unit = str(units[0].CodeValue) if units else ""
        if unit not in PER_MILLIVOLT or about.get("ChannelSensitivity") is None:
            raise RecordError(
                f"{path.name}: unit {unit or 'none':.20} is not one of mV, uV, V", reason="unit"
            )
        scales.append(1.0 / PER_MILLIVOLT[unit])
    values = data.waveform_array(number)  # sensitivity, its correction and the baseline are in it
    signal = np.stack([values[:, channel] * scale for (channel, _), scale in zip(leads, scales, strict=True)])
    age = str(data.get("PatientAge", ""))
    years = float(age[:3]) if age[3:4] == "Y" and age[:3].isdigit() else None
    return Record(
        signal=signal.astype(np.float32),
        fs=rate(fs, where=path.name),
        leads=tuple(names),
        record_id=path.stem,
        patient_id=str(data.get("PatientID", "")).strip() or path.stem,
        source="own",
        age=None if years is None else min(years, 90.0),
        sex=sex_of(data.get("PatientSex", "")),
    )


def _leads(group: Any) -> list[tuple[int, str]]:
    """Channels that are leads: by their code's meaning ("Lead I", "Lead aVR (augmented ...)")."""
    found = []
    for number, channel in enumerate(group.ChannelDefinitionSequence):
        source = channel.get("ChannelSourceSequence")
        meaning = str(source[0].get("CodeMeaning", "")) if source else str(channel.get("ChannelLabel", ""))
        words = [word for word in meaning.replace("(", " ").split() if word.lower() not in ("lead", "ecg")]
        try:
            found.append((number, canonical(words[0])))
        except (RecordError, IndexError):
            continue
    return found
