"""Atria without P waves: fibrillation and flutter."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ecglipse.corpora.simulation.draws import normals, uniform


def fibrillation(
    seed: int, numbers: Sequence[int], *, n_samples: int, fs: float
) -> Float[np.ndarray, "row 3 time"]:
    """The fibrillating atria's dipole in millivolts: two sawtooth-like waves, towards V1 and downwards.

    Each wave is a sum of harmonics sin(m phi) / m^1.5, m = 1..3, of a 4-9 Hz oscillation whose frequency and
    height wander slowly (Stridh and Sörnmo 2001, IEEE Trans Biomed Eng 48:105); about 0.02-0.1 mV in V1.
    """
    z = normals(seed, "fibrillation", numbers, 12)
    t = (np.arange(n_samples) / fs).astype(np.float32)
    towards = np.array([[-0.35, 0.10, -0.93], [0.05, 0.97, 0.20]], np.float32)
    height = np.clip(0.030 * np.exp(0.4 * z[:, 0]), 0.015, 0.06)
    hz = np.clip(6.3 + 1.0 * z[:, 1], 4.0, 9.0)
    out = np.zeros((len(z), 3, n_samples), np.float32)
    for source in range(2):
        own = z[:, 2 + 5 * source : 7 + 5 * source]
        wander_hz = uniform(own[:, 0], 0.1, 0.4)[:, None].astype(np.float32)
        wander = np.sin(2 * np.pi * wander_hz * t + 3 * own[:, 1:2])
        phase = 2 * np.pi * hz[:, None] * t + 1.5 * wander + 3 * own[:, 2:3]
        saw = sum(np.sin(m * phase) / np.float32(m**1.5) for m in (1, 2, 3))
        level = height * (1.0 if source == 0 else 0.6) * np.exp(0.2 * own[:, 3])
        out += towards[source][:, None] * (level[:, None] * (1 + 0.3 * wander) * saw)[:, None]
    return out


def flutter(
    seed: int,
    numbers: Sequence[int],
    *,
    period_s: Float[np.ndarray, " row"],
    first_beat_s: Float[np.ndarray, " row"],
    n_samples: int,
    fs: float,
) -> Float[np.ndarray, "row 3 time"]:
    """The fluttering atria's dipole in millivolts: a sawtooth, down slowly and up fast in II, III and aVF.

    Typical, counter-clockwise flutter: 0.1-0.3 mV from peak to peak in II, upright and small in V1; the
    saw has four harmonics sin(m phi) / m, and its phase is tied to the beats.
    """
    z = normals(seed, "flutter", numbers, 3)
    t = (np.arange(n_samples) / fs).astype(np.float32)
    since = t - first_beat_s.astype(np.float32)[:, None] + np.float32(0.06) * z[:, 1:2]
    phase = (2 * np.pi * since / period_s[:, None]).astype(np.float32)
    saw = sum(np.sin(m * phase) / np.float32(m) for m in (1, 2, 3, 4))
    height = np.clip(0.055 * np.exp(0.3 * z[:, 0]), 0.035, 0.10)
    # sum of sin(m phi)/m falls slowly and jumps up: so along +Y, which II and aVF see
    towards = np.array([-0.05, 1.0, -0.05], np.float32) - np.array([0, 0, 0.35], np.float32)
    return np.asarray((height[:, None] * saw)[:, None] * towards[:, None], np.float32)
