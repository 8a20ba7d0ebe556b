"""1-D ResNet-18: at width 64 and 512 features the reference's encoder of 4,111,488 parameters."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ResNet1d(nn.Module):
    """Stem, four stages of two basic blocks, mean over time, one linear layer.

    Args:
        leads: leads of the input.
        width: channels of the first stage; each further stage doubles them and halves the length.
        dim: size of the features.
        generator: draws the initial weights; torch's global generator is left as it was.

    Attributes:
        dim: size of the features.

    Source:
        He et al. 2016, arXiv:1512.03385, in one dimension; the linear layer belongs to the encoder, as in Bo
        et al. 2022. Departures: none.
    """

    def __init__(self, *, leads: int, width: int, dim: int, generator: torch.Generator) -> None:
        super().__init__()
        self.dim = dim
        with torch.random.fork_rng(devices=[]):
            self.stem = nn.Sequential(
                nn.Conv1d(leads, width, 7, stride=2, padding=3, bias=False),
                nn.BatchNorm1d(width),
                nn.ReLU(inplace=True),
                nn.MaxPool1d(3, stride=2, padding=1),
            )
            blocks, channels = [], width
            for stage in range(4):
                out = width * 2**stage
                blocks += [_Block(channels, out, stride=1 if stage == 0 else 2), _Block(out, out, stride=1)]
                channels = out
            self.stages = nn.Sequential(*blocks)
            self.features = nn.Linear(channels, dim)
        _initialise(self, generator)

    def forward(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch {self.dim}"]:
        """Give the features of each record; x in mV, any length from 64 samples on."""
        features: Tensor = self.features(self.stages(self.stem(x)).mean(dim=-1))
        return features


class _Block(nn.Module):
    """Two convolutions of 3 and a shortcut; the first may halve the length."""

    def __init__(self, into: int, out: int, *, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(into, out, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm1d(out)
        self.second = nn.Conv1d(out, out, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm1d(out)
        same = into == out and stride == 1
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv1d(into, out, 1, stride=stride, bias=False), nn.BatchNorm1d(out))
        )

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu_(self.first_norm(self.first(x)))
        return torch.relu_(self.second_norm(self.second(y)) + self.shortcut(x))


def resnet18(*, leads: int = 12, width: int = 64, dim: int = 512, generator: torch.Generator) -> ResNet1d:
    """Make the encoder; see `ResNet1d`."""
    return ResNet1d(leads=leads, width=width, dim=dim, generator=generator)


def _initialise(net: nn.Module, generator: torch.Generator) -> None:
    """Convolutions Kaiming normal by fan-out (He et al. 2015); the linear layer uniform, as torch has it."""
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.Conv1d):
                fan_out = module.out_channels * module.kernel_size[0]
                module.weight.normal_(0.0, math.sqrt(2.0 / fan_out), generator=generator)
            elif isinstance(module, nn.Linear):
                bound = 1 / math.sqrt(module.in_features)
                module.weight.uniform_(-bound, bound, generator=generator)
                module.bias.uniform_(-bound, bound, generator=generator)
