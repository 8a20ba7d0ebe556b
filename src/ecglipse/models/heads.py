"""What sits on an encoder in pretraining: the projection, and some objectives' predictor."""

import math

import torch
from torch import nn


class Projection(nn.Sequential):
    """Linear, ReLU, Linear: features to the space of the objective; thrown away after pretraining.

    Between equal sizes it is a predictor.

    Args:
        in_dim: size of the features.
        hidden: size between the two layers.
        out_dim: size of the projection.
        generator: draws the initial weights.
        batch_norm: put a BatchNorm after the first layer, as objectives without negatives need it.
    """

    def __init__(
        self,
        in_dim: int,
        hidden: int,
        out_dim: int,
        *,
        generator: torch.Generator,
        batch_norm: bool = False,
    ) -> None:
        norm = [nn.BatchNorm1d(hidden)] if batch_norm else []
        with torch.random.fork_rng(devices=[]):
            super().__init__(
                nn.Linear(in_dim, hidden), *norm, nn.ReLU(inplace=True), nn.Linear(hidden, out_dim)
            )
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    bound = 1 / math.sqrt(module.in_features)
                    module.weight.uniform_(-bound, bound, generator=generator)
                    module.bias.uniform_(-bound, bound, generator=generator)
