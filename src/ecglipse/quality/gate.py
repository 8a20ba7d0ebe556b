"""`findings` and `check`: what is wrong with a recording, and whether it is kept out. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ecglipse.errors import RecordError
from ecglipse.quality.agreement import badness
from ecglipse.quality.limits import Limits

_DEFAULT = Limits()
_HINTS = {"amplitude": "the unit in the header may be wrong"}


@dataclass(frozen=True)
class Finding:
    """Something wrong with a recording.

    Args:
        reason: one of `REASONS`.
        message: what, with the leads and the value.
    """

    reason: str
    message: str


def check(
    signal: Float[np.ndarray, "lead time"], fs: float, leads: tuple[str, ...], *, limits: Limits = _DEFAULT
) -> tuple[Finding, ...]:
    """Refuse a recording that is not fit for use.

    Args:
        signal: mV.
        fs: Hz.
        leads: names of the rows of `signal`.
        limits: where the gate closes.

    Returns:
        What was found and is no reason to refuse it.

    Raises:
        RecordError: with the first reason of `limits.reject` that was found, naming the leads.
    """
    flags = []
    for finding in findings(signal, fs, leads, limits=limits):
        if finding.reason in limits.reject:
            raise RecordError(finding.message, reason=finding.reason, hint=_HINTS.get(finding.reason))
        flags.append(finding)
    return tuple(flags)


def findings(
    signal: Float[np.ndarray, "lead time"], fs: float, leads: tuple[str, ...], *, limits: Limits = _DEFAULT
) -> Iterator[Finding]:
    """Go through all that is wrong with a recording, the worst first; arguments as for `check`.

    After values that are no numbers nothing else is looked for.
    """
    bad = ~np.isfinite(signal)
    if bad.any():
        share = f"{bad.mean():.1%} of the recording is not a finite number"
        yield Finding("not-finite", f"lead {_names(leads, bad.any(axis=1))}: {share}")
        return
    low, high = signal.min(axis=1), signal.max(axis=1)
    yield from _sentinels(signal, low, high, leads, limits)
    flat: np.ndarray = high - low < limits.flat_mv
    yield from _amplitude(signal, low, high, limits)
    if flat.any():
        yield Finding("flat-lead", f"lead {_names(leads, flat)}: constant")
    yield from _plateaus(signal, fs, leads, limits, moving=~flat)
    yield from _algebra(signal, leads, limits)
    yield from _reversal(signal, fs, leads, limits)
    if len(leads) > 1 and (grade := badness(signal, fs)) > limits.noisy_above:
        yield Finding("noisy", f"the leads do not beat together: {grade:.2f}, at most {limits.noisy_above:g}")


def _sentinels(
    signal: np.ndarray, low: np.ndarray, high: np.ndarray, leads: tuple[str, ...], limits: Limits
) -> Iterator[Finding]:
    """A far-out value that comes up at least twice, to the bit, and apart from which the lead stays near."""
    far = np.maximum(high, -low) > limits.sentinel_mv
    for row in np.flatnonzero(far):
        lead = signal[row]
        extreme = high[row] if high[row] > -low[row] else low[row]
        coded = lead == extreme
        rest = lead[~coded]
        if coded.sum() >= 2 and rest.size and abs(extreme - np.median(rest)) > limits.sentinel_mv:
            near = np.abs(rest - np.median(rest)).max() < abs(extreme - np.median(rest)) / 2
            if near:
                yield Finding(
                    "sentinel",
                    f"lead {leads[row]}: {coded.sum()} samples of {extreme:g} mV are a code, not a voltage",
                )
                return


def _amplitude(signal: np.ndarray, low: np.ndarray, high: np.ndarray, limits: Limits) -> Iterator[Finding]:
    moving = high > low
    if moving.sum() <= len(signal) / 2:
        return
    span = float(np.median(np.subtract(*np.percentile(signal[moving], [99, 1], axis=1))))
    if not limits.smallest_mv <= span <= limits.largest_mv:
        yield Finding("amplitude", f"amplitude: leads span {span:g} mV (median), not a heart's voltage")


def _plateaus(
    signal: np.ndarray,
    fs: float,
    leads: tuple[str, ...],
    limits: Limits,
    *,
    moving: Bool[np.ndarray, " lead"],
) -> Iterator[Finding]:
    """Stretches of one value: long at an extreme, long anywhere, many short ones at the extremes."""
    middle = np.median(signal, axis=1)
    found: dict[str, list[tuple[str, float]]] = {"saturated": [], "stuck": [], "clipped": []}
    for row in np.flatnonzero(moving):
        starts, lengths = _runs(signal[row])
        values = signal[row][starts]
        seconds = lengths / fs
        far = np.abs(values - middle[row]) >= limits.saturated_mv
        extreme = ((values == values.max()) | (values == values.min())) & far
        at_extreme = float(seconds[extreme].max(initial=0))
        together = float(seconds[extreme & (lengths >= 3)].sum())
        if at_extreme > limits.saturated_s:
            found["saturated"].append((leads[row], at_extreme))
        elif together > limits.clipped_s:
            found["clipped"].append((leads[row], together))
        elif seconds.max(initial=0) > limits.stuck_s:
            found["stuck"].append((leads[row], float(seconds.max())))
    said = {"saturated": "stays at its extreme for", "stuck": "stays at one value for",
            "clipped": "has its peaks cut off for, together,"}  # fmt: skip
    for reason, rows in found.items():
        if rows:
            named = ", ".join(lead for lead, _ in rows)
            yield Finding(reason, f"lead {named}: {said[reason]} {max(s for _, s in rows):.2f} s")


def _algebra(signal: np.ndarray, leads: tuple[str, ...], limits: Limits) -> Iterator[Finding]:
    """I + III = II and aVR + aVL + aVF = 0, baselines apart, where those leads are there."""
    at = {lead: row for row, lead in enumerate(leads)}
    sums = []
    if {"I", "II", "III"} <= at.keys():
        sums.append(("I + III - II", signal[at["I"]] + signal[at["III"]] - signal[at["II"]]))
    if {"aVR", "aVL", "aVF"} <= at.keys():
        sums.append(("aVR + aVL + aVF", signal[at["aVR"]] + signal[at["aVL"]] + signal[at["aVF"]]))
    if not sums:
        return
    limb = [row for lead, row in at.items() if not lead.startswith("V")]
    span = float(np.median(np.subtract(*np.percentile(signal[limb], [99.5, 0.5], axis=1))))
    most = max(limits.algebra_mv, limits.algebra_share * span)
    for what, rest in sums:
        off = float(np.percentile(np.abs(rest - np.median(rest)), 99))
        if off > most:
            yield Finding("lead-algebra", f"{what} is {off:.2g} mV off, at most {most:.2g} mV")
            return


def _reversal(signal: np.ndarray, fs: float, leads: tuple[str, ...], limits: Limits) -> Iterator[Finding]:
    """Leads I and V6 look at the heart from the left: their QRS complexes go the same way."""
    if not {"I", "V6"} <= set(leads):
        return
    one, six = signal[leads.index("I")], signal[leads.index("V6")]
    lag = max(round(0.02 * fs), 1)
    steep_one, steep_six = one[lag:] - one[:-lag], six[lag:] - six[:-lag]
    power = np.abs(steep_one) * np.abs(steep_six)
    among = power >= np.percentile(power, 95)
    norm = float(np.sqrt((steep_one[among] ** 2).sum() * (steep_six[among] ** 2).sum()))
    if norm == 0:
        return
    together = float((steep_one[among] * steep_six[among]).sum() / norm)
    if together < limits.reversed_below:
        yield Finding("reversed-arms", f"leads I and V6 go against each other ({together:.2f})")


def _runs(values: Float[np.ndarray, " time"]) -> tuple[np.ndarray, np.ndarray]:
    """Starts and lengths of the stretches of equal values, in order."""
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return starts, np.diff(np.append(starts, len(values)))


def _names(leads: tuple[str, ...], which: np.ndarray) -> str:
    return ", ".join(name for name, chosen in zip(leads, which, strict=True) if chosen)
