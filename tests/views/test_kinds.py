"""What each kind of view does, by its equation: times, phases, electrodes, leads, normalisation, the bank."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import signal, stats
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import EXPANSION, LEADS
from ecglipse.views import bank
from ecglipse.views.electrodes import PAIRS, chest_shift, electrode_swap
from ecglipse.views.erasing import block_mask, lead_mask, lead_subset, peak_mask, point_mask
from ecglipse.views.mixing import ELECTRODES, FROM_ELECTRODES
from ecglipse.views.noise import level_shift
from ecglipse.views.normalise import min_max, quartiles, robust, z_score
from ecglipse.views.parts import in_parts
from ecglipse.views.spectral import _QUANTILES, _beta_quantiles, phase_surrogate, spectral_gain
from ecglipse.views.timing import crop_resize, time_warp
from ecglipse.views.waves import oscillation


def draws(seed: int = 0, n: int = 6) -> Draws:
    return Draws.of(seed, "test", rows=range(n))


def signals(n: int = 6, time: int = 600) -> Tensor:
    eight = torch.randn(n, 8, time, generator=torch.Generator().manual_seed(5))
    return torch.as_tensor(EXPANSION, dtype=torch.float32) @ eight


def ramp(n: int, time: int) -> Tensor:
    """Each lead is the time in samples."""
    return torch.arange(float(time)).expand(n, 12, time).contiguous()


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("sources", [1, 8, 12])
def test_noise_of_the_bank_is_normal_white_and_unalike(sources: int, apart: bool) -> None:
    """Values by Kolmogorov-Smirnov; leads of a record, records and epochs by all their correlations."""
    n = 800 // sources
    noise = bank.white(draws(n=n), sources, 1000, apart=apart).mixed(slice(None), 1000).double().numpy()
    assert stats.kstest(noise[:100].ravel(), "norm").pvalue > 1e-4
    for lag in (1, 2, 50):
        z = (noise[..., lag:] * noise[..., :-lag]).mean() * math.sqrt(noise[..., lag:].size)
        assert abs(z) < 4.5
    other = bank.white(draws(1, n=n), sources, 1000, apart=apart).mixed(slice(None), 1000).double().numpy()
    flat, again = noise.reshape(-1, 1000), other.reshape(-1, 1000)
    within = np.einsum("rit,rjt->rij", noise, noise)[:, ~np.eye(sources, dtype=bool)] / 1000
    between = (flat @ flat.T / 1000)[~np.eye(len(flat), dtype=bool)]
    for alike in (within.ravel(), between, (flat @ again.T / 1000).ravel()):
        if alike.size:
            assert alike.std() == pytest.approx(1 / math.sqrt(1000), rel=0.05)
            assert np.abs(alike).max() < 6 / math.sqrt(1000)  # no two are the same, moved by 0 samples


def test_the_bank_repeats_as_often_and_as_strongly_as_it_says() -> None:
    """Starts of a record's rows overlap as often as chance has it; two that do are alike at their lag."""
    n, rows, time = 400, 4, 2000
    strongest = {}
    for apart in (False, True):
        noise = bank.white(draws(n=n), rows, time, apart=apart)
        moved = bank.Noise(noise.mix[:2], noise.bank, torch.tensor([1000, 2000]), apart)
        one, other = moved.mixed(slice(None), time).double().numpy()
        strongest[apart] = np.abs(np.corrcoef(one[:, 1000:], other[:, :1000])[:rows, rows:]).max()
        start = noise.start.numpy()
        near = (np.abs(start[:, None] - start) < rows * time)[~np.eye(n, dtype=bool)].mean()
        assert near == pytest.approx(2 * rows * time / len(noise.bank), rel=0.2)
    assert strongest[True] > 0.999
    assert 0.2 < strongest[False] < 0.97


def test_a_records_noise_does_not_depend_on_the_batch_it_is_made_in() -> None:
    whole = bank.white(draws(n=9), 8, 700).mixed(slice(None), 700)
    part = bank.white(draws(n=9), 8, 700).mixed(slice(4, 7), 700)
    torch.testing.assert_close(part, whole[4:7], rtol=0, atol=1e-6)
    assert not torch.allclose(whole[0], whole[1], atol=0.1)


