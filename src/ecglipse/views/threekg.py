"""3KG: views made in the heart's own space, by turning and stretching the vectorcardiogram.

Source: Gopal et al. 2021, "3KG: Contrastive Learning of 12-Lead Electrocardiograms using Physiologically
Inspired Augmentations", PMLR 158. Rotation 45 degrees, scale 1.5 and a time mask of 50 % are its best.
"""

import math

import numpy as np
import torch
from jaxtyping import Float

from ecglipse.draws import Draws
from ecglipse.leads import DOWER, EXPANSION, INDEPENDENT, INVERSE_DOWER, LEADS
from ecglipse.views.erasing import block_mask
from ecglipse.views.linear import Linear
from ecglipse.views.parts import Change, Planned, Shape

_SELECTION = np.eye(12)[[LEADS.index(name) for name in INDEPENDENT]]
_PAIRS = np.einsum("ai,jb->ijab", EXPANSION @ DOWER, INVERSE_DOWER @ _SELECTION).reshape(9, 144)
"""What each entry of a 3 x 3 matrix between the leads' vectorcardiogram and its way back adds to 12 x 12."""


@Planned
def threekg(draws: Draws, shape: Shape, *, angle_deg: float = 45.0, scale: float = 1.5) -> Linear:
    """Turn and stretch the dipole of each record and keep what is not dipole.

    With M the inverse Dower matrix and D its pseudo-inverse, on the eight independent leads,

        x' = x + D (S R - 1) M x,

    so that angle 0 and scale 1 give x back. Lead algebra is kept.

    Args:
        angle_deg: each of three Euler angles (z, y, x; fixed axes) is uniform within +-angle_deg.
        scale: each axis is stretched by a factor uniform in 1..scale.

    Source:
        Gopal et al. 2021, section 3.2. Departures: the residual, which the pseudo-inverse of a rank-3 matrix
        would delete (17.8 % of the variance of a real record), is kept.
    """
    turn = _turn(draws, angle_deg=angle_deg, scale=scale)
    return _linear(np.eye(12) + _leads(turn - np.eye(3)), draws.device)


@Planned
def threekg_projection(draws: Draws, shape: Shape, *, angle_deg: float = 45.0, scale: float = 1.5) -> Linear:
    """Turn and stretch the dipole of each record and drop the rest: x' = D S R M x.

    The weaker form of the code published with Bo et al. 2022; for comparison. Arguments as `threekg`.
    """
    return _linear(_leads(_turn(draws, angle_deg=angle_deg, scale=scale)), draws.device)


@Planned
def time_mask(draws: Draws, shape: Shape, *, share: float = 0.5) -> Change | None:
    """Zero one stretch of each lead of each record, that may wrap around the end: 3KG's time mask.

    Breaks lead algebra, since each lead has a stretch of its own.

    Args:
        share: of the record, 0 to 1.

    Raises:
        ValueError: if `share` is outside 0..1.
    """
    return block_mask.plan(draws, shape, share=share)


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


def _linear(matrix: Float[np.ndarray, "batch 12 12"], device: torch.device) -> Linear:
    """The view, with its matrices sent to the device without waiting for it."""
    return Linear(torch.from_numpy(matrix).to(device, non_blocking=True))


def _leads(turn: Float[np.ndarray, "batch 3 3"]) -> Float[np.ndarray, "batch 12 12"]:
    """D turn M on the twelve leads."""
    return np.asarray((turn.reshape(-1, 9) @ _PAIRS).reshape(-1, 12, 12))
