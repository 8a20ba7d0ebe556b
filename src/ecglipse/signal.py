"""Signals as arrays: another sampling rate, another length. Pure; no reading, no judging."""

from fractions import Fraction

import numpy as np
from jaxtyping import Float


def resample(
    signal: Float[np.ndarray, "lead time"], fs: float, to_fs: float
) -> Float[np.ndarray, "lead new"]:
    """Change the sampling rate, with anti-aliasing.

    Polyphase filtering with the edges extended along the line through first and last sample, so that an
    offset leaves no step there (zero padding, SciPy's default, puts 25 % of it into the edges).

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
    wanted = round(signal.shape[-1] * to_fs / fs)
    changed = resample_poly(signal, ratio.numerator, ratio.denominator, axis=-1, padtype="line")
    if changed.shape[-1] < wanted:
        changed = np.pad(changed, ((0, 0), (0, wanted - changed.shape[-1])), mode="edge")
    return np.ascontiguousarray(changed[..., :wanted], dtype=np.float32)


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
