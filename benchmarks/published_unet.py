"""The published mask generator, rebuilt from its layer table so that its cost can be measured beside ours.

1-D U-Net over the record at its own rate: encoder levels of 512, 1024, 1536 and 2048 channels, each a
convolution (stride 5 from the second on) and a residual block with additive channel attention; decoder by
nearest-neighbour repetition and concatenation. 152,686,977 parameters with one mask, of which 989,440
belong to linear layers that are never called. Written from the description of the layers, for benchmarks
only: nothing in the package uses it.
"""

import torch
from torch import Tensor, nn

PARAMETERS = 152_686_977


def convolution(into: int, out: int, *, stride: int = 1) -> nn.Sequential:
    """Convolution of 5 with bias, BatchNorm, ReLU."""
    return nn.Sequential(nn.Conv1d(into, out, 5, stride=stride, padding=2), nn.BatchNorm1d(out), nn.ReLU())


class Residual(nn.Module):
    """Two convolutions, a channel attention that is added, and the skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = convolution(channels, channels), convolution(channels, channels)
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
        return y + self.attend(y) + x


class PublishedUNet(nn.Module):
    """(batch, 12, time) to (batch, n_masks, time) in 0..1; time must be a multiple of 125."""

    def __init__(self, *, n_masks: int = 1, width: int = 512) -> None:
        super().__init__()
        one, two, three, four = width, 2 * width, 3 * width, 4 * width
        self.layer1 = nn.Sequential(convolution(12, one), Residual(one))
        self.layer2 = nn.Sequential(convolution(one, two, stride=5), Residual(two))
        self.layer3 = nn.Sequential(convolution(two + 12, three, stride=5), Residual(three))
        self.layer4 = nn.Sequential(convolution(three + 12, four, stride=5), Residual(four))
        self.up1 = convolution(four + three, three)
        self.up2 = convolution(three + two, two)
        self.up3 = convolution(two + one, one)
        self.stretch = nn.Upsample(scale_factor=5, mode="nearest")
        self.pool2, self.pool3 = nn.AvgPool1d(12, 5, padding=4), nn.AvgPool1d(12, 25)
        self.out = nn.Conv1d(one, n_masks, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        """Give the soft masks."""
        one = self.layer1(x)
        two = self.layer2(one)
        three = self.layer3(torch.cat([two, self.pool2(x)], dim=1))
        four = self.layer4(torch.cat([three, self.pool3(x)], dim=1))
        y = self.up1(torch.cat([self.stretch(four), three], dim=1))
        y = self.up2(torch.cat([self.stretch(y), two], dim=1))
        y = self.up3(torch.cat([self.stretch(y), one], dim=1))
        return torch.sigmoid(self.out(y))


def check_parameters(unet: PublishedUNet) -> None:
    """Refuse to measure something else.

    Raises:
        RuntimeError: if the parameters are not as many as published.
    """
    found = sum(p.numel() for p in unet.parameters())
    if found != PARAMETERS:
        raise RuntimeError(f"the rebuilt U-Net has {found} parameters, the published one {PARAMETERS}")
