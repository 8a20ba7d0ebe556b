"""What disturbs a resting ECG, drawn per electrode, so that the twelve leads still obey their algebra."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.fft import irfft, rfftfreq

from ecglipse.corpora.simulation.draws import normals, uniform

ELECTRODES = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")

ELECTRODES_TO_LEADS: Float[np.ndarray, "8 9"] = np.array(
    [
        [-1, 1, 0, 0, 0, 0, 0, 0, 0],
        [-1, 0, 1, 0, 0, 0, 0, 0, 0],
        *np.hstack([np.full((6, 3), -1 / 3), np.eye(6)]),
    ]
)
"""`ecglipse.leads.INDEPENDENT` from electrodes: I = LA - RA, II = LL - RA, V - (RA + LA + LL) / 3."""

STEP_PROBABILITY = 0.06
"""Share of recordings in which one electrode moves."""

DRIFT_HZ = 2.0
DRIFT_SLOPE = 0.75
"""Drift ends here; its power falls as 1 / f^1.5."""

MUSCLE_HZ = 5.0
MUSCLE_SLOPE = 1.0
"""Muscle noise begins here; its power falls as 1 / f^2, as between the beats of real records."""


def draw_noise(
    seed: int,
    numbers: Sequence[int],
    *,
    n_samples: int,
    fs: float,
    breath_hz: Float[np.ndarray, " row"],
    breath_phase: Float[np.ndarray, " row"],
) -> Float[np.ndarray, "row 8 time"]:
    """Noise of the eight independent leads in millivolts.

    Per electrode: respiration (a wave of the breathing's rate and a slower one of 0.03-0.1 Hz), electrode
    drift (power as 1 / f^1.5 up to 2 Hz), muscle noise (EMG; power as 1 / f^2 from 5 Hz to 0.45 `fs`, at most
    100 Hz), mains hum (50 or 60 Hz, median 0.004 mV, only if below half of `fs`), and in 6 % of the
    recordings one electrode that jumps by 0.1-0.4 mV and creeps back within seconds. Levels are log-normal
    over recordings and electrodes; drift was set so that the power below 1 Hz, and muscle noise so that the
    power in the quietest stretches, agrees with the records named in beat.py (benchmarks/realism.py).

    Args:
        seed: the user's seed.
        numbers: numbers of the recordings.
        n_samples: length.
        fs: samples per second.
        breath_hz: breathing rate, as in the rhythm.
        breath_phase: breathing phase at the start, radians.
    """
    level, each = normals(seed, "noise", numbers, 12), normals(seed, "noise of electrodes", numbers, 9, 8)
    t = (np.arange(n_samples) / fs).astype(np.float32)
    electrodes = _drift_and_muscle(
        seed,
        numbers,
        drift_mv=0.026 * np.exp(0.75 * level[:, :1] + 0.4 * each[:, :, 0]),
        muscle_mv=0.0016 * np.exp(0.55 * level[:, 1:2] + 0.4 * each[:, :, 1]),
        n_samples=n_samples,
        fs=fs,
    )
    mains_hz = np.where(level[:, 2] < 0, 50.0, 60.0)
    hum_mv = np.where(mains_hz < fs / 2, 0.004 * np.exp(0.7 * level[:, 4]), 0)[:, None] * each[:, :, 2]
    breath_mv = 0.020 * np.exp(0.55 * level[:, 5])[:, None, None] * each[:, :, 3:6]
    hz = np.column_stack([breath_hz, uniform(level[:, 6], 0.03, 0.10), mains_hz])
    start = np.column_stack([breath_phase, uniform(level[:, [7, 3]], 0.0, 2 * np.pi)])
    angle = (2 * np.pi * hz[:, :, None] * t + start[:, :, None]).astype(np.float32)
    waves = np.concatenate([np.sin(angle), np.cos(angle[:, 1:2])], axis=1)
    weight = np.concatenate([breath_mv[:, :, :2], hum_mv[:, :, None], breath_mv[:, :, 2:]], axis=2)
    electrodes += weight.astype(np.float32) @ waves
    _add_steps(electrodes, level[:, 8:], t=t)
    return np.asarray(ELECTRODES_TO_LEADS.astype(np.float32) @ electrodes)


def _drift_and_muscle(
    seed: int,
    numbers: Sequence[int],
    *,
    drift_mv: Float[np.ndarray, "row 9"],
    muscle_mv: Float[np.ndarray, "row 9"],
    n_samples: int,
    fs: float,
) -> Float[np.ndarray, "row 9 time"]:
    """Gaussian noise of two bands, drawn in the frequency domain.

    Args:
        seed: the user's seed.
        numbers: numbers of the recordings.
        drift_mv: millivolts RMS up to `DRIFT_HZ`.
        muscle_mv: millivolts RMS within 20-45 Hz.
        n_samples: length.
        fs: samples per second.
    """
    hz = rfftfreq(n_samples, 1 / fs)
    drift = np.flatnonzero((hz > 0) & (hz <= DRIFT_HZ))
    muscle = np.flatnonzero((hz >= MUSCLE_HZ) & (hz <= min(0.45 * fs, 100)))
    named = (hz[muscle] >= 20) & (hz[muscle] <= 45)
    z = normals(seed, "drift and muscle", numbers, 9, 2 * (len(drift) + len(muscle))).view(np.complex64)
    spectrum = np.zeros((*muscle_mv.shape, len(hz)), np.complex64)
    # a line a (z1 + i z2) of irfft has the variance (2 a / n)^2
    for lines, own, mv, slope, inside in (
        (drift, z[:, :, : len(drift)], drift_mv, DRIFT_SLOPE, slice(None)),
        (muscle, z[:, :, len(drift) :], muscle_mv, MUSCLE_SLOPE, named),
    ):
        shape = hz[lines] ** -slope
        shape *= n_samples / (2 * np.sqrt((shape[inside] ** 2).sum()))
        np.multiply(
            own, (mv[:, :, None] * shape).astype(np.float32), out=spectrum[:, :, lines[0] : lines[-1] + 1]
        )
    return np.asarray(irfft(spectrum, n_samples, axis=-1))


def _add_steps(
    electrodes: Float[np.ndarray, "row 9 time"],
    level: Float[np.ndarray, "row 4"],
    *,
    t: Float[np.ndarray, " time"],
) -> None:
    """Let one electrode of a few recordings jump and creep back, in place."""
    fate = uniform(level, 0.0, 1.0)
    for row in np.flatnonzero(fate[:, 0] < STEP_PROBABILITY):
        electrode = int(fate[row, 0] / STEP_PROBABILITY * len(ELECTRODES))
        size = (1 if level[row, 2] > 0 else -1) * (0.1 + 0.3 * fate[row, 3])
        since = t - fate[row, 1] * t[-1]
        electrodes[row, electrode] += np.where(since >= 0, size * np.exp(-np.maximum(since, 0) / 0.7), 0)
