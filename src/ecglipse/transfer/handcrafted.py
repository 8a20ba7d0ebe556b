"""Hand-crafted features: what a textbook measures in an ECG, as a floor that learned features must beat.

Rate and RR statistics, intervals and amplitudes of the median beat, band powers. Pure NumPy and SciPy, no
learning, no torch. A measurement that cannot be made is 0; `beats`, the first feature, then tells why.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from ecglipse.signal import Filters, filtered

VERSION = 1
"""Raised when a feature changes its meaning: cells of this floor are then computed anew."""
BEFORE_S, AFTER_S = 0.35, 0.55
"""The stretch of a beat around its R peak."""
BANDS_HZ = ((0.5, 3.0), (3.0, 9.0), (9.0, 15.0), (15.0, 25.0), (25.0, 40.0))
_RHYTHM = (
    *("beats", "rate", "rr_mean", "rr_median", "rr_sd", "rr_rmssd", "rr_cv", "rr_least", "rr_most"),
    *("rr_jump", "rr_over_50ms", "rr_early", "rr_turns"),
)
_BEAT = (
    "likeness_mean",
    "likeness_least",
    "qrs_s",
    "p_to_qrs_s",
    "p_size",
    "p_likeness",
    "qt_s",
    "qtc_s",
    "t_s",
)
_LEAD = ("q", "r", "s", "qrs_area", "st", "t", "t_area", "p", "between", "spread")


def names(leads: Sequence[str]) -> tuple[str, ...]:
    """Name the features of a recording with these leads, in their order."""
    bands = [f"power_{low:g}_{high:g}hz" for low, high in BANDS_HZ]
    return (*_RHYTHM, *_BEAT, *(f"{name}_{lead}" for name in (*_LEAD, *bands) for lead in leads))


def handcrafted(
    signals: Float[np.ndarray, "record lead time"], *, fs: float
) -> Float[np.ndarray, "record feature"]:
    """Measure each recording; the features are those of `names`, in seconds, mV, 1/min and log10(mV^2).

    Args:
        signals: in mV, any leads.
        fs: their rate, Hz.

    Returns:
        float32, finite.
    """
    return np.stack([_measure(np.asarray(x, dtype=np.float64), fs) for x in signals]).astype(np.float32)


def r_peaks(signal: Float[np.ndarray, "lead time"], *, fs: float) -> Int[np.ndarray, " beat"]:
    """Find the beats by the energy that all leads have together between 5 and 20 Hz.

    The root of that energy, smoothed over 80 ms, has a peak at each QRS complex. The level is the median over
    stretches of 1.5 s of their greatest value; peaks of less than 0.35 of it, or within 0.24 s of a greater
    one, are left out.

    Args:
        signal: in any unit.
        fs: Hz, above 40.

    Returns:
        Samples, ascending.

    Source:
        Pan and Tompkins 1985, IEEE Trans Biomed Eng 32:230. Departures: all leads at once, no learning
        phase, no search back.
    """
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import butter, find_peaks, sosfiltfilt

    time = signal.shape[-1]
    if time < fs:
        return np.zeros(0, dtype=np.int64)
    band = butter(2, (5.0, min(20.0, 0.45 * fs)), "bandpass", fs=fs, output="sos")
    fast = sosfiltfilt(band, signal, axis=-1)
    line = np.sqrt(uniform_filter1d(np.sum(fast**2, axis=0), max(1, round(0.08 * fs)), mode="nearest"))
    stretches = np.array_split(line, max(1, round(time / (1.5 * fs))))
    level = float(np.median([stretch.max() for stretch in stretches]))
    if not level > 0:
        return np.zeros(0, dtype=np.int64)
    peaks, _ = find_peaks(line, height=0.35 * level, distance=max(1, round(0.24 * fs)))
    return np.asarray(peaks, dtype=np.int64)


def _measure(signal: np.ndarray, fs: float) -> np.ndarray:
    """All features of one recording."""
    flat = np.asarray(filtered(signal, fs, Filters(highpass_hz=0.5)), dtype=np.float64)
    peaks = r_peaks(flat, fs=fs)
    rhythm, beat, lead = np.zeros(len(_RHYTHM)), np.zeros(len(_BEAT)), np.zeros((len(_LEAD), len(signal)))
    rhythm[0] = len(peaks)
    rr = np.diff(peaks) / fs
    if len(rr) >= 2:
        rhythm[1:] = _rr_features(rr)
    whole = peaks[(peaks >= round(BEFORE_S * fs)) & (peaks + round(AFTER_S * fs) < flat.shape[-1])]
    if len(whole) >= 2 and len(rr):
        beat, lead = _beat_features(flat, whole, fs=fs, rr_s=float(np.median(rr)))
        lead[_LEAD.index("between")] = _between(flat, peaks)
    lead[_LEAD.index("spread")] = flat.std(axis=-1)
    features = np.concatenate([rhythm, beat, lead.ravel(), _powers(flat, fs).ravel()])
    return np.asarray(np.nan_to_num(features, nan=0.0, posinf=0.0, neginf=0.0))


def _rr_features(rr: np.ndarray) -> list[float]:
    """What the intervals between beats say, in seconds or as shares."""
    steps, middle = np.diff(rr), float(np.median(rr))
    turns = (rr[1:-1] - rr[:-2]) * (rr[1:-1] - rr[2:]) > 0 if len(rr) > 2 else np.zeros(1)
    return [
        60.0 / rr.mean(),
        rr.mean(),
        middle,
        rr.std(),
        float(np.sqrt(np.mean(steps**2))),
        rr.std() / rr.mean(),
        rr.min(),
        rr.max(),
        float(np.median(np.abs(steps))) / middle,
        float(np.mean(np.abs(steps) > 0.05)),
        float(np.mean(rr < 0.8 * middle)),
        float(np.mean(turns)),
    ]


def _beat_features(
    flat: np.ndarray, peaks: np.ndarray, *, fs: float, rr_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals and amplitudes of the median beat, and how much single beats are like it."""
    before, after = round(BEFORE_S * fs), round(AFTER_S * fs)
    window = np.arange(-before, after + 1)
    beats = flat[:, peaks[:, None] + window].transpose(1, 0, 2)
    middle = np.median(beats, axis=0)
    likeness = _likeness(beats, middle)
    begin, end = _qrs(middle, before, fs)
    level = np.median(middle[:, max(0, begin - round(0.06 * fs)) : max(1, begin - round(0.01 * fs))], axis=1)
    middle = middle - level[:, None]
    size = np.sqrt(np.mean(middle**2, axis=0))
    early = slice(max(0, before - round(min(0.34, 0.5 * rr_s) * fs)), max(1, begin - round(0.02 * fs)))
    p_at = early.start + int(np.argmax(size[early])) if early.stop - early.start > 1 else max(begin - 1, 0)
    late = slice(
        min(end + round(0.08 * fs), len(size) - 2),
        min(before + round(min(0.6 * rr_s + 0.04, AFTER_S) * fs), len(size)),
    )
    t_at = late.start + int(np.argmax(size[late])) if late.stop - late.start > 1 else late.start
    below = np.flatnonzero(size[t_at : late.stop] < 0.3 * size[t_at])
    t_end = t_at + int(below[0]) if len(below) else max(late.stop - 1, t_at)
    near = slice(max(0, p_at - round(0.05 * fs)), p_at + round(0.05 * fs) + 1)
    qt = (t_end - begin) / fs
    beat = np.array(
        [
            likeness.mean(),
            likeness.min(),
            (end - begin) / fs,
            (begin - p_at) / fs,
            size[p_at],
            _likeness(beats[:, :, near], middle[:, near]).mean(),
            qt,
            qt / np.sqrt(rr_s),
            (t_at - begin) / fs,
        ]
    )
    qrs = middle[:, begin : end + 1]
    top = begin + int(np.argmax(size[begin : end + 1]))
    around = slice(max(0, t_at - round(0.06 * fs)), t_at + round(0.06 * fs) + 1)
    st_at = min(end + round(0.06 * fs), middle.shape[1] - 1)
    lead = np.stack(
        [
            middle[:, begin : top + 1].min(axis=1),
            qrs.max(axis=1),
            middle[:, top : end + 1].min(axis=1),
            qrs.sum(axis=1) / fs,
            middle[:, st_at],
            _extreme(middle[:, around]),
            middle[:, late].sum(axis=1) / fs,
            _extreme(middle[:, near]),
            np.zeros(len(middle)),
            np.zeros(len(middle)),
        ]
    )
    return beat, lead


