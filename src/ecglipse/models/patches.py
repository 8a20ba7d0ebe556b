"""A patch transformer: the record as a sentence of short stretches. No record sees another."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecglipse.models.layers import Encoder, patches


class PatchTransformer(Encoder):
    """Patches over all leads, sinusoidal positions, pre-norm layers, mean over patches, one linear layer.

    Args:
        leads: leads of the input.
        width: size of a token, a multiple of twice the heads.
        dim: size of the features.
        patch: samples of a patch; a last one that is not full is filled up with zeros.
        depth: layers.
        heads: of each layer.
        hidden: inner size of a layer's two linear maps; by default four times the width.
        generator: draws the initial weights; torch's global generator is left as it was.

    Raises:
        ValueError: if `width` does not fit the heads.

    Source:
        Dosovitskiy et al. 2021, arXiv:2010.11929, in one dimension (mean instead of a class token, Xavier
        uniform weights, no dropout). The reference's transformer lets attention run over the batch, because
        its layers are not batch-first (docs/differences.md); here each record is attended to by itself.
    """

    shortest = 25

    def __init__(
        self,
        *,
        leads: int,
        width: int,
        dim: int,
        patch: int = 25,
        depth: int = 6,
        heads: int = 4,
        hidden: int | None = None,
        generator: torch.Generator,
    ) -> None:
        super().__init__(leads=leads, dim=dim)
        if width % (2 * heads):
            raise ValueError(f"`width` must be a multiple of {2 * heads}; got {width}")
        self.patch = patch
        with torch.random.fork_rng(devices=[]):
            self.enter = nn.Linear(leads * patch, width)
            self.layers = nn.Sequential(
                *(
                    nn.TransformerEncoderLayer(
                        width,
                        heads,
                        hidden or 4 * width,
                        dropout=0.0,
                        activation="gelu",
                        batch_first=True,
                        norm_first=True,
                    )
                    for _ in range(depth)
                )
            )
            self.norm = nn.LayerNorm(width)
            self.features = nn.Linear(width, dim)
        for name, weights in self.named_parameters():
            if weights.dim() == 2:
                nn.init.xavier_uniform_(weights, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(weights)

    def by_depth(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Give the way in, each layer, and the last norm with the linear layer."""
        return ((self.enter,), *((layer,) for layer in self.layers), (self.norm, self.features))

    def _encode(self, x: Tensor) -> Tensor:
        tokens = self.enter(patches(x, self.patch))
        tokens = tokens + positions(tokens.shape[1], tokens.shape[2], x.device).to(tokens.dtype)
        features: Tensor = self.features(self.norm(self.layers(tokens)).mean(dim=1))
        return features


def positions(length: int, width: int, device: torch.device) -> Float[Tensor, "length width"]:
    """Sines and cosines of the patch's number (Vaswani et al. 2017, arXiv:1706.03762, section 3.5)."""
    rates = torch.exp(torch.arange(0, width, 2, device=device) * (-math.log(10_000.0) / width))
    angles = torch.arange(length, device=device)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def patch_transformer(
    *, leads: int = 12, width: int = 192, dim: int = 512, generator: torch.Generator
) -> PatchTransformer:
    """Make the network; see `PatchTransformer`."""
    return PatchTransformer(leads=leads, width=width, dim=dim, generator=generator)
