"""A block of recordings at once: patients, rhythm, dipole, leads, noise, and the table of what is true."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from ecglipse.corpora.simulation.atria import fibrillation, flutter
from ecglipse.corpora.simulation.conditions import Conditions, Planted, draw_conditions
from ecglipse.corpora.simulation.drawing import Beats, Marks, draw_beats, lay_out
from ecglipse.corpora.simulation.draws import normals
from ecglipse.corpora.simulation.noise import draw_noise
from ecglipse.corpora.simulation.patients import Patients, draw_patients
from ecglipse.corpora.simulation.rhythm import Rhythm, draw_rhythm
from ecglipse.corpora.simulation.ventricles import Ventricles, draw_ventricles
from ecglipse.leads import DOWER, EXPANSION


@dataclass(frozen=True)
class Settings:
    """What a simulated corpus is made by; see `ecglipse.corpora.simulator.simulate`."""

    fs: float
    duration_s: float
    seed: int
    rhythms: tuple[str, ...]
    recordings_per_patient: int
    noise: float
    forms: Mapping[str, float] = field(default_factory=dict)
    planted: Planted | None = None
    block: int = 64
    """Recordings computed together: always whole blocks, so that not even the last bit of a recording
    depends on how many were asked for."""

    @property
    def n_samples(self) -> int:
        """Length of a recording in samples."""
        return round(self.duration_s * self.fs)


class Block(NamedTuple):
    """Recordings and their truth; `row` in `marks` counts within the block."""

    signal: Float[np.ndarray, "row 12 time"]
    truth: pd.DataFrame
    marks: Marks


def block_of(settings: Settings, number: int) -> range:
    """The numbers of the recordings in a block."""
    return range(number * settings.block, (number + 1) * settings.block)


def simulate_block(
    settings: Settings, numbers: range, *, out: Float[np.ndarray, "row 12 time"] | None = None
) -> Block:
    """Simulate the recordings of these numbers, into `out` where it is given."""
    seed, fs, n_samples = settings.seed, settings.fs, settings.n_samples
    owners = [number // settings.recordings_per_patient for number in numbers]
    patients = draw_patients(seed, owners)
    conditions = draw_conditions(
        seed, numbers, owners, rhythms=settings.rhythms, forms=settings.forms, planted=settings.planted
    )
    rhythm = draw_rhythm(
        seed,
        numbers,
        conditions,
        tendency=patients.rate,
        female=patients.female,
        age=patients.age,
        duration_s=settings.duration_s,
    )
    z = normals(seed, "recording", numbers, 9)
    gain = np.ones((len(numbers), 8))
    gain[:, 2:] = patients.chest * np.exp(0.05 * z[:, :6])  # electrodes are put on anew each time
    leads = gain[:, :, None] * DOWER
    ventricles = draw_ventricles(seed, numbers, patients, conditions, leads)
    beats = lay_out(seed, numbers, conditions, patients, rhythm, ventricles, duration_s=settings.duration_s)
    dipole, marks = draw_beats(
        beats,
        conditions,
        patients,
        ventricles,
        planted=settings.planted,
        leads=leads,
        sway=0.04 * z[:, 6:],
        n_samples=n_samples,
        fs=fs,
    )
    _add_atria(dipole, settings, numbers, rhythm)
    signal = leads.astype(np.float32) @ dipole.astype(np.float32)
    if settings.noise > 0:
        signal += np.float32(settings.noise) * draw_noise(
            seed,
            numbers,
            n_samples=n_samples,
            fs=fs,
            breath_hz=rhythm.breath_hz,
            breath_phase=rhythm.breath_phase,
        )
    twelve = np.matmul(EXPANSION.astype(np.float32), signal, out=out)
    return Block(
        twelve, _truth(settings, numbers, owners, conditions, patients, rhythm, ventricles, beats), marks
    )


def _add_atria(
    dipole: Float[np.ndarray, "row 3 time"], settings: Settings, numbers: range, rhythm: Rhythm
) -> None:
    """Fibrillation or flutter where there is any, in place."""
    n_samples, fs = settings.n_samples, settings.fs
    if len(rows := np.flatnonzero(rhythm.fibrillates)):
        own = [numbers[row] for row in rows]
        dipole[rows] += fibrillation(settings.seed, own, n_samples=n_samples, fs=fs)
    if len(rows := np.flatnonzero(np.isfinite(rhythm.flutter_s))):
        dipole[rows] += flutter(
            settings.seed,
            [numbers[row] for row in rows],
            period_s=rhythm.flutter_s[rows],
            first_beat_s=rhythm.beats_s[rows, 0],
            n_samples=n_samples,
            fs=fs,
        )


def _truth(
    settings: Settings,
    numbers: range,
    owners: list[int],
    conditions: Conditions,
    patients: Patients,
    rhythm: Rhythm,
    ventricles: Ventricles,
    beats: Beats,
) -> pd.DataFrame:
    """One row per recording of what it was made from; rate, PR and QT are means over its beats."""
    inside = (beats.at >= 0) & (beats.at < settings.duration_s)
    row, at, n = beats.row[inside], beats.at[inside], len(numbers)
    count = np.bincount(row, minlength=n)
    edges = np.cumsum(count)
    span = at[edges - 1] - at[edges - count]

    def mean(values: Float[np.ndarray, " beat"], of: Float[np.ndarray, " beat"]) -> Float[np.ndarray, " row"]:
        weight = np.bincount(row, weights=of[inside], minlength=n)
        total = np.bincount(row, weights=(values * of)[inside], minlength=n)
        return np.where(weight > 0, total / np.maximum(weight, 1), np.nan)

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
            "rhythm": conditions.rhythm,
            "forms": conditions.form_codes(settings.planted),
            "rate": np.where(count > 1, 60 * (count - 1) / np.maximum(span, 1e-9), 60 / rhythm.mean_rr_s),
            "pr_s": mean(beats.pr, beats.has_p.astype(float)),
            "qrs_s": ventricles.qrs_s,
            "qt_s": mean(beats.qt, np.ones(len(beats.qt))),
            "qtc_s": ventricles.qtc_s,
        }
    )
