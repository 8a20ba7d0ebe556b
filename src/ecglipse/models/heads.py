"""What sits on an encoder: in pretraining the projection and some objectives' predictor, then a head."""

import math
from typing import Literal

import torch
from torch import nn

Norm = Literal["none", "batch", "layer"]


class Projection(nn.Sequential):
    """Linear layers with ReLU between: features to the space of the objective; thrown away after pretraining.

    Between equal sizes it is a predictor, to classes a head.

    Args:
        in_dim: size of the features.
        hidden: size between layers.
        out_dim: size of the projection.
        generator: draws the initial weights.
        layers: how many; 0 gives the features themselves, and needs `out_dim` to be `in_dim`.
        norm: after each layer but the last; objectives without negatives need "batch".

    Raises:
        ValueError: if there are no layers between unequal sizes.

    Source:
        Two layers: Chen et al. 2020, arXiv:2002.05709; three: Chen et al. 2020, arXiv:2006.10029.
    """

    def __init__(
        self,
        in_dim: int,
        hidden: int,
        out_dim: int,
        *,
        generator: torch.Generator,
        layers: int = 2,
        norm: Norm = "none",
    ) -> None:
        if layers == 0 and in_dim != out_dim:
            raise ValueError(f"`layers` must be > 0 between sizes {in_dim} and {out_dim}; got 0")
        sizes = [in_dim, *[hidden] * (layers - 1), out_dim]
        made: list[nn.Module] = []
        with torch.random.fork_rng(devices=[]):
            for layer in range(layers):
                if layer:
                    made += [*_norm(norm, sizes[layer]), nn.ReLU(inplace=True)]
                made.append(nn.Linear(sizes[layer], sizes[layer + 1]))
            super().__init__(*made)
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    bound = 1 / math.sqrt(module.in_features)
                    module.weight.uniform_(-bound, bound, generator=generator)
                    module.bias.uniform_(-bound, bound, generator=generator)


def _norm(norm: Norm, size: int) -> list[nn.Module]:
    if norm == "none":
        return []
    return [nn.BatchNorm1d(size) if norm == "batch" else nn.LayerNorm(size)]
