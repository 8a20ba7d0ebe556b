"""1-D ResNets; ResNet-18 at width 64 and 512 features is the reference's encoder of 4,111,488 parameters."""

import torch
from torch import Tensor, nn

from ecglipse.models.layers import Conv, Encoder, channels_last, grouped, initialise


class ResNet1d(Encoder):
    """Stem, four stages of blocks, mean over time, one linear layer.

    Args:
        block: `Basic` (two convolutions of 3) or `Bottleneck` (1, 3, 1 and four times the channels).
        depths: blocks of each stage.
        leads: leads of the input.
        width: channels of the first stage; each further stage doubles them and halves the length.
        dim: size of the features.
        generator: draws the initial weights; torch's global generator is left as it was.

    Source:
        He et al. 2016, arXiv:1512.03385, in one dimension; the linear layer belongs to the encoder, as in Bo
        et al. 2022. Departures: none.
    """

    shortest = 64

    def __init__(
        self,
        block: "type[Basic] | type[Bottleneck]",
        depths: tuple[int, ...],
        *,
        leads: int,
        width: int,
        dim: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__(leads=leads, dim=dim)
        with torch.random.fork_rng(devices=[]):
            self.stem = nn.Sequential(
                Conv(leads, width, 7, stride=2),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
                nn.MaxPool2d((1, 3), stride=(1, 2), padding=(0, 1)),
            )
            blocks: list[nn.Module] = []
            channels = width
            for stage, depth in enumerate(depths):
                for index in range(depth):
                    stride = 2 if stage > 0 and index == 0 else 1
                    blocks.append(block(channels, width * 2**stage, stride=stride))
                    channels = width * 2**stage * block.expansion
            self.stages = nn.Sequential(*blocks)
            self.features = nn.Linear(channels, dim)
        self.depths = depths
        initialise(self, generator)

    def by_depth(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Give stem, four stages of blocks, and the linear layer."""
        return ((self.stem,), *grouped(self.stages, self.depths), (self.features,))

    def _encode(self, x: Tensor) -> Tensor:
        features: Tensor = self.features(self.stages(self.stem(channels_last(x))).mean(dim=(2, 3)))
        return features


class Basic(nn.Module):
    """Two convolutions of 3 and a shortcut; the first may halve the length."""

    expansion = 1

    def __init__(self, into: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.first = Conv(into, width, 3, stride=stride)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = Conv(width, width, 3)
        self.second_norm = nn.BatchNorm2d(width)
        self.shortcut = _shortcut(into, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Give what the block makes of (batch, channel, 1, time)."""
        y = torch.relu_(self.first_norm(self.first(x)))
        return torch.relu_(self.second_norm(self.second(y)) + self.shortcut(x))


class Bottleneck(nn.Module):
    """Convolutions of 1, 3 and 1 and a shortcut; the second may halve the length, the third widens."""

    expansion = 4

    def __init__(self, into: int, width: int, *, stride: int) -> None:
        super().__init__()
        out = width * self.expansion
        self.first = Conv(into, width, 1)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = Conv(width, width, 3, stride=stride)
        self.second_norm = nn.BatchNorm2d(width)
        self.third = Conv(width, out, 1)
        self.third_norm = nn.BatchNorm2d(out)
        self.shortcut = _shortcut(into, out, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Give what the block makes of (batch, channel, 1, time)."""
        y = torch.relu_(self.first_norm(self.first(x)))
        y = torch.relu_(self.second_norm(self.second(y)))
        return torch.relu_(self.third_norm(self.third(y)) + self.shortcut(x))


def _shortcut(into: int, out: int, stride: int) -> nn.Module:
    """Nothing where the shape stays, else a convolution of 1 with its norm."""
    if into == out and stride == 1:
        return nn.Identity()
    return nn.Sequential(Conv(into, out, 1, stride=stride), nn.BatchNorm2d(out))


def resnet18(*, leads: int = 12, width: int = 64, dim: int = 512, generator: torch.Generator) -> ResNet1d:
    """Make a ResNet-18; see `ResNet1d`."""
    return ResNet1d(Basic, (2, 2, 2, 2), leads=leads, width=width, dim=dim, generator=generator)


def resnet34(*, leads: int = 12, width: int = 64, dim: int = 512, generator: torch.Generator) -> ResNet1d:
    """Make a ResNet-34; see `ResNet1d`."""
    return ResNet1d(Basic, (3, 4, 6, 3), leads=leads, width=width, dim=dim, generator=generator)


def resnet50(*, leads: int = 12, width: int = 64, dim: int = 512, generator: torch.Generator) -> ResNet1d:
    """Make a ResNet-50; see `ResNet1d`."""
    return ResNet1d(Bottleneck, (3, 4, 6, 3), leads=leads, width=width, dim=dim, generator=generator)
