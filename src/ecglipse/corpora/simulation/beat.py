"""One heart beat as a moving dipole: sums of two-sided Gaussians, drawn only where they are not zero.

The dipole (X left, Y down, Z back; millivolts) of a wave with components j is

    d(t) = sum_j v_j exp(-(t - at - s c_j)^2 / (2 (s w_j)^2)),   w_j = left_j before the centre, else right_j,

where `at` is the wave's reference time, s its scale in time, and c_j, w_j, v_j come from its template.
Gaussian sums for the ECG: McSharry et al. 2003, IEEE Trans Biomed Eng 50:289; for the dipole: Sameni et al.
2007, EURASIP J Adv Signal Process, 43407. Departures: time instead of a limit cycle's phase, and one bump
moves all three axes, so that a component is a place in the heart. The numbers of the templates were fitted
by least squares to the median beat (inverse Dower) of the 1,048 records marked NORM among the first 1,999
of PTB-XL 1.0.3 (Wagner et al. 2020, Sci Data 7:154; 100 Hz), rounded, and then changed by hand until R and S
of the leads and the spectrum agreed better with those records (benchmarks/realism.py; docs/simulator.md).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

SCALE_LIMITS = (0.7, 1.4)
"""No wave is drawn shorter or longer than this times its template."""
_SUPPORT = 4.0
"""Widths after which a component counts as zero: exp(-8) of its height, under a microvolt."""


@dataclass(frozen=True)
class Template:
    """A wave at scale 1; times in seconds relative to the wave's reference time."""

    kind: Literal["P", "QRS", "T", "ST", "spike"]
    centre: Float[np.ndarray, " component"]
    left: Float[np.ndarray, " component"]
    right: Float[np.ndarray, " component"]
    dipole: Float[np.ndarray, "component 3"]
    onset: float
    offset: float

    def __post_init__(self) -> None:
        if not self.onset < self.centre.max() <= self.offset:
            raise ValueError(f"the {self.kind} template peaks outside its own onset and offset")

    @property
    def length(self) -> float:
        """Seconds from onset to offset at scale 1."""
        return self.offset - self.onset


P = Template(
    kind="P",
    centre=np.array([0.038, 0.068]),
    left=np.array([0.020, 0.020]),
    right=np.array([0.020, 0.020]),
    dipole=np.array([[0.052, 0.058, -0.038], [0.058, 0.042, 0.006]]),
    onset=0.0,
    offset=0.106,
)
"""Right, then left atrium; the reference time is the onset."""

QRS = Template(
    kind="QRS",
    centre=np.array([-0.019, -0.009, 0.003, 0.019]),
    left=np.array([0.0086, 0.0066, 0.0070, 0.0086]),
    right=np.array([0.0086, 0.0066, 0.0070, 0.0086]),
    dipole=np.array([[-0.12, -0.05, -0.24], [0.65, 0.27, -0.03], [1.18, 0.54, 0.40], [-0.16, 0.02, 0.60]]),
    onset=-0.0435,
    offset=0.045,
)
"""Septum, apex, left free wall, base; the reference time is near the largest deflection. Onset and offset are
some two widths outside the first and the last centre."""

T = Template(
    kind="T",
    centre=np.array([-0.228, -0.094, -0.072]),
    left=np.array([0.045, 0.050, 0.036]),
    right=np.array([0.080, 0.034, 0.036]),
    dipole=np.array([[0.025, 0.008, -0.060], [0.210, 0.055, -0.172], [0.143, 0.102, 0.007]]),
    onset=-0.194,
    offset=0.0,
)
"""The ST segment's slope and two parts of the T wave; the reference time is the offset, which is where the
steepest tangent of the last part meets the baseline (two widths after its peak)."""

QT_REFERENCE_S = 0.388
"""QT of the beat that the T template was fitted to; T is stretched with QT / QT_REFERENCE_S."""


def peak(
    wave: Template,
    vectors: Float[np.ndarray, "row component 3"],
    leads: Float[np.ndarray, "row lead 3"],
) -> Float[np.ndarray, " row"]:
    """Seconds after the reference time, at scale 1, when the wave is largest over all leads together."""
    grid = np.arange(wave.onset + 0.002, wave.offset - 0.001, 0.002)
    seen = (leads @ vectors.swapaxes(1, 2)) @ bumps(wave, grid)
    return np.asarray(grid[(seen**2).sum(axis=1).argmax(axis=1)])


def add_wave(
    dipole: Float[np.ndarray, "row 3 time"],
    wave: Template,
    *,
    row: Int[np.ndarray, " beat"],
    at_s: Float[np.ndarray, " beat"],
    scale: Float[np.ndarray, " beat"],
    vectors: Float[np.ndarray, "beat component 3"],
    fs: float,
) -> None:
    """Add one wave of many beats, in place; what falls outside the array is left out.

    Args:
        dipole: millivolts; sample k is at k / fs seconds.
        wave: the template.
        row: which row of `dipole` each beat belongs to.
        at_s: the wave's reference time in seconds.
        scale: stretch in time, within `SCALE_LIMITS`.
        vectors: millivolts of each component.
        fs: samples per second.
    """
    rows, _, n_samples = dipole.shape
    low = float((wave.centre - _SUPPORT * wave.left).min())
    high = float((wave.centre + _SUPPORT * wave.right).max())
    first = np.ceil((at_s + scale * low) * fs).astype(np.int64)
    samples = np.arange(int(np.ceil((high - low) * SCALE_LIMITS[1] * fs)) + 1)
    since = ((first / fs - at_s)[:, None] + samples / fs) / scale[:, None]
    shapes = bumps(wave, since.astype(np.float32))
    index = first[:, None] + samples
    inside = (index >= 0) & (index < n_samples)
    place = (row[:, None] * n_samples + index)[inside]
    value = np.einsum("bja,jbt->abt", vectors.astype(np.float32), shapes)
    for axis in range(3):
        total = np.bincount(place, weights=value[axis][inside], minlength=rows * n_samples)
        dipole[:, axis] += total.reshape(rows, n_samples)


def bumps(wave: Template, t: Float[np.ndarray, "..."]) -> Float[np.ndarray, "component ..."]:
    """The components' shapes, height 1, at times relative to the reference time at scale 1."""
    out = np.empty((len(wave.centre), *t.shape), t.dtype)
    for j, (centre, left, right) in enumerate(zip(wave.centre, wave.left, wave.right, strict=True)):
        away = t - t.dtype.type(centre)
        if left == right:
            away *= t.dtype.type(1 / left)
        else:
            away *= np.where(away < 0, t.dtype.type(1 / left), t.dtype.type(1 / right))
        np.exp(np.multiply(away, away, out=away) * t.dtype.type(-0.5), out=out[j])
    return out
