"""The mask network: a small U-Net that scores which segments of a record to hide.

It looks at the record in frames, by default 25 a second (mean, highest and lowest value of each frame and
lead), scores at that rate, and has norms of one record each, so the scores for one record do not depend on
its neighbours. Published: 152.7 M parameters at the signal's own rate; here 2e4 to 3e5, because a mask of
40-400 ms segments needs no more resolution.
"""

import itertools
import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.models.layers import Conv, channels_last, kaiming
from ecglipse.models.scoring import ScoringNet

_ROWS = torch.contiguous_format

Norm = Literal["group", "layer", "instance", "none"]
"""Over four groups of channels, all of them, or each alone, always of one record; or no norm."""


class MaskNet(ScoringNet):
    """Score the segments of a record.

    Args:
        leads: leads of the input.
        groups: scores a segment: 1 for one mask over all leads, or as many as leads, or as bands.
        width: channels of the first level; each further one has half of that more.
        depth: levels below the first, each at half the rate of the one above.
        kernel: frames that a convolution sees, odd.
        norm: after each convolution but the last.
        fs: of the input, Hz.
        frame_hz: frames a second that the network sees, and scores before they are averaged over segments;
            10 at least, `fs` at most.
        generator: draws the initial weights; the last layer starts near zero, so that the first masks
            drawn are as good as random.
    """

    def __init__(
        self,
        *,
        leads: int = 12,
        groups: int = 1,
        width: int = 32,
        depth: int = 2,
        kernel: int = 5,
        norm: Norm = "group",
        fs: float = 100.0,
        frame_hz: float = 25.0,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if frame_hz < 10:
            raise ValueError(f"`frame_hz` must be at least 10; got {frame_hz}")
        if fs < frame_hz:
            raise ValueError(f"`fs` must be at least `frame_hz` = {frame_hz}; got {fs}")
        if width % 8:
            raise ValueError(f"`width` must be a multiple of 8; got {width}")
        if depth < 0:
            raise ValueError(f"`depth` must be at least 0; got {depth}")
        if kernel < 1 or kernel % 2 == 0:
            raise ValueError(f"`kernel` must be odd; got {kernel}")
        self.fs, self.frame_hz, self.groups, self.depth = fs, frame_hz, groups, depth
        widths = [width * (2 + level) // 2 for level in range(depth + 1)]
        self.enter = _block(3 * leads, width, kernel, norm)
        for level, (above, below) in enumerate(itertools.pairwise(widths), start=1):
            self.add_module(f"down{level}", _block(above, below, kernel, norm, stride=2))
        self.bottom = _block(widths[-1], widths[-1], kernel, norm)
        for level, (below, above) in enumerate(itertools.pairwise(widths[::-1]), start=1):
            self.add_module(f"up{level}", _block(below + above, above, kernel, norm))
        self.out = Conv(width, groups, kernel, bias=True)
        _initialise(self, generator)

    def forward(
        self, x: Float[Tensor, "batch lead time"], n_segments: int
    ) -> Float[Tensor, "batch group segment"]:
        """Give one raw score per segment.

        Args:
            x: mV; scaled inside by each record's own mean absolute value.
            n_segments: how many equal segments the record is cut into.
        """
        # on a CPU a few records at a time: memory of several MiB is had anew from the system at each step
        some = max(2**18 // x[0].numel(), 1) if x.device.type == "cpu" else len(x)
        frames = torch.cat([self._frames(part) for part in x.split(some)])
        levels = [self.enter(channels_last(frames))]
        for level in range(1, self.depth + 1):
            levels.append(self.get_submodule(f"down{level}")(levels[-1]))
        made = self.bottom(levels.pop())
        for level, above in enumerate(reversed(levels), start=1):
            made = self.get_submodule(f"up{level}")(torch.cat([_stretch(made, above), above], dim=1))
        scores: Tensor = functional.adaptive_avg_pool1d(self.out(made).squeeze(2), n_segments)
        return scores

    def _frames(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch channel frame"]:
        """Mean, maximum and minimum of each frame, about the record's baseline and in units of its size."""
        frames = max(math.ceil(x.shape[-1] * self.frame_hz / self.fs), 2**self.depth)
        base = x.mean(dim=-1, keepdim=True)
        if x.shape[-1] % frames == 0:
            # one copy, a sample of the frame first: each reduction then runs along whole rows
            folded = x.unflatten(-1, (frames, -1)).permute(3, 0, 1, 2).clone(memory_format=_ROWS).sub_(base)
            parts = [folded.mean(0), folded.amax(0), folded.amin(0)]
            absolute = folded.abs() if folded.requires_grad else folded.abs_()
            size = absolute.mean(0).flatten(1).mean(1)
        else:
            x, pool = x - base, functional.adaptive_max_pool1d
            parts = [functional.adaptive_avg_pool1d(x, frames), pool(x, frames), -pool(-x, frames)]
            size = x.abs().flatten(1).mean(1)
        return torch.cat(parts, dim=1).div_(size.clamp(min=1e-6)[:, None, None])


def _block(into: int, out: int, kernel: int, norm: Norm, *, stride: int = 1) -> nn.Sequential:
    groups = {"group": 4, "layer": 1, "instance": out}
    return nn.Sequential(
        Conv(into, out, kernel, stride=stride),
        nn.Identity() if norm == "none" else nn.GroupNorm(groups[norm], out),
        nn.ReLU(inplace=True),
    )


def _stretch(x: Tensor, like: Tensor) -> Tensor:
    """Repeat each frame of the coarser level to the finer level's length."""
    return functional.interpolate(x, size=like.shape[2:], mode="nearest")


@torch.no_grad()
def _initialise(net: MaskNet, generator: torch.Generator) -> None:
    """Convolutions Kaiming normal by fan-in, in the order of the layers; the last a fourteenth as wide."""
    for module in net.modules():
        if isinstance(module, Conv):
            fan_in = module.weight.shape[1] * module.weight.shape[2]
            kaiming(module, 200 * fan_in if module is net.out else fan_in, generator)
