"""Noise by the metre: stretches of a bank of normal numbers, mixed anew for each record.

A number from `Draws.normal` costs about 3 ns, which for twelve leads would be the price of several views.
Noise of a signal's size is therefore read from a bank of 2^21 normal numbers: one stretch a record, at a
place drawn for it, cut into rows of the signal's length, one a source or two at least. The rows are mixed by
an orthogonal matrix, drawn for the record from 1,024 (Haar-distributed): an orthogonal mixture of independent
normal rows is independent normal rows. It is a step of Wallace's generator (1996, doi:10.1145/
225545.225554), and in a linear view it costs nothing, as it is folded into the weights. Where each lead has a
source of its own, mixing would cost a product; the rows then stay apart, and each has a sign drawn for it.

It is not fresh noise. Within a record nothing repeats, but two records whose stretches overlap share noise,
moved in time: with R rows of T samples that is a share of about 2 R T / 2^21 of the pairs of records (0.8 %
for 8 rows of 1,000). The correlation of two of their leads at that lag, over what overlaps, is then of random
sign and about 1 / sqrt(R) where rows are mixed, and 1 where they stay apart.
"""

import functools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.views import memory

_SIZE, _MIXES, _FEWEST_ROWS = 2**21, 1024, 2


@dataclass(frozen=True)
class Noise:
    """Independent noise of standard deviation 1, a waveform a source.

    Args:
        mix: the noise is this times the rows: orthonormal rows, or a sign a source where `apart`.
        bank: normal numbers.
        start: place of each record's stretch.
        apart: a row a source.
    """

    mix: Float[Tensor, "batch source _"]
    bank: Float[Tensor, " size"]
    start: Int[Tensor, " batch"]
    apart: bool

    def write(self, records: slice, place: Float[Tensor, "record row time"]) -> None:
        """Write the rows of some records."""
        stretches = self.bank.unfold(0, place.shape[1] * place.shape[2], 1)
        torch.index_select(stretches, 0, self.start[records], out=place.flatten(1))

    def mixed(self, records: slice, time: int) -> Float[Tensor, "record source time"]:
        """Give the noise itself."""
        mix = self.mix[records]
        shape = (len(mix), mix.shape[1] if self.apart else mix.shape[2], time)
        rows = memory.empty(shape, dtype=torch.float32, device=mix.device)
        self.write(records, rows)
        return rows.mul_(mix) if self.apart else mix @ rows


def white(draws: Draws, sources: int, time: int, *, apart: bool = False) -> Noise:
    """Give standard white noise."""
    size = _size(sources, time)
    return _noise(_bank(size, draws.device), draws, sources, time, apart)


def highpassed(
    draws: Draws, sources: int, time: int, *, cut_hz: float, fs: float, apart: bool = False
) -> Noise:
    """Give white noise without what lies below `cut_hz`, of standard deviation 1."""
    size = _size(sources, time)
    bank = _highpassed_bank(size, cut_hz / fs, draws.device) if cut_hz else _bank(size, draws.device)
    return _noise(bank, draws, sources, time, apart)


def _noise(bank: Float[Tensor, " size"], draws: Draws, sources: int, time: int, apart: bool) -> Noise:
    rows = sources if apart else max(sources, _FEWEST_ROWS)
    mixes = _signs(sources, draws.device) if apart else _mixes(rows, draws.device)
    start, mix = draws.choices(min(len(bank) - rows * time + 1, 2**24), len(mixes))
    return Noise(mixes.index_select(0, mix)[:, :sources], bank, start, apart)


def _size(sources: int, time: int) -> int:
    """Size of the bank: 2^21, or a power of two that holds a record's noise eight times at least."""
    return max(_SIZE, int(2 ** math.ceil(math.log2(8 * max(sources, _FEWEST_ROWS) * time))))


@functools.lru_cache(maxsize=4)
def _bank(size: int, device: torch.device) -> Float[Tensor, " size"]:
    return Draws.of(0, "bank", rows=[0], device=device).normal(size)[0]


@functools.lru_cache(maxsize=4)
def _highpassed_bank(size: int, cut: float, device: torch.device) -> Float[Tensor, " size"]:
    spectrum = torch.fft.rfft(_bank(size, device))
    high = torch.fft.rfftfreq(size) >= cut
    kept = float(high.float().mean())
    bank: Tensor = torch.fft.irfft(spectrum * high.to(device), n=size)
    return bank.div_(math.sqrt(kept))


@functools.lru_cache(maxsize=16)
def _signs(sources: int, device: torch.device) -> Float[Tensor, "mix {sources} 1"]:
    """Every choice of signs."""
    choice = torch.arange(2**sources, device=device).unsqueeze(1)
    return (2.0 * ((choice >> torch.arange(sources, device=device)) & 1) - 1).unsqueeze(-1)


@functools.lru_cache(maxsize=16)
def _mixes(rows: int, device: torch.device) -> Float[Tensor, "mix {rows} {rows}"]:
    """Orthogonal matrices, any as likely as another: Q of normal matrices, with R's diagonal positive.

    Source:
        Mezzadri 2007, arXiv:math-ph/0609050.
    """
    normal = Draws.of(0, "mixes", rows=range(_MIXES)).normal(rows, rows).double()
    q, r = torch.linalg.qr(normal)
    mixes: Tensor = (q * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(1)).float().to(device)
    return mixes
