"""Beats that are not plain: bundle branch blocks, ventricular and paced beats, hypertrophy, ST shift.

Dipoles are chosen by hand so that the leads show what the definitions ask (Surawicz et al. 2009, J Am Coll
Cardiol 53:976, for the blocks; Hancock et al. 2009, 53:992, for hypertrophy; Wagner et al. 2009, 53:1003,
for the ST segment); they are not fitted to recordings.
"""

import numpy as np
from jaxtyping import Bool, Float

from ecglipse.corpora.simulation.beat import QRS, Template, bumps
from ecglipse.leads import INDEPENDENT

_FLANKS = np.array([0.016, 0.015, 0.015, 0.016])

WIDE = Template(
    kind="QRS",
    centre=np.array([-0.036, -0.012, 0.014, 0.038]),
    left=_FLANKS,
    right=_FLANKS,
    dipole=np.array([[0.32, 0.12, -0.03], [0.80, 0.26, 0.72], [0.74, 0.08, 0.92], [0.50, -0.06, 0.62]]),
    onset=-0.068,
    offset=0.070,
)
"""Left bundle branch block; with the dipoles below, ventricular and paced beats."""

RIGHT_BLOCK = Template(
    kind="QRS",
    centre=np.append(QRS.centre, 0.052),
    left=np.append(QRS.left, 0.018),
    right=np.append(QRS.right, 0.018),
    dipole=np.vstack([QRS.dipole, [-0.46, 0.05, -0.44]]),
    onset=-0.0435,
    offset=0.088,
)
"""A plain QRS and then the right ventricle, to the right and the front."""

FROM_RIGHT = np.array([[0.10, 0.30, 0.12], [0.42, 1.10, 0.72], [0.36, 1.00, 0.92], [0.15, 0.40, 0.50]])
FROM_LEFT = np.array(
    [[-0.10, -0.25, -0.30], [-0.50, -0.85, -0.95], [-0.60, -0.60, -0.90], [-0.30, -0.2, -0.4]]
)
"""`WIDE` as a premature beat: from the right ventricle's outflow tract, or from the left ventricle's wall."""

PACED = np.array([[0.05, -0.25, 0.10], [0.30, -0.85, 0.50], [0.40, -0.95, 0.75], [0.20, -0.40, 0.50]])
"""`WIDE` as a beat paced from the right ventricle's apex: upwards, to the left and the back."""

ST = Template(
    kind="ST",
    centre=np.array([-0.255, -0.150]),
    left=np.array([0.022, 0.050]),
    right=np.array([0.060, 0.050]),
    dipole=np.ones((2, 3)),
    onset=-0.298,
    offset=-0.05,
)
"""A plateau from the J point into the T wave; the reference time and the scale are T's."""

_J60 = -0.238
"""60 ms after the J point of the beat that T was fitted to, in T's time."""

_INJURY = np.array([[0.25, 0.05, -1.00], [-0.10, 1.00, 0.15], [1.00, -0.20, 0.25]])
"""Where the ST segment is raised: anterior, inferior, lateral."""
_SUBENDOCARDIAL = np.array([-0.85, -0.50, 0.15])


def spike(fs: float) -> Template:
    """The pacemaker's pulse, as wide as the sampling lets it look; its area is 3 microvolt seconds."""
    width = max(0.0008, 0.45 / fs)
    one = np.array([width])
    height = 0.003 / (width * np.sqrt(2 * np.pi))
    return Template(
        kind="spike",
        centre=np.array([0.0]),
        left=one,
        right=one,
        dipole=height * np.array([[0.25, -0.80, -0.25]]),
        onset=-2 * width,
        offset=2 * width,
    )


def discordant(
    qrs: Float[np.ndarray, "row component 3"], t: Float[np.ndarray, "row 3 3"], *, share: float
) -> Float[np.ndarray, "row 3 3"]:
    """ST and T against a wide QRS, with a quarter of the own T left."""
    against = qrs.mean(axis=1)
    weights = np.array([0.35, 1.0, 1.0])
    return np.asarray(0.25 * t - share * weights[:, None] * against[:, None])


def hypertrophy(
    qrs: Float[np.ndarray, "row component 3"],
    leads: Float[np.ndarray, "row 8 3"],
    wanted_mv: Float[np.ndarray, " row"],
) -> Float[np.ndarray, " row"]:
    """The factor on the QRS that brings S V1 + R V5 or V6 (Sokolow and Lyon 1949) to `wanted_mv`, at
    least 1.1."""
    seen = (leads @ qrs.swapaxes(1, 2)) @ bumps(QRS, np.arange(-0.05, 0.055, 0.002))
    v1, v5, v6 = (seen[:, INDEPENDENT.index(name)] for name in ("V1", "V5", "V6"))
    voltage = -v1.min(axis=1) + np.maximum(v5.max(axis=1), v6.max(axis=1))
    return np.asarray(np.maximum(1.1, wanted_mv / voltage))


def st_shift(
    z: Float[np.ndarray, "row 4"],
    raised: Bool[np.ndarray, " row"],
    lowered: Bool[np.ndarray, " row"],
    leads: Float[np.ndarray, "row 8 3"],
) -> Float[np.ndarray, "row 2 3"]:
    """Vectors of `ST`: 60 ms after J the lead that shows most is 0.2-0.5 mV up, or 0.15-0.35 mV down."""
    region = np.digitize(z[:, 0], [-0.43, 0.43])
    towards = np.where(raised[:, None], _INJURY[region], _SUBENDOCARDIAL) + 0.12 * z[:, 1:4]
    size = np.where(raised, 0.22, 0.15) * np.exp(0.35 * np.clip(np.abs(z[:, 3]), 0, 2.2))
    most = np.abs(leads @ towards[:, :, None]).max(axis=(1, 2))
    level = bumps(ST, np.array([_J60])).sum()
    vector = (size / (most * level))[:, None] * towards
    return np.asarray(np.where((raised | lowered)[:, None], vector, 0.0)[:, None].repeat(2, axis=1))
