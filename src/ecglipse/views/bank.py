"""Noise by the metre: stretches of a bank of normal numbers, as fast as a copy.

A number from `Draws.normal` costs about 3 ns, which for twelve leads would be the price of a view. White
noise of a signal's size is therefore the sum of two stretches of a bank of 2^20 normal numbers, at places
drawn for each record and channel: independent normal samples, one vector of 2^40. It is the last step of
Wallace's generator (1996, doi:10.1145/225545.225554). At 1,000 samples about one pair of channels in 130
shares a piece of a stretch, moved in time; their correlation at that lag is then up to a half.
"""

import functools
import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws

Noise = Callable[[slice], Tensor]
"""Gives the noise of some records of the batch, (record, channel, time)."""


def white(draws: Draws, channels: int, time: int) -> Noise:
    """Give standard white noise."""
    return _stretches(_bank(_size(time), draws.device), draws, channels, time)


def highpassed(draws: Draws, channels: int, time: int, *, cut_hz: float, fs: float) -> Noise:
    """Give white noise without what lies below `cut_hz`, of standard deviation 1."""
    return _stretches(_highpassed_bank(_size(time), cut_hz / fs, draws.device), draws, channels, time)


def _stretches(bank: Float[Tensor, " size"], draws: Draws, channels: int, time: int) -> Noise:
    one, other = draws.integers(len(bank) - time + 1, 2, channels).unbind(1)
    stretches = bank.unfold(0, time, 1)

    def noise(records: slice) -> Float[Tensor, "record channel time"]:
        first = stretches.index_select(0, one[records].flatten())
        second = stretches.index_select(0, other[records].flatten())
        return first.add_(second).view(-1, channels, time)

    return noise


def _size(time: int) -> int:
    """Size of the bank: 2^20, or more for records of more than 65,536 samples."""
    return max(2**20, int(2 ** math.ceil(math.log2(16 * time))))


@functools.lru_cache(maxsize=4)
def _bank(size: int, device: torch.device) -> Float[Tensor, " size"]:
    """Normal numbers of variance 1/2, so that the sum of two has 1."""
    return Draws.of(0, "bank", rows=[0], device=device).normal(size)[0] * math.sqrt(0.5)


@functools.lru_cache(maxsize=4)
def _highpassed_bank(size: int, cut: float, device: torch.device) -> Float[Tensor, " size"]:
    spectrum = torch.fft.rfft(_bank(size, device))
    high = torch.fft.rfftfreq(size, device=device) >= cut
    kept = float(high.float().mean())
    bank: Tensor = torch.fft.irfft(spectrum * high, n=size)
    return bank.div_(math.sqrt(kept))
