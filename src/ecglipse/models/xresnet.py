"""xresnet1d50: the strongest convolutional network of the PTB-XL benchmark."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.models.layers import Conv, Encoder, channels_last, grouped, initialise, kaiming

EXPANSION = 4


class XResNet1d(Encoder):
    """Stem of three convolutions, four stages of bottlenecks of one width, mean and maximum, one layer.

    Args:
        depths: blocks of each stage.
        leads: leads of the input.
        width: channels inside a bottleneck, the same in every stage, even; a stage puts out four times as
            many, and each but the first halves the length.
        dim: size of the features.
        generator: draws the initial weights; torch's global generator is left as it was.

    Raises:
        ValueError: if `width` is odd.

    Source:
        Strodthoff et al. 2020, arXiv:2004.13701, after He et al. 2019, arXiv:1812.01187: convolutions of 5,
        the last norm of a block starts at zero, a shortcut halves by averaging before its convolution of 1.
        Departure: the benchmark's head (norm, dropout and layers to the classes) is one linear layer to
        `dim` features.
    """

    shortest = 64

    def __init__(
        self, depths: tuple[int, ...], *, leads: int, width: int, dim: int, generator: torch.Generator
    ) -> None:
        super().__init__(leads=leads, dim=dim)
        if width % 2:
            raise ValueError(f"`width` must be even; got {width}")
        with torch.random.fork_rng(devices=[]):
            self.stem = nn.Sequential(
                _convolved(leads, width // 2, 5, stride=2),
                _convolved(width // 2, width // 2, 5),
                _convolved(width // 2, width, 5),
                nn.MaxPool2d((1, 3), stride=(1, 2), padding=(0, 1)),
            )
            blocks: list[nn.Module] = []
            channels = width
            for stage, depth in enumerate(depths):
                for index in range(depth):
                    blocks.append(_Block(channels, width, stride=2 if stage > 0 and index == 0 else 1))
                    channels = width * EXPANSION
            self.stages = nn.Sequential(*blocks)
            self.features = nn.Linear(2 * channels, dim)
        self.depths = depths
        initialise(self, generator)
        for module in self.modules():
            if isinstance(module, Conv):
                kaiming(module, module.weight.shape[1] * module.weight.shape[2], generator)
            elif isinstance(module, _Block):
                nn.init.zeros_(module.last_norm.weight)

    def by_depth(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Give stem, four stages of blocks, and the linear layer."""
        return ((self.stem,), *grouped(self.stages, self.depths), (self.features,))

    def _encode(self, x: Tensor) -> Tensor:
        y = self.stages(self.stem(channels_last(x)))
        features: Tensor = self.features(torch.cat([y.amax(dim=(2, 3)), y.mean(dim=(2, 3))], dim=1))
        return features


class _Block(nn.Module):
    """Convolutions of 1, 5 and 1 and a shortcut; the second may halve the length."""

    def __init__(self, into: int, width: int, *, stride: int) -> None:
        super().__init__()
        out = width * EXPANSION
        self.stride = stride
        self.first = _convolved(into, width, 1)
        self.second = _convolved(width, width, 5, stride=stride)
        self.last = Conv(width, out, 1)
        self.last_norm = nn.BatchNorm2d(out)
        same = into == out
        self.shortcut = nn.Identity() if same else nn.Sequential(Conv(into, out, 1), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.last_norm(self.last(self.second(self.first(x))))
        if self.stride > 1:
            x = halved(x)
        return torch.relu_(y + self.shortcut(x))


def halved(x: Float[Tensor, "batch channel 1 time"]) -> Float[Tensor, "batch channel 1 half"]:
    """Average pairs of samples; a last one without a partner stays as it is.

    Not `avg_pool2d(ceil_mode=True)`, which says the same: compiled by torch 2.13 for a CPU, its backward
    halves the gradient of that last sample.
    """
    if x.shape[-1] % 2:
        x = torch.cat([x, x[..., -1:]], dim=-1)
    return functional.avg_pool2d(x, (1, 2))


def _convolved(into: int, out: int, kernel: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(Conv(into, out, kernel, stride=stride), nn.BatchNorm2d(out), nn.ReLU(inplace=True))


def xresnet1d50(*, leads: int = 12, width: int = 64, dim: int = 512, generator: torch.Generator) -> XResNet1d:
    """Make an xresnet1d50; see `XResNet1d`."""
    return XResNet1d((3, 4, 6, 3), leads=leads, width=width, dim=dim, generator=generator)
