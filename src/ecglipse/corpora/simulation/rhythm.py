"""When the heart beats: sinus rhythm at three rates, atrial fibrillation, and the breathing beneath."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ecglipse.corpora.simulation.draws import generators, normals, truncated, uniform

RATES = {
    "SR": (73.0, 9.0, 60.0, 99.0),
    "SB": (53.0, 4.0, 41.0, 59.0),
    "ST": (113.0, 11.0, 101.0, 149.0),
    "AF": (90.0, 18.0, 61.0, 139.0),
}
"""Mean, SD and limits of the mean rate of a recording, beats a minute; each is cut off at its limits."""

SEX_RATE = 2.5
"""Women's rates are this much above, men's this much below the mean."""

_SHORTEST_S = 0.4
_REFRACTORY_S = 0.33
"""No shorter interval in atrial fibrillation: the atrioventricular node's refractory period."""


@dataclass(frozen=True)
class Rhythm:
    """Beat times of a block, one row per recording."""

    fibrillates: Bool[np.ndarray, " row"]
    beats_s: Float[np.ndarray, "row beat"]
    """Reference times of the QRS; the first lie before 0, the last after the end."""
    mean_rr_s: Float[np.ndarray, " row"]
    breath_hz: Float[np.ndarray, " row"]
    breath_phase: Float[np.ndarray, " row"]


def draw_rhythm(
    seed: int,
    numbers: Sequence[int],
    codes: Sequence[str],
    *,
    tendency: Float[np.ndarray, " row"],
    female: Bool[np.ndarray, " row"],
    age: Float[np.ndarray, " row"],
    duration_s: float,
) -> Rhythm:
    """Draw beat times for recordings of these numbers.

    Sinus rhythm: interval = mean + sd (0.92 sin(breath) + 0.85 sin(0.1 Hz wave) + 0.45 noise); the sd is
    about 30 ms at 70 a minute, falls with age (0.8 % a year) and rises with the interval to the power 1.5
    (in the range of the short-term values of Nunan et al. 2010, Pacing Clin Electrophysiol 33:1407). Atrial
    fibrillation: independent log-normal intervals with a coefficient of variation of about 0.22. Intervals
    are then scaled so that the mean over the recording is the drawn one.

    Args:
        seed: the user's seed.
        numbers: numbers of the recordings.
        codes: the rhythm of each, a key of `RATES`.
        tendency: the patient's tendency to a fast heart, standard normal.
        female: the patient's sex.
        age: years.
        duration_s: how long the recordings are.
    """
    n_beats = int(np.ceil(1.3 * duration_s / _SHORTEST_S)) + 6
    rngs = generators(seed, "rhythm", numbers)
    z, noise = normals(rngs, 8), normals(rngs, n_beats)
    mean, sd, low, high = np.array([RATES[code] for code in codes]).T
    fibrillates = np.array([code == "AF" for code in codes])
    rate = truncated(
        0.8 * tendency + 0.6 * z[:, 0], mean + np.where(female, SEX_RATE, -SEX_RATE), sd, low=low, high=high
    )
    rr = 60 / rate

    breath_hz = uniform(z[:, 1], 0.15, 0.40)
    breath_phase = uniform(z[:, 2], 0.0, 2 * np.pi)
    when = np.arange(n_beats) * rr[:, None]
    breath = np.sin(2 * np.pi * breath_hz[:, None] * when + breath_phase[:, None])
    slow = np.sin(2 * np.pi * 0.1 * when + uniform(z[:, 3], 0.0, 2 * np.pi)[:, None])
    sd_rr = 0.030 * np.exp(0.35 * z[:, 4] - 0.008 * (age - 55)) * (rr / 0.85) ** 1.5
    sinus = 1 + (sd_rr / rr)[:, None] * (0.92 * breath + 0.85 * slow + 0.45 * noise)
    cv = np.clip(0.22 + 0.03 * z[:, 5], 0.17, 0.30)[:, None]
    shape = np.where(fibrillates[:, None], np.exp(cv * noise), np.clip(sinus, 0.7, 1.3))
    intervals = np.maximum(shape * rr[:, None], np.where(fibrillates, _REFRACTORY_S, 0.0)[:, None])
    start = -(1 + uniform(z[:, 6], 0.0, 1.0)) * rr
    beats = start[:, None] + np.cumsum(intervals, axis=1) - intervals[:, :1]
    for _ in range(3):  # a beat at the edge may come or go, so once is not enough
        beats *= (rr / _mean_interval(beats, duration_s, otherwise=rr))[:, None]
    return Rhythm(fibrillates, beats, rr, breath_hz, breath_phase)


def _mean_interval(
    beats: Float[np.ndarray, "row beat"], duration_s: float, *, otherwise: Float[np.ndarray, " row"]
) -> Float[np.ndarray, " row"]:
    """Mean interval of the beats within the recording, in s; `otherwise` where there are fewer than two."""
    inside = (beats >= 0) & (beats < duration_s)
    count = inside.sum(axis=1)
    span = np.where(inside, beats, -np.inf).max(axis=1) - np.where(inside, beats, np.inf).min(axis=1)
    return np.where(count > 1, span / np.maximum(count - 1, 1), otherwise)


def fibrillation(
    seed: int, numbers: Sequence[int], *, n_samples: int, fs: float
) -> Float[np.ndarray, "row 3 time"]:
    """The fibrillating atria's dipole in millivolts: two sawtooth-like waves, towards V1 and downwards.

    Each wave is a sum of harmonics sin(m phi) / m^1.5, m = 1..3, of a 4-9 Hz oscillation whose frequency and
    height wander slowly (Stridh and Sörnmo 2001, IEEE Trans Biomed Eng 48:105); about 0.02-0.1 mV in V1.
    """
    z = normals(generators(seed, "fibrillation", numbers), 12)
    t = (np.arange(n_samples) / fs).astype(np.float32)
    towards = np.array([[-0.35, 0.10, -0.93], [0.05, 0.97, 0.20]])
    height = np.clip(0.030 * np.exp(0.4 * z[:, 0]), 0.015, 0.06)
    hz = np.clip(6.3 + 1.0 * z[:, 1], 4.0, 9.0)
    out = np.zeros((len(z), 3, n_samples), np.float32)
    for source in range(2):
        own = z[:, 2 + 5 * source : 7 + 5 * source]
        wander_hz = uniform(own[:, 0], 0.1, 0.4)[:, None].astype(np.float32)
        wander = np.sin(2 * np.pi * wander_hz * t + 3 * own[:, 1:2].astype(np.float32))
        phase = (
            2 * np.pi * hz[:, None].astype(np.float32) * t + 1.5 * wander + 3 * own[:, 2:3].astype(np.float32)
        )
        saw = sum(np.sin(m * phase) / np.float32(m**1.5) for m in (1, 2, 3))
        level = height * (1.0 if source == 0 else 0.6) * np.exp(0.2 * own[:, 3])
        wave = level[:, None].astype(np.float32) * (1 + 0.3 * wander) * saw
        out += towards[source].astype(np.float32)[:, None] * wave[:, None]
    return out
