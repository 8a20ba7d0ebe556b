"""What encoders are made of: convolutions in the fast layout, initial weights, and what an encoder is.

Inside an encoder a batch is (batch, channel, 1, time) with the channels last in memory: a 1-D convolution
goes through the 2-D kernels, which need no reordering of activations then. On a CPU a training step of
ResNet-18 takes 0.8 of the time that it takes in the layout of `torch.nn.Conv1d` (docs/encoders.md).
"""

import abc
import math
from itertools import islice
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.models.convolution import convolved


class Encoder(nn.Module, abc.ABC):
    """A network from (batch, lead, time) to (batch, dim): what every encoder here is.

    Attributes:
        dim: size of the features.
        leads: leads of the input.
        shortest: fewest samples that it takes.
        features: the last layer, or nothing where `pooled` took it out.
    """

    shortest: ClassVar[int]
    features: nn.Linear | nn.Identity

    def __init__(self, *, leads: int, dim: int) -> None:
        super().__init__()
        self.leads, self.dim = leads, dim

    @abc.abstractmethod
    def by_depth(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Give the stages from input to output; each parameter and buffer is in just one of them."""

    @abc.abstractmethod
    def _encode(self, x: Tensor) -> Tensor:
        """Give the features of a batch that has been checked."""

    def forward(self, x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch {self.dim}"]:
        """Give the features of each record.

        Args:
            x: mV, at any rate; leads that were not recorded are zeros.

        Raises:
            ValueError: if there are other leads than the encoder has, or fewer samples than `shortest`.
        """
        if x.shape[1] != self.leads:
            raise ValueError(f"`x` must have {self.leads} leads; got {x.shape[1]}")
        if x.shape[2] < self.shortest:
            raise ValueError(f"`x` must have at least {self.shortest} samples; got {x.shape[2]}")
        return self._encode(x)


class Conv(nn.Module):
    """A 1-D convolution of (batch, channel, 1, time); its weights are drawn by `initialise`.

    Args:
        into: channels of the input.
        out: channels of the output.
        kernel: samples.
        stride: samples.
        padding: samples on each side; by default what keeps the length at stride 1.
        bias: whether it has one.

    Attributes:
        weight: (out, into, kernel), the shape of `torch.nn.Conv1d`; in memory (out, kernel, into).
    """

    def __init__(
        self,
        into: int,
        out: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, kernel // 2 if padding is None else padding
        self.weight = nn.Parameter(torch.zeros(out, kernel, into).permute(0, 2, 1))
        self.bias = nn.Parameter(torch.zeros(out)) if bias else None

    def forward(self, x: Float[Tensor, "batch into 1 time"]) -> Float[Tensor, "batch out 1 frame"]:
        """Convolve over time."""
        return convolved(x, self.weight, self.bias, stride=self.stride, padding=self.padding)


def channels_last(x: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch lead 1 time"]:
    """Bring a batch to the layout that `Conv` wants."""
    return x.unsqueeze(2).contiguous(memory_format=torch.channels_last)


def grouped(modules: nn.Sequential, sizes: tuple[int, ...]) -> list[tuple[nn.Module, ...]]:
    """Cut a sequence of modules into groups of these sizes, which add up to it."""
    rest = iter(modules)
    return [tuple(islice(rest, size)) for size in sizes]


def patches(x: Float[Tensor, "batch lead time"], samples: int) -> Float[Tensor, "batch patch content"]:
    """Cut records into stretches of so many samples of every lead; a last one is filled up with zeros."""
    x = functional.pad(x, (0, -x.shape[-1] % samples))
    cut: Tensor = x.unflatten(-1, (-1, samples)).transpose(1, 2).flatten(2)
    return cut


def initialise(net: nn.Module, generator: torch.Generator) -> None:
    """Convolutions Kaiming normal by fan-out (He et al. 2015); linear layers uniform, as torch has them."""
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, Conv):
                kaiming(module, module.weight.shape[0] * module.weight.shape[2], generator)
            elif isinstance(module, nn.Linear):
                bound = 1 / math.sqrt(module.in_features)
                module.weight.uniform_(-bound, bound, generator=generator)
                module.bias.uniform_(-bound, bound, generator=generator)


@torch.no_grad()
def kaiming(conv: Conv, fan: int, generator: torch.Generator) -> None:
    """Draw a convolution's weights from N(0, 2 / fan), in the order of their shape and not of memory."""
    drawn = torch.empty(conv.weight.shape).normal_(0.0, math.sqrt(2.0 / fan), generator=generator)
    conv.weight.copy_(drawn)
