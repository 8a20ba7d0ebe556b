"""Signals as arrays: another sampling rate, another length. Pure; no reading, no judging."""

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
