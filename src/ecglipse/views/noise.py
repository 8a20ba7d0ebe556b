"""Noise of real recordings, in mV: white, wander, shifts, mains, muscle, and gain.

Where it comes in is `leads`: see `ecglipse.views.mixing`; by default on the eight independent leads, so that
the other four still follow. The strength of each record is uniform in 0..strength.
"""

import functools
import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import LEADS
from ecglipse.views import bank
from ecglipse.views.linear import Linear
from ecglipse.views.mixing import Mixing, way
from ecglipse.views.parts import Planned, Shape
from ecglipse.views.waves import between_knots, knots_every, one_of, oscillation

MAINS_HZ = (50.0, 60.0)


@Planned
def gaussian_noise(
    draws: Draws,
    shape: Shape,
    *,
    sigma_mv: float,
    leads: Mixing = "independent",
    names: tuple[str, ...] = LEADS,
) -> Linear | None:
    """Add white noise.

    Args:
        sigma_mv: largest standard deviation at a source, mV.
        leads: where it comes in.
        names: of the leads.
    """
    if sigma_mv == 0:
        return None
    into = way(leads, names)
    noise = bank.white(draws, into.sources, shape[-1], apart=leads == "each")
    return into.add_noise(noise, sigma_mv * draws.uniform(1, 1))


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
    names: tuple[str, ...] = LEADS,
) -> Linear | None:
    """Add slow drift: three sinusoids a record, each source with weights of its own.

    Args:
        amplitude_mv: largest standard deviation of the drift in the mean square over sources, mV: weights are
            normal, so that a source's own is above it or below.
        fs: Hz.
        low_hz: lowest frequency, Hz.
        high_hz: highest frequency, Hz.
        leads: where it comes in.
        names: of the leads.

    Raises:
        ValueError: if the frequencies are not in order, or `fs` is at most twice the highest.
    """
    if amplitude_mv == 0:
        return None
    if not 0 <= low_hz <= high_hz:
        raise ValueError(f"`low_hz` must be in 0..`high_hz`; got {low_hz:g}, {high_hz:g}")
    if fs <= 2 * high_hz:
        raise ValueError(
            f"baseline wander of {high_hz:g} Hz needs a rate above {2 * high_hz:g} Hz; it is {fs:g}"
        )
    hz, turns, share = draws.uniform(7).split([3, 3, 1], dim=1)
    waves = oscillation(low_hz + (high_hz - low_hz) * hz, turns, shape[-1], fs=fs)
    strength = (amplitude_mv * math.sqrt(2 / 3)) * share.unsqueeze(-1)
    into = way(leads, names)
    return into.add_waves(draws.normal(into.sources, 3) * strength, waves)


@Planned
def level_shift(
    draws: Draws,
    shape: Shape,
    *,
    amplitude_mv: float,
    fs: float,
    length_s: float = 2.0,
    sizes: Literal["uniform", "published"] = "uniform",
    leads: Mixing = "independent",
    names: tuple[str, ...] = LEADS,
) -> Linear | None:
    """Add a step up or down over one stretch of the record, of a size of its own at each source.

    Args:
        amplitude_mv: a, the largest step, mV.
        fs: Hz.
        length_s: of the stretch on average, s; normal about it with a fifth of it as standard deviation, and
            the record's at most.
        sizes: "uniform" in +-a; or, with a slip of the code published with Bo et al. 2022, where a difference
            stands for a product, a (+-1 - u) with u uniform in 0 to 1/4: never small, and lower by a / 8.
        leads: where it comes in.
        names: of the leads.
    """
    if amplitude_mv == 0:
        return None
    time = shape[-1]
    length = (length_s * fs * (1 + 0.2 * draws.normal(1))).round().clamp(0, time)
    start = (draws.uniform(1) * (time - length + 1)).floor()
    place = torch.arange(time, device=draws.device)

    def write(records: slice, window: Tensor) -> None:
        first = start[records]
        window.copy_(((place >= first) & (place < first + length[records])).unsqueeze(1))

    into = way(leads, names)
    size = 2 * draws.uniform(into.sources, 1) - 1
    if sizes == "published":
        size = size.sign() - draws.uniform(into.sources, 1) / 4
    return into.add_waves(amplitude_mv * size, write)


