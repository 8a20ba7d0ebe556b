"""What disturbs a resting ECG, drawn per electrode, so that the twelve leads still obey their algebra."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.fft import irfft, rfftfreq

from ecglipse.corpora.simulation.draws import generators, normals, uniform

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

    Per electrode: baseline wander (breathing, and a drift of four slow waves; median 0.03 mV RMS), muscle
    noise (flat from 20 Hz to 45 % of `fs`, at most 100 Hz; median 0.007 mV RMS within 20-45 Hz), mains hum
    (50 or 60 Hz, median 0.003 mV, only if below half of `fs`), and in 6 % of the recordings one electrode
    that jumps by 0.1-0.4 mV and creeps back within seconds. Levels are log-normal over recordings and
    electrodes; they were set so that the power below 0.5 Hz and within 40-45 Hz agrees with the records
    named in beat.py.

    Args:
        seed: the user's seed.
        numbers: numbers of the recordings.
        n_samples: length.
        fs: samples per second.
        breath_hz: breathing rate, as in the rhythm.
        breath_phase: breathing phase at the start, radians.
    """
    rngs = generators(seed, "noise", numbers)
    level, each = normals(rngs, 16), normals(rngs, 9, 16)
    t = (np.arange(n_samples) / fs).astype(np.float32)
    electrodes = _wander(level, each, t=t, breath_hz=breath_hz, breath_phase=breath_phase)
    electrodes += _muscle(
        rngs, 0.007 * np.exp(0.4 * level[:, :1] + 0.4 * each[:, :, 0]), n_samples=n_samples, fs=fs
    )
    mains_hz = np.where(level[:, 1] < 0, 50.0, 60.0)
    hum = np.sin(2 * np.pi * mains_hz[:, None] * t + uniform(level[:, 2], 0.0, 2 * np.pi)[:, None])
    size = np.where(mains_hz < fs / 2, 0.003 * np.exp(0.7 * level[:, 3]), 0)[:, None] * each[:, :, 1]
    electrodes += (size[:, :, None] * hum[:, None]).astype(np.float32)
    _add_steps(electrodes, level, t=t)
    return np.asarray(ELECTRODES_TO_LEADS.astype(np.float32) @ electrodes)


def _wander(
    level: Float[np.ndarray, "row 16"],
    each: Float[np.ndarray, "row 9 16"],
    *,
    t: Float[np.ndarray, " time"],
    breath_hz: Float[np.ndarray, " row"],
    breath_phase: Float[np.ndarray, " row"],
) -> Float[np.ndarray, "row 9 time"]:
    """Breathing and drift: five waves common to the electrodes, each with its own weights per electrode."""
    hz = np.column_stack([breath_hz, uniform(level[:, 4:8], 0.03, 0.3)])
    start = np.column_stack([breath_phase, uniform(level[:, 8:12], 0.0, 2 * np.pi)])
    angle = (2 * np.pi * hz[:, :, None] * t + start[:, :, None]).astype(np.float32)
    waves = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    size = np.array([0.6, 0.5, 0.5, 0.5, 0.5])
    weight = 0.028 * np.exp(0.55 * level[:, 12])[:, None, None] * each[:, :, 2:12] * np.tile(size, 2)
    weight[:, :, 5] = 0  # breathing moves all electrodes in phase
    return np.asarray(weight.astype(np.float32) @ waves)


def _muscle(
    rngs: Sequence[np.random.Generator], rms: Float[np.ndarray, "row 9"], *, n_samples: int, fs: float
) -> Float[np.ndarray, "row 9 time"]:
    """Gaussian noise, flat from 20 Hz to min(0.45 fs, 100 Hz), drawn in the frequency domain.

    Args:
        rngs: one per row.
        rms: millivolts within 20-45 Hz.
        n_samples: length.
        fs: samples per second.
    """
    hz = rfftfreq(n_samples, 1 / fs)
    band = np.flatnonzero((hz >= 20) & (hz <= min(0.45 * fs, 100)))
    named = max(1, int(((hz >= 20) & (hz <= 45)).sum()))
    z = np.stack([rng.standard_normal((9, 2, len(band)), dtype=np.float32) for rng in rngs])
    spectrum = np.zeros((*rms.shape, len(hz)), np.complex64)
    # a line a (z1 + i z2) of irfft has the variance (2 a / n)^2
    amplitude = (rms * n_samples / (2 * np.sqrt(named))).astype(np.float32)[:, :, None]
    spectrum[:, :, band] = amplitude * (z[:, :, 0] + 1j * z[:, :, 1])
    return np.asarray(irfft(spectrum, n_samples, axis=-1))


def _add_steps(
    electrodes: Float[np.ndarray, "row 9 time"],
    level: Float[np.ndarray, "row 16"],
    *,
    t: Float[np.ndarray, " time"],
) -> None:
    """Let one electrode of a few recordings jump and creep back, in place."""
    for row in np.flatnonzero(uniform(level[:, 13], 0.0, 1.0) < STEP_PROBABILITY):
        fate = uniform(level[row, [13, 14, 15]], 0.0, 1.0)
        electrode = int(fate[0] / STEP_PROBABILITY * len(ELECTRODES))
        when = fate[1] * t[-1]
        size = (1 if level[row, 15] > 0 else -1) * (0.1 + 0.3 * abs(2 * fate[2] - 1))
        since = np.maximum(t - when, 0)
        electrodes[row, electrode] += np.where(t >= when, size * np.exp(-since / 0.7), 0).astype(np.float32)
