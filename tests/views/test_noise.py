"""Base augmentations: identity at zero, lead algebra, strengths in mV, bands in Hz, and neighbours."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import EXPANSION, einthoven_error
from ecglipse.views import bank
from ecglipse.views.base import BaseViews
from ecglipse.views.noise import baseline_wander, gain, gaussian_noise, muscle_noise, powerline

VIEWS = {
    "gaussian": (lambda x, g, s: gaussian_noise(x, g, sigma_mv=s), 100.0),
    "wander": (lambda x, g, s: baseline_wander(x, g, amplitude_mv=s, fs=100.0), 100.0),
    "powerline": (lambda x, g, s: powerline(x, g, amplitude_mv=s, fs=500.0), 500.0),
    "emg": (lambda x, g, s: muscle_noise(x, g, amplitude_mv=s, fs=500.0), 500.0),
}


def draws(seed: int = 0, n: int = 8) -> Draws:
    return Draws.of(seed, "test", rows=range(n))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def signals(n: int = 8, time: int = 1000) -> Tensor:
    """Twelve leads that obey the algebra."""
    eight = torch.randn(n, 8, time, generator=rng(5))
    return torch.as_tensor(EXPANSION, dtype=torch.float32) @ eight


@pytest.mark.parametrize("name", VIEWS)
def test_strength_zero_is_identity_to_the_bit(name: str) -> None:
    view, _ = VIEWS[name]
    x = signals()
    assert torch.equal(view(x, draws(), 0.0), x)
    assert not torch.equal(view(x, draws(), 0.1), x)


@pytest.mark.parametrize("name", VIEWS)
def test_lead_algebra_is_kept(name: str) -> None:
    view, _ = VIEWS[name]
    assert einthoven_error(view(signals(), draws(), 0.5).numpy()).max() < 1e-5


def test_the_check_of_lead_algebra_can_fail() -> None:
    x = signals()
    assert einthoven_error((x + 0.1 * torch.randn(x.shape, generator=rng())).numpy()).min() > 0.05


@pytest.mark.parametrize("name", VIEWS)
def test_noise_differs_between_leads_records_and_seeds(name: str) -> None:
    view, _ = VIEWS[name]
    x = torch.zeros(8, 12, 1000)
    noise = view(x, draws(1), 0.5)
    assert torch.equal(noise, view(x, draws(1), 0.5))
    assert not torch.equal(noise, view(x, draws(2), 0.5))
    independent = noise[:, [0, 1, 6, 7, 8, 9, 10, 11]]
    for record in independent:
        alike = np.corrcoef(record.numpy()) - np.eye(8)
        assert np.abs(alike).max() < 1 - 1e-8
    assert not torch.allclose(noise[0], noise[1])


@pytest.mark.parametrize("name", VIEWS)
def test_a_record_does_not_depend_on_its_neighbours(name: str) -> None:
    view, _ = VIEWS[name]
    x = signals()
    others = x.clone()
    others[1:] = 7.0
    assert torch.equal(view(x, draws(), 0.5)[0], view(others, draws(), 0.5)[0])


def test_white_noise_has_strengths_up_to_the_one_asked_for() -> None:
    """Standard deviation of lead V1 over 2,000 records: uniform in 0..0.2 mV, so 0.1 on average."""
    size = gaussian_noise(torch.zeros(2000, 12, 500), draws(n=2000), sigma_mv=0.2)[:, 6].std(-1)
    assert size.max() < 0.2 * 1.15
    assert float(size.mean()) == pytest.approx(0.1, rel=0.05)


def test_wander_is_slow() -> None:
    drift = baseline_wander(torch.zeros(20, 12, 4000), draws(n=20), amplitude_mv=0.3, fs=100.0)[:, 6]
    spectrum = _power(drift * torch.hann_window(4000))
    hz = torch.fft.rfftfreq(4000, 1 / 100.0)
    assert (spectrum[:, hz > 0.6].sum(-1) / spectrum.sum(-1)).max() < 0.001


def test_mains_hum_is_where_the_mains_are_and_has_phases_of_its_own() -> None:
    hum = powerline(torch.zeros(40, 12, 5000), draws(n=40), amplitude_mv=0.3, fs=500.0)
    hz = torch.fft.rfftfreq(5000, 1 / 500.0)
    peaks = {float(hz[i]) for i in _power(hum[:, 6]).argmax(-1)}
    assert peaks == {50.0, 60.0}
    phase = torch.fft.rfft(hum[0])[:, _power(hum[:, 6])[0].argmax()].angle()
    assert len({round(float(p), 3) for p in phase[6:]}) == 6


@pytest.mark.parametrize("fs", [100.0, 120.0])
def test_noise_that_a_rate_cannot_hold_is_refused(fs: float) -> None:
    x = signals()
    with pytest.raises(ValueError, match="mains hum of 60 Hz needs a rate above 120 Hz; it is 1"):
        powerline(x, draws(), amplitude_mv=0.5, fs=fs)
    with pytest.raises(ValueError, match="muscle noise above 60 Hz needs a rate above 120 Hz; it is 1"):
        muscle_noise(x, draws(), amplitude_mv=0.5, fs=fs, cut_hz=60.0)
    assert torch.equal(powerline(x, draws(), amplitude_mv=0.0, fs=fs), x)


@pytest.mark.parametrize(("fs", "high_hz"), [(100.0, 400.0), (100.0, 50.0), (1.0, 0.5)])
def test_wander_that_a_rate_cannot_hold_is_refused(fs: float, high_hz: float) -> None:
    x, words = signals(), rf"baseline wander of {high_hz:g} Hz needs a rate above {2 * high_hz:g} Hz; it is"
    with pytest.raises(ValueError, match=words):
        baseline_wander(x, draws(), amplitude_mv=0.5, fs=fs, low_hz=0.0, high_hz=high_hz)
    assert torch.equal(baseline_wander(x, draws(), amplitude_mv=0.0, fs=fs, high_hz=high_hz), x)


def test_frequencies_of_wander_are_in_order() -> None:
    with pytest.raises(ValueError, match=r"`low_hz` must be in 0\.\.`high_hz`; got 5, 0\.5"):
        baseline_wander(signals(), draws(), amplitude_mv=0.5, fs=100.0, low_hz=5.0, high_hz=0.5)


@pytest.mark.parametrize("hz", [16.7, 50.0])
def test_mains_hum_has_the_frequency_that_is_asked_for(hz: float) -> None:
    hum = powerline(torch.zeros(20, 12, 5000), draws(n=20), amplitude_mv=0.5, fs=101.0, hz=(hz,))[:, 6]
    found = torch.fft.rfftfreq(5000, 1 / 101.0)[_power(hum).argmax(-1)]
    torch.testing.assert_close(found, torch.full((20,), hz), rtol=0, atol=0.02)


def test_muscle_noise_is_fast_and_comes_and_goes() -> None:
    noise = muscle_noise(torch.zeros(20, 12, 5000), draws(n=20), amplitude_mv=0.3, fs=500.0)[:, 6]
    hz = torch.fft.rfftfreq(5000, 1 / 500.0)
    power = _power(noise)
    assert (power[:, hz < 18].sum(-1) / power.sum(-1)).max() < 0.02
    by_second = noise.unflatten(-1, (10, 500)).std(-1)
    assert (by_second.amax(-1) / by_second.amin(-1)).median() > 1.5


@pytest.mark.parametrize(
    ("fs", "duration_s", "swell_s", "wanted_s"),
    [(100.0, 10.0, 5.0, 5.0), (250.0, 10.0, 1.0, 1.0), (100.0, 30.0, 4.0, 3.75), (250.0, 4.0, 9.0, 4.0)],
)
def test_muscle_noise_swells_in_the_seconds_it_says_at_most(
    monkeypatch: pytest.MonkeyPatch, fs: float, duration_s: float, swell_s: float, wanted_s: float
) -> None:
    """Of noise that is 1 the swelling is left: straight lines, whose bends are the knots."""

    class Ones:
        def mixed(self, records: slice, time: int) -> Tensor:
            return torch.ones(1, 8, time, dtype=torch.float64)

    monkeypatch.setattr(bank, "highpassed", lambda *a, **k: Ones())
    time = round(fs * duration_s)
    x = torch.zeros(1, 12, time, dtype=torch.float64)
    swell = muscle_noise(x, draws(n=1), amplitude_mv=1.0, fs=fs, swell_s=swell_s)[0, 6]
    slope = swell.diff()
    bends = ((slope.diff().abs() > 1e-5).nonzero().flatten() / fs).tolist()
    inner = [bend for before, bend in pairwise([-1.0, *bends]) if bend - before > 1.5 / fs]
    lengths = np.diff([0.0, *inner, duration_s])
    np.testing.assert_allclose(lengths, wanted_s, atol=3 / fs)


@pytest.mark.parametrize("swell_s", [0.009, 1e-6])
def test_a_swell_shorter_than_a_sample_is_refused(swell_s: float) -> None:
    with pytest.raises(ValueError, match=r"knots .* s apart need a rate of .* Hz at least; it is 100"):
        muscle_noise(signals(), draws(), amplitude_mv=0.5, fs=100.0, swell_s=swell_s)


def test_wanders_size_is_that_of_the_mean_square() -> None:
    """Over records and leads of the largest strength; a lead's own is by chance above it or below."""
    size = baseline_wander(torch.zeros(3000, 12, 4000), draws(n=3000), amplitude_mv=0.2, fs=100.0)[:, 6].std(
        -1
    )
    assert float(size.square().mean().sqrt()) == pytest.approx(0.2 / math.sqrt(3), rel=0.05)
    assert float((size > 0.2).float().mean()) == pytest.approx(0.08, abs=0.015)
    assert 0.4 < size.max() < 0.7


