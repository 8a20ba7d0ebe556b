"""Noise of real recordings, added to electrodes: batched, in mV, different in every lead.

Each noise is drawn on the eight independent leads and expanded to twelve, so that III = II - I and the
augmented leads still follow: lead algebra is kept. The strength of each record is uniform in 0..strength.
A record's noise is a function of its own draws: see `ecglipse.draws`.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import EXPANSION


def expand(independent: Float[Tensor, "batch 8 time"]) -> Float[Tensor, "batch 12 time"]:
    """Twelve leads from the eight independent ones (I, II, V1..V6)."""
    matrix = torch.as_tensor(EXPANSION, dtype=independent.dtype, device=independent.device)
    return matrix @ independent


def gaussian_noise(
    x: Float[Tensor, "batch 12 time"], draws: Draws, *, sigma_mv: float
) -> Float[Tensor, "batch 12 time"]:
    """Add white noise.

    Args:
        x: mV.
        sigma_mv: largest standard deviation on an independent lead, mV.
    """
    if sigma_mv == 0:
        return x
    noise = draws.normal(8, x.shape[-1]).to(x.dtype)
    return x + expand(noise * _strength(x, draws, sigma_mv))


def baseline_wander(
    x: Float[Tensor, "batch 12 time"], draws: Draws, *, amplitude_mv: float, fs: float
) -> Float[Tensor, "batch 12 time"]:
    """Add slow drift: three sinusoids of 0.05 to 0.5 Hz a record, each lead with weights of its own.

    Args:
        x: mV.
        amplitude_mv: largest standard deviation of the drift, mV.
        fs: Hz.
    """
    if amplitude_mv == 0:
        return x
    hz = 0.05 + 0.45 * _uniform(x, draws, 3, 1)
    phase = 2 * math.pi * _uniform(x, draws, 3, 1)
    time = torch.arange(x.shape[-1], device=x.device, dtype=x.dtype) / fs
    waves = torch.cos(2 * math.pi * hz * time + phase) * math.sqrt(2 / 3)
    weights = draws.normal(8, 3).to(x.dtype)
    return x + expand(weights @ waves * _strength(x, draws, amplitude_mv))


def powerline(
    x: Float[Tensor, "batch 12 time"], draws: Draws, *, amplitude_mv: float, fs: float
) -> Float[Tensor, "batch 12 time"]:
    """Add mains hum of 50 or 60 Hz, with an amplitude and phase of its own in each lead.

    Where `fs` is at most 120 Hz nothing is added: an aliased hum is not what a recorder with an
    anti-aliasing filter gives.

    Args:
        x: mV.
        amplitude_mv: largest amplitude, mV.
        fs: Hz.
    """
    if amplitude_mv == 0 or fs <= 120:
        return x
    hz = torch.where(_uniform(x, draws, 1, 1) < 0.5, 50.0, 60.0)
    phase = 2 * math.pi * _uniform(x, draws, 8, 1)
    size = _uniform(x, draws, 8, 1)
    time = torch.arange(x.shape[-1], device=x.device, dtype=x.dtype) / fs
    hum = size * torch.cos(2 * math.pi * hz * time + phase)
    return x + expand(hum * _strength(x, draws, amplitude_mv))


def muscle_noise(
    x: Float[Tensor, "batch 12 time"], draws: Draws, *, amplitude_mv: float, fs: float
) -> Float[Tensor, "batch 12 time"]:
    """Add EMG: white noise above 20 Hz that swells and fades about once a second, differently in each lead.

    Args:
        x: mV.
        amplitude_mv: largest standard deviation where it is strongest, mV.
        fs: Hz; above 40.
    """
    if amplitude_mv == 0 or fs <= 40:
        return x
    time = x.shape[-1]
    noise = draws.normal(8, time).to(x.dtype)
    spectrum = torch.fft.rfft(noise)
    high = torch.fft.rfftfreq(time, 1 / fs, device=x.device) >= 20.0
    kept = float(high.float().mean())
    noise = torch.fft.irfft(spectrum * high, n=time) / math.sqrt(max(kept, 1e-6))
    knots = max(math.ceil(time / fs), 2)
    envelope = _uniform(x, draws, 8, knots)
    envelope = torch.nn.functional.interpolate(envelope, size=time, mode="linear", align_corners=True)
    return x + expand(noise * envelope * _strength(x, draws, amplitude_mv))


def gain(
    x: Float[Tensor, "batch 12 time"], draws: Draws, *, largest: float
) -> Float[Tensor, "batch 12 time"]:
    """Scale each record by one factor for all leads, log-uniform in 1/largest..largest.

    Args:
        x: mV.
        largest: factor, >= 1.

    Raises:
        ValueError: if `largest` is below 1.
    """
    if largest < 1:
        raise ValueError(f"`largest` must be >= 1; got {largest}")
    if largest == 1:
        return x
    return x * torch.exp(math.log(largest) * (2 * _uniform(x, draws, 1, 1) - 1))


def _uniform(x: Tensor, draws: Draws, *shape: int) -> Tensor:
    return draws.uniform(*shape).to(x.dtype)


def _strength(x: Tensor, draws: Draws, most: float) -> Tensor:
    """One strength a record, uniform in 0..most."""
    return most * _uniform(x, draws, 1, 1)
