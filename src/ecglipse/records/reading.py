"""`Reading`: what a file of numbers does not say of itself, and its user must. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from ecglipse.errors import RecordError

PER_MILLIVOLT: dict[str, float] = {"mV": 1.0, "uV": 1e3, "µV": 1e3, "μV": 1e3, "V": 1e-3, "nV": 1e6}
"""Units by name, and how many of them are a millivolt."""

_UNIT = re.compile(r"([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,2})?)?(mV|uV|µV|μV|V|nV)")


@dataclass(frozen=True)
class Reading:
    """What the user says of files that do not say it themselves.

    Args:
        unit: a key of `PER_MILLIVOLT`, or a number of it such as "0.5mV" or "1e-4V".
        fs: Hz.
        leads: canonical names, in the order of the columns or rows.
        dataset: name of the one that holds the recordings, in a file of several (HDF5).
    """

    unit: str | None = None
    fs: float | None = None
    leads: tuple[str, ...] | None = None
    dataset: str | None = None


def unit_mv(text: str) -> float | None:
    """How many millivolts a unit is, by its name and the number before it; None if it is no unit."""
    parts = _UNIT.fullmatch(text)
    if parts is None:
        return None
    value = float(parts[1] or 1.0) / PER_MILLIVOLT[parts[2]]
    return value if 1e-9 <= value <= 1e6 else None


def millivolts_per(unit: str | None, *, where: str) -> float:
    """How many mV one unit is.

    Raises:
        RecordError: reason "unit", if nobody said which unit it is, or there is none of that name.
    """
    if unit is None:
        raise RecordError(
            f"{where}: nothing says which unit its numbers have",
            reason="unit",
            hint="say it with `--unit mV`, `--unit uV` or `--unit V`; amplitudes are never guessed",
        )
    value = unit_mv(unit)
    if value is None:
        raise RecordError(f"{where}: unit {unit:.20} is not one of mV, uV, V, nV", reason="unit")
    return value


def rate(fs: float | None, *, where: str) -> float:
    """The sampling rate, Hz.

    Raises:
        RecordError: reason "header", if nobody said it, or it cannot be one.
    """
    if fs is None:
        raise RecordError(
            f"{where}: nothing says how many samples a second it has",
            reason="header",
            hint="say it with `--source-fs 500`; rates are never guessed",
        )
    if not 50 <= fs <= 10_000:
        raise RecordError(f"{where}: rate {fs:g}, 50 to 10000 Hz expected", reason="header")
    return float(fs)


_SEXES: dict[str, Literal["female", "male"]] = {
    "f": "female", "female": "female", "w": "female", "m": "male", "male": "male"
}  # fmt: skip


def sex_of(word: object) -> Literal["female", "male"] | None:
    """The sex that a word of a file stands for, whatever its case; None for every other word."""
    return _SEXES.get(str(word).strip().lower())