def test_mixes_are_orthogonal_and_as_likely_one_way_as_another() -> None:
    mixes = bank._mixes(8, torch.device("cpu")).double()
    torch.testing.assert_close(mixes @ mixes.mT, torch.eye(8).double().expand(1024, 8, 8), rtol=0, atol=1e-6)
    entries = mixes.flatten().numpy()
    assert stats.kstest((entries[::9] + 1) / 2, "beta", (3.5, 3.5)).pvalue > 1e-4  # of a unit vector in 8-D
    signs = bank._signs(3, torch.device("cpu"))[..., 0]
    assert len({tuple(row.tolist()) for row in signs}) == 8
    assert signs.abs().eq(1).all()


@pytest.mark.parametrize("apart", [False, True])
def test_highpassed_noise_has_size_one_and_nothing_below(apart: bool) -> None:
    noise = bank.highpassed(draws(n=50), 4, 2000, cut_hz=20.0, fs=100.0, apart=apart).mixed(slice(None), 2000)
    assert float(noise.std()) == pytest.approx(1.0, rel=0.02)
    power = (torch.fft.rfft(noise * torch.hann_window(2000)).abs() ** 2).mean((0, 1))
    hz = torch.fft.rfftfreq(2000, 0.01)
    assert power[hz < 19].mean() < 1e-3 * power[hz > 21].mean()


def test_oscillation_equals_the_cosine() -> None:
    hz, turns = torch.rand(3, 2, generator=torch.Generator().manual_seed(1)) * 60, torch.tensor([0.0, 0.25])
    t = torch.arange(777, dtype=torch.float64) / 500.0
    wanted = torch.cos(2 * math.pi * (hz.double()[..., None] * t - turns.double()[:, None]))
    got = torch.empty(3, 2, 777)
    oscillation(hz, turns, 777, fs=500.0)(slice(None), got)
    torch.testing.assert_close(got.double(), wanted, rtol=0, atol=5e-5)


def test_a_shift_is_one_step_up_and_one_down_of_bounded_size() -> None:
    added = level_shift(torch.zeros(200, 12, 500), draws(n=200), amplitude_mv=0.3, fs=50.0)[:, 6]
    assert ((added.diff(dim=-1) != 0).sum(-1) <= 2).all()
    assert added.abs().max() <= 0.3
    assert float((added != 0).float().mean()) == pytest.approx(0.2, abs=0.02)
    assert added.amax(-1).std() > 0.05  # sizes are spread: small ones too


def test_a_published_shift_slips_and_is_never_small() -> None:
    """Published: a value of +1 or -1 less U(0, 1/4), where a product was meant; by its own equation."""
    added = level_shift(
        torch.zeros(2000, 12, 100), draws(n=2000), amplitude_mv=0.4, fs=50.0, sizes="published"
    )
    size = added[:, 6].gather(1, added[:, 6].abs().argmax(-1, keepdim=True))[:, 0] / 0.4
    up, down = size[size > 0], size[size < 0]
    assert 0.75 <= up.min() < 0.76 < 0.99 < up.max() <= 1
    assert -1.25 <= down.min() < -1.24 < -1.01 < down.max() <= -1
    assert len(up) / len(size) == pytest.approx(0.5, abs=0.05)
    assert float(up.mean() + down.mean()) == pytest.approx(
        -0.25, abs=0.01
    )  # of opposite signs, lower by a / 8


def test_point_and_lead_masks_hide_their_share() -> None:
    x = torch.ones(400, 12, 500)
    hidden = point_mask(x, draws(n=400), share=0.2) == 0
    assert abs(float(hidden.float().mean()) - 0.2) < 4.5 * 0.4 / math.sqrt(hidden.numel())
    leads = lead_mask(x, draws(n=400), share=0.5)[..., 0] == 0
    assert abs(float(leads.float().mean()) - 0.5) < 4.5 * 0.5 / math.sqrt(leads.numel())
    assert (lead_mask(x, draws(n=400), share=1.0)[..., 0].sum(1) == 1).all()
    assert torch.equal(point_mask(x, draws(n=400), share=0.0), x)
    assert not point_mask(x, draws(n=400), share=1.0).any()


def test_lead_subsets_have_every_size_and_every_lead() -> None:
    kept = lead_subset(torch.ones(3000, 12, 4), draws(n=3000), fewest=2, most=5)[..., 0]
    sizes, counts = kept.sum(1).unique(return_counts=True)
    assert sizes.tolist() == [2, 3, 4, 5]
    assert stats.chisquare(counts.numpy()).pvalue > 1e-4
    assert stats.chisquare(kept.sum(0).numpy()).pvalue > 1e-4
    with pytest.raises(ValueError, match=r"must be in 1\.\.12, in order; got 5, 2"):
        lead_subset(kept[:, :, None].expand(-1, -1, 4), draws(n=3000), fewest=5, most=2)


