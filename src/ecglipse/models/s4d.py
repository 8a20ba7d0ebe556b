"""S4D: a state-space encoder, linear recurrences over the record played as one long convolution."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.models.layers import Encoder, initialise, patches


class S4dEncoder(Encoder):
    """Patches, layers of (norm, S4D both ways, GELU, gated mix) with residuals, mean, one linear layer.

    Args:
        leads: leads of the input.
        width: channels.
        dim: size of the features.
        patch: samples of a step; a last one that is not full is filled up with zeros.
        depth: layers.
        modes: complex states a channel.
        generator: draws the initial weights; torch's global generator is left as it was.

    Source:
        Gu et al. 2022, arXiv:2206.11893 (S4D-Lin); four layers both ways for ECGs as in Mehari and Strodthoff
        2022, arXiv:2211.07579. Departures: diagonal instead of S4's own matrix; steps of four samples, as
        after a ResNet's stem, which makes it about four times as fast; norm before the layer, no dropout.
    """

    shortest = 4

    def __init__(
        self,
        *,
        leads: int,
        width: int,
        dim: int,
        patch: int = 4,
        depth: int = 4,
        modes: int = 8,
        generator: torch.Generator,
    ) -> None:
        super().__init__(leads=leads, dim=dim)
        self.patch = patch
        with torch.random.fork_rng(devices=[]):
            self.enter = nn.Linear(leads * patch, width)
            self.layers = nn.Sequential(*(_Layer(width, modes) for _ in range(depth)))
            self.norm = nn.LayerNorm(width)
            self.features = nn.Linear(width, dim)
        initialise(self, generator)
        for module in self.modules():
            if isinstance(module, StateSpace):
                module.draw(generator)

    def by_depth(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Give the way in, each layer, and the last norm with the linear layer."""
        return ((self.enter,), *((layer,) for layer in self.layers), (self.norm, self.features))

    def _encode(self, x: Tensor) -> Tensor:
        y = self.layers(self.enter(patches(x, self.patch)))
        features: Tensor = self.features(self.norm(y).mean(dim=1))
        return features


class StateSpace(nn.Module):
    """A diagonal linear system a channel, run forwards and backwards over the record.

    With lambda = -exp(log_decay) + i frequency and the step dt = exp(log_dt), held constant over a sample,

        s_k = exp(lambda dt) s_(k-1) + (exp(lambda dt) - 1) / lambda u_k
        y_k = 2 Re(readout . s_k) + skip u_k

    and likewise backwards over what comes after sample k. Computed in float32, whatever autocast says, as
    y = kernel * u by FFT.

    Args:
        width: channels.
        modes: complex states a channel.

    Source:
        Gu et al. 2022, arXiv:2206.11893, eq. 2-6 (zero-order hold; S4D-Lin).
    """

    def __init__(self, width: int, modes: int) -> None:
        super().__init__()
        self.log_dt = nn.Parameter(torch.zeros(width))
        self.log_decay = nn.Parameter(torch.full((width, modes), math.log(0.5)))
        self.frequency = nn.Parameter(math.pi * torch.arange(modes, dtype=torch.float32).repeat(width, 1))
        self.readout = nn.Parameter(torch.zeros(2, 2, width, modes))
        self.skip = nn.Parameter(torch.zeros(width))

    @torch.no_grad()
    def draw(self, generator: torch.Generator) -> None:
        """Draw steps of 1/1000 to 1/10 a sample, log-uniform; readouts and skips normal."""
        self.log_dt.uniform_(math.log(1e-3), math.log(1e-1), generator=generator)
        self.readout.normal_(0.0, math.sqrt(0.5), generator=generator)
        self.skip.normal_(generator=generator)

    def kernels(self, length: int) -> Float[Tensor, "2 width length"]:
        """Give the response to an impulse, forwards and backwards, in real arithmetic."""
        dt = self.log_dt.exp()[:, None]
        real, imaginary = -self.log_decay.exp() * dt, self.frequency * dt
        step = torch.stack([real.exp() * imaginary.cos() - 1, real.exp() * imaginary.sin()])
        pole = torch.stack([-self.log_decay.exp(), self.frequency])
        held = _times(step, torch.stack([pole[0], -pole[1]])) / pole.square().sum(dim=0)
        weight = _times(self.readout, held[:, None])
        time = torch.arange(length, device=dt.device, dtype=dt.dtype)
        grown = (real[..., None] * time).exp()
        angle = imaginary[..., None] * time
        return 2 * (
            torch.einsum("dhn,hnl->dhl", weight[0], grown * angle.cos())
            - torch.einsum("dhn,hnl->dhl", weight[1], grown * angle.sin())
        )

    def forward(self, u: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time width"]:
        """Run the system over each record."""
        with torch.autocast(u.device.type, enabled=False):
            u = u.to(self.skip.dtype).transpose(1, 2).contiguous()  # an FFT wants its axis last
            length = u.shape[-1]
            past, future = self.kernels(length)
            kernel = functional.pad(past, (0, length)) + functional.pad(future.flip(-1), (length, 0))
            spectrum = torch.fft.rfft(u, n=2 * length) * torch.fft.rfft(kernel)
            y: Tensor = torch.fft.irfft(spectrum, n=2 * length)[..., :length] + self.skip[:, None] * u
            return y.transpose(1, 2)


class _Layer(nn.Module):
    def __init__(self, width: int, modes: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.space = StateSpace(width, modes)
        self.mix = nn.Linear(width, 2 * width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = functional.glu(self.mix(functional.gelu(self.space(self.norm(x)))), dim=-1)
        return x + y


def _times(a: Tensor, b: Tensor) -> Tensor:
    """Product of complex numbers whose real and imaginary parts lie along the first axis."""
    return torch.stack([a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]])


def s4d(*, leads: int = 12, width: int = 128, dim: int = 512, generator: torch.Generator) -> S4dEncoder:
    """Make the network; see `S4dEncoder`."""
    return S4dEncoder(leads=leads, width=width, dim=dim, generator=generator)
