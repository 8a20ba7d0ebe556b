"""What a mask network pays for the shape of its scores, beside the game: entropy, smoothness, diversity."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Pressure:
    """Weights of the terms; 0 leaves one out. All terms are 0 for a network that hides at random.

    Args:
        entropy: of KL(p || uniform) in nats, p the softmax of a record's scores over its segments: how far
            the distribution that masks are drawn from is from chance.
        smooth: of the mean squared difference of neighbouring segments' scores.
        diversity: of minus the standard deviation of a segment's score over the records of the batch: pays
            for masks that depend on the record.
    """

    entropy: float = 0.0
    smooth: float = 0.0
    diversity: float = 0.0

    def __call__(self, logits: Float[Tensor, "batch choice segment"]) -> Float[Tensor, ""] | None:
        """Give the sum of the terms; None if all weights are 0."""
        terms = []
        if self.entropy:
            terms.append(self.entropy * from_chance(logits))
        if self.smooth and logits.shape[-1] > 1:
            terms.append(self.smooth * logits.diff(dim=-1).square().mean())
        if self.diversity and len(logits) > 1:
            variance = logits.var(dim=0, correction=0)
            terms.append(-self.diversity * (variance + 1e-6).sqrt().mean())
        return torch.stack(terms).sum() if terms else None


def from_chance(logits: Float[Tensor, "batch choice segment"]) -> Float[Tensor, ""]:
    """Mean KL(softmax(logits) || uniform) over records and groups, nats: 0 for equal scores."""
    log_p = logits.log_softmax(dim=-1)
    n = torch.full((), float(logits.shape[-1]), device=logits.device)
    return ((log_p.exp() * log_p).sum(-1) + n.log()).mean()
