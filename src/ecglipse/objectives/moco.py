"""MoCo: the hidden view is a query among keys of this batch and of earlier ones."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ecglipse.objectives.base import Objective, Seen, positive, several, share, unit_length


class MoCo(Objective):
    """Recognise the hidden view's record among many, by keys that a slow copy of the encoder made.

    With q the online projection of the hidden view, k the target's projections of first views and s the
    cosine similarity,

        l_i = -log( exp(s(q_i, k_i) / t) / sum_j exp(s(q_i, k_j) / t) )

    where j runs over the batch and over the queue, which holds the keys of the last records seen. The mask
    network plays against all of it, through the query alone: keys are constants, also where the first view is
    hidden too, whose mask then teaches it nothing.

    Args:
        dim: of the projections.
        size: keys in the queue; keep it well below the records of an epoch, or a record meets its own old
            key.
        temperature: t above; dimensionless, > 0.
        momentum: how slowly the target follows.

    Attributes:
        queue: (size, dim), of length 1, row n the n-th place; zeros where nothing is remembered yet.
        taken: keys taken in so far; the next one goes to place `taken % size`.

    Source:
        He et al. 2020, arXiv:1911.05722, eq. 1 and algorithm 1. Departures: the batch's other keys are
        negatives too, so that the queue may begin empty and not with noise; batches are not shuffled among
        ranks, whose statistics are joint; momentum 0.99 by default, not 0.999, for runs of some thousand
        steps.
    """

    needs_target = True
    queue: Tensor
    taken: Tensor

    def __init__(
        self, *, dim: int, size: int = 1024, temperature: float = 0.1, momentum: float = 0.99
    ) -> None:
        super().__init__()
        self.temperature = positive("temperature", temperature)
        self.slowness = share("momentum", momentum)
        if size < 1:
            raise ValueError(f"`size` must be at least 1; got {size}")
        self.register_buffer("queue", torch.zeros(size, dim))
        self.register_buffer("taken", torch.zeros((), dtype=torch.int64))

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """Give the loss in nats; log(batch + remembered keys) when all projections are equal."""
        query, key = seen.b, seen.target_a.detach()
        n = several(query)
        with torch.autocast(query.device.type, enabled=False):
            q, k = unit_length(query), unit_length(key)
            size = self.queue.shape[0]
            empty = torch.arange(size, device=q.device) >= self.taken
            old = (q @ self.queue.to(q.dtype).T).masked_fill(empty, float("-inf"))
            similarity = torch.cat([q @ k.T, old], dim=1) / self.temperature
            return functional.cross_entropy(similarity, torch.arange(n, device=q.device))

    def compared(self, seen: Seen) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch dim"]]:
        """Key and query."""
        return seen.target_a, seen.b

    def keys(self, seen: Seen) -> Float[Tensor, "batch dim"]:
        """The batch's keys, of length 1."""
        return unit_length(seen.target_a.detach())

    @torch.no_grad()
    def remember(self, keys: Float[Tensor, "some dim"]) -> None:
        """Put the keys into the queue, over the oldest."""
        size = self.queue.shape[0]
        last = keys[-size:]
        places = self.taken + len(keys) - len(last) + torch.arange(len(last), device=keys.device)
        self.queue[places % size] = last.to(self.queue.dtype)
        self.taken += len(keys)

    def momentum(self, progress: float) -> float:
        """The same throughout."""
        return self.slowness