def test_a_block_for_all_leads_is_the_same_in_all_and_anywhere() -> None:
    hidden = block_mask(torch.ones(2000, 12, 50), draws(n=2000), length_s=0.2, fs=50.0, leads="all") == 0
    assert (hidden == hidden[:, :1]).all()
    assert (hidden[:, 0].sum(-1) == 10).all()
    assert stats.chisquare(hidden[:, 0].sum(0).numpy()).pvalue > 1e-4


def test_peaks_and_rest_make_the_whole() -> None:
    x = signals()
    peaks, rest = (peak_mask(x, draws(), keep=keep) for keep in ("peaks", "rest"))
    torch.testing.assert_close(peaks + rest, x)
    assert not ((peaks != 0) & (rest != 0)).any()
    assert peaks.mean() > rest.mean()


def test_phase_surrogates_keep_spectra_and_phases_between_leads() -> None:
    x = signals(time=501)
    y = phase_surrogate(x, draws())
    torch.testing.assert_close(torch.fft.rfft(y).abs(), torch.fft.rfft(x).abs(), rtol=1e-3, atol=1e-3)
    cross = [torch.fft.rfft(z[:, 0]) * torch.fft.rfft(z[:, 7]).conj() for z in (x, y)]
    torch.testing.assert_close(cross[1], cross[0], rtol=1e-3, atol=1e-1)
    torch.testing.assert_close(phase_surrogate(x, draws(), phase_rad=0.0), x, rtol=0, atol=1e-5)


@pytest.mark.parametrize("time", [600, 601, 250, 37])
def test_spectral_gain_of_one_gives_x_back(time: int) -> None:
    """Beta(1e6, 1e-3) is 1: the transform and its inverse are each other's."""
    x = signals(time=time)
    y = spectral_gain(x, draws(), fs=100.0, alpha=1e6, beta=1e-3)
    torch.testing.assert_close(y, x, rtol=0, atol=1e-5)


def test_spectral_gain_is_the_transform_of_hann_windows_and_its_inverse() -> None:
    """SciPy's, with the same numbers."""
    x = signals(time=600)
    quantiles = _beta_quantiles(5.0, 2.0, torch.device("cpu"))
    numbers = quantiles[draws().part(slice(None)).integers(_QUANTILES, 12, 7, 101)].mT.numpy()
    cut = {"fs": 100.0, "nperseg": 200, "noverlap": 100}
    _, wanted = signal.istft(signal.stft(x.double().numpy(), **cut)[2] * numbers, **cut)
    made = spectral_gain(x, draws(), fs=100.0, leads="each")
    np.testing.assert_allclose(made.numpy(), wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("slow", ["ramp", "wave"])
def test_what_is_slow_stays_slow(slow: str) -> None:
    """Power above 5 Hz, of all but the mean; with windows that have edges it is 3e-4 to 7e-4."""
    time = torch.linspace(-0.5, 0.5, 1000)
    x = (time if slow == "ramp" else (6 * math.pi * time).sin()).expand(20, 12, 1000).contiguous()
    made = spectral_gain(x, draws(n=20), fs=100.0)
    made = (made - made.mean(-1, keepdim=True)) * torch.hann_window(1000)
    power = torch.fft.rfft(made).abs().square()
    assert float(power[..., torch.fft.rfftfreq(1000, 0.01) > 5].sum() / power.sum()) < 2e-6


def test_a_window_of_no_samples_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"windows of 0\.03 s need a rate of 133\.333 Hz at least; it is 100"
    ):
        spectral_gain(signals(), draws(), fs=100.0, window_s=0.03)


def test_spectral_gain_is_beta_distributed_on_average() -> None:
    x = signals(40)
    y = spectral_gain(x, draws(n=40), fs=100.0)
    scale = float((x * y).mean() / (x * x).mean())
    assert scale == pytest.approx(5 / 7, abs=0.02)


def test_crops_stretch_a_piece_of_the_record() -> None:
    read = crop_resize(ramp(300, 500), draws(n=300), least=0.6)[:, 0]
    step = read.diff(dim=-1)
    torch.testing.assert_close(step, step[:, :1].expand_as(step), rtol=0, atol=1e-3)
    share = step[:, 0]
    assert share.min() >= 0.6 - 1e-4
    assert share.max() <= 1 + 1e-4
    assert stats.kstest(share.numpy(), "uniform", (0.6, 0.4)).pvalue > 1e-4
    assert read.min() >= 0
    assert read.max() <= 499
    x = signals()
    torch.testing.assert_close(crop_resize(x, draws(), least=1.0), x, rtol=0, atol=1e-5)


