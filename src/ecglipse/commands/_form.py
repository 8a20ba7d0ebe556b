"""`Form`: the form that `prepare` brings recordings to, checked before anything is read."""

import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ecglipse.errors import ConfigError, RecordError
from ecglipse.leads import LEADS, canonical
from ecglipse.quality import Limits, limits_from
from ecglipse.records.reading import Reading, unit_mv
from ecglipse.signal import Filters


@dataclass(frozen=True)
class Form:
    """The form that every recording is brought to.

    Args:
        fs: rate of the store, Hz.
        duration_s: length of every row, s.
        leads: names, in order.
        windows: "centre": the middle of a longer recording; "all": as many windows as it has room for.
        overlap: share of a window that the next one repeats, with "all".
        short: what happens to a shorter recording: "reject", or "pad" with zeros that are flagged.
        missing: what happens to one without some lead: "reject", or "zero" with the lead flagged.
        filters: before cutting and resampling.
        limits: of the quality gate.
    """

    fs: float = 100.0
    duration_s: float = 10.0
    leads: tuple[str, ...] = LEADS
    windows: Literal["centre", "all"] = "centre"
    overlap: float = 0.0
    short: Literal["reject", "pad"] = "reject"
    missing: Literal["reject", "zero"] = "reject"
    filters: Filters = field(default_factory=Filters)
    limits: Limits = field(default_factory=Limits)

    @property
    def n_samples(self) -> int:
        """Samples of a row."""
        return round(self.fs * self.duration_s)


def form_of(
    *,
    leads: str | None = None,
    highpass_hz: float | None = None,
    lowpass_hz: float | None = None,
    notch_hz: float | None = None,
    baseline: bool = False,
    quality: Path | None = None,
    fs: float = 100.0,
    duration_s: float = 10.0,
    windows: Literal["centre", "all"] = "centre",
    overlap: float = 0.0,
    short: Literal["reject", "pad"] = "reject",
    missing: Literal["reject", "zero"] = "reject",
) -> Form:
    """Make a form from what the command line gives, in the words of its options.

    Args:
        leads: names with commas between; None: the twelve.
        highpass_hz: see `Filters`, as for the next three.
        lowpass_hz: see `Filters`.
        notch_hz: see `Filters`.
        baseline: see `Filters`.
        quality: TOML file of `Limits`.
        fs: see `Form`, as for the rest.
        duration_s: see `Form`.
        windows: see `Form`.
        overlap: see `Form`.
        short: see `Form`.
        missing: see `Form`.

    Raises:
        ConfigError: naming the option and its value.
    """
    for name, value in {"fs": fs, "duration-s": duration_s}.items():
        if not (value > 0 and math.isfinite(value)):
            raise ConfigError(f"--{name} must be > 0; got {value}")
    if round(fs * duration_s) < 1:
        raise ConfigError(f"--fs {fs:g} Hz and --duration-s {duration_s:g} s give records without a sample")
    if not 0 <= overlap < 1:
        raise ConfigError(f"--overlap must be >= 0 and < 1; got {overlap}")
    for name, hz in {"highpass-hz": highpass_hz, "lowpass-hz": lowpass_hz, "notch-hz": notch_hz}.items():
        if hz is not None and not (hz > 0 and math.isfinite(hz)):
            raise ConfigError(f"--{name} must be > 0; got {hz}")
    return Form(
        fs=float(fs),
        duration_s=float(duration_s),
        leads=LEADS if leads is None else _leads(leads),
        windows=windows,
        overlap=overlap,
        short=short,
        missing=missing,
        filters=Filters(highpass_hz, lowpass_hz, notch_hz, baseline),
        limits=Limits() if quality is None else _limits(quality),
    )


def reading_of(
    *, unit: str | None, fs: float | None, leads: str | None, dataset: str | None = None
) -> Reading:
    """Make a `Reading` from what the command line gives.

    Raises:
        ConfigError: naming the option and its value.
    """
    if unit is not None and unit_mv(unit) is None:
        raise ConfigError(f"--unit {unit}: is not one of mV, uV, V, nV, nor a number of them such as 0.5mV")
    if fs is not None and not 50 <= fs <= 10_000:
        raise ConfigError(f"--source-fs must be 50 to 10000 Hz; got {fs}")
    return Reading(unit, fs, None if leads is None else _leads(leads, option="--source-leads"), dataset)


def _leads(text: str, *, option: str = "--leads") -> tuple[str, ...]:
    try:
        names = tuple(canonical(name) for name in text.split(","))
    except RecordError as error:
        raise ConfigError(f"{option}: {error.message}", hint=error.hint) from None
    if len(set(names)) < len(names):
        raise ConfigError(f"{option} must name each lead once; got {text}")
    return names


def _limits(path: Path) -> Limits:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    return limits_from(values, where=str(path))