def test_gain_is_one_factor_a_record_within_its_bounds() -> None:
    x = signals(500)
    factor = gain(x, draws(n=500), largest=1.5) / x
    one = factor[:, :1, :1]
    torch.testing.assert_close(factor, one.expand_as(factor), rtol=1e-4, atol=1e-4)
    assert one.min() >= 1 / 1.5 - 1e-5
    assert one.max() <= 1.5 + 1e-5
    assert abs(float(one.log().mean())) < 4.5 * math.log(1.5) / math.sqrt(3 * 500)
    assert torch.equal(gain(x, draws(n=500), largest=1.0), x)
    with pytest.raises(ValueError, match=r"`largest` must be >= 1; got 0\.9"):
        gain(x, draws(n=500), largest=0.9)


def test_base_views_are_identity_when_nothing_is_asked_for_and_keep_the_algebra() -> None:
    x = signals()
    nothing = BaseViews(sigma_mv=0.0, wander_mv=0.0, powerline_mv=0.0, emg_mv=0.0, gain=1.0, fs=500.0)
    assert torch.equal(nothing(x, draws()), x)
    everything = BaseViews(sigma_mv=0.1, wander_mv=0.1, powerline_mv=0.1, emg_mv=0.1, gain=1.3, fs=500.0)
    view = everything(x, draws())
    assert einthoven_error(view.numpy()).max() < 2e-5
    assert not torch.equal(view, everything(x, draws(1)))
    assert view.dtype == x.dtype


def _power(x: Tensor) -> Tensor:
    return torch.fft.rfft(x).abs() ** 2