def test_warped_time_runs_forward_at_bounded_speed_from_end_to_end() -> None:
    read = time_warp(ramp(100, 1000), draws(n=100), fastest=1.2, fs=100.0)[:, 0]
    speed = read.diff(dim=-1)
    assert speed.min() >= 1 / 1.2**2 - 1e-3
    assert speed.max() <= 1.2**2 + 1e-3
    assert (read[:, 0] == 0).all()
    torch.testing.assert_close(read[:, -1], torch.full((100,), 999.0), rtol=0, atol=1e-2)
    assert speed.std(-1).min() > 0.01
    x = signals()
    assert torch.equal(time_warp(x, draws(), fastest=1.0, fs=100.0), x)


@pytest.mark.parametrize("pair", [*PAIRS, "V1-V6"])
def test_a_swap_gives_the_leads_of_swapped_electrodes(pair: str) -> None:
    potentials = torch.randn(6, 9, 50, generator=torch.Generator().manual_seed(1))
    one, other = (ELECTRODES.index(name) for name in pair.split("-"))
    order = list(range(9))
    order[one], order[other] = other, one
    to_leads = torch.as_tensor(FROM_ELECTRODES, dtype=torch.float32)
    swapped = electrode_swap(to_leads @ potentials, draws(), pairs=(pair,))
    torch.testing.assert_close(swapped, to_leads @ potentials[:, order], rtol=0, atol=1e-5)


def test_arms_exchanged_turn_lead_one_over() -> None:
    x = signals()
    leads = {name: index for index, name in enumerate(LEADS)}
    y = electrode_swap(x, draws(), pairs=("RA-LA",))
    assert torch.equal(y[:, leads["I"]], -x[:, leads["I"]])
    assert torch.equal(y[:, leads["II"]], x[:, leads["III"]])
    assert torch.equal(y[:, leads["aVR"]], x[:, leads["aVL"]])
    assert torch.equal(y[:, 6:], x[:, 6:])


def test_a_limb_for_a_chest_electrode_is_refused() -> None:
    with pytest.raises(ValueError, match=r"two of RA, LA, LL or two of V1\.\.V6, .*; got 'RA-V1'"):
        electrode_swap(signals(), draws(), pairs=("RA-V1",))


def test_a_chest_shift_mixes_neighbours_of_one_side() -> None:
    x = torch.arange(12.0)[:, None].expand(400, 12, 30).contiguous()
    moved = chest_shift(x, draws(n=400), most=0.4)[..., 0] - torch.arange(12.0)
    assert not moved[:, :6].any()
    assert moved.abs().max() <= 0.4
    right, left = moved[:, 8] > 0, moved[:, 8] < 0
    assert 140 < int(right.sum()) < 260
    torch.testing.assert_close(moved[:, 7:11], moved[:, 7:8].expand(-1, 4), rtol=0, atol=1e-5)
    assert not moved[right, 11].any()
    assert not moved[left, 6].any()


@pytest.mark.parametrize("per", ["record", "lead"])
def test_normalised_records_have_the_range_or_the_moments_they_should(per: str) -> None:
    x = signals() * 3 + 1
    x[2] = 0.7
    dims = (1, 2) if per == "record" else (2,)
    y = min_max(x, draws(), per=per)
    assert y.amin(dims)[[0, 1, 3]].abs().max() == 0
    torch.testing.assert_close(y.amax(dims)[[0, 1, 3]], torch.ones_like(y.amax(dims)[[0, 1, 3]]))
    z = z_score(x, draws(), per=per)
    assert z.mean(dims).abs().max() < 1e-5
    torch.testing.assert_close(z.std(dims, correction=0)[0], torch.ones_like(z.std(dims, correction=0)[0]))
    assert not y[2].any()
    assert z[2].abs().max() < 1e-3


BY_HAND = torch.tensor([[[0.0, 1, 2, 4], [1, 3, 5, 11]], [[2, 2, 2, 2], [2, 2, 2, 2]]])
"""Two records of two leads: lead I has median 1.5, quartiles 0.75 and 2.5; II 4, 2.5 and 6.5; together the
eight samples 0 1 1 2 3 4 5 11 have median 2.5, quartiles 1 and 4.25."""

