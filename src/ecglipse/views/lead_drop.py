"""Lead drop: some leads of some records are zeros, as if they had not been recorded."""

from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws


def lead_drop(
    x: Float[Tensor, "batch lead time"], draws: Draws, *, share: float
) -> Float[Tensor, "batch lead time"]:
    """Drop a drawn number of leads, one at least and all but one at most, from a share of the records.

    An encoder trained on such views works with any subset of its leads (`models.encode`). Lead algebra is
    lost where a limb lead is dropped. May invalidate labels that one lead alone carries (an infarct's place).

    Args:
        x: mV.
        draws: of these records.
        share: probability that a record loses leads.

    Source:
        Oh et al. 2022, arXiv:2203.06889 (random lead masking). Departures: the number of leads is drawn
        evenly instead of each lead by itself, and one lead always stays.
    """
    leads = x.shape[1]
    if not share or leads == 1:
        return x
    rank = draws.uniform(leads).argsort(dim=1)
    dropped = 1 + draws.integers(leads - 1, 1)
    hit = draws.chance(share, 1)
    return x.masked_fill(((rank < dropped) & hit)[:, :, None].to(x.device), 0.0)
