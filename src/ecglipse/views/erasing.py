"""Views that take something away: samples, stretches, leads, or the peaks.

What is taken away becomes 0 mV, the isoelectric level of a recording without baseline; masks that are exact
in coverage and have other fills are in `ecglipse.views.masking`. All but `peak_mask` and a block over all
leads break lead algebra.
"""

import functools
import math
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.views.parts import Change, Planned, Shape


@Planned
def point_mask(draws: Draws, shape: Shape, *, share: float) -> Change:
    """Zero each sample of each lead by chance.

    Args:
        share: chance of each sample, 0 to 1, to a 65,536th.

    Raises:
        ValueError: if `share` is outside 0..1.
    """
    _check_share(share)

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        return torch.mul(x, draws.part(records).chance(1 - share, *shape[1:]).to(x.dtype), out=out)

    return change


@Planned
def block_mask(
    draws: Draws, shape: Shape, *, length_s: float, fs: float, leads: Literal["each", "all"] = "each"
) -> Change:
    """Zero one stretch of each record, that may wrap around the end.

    Args:
        length_s: of the stretch, s, rounded down to samples; shorter than the record.
        fs: Hz.
        leads: "each" has a stretch of its own, or the same one for "all".

    Raises:
        ValueError: if the stretch is as long as the record.
    """
    length = math.floor(round(length_s * fs, 6))
    if not 0 <= length < shape[-1]:
        record_s = shape[-1] / fs
        raise ValueError(f"`length_s` must be below the {record_s:g} s of a record; got {length_s:g}")
    return stretch_of_zeros(draws, shape, length, leads=leads)


def stretch_of_zeros(
    draws: Draws, shape: Shape, length: int, *, leads: Literal["each", "all"] = "each"
) -> Change:
    """Zero one stretch of so many samples, 0 to all, that may wrap around the end; see `block_mask`."""
    _, count, time = shape
    groups = count if leads == "each" else 1
    first = time - draws.integers(time, groups)
    kept = _block(length, time, draws.device).unfold(0, time, 1)

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        left = kept.index_select(0, first[records].flatten()).view(-1, groups, time)
        return torch.mul(x, left.to(x.dtype), out=out)

    return change


@Planned
def lead_mask(draws: Draws, shape: Shape, *, share: float) -> Change:
    """Zero each lead by chance; one always stays.

    Args:
        share: chance of each lead, 0 to 1.

    Raises:
        ValueError: if `share` is outside 0..1.
    """
    _check_share(share)
    chance = draws.uniform(shape[1], 1)
    return _keep((chance >= share) | (chance == chance.amax(1, keepdim=True)))


@Planned
def lead_subset(draws: Draws, shape: Shape, *, fewest: int, most: int) -> Change:
    """Keep a random set of leads and zero the others.

    Args:
        fewest: leads kept, at least.
        most: leads kept, at most, all where there are fewer; the number is uniform between the two.

    Raises:
        ValueError: unless 1 <= `fewest` <= `most`, and there are `fewest` leads.
    """
    if not (1 <= fewest <= most and fewest <= shape[1]):
        raise ValueError(f"`fewest` and `most` must be in 1..{shape[1]}, in order; got {fewest}, {most}")
    most = min(most, shape[1])
    kept = fewest + draws.integers(most - fewest + 1, 1, 1)
    return _keep(draws.uniform(shape[1], 1).argsort(dim=1).argsort(dim=1) < kept)


@Planned
def peak_mask(draws: Draws, shape: Shape, *, keep: Literal["peaks", "rest", "either"] = "either") -> Change:
    """Zero what rises above the record's level, in the mean over leads, or all else.

    Args:
        keep: which of the two stays; "either" is drawn for each record.
    """
    rest = draws.uniform(1, 1) < {"peaks": 0.0, "rest": 1.0, "either": 0.5}[keep]

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        mean = x.mean(dim=1, keepdim=True)
        kept = (mean > mean.mean(dim=-1, keepdim=True)) ^ rest[records]
        return torch.mul(x, kept.to(x.dtype), out=out)

    return change


def _keep(leads: Bool[Tensor, "batch lead 1"]) -> Change:
    return lambda x, out, records: torch.mul(x, leads[records].to(x.dtype), out=out)


@functools.lru_cache(maxsize=16)
def _block(length: int, time: int, device: torch.device) -> Float[Tensor, " twice"]:
    """Zeros for `length` samples, ones to `time`, twice; read from `time - start` on, a block at `start`."""
    kept = (torch.arange(time, device=device) >= length).float()
    return kept.repeat(2)


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"`share` must be in 0..1; got {share}")
