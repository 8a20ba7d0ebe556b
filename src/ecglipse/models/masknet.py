"""The mask network: a small U-Net that scores which segments of a record to hide.

It looks at the record at 25-50 frames a second (mean, highest and lowest value of each frame and lead) and
has GroupNorm, so the scores for one record do not depend on its neighbours. Published: 152.7 M parameters
at the signal's own rate; here 5e4 to 3e5, because a mask of 40-400 ms segments needs no more resolution.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class MaskNet(nn.Module):
    """Score the segments of a record.

    Args:
        leads: leads of the input.
        groups: scores a segment: 1 for one mask over all leads, or as many as leads, or as bands.
        width: channels of the first level; the others have 1.5 and 2 times as many.
        fs: of the input, Hz.
        frame_hz: frames a second that the network sees, 25 to 50.
        generator: draws the initial weights; the last layer starts near zero, so that the first masks
            drawn are as good as random.
    """

    def __init__(
        self,
        *,
        leads: int = 12,
        groups: int = 1,
        width: int = 32,
        fs: float = 100.0,
        frame_hz: float = 25.0,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if not 25.0 <= frame_hz <= 50.0:
            raise ValueError(f"`frame_hz` must be in 25..50; got {frame_hz}")
        if fs < frame_hz:
            raise ValueError(f"`fs` must be at least `frame_hz` = {frame_hz}; got {fs}")
        if width % 8:
            raise ValueError(f"`width` must be a multiple of 8; got {width}")
        self.fs, self.frame_hz, self.groups = fs, frame_hz, groups
        middle, deep = width * 3 // 2, width * 2
        self.enter = _block(3 * leads, width)
        self.down1 = _block(width, middle, stride=2)
        self.down2 = _block(middle, deep, stride=2)
        self.bottom = _block(deep, deep)
        self.up1 = _block(deep + middle, middle)
        self.up2 = _block(middle + width, width)
        self.out = nn.Conv1d(width, groups, 5, padding=2)
        _initialise(self, generator)

    def forward(
        self, x: Float[Tensor, "batch lead time"], n_segments: int
    ) -> Float[Tensor, "batch group segment"]:
        """Give one raw score per segment.

        Args:
            x: mV; scaled inside by each record's own mean absolute value.
            n_segments: how many equal segments the record is cut into.
        """
        first = self.enter(self._frames(x))
        second = self.down1(first)
        deep = self.bottom(self.down2(second))
        second = self.up1(torch.cat([_stretch(deep, second), second], dim=1))
        first = self.up2(torch.cat([_stretch(second, first), first], dim=1))
        scores: Tensor = functional.adaptive_avg_pool1d(self.out(first), n_segments)
        return scores

    def _frames(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch channel frame"]:
        """Mean, maximum and minimum of each frame, about the record's baseline and in units of its size."""
        frames = max(math.ceil(x.shape[-1] * self.frame_hz / self.fs), 4)
        x = x - x.mean(dim=-1, keepdim=True)
        x = x / x.abs().mean(dim=(1, 2), keepdim=True).clamp(min=1e-6)
        if x.shape[-1] % frames == 0:
            folded = x.unflatten(-1, (frames, -1))
            parts = [folded.mean(-1), folded.amax(-1), folded.amin(-1)]
        else:
            pool = functional.adaptive_max_pool1d
            parts = [functional.adaptive_avg_pool1d(x, frames), pool(x, frames), -pool(-x, frames)]
        return torch.cat(parts, dim=1)


def _block(into: int, out: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(into, out, 5, stride=stride, padding=2, bias=False),
        nn.GroupNorm(4, out),
        nn.ReLU(inplace=True),
    )


def _stretch(x: Tensor, like: Tensor) -> Tensor:
    """Repeat each frame of the coarser level to the finer level's length."""
    return functional.interpolate(x, size=like.shape[-1], mode="nearest")


def _initialise(net: MaskNet, generator: torch.Generator) -> None:
    """Kaiming normal convolutions from the generator; last layer a hundredth of that."""
    for module in net.modules():
        if isinstance(module, nn.Conv1d):
            fan_in = module.in_channels * module.kernel_size[0]
            gain = 0.1 if module is net.out else math.sqrt(2.0)
            with torch.no_grad():
                module.weight.normal_(0.0, gain / math.sqrt(fan_in), generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
