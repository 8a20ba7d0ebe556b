"""How the beats of each recording look: conducted ones, and premature ventricular ones where they come."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ecglipse.corpora.simulation import beat, shapes
from ecglipse.corpora.simulation.beat import Template
from ecglipse.corpora.simulation.conditions import Conditions
from ecglipse.corpora.simulation.draws import normals, uniform
from ecglipse.corpora.simulation.patients import Patients

NARROW, RIGHT_BLOCK, WIDE, PREMATURE = range(4)


@dataclass(frozen=True)
class Look:
    """One kind of beat, one row per recording; only rows that have it need be sensible."""

    qrs: Template
    vectors: Float[np.ndarray, "row component 3"]
    scale: Float[np.ndarray, " row"]
    t: Float[np.ndarray, "row 3 3"]
    seen: Bool[np.ndarray, " row"]
    """Whether the recording has beats of this kind."""


@dataclass(frozen=True)
class Ventricles:
    """One row per recording."""

    conduction: Int[np.ndarray, " row"]
    """NARROW, RIGHT_BLOCK or WIDE."""
    looks: tuple[Look, Look, Look, Look]
    """In the order of NARROW, RIGHT_BLOCK, WIDE, PREMATURE."""
    st: Float[np.ndarray, "row 2 3"]
    qrs_s: Float[np.ndarray, " row"]
    """Of the conducted beats."""
    qtc_s: Float[np.ndarray, " row"]
    """Of the conducted beats: a wide QRS lengthens it by eight tenths of what it is wider."""


def draw_ventricles(
    seed: int,
    numbers: Sequence[int],
    patients: Patients,
    conditions: Conditions,
    leads: Float[np.ndarray, "row 8 3"],
) -> Ventricles:
    """Draw the shapes of QRS, ST and T for recordings of these numbers."""
    z = normals(seed, "ventricles", numbers, 12)
    forms, paced = conditions.forms, conditions.is_in("PACE")
    conduction = np.where(forms["RBBB"], RIGHT_BLOCK, np.where(forms["LBBB"] | paced, WIDE, NARROW))

    qrs, t = patients.qrs, patients.t
    if forms["LVH"].any():
        wanted = uniform(z[:, 0], 3.6, 5.2)
        gain = np.where(forms["LVH"], shapes.hypertrophy(qrs, leads, wanted), 1.0)
        qrs = qrs * gain[:, None, None]
        strain = (forms["LVH"] & (z[:, 1] > 0.25))[:, None, None]  # in four of ten: T against the voltage
        t = np.where(strain, t * np.array([-0.8, -0.3, 1.0]), t)
    narrow = Look(beat.QRS, qrs, patients.qrs_s / beat.QRS.length, t, conduction == NARROW)

    late = np.exp(0.2 * z[:, 2])[:, None] * shapes.RIGHT_BLOCK.dipole[-1]
    blocked = np.concatenate([qrs, (late[:, None] @ patients.qrs_turn.swapaxes(1, 2))], axis=1)
    right = Look(
        shapes.RIGHT_BLOCK,
        blocked,
        uniform(z[:, 3], 0.122, 0.150) / shapes.RIGHT_BLOCK.length,
        t - 0.25 * np.array([0.3, 1.0, 1.0])[:, None] * late[:, None],
        conduction == RIGHT_BLOCK,
    )
    dipole = np.where(paced[:, None, None], shapes.PACED, shapes.WIDE.dipole)
    vectors = _own(dipole, 0.8 * patients.voltage + 0.12 * z[:, 4], patients)
    wide_s = np.where(paced, 0.016, 0.0) + uniform(z[:, 5], 0.124, 0.160)
    wide = Look(
        shapes.WIDE,
        vectors,
        wide_s / shapes.WIDE.length,
        shapes.discordant(vectors, t, share=0.22),
        conduction == WIDE,
    )
    dipole = np.where((z[:, 6] > 0)[:, None, None], shapes.FROM_RIGHT, shapes.FROM_LEFT)
    dipole = dipole * np.exp(0.25 * z[:, 8:11])[:, None]
    vectors = _own(dipole, 0.25 * z[:, 7], patients)
    early = Look(
        shapes.WIDE,
        vectors,
        uniform(z[:, 11], 0.124, 0.170) / shapes.WIDE.length,
        shapes.discordant(vectors, t, share=0.30),
        forms["PVC"],
    )
    st = np.zeros((len(z), 2, 3))
    if (forms["STE"] | forms["STD"]).any():
        drawn = normals(seed, "ST shift", numbers, 4)
        st = shapes.st_shift(drawn, forms["STE"], forms["STD"], leads)
    looks = (narrow, right, wide, early)
    qrs_s = np.choose(conduction, [look.scale * look.qrs.length for look in looks[:3]])
    return Ventricles(conduction, looks, st, qrs_s, patients.qtc_s + 0.8 * (qrs_s - patients.qrs_s))


def _own(
    dipole: Float[np.ndarray, "row component 3"], log_gain: Float[np.ndarray, " row"], patients: Patients
) -> Float[np.ndarray, "row component 3"]:
    """The dipoles in the patient's size and position."""
    return np.asarray(np.exp(log_gain)[:, None, None] * dipole @ patients.qrs_turn.swapaxes(1, 2))
