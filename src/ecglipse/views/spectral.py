"""Views in frequency: gains drawn for each frequency and moment, and phases turned at random."""

import functools
import math
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from scipy import stats
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.views import memory
from ecglipse.views.parts import Change, Planned, Shape


@Planned
def spectral_gain(
    draws: Draws,
    shape: Shape,
    *,
    fs: float,
    alpha: float = 5.0,
    beta: float = 2.0,
    window_s: float = 2.0,
    leads: Literal["each", "all"] = "all",
) -> Change:
    """Multiply each frequency of each moment by a number drawn from Beta(alpha, beta).

    A short-time Fourier transform with Hann windows w that overlap by half, and after the product its inverse
    by least squares: pieces times w over the sum of all w^2 there, so that numbers of 1 give x back. With one
    set of numbers for all leads, lead algebra is kept.

    Args:
        fs: Hz.
        alpha: of the Beta distribution, > 0; the mean factor is alpha / (alpha + beta).
        beta: likewise.
        window_s: length of a window, s; at most the record.
        leads: "each" has numbers of its own, or the same for "all".

    Raises:
        ValueError: if a window is shorter than four samples.

    Source:
        Griffin and Lim 1984, doi:10.1109/TASSP.1984.1164317, eq. 6 (the inverse, as in `scipy.signal.istft`);
        `randfourier` of the code published with Bo et al. 2022 (windows of 2 s, Beta(5, 2), each lead alone).
    """
    _, count, time = shape
    if window_s * fs < _SHORTEST:
        raise ValueError(
            f"windows of {window_s:g} s need a rate of {_SHORTEST / window_s:g} Hz at least; it is {fs:g}"
        )
    half = max(min(round(window_s * fs), time) // 2, 2)
    groups = count if leads == "each" else 1
    quantiles = _beta_quantiles(alpha, beta, draws.device)
    window, inverse = _windows(half, draws.device)
    ends = (half, half + -time % half)

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        frames = torch.nn.functional.pad(x, ends).unfold(-1, 2 * half, half)
        cut = memory.empty(frames.shape, dtype=x.dtype, device=x.device)
        spectrum = torch.fft.rfft(torch.mul(frames, window.to(x.dtype), out=cut))
        places = draws.part(records).integers(_QUANTILES, groups, *spectrum.shape[2:])
        pieces = torch.fft.irfft(spectrum.mul_(quantiles[places].to(x.dtype)), n=2 * half)
        pieces = pieces.mul_(inverse.to(x.dtype)).unflatten(-1, (2, half))
        back = pieces[:, :, 1:, 0] + pieces[:, :, :-1, 1]
        view: Tensor = back.flatten(-2)[..., :time]
        return view

    return change


@Planned
def phase_surrogate(draws: Draws, shape: Shape, *, phase_rad: float = math.pi) -> Change:
    """Turn the phase of each frequency by a random angle, the same for all leads, and keep its size.

    Lead algebra, each lead's spectrum and the phases between leads are kept; at pi, beats are gone.

    Args:
        phase_rad: largest angle, 0 to pi; uniform within +-phase_rad.

    Source:
        Theiler et al. 1992 (doi:10.1016/0167-2789(92)90102-S), with the same angles for all channels as
        Prichard and Theiler 1994 (doi:10.1103/PhysRevLett.73.951).
    """
    time = shape[-1]
    angle = phase_rad * (2 * draws.uniform(1, time // 2 + 1) - 1)
    angle[..., 0] = 0
    if time % 2 == 0:
        angle[..., -1] = 0
    turn = torch.polar(torch.ones_like(angle), angle)

    def change(x: Tensor, out: Tensor, records: slice) -> Tensor:
        turned: Tensor = torch.fft.irfft(torch.fft.rfft(x).mul_(turn[records]), n=time)
        return turned

    return change


_QUANTILES = 4096
_SHORTEST = 4
"""Samples of a window, at least."""


@functools.lru_cache(maxsize=8)
def _windows(half: int, device: torch.device) -> tuple[Float[Tensor, " window"], Float[Tensor, " window"]]:
    """Hann's window of two halves, and the one of the inverse."""
    window = torch.hann_window(2 * half, dtype=torch.float64)
    inverse = window / (window.square() + window.roll(half).square())
    return window.float().to(device), inverse.float().to(device)


@functools.lru_cache(maxsize=8)
def _beta_quantiles(alpha: float, beta: float, device: torch.device) -> Float[Tensor, " quantile"]:
    """Quantiles of Beta(alpha, beta) in the middle of 4,096 equal shares: one at random is a draw from it."""
    middle = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return torch.as_tensor(stats.beta.ppf(middle, alpha, beta), dtype=torch.float32, device=device)
