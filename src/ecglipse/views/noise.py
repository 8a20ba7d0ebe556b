"""Noise of real recordings, in mV: white, wander, shifts, mains, muscle, and gain.

Where it comes in is `leads`: see `ecglipse.views.mixing`; by default on the eight independent leads, so that
the other four still follow. The strength of each record is uniform in 0..strength.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.views import bank
from ecglipse.views.mixing import Mixing, add_noise, add_waves, sources
from ecglipse.views.parts import Change, Planned, Shape
from ecglipse.views.waves import between_knots, oscillation


@Planned
def gaussian_noise(
    draws: Draws, shape: Shape, *, sigma_mv: float, leads: Mixing = "independent"
) -> Change | None:
    """Add white noise.

    Args:
        sigma_mv: largest standard deviation at a source, mV.
        leads: where it comes in.
    """
    if sigma_mv == 0:
        return None
    noise = bank.white(draws, sources(leads), shape[-1])
    return add_noise(noise, _strength(draws, sigma_mv), leads)


@Planned
def baseline_wander(
    draws: Draws,
    shape: Shape,
    *,
    amplitude_mv: float,
    fs: float,
    low_hz: float = 0.05,
    high_hz: float = 0.5,
    leads: Mixing = "independent",
) -> Change | None:
    """Add slow drift: three sinusoids a record, each source with weights of its own.

    Args:
        amplitude_mv: largest standard deviation of the drift, mV.
        fs: Hz.
        low_hz: lowest frequency, Hz.
        high_hz: highest frequency, Hz.
        leads: where it comes in.
    """
    if amplitude_mv == 0:
        return None
    hz = low_hz + (high_hz - low_hz) * draws.uniform(3)
    waves = oscillation(hz, draws.uniform(3), shape[-1], fs=fs)
    weights = draws.normal(sources(leads), 3) * (_strength(draws, amplitude_mv) * math.sqrt(2 / 3))
    return add_waves(weights, waves, leads)


@Planned
def level_shift(
    draws: Draws,
    shape: Shape,
    *,
    amplitude_mv: float,
    share: float = 0.2,
    leads: Mixing = "independent",
) -> Change | None:
    """Add a step up or down over one stretch of the record, of a size of its own at each source.

    Args:
        amplitude_mv: largest step, mV.
        share: of the record; the length is normal about it with a fifth of it as standard deviation.
        leads: where it comes in.
    """
    if amplitude_mv == 0:
        return None
    time = shape[-1]
    length = (share * time * (1 + 0.2 * draws.normal(1))).round().clamp(0, time)
    start = (draws.uniform(1) * (time - length + 1)).floor()
    place = torch.arange(time, device=draws.device)
    window = ((place >= start) & (place < start + length)).float().unsqueeze(1)
    return add_waves(amplitude_mv * (2 * draws.uniform(sources(leads), 1) - 1), window, leads)


@Planned
def powerline(
    draws: Draws, shape: Shape, *, amplitude_mv: float, fs: float, leads: Mixing = "independent"
) -> Change | None:
    """Add mains hum of 50 or 60 Hz, with an amplitude and phase of its own at each source.

    Where `fs` is at most 120 Hz nothing is added: an aliased hum is not what a recorder with an
    anti-aliasing filter gives.

    Args:
        amplitude_mv: largest amplitude, mV.
        fs: Hz.
        leads: where it comes in.
    """
    if amplitude_mv == 0 or fs <= 120:
        return None
    hz = torch.where(draws.uniform(1) < 0.5, 50.0, 60.0).expand(-1, 2)
    waves = oscillation(hz, torch.tensor([0.0, 0.25], device=draws.device), shape[-1], fs=fs)
    phase = 2 * math.pi * draws.uniform(sources(leads), 1)
    size = draws.uniform(sources(leads), 1) * _strength(draws, amplitude_mv)
    return add_waves(size * torch.cat([phase.cos(), phase.sin()], dim=-1), waves, leads)


@Planned
def muscle_noise(
    draws: Draws,
    shape: Shape,
    *,
    amplitude_mv: float,
    fs: float,
    cut_hz: float = 20.0,
    swell_s: float = 1.0,
    leads: Mixing = "independent",
) -> Change | None:
    """Add EMG: white noise above a frequency that swells and fades, differently at each source.

    Args:
        amplitude_mv: largest standard deviation where it is strongest, mV.
        fs: Hz; where it is at most twice `cut_hz` nothing is added.
        cut_hz: what lies below is left out, Hz; 0 leaves nothing out.
        swell_s: seconds from one strength to the next; 0: one strength a source.
        leads: where it comes in.
    """
    if amplitude_mv == 0 or fs <= 2 * cut_hz:
        return None
    time, count = shape[-1], sources(leads)
    noise = bank.highpassed(draws, count, time, cut_hz=cut_hz, fs=fs)
    strength = _strength(draws, amplitude_mv)
    if swell_s == 0:
        return add_noise(noise, draws.uniform(count, 1) * strength, leads)
    knots = draws.uniform(count, max(math.ceil(time / (fs * swell_s)), 2))
    return add_noise(
        lambda records: noise(records).mul_(between_knots(knots[records], time)), strength, leads
    )


@Planned
def gain(draws: Draws, shape: Shape, *, largest: float) -> Change | None:
    """Scale each record by one factor for all leads, log-uniform in 1/largest..largest.

    Args:
        largest: factor, >= 1.

    Raises:
        ValueError: if `largest` is below 1.
    """
    if largest < 1:
        raise ValueError(f"`largest` must be >= 1; got {largest}")
    if largest == 1:
        return None
    factor = torch.exp(math.log(largest) * (2 * draws.uniform(1, 1) - 1))
    return lambda x, records: x.mul_(factor[records])


def _strength(draws: Draws, most: float) -> Float[Tensor, "batch 1 1"]:
    """One strength a record, uniform in 0..most."""
    return most * draws.uniform(1, 1)
