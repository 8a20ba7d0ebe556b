"""What an encoder's records are brought to before they are hidden from or read: the same in all its uses.

Unlike the views of `normalise`, these leave absent leads as they are: each lead is centred by itself, and one
scale divides all leads of a record, had from those that are not flat. So absent leads change nothing for the
others, and a lead that is zeros stays zeros. By means, lead algebra is kept; by medians, up to their offsets.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.views.normalise import quartiles

_FLAT_MV = 1e-6
Scaling = Callable[[Tensor], Tensor]


def z_scored(x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch lead time"]:
    """Centre each lead by its mean; divide by the root mean square of the leads' standard deviations."""
    centred = x - x.mean(-1, keepdim=True)
    return _divided(centred, centred.square().mean(-1, keepdim=True), torch.sqrt)


def robustly_scaled(x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch lead time"]:
    """Centre each lead by its median; divide by the mean of the leads' interquartile ranges."""
    low, middle, high = quartiles(x)
    return _divided(x - middle, high - low, lambda mean: mean)


SCALINGS: dict[str, Scaling] = {"zscore": z_scored, "robust": robustly_scaled}
"""By the words of a config; "mv" leaves records as they are."""


def _divided(
    centred: Float[Tensor, "batch lead time"], spread: Float[Tensor, "batch lead 1"], size: Scaling
) -> Float[Tensor, "batch lead time"]:
    """Divide by the size of the mean spread of the leads that are not flat; where all are, give 0."""
    there = size(spread) > _FLAT_MV
    mean = (spread * there).sum(1, keepdim=True) / there.sum(1, keepdim=True).clamp(min=1)
    return centred / torch.where(mean > 0, size(mean), torch.inf)
