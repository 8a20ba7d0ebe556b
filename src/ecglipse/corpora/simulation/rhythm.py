"""When the heart beats: sinus rhythm, fibrillation, flutter, tachycardia, pacing; the breathing beneath."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ecglipse.corpora.simulation.conditions import Conditions
from ecglipse.corpora.simulation.draws import normals, truncated, uniform
from ecglipse.corpora.simulation.ectopy import premature

RATES = {
    "SR": (66.0, 12.0, 60.0, 99.0),
    "SB": (53.0, 4.0, 41.0, 59.0),
    "ST": (113.0, 11.0, 101.0, 149.0),
    "AF": (90.0, 18.0, 61.0, 139.0),
    "AFL": (100.0, 25.0, 60.0, 170.0),
    "SVT": (175.0, 17.0, 151.0, 219.0),
    "PACE": (68.0, 8.0, 56.0, 89.0),
}
"""Mean, SD and limits of the mean rate of a recording, beats a minute; each is cut off at its limits. In
flutter the rate follows from the atria's, and these are only what comes out."""

SEX_RATE = 3.0
"""Women's rates are this much above, men's this much below the mean."""

AGE_RATE = {"ST": -0.25}
"""Beats a minute per year over 55, where age matters: the fastest sinus rhythm falls with age."""

_SHORTEST_S = 0.27
_REFRACTORY_S = 0.33
"""No shorter interval in atrial fibrillation: the atrioventricular node's refractory period."""


@dataclass(frozen=True)
class Rhythm:
    """Beat times of a block, one row per recording."""

    beats_s: Float[np.ndarray, "row beat"]
    """Reference times of the QRS; the first lie before 0, the last after the end."""
    kind: Int[np.ndarray, "row beat"]
    """0: conducted or paced, 1: premature ventricular, 2: premature atrial."""
    mean_rr_s: Float[np.ndarray, " row"]
    has_p: Bool[np.ndarray, " row"]
    fibrillates: Bool[np.ndarray, " row"]
    flutter_s: Float[np.ndarray, " row"]
    """Period of the flutter; NaN where the atria do not flutter."""
    breath_hz: Float[np.ndarray, " row"]
    breath_phase: Float[np.ndarray, " row"]


def draw_rhythm(
    seed: int,
    numbers: Sequence[int],
    conditions: Conditions,
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
    fibrillation: independent log-normal intervals with a coefficient of variation of about 0.22. Flutter:
    multiples (2, 3, 4) of a period of 180-240 ms, the same throughout or, in a third, drawn for each beat.
    Supraventricular tachycardia: as sinus rhythm with a tenth of the sd. Pacing: constant, or after sinus P
    waves. Then beats come early (`ectopy.premature`), and all intervals are scaled so that the mean over the
    recording is the drawn one.

    Args:
        seed: the user's seed.
        numbers: numbers of the recordings.
        conditions: what each has.
        tendency: the patient's tendency to a fast heart, standard normal.
        female: the patient's sex.
        age: years.
        duration_s: how long the recordings are.
    """
    n_beats = int(np.ceil(1.3 * duration_s / _SHORTEST_S)) + 6
    z, noise = normals(seed, "rhythm", numbers, 9), normals(seed, "intervals", numbers, n_beats)
    mean, sd, low, high = np.array([RATES[code] for code in conditions.rhythm]).T
    mean = mean + np.where(female, SEX_RATE, -SEX_RATE)
    mean += np.array([AGE_RATE.get(code, 0.0) for code in conditions.rhythm]) * (age - 55)
    rr = 60 / truncated(0.8 * tendency + 0.6 * z[:, 0], mean, sd, low=low, high=high)

    breath_hz, breath_phase = uniform(z[:, 1], 0.15, 0.40), uniform(z[:, 2], 0.0, 2 * np.pi)
    when = np.arange(n_beats) * rr[:, None]
    breath = np.sin(2 * np.pi * breath_hz[:, None] * when + breath_phase[:, None])
    slow = np.sin(2 * np.pi * 0.1 * when + uniform(z[:, 3], 0.0, 2 * np.pi)[:, None])
    sd_rr = 0.030 * np.exp(0.35 * z[:, 4] - 0.008 * (age - 55)) * (rr / 0.85) ** 1.5
    paced, follows_p = conditions.is_in("PACE"), z[:, 7] > 0
    sd_rr *= np.where(conditions.is_in("SVT"), 0.1, np.where(paced & ~follows_p, 0.0, 1.0))
    shape = np.clip(1 + (sd_rr / rr)[:, None] * (0.92 * breath + 0.85 * slow + 0.45 * noise), 0.7, 1.3)

    fibrillates, flutters = conditions.is_in("AF"), conditions.is_in("AFL")
    cv = np.clip(0.22 + 0.03 * z[:, 5], 0.17, 0.30)[:, None]
    shape = np.where(fibrillates[:, None], np.exp(cv * noise), shape)
    ratio = _conducted(z[:, 8], noise)
    period = 60 / np.clip(295 + 22 * z[:, 7], 250, 340)
    rr = np.where(flutters, period * ratio.mean(axis=1), rr)
    shape = np.where(flutters[:, None], ratio / ratio.mean(axis=1, keepdims=True), shape)

    intervals = np.maximum(shape * rr[:, None], np.where(fibrillates, _REFRACTORY_S, 0.0)[:, None])
    start = -(1 + uniform(z[:, 6], 0.0, 1.0)) * rr
    beats = start[:, None] + np.cumsum(intervals, axis=1) - intervals[:, :1]
    beats, kind = premature(seed, numbers, conditions, beats, duration_s=duration_s)
    scale = np.ones(len(rr))
    for _ in range(3):  # a beat at the edge may come or go, so once is not enough
        now = np.where(flutters, 1.0, rr / _mean_interval(beats, duration_s, otherwise=rr))
        scale *= now
        beats *= now[:, None]
    return Rhythm(
        beats,
        kind,
        _mean_interval(beats, duration_s, otherwise=rr),
        has_p=~conditions.is_in("AF", "AFL", "SVT") & ~(paced & ~follows_p),
        fibrillates=fibrillates | (paced & ~follows_p),
        flutter_s=np.where(flutters, period, np.nan),
        breath_hz=breath_hz,
        breath_phase=breath_phase,
    )


def _conducted(
    z: Float[np.ndarray, " row"], noise: Float[np.ndarray, "row beat"]
) -> Float[np.ndarray, "row beat"]:
    """How many flutter waves there are to a beat: 2:1 in 45 %, 4:1 in 20 %, otherwise changing."""
    changing = np.digitize(noise, [-0.3, 0.5]) + 2.0
    fate = uniform(z, 0.0, 1.0)[:, None]
    return np.where(fate < 0.45, 2.0, np.where(fate < 0.65, 4.0, changing))


def _mean_interval(
    beats: Float[np.ndarray, "row beat"], duration_s: float, *, otherwise: Float[np.ndarray, " row"]
) -> Float[np.ndarray, " row"]:
    """Mean interval of the beats within the recording, in s; `otherwise` where there are fewer than two."""
    inside = (beats >= 0) & (beats < duration_s)
    count = inside.sum(axis=1)
    span = np.where(inside, beats, -np.inf).max(axis=1) - np.where(inside, beats, np.inf).min(axis=1)
    return np.where(count > 1, span / np.maximum(count - 1, 1), otherwise)
