"""`Record`: one 12-lead recording with what is known about it. No reading here."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Wave:
    """One marked wave; times in seconds from the record's start, NaN where a mark is missing."""

    kind: Literal["P", "QRS", "T"]
    onset_s: float
    peak_s: float
    offset_s: float
    lead: str | None = None
    """The lead it was marked in; None: holds for all leads."""


@dataclass(frozen=True)
class Record:
    """One recording. Nothing in it is changed after it is made.

    Args:
        signal: millivolts, leads in the order of `leads`.
        fs: samples per second, Hz.
        leads: canonical names (`ecglipse.leads.canonical`), no name twice.
        record_id: the source's own name of the recording.
        patient_id: the same for all recordings of one person; the record's id where unknown.
        source: the corpus or database it comes from; subgroups are made by it.
        age: years; None where unknown; 90 stands for "over 89".
        sex: None where unknown.
        codes: statements or diagnoses, in the source's own vocabulary.
        fold: the corpus' official fold, where it has one.
        waves: marked waves, where known.
    """

    signal: Float[np.ndarray, "lead time"]
    fs: float
    leads: tuple[str, ...]
    record_id: str
    patient_id: str
    source: str
    age: float | None = None
    sex: Literal["female", "male"] | None = None
    codes: tuple[str, ...] = ()
    fold: int | None = None
    waves: tuple[Wave, ...] = field(default=(), repr=False)
