"""Lead drop: some leads of some records are zeros, as if they had not been recorded."""

import torch
from jaxtyping import Float
from torch import Tensor


def lead_drop(
    x: Float[Tensor, "batch lead time"], generator: torch.Generator, *, share: float
) -> Float[Tensor, "batch lead time"]:
    """Drop a drawn number of leads, one at least and all but one at most, from a share of the records.

    An encoder trained on such views works with any subset of its leads (`models.encode`). Lead algebra is
    lost where a limb lead is dropped. May invalidate labels that one lead alone carries (an infarct's place).

    Args:
        x: mV.
        share: probability that a record loses leads.

    Source:
        Oh et al. 2022, arXiv:2203.06889 (random lead masking). Departures: the number of leads is drawn
        evenly instead of each lead by itself, and one lead always stays.
    """
    batch, leads = x.shape[:2]
    if not share or leads == 1:
        return x
    rank = torch.rand(batch, leads, generator=generator, device=x.device).argsort(dim=1)
    dropped = torch.randint(1, leads, (batch, 1), generator=generator, device=x.device)
    hit = torch.rand(batch, 1, generator=generator, device=x.device) < share
    return x.masked_fill(((rank < dropped) & hit)[:, :, None], 0.0)
