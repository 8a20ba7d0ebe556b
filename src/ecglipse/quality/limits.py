"""`Limits`: the thresholds of the quality gate, and what happens to a recording that passes one."""

import dataclasses
import difflib
import math
from collections.abc import Mapping
from typing import Any

from ecglipse.errors import ConfigError

REASONS: dict[str, str] = {
    "not-finite": "values that are no numbers, or that the file marks as lost",
    "sentinel": "samples that are a code and no voltage",
    "amplitude": "not a heart's voltages in millivolts: a wrong unit",
    "flat-lead": "a lead without signal",
    "saturated": "a lead that stays at its extreme",
    "stuck": "a lead that stays at one value for a while",
    "clipped": "a lead whose peaks are cut off",
    "lead-algebra": "limb leads that contradict I + III = II: names mixed up, or not one recording",
    "reversed-arms": "lead I against lead V6: right and left arm may be exchanged (or dextrocardia)",
    "noisy": "leads that do not beat together",
}
"""What the gate looks for; the words are the reasons in `rejects.jsonl` and the flags in the table."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """Where the gate closes.

    Args:
        reject: reasons that keep a recording out; every other finding is a flag in the store's table.
        flat_mv: a lead whose values span less than this is flat, mV.
        sentinel_mv: a value this far from the lead's median that comes up again and again is a code, mV.
        saturated_s: longest stretch that may stay at a lead's extreme value, s; a clipped amplifier stays
            longer, a pacing spike or a T wave's top does not.
        saturated_mv: only extremes this far from the lead's median count, mV.
        stuck_s: longest stretch that may stay at one value, s.
        clipped_s: time that plateaus at the extremes may take together, s.
        largest_mv: a median span over leads above this is not millivolts (microvolts read as millivolts).
        smallest_mv: one below this is not either (volts read as millivolts).
        algebra_mv: largest |I + III - II| and |aVR + aVL + aVF|, mV, ...
        algebra_share: ... or this share of the limb leads' span, if that is more (rounding, filters).
        reversed_below: correlation of I and V6 in their QRS complexes below which the arms may be exchanged.
        noisy_above: largest `badness`, 0 to 2. 0.5 keeps 94 % of what CinC 2011 grades acceptable and finds
            80 % of the rest.
    """

    reject: tuple[str, ...] = ("not-finite", "sentinel", "amplitude", "flat-lead", "saturated")
    flat_mv: float = 0.001
    sentinel_mv: float = 20.0
    saturated_s: float = 0.2
    saturated_mv: float = 1.0
    stuck_s: float = 1.0
    clipped_s: float = 0.1
    largest_mv: float = 50.0
    smallest_mv: float = 0.02
    algebra_mv: float = 0.05
    algebra_share: float = 0.1
    reversed_below: float = -0.5
    noisy_above: float = 0.5


def limits_from(values: Mapping[str, Any], *, where: str) -> Limits:
    """Check a table of limits, as a TOML file gives it.

    Args:
        values: any of the fields of `Limits`.
        where: begins the messages.

    Raises:
        ConfigError: naming every key that is unknown and every value that is none.
    """
    known = {field.name: field for field in dataclasses.fields(Limits)}
    faults: list[str] = []
    good: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            faults.append(f"{key}: no such limit" + (f"; did you mean {near[0]!r}?" if near else ""))
        elif key == "reject":
            unknown = (
                [reason for reason in value if reason not in REASONS] if isinstance(value, list) else [value]
            )
            faults += [f"reject: {reason!r} is not one of {', '.join(REASONS)}" for reason in unknown]
            good[key] = tuple(value) if isinstance(value, list) else ()
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            faults.append(f"{key}: must be a number; got {value!r}")
        elif value < 0 and key != "reversed_below":
            faults.append(f"{key}: must be >= 0; got {value}")
        else:
            good[key] = float(value)
    if faults:
        raise ConfigError(f"{where}: " + "; ".join(faults), hint=f"limits are {', '.join(known)}")
    return Limits(**good)
