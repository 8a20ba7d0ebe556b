"""Electrodes on wrong places: two exchanged, or the chest leads moved along the chest."""

import functools

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import LEADS
from ecglipse.views.mixing import ELECTRODES, FROM_ELECTRODES
from ecglipse.views.parts import Change, Planned, Shape

PAIRS: tuple[str, ...] = ("RA-LA", "RA-LL", "LA-LL", "V1-V2", "V2-V3", "V3-V4", "V4-V5", "V5-V6")
"""The exchanges that happen: two limbs, or neighbours on the chest."""

_CHEST = ELECTRODES[3:]


@Planned
def electrode_swap(
    draws: Draws, shape: Shape, *, pairs: tuple[str, ...] = PAIRS, names: tuple[str, ...] = LEADS
) -> Change:
    """Exchange one pair of electrodes in each record.

    With E the map from electrodes to leads and P the exchange, x' = E P E^+ x. For two limbs or two chest
    electrodes that is a lead for a lead, some of them turned over: exchanging RA and LA turns I over and
    exchanges II with III and aVR with aVL. Lead algebra is kept.

    Args:
        pairs: exchanges to choose from, each as likely as another.
        names: of the leads.

    Raises:
        ValueError: if a pair is not two limbs or two chest electrodes, if an exchange puts a lead that is not
            there in the place of one of these, or if it changes none of them.

    Source:
        Which ones happen: Batchvarov et al. 2007, doi:10.1093/europace/eum198.
    """
    _see(shape, names)
    from_lead, sign = _swaps(tuple(pairs), names, draws.device)
    chosen = draws.integers(len(pairs), 1).flatten()
    return _leads_from(from_lead[chosen], sign[chosen])


@Planned
def chest_shift(draws: Draws, shape: Shape, *, most: float, names: tuple[str, ...] = LEADS) -> Change:
    """Move V1..V6 along the chest: each becomes a mixture of itself and its neighbour to one side.

    V_i' = (1 - a) V_i + a V_(i +- 1), with a uniform in 0..most and one side for all six; the outermost
    electrode of that side stays. Lead algebra is kept.

    Args:
        most: largest shift, in distances between neighbours, 0 to 1.
        names: of the leads.

    Raises:
        ValueError: if `most` is outside 0..1, or one of V1..V6 is not there.

    Source:
        Displaced leads from the standard twelve: Schijvenaars et al. 1996, doi:10.1016/S0022-0736(96)80002-1;
        straight lines between neighbours, in place of their fitted coefficients, are ours.
    """
    if not 0 <= most <= 1:
        raise ValueError(f"`most` must be in 0..1; got {most}")
    missing = [lead for lead in _CHEST if lead not in names]
    if missing:
        raise ValueError(f"shifting the chest leads needs V1..V6; without {', '.join(missing)}")
    _see(shape, names)
    where = _places(names, draws.device)
    place = most * (2 * draws.uniform(1, 1) - 1)

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        chest = x[:, where]
        step = chest[:, 1:] - chest[:, :-1]
        if x is not out:
            out.copy_(x)
        moved = out[:, where]
        moved[:, :-1].addcmul_(step, place[records].clamp(min=0).to(x.dtype))
        moved[:, 1:].addcmul_(step, place[records].clamp(max=0).to(x.dtype))
        if isinstance(where, Tensor):
            out[:, where] = moved
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
def _places(names: tuple[str, ...], device: torch.device) -> slice | Int[Tensor, "6"]:
    """Where V1..V6 are: a slice, of which there is a view, where they are beside each other in this order."""
    found = [names.index(lead) for lead in _CHEST]
    if found == list(range(found[0], found[0] + 6)):
        return slice(found[0], found[0] + 6)
    return torch.tensor(found, device=device)


@functools.lru_cache(maxsize=16)
def _swaps(
    pairs: tuple[str, ...], names: tuple[str, ...], device: torch.device
) -> tuple[Int[Tensor, "pair lead"], Float[Tensor, "pair lead 1"]]:
    """For each pair the lead that each lead is then recorded as, and its sign."""
    matrices = np.round(np.stack([_swap(pair) for pair in pairs]), 9)
    here = [LEADS.index(name) for name in names]
    leads = np.abs(matrices).argmax(-1)[:, here]
    sign = np.take_along_axis(matrices[:, here], leads[..., None], -1)
    for pair, taken, signs in zip(pairs, leads, sign, strict=True):
        missing = [LEADS[lead] for lead in sorted(set(taken) - set(here))]
        if missing:
            raise ValueError(
                f"exchanging {pair} needs lead {', '.join(missing)}; there are {', '.join(names)}"
            )
        if (taken == here).all() and (signs == 1).all():
            raise ValueError(f"exchanging {pair} changes no lead of {', '.join(names)}")
    places = np.array([[names.index(LEADS[lead]) for lead in taken] for taken in leads])
    return torch.from_numpy(places).to(device), torch.from_numpy(sign).float().to(device)


def _see(shape: Shape, names: tuple[str, ...]) -> None:
    if shape[1] != len(names):
        raise ValueError(f"`names` must name the {shape[1]} leads of the signals; it names {len(names)}")


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
