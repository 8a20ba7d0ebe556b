"""What can be said of each view in a config: its name, parameters with units, and defaults. No torch.

One class a view, with the very keywords of the view's function (a test compares them). `[[views.extra]]` of a
config is a list of these.
"""

import math
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
_LIMBS, _CHEST = {"RA", "LA", "LL"}, {f"V{number}" for number in range(1, 7)}
Leads = Literal["independent", "electrodes", "each", "common"]


class ViewSettings(BaseModel):
    """What all views have."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    probability: Share = 1.0
    """Chance that a record gets it."""
    sides: Literal["both", "first", "second"] = "both"
    """Which of the two views of a record get it."""


class Noise(ViewSettings):
    """What all kinds of noise have."""

    leads: Leads = "independent"
    """Where it comes in: the eight independent leads, the nine electrodes (lead algebra is kept by both),
    each lead, or one noise common to all (it is broken by both)."""


class Gaussian(Noise):
    """White noise."""

    name: Literal["gaussian"]
    sigma_mv: NotNegative = 0.05
    """Largest standard deviation, mV."""


class Wander(Noise):
    """Baseline wander: three slow sinusoids."""

    name: Literal["wander"]
    amplitude_mv: NotNegative = 0.2
    """Largest standard deviation in the mean square over leads, mV; a lead's own is above it or below."""
    low_hz: NotNegative = 0.05
    """Lowest frequency, Hz."""
    high_hz: Positive = 0.5
    """Highest frequency, Hz; below half the rate."""

    @model_validator(mode="after")
    def _in_order(self) -> "Wander":
        if self.low_hz > self.high_hz:
            raise ValueError(f"`low_hz` must be at most `high_hz` = {self.high_hz:g}; is {self.low_hz:g}")
        return self


class Shift(Noise):
    """A step of the baseline over one stretch."""

    name: Literal["shift"]
    amplitude_mv: NotNegative = 0.25
    """Largest step, mV."""
    length_s: NotNegative = 2.0
    """Length of the stretch on average, s."""
    sizes: Literal["uniform", "published"] = "uniform"
    """uniform: within the largest; published: +-1 - U(0, 1/4) of it, a slip, never small."""


class Powerline(Noise):
    """Mains hum; needs a rate above twice its frequency."""

    name: Literal["powerline"]
    amplitude_mv: NotNegative = 0.1
    """Largest amplitude, mV."""
    hz: Annotated[tuple[Positive, ...], Field(min_length=1)] = (50.0, 60.0)
    """Frequencies of mains, one of which a record gets, Hz."""


class Emg(Noise):
    """Muscle noise: white above a frequency, swelling and fading; needs a rate above twice that."""

    name: Literal["emg"]
    amplitude_mv: NotNegative = 0.05
    """Largest standard deviation where it is strongest, mV."""
    cut_hz: NotNegative = 20.0
    """What lies below is left out, Hz."""
    swell_s: NotNegative = 1.0
    """Seconds from one strength to the next, at most; 0: one strength."""


class Gain(ViewSettings):
    """One factor on all leads of a record."""

    name: Literal["gain"]
    largest: Annotated[float, Field(ge=1)] = 1.2
    """Largest factor; log-uniform from its inverse."""


class PointMask(ViewSettings):
    """Samples set to 0 by chance."""

    name: Literal["mask"]
    share: Share = 0.2
    """Chance of each sample."""


class BlockMask(ViewSettings):
    """One stretch set to 0."""

    name: Literal["block-mask"]
    length_s: NotNegative = 2.0
    """Length of the stretch, s; shorter than the record."""
    leads: Literal["each", "all"] = "each"
    """A stretch for each lead, or the same for all."""


class LeadMask(ViewSettings):
    """Leads set to 0 by chance; one stays."""

    name: Literal["lead-mask"]
    share: Share = 0.5
    """Chance of each lead."""


class LeadSubset(ViewSettings):
    """A random set of leads kept, the others set to 0."""

    name: Literal["lead-subset"]
    fewest: Annotated[int, Field(ge=1, le=12)] = 1
    """Leads kept, at least."""
    most: Annotated[int, Field(ge=1, le=12)] = 12
    """Leads kept, at most; all where there are fewer."""

    @field_validator("most")
    @classmethod
    def _in_order(cls, most: int, info: object) -> int:
        fewest = getattr(info, "data", {}).get("fewest", 1)
        if most < fewest:
            raise ValueError(f"`most` is below `fewest` = {fewest}")
        return most