def _qrs(middle: np.ndarray, at: int, fs: float) -> tuple[int, int]:
    """Where the QRS complex of the median beat begins and ends: its speed over all leads, above 15 %."""
    speed = np.sqrt(np.sum(np.gradient(middle, axis=1) ** 2, axis=0))
    reach = round(0.12 * fs)
    low, high = max(0, at - reach), min(len(speed) - 1, at + reach)
    fast = speed > 0.15 * speed[low : high + 1].max()
    gap = max(1, round(0.02 * fs))
    begin, end = at, at
    while begin > low and fast[max(low, begin - gap) : begin].any():
        begin -= 1
    while end < high and fast[end + 1 : min(high, end + gap) + 1].any():
        end += 1
    return begin, end


def _likeness(beats: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Correlation of each beat with the median one, over all leads."""
    a = (beats - beats.mean(axis=2, keepdims=True)).reshape(len(beats), -1)
    b = (middle - middle.mean(axis=1, keepdims=True)).ravel()
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b)
    return np.asarray(a @ b / np.maximum(scale, 1e-12))


def _extreme(part: np.ndarray) -> np.ndarray:
    """The value furthest from zero, with its sign, of each lead."""
    return np.asarray(part[np.arange(len(part)), np.abs(part).argmax(axis=1)])


def _between(flat: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """What is left between T and the next P, per lead: its standard deviation (fibrillation waves, noise)."""
    parts = []
    for a, b in pairwise(peaks):
        part = flat[:, a + round(0.6 * (b - a)) : a + round(0.8 * (b - a))]
        if part.shape[1] > 2:
            parts.append(part.std(axis=1))
    return np.median(parts, axis=0) if parts else np.zeros(len(flat))


def _powers(flat: np.ndarray, fs: float) -> np.ndarray:
    """Log10 of the power in each band, per lead."""
    spectrum = np.abs(np.fft.rfft(flat * np.hanning(flat.shape[-1]), axis=-1)) ** 2 / flat.shape[-1] ** 2
    hz = np.fft.rfftfreq(flat.shape[-1], 1 / fs)
    sums = [spectrum[:, (hz >= low) & (hz < high)].sum(axis=1) for low, high in BANDS_HZ]
    return np.asarray(np.log10(np.array(sums) + 1e-9))