NORMALISED: dict[str, tuple[Any, torch.Tensor, torch.Tensor]] = {
    "min-max": (
        min_max,
        torch.tensor([[0.0, 1, 2, 4], [1, 3, 5, 11]]) / 11,
        torch.tensor([[0.0, 0.25, 0.5, 1], [0, 0.2, 0.4, 1]]),
    ),
    "z-score": (  # per record mean 27 / 8, per lead 7 / 4 and 5; of squares 177 / 8, 21 / 4 and 39
        z_score,
        (torch.tensor([[0.0, 1, 2, 4], [1, 3, 5, 11]]) - 3.375) / (177 / 8 - 3.375**2) ** 0.5,
        torch.stack(
            [
                (torch.tensor([0.0, 1, 2, 4]) - 1.75) / (21 / 4 - 1.75**2) ** 0.5,
                (torch.tensor([1.0, 3, 5, 11]) - 5) / (39 - 25) ** 0.5,
            ]
        ),
    ),
    "robust": (
        robust,
        (torch.tensor([[0.0, 1, 2, 4], [1, 3, 5, 11]]) - 2.5) / 3.25,
        torch.tensor([[-1.5 / 1.75, -0.5 / 1.75, 0.5 / 1.75, 2.5 / 1.75], [-0.75, -0.25, 0.25, 1.75]]),
    ),
}


@pytest.mark.parametrize("name", NORMALISED)
def test_normalised_records_by_hand(name: str) -> None:
    function, per_record, per_lead = NORMALISED[name]
    before = BY_HAND.clone()
    for per, wanted in (("record", per_record), ("lead", per_lead)):
        made = function(BY_HAND, draws(n=2), per=per)
        torch.testing.assert_close(made, torch.stack([wanted, torch.zeros(2, 4)]), rtol=1e-6, atol=1e-6)
    assert torch.equal(BY_HAND, before)


@pytest.mark.parametrize("name", NORMALISED)
@pytest.mark.parametrize("per", ["record", "lead"])
def test_a_record_is_normalised_by_itself_whatever_its_gain_and_offset(name: str, per: str) -> None:
    function, x = NORMALISED[name][0], signals(5)
    whole = function(x, draws(n=5), per=per)
    assert torch.equal(function(x[3:4], draws(n=1), per=per)[0], whole[3])  # never by batch
    others = torch.cat([100 * x[:3] - 7, x[3:4], 0 * x[4:]])
    assert torch.equal(function(others, draws(n=5), per=per)[3], whole[3])
    torch.testing.assert_close(function(x * 3 + 0.5, draws(n=5), per=per), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("time", [4, 5, 6, 7, 601])
def test_quartiles_are_those_of_numpy_sorted_or_partitioned(time: int) -> None:
    x = signals(3)[..., :time]
    wanted = [torch.from_numpy(q)[..., None] for q in np.quantile(x.numpy(), [0.25, 0.5, 0.75], axis=-1)]
    for given in (x, x.clone().requires_grad_()):
        for found, true in zip(quartiles(given), wanted, strict=True):
            torch.testing.assert_close(found.detach(), true.float())
    assert all(torch.equal(*both) for both in zip(quartiles(x), quartiles(given), strict=True))


def test_a_spike_moves_the_robust_scale_little() -> None:
    x = signals(2)
    spiked = x.clone()
    spiked[:, :, 17] = 50.0
    rest = [k for k in range(x.shape[-1]) if k != 17]
    for function, most in ((robust, 0.05), (z_score, None), (min_max, None)):
        moved = (function(spiked, draws(n=2), per="lead") - function(x, draws(n=2), per="lead"))[..., rest]
        assert moved.abs().max() < 0.05 if most else moved.abs().max() > 0.05


def test_parts_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x = signals(7)
    whole = point_mask(x, draws(n=7), share=0.3)
    monkeypatch.setattr("ecglipse.views.parts.PART_BYTES", 3 * 12 * 600 * 4)
    assert torch.equal(point_mask(x, draws(n=7), share=0.3), whole)
    assert in_parts(x, [None]) is x


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x, d: crop_resize(x, d, least=0.0), "`least` must be in 0..1 and not 0; got 0.0"),
        (lambda x, d: time_warp(x, d, fastest=0.9, fs=100.0), "`fastest` must be >= 1; got 0.9"),
        (lambda x, d: time_warp(x, d, fastest=1.1, fs=100.0, knot_s=0.0), "`knot_s` must be > 0; got 0.0"),
        (lambda x, d: chest_shift(x, d, most=1.5), "`most` must be in 0..1; got 1.5"),
        (lambda x, d: point_mask(x, d, share=-0.1), "`share` must be in 0..1; got -0.1"),
    ],
)
def test_programmers_mistakes_are_named_by_each_view(call, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        call(signals(), draws())
