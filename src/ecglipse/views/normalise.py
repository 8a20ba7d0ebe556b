"""Normalisation of records, each by itself: the voltage is lost, and with it what is read from it."""

import math
from typing import Literal

import numpy as np
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


@Planned
def robust(draws: Draws, shape: Shape, *, per: Literal["record", "lead"] = "record") -> Change:
    """Give median 0 and interquartile range 1; where the middle half of the samples is flat, all becomes 0.

    A quantile between two samples is read by a straight line, as `numpy.quantile` does.

    Args:
        per: one scale for all leads of a record, or one a lead.
    """

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        flat = _grouped(x, per)
        low, middle, high = quartiles(flat)
        torch.sub(flat, middle, out=_grouped(out, per)).mul_(_inverse(high - low, middle))
        return out

    return change


def quartiles(x: Tensor) -> list[Tensor]:
    """The quartiles over time, between two samples by a straight line.

    On a CPU by `numpy.partition`, which takes a quarter of the time of sorting; the values are the same.
    """
    last = x.shape[-1] - 1
    places = [share * last for share in (0.25, 0.5, 0.75)]
    wanted = [side for place in places for side in (math.floor(place), min(math.floor(place) + 1, last))]
    if x.device.type == "cpu" and not x.requires_grad:
        found = torch.from_numpy(np.partition(x.numpy(), sorted(set(wanted)), axis=-1)[..., wanted])
    else:
        ordered = x.sort(dim=-1).values
        found = torch.stack([ordered[..., place] for place in wanted], dim=-1)
    sides = found.unflatten(-1, (3, 2)).split(1, dim=-2)
    return [
        torch.lerp(side[..., 0], side[..., 1], place - math.floor(place))
        for side, place in zip(sides, places, strict=True)
    ]


def _grouped(x: Tensor, per: str) -> Tensor:
    return x.flatten(1) if per == "record" else x


def _inverse(size: Tensor, zero: Tensor) -> Tensor:
    """1 / size; 0 where the size is rounding."""
    return size.masked_fill_(size <= zero.abs().mul_(1e-6), math.inf).reciprocal_()
