"""Simulated 12-lead ECGs with known rhythm, sex and wave times, for the demonstration and for tests.

A dipole of Gaussian components becomes eight leads by Dower's matrix and twelve by the leads' algebra, which
therefore holds exactly, noise included. docs/simulator.md says what is in it and what is not. Nothing here
reads or writes.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from ecglipse.corpora.simulation.block import Settings, block_of, simulate_block
from ecglipse.corpora.simulation.rhythm import RATES
from ecglipse.leads import LEADS
from ecglipse.records.record import Record, Wave

VOCABULARY: dict[str, dict[str, Any]] = {
    code: {"description": text, "superclass": None, "subclass": None, "kinds": ["rhythm"]}
    for code, text in {
        "SR": "sinus rhythm, 60-99 beats a minute",
        "SB": "sinus bradycardia, 40-59 beats a minute",
        "ST": "sinus tachycardia, 101-150 beats a minute",
        "AF": "atrial fibrillation, 60-140 beats a minute",
    }.items()
}
"""The codes of the simulated records, in the form of a store's manifest."""


class Simulated(NamedTuple):
    """Many recordings as arrays; row number = recording number."""

    signal: Float[np.ndarray, "record 12 time"]
    truth: pd.DataFrame
    """record_id, patient_id, sex, age (years), fold, rhythm, rate (a minute), pr_s (NaN in AF), qrs_s, qt_s,
    qtc_s; one row per recording."""
    waves: pd.DataFrame
    """row, kind, lead (None), onset_s, peak_s, offset_s: the form of a store's `waves.parquet`."""


def simulate(
    n: int,
    *,
    fs: float = 100.0,
    duration_s: float = 10.0,
    seed: int = 0,
    rhythms: Sequence[str] = ("SR", "SB", "ST", "AF"),
    recordings_per_patient: int = 1,
    noise: float = 1.0,
) -> Iterator[Record]:
    """Simulate `n` recordings, one after the other; record i does not depend on `n`.

    Recordings of one patient share sex, age and the shape of the beat, not rhythm, breathing or noise. Of
    each two patients one is a woman, and each run of `len(rhythms)` recordings has every rhythm once, in an
    order drawn by `seed`; sex and rhythm are independent. Fold = patient number % 10 + 1.

    Waves are marked for all leads together (`lead` None), and only those that lie wholly inside the record.

    Args:
        n: how many recordings.
        fs: samples per second, 50 to 2000 Hz.
        duration_s: length of each recording, 2 to 120 s.
        seed: names the draws; the same seed gives the same recordings.
        rhythms: which of "SR", "SB", "ST" and "AF" to simulate; name one twice to have it twice as often.
        recordings_per_patient: recordings i // recordings_per_patient belong to one patient.
        noise: factor on all noise; 0 gives clean signals, 1 a resting ECG, 3 a bad one.

    Returns:
        Records in the lead order of `ecglipse.leads.LEADS`, float32 millivolts.

    Raises:
        ValueError: if an argument is outside its range, or a rhythm is unknown.

    Source:
        See `corpora/simulation/beat.py`, `rhythm.py`, `noise.py` and `patients.py`.
    """
    settings = _settings(n, fs, duration_s, seed, rhythms, recordings_per_patient, noise)
    return _records(n, settings)


def simulate_arrays(
    n: int,
    *,
    fs: float = 100.0,
    duration_s: float = 10.0,
    seed: int = 0,
    rhythms: Sequence[str] = ("SR", "SB", "ST", "AF"),
    recordings_per_patient: int = 1,
    noise: float = 1.0,
) -> Simulated:
    """The recordings of `simulate`, by the same arguments, as one array with tables of what is true."""
    settings = _settings(n, fs, duration_s, seed, rhythms, recordings_per_patient, noise)
    blocks = [block_of(settings, number) for number in range(max(1, -(-n // settings.block)))]
    parts = [simulate_block(settings, block) for block in blocks]
    waves = pd.concat(
        [
            part.waves.assign(row=part.waves["row"] + block[0])
            for part, block in zip(parts, blocks, strict=True)
        ],
        ignore_index=True,
    )
    return Simulated(
        np.concatenate([part.signal for part in parts])[:n],
        pd.concat([part.truth for part in parts], ignore_index=True).iloc[:n],
        waves[waves["row"] < n],
    )


def _records(n: int, settings: Settings) -> Iterator[Record]:
    for start in range(0, n, settings.block):
        part = simulate_block(settings, block_of(settings, start // settings.block))
        marks: list[list[Wave]] = [[] for _ in range(settings.block)]
        table = part.waves
        for row, kind, onset, peak, offset in zip(
            *(table[name].tolist() for name in ("row", "kind", "onset_s", "peak_s", "offset_s")), strict=True
        ):
            marks[row].append(Wave(kind, onset, peak, offset))
        for row, known in enumerate(part.truth.to_dict("records")[: n - start]):
            sex: Literal["female", "male"] = known["sex"]
            yield Record(
                signal=part.signal[row].copy(),
                fs=settings.fs,
                leads=LEADS,
                record_id=known["record_id"],
                patient_id=known["patient_id"],
                source="simulator",
                age=known["age"],
                sex=sex,
                codes=(known["rhythm"],),
                fold=known["fold"],
                waves=tuple(marks[row]),
            )


def _settings(
    n: int, fs: float, duration_s: float, seed: int, rhythms: Sequence[str], per_patient: int, noise: float
) -> Settings:
    """Check the arguments of both doors."""
    if n < 0:
        raise ValueError(f"`n` must be >= 0; got {n}")
    if not 50 <= fs <= 2000:
        raise ValueError(f"`fs` must be between 50 and 2000 Hz; got {fs}")
    if not 2 <= duration_s <= 120:
        raise ValueError(f"`duration_s` must be between 2 and 120 s; got {duration_s}")
    if per_patient < 1:
        raise ValueError(f"`recordings_per_patient` must be >= 1; got {per_patient}")
    if not 0 <= noise < float("inf"):
        raise ValueError(f"`noise` must be a finite number >= 0; got {noise}")
    if (
        isinstance(rhythms, str)
        or not rhythms
        or (unknown := [code for code in rhythms if code not in RATES])
    ):
        wrong = repr(rhythms) if isinstance(rhythms, str) or not rhythms else f"{unknown[0]!r} in {rhythms!r}"
        raise ValueError(f"`rhythms` must be a sequence of one or more of {', '.join(RATES)}; got {wrong}")
    return Settings(float(fs), float(duration_s), seed, tuple(rhythms), per_patient, float(noise))
