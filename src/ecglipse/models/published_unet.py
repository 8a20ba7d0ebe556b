"""The published mask network: a U-Net at the signal's own rate, kept to measure what its form costs.

Encoder levels of one, two, three and four times its width, each a convolution (stride 5 from the second on)
and a residual block with additive channel attention; a decoder by repetition and concatenation. BatchNorm
runs over the batch, so that the scores of a record depend on its neighbours. Not a recommendation.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.models.scoring import ScoringNet

STRIDE = 125
"""Samples of which the length must be a multiple inside: three levels of stride 5."""


class PublishedUNet(ScoringNet):
    """Scores each sample, of any number of samples; a record is filled up to a multiple of 125 by its last.

    Args:
        leads: leads of the input.
        groups: scores a sample.
        width: channels of the first level, 8 at least; published: 512, which with one group makes 152,686,977
            parameters, of which 989,440 belong to linear layers that are never called.
        fs: of the input, Hz.
        generator: draws the initial weights.

    Source:
        The code of Bo et al. 2022, arXiv:2211.07889, rebuilt from a description of its layers. Departures:
        scores are raw, as policies apply their own sigmoid or softmax; the published pooling over as many
        samples as there are leads is over 12 whatever the leads.
    """

    def __init__(
        self, *, leads: int = 12, groups: int = 1, width: int = 512, fs: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        if width < 8:
            raise ValueError(f"`width` must be at least 8; got {width}")
        self.groups, self.frame_hz = groups, fs
        one, two, three, four = width, 2 * width, 3 * width, 4 * width
        self.layer1 = nn.Sequential(_convolution(leads, one), _Residual(one))
        self.layer2 = nn.Sequential(_convolution(one, two, stride=5), _Residual(two))
        self.layer3 = nn.Sequential(_convolution(two + leads, three, stride=5), _Residual(three))
        self.layer4 = nn.Sequential(_convolution(three + leads, four, stride=5), _Residual(four))
        self.up1 = _convolution(four + three, three)
        self.up2 = _convolution(three + two, two)
        self.up3 = _convolution(two + one, one)
        self.stretch = nn.Upsample(scale_factor=5, mode="nearest")
        self.pool2, self.pool3 = nn.AvgPool1d(12, 5, padding=4), nn.AvgPool1d(12, 25)
        self.out = nn.Conv1d(one, groups, 5, padding=2)
        _initialise(self, generator)

    def forward(
        self, x: Float[Tensor, "batch lead time"], n_segments: int
    ) -> Float[Tensor, "batch group segment"]:
        """Give one raw score a segment: the mean over its samples."""
        time = x.shape[-1]
        whole = functional.pad(x, (0, -time % STRIDE), mode="replicate")
        one = self.layer1(whole)
        two = self.layer2(one)
        three = self.layer3(torch.cat([two, self.pool2(whole)], dim=1))
        four = self.layer4(torch.cat([three, self.pool3(whole)], dim=1))
        y = self.up1(torch.cat([self.stretch(four), three], dim=1))
        y = self.up2(torch.cat([self.stretch(y), two], dim=1))
        y = self.up3(torch.cat([self.stretch(y), one], dim=1))
        scores: Tensor = functional.adaptive_avg_pool1d(self.out(y)[..., :time], n_segments)
        return scores


class _Residual(nn.Module):
    """Two convolutions, a channel attention that is added, and the skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _convolution(channels, channels), _convolution(channels, channels)
        small = channels // 8
        self.attend = nn.Sequential(
            nn.AdaptiveAvgPool1d(1),
            nn.Conv1d(channels, small, 1),
            nn.ReLU(),
            nn.Conv1d(small, channels, 1),
            nn.Sigmoid(),
        )
        self.never_called = nn.ModuleList([nn.Linear(channels, small), nn.Linear(8, small)])

    def forward(self, x: Tensor) -> Tensor:
        """Give x plus its refinement."""
        y = self.second(self.first(x))
        made: Tensor = y + self.attend(y) + x
        return made


def _convolution(into: int, out: int, *, stride: int = 1) -> nn.Sequential:
    """Convolution of 5 with bias, BatchNorm, ReLU."""
    return nn.Sequential(nn.Conv1d(into, out, 5, stride=stride, padding=2), nn.BatchNorm1d(out), nn.ReLU())


@torch.no_grad()
def _initialise(net: PublishedUNet, generator: torch.Generator) -> None:
    """Draw all weights and biases uniform within 1 / sqrt(fan-in), as torch does by itself."""
    for module in net.modules():
        if isinstance(module, nn.Conv1d | nn.Linear):
            bound = 1 / math.sqrt(module.weight[0].numel())
            module.weight.uniform_(-bound, bound, generator=generator)
            if module.bias is not None:
                module.bias.uniform_(-bound, bound, generator=generator)
