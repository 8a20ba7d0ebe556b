"""`fingerprints`: short stretches about heart beats, of what all leads do together. Pure.

The size of the change of all leads together does not depend on their order, is scaled by the gain and takes
no notice of the baseline. About each of its peaks a stretch of three seconds, sampled at the peak's own
time and normalised, is the same in a copy that was rescaled, resampled, cropped or given another lead order.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

RATE_HZ = 100.0
"""The rate at which recordings are compared."""

_STEP_S, _SIDE = 0.04, 37
WIDTH = 2 * _SIDE + 1
"""Numbers in a fingerprint."""


@dataclass(frozen=True)
class Fingerprints:
    """Fingerprints of many recordings.

    Args:
        vectors: of unit length.
        rows: the recording that each belongs to.
        times_s: of its peak, from the recording's start.
        lines: of each recording, from which the fingerprints were cut, at `RATE_HZ`.
    """

    vectors: Float[np.ndarray, "print width"]
    rows: Int[np.ndarray, " print"]
    times_s: Float[np.ndarray, " print"]
    lines: Float[np.ndarray, "record time"]


def fingerprints(
    signals: Float[np.ndarray, "record lead time"], rows: Int[np.ndarray, " record"]
) -> Fingerprints:
    """Take the fingerprints of recordings.

    Args:
        signals: at `RATE_HZ`, any unit; zeros where there is no signal.
        rows: numbers of the recordings.
    """
    from scipy.signal import find_peaks

    change = _change(signals)
    vectors, owners, times = [], [], []
    offsets = np.arange(-_SIDE, _SIDE + 1) * _STEP_S * RATE_HZ
    for row, line in zip(rows, change, strict=True):
        high = np.percentile(line, 97)
        peaks, _ = find_peaks(line, height=0.4 * high, distance=round(0.25 * RATE_HZ))
        fine = _between_samples(line, peaks)
        fine = fine[(fine + offsets[0] >= 0) & (fine + offsets[-1] <= len(line) - 1)]
        if high <= 0 or not len(fine):
            continue
        at = fine[:, None] + offsets
        vectors.append(np.interp(at, np.arange(len(line)), line))
        owners.append(np.full(len(fine), row))
        times.append(fine / RATE_HZ)
    if not vectors:
        return Fingerprints(np.empty((0, WIDTH), np.float32), np.empty(0, np.int64), np.empty(0), change)
    stacked = np.concatenate(vectors)
    stacked -= stacked.mean(axis=1, keepdims=True)
    stacked /= np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12)
    return Fingerprints(
        stacked.astype(np.float32), np.concatenate(owners).astype(np.int64), np.concatenate(times), change
    )


def _change(signals: Float[np.ndarray, "record lead time"]) -> Float[np.ndarray, "record time"]:
    """Size of the change over 40 ms of all leads together, its root, smoothed over 80 ms."""
    lag = round(0.04 * RATE_HZ)
    ends = np.pad(signals, ((0, 0), (0, 0), (lag // 2, lag - lag // 2)), mode="edge")
    size = np.sqrt(np.sqrt(((ends[..., lag:] - ends[..., :-lag]) ** 2).sum(axis=1)))
    width = round(0.08 * RATE_HZ) | 1
    kernel = np.hanning(width + 2)[1:-1]
    kernel /= kernel.sum()
    padded = np.pad(size, ((0, 0), (width // 2, width // 2)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
    return np.asarray(windows @ kernel, dtype=np.float32)


def _between_samples(line: Float[np.ndarray, " time"], peaks: Int[np.ndarray, " peak"]) -> np.ndarray:
    """Times of peaks between the samples, by the parabola through three of them."""
    peaks = peaks[(peaks > 0) & (peaks < len(line) - 1)]
    left, middle, right = line[peaks - 1], line[peaks], line[peaks + 1]
    bend = left - 2 * middle + right
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend < 0, (left - right) / (2 * bend), 0.0)
    return np.asarray(peaks + np.clip(shift, -0.5, 0.5))
