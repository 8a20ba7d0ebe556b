"""Normalisation of records, each by itself: the voltage is lost, and with it what is read from it."""

import math
from typing import Literal

import torch
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.views.parts import Change, Planned, Shape


@Planned
def min_max(draws: Draws, shape: Shape, *, per: Literal["record", "lead"] = "record") -> Change:
    """Map the lowest sample to 0 and the highest to 1; what is flat becomes 0.

    Args:
        per: one scale for all leads of a record, or one a lead.
    """

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        flat = _grouped(x, per)
        low, high = flat.amin(-1, keepdim=True), flat.amax(-1, keepdim=True)
        torch.sub(flat, low, out=_grouped(out, per)).mul_(_inverse(high - low, low))
        return out

    return change


@Planned
def z_score(draws: Draws, shape: Shape, *, per: Literal["record", "lead"] = "record") -> Change:
    """Give mean 0 and standard deviation 1; what is flat becomes 0.

    Args:
        per: one scale for all leads of a record, or one a lead.
    """

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        flat = _grouped(x, per)
        mean = flat.mean(-1, keepdim=True)
        centred = torch.sub(flat, mean, out=_grouped(out, per))
        size = torch.linalg.vector_norm(centred, dim=-1, keepdim=True) / flat.shape[-1] ** 0.5
        centred.mul_(_inverse(size, mean))
        return out

    return change


def _grouped(x: Tensor, per: str) -> Tensor:
    return x.flatten(1) if per == "record" else x


def _inverse(size: Tensor, zero: Tensor) -> Tensor:
    """1 / size; 0 where the size is rounding."""
    return size.masked_fill_(size <= zero.abs().mul_(1e-6), math.inf).reciprocal_()
