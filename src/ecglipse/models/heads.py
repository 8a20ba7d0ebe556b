"""What sits on an encoder: the projection of the contrast."""

import math

import torch
from torch import nn


class Projection(nn.Sequential):
    """Linear, ReLU, Linear: features to the space of the contrast; thrown away after pretraining.

    Args:
        in_dim: size of the features.
        hidden: size between the two layers.
        out_dim: size of the projection.
        generator: draws the initial weights.
    """

    def __init__(self, in_dim: int, hidden: int, out_dim: int, *, generator: torch.Generator) -> None:
        with torch.random.fork_rng(devices=[]):
            super().__init__(nn.Linear(in_dim, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, out_dim))
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    bound = 1 / math.sqrt(module.in_features)
                    module.weight.uniform_(-bound, bound, generator=generator)
                    module.bias.uniform_(-bound, bound, generator=generator)
