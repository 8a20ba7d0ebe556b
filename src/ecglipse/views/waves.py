"""Waveforms that views are made of: sinusoids, straight lines between knots, and reading between samples."""

import functools
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ecglipse.views.linear import Rows
from ecglipse.views.parts import Change


def oscillation(
    hz: Float[Tensor, "batch wave"], turns: Float[Tensor, "*#batch wave"], time: int, *, fs: float
) -> Rows:
    """Give cos(2 pi (hz t / fs - turns)), t = 0..time - 1: a row a wave.

    By cos(a + b) = cos a cos b - sin a sin b with a at the start of each block of samples and b within: a
    fifth of the cosines' price, equal to 1e-5.

    Args:
        hz: of each wave.
        turns: delay, in turns: a quarter gives a sine.
        time: samples.
        fs: Hz.
    """
    blocks, block, steps = _steps(time, fs, hz.device)
    angle = hz.unsqueeze(-1) * steps
    angle.narrow(-1, 0, blocks).sub_(turns.unsqueeze(-1))
    angle.frac_().mul_(2 * math.pi)
    (cos_a, cos_b), (sin_a, sin_b) = (both.split([blocks, block], -1) for both in (angle.cos(), angle.sin()))
    cos_a, sin_a, cos_b, sin_b = cos_a[..., None], sin_a[..., None], cos_b[..., None, :], sin_b[..., None, :]

    def write(records: slice, place: Tensor) -> None:
        waves = place.unflatten(-1, (blocks, block))
        torch.mul(cos_a[records], cos_b[records], out=waves)
        waves.addcmul_(sin_a[records], sin_b[records], value=-1)

    return write


def one_of(table: Float[Tensor, "kind wave time"], kinds: Int[Tensor, " batch"]) -> Rows:
    """Give each record the waves of its kind."""
    flat = table.flatten(1)
    return lambda records, place: torch.index_select(flat, 0, kinds[records], out=place.flatten(1))


def between_knots(knots: Float[Tensor, "*batch knot"], time: int) -> Float[Tensor, "*batch {time}"]:
    """Draw straight lines through knots that are spread evenly from the first sample to the last."""
    return knots @ _hats(knots.shape[-1], time, knots.device).to(knots.dtype)


def knots_every(seconds: float, time: int, *, fs: float) -> int:
    """Count the knots of `between_knots` that are so many seconds apart at most, and two at least.

    Raises:
        ValueError: if there are more than samples.
    """
    if fs * seconds < 1:
        raise ValueError(
            f"knots {seconds:g} s apart need a rate of {1 / seconds:g} Hz at least; it is {fs:g}"
        )
    return max(math.ceil(time / (fs * seconds)) + 1, 2)


@functools.lru_cache(maxsize=16)
def _steps(time: int, fs: float, device: torch.device) -> tuple[int, int, Float[Tensor, " place"]]:
    """Cut a record into equal blocks: their number, length, and the seconds of their starts and within.

    Of the lengths that divide the record, the one with the fewest cosines.
    """
    divisors = (size for size in range(1, time + 1) if time % size == 0)
    block = min(divisors, key=lambda size: size + time // size)
    starts, within = torch.arange(0, time, block), torch.arange(block)
    return time // block, block, (torch.cat([starts, within]) / fs).to(device)


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

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        index = left[records].expand_as(x)
        return torch.lerp(x.gather(-1, index), x[..., 1:].gather(-1, index), share[records].to(x.dtype))

    return change
