"""Who is recorded: sex, age, and the shape of a heart's beat, the same in all recordings of one patient."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation

from ecglipse.corpora.simulation import beat
from ecglipse.corpora.simulation.draws import normals, truncated
from ecglipse.seeding import derive

CHEST = np.array([0.86, 1.12, 0.92, 0.96, 0.97, 1.00])
CHEST_CONTRAST = np.array([0.0, 0.16, 0.30, 0.27, 0.21, 0.13])
"""Gain of V1..V6, and the logarithm of men's over women's; breast and fat lie between heart and electrode."""

CHEST_AGE = np.array([-0.004, -0.004, -0.004, -0.002, 0.0, 0.0])
"""Logarithm of V1..V6's gain per year over 55."""

T_CONTRAST = np.array([[0.3, 0.3, 0.45], [0.1, 0.1, 0.28], [0.1, 0.1, 0.28]])
"""Logarithm of men's over women's T dipole (component, axis): in men the ST segment takes off more steeply
and the T wave points more to the front."""

OVERLAP = 1.1
"""SD within a sex, in units of the difference between the sexes, of the gains that the contrasts describe."""


@dataclass(frozen=True)
class Patients:
    """One row per recording (a patient's row is repeated); times in seconds, dipoles in millivolts."""

    female: Bool[np.ndarray, " row"]
    age: Float[np.ndarray, " row"]
    p_s: Float[np.ndarray, " row"]
    pr_s: Float[np.ndarray, " row"]
    """PR at 70 beats a minute, from the P wave's onset."""
    qrs_s: Float[np.ndarray, " row"]
    qtc_s: Float[np.ndarray, " row"]
    """QT corrected by Fridericia's formula."""
    rate: Float[np.ndarray, " row"]
    """Tendency to a fast heart, standard normal."""
    p: Float[np.ndarray, "row 2 3"]
    qrs: Float[np.ndarray, "row 4 3"]
    t: Float[np.ndarray, "row 3 3"]
    qrs_turn: Float[np.ndarray, "row 3 3"]
    voltage: Float[np.ndarray, " row"]
    """Logarithm of the QRS's size; with `qrs_turn` it also holds for wide beats."""
    chest: Float[np.ndarray, "row 6"]
    """Gain of V1..V6."""


def is_female(seed: int, number: int) -> bool:
    """Whether the patient is a woman: one of patients 2 k and 2 k + 1 is, by a coin."""
    return bool((derive(seed, "simulator", "sex", number // 2) + number) % 2)


def draw_patients(seed: int, numbers: Sequence[int]) -> Patients:
    """Draw the patients of these numbers; each is a pure function of (seed, number).

    Women against men, typically: QTc + 14 ms and QRS - 7 ms (Rijnbeek et al. 2014, J Electrocardiol 47:914);
    V2..V5 lower by 15-26 %, ST and T smaller in V1..V3 (Macfarlane 2018, Adv Exp Med Biol 1065:93, for the
    directions; sizes measured on the records named in beat.py). With each year of age: voltage - 0.4 % in
    men and - 0.1 % in women, V1..V3 - 0.4 % more, PR + 0.25 ms, QTc + 0.3 ms in men and + 0.2 ms in women,
    men's ST take-off - 1 %, the frontal axis 0.3 degrees to the left.
    """
    female = np.array([is_female(seed, number) for number in numbers])
    z = normals(seed, "patient", numbers, 11)
    axes = normals(seed, "axes", numbers, 3, 3)
    per_component = normals(seed, "components", numbers, 9, 3)
    chest = normals(seed, "chest", numbers, 6)
    one = np.ones(len(female))
    age = truncated(z[:, 0], 58 * one, 18 * one, low=20 * one, high=90 * one)
    old = age - 55

    turn = np.radians([12.0, 12.0, 13.0]) * axes[:, 0]
    turn[:, 2] -= np.radians(0.3) * old
    qrs_turn = Rotation.from_rotvec(turn).as_matrix()
    t_turn = Rotation.from_rotvec(0.4 * turn + np.radians(10) * axes[:, 1]).as_matrix()
    p_turn = Rotation.from_rotvec(np.radians([8, 8, 12]) * axes[:, 2]).as_matrix()

    # +-1/2 is the typical man or woman; women with a man's chest and men with a woman's are common
    build, shape = np.where(female, -0.5, 0.5) + OVERLAP * z[:, 9:11].T
    voltage = 0.15 * z[:, 1] - np.where(female, 0.001, 0.004) * old
    log_t = T_CONTRAST * shape[:, None, None]
    log_t[:, 0] -= (np.where(female, 0.0, 0.010) * old)[:, None]
    return Patients(
        female=female,
        age=age,
        p_s=np.clip(0.106 + 0.008 * z[:, 2], 0.085, 0.13),
        pr_s=np.clip(0.150 + 0.021 * z[:, 3] + 0.00025 * old, 0.115, 0.198),
        qrs_s=np.clip(np.where(female, 0.087, 0.094) + 0.0075 * z[:, 4], 0.068, 0.118),
        qtc_s=np.clip(
            np.where(female, 0.416, 0.402) + 0.017 * z[:, 5] + np.where(female, 0.0002, 0.0003) * old,
            0.35,
            0.47,
        ),
        rate=z[:, 6],
        p=_vary(beat.P.dipole, 0.25 * z[:, 7], 0.3, per_component[:, :2], p_turn),
        qrs=_vary(
            beat.QRS.dipole,
            voltage,
            np.array([[0.45], [0.2], [0.2], [0.45]]),
            per_component[:, 2:6],
            qrs_turn,
        ),
        t=_vary(
            beat.T.dipole * np.exp(log_t),
            0.4 * voltage + 0.25 * z[:, 8],
            0.2,
            per_component[:, 6:],
            t_turn,
        ),
        qrs_turn=qrs_turn,
        voltage=voltage,
        chest=CHEST * np.exp(CHEST_CONTRAST * build[:, None] + CHEST_AGE * old[:, None] + 0.14 * chest),
    )


def _vary(
    dipole: Float[np.ndarray, "*row component 3"],
    log_gain: Float[np.ndarray, " n"],
    spread: float | Float[np.ndarray, "component 1"],
    z: Float[np.ndarray, "n component 3"],
    turn: Float[np.ndarray, "n 3 3"],
) -> Float[np.ndarray, "n component 3"]:
    """One patient's dipoles: all scaled by exp(log_gain), each coordinate by exp(spread z), all turned."""
    own = dipole * np.exp(log_gain[:, None, None] + spread * z)
    return np.asarray(own @ turn.swapaxes(1, 2))
