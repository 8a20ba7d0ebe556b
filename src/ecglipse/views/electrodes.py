"""Electrodes on wrong places: two exchanged, or the chest leads moved along the chest."""

import functools

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.views.mixing import ELECTRODES, FROM_ELECTRODES
from ecglipse.views.parts import Change, Planned, Shape

PAIRS: tuple[str, ...] = ("RA-LA", "RA-LL", "LA-LL", "V1-V2", "V2-V3", "V3-V4", "V4-V5", "V5-V6")
"""The exchanges that happen: two limbs, or neighbours on the chest."""


@Planned
def electrode_swap(draws: Draws, shape: Shape, *, pairs: tuple[str, ...] = PAIRS) -> Change:
    """Exchange one pair of electrodes in each record.

    With E the map from electrodes to leads and P the exchange, x' = E P E^+ x. For two limbs or two chest
    electrodes that is a lead for a lead, some of them turned over: exchanging RA and LA turns I over and
    exchanges II with III and aVR with aVL. Lead algebra is kept.

    Args:
        pairs: exchanges to choose from, each as likely as another.

    Raises:
        ValueError: if a pair is not two limbs or two chest electrodes.

    Source:
        Which ones happen: Batchvarov et al. 2007, doi:10.1093/europace/eum198.
    """
    from_lead, sign = _swaps(tuple(pairs), draws.device)
    chosen = draws.integers(len(pairs), 1).flatten()
    return _leads_from(from_lead[chosen], sign[chosen])


@Planned
def chest_shift(draws: Draws, shape: Shape, *, most: float) -> Change:
    """Move V1..V6 along the chest: each becomes a mixture of itself and its neighbour to one side.

    V_i' = (1 - a) V_i + a V_(i +- 1), with a uniform in 0..most and one side for all six; the outermost
    electrode of that side stays. Lead algebra is kept.

    Args:
        most: largest shift, in distances between neighbours, 0 to 1.

    Raises:
        ValueError: if `most` is outside 0..1.

    Source:
        Displaced leads from the standard twelve: Schijvenaars et al. 1996, doi:10.1016/S0022-0736(96)80002-1;
        straight lines between neighbours, in place of their fitted coefficients, are ours.
    """
    if not 0 <= most <= 1:
        raise ValueError(f"`most` must be in 0..1; got {most}")
    place = most * (2 * draws.uniform(1, 1) - 1)

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        step = x[:, 7:] - x[:, 6:11]
        if x is not out:
            out.copy_(x)
        out[:, 6:11].addcmul_(step, place[records].clamp(min=0).to(x.dtype))
        out[:, 7:].addcmul_(step, place[records].clamp(max=0).to(x.dtype))
        return out

    return change


def _leads_from(leads: Int[Tensor, "batch lead"], sign: Float[Tensor, "batch lead 1"]) -> Change:
    """Put another lead in the place of each, times its sign."""

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        moved = torch.empty_like(out) if x is out else out
        start = torch.arange(len(x), device=x.device).unsqueeze(1) * x.shape[1]
        rows = (start + leads[records]).flatten()
        torch.index_select(x.flatten(0, 1), 0, rows, out=moved.flatten(0, 1))
        return moved.mul_(sign[records].to(x.dtype))

    return change


@functools.lru_cache(maxsize=16)
def _swaps(
    pairs: tuple[str, ...], device: torch.device
) -> tuple[Int[Tensor, "pair 12"], Float[Tensor, "pair 12 1"]]:
    """For each pair the lead that each lead is then recorded as, and its sign."""
    matrices = np.round(np.stack([_swap(pair) for pair in pairs]), 9)
    leads = np.abs(matrices).argmax(-1)
    sign = np.take_along_axis(matrices, leads[..., None], -1)
    return torch.from_numpy(leads).to(device), torch.from_numpy(sign).float().to(device)


def _swap(pair: str) -> Float[np.ndarray, "12 12"]:
    """E P E^+ of a pair, with each lead written as one other."""
    one, _, other = pair.partition("-")
    limbs, chest = set(ELECTRODES[:3]), set(ELECTRODES[3:])
    if one == other or not ({one, other} <= limbs or {one, other} <= chest):
        raise ValueError(f"`pairs` are two of RA, LA, LL or two of V1..V6, such as 'RA-LA'; got {pair!r}")
    order = list(range(len(ELECTRODES)))
    i, j = ELECTRODES.index(one), ELECTRODES.index(other)
    order[i], order[j] = j, i
    swapped = FROM_ELECTRODES[:, order]
    found = np.zeros((12, 12))
    for row, lead in enumerate(swapped):
        for sign in (1, -1):
            same = np.abs(FROM_ELECTRODES * sign - lead).max(1) < 1e-9
            if same.any():
                found[row, same.argmax()] = sign
                break
    return found
