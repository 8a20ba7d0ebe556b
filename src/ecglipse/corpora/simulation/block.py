"""A block of recordings at once: patients, rhythm, dipole, leads, noise, and the table of what is true."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ecglipse.corpora.simulation import beat
from ecglipse.corpora.simulation.draws import generators, normals
from ecglipse.corpora.simulation.noise import draw_noise
from ecglipse.corpora.simulation.patients import Patients, draw_patients
from ecglipse.corpora.simulation.rhythm import Rhythm, draw_rhythm, fibrillation
from ecglipse.leads import DOWER, EXPANSION
from ecglipse.seeding import derive


@dataclass(frozen=True)
class Settings:
    """What a simulated corpus is made by; see `ecglipse.corpora.simulator.simulate`."""

    fs: float
    duration_s: float
    seed: int
    rhythms: tuple[str, ...]
    recordings_per_patient: int
    noise: float
    block: int = 64
    """Recordings computed together: always whole blocks, so that not even the last bit of a recording
    depends on how many were asked for."""

    @property
    def n_samples(self) -> int:
        """Length of a recording in samples."""
        return round(self.duration_s * self.fs)


class Block(NamedTuple):
    """Recordings and their truth; `row` in `waves` counts within the block."""

    signal: Float[np.ndarray, "row 12 time"]
    truth: pd.DataFrame
    waves: pd.DataFrame


class _Beats(NamedTuple):
    """All beats of a block, flat: times in seconds from the start of their recording."""

    row: Int[np.ndarray, " beat"]
    at: Float[np.ndarray, " beat"]
    """Reference time of the QRS."""
    qrs_onset: Float[np.ndarray, " beat"]
    pr: Float[np.ndarray, " beat"]
    qt: Float[np.ndarray, " beat"]
    breath: Float[np.ndarray, " beat"]
    z: Float[np.ndarray, "beat 3"]


def block_of(settings: Settings, number: int) -> range:
    """The numbers of the recordings in a block."""
    return range(number * settings.block, (number + 1) * settings.block)


def rhythm_of(settings: Settings, number: int) -> str:
    """The rhythm of a recording: each run of `len(rhythms)` recordings is one permutation of them."""
    kinds = len(settings.rhythms)
    group, place = divmod(number, kinds)
    order = sorted(range(kinds), key=lambda kind: derive(settings.seed, "simulator", "rhythm", group, kind))
    return settings.rhythms[order[place]]


def simulate_block(settings: Settings, numbers: range) -> Block:
    """Simulate the recordings of these numbers."""
    owners = [number // settings.recordings_per_patient for number in numbers]
    codes = [rhythm_of(settings, number) for number in numbers]
    patients = draw_patients(settings.seed, owners)
    rhythm = draw_rhythm(
        settings.seed,
        numbers,
        codes,
        tendency=patients.rate,
        female=patients.female,
        age=patients.age,
        duration_s=settings.duration_s,
    )
    z = normals(generators(settings.seed, "recording", numbers), 9)
    gain = np.ones((len(numbers), 8))
    gain[:, 2:] = patients.chest * np.exp(0.05 * z[:, :6])  # electrodes are put on anew each time
    leads = gain[:, :, None] * DOWER
    beats = _beats(settings, numbers, patients, rhythm)
    dipole, waves = _draw_beats(settings, patients, rhythm, beats, leads=leads, sway=0.04 * z[:, 6:])
    if len(quivering := np.flatnonzero(rhythm.fibrillates)):
        dipole[quivering] += fibrillation(
            settings.seed, [numbers[row] for row in quivering], n_samples=settings.n_samples, fs=settings.fs
        )
    signal = leads.astype(np.float32) @ dipole.astype(np.float32)
    if settings.noise > 0:
        signal += np.float32(settings.noise) * draw_noise(
            settings.seed,
            numbers,
            n_samples=settings.n_samples,
            fs=settings.fs,
            breath_hz=rhythm.breath_hz,
            breath_phase=rhythm.breath_phase,
        )
    twelve = EXPANSION.astype(np.float32) @ signal
    return Block(twelve, _truth(settings, numbers, codes, patients, rhythm, beats), waves)


def _beats(settings: Settings, numbers: range, patients: Patients, rhythm: Rhythm) -> _Beats:
    """Lay out the beats that can be seen in the recordings, with their intervals.

    QT = QTc (0.8 mean RR + 0.2 last RR)^(1/3), RR in seconds: Fridericia's formula, with the slow adaptation
    of repolarisation to the rate; at most until the next QRS. PR shrinks by 0.3 ms per beat a minute.
    """
    times = rhythm.beats_s
    z = normals(generators(settings.seed, "beats", numbers), times.shape[1], 4)
    row, k = np.nonzero((times > -1.0) & (times < settings.duration_s + 0.5))
    steps = np.diff(times, axis=1)
    after = np.column_stack([steps, rhythm.mean_rr_s])[row, k]
    before = np.column_stack([rhythm.mean_rr_s, steps])[row, k]
    rr = 0.8 * rhythm.mean_rr_s[row] + 0.2 * before
    qt = np.minimum(patients.qtc_s[row] * np.cbrt(rr) + 0.002 * z[row, k, 3], after - 0.02)
    pr = np.clip(patients.pr_s[row] - 0.0003 * (60 / rhythm.mean_rr_s[row] - 70), 0.11, 0.20)
    at = times[row, k]
    onset = at + beat.QRS.onset * patients.qrs_s[row] / beat.QRS.length
    breath = np.sin(2 * np.pi * rhythm.breath_hz[row] * at + rhythm.breath_phase[row])
    return _Beats(row, at, onset, pr, qt, breath, z[row, k, :3])


def _draw_beats(
    settings: Settings,
    patients: Patients,
    rhythm: Rhythm,
    beats: _Beats,
    *,
    leads: Float[np.ndarray, "row 8 3"],
    sway: Float[np.ndarray, "row 3"],
) -> tuple[Float[np.ndarray, "row 3 time"], pd.DataFrame]:
    """Draw all waves of the block, and the table of those that lie wholly inside their recording.

    Breathing turns the heart by `sway` (radians about the three axes) and changes its size by 3 %; each
    wave's size also varies by 2 % from beat to beat.
    """
    rows = len(leads)
    dipole = np.zeros((rows, 3, settings.n_samples))
    tables = []
    for place, (wave, vectors, at, scale) in enumerate(
        [
            (beat.P, patients.p, beats.qrs_onset - beats.pr, patients.p_s[beats.row] / beat.P.length),
            (beat.QRS, patients.qrs, beats.at, patients.qrs_s[beats.row] / beat.QRS.length),
            (beat.T, patients.t, beats.qrs_onset + beats.qt, beats.qt / beat.QT_REFERENCE_S),
        ]
    ):
        seen = ~rhythm.fibrillates[beats.row] if wave.kind == "P" else np.ones(len(at), bool)
        row, at, scale = beats.row[seen], at[seen], np.clip(scale[seen], *beat.SCALE_LIMITS)
        own = vectors[row]
        turn = (beats.breath[seen, None] * sway[row])[:, None]
        size = np.exp(0.02 * beats.z[seen, place] + 0.03 * beats.breath[seen])
        own = size[:, None, None] * (own + np.cross(turn, own))
        beat.add_wave(dipole, wave, row=row, at_s=at, scale=scale, vectors=own, fs=settings.fs)
        marks = {
            "row": row,
            "kind": wave.kind,
            "lead": None,
            "onset_s": at + scale * wave.onset,
            "peak_s": at + scale * beat.peak(wave, vectors, leads)[row],
            "offset_s": at + scale * wave.offset,
        }
        tables.append(pd.DataFrame(marks))
    return dipole, _inside(tables, settings.duration_s)


def _inside(tables: list[pd.DataFrame], duration_s: float) -> pd.DataFrame:
    """The marks that lie wholly inside their recording, in order of row and time."""
    waves = pd.concat(tables, ignore_index=True)
    waves = waves[(waves["onset_s"] >= 0) & (waves["offset_s"] <= duration_s)]
    return waves.sort_values(["row", "onset_s"], kind="stable", ignore_index=True)


def _truth(
    settings: Settings, numbers: range, codes: list[str], patients: Patients, rhythm: Rhythm, beats: _Beats
) -> pd.DataFrame:
    """One row per recording of what it was made from; rate, PR and QT are means over its beats."""
    inside = (beats.at >= 0) & (beats.at < settings.duration_s)
    row, at = beats.row[inside], beats.at[inside]
    count = np.bincount(row, minlength=len(numbers))
    edges = np.cumsum(count)
    span = at[edges - 1] - at[edges - count]
    owners = [number // settings.recordings_per_patient for number in numbers]
    pr = np.bincount(row, weights=beats.pr[inside], minlength=len(numbers)) / count
    return pd.DataFrame(
        {
            "record_id": [
                f"sim-{owner}-{number % settings.recordings_per_patient}"
                for owner, number in zip(owners, numbers, strict=True)
            ],
            "patient_id": [f"sim-{owner}" for owner in owners],
            "sex": np.where(patients.female, "female", "male"),
            "age": np.floor(patients.age),
            "fold": [owner % 10 + 1 for owner in owners],
            "rhythm": codes,
            "rate": np.where(count > 1, 60 * (count - 1) / np.maximum(span, 1e-9), 60 / rhythm.mean_rr_s),
            "pr_s": np.where(rhythm.fibrillates, np.nan, pr),
            "qrs_s": patients.qrs_s,
            "qt_s": np.bincount(row, weights=beats.qt[inside], minlength=len(numbers)) / count,
            "qtc_s": patients.qtc_s,
        }
    )
