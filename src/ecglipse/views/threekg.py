"""3KG: views made in the heart's own space, by turning and stretching the vectorcardiogram.

Source: Gopal et al. 2021, "3KG: Contrastive Learning of 12-Lead Electrocardiograms using Physiologically
Inspired Augmentations", PMLR 158. Rotation 45 degrees, scale 1.5 and a time mask of 50 % are its best.
"""

import functools
import math

import numpy as np
import torch
from jaxtyping import Float

from ecglipse.draws import Draws
from ecglipse.leads import DOWER, EXPANSION, INDEPENDENT, INVERSE_DOWER, LEADS
from ecglipse.views.erasing import stretch_of_zeros
from ecglipse.views.linear import Linear
from ecglipse.views.parts import Change, Planned, Shape


@Planned
def threekg(
    draws: Draws,
    shape: Shape,
    *,
    angle_deg: float = 45.0,
    scale: float = 1.5,
    names: tuple[str, ...] = LEADS,
) -> Linear:
    """Turn and stretch the dipole of each record and keep what is not dipole.

    With M the inverse Dower matrix and D its pseudo-inverse, on the eight independent leads,

        x' = x + D (S R - 1) M x,

    so that angle 0 and scale 1 give x back. Lead algebra is kept.

    Args:
        angle_deg: each of three Euler angles (z, y, x; fixed axes) is uniform within +-angle_deg.
        scale: each axis is stretched by a factor uniform in 1..scale.
        names: of the leads.

    Raises:
        ValueError: if the eight independent leads do not follow from these.

    Source:
        Gopal et al. 2021, section 3.2. Departures: the residual, which the pseudo-inverse of a rank-3 matrix
        would delete (17.8 % of the variance of a real record), is kept.
    """
    turn = _turn(draws, angle_deg=angle_deg, scale=scale)
    return _linear(np.eye(len(names)) + _leads(turn - np.eye(3), names), draws.device)


@Planned
def threekg_projection(
    draws: Draws,
    shape: Shape,
    *,
    angle_deg: float = 45.0,
    scale: float = 1.5,
    names: tuple[str, ...] = LEADS,
) -> Linear:
    """Turn and stretch the dipole of each record and drop the rest: x' = D S R M x.

    The weaker form of the code published with Bo et al. 2022; for comparison. Arguments as `threekg`.
    """
    return _linear(_leads(_turn(draws, angle_deg=angle_deg, scale=scale), names), draws.device)


@Planned
def time_mask(draws: Draws, shape: Shape, *, share: float = 0.5) -> Change | None:
    """Zero one stretch of each lead of each record, that may wrap around the end: 3KG's time mask.

    Breaks lead algebra, since each lead has a stretch of its own.

    Args:
        share: of the record, 0 to 1.

    Raises:
        ValueError: if `share` is outside 0..1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"`share` must be in 0..1; got {share}")
    return stretch_of_zeros(draws, shape, math.floor(share * shape[-1]))


def rotation(angles: Float[np.ndarray, "batch 3"]) -> Float[np.ndarray, "batch 3 3"]:
    """Rotation about fixed z, then y, then x, by these angles in radians: Rx @ Ry @ Rz."""
    (cos_z, cos_y, cos_x), (sin_z, sin_y, sin_x) = np.cos(angles).T, np.sin(angles).T
    rows = [
        [cos_y * cos_z, -cos_y * sin_z, sin_y],
        [cos_x * sin_z + sin_x * sin_y * cos_z, cos_x * cos_z - sin_x * sin_y * sin_z, -sin_x * cos_y],
        [sin_x * sin_z - cos_x * sin_y * cos_z, sin_x * cos_z + cos_x * sin_y * sin_z, cos_x * cos_y],
    ]
    return np.array(rows).transpose(2, 0, 1)


def _turn(draws: Draws, *, angle_deg: float, scale: float) -> Float[np.ndarray, "batch 3 3"]:
    """S R of each record, drawn and made on the CPU in double precision: nine numbers a record."""
    shares = draws.on("cpu").uniform(6).numpy().astype(np.float64)
    angles = math.radians(angle_deg) * (2 * shares[:, :3] - 1)
    stretch = 1 + (scale - 1) * shares[:, 3:]
    return np.asarray(stretch[:, :, None] * rotation(angles))


def _linear(matrix: Float[np.ndarray, "batch lead lead"], device: torch.device) -> Linear:
    """The view, with its matrices sent to the device without waiting for it."""
    return Linear(torch.from_numpy(matrix).to(device, non_blocking=True))


def _leads(
    turn: Float[np.ndarray, "batch 3 3"], names: tuple[str, ...]
) -> Float[np.ndarray, "batch lead lead"]:
    """D turn M on these leads."""
    return np.asarray((turn.reshape(-1, 9) @ _pairs(names)).reshape(-1, len(names), len(names)))


@functools.lru_cache(maxsize=16)
def _pairs(names: tuple[str, ...]) -> Float[np.ndarray, "9 pair"]:
    """What each entry of a 3 x 3 matrix between the leads' vectorcardiogram and its way back adds to A.

    Where one of the eight independent leads is not there, it is had from the others by least squares.
    """
    way_out = EXPANSION[[LEADS.index(name) for name in names]]
    if np.linalg.matrix_rank(way_out) < len(INDEPENDENT):
        raise ValueError(
            f"3KG needs {', '.join(INDEPENDENT)}, or leads that these follow from; "
            f"there are {', '.join(names)}"
        )
    back = np.linalg.pinv(way_out)
    if set(INDEPENDENT) <= set(names):
        back = np.eye(len(names))[[names.index(lead) for lead in INDEPENDENT]]
    return np.asarray(np.einsum("ai,jb->ijab", way_out @ DOWER, INVERSE_DOWER @ back).reshape(9, -1))
