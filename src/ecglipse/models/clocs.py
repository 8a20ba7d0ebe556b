"""The small convolutional network of CLOCS, for any length."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.models.layers import Conv, Encoder, channels_last, grouped, initialise

_ONE_FRAME = 388
"""Samples of which the convolutions leave one step of time."""


class ClocsCnn(Encoder):
    """Three convolutions of 7 at stride 3, each with norm, ReLU and a maximum over 2; flattened; one layer.

    Args:
        leads: leads of the input.
        width: channels of the last convolution, a multiple of 8; the others have an eighth and a half.
        dim: size of the features.
        frames: time steps that the layer sees; of 2,500 samples 10 are left and nothing is averaged, as
            published, other lengths are averaged to this number.
        generator: draws the initial weights; torch's global generator is left as it was.

    Raises:
        ValueError: if `width` is not a multiple of 8.

    Records of fewer than 388 samples, of which the convolutions would leave nothing, stand between zeros.

    Source:
        Kiyasseh et al. 2021, arXiv:2005.13249, with all leads as channels as in Bo et al. 2022. Departures:
        any length; no dropout, so that a pass has no hidden draw; Kaiming weights.
    """

    shortest = 64

    def __init__(
        self, *, leads: int, width: int, dim: int, frames: int = 10, generator: torch.Generator
    ) -> None:
        super().__init__(leads=leads, dim=dim)
        if width % 8:
            raise ValueError(f"`width` must be a multiple of 8; got {width}")
        self.frames = frames
        with torch.random.fork_rng(devices=[]):
            self.stages = nn.Sequential(
                *_stage(leads, width // 8), *_stage(width // 8, width // 2), *_stage(width // 2, width)
            )
            self.features = nn.Linear(width * frames, dim)
        initialise(self, generator)

    def by_depth(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Give the three convolutions, each with what follows it, and the linear layer."""
        return (*grouped(self.stages, (4, 4, 4)), (self.features,))

    def _encode(self, x: Tensor) -> Tensor:
        missing = max(_ONE_FRAME - x.shape[-1], 0)
        if missing:
            x = functional.pad(x, (missing // 2, missing - missing // 2))
        y = functional.adaptive_avg_pool1d(self.stages(channels_last(x)).squeeze(2), self.frames)
        features: Tensor = self.features(y.flatten(1))
        return features


def _stage(into: int, out: int) -> list[nn.Module]:
    return [
        Conv(into, out, 7, stride=3, padding=0, bias=True),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
        nn.MaxPool2d((1, 2)),
    ]


def clocs_cnn(*, leads: int = 12, width: int = 32, dim: int = 512, generator: torch.Generator) -> ClocsCnn:
    """Make the network; see `ClocsCnn`."""
    return ClocsCnn(leads=leads, width=width, dim=dim, generator=generator)
