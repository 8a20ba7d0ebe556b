"""The quality gate: recordings that no encoder should learn from, refused with a reason. Pure."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ecglipse.errors import RecordError


@dataclass(frozen=True)
class Limits:
    """Where the gate closes.

    Args:
        flat_mv: a lead whose values span less than this is flat, mV.
        saturated_s: longest stretch that may stay at a lead's extreme value, s; a clipped amplifier stays
            longer, a pacing spike or a T wave's top does not.
        saturated_mv: only extremes this far from the lead's median count, mV.
        largest_mv: a median span over leads above this is not millivolts (microvolts read as millivolts).
        smallest_mv: one below this is not either (volts read as millivolts).
    """

    flat_mv: float = 0.001
    saturated_s: float = 0.2
    saturated_mv: float = 1.0
    largest_mv: float = 50.0
    smallest_mv: float = 0.02


def check(
    signal: Float[np.ndarray, "lead time"], fs: float, leads: tuple[str, ...], *, limits: Limits | None = None
) -> None:
    """Refuse a recording that is not fit for use.

    Args:
        signal: mV.
        fs: Hz.
        leads: names of the rows of `signal`.
        limits: by default as documented there.

    Raises:
        RecordError: reason "not-finite", "flat-lead", "amplitude" or "saturated", naming the leads.
    """
    limits = limits or Limits()
    bad = ~np.isfinite(signal)
    if bad.any():
        named = _names(leads, bad.any(axis=1))
        raise RecordError(
            f"lead {named}: {bad.mean():.1%} of the recording is not a finite number", reason="not-finite"
        )
    low, high = signal.min(axis=1), signal.max(axis=1)
    moving = high > low
    span = (
        float(np.median(np.subtract(*np.percentile(signal[moving], [99, 1], axis=1)))) if moving.any() else 0
    )
    if moving.sum() > len(leads) / 2 and not limits.smallest_mv <= span <= limits.largest_mv:
        raise RecordError(
            f"amplitude: leads span {span:g} mV (median), not a heart's voltage",
            reason="amplitude",
            hint="the unit in the header may be wrong",
        )
    flat = high - low < limits.flat_mv
    if flat.any():
        raise RecordError(f"lead {_names(leads, flat)}: constant", reason="flat-lead")
    middle = np.median(signal, axis=1)
    longest = np.array(
        [
            max(
                _longest_run(row == extreme) if abs(extreme - centre) >= limits.saturated_mv else 0
                for extreme in (bottom, top)
            )
            for row, bottom, top, centre in zip(signal, low, high, middle, strict=True)
        ]
    )
    saturated = longest > limits.saturated_s * fs
    if saturated.any():
        raise RecordError(
            f"lead {_names(leads, saturated)}: stays at its extreme for {longest.max() / fs:.2f} s",
            reason="saturated",
        )


def _names(leads: tuple[str, ...], which: np.ndarray) -> str:
    return ", ".join(name for name, chosen in zip(leads, which, strict=True) if chosen)


def _longest_run(is_on: np.ndarray) -> int:
    """Length of the longest stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_on, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