@Planned
def powerline(
    draws: Draws,
    shape: Shape,
    *,
    amplitude_mv: float,
    fs: float,
    hz: tuple[float, ...] = MAINS_HZ,
    leads: Mixing = "independent",
    names: tuple[str, ...] = LEADS,
) -> Linear | None:
    """Add mains hum of one frequency a record, with an amplitude and phase of its own at each source.

    Args:
        amplitude_mv: largest amplitude, mV.
        fs: Hz.
        hz: frequencies of mains, each as likely as another, Hz.
        leads: where it comes in.
        names: of the leads.

    Raises:
        ValueError: if `fs` is at most twice one of `hz`: an aliased hum is not what a recorder with an
            anti-aliasing filter gives.
    """
    if amplitude_mv == 0:
        return None
    if fs <= 2 * max(hz):
        raise ValueError(f"mains hum of {max(hz):g} Hz needs a rate above {2 * max(hz):g} Hz; it is {fs:g}")
    into = way(leads, names)
    count = into.sources
    turns, share, strength, kind = draws.uniform(2 * count + 2).split([count, count, 1, 1], dim=1)
    waves = one_of(_mains(tuple(hz), shape[-1], fs, draws.device), (kind.flatten() * len(hz)).long())
    phase, size = 2 * math.pi * turns, share * (amplitude_mv * strength)
    return into.add_waves(torch.stack([phase.cos(), phase.sin()], dim=-1) * size.unsqueeze(-1), waves)


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
    names: tuple[str, ...] = LEADS,
) -> Linear | None:
    """Add EMG: white noise above a frequency that swells and fades, differently at each source.

    Args:
        amplitude_mv: largest standard deviation where it is strongest, mV.
        fs: Hz.
        cut_hz: what lies below is left out, Hz; 0 leaves nothing out.
        swell_s: seconds from one strength to the next, at most; 0: one strength a source.
        leads: where it comes in.
        names: of the leads.

    Raises:
        ValueError: if `fs` is at most twice `cut_hz`: nothing would be left; or if it swells within a sample.
    """
    if amplitude_mv == 0:
        return None
    if fs <= 2 * cut_hz:
        raise ValueError(
            f"muscle noise above {cut_hz:g} Hz needs a rate above {2 * cut_hz:g} Hz; it is {fs:g}"
        )
    into = way(leads, names)
    time, count = shape[-1], into.sources
    noise = bank.highpassed(draws, count, time, cut_hz=cut_hz, fs=fs, apart=leads == "each")
    if swell_s == 0:
        share, strength = draws.uniform(count + 1, 1).split([count, 1], dim=1)
        return into.add_noise(noise, share * (amplitude_mv * strength))
    strength = amplitude_mv * draws.uniform(1, 1)
    knots = draws.uniform(count, knots_every(swell_s, time, fs=fs))

    def write(records: slice, place: Tensor) -> None:
        torch.mul(noise.mixed(records, time), between_knots(knots[records], time), out=place)

    return into.add_sources(strength, write)


@Planned
def gain(draws: Draws, shape: Shape, *, largest: float) -> Linear | None:
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
    return Linear(factor)


@functools.lru_cache(maxsize=8)
def _mains(
    hz: tuple[float, ...], time: int, fs: float, device: torch.device
) -> Float[Tensor, "kind 2 {time}"]:
    """Cosine and sine of each frequency."""
    turns = torch.tensor(hz, dtype=torch.float64)[:, None] * torch.arange(time) / fs
    angle = 2 * math.pi * (turns - turns.round())
    return torch.stack([angle.cos(), angle.sin()], dim=1).float().to(device)