class PeakMask(ViewSettings):
    """What rises above the record's level set to 0, or all else."""

    name: Literal["peak-mask"]
    keep: Literal["peaks", "rest", "either"] = "either"
    """What stays; either: drawn for each record."""


class Fourier(ViewSettings):
    """Each frequency of each moment times a number from a Beta distribution."""

    name: Literal["fourier"]
    alpha: Positive = 5.0
    """Of Beta(alpha, beta); the mean factor is alpha / (alpha + beta)."""
    beta: Positive = 2.0
    """Likewise."""
    window_s: Positive = 2.0
    """Length of a moment, s; four samples at least."""
    leads: Literal["each", "all"] = "all"
    """Numbers for each lead, or the same for all (lead algebra is kept)."""


class PhaseSurrogate(ViewSettings):
    """The phase of each frequency turned by a random angle, the same in all leads."""

    name: Literal["phase-surrogate"]
    phase_rad: Annotated[float, Field(ge=0, le=math.pi)] = math.pi
    """Largest angle, radians."""


class ThreeKG(ViewSettings):
    """3KG: the heart's dipole turned and stretched, the rest kept."""

    name: Literal["3kg"]
    angle_deg: Annotated[float, Field(ge=0, le=180)] = 45.0
    """Largest of each Euler angle, degrees."""
    scale: Annotated[float, Field(ge=1)] = 1.5
    """Largest stretch of each axis."""


class ThreeKGProjection(ViewSettings):
    """3KG as published with Bo et al. 2022: what is not dipole is lost."""

    name: Literal["3kg-projection"]
    angle_deg: Annotated[float, Field(ge=0, le=180)] = 45.0
    """Largest of each Euler angle, degrees."""
    scale: Annotated[float, Field(ge=1)] = 1.5
    """Largest stretch of each axis."""


class CropResize(ViewSettings):
    """A piece of the record stretched to its length."""

    name: Literal["crop-resize"]
    least: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Smallest share of the record that is kept."""


class TimeWarp(ViewSettings):
    """Time that runs faster here and slower there."""

    name: Literal["time-warp"]
    fastest: Annotated[float, Field(ge=1)] = 1.1
    """Largest speed of a knot, log-uniform from its inverse, before all are scaled so that the record's ends
    stay; a record's own speed is at most the square of it."""
    knot_s: Positive = 1.0
    """Seconds from one speed to the next, at most."""


class ElectrodeSwap(ViewSettings):
    """Two electrodes exchanged."""

    name: Literal["electrode-swap"]
    pairs: Annotated[tuple[str, ...], Field(min_length=1)] = (
        *("RA-LA", "RA-LL", "LA-LL", "V1-V2", "V2-V3", "V3-V4", "V4-V5", "V5-V6"),
    )
    """Exchanges to choose from."""

    @field_validator("pairs")
    @classmethod
    def _known(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        for pair in pairs:
            one, _, other = pair.partition("-")
            if one == other or not ({one, other} <= _LIMBS or {one, other} <= _CHEST):
                raise ValueError(f"{pair!r} is not two limbs or two chest electrodes, such as 'RA-LA'")
        return pairs


class ChestShift(ViewSettings):
    """Chest electrodes moved along the chest."""

    name: Literal["chest-shift"]
    most: Share = 0.3
    """Largest shift, in distances between neighbours."""


class MinMax(ViewSettings):
    """Lowest sample to 0, highest to 1."""

    name: Literal["min-max"]
    per: Literal["record", "lead"] = "record"
    """One scale for a record, or one a lead."""


class ZScore(ViewSettings):
    """Mean 0, standard deviation 1."""

    name: Literal["z-score"]
    per: Literal["record", "lead"] = "record"
    """One scale for a record, or one a lead."""


class Robust(ViewSettings):
    """Median 0, interquartile range 1."""

    name: Literal["robust"]
    per: Literal["record", "lead"] = "record"
    """One scale for a record, or one a lead."""


AnyView = Annotated[
    Gaussian
    | Wander
    | Shift
    | Powerline
    | Emg
    | Gain
    | PointMask
    | BlockMask
    | LeadMask
    | LeadSubset
    | PeakMask
    | Fourier
    | PhaseSurrogate
    | ThreeKG
    | ThreeKGProjection
    | CropResize
    | TimeWarp
    | ElectrodeSwap
    | ChestShift
    | MinMax
    | ZScore
    | Robust,
    Field(discriminator="name"),
]
"""Settings of any view, told apart by `name`."""

SETTINGS: dict[str, type[ViewSettings]] = {
    get_args(kind.model_fields["name"].annotation)[0]: kind for kind in get_args(get_args(AnyView)[0])
}
"""The class of each view's settings by name."""
