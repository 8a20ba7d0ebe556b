"""Simulated 12-lead ECGs with known rhythm, form, sex and wave times, for the demonstration and for tests.

A dipole of Gaussian components becomes eight leads by Dower's matrix and twelve by the leads' algebra, which
therefore holds exactly, noise included. docs/simulator.md says what is in it and what is not. Nothing here
reads or writes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from ecglipse.corpora.simulation.block import Settings, block_of, simulate_block
from ecglipse.corpora.simulation.conditions import FORMS, RHYTHMS, WITHOUT_P
from ecglipse.corpora.simulation.conditions import Planted as Planted
from ecglipse.corpora.simulation.drawing import KINDS
from ecglipse.leads import LEADS
from ecglipse.records.record import Record, Wave

VOCABULARY: dict[str, dict[str, Any]] = {
    code: {"description": text, "superclass": None, "subclass": None, "kinds": [kind]}
    for kind, meanings in {
        "rhythm": RHYTHMS,
        "form": FORMS
        | {f"planted-{wave}": f"simulated class that differs in its {wave} wave alone" for wave in KINDS},
    }.items()
    for code, text in meanings.items()
}
"""The codes of the simulated records, in the form of a store's manifest."""

DEMO_RHYTHMS = ("SR", "SB", "ST", "AF")
"""The rhythms that are simulated unless others are asked for."""


class Simulated(NamedTuple):
    """Many recordings as arrays; row number = recording number."""

    signal: Float[np.ndarray, "record 12 time"]
    truth: pd.DataFrame
    """One row per recording: record_id, patient_id, sex, age (years), fold, rhythm, forms (tuple of codes),
    rate (a minute), pr_s (NaN without P waves), qrs_s, qt_s, qtc_s; QRS and QTc of conducted beats."""
    waves: pd.DataFrame
    """row, kind, lead (None), onset_s, peak_s, offset_s: the form of a store's `waves.parquet`."""


def simulate(
    n: int,
    *,
    fs: float = 100.0,
    duration_s: float = 10.0,
    seed: int = 0,
    rhythms: Sequence[str] = DEMO_RHYTHMS,
    forms: Mapping[str, float] | None = None,
    planted: Planted | None = None,
    recordings_per_patient: int = 1,
    noise: float = 1.0,
) -> Iterator[Record]:
    """Simulate `n` recordings, one after the other; record i does not depend on `n`.

    Recordings of one patient share sex, age, the shape of the beat and the forms of
    `conditions.OF_PATIENT`, not rhythm, other forms, breathing or noise. Of each two patients one is a
    woman, and each run of `len(rhythms)` recordings has every rhythm once, in an order drawn by `seed`; sex,
    rhythm and forms are independent. Fold = patient number % 10 + 1.

    Waves are marked for all leads together (`lead` None), and only those that lie wholly inside the record.

    Args:
        n: how many recordings.
        fs: samples per second, 50 to 2000 Hz.
        duration_s: length of each recording, 2 to 120 s.
        seed: names the draws; the same seed gives the same recordings.
        rhythms: which of `conditions.RHYTHMS` to simulate; name one twice to have it twice as often.
        forms: for names of `conditions.FORMS` the share of recordings, 0 to 1, that have it; drawn
            independently and given up where rhythm or another form does not allow it (`conditions.EXCLUDED`).
        planted: a class that differs in one wave alone; see `Planted`.
        recordings_per_patient: recordings i // recordings_per_patient belong to one patient.
        noise: factor on all noise; 0 gives clean signals, 1 a resting ECG, 3 a bad one.

    Returns:
        Records in the lead order of `ecglipse.leads.LEADS`, float32 millivolts; `codes` are the rhythm and
        then the forms.

    Raises:
        ValueError: if an argument is outside its range, a rhythm or form is unknown, or a P wave is planted
            where a rhythm has none.

    Source:
        See the modules of `corpora/simulation`.
    """
    settings = _settings(n, fs, duration_s, seed, rhythms, forms, planted, recordings_per_patient, noise)
    return _records(n, settings)


def simulate_arrays(
    n: int,
    *,
    fs: float = 100.0,
    duration_s: float = 10.0,
    seed: int = 0,
    rhythms: Sequence[str] = DEMO_RHYTHMS,
    forms: Mapping[str, float] | None = None,
    planted: Planted | None = None,
    recordings_per_patient: int = 1,
    noise: float = 1.0,
) -> Simulated:
    """The recordings of `simulate`, by the same arguments, as one array with tables of what is true."""
    settings = _settings(n, fs, duration_s, seed, rhythms, forms, planted, recordings_per_patient, noise)
    blocks = [block_of(settings, number) for number in range(max(1, -(-n // settings.block)))]
    signal = np.empty((len(blocks) * settings.block, len(LEADS), settings.n_samples), np.float32)
    parts = [simulate_block(settings, block, out=signal[block.start : block.stop]) for block in blocks]
    marks = [part.marks for part in parts]
    row = np.concatenate([one.row + block.start for one, block in zip(marks, blocks, strict=True)])
    waves = pd.DataFrame(
        {
            "row": row,
            "kind": np.array(KINDS, object)[np.concatenate([one.kind for one in marks])],
            "lead": None,
            "onset_s": np.concatenate([one.onset_s for one in marks]),
            "peak_s": np.concatenate([one.peak_s for one in marks]),
            "offset_s": np.concatenate([one.offset_s for one in marks]),
        }
    )
    truth = pd.concat([part.truth for part in parts], ignore_index=True)
    return Simulated(signal[:n], truth.iloc[:n], waves[waves["row"] < n])


def _records(n: int, settings: Settings) -> Iterator[Record]:
    for start in range(0, n, settings.block):
        part = simulate_block(settings, block_of(settings, start // settings.block))
        waves: list[list[Wave]] = [[] for _ in range(settings.block)]
        for row, kind, onset, peak, offset in zip(*(column.tolist() for column in part.marks), strict=True):
            waves[row].append(Wave(KINDS[kind], onset, peak, offset))
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
                codes=(known["rhythm"], *known["forms"]),
                fold=known["fold"],
                waves=tuple(waves[row]),
            )


def _settings(
    n: int,
    fs: float,
    duration_s: float,
    seed: int,
    rhythms: Sequence[str],
    forms: Mapping[str, float] | None,
    planted: Planted | None,
    per_patient: int,
    noise: float,
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
    if isinstance(rhythms, str) or not rhythms or (unknown := [c for c in rhythms if c not in RHYTHMS]):
        wrong = repr(rhythms) if isinstance(rhythms, str) or not rhythms else f"{unknown[0]!r} in {rhythms!r}"
        raise ValueError(f"`rhythms` must be a sequence of one or more of {', '.join(RHYTHMS)}; got {wrong}")
    for name, share in (forms or {}).items():
        if name not in FORMS:
            raise ValueError(f"`forms` must name some of {', '.join(FORMS)}; got {name!r}")
        if not 0 <= share <= 1:
            raise ValueError(f"a share in `forms` must be between 0 and 1; got {share} for {name!r}")
    if planted and planted.wave == "P" and (without := WITHOUT_P & set(rhythms)):
        raise ValueError(
            f"`planted` P waves need rhythms that have them; got {min(without)!r} in {rhythms!r}"
        )
    return Settings(
        float(fs),
        float(duration_s),
        seed,
        tuple(rhythms),
        per_patient,
        float(noise),
        dict(forms or {}),
        planted,
    )
