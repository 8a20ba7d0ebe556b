"""Noise in hidden places: the spectrum of what is visible, lead algebra, and draws of a record's own."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import LEADS
from ecglipse.masks import MatchedNoiseFill, RandomMask, form_of

FS, ROWS = 100.0, range(40)


def draws(seed: int = 0) -> Draws:
    return Draws.of(seed, "test", rows=ROWS)


def masks(form: str) -> Tensor:
    policy = RandomMask(form=form_of(form, LEADS), coverage=0.5, segment_s=0.25, fs=FS)
    return policy(signals(), draws(1))


def signals(time: int = 1000) -> Tensor:
    """Low-pass noise of a size a lead, on a level; float64, with the algebra of the limb leads."""
    white = torch.randn(len(ROWS), 12, time, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    hz = torch.fft.rfftfreq(time, 1 / FS)
    made = torch.fft.irfft(torch.fft.rfft(white) / (1 + (hz / 5) ** 2), n=time)
    made = made * torch.linspace(0.2, 2.0, 12)[:, None] + 0.3
    one, two = made[:, 0], made[:, 1]
    made[:, 2:6] = torch.stack([two - one, -(one + two) / 2, one - two / 2, two - one / 2], dim=1)
    return made


def bands(x: Tensor) -> Tensor:
    """Power in 1-4, 4-8, 8-16 and 16-40 Hz, the mean over records."""
    hz = torch.fft.rfftfreq(x.shape[-1], 1 / FS)
    power = torch.fft.rfft(x).abs().square().mean(0)
    edges = ((1, 4), (4, 8), (8, 16), (16, 40))
    return torch.stack([power[:, (hz >= low) & (hz < high)].sum(-1) for low, high in edges], dim=-1)


@pytest.mark.parametrize("form", ["shared", "per-lead"])
def test_noise_has_the_power_and_the_spectrum_of_what_is_visible(form: str) -> None:
    x, mask = signals(), masks(form)
    noise = MatchedNoiseFill()(x, mask, draws(2))
    seen = (mask == 0).expand_as(x)
    for lead in range(12):
        visible = [row[kept] for row, kept in zip(x[:, lead], seen[:, lead], strict=True)]
        for made, part in zip(noise[:, lead], visible, strict=True):
            torch.testing.assert_close(made.var(correction=0), part.var(correction=0))
            torch.testing.assert_close(made.mean(), part.mean())
    ratio = bands(noise) / bands(x)
    assert 0.8 < ratio[:, :2].min() < ratio[:, :2].max() < 1.25
    white = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
    control = bands(white * x.std(-1, keepdim=True)) / bands(x)
    assert ratio[:, 3].max() < 0.2 * control[:, 3].min()  # the gaps let low frequencies leak into high ones


@pytest.mark.parametrize("form", ["shared", "electrodes"])
def test_noise_keeps_the_algebra_of_leads_that_are_hidden_together(form: str) -> None:
    x, mask = signals(), masks(form)
    noise = MatchedNoiseFill()(x, mask, draws(2))
    one, two, three, right, left, foot = noise[:, :6].unbind(1)
    torch.testing.assert_close(three, two - one, rtol=0, atol=1e-10)
    torch.testing.assert_close(right + left + foot, torch.zeros_like(one), rtol=0, atol=1e-10)
    apart = MatchedNoiseFill()(x, masks("per-lead"), draws(2))
    assert (apart[:, 2] - apart[:, 1] + apart[:, 0]).abs().max() > 0.1


def test_noise_of_a_record_is_its_own_whatever_the_batch() -> None:
    x, mask, fill = signals(), masks("per-lead"), MatchedNoiseFill()
    order = np.array([7, 3, 31])
    whole = fill(x, mask, draws(2))
    some = fill(x[order], mask[order], Draws.of(2, "test", rows=order))
    torch.testing.assert_close(some, whole[order], rtol=0, atol=1e-12)
    assert not torch.allclose(whole, fill(x, mask, draws(3)), atol=0.1)


def test_a_lead_hidden_whole_gets_the_spectrum_of_the_whole_lead() -> None:
    x = signals(999)
    noise = MatchedNoiseFill()(x, torch.ones(len(ROWS), 1, 999), draws(2))
    torch.testing.assert_close(torch.fft.rfft(noise).abs(), torch.fft.rfft(x).abs())
    assert not torch.allclose(noise, x, atol=0.1)
