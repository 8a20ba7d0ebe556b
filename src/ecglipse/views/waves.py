"""Waveforms that views are made of: sinusoids, straight lines between knots, and reading between samples."""

import functools
import math

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.views.parts import Change

_BLOCK = 64


def oscillation(
    hz: Float[Tensor, "batch wave"], turns: Float[Tensor, "*#batch wave"], time: int, *, fs: float
) -> Float[Tensor, "batch wave {time}"]:
    """Give cos(2 pi (hz t / fs - turns)), t = 0..time - 1.

    By cos(a + b) = cos a cos b - sin a sin b with a on every 64th sample and b within: a fifth of the
    cosines' price, equal to 1e-5.

    Args:
        hz: of each wave.
        turns: delay, in turns: a quarter gives a sine.
        time: samples.
        fs: Hz.
    """
    blocks = -(-time // _BLOCK)
    coarse = hz.unsqueeze(-1) * (torch.arange(blocks, device=hz.device) * (_BLOCK / fs)) - turns.unsqueeze(-1)
    fine = hz.unsqueeze(-1) * (torch.arange(_BLOCK, device=hz.device) / fs)
    a, b = (2 * math.pi * (angle - angle.round()) for angle in (coarse, fine))
    waves = a.cos().unsqueeze(-1) * b.cos().unsqueeze(-2)
    waves.addcmul_(a.sin().unsqueeze(-1), b.sin().unsqueeze(-2), value=-1)
    return waves.flatten(-2)[..., :time]


def between_knots(knots: Float[Tensor, "*batch knot"], time: int) -> Float[Tensor, "*batch {time}"]:
    """Draw straight lines through knots that are spread evenly from the first sample to the last."""
    return knots @ _hats(knots.shape[-1], time, knots.device).to(knots.dtype)


@functools.lru_cache(maxsize=16)
def _hats(knots: int, time: int, device: torch.device) -> Float[Tensor, "{knots} {time}"]:
    """Weight of each knot at each sample: 1 at the knot, 0 at its neighbours."""
    place = torch.linspace(0, knots - 1, time, device=device)
    distance = (place - torch.arange(knots, device=device).unsqueeze(1)).abs()
    return (1 - distance).clamp(min=0)


def read_at(places: Float[Tensor, "batch time"]) -> Change:
    """Read all leads between their samples, by straight lines.

    Args:
        places: in samples, one set for all leads of a record; what lies outside is read at the end.
    """
    places = places.clamp(0, places.shape[-1] - 1)
    left = places.floor().clamp(max=places.shape[-1] - 2)
    share, left = (places - left).float().unsqueeze(1), left.long().unsqueeze(1)

    def change(x: Tensor, records: slice) -> Tensor:
        index = left[records].expand_as(x)
        return torch.lerp(x.gather(-1, index), x[..., 1:].gather(-1, index), share[records].to(x.dtype))

    return change
