"""`beat_agreement`: whether the leads beat together, and what that says of a recording's quality. Pure."""

import numpy as np
from jaxtyping import Float

_LAG_S, _BIN_S = 0.03, 0.05


def beat_agreement(signal: Float[np.ndarray, "lead time"], fs: float) -> Float[np.ndarray, " lead"]:
    """Correlate each lead's activity with that of all the others.

    Activity is the change over 30 ms, averaged in bins of 50 ms: large in QRS complexes, small between. All
    electrodes see the same heart, so a lead that is active at other times shows something else: a loose
    electrode, motion, noise. There is no delineator in it that could fail, and nothing to be trained.

    Args:
        signal: any unit, finite.
        fs: Hz.

    Returns:
        -1 to 1 per lead; 0 for a lead without activity.
    """
    activity = _activity(signal, fs)
    activity = activity - activity.mean(axis=-1, keepdims=True)
    spread = activity.std(axis=-1, keepdims=True)
    own = np.divide(activity, spread, out=np.zeros_like(activity), where=spread > 1e-6)
    others = own.sum(axis=0) - own
    others -= others.mean(axis=-1, keepdims=True)
    spread = others.std(axis=-1, keepdims=True)
    others = np.divide(others, spread, out=np.zeros_like(others), where=spread > 1e-6)
    return np.asarray((own * others).mean(axis=-1), dtype=np.float64)


def badness(signal: Float[np.ndarray, "lead time"], fs: float) -> float:
    """Grade a recording: 1 less the mean of its worst and its average lead's `beat_agreement`.

    Returns:
        0 (all leads beat together) to 2. Against the graders of CinC 2011 set-a: see docs/data.md.
    """
    agreement = beat_agreement(signal, fs)
    return float(1 - (agreement.min() + agreement.mean()) / 2)


def _activity(signal: Float[np.ndarray, "lead time"], fs: float) -> Float[np.ndarray, "lead bin"]:
    """Mean absolute change over 30 ms, in bins of 50 ms; fast rates are averaged to 100 Hz first."""
    step = max(round(fs * 0.01), 1)
    coarse = _binned(signal.astype(np.float64), step)
    rate = fs / step
    lag = max(round(_LAG_S * rate), 1)
    if coarse.shape[-1] <= lag:
        return np.zeros((len(signal), 1))
    return _binned(np.abs(coarse[:, lag:] - coarse[:, :-lag]), max(round(_BIN_S * rate), 1))


def _binned(rows: Float[np.ndarray, "lead time"], size: int) -> Float[np.ndarray, "lead bin"]:
    """Averages of `size` neighbours; a rest shorter than a bin is left out."""
    if size == 1:
        return rows
    bins = rows.shape[-1] // size
    return np.asarray(rows[:, : bins * size].reshape(len(rows), bins, size).mean(axis=-1))
