"""NT-Xent: the contrastive loss of SimCLR, in its numerically stable form."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ecglipse.objectives.base import Objective, Seen, positive


def nt_xent(
    z0: Float[Tensor, "batch dim"], z1: Float[Tensor, "batch dim"], *, temperature: float = 0.1
) -> Float[Tensor, ""]:
    """Mean NT-Xent loss over the 2 * batch anchors of two views.

    For anchor i with positive j, and s the cosine similarity,

        l(i, j) = -log( exp(s_ij / t) / sum_{k != i} exp(s_ik / t) )

    Computed in float32 by log-sum-exp, whatever the dtype of the projections.

    Args:
        z0: projections of the first view; need not be normalised.
        z1: projections of the second view; row n is the positive of row n of `z0`.
        temperature: t above; dimensionless, > 0.

    Returns:
        A scalar in nats. log(2 * batch - 1) when all projections are equal.

    Raises:
        ValueError: if `temperature` is not positive, or the batch has no negatives (fewer than 2 records).

    Source:
        Chen et al. 2020, arXiv:2002.05709, eq. 1. Departures: none.
    """
    if not temperature > 0:
        raise ValueError(f"`temperature` must be > 0; got {temperature}")
    batch = z0.shape[0]
    if batch < 2:
        raise ValueError(f"`z0` must hold at least 2 records, so that there are negatives; got {batch}")
    with torch.autocast(z0.device.type, enabled=False):
        z = torch.cat([z0, z1])
        z = functional.normalize(z.to(torch.promote_types(z.dtype, torch.float32)), dim=1, eps=1e-8)
        similarity = z @ z.T / temperature
        itself = torch.eye(2 * batch, dtype=torch.bool, device=z.device)
        positive = torch.arange(2 * batch, device=z.device).roll(batch)
        return functional.cross_entropy(similarity.masked_fill(itself, float("-inf")), positive)


class NTXent(Objective):
    """NT-Xent as an objective: SimCLR, and the published CMSC where the pairs are segments.

    The mask network plays against all of it: hidden, a record shall look less like itself or more like
    others.

    Args:
        temperature: see `nt_xent`.
    """

    def __init__(self, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = positive("temperature", temperature)

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """Give the loss in nats."""
        return nt_xent(seen.a, seen.b, temperature=self.temperature)
