"""3KG: views made in the heart's own space, by turning and stretching the vectorcardiogram.

Source: Gopal et al. 2021, "3KG: Contrastive Learning of 12-Lead Electrocardiograms using Physiologically
Inspired Augmentations", PMLR 158. Rotation 45 degrees, scale 1.5 and a time mask of 50 % are its best.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import DOWER, EXPANSION, INDEPENDENT, INVERSE_DOWER, LEADS
from ecglipse.views.erasing import block_mask
from ecglipse.views.parts import Change, Planned, Shape

_SELECTION = np.eye(12)[[LEADS.index(name) for name in INDEPENDENT]]
_THERE = torch.from_numpy(INVERSE_DOWER @ _SELECTION)
"""Twelve leads to the vectorcardiogram."""
_BACK = torch.from_numpy(EXPANSION @ DOWER)
"""The vectorcardiogram to twelve leads."""


@Planned
def threekg(draws: Draws, shape: Shape, *, angle_deg: float = 45.0, scale: float = 1.5) -> Change:
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
    back = (_BACK @ (turn - torch.eye(3, dtype=turn.dtype))).to(draws.device)
    there = _THERE.to(draws.device)
    return lambda x, records: x.baddbmm_(back[records].to(x.dtype), there.to(x.dtype) @ x)


@Planned
def threekg_projection(draws: Draws, shape: Shape, *, angle_deg: float = 45.0, scale: float = 1.5) -> Change:
    """Turn and stretch the dipole of each record and drop the rest: x' = D S R M x.

    The weaker form of the code published with Bo et al. 2022; for comparison. Arguments as `threekg`.
    """
    back = (_BACK @ _turn(draws, angle_deg=angle_deg, scale=scale)).to(draws.device)
    there = _THERE.to(draws.device)
    return lambda x, records: back[records].to(x.dtype) @ (there.to(x.dtype) @ x)


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


def rotation(angles: Float[Tensor, "batch 3"]) -> Float[Tensor, "batch 3 3"]:
    """Rotation about fixed z, then y, then x, by these angles in radians: Rx @ Ry @ Rz."""
    cos, sin = torch.cos(angles), torch.sin(angles)
    one, zero = torch.ones_like(cos[:, 0]), torch.zeros_like(cos[:, 0])
    about_z = [cos[:, 0], -sin[:, 0], zero, sin[:, 0], cos[:, 0], zero, zero, zero, one]
    about_y = [cos[:, 1], zero, sin[:, 1], zero, one, zero, -sin[:, 1], zero, cos[:, 1]]
    about_x = [one, zero, zero, zero, cos[:, 2], -sin[:, 2], zero, sin[:, 2], cos[:, 2]]
    z, y, x = (torch.stack(rows, dim=-1).view(-1, 3, 3) for rows in (about_z, about_y, about_x))
    return x @ y @ z


def _turn(draws: Draws, *, angle_deg: float, scale: float) -> Float[Tensor, "batch 3 3"]:
    """S R of each record, on the CPU in double precision: nine numbers a record."""
    shares = draws.uniform(6).cpu().double()
    angles = math.radians(angle_deg) * (2 * shares[:, :3] - 1)
    stretch = 1 + (scale - 1) * shares[:, 3:]
    return stretch[:, :, None] * rotation(angles)
