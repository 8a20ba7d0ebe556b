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

_PLACES = [LEADS.index(name) for name in INDEPENDENT]


def threekg(
    x: Float[Tensor, "batch 12 time"],
    draws: Draws,
    *,
    angle_deg: float = 45.0,
    scale: float = 1.5,
) -> Float[Tensor, "batch 12 time"]:
    """Turn and stretch the dipole of each record and keep what is not dipole.

    With M the inverse Dower matrix and D its pseudo-inverse, on the eight independent leads,

        x' = x + D (S R - 1) M x,

    so that angle 0 and scale 1 give x back. Lead algebra is kept.

    Args:
        x: mV.
        angle_deg: each of three Euler angles (z, y, x; fixed axes) is uniform within +-angle_deg.
        scale: each axis is stretched by a factor uniform in 1..scale.

    Source:
        Gopal et al. 2021, section 3.2. Departures: the residual, which the pseudo-inverse of a rank-3 matrix
        would delete (17.8 % of the variance of a real record), is kept.
    """
    turn = _turn(x, draws, angle_deg=angle_deg, scale=scale)
    back, there = _matrix(DOWER, x), _matrix(INVERSE_DOWER, x)
    change = back @ (turn - torch.eye(3, dtype=x.dtype, device=x.device)) @ there
    eight = x[:, _PLACES]
    return _matrix(EXPANSION, x) @ (eight + change @ eight)


def threekg_projection(
    x: Float[Tensor, "batch 12 time"],
    draws: Draws,
    *,
    angle_deg: float = 45.0,
    scale: float = 1.5,
) -> Float[Tensor, "batch 12 time"]:
    """Turn and stretch the dipole of each record and drop the rest: x' = D S R M x.

    The weaker form of the code published with Bo et al. 2022; for comparison. Arguments as `threekg`.
    """
    turn = _turn(x, draws, angle_deg=angle_deg, scale=scale)
    change = _matrix(DOWER, x) @ turn @ _matrix(INVERSE_DOWER, x)
    return _matrix(EXPANSION, x) @ (change @ x[:, _PLACES])


def time_mask(
    x: Float[Tensor, "batch lead time"], draws: Draws, *, share: float = 0.5
) -> Float[Tensor, "batch lead time"]:
    """Zero one stretch of each lead of each record, that may wrap around the end: 3KG's time mask.

    Breaks lead algebra, since each lead has a stretch of its own.

    Args:
        x: mV.
        share: of the record, 0 to 1.

    Raises:
        ValueError: if `share` is outside 0..1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"`share` must be in 0..1; got {share}")
    _, leads, time = x.shape
    start = draws.integers(time, leads, 1)
    place = (torch.arange(time, device=x.device) - start) % time
    return x.masked_fill(place < math.floor(share * time), 0.0)


def rotation(angles: Float[Tensor, "batch 3"]) -> Float[Tensor, "batch 3 3"]:
    """Rotation about fixed z, then y, then x, by these angles in radians: Rx @ Ry @ Rz."""
    cos, sin = torch.cos(angles), torch.sin(angles)
    one, zero = torch.ones_like(cos[:, 0]), torch.zeros_like(cos[:, 0])
    about_z = [cos[:, 0], -sin[:, 0], zero, sin[:, 0], cos[:, 0], zero, zero, zero, one]
    about_y = [cos[:, 1], zero, sin[:, 1], zero, one, zero, -sin[:, 1], zero, cos[:, 1]]
    about_x = [one, zero, zero, zero, cos[:, 2], -sin[:, 2], zero, sin[:, 2], cos[:, 2]]
    z, y, x = (torch.stack(rows, dim=-1).view(-1, 3, 3) for rows in (about_z, about_y, about_x))
    return x @ y @ z


def _turn(x: Tensor, draws: Draws, *, angle_deg: float, scale: float) -> Tensor:
    """S R of each record."""
    shares = draws.uniform(6).to(x.dtype)
    angles = math.radians(angle_deg) * (2 * shares[:, :3] - 1)
    stretch = 1 + (scale - 1) * shares[:, 3:]
    return stretch[:, :, None] * rotation(angles)


def _matrix(values: np.ndarray, like: Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=like.dtype, device=like.device)
