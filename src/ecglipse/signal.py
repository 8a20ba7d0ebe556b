"""Signals as arrays: another sampling rate, another length, filters. Pure; no reading, no judging."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float


def resample(
    signal: Float[np.ndarray, "lead time"], fs: float, to_fs: float
) -> Float[np.ndarray, "lead new"]:
    """Change the sampling rate, with anti-aliasing.

    Polyphase filtering of what is left when the line through each lead's first and last sample is taken off;
    the line is put back at the new times. So an offset or a drift comes through exactly and leaves no step at
    the edges (with zero padding, SciPy's default, 25 % of an offset goes into them), and the small unlike
    gains of the filter's phases act on the rest only.

    Args:
        signal: any unit.
        fs: its rate, Hz.
        to_fs: rate to give, Hz.

    Returns:
        float32 of round(time * to_fs / fs) samples; the signal itself if the rates are equal.

    Raises:
        ValueError: if a rate is not positive, or their ratio is not one of integers up to 10,000.
    """
    if not (fs > 0 and to_fs > 0):
        raise ValueError(f"`fs` and `to_fs` must be > 0; got {fs} and {to_fs}")
    if fs == to_fs:
        return signal
    from scipy.signal import resample_poly

    ratio = Fraction(to_fs / fs).limit_denominator(10_000)
    if abs(float(ratio) * fs / to_fs - 1) > 1e-6:
        raise ValueError(f"`to_fs` / `fs` must be a ratio of integers up to 10,000; got {to_fs} / {fs}")
    time = signal.shape[-1]
    wanted = round(time * to_fs / fs)
    first = signal[..., :1].astype(np.float64)
    slope = (signal[..., -1:] - first) / max(time - 1, 1)
    rest = np.asarray(signal - (first + slope * np.arange(time)), dtype=np.float32)
    changed = resample_poly(rest, ratio.numerator, ratio.denominator, axis=-1)[..., :wanted]
    line = first + slope * (np.arange(changed.shape[-1]) * (fs / to_fs))
    return np.ascontiguousarray(changed + line, dtype=np.float32)


def centre_window(
    signal: Float[np.ndarray, "lead time"], n_samples: int
) -> tuple[Float[np.ndarray, "lead {n_samples}"], int]:
    """Give the middle `n_samples` of a signal and the sample it starts at.

    Raises:
        ValueError: if the signal is shorter than that.
    """
    if signal.shape[-1] < n_samples:
        raise ValueError(f"`signal` must have at least {n_samples} samples; got {signal.shape[-1]}")
    start = (signal.shape[-1] - n_samples) // 2
    return signal[..., start : start + n_samples], start


def without_padding(
    signal: Float[np.ndarray, "lead time"], *, least: int = 1
) -> Float[np.ndarray, "lead inner"]:
    """Cut off the zeros that some corpora put before and after a recording: no voltage, and no signal.

    Args:
        signal: any unit.
        least: a stretch at an end in which all leads are exactly 0 is padding if it has so many samples; a
            filtered recording may begin at 0.

    Returns:
        What is between; without a sample if all of it is 0.
    """
    held = np.flatnonzero((signal != 0).any(axis=0))
    if not held.size:
        return signal[:, :0]
    start, stop = int(held[0]), int(held[-1]) + 1
    return signal[:, start if start >= least else 0 : stop if signal.shape[1] - stop >= least else None]


@dataclass(frozen=True)
class Filters:
    """What is filtered out of a recording, before it is cut and resampled; by default nothing.

    Args:
        highpass_hz: Butterworth of second order, forwards and backwards, so without delay: -6 dB there.
        lowpass_hz: the same.
        notch_hz: powerline, 50 or 60 Hz: a notch of quality 30, forwards and backwards.
        baseline: take off the baseline: what a running median of 0.2 s and one of 0.6 s over it leave.
            Source: de Chazal et al. 2004, IEEE Trans Biomed Eng 51:1196, section II.B.
    """

    highpass_hz: float | None = None
    lowpass_hz: float | None = None
    notch_hz: float | None = None
    baseline: bool = False

    def sentences(self) -> list[str]:
        """Say it, for the manifest."""
        said = ["baseline taken off (running medians of 0.2 and 0.6 s)"] if self.baseline else []
        for hz, kind in ((self.highpass_hz, "high-pass"), (self.lowpass_hz, "low-pass")):
            said += [f"{kind} filter at {hz:g} Hz (Butterworth, order 2, zero phase)"] if hz else []
        return said + ([f"notch at {self.notch_hz:g} Hz (Q 30, zero phase)"] if self.notch_hz else [])


def filtered(
    signal: Float[np.ndarray, "lead time"], fs: float, filters: Filters
) -> Float[np.ndarray, "lead time"]:
    """Filter a recording without delay; the signal itself if there is nothing to do.

    Args:
        signal: any unit, finite.
        fs: Hz. A low-pass or a notch at or above fs / 2 has nothing to do.
        filters: which.

    Raises:
        ValueError: if a frequency is not positive, or the high-pass is not below fs / 2.
    """
    for name in ("highpass_hz", "lowpass_hz", "notch_hz"):
        hz = getattr(filters, name)
        if hz is not None and not hz > 0:
            raise ValueError(f"`{name}` must be > 0; got {hz}")
    if filters.highpass_hz is not None and filters.highpass_hz >= fs / 2:
        raise ValueError(f"`highpass_hz` must be below fs / 2 = {fs / 2:g}; got {filters.highpass_hz}")
    if filters.baseline:
        signal = signal - _baseline(signal, fs)
    from scipy.signal import butter, iirnotch, sosfiltfilt, tf2sos

    stages = []
    if filters.highpass_hz is not None:
        stages.append(butter(2, filters.highpass_hz, "highpass", fs=fs, output="sos"))
    if filters.lowpass_hz is not None and filters.lowpass_hz < fs / 2:
        stages.append(butter(2, filters.lowpass_hz, "lowpass", fs=fs, output="sos"))
    if filters.notch_hz is not None and filters.notch_hz < fs / 2:
        stages.append(tf2sos(*iirnotch(filters.notch_hz, 30.0, fs=fs)))
    for sos in stages:
        pad = min(round(3 * fs), signal.shape[-1] - 1)
        signal = sosfiltfilt(sos, signal.astype(np.float64), axis=-1, padtype="odd", padlen=pad)
    return np.asarray(signal, dtype=np.float32)


def _baseline(signal: Float[np.ndarray, "lead time"], fs: float) -> Float[np.ndarray, "lead time"]:
    from scipy.ndimage import median_filter

    short, long = (2 * round(seconds * fs / 2) + 1 for seconds in (0.2, 0.6))
    return np.asarray(
        median_filter(median_filter(signal, (1, short), mode="nearest"), (1, long), mode="nearest")
    )
