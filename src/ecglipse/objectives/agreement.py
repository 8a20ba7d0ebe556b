"""BYOL and SimSiam: a predictor maps one view's projection to the other's; there are no negatives."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecglipse.objectives.base import Objective, Seen, share, unit_length


def mean_cosine(p: Float[Tensor, "batch dim"], z: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
    """Mean cosine similarity of rows n of p and z, in float32."""
    with torch.autocast(p.device.type, enabled=False):
        return (unit_length(p) * unit_length(z)).sum(dim=1).mean()


class BYOL(Objective):
    """Predict what a slow copy of the encoder says of the other view.

    With q the predictor, z the online and t the target's projections, and c the mean cosine similarity,

        L = 2 - 2 c(q(z_a), t_b) + 2 - 2 c(q(z_b), t_a),      target <- m target + (1 - m) online after a step

    The mask network plays against all of L: through the online pass of the hidden view and through the
    target's pass of it, whose weights are constants for both players. So its gradient is that of the number
    itself.

    Args:
        predictor: q; learns with the encoder.
        momentum: m at the start; rises to 1 by a cosine.

    Returns of `forward`: 0 to 8, without a unit; 4 where nothing is alike.

    Source:
        Grill et al. 2020, arXiv:2006.07733, eq. 2 and section 3.2. Departures: ADIOS lets no gradient through
        the target to the mask; m starts at 0.99 by default, not 0.996, for runs of some thousand steps.
    """

    unit = ""
    needs_target = True

    def __init__(self, predictor: nn.Module, *, momentum: float = 0.99) -> None:
        super().__init__()
        self.predictor = predictor
        self.start = share("momentum", momentum)

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """Give the loss, which has no unit."""
        first = mean_cosine(self.predictor(seen.a), seen.target_b)
        return 4 - 2 * first - 2 * mean_cosine(self.predictor(seen.b), seen.target_a)

    def momentum(self, progress: float) -> float:
        """Rise from the start to 1 by a cosine."""
        return 1 - (1 - self.start) * (1 + math.cos(math.pi * progress)) / 2


class SimSiam(Objective):
    """Predict the other view's projection, which counts as a constant.

    With q the predictor, z the projections, sg the stop of the gradient and c the mean cosine similarity,

        L = - c(q(z_a), sg z_b) / 2 - c(q(z_b), sg z_a) / 2

    What is stopped is stopped for both players: the mask network plays against the second term, through the
    predictor's pass of the hidden view, and not against sg z_b in the first. A gradient for the mask alone
    through sg z_b would need a pass of its own, for it runs through the weights that must not feel it.

    Args:
        predictor: q; learns with the encoder.

    Returns of `forward`: -1 to 1, without a unit; -1 where all agree.

    Source:
        Chen and He 2021, arXiv:2011.10566, eq. 4; the mask's gradient as in ADIOS (Shi et al. 2022,
        arXiv:2201.13100). Departures: none.
    """

    unit = ""

    def __init__(self, predictor: nn.Module) -> None:
        super().__init__()
        self.predictor = predictor

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """Give the loss, which has no unit."""
        a, b = seen.a, seen.b
        first = mean_cosine(self.predictor(a), b.detach())
        return -first / 2 - mean_cosine(self.predictor(b), a.detach()) / 2
