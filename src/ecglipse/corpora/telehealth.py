"""What CODE-15% and SaMi-Trop share: a table of exams, tracings at 400 Hz, a unit to be said. Reads."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ecglipse.corpora.corpus import hashed_patient
from ecglipse.errors import CorpusError, RecordError
from ecglipse.leads import LEADS
from ecglipse.records.hdf5 import read_rows
from ecglipse.records.reading import Reading, millivolts_per
from ecglipse.records.record import Record
from ecglipse.signal import without_padding

TABLE = "exams.csv"
TRACINGS = "tracings"
FS = 400.0
_LOOK_AT = 50
"""Exams that are measured before the unit is asked for."""
_USUAL_MV = 1.0
"""Median over leads of the span from the 1st to the 99th percentile: median of 663 records of PTB-XL, mV."""


@dataclass(frozen=True, slots=True)
class Exam:
    """One line of `exams.csv`, and where its tracing is."""

    exam_id: str
    patient: str
    age: float | None
    sex: Literal["female", "male"] | None
    codes: tuple[str, ...]
    file: str = ""
    row: int = -1
    """In the file's dataset; -1: it is not there."""


def exams(path: Path, prefix: str, flags: Sequence[str]) -> Iterator[Exam]:
    """Go through `exams.csv`.

    Args:
        path: of the table.
        prefix: put before the codes, as "AF" is flutter elsewhere.
        flags: columns of True and False that become codes.

    Raises:
        CorpusError: if it cannot be read or lacks a column.
    """
    codes: dict[tuple[str, ...], tuple[str, ...]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [n for n in ("exam_id", "age", "is_male", *flags) if n not in (reader.fieldnames or [])]
            if missing:
                raise CorpusError(f"{path}: without column {', '.join(missing)}")
            for line in reader:
                said = tuple(f"{prefix}:{name}" for name in flags if _truth(line[name]))
                male = _truth(line["is_male"])
                exam = line["exam_id"].strip()
                yield Exam(
                    exam_id=exam,
                    patient=hashed_patient(prefix, (line.get("patient_id") or "").strip() or f"exam {exam}"),
                    age=_age(line["age"]),
                    sex=None if male is None else "male" if male else "female",
                    codes=codes.setdefault(said, said),
                    file=(line.get("trace_file") or "").strip(),
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot be read: {error}") from None


def load(folder: Path, exam: Exam, source: str, reading: Reading) -> Record:
    """Read an exam without the zeros before and after it.

    Raises:
        RecordError: reason "missing-file" if its tracing is not in the file, "empty" if it is all zeros, and
            as `read_hdf5`.
    """
    if exam.row < 0:
        raise RecordError(f"exam {exam.exam_id}: no tracing of it in {exam.file:.40}", reason="missing-file")
    stored = read_rows(folder / exam.file, exam.row, dataset=TRACINGS)
    if stored.shape[1] != len(LEADS):
        raise RecordError(f"exam {exam.exam_id}: {stored.shape[1]} leads, 12 expected", reason="format")
    signal = without_padding(stored.T)
    if not signal.size:
        raise RecordError(f"exam {exam.exam_id}: all zeros", reason="empty")
    return Record(
        signal=np.ascontiguousarray(signal * millivolts_per(reading.unit, where=source), dtype=np.float32),
        fs=FS,
        leads=LEADS,
        record_id=exam.exam_id,
        patient_id=exam.patient,
        source=source,
        age=exam.age,
        sex=exam.sex,
        codes=exam.codes,
    )


def ask_for_unit(folder: Path, listed: Sequence[Exam], source: str) -> CorpusError:
    """Say what the numbers are like, and ask which unit they have."""
    spans = []
    for exam in [exam for exam in listed if exam.row >= 0][:_LOOK_AT]:
        try:
            signal = load(folder, exam, source, Reading(unit="mV")).signal
        except RecordError:
            continue
        span = float(np.median(np.subtract(*np.percentile(signal, [99, 1], axis=1))))
        spans += [span] if math.isfinite(span) and span > 0 else []
    found = "none of the first exams can be read"
    if spans:
        span = float(np.median(spans))
        found = (
            f"the first {len(spans)} exams span {span:.3g} (median over leads, 1st to 99th percentile): "
            f"{span:.3g} mV if it is mV, {span / 2:.3g} if 0.5mV, {span / 10:.3g} if 1e-4V; "
            f"PTB-XL spans {_USUAL_MV:g} mV"
        )
    return CorpusError(
        f"{folder}: nothing says which unit the tracings have; {found}",
        hint="choose `--unit mV` (what the authors answer, and the challenge of 2025 takes), `--unit 0.5mV` "
        "(what users measured against other corpora) or `--unit 1e-4V` (what the authors' description says)",
    )


def only_unit(reading: Reading, name: str) -> Reading:
    """The reading, if it says nothing but the unit.

    Raises:
        CorpusError: otherwise.
    """
    if reading != Reading(unit=reading.unit):
        raise CorpusError(f"corpus {name!r}: only `--unit` can be said; its rate and leads are known")
    return reading


def _truth(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower().removesuffix(".0"))


def _age(text: str) -> float | None:
    try:
        age = float(text)
    except ValueError:
        return None
    return min(age, 90.0) if 0 <= age <= 130 else None
