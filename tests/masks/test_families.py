"""Families of masks: exact coverage, what cannot be recovered, what costs nothing at zero, and who learns."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.leads import LEADS
from ecglipse.masks import (
    BaselineFill,
    BridgeFill,
    Drawn,
    Fill,
    GuidedMask,
    LearnedMask,
    MaskPolicy,
    MatchedNoiseFill,
    MinimumFill,
    NoiseMask,
    PredictedMask,
    Pressure,
    PublishedMask,
    Ramp,
    RandomMask,
    SaliencyGuide,
    ShuffledMask,
    SpectralMask,
    TokenFill,
    WaveGuide,
    ZeroFill,
    bands,
    form_of,
)
from ecglipse.masks.pressure import from_chance
from ecglipse.models.masknet import MaskNet
from ecglipse.views.masking import exact_mask, tapered

FS = 100.0


def draws(seed: int = 0, n: int = 5) -> Draws:
    return Draws.of(seed, "test", rows=range(n))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def signals(n: int = 5, time: int = 1000) -> Tensor:
    return torch.randn(n, 12, time, generator=rng(9))


def net(groups: int, *, gain: float = 1.0) -> MaskNet:
    made = MaskNet(groups=groups, width=8, fs=FS, generator=rng(3))
    with torch.no_grad():
        made.out.weight.mul_(gain)
    return made


def learned(form_name: str, *, rivals: int = 1, gain: float = 1.0, **more: object) -> LearnedMask:
    form = form_of(form_name, LEADS)
    settings = {"coverage": 0.4, "segment_s": 0.25, "fs": FS, "form": form, "rivals": rivals, **more}
    return LearnedMask(net(form.scored * rivals, gain=gain), **settings)


def spectral(*, gain: float | None = None, groups: int = 8, rivals: int = 1, **more: object) -> SpectralMask:
    """Cells drawn by a network whose last layer is `gain` times as large, or by chance."""
    settings = {"coverage": 0.5, "segment_s": 0.25, "fs": FS, "form": bands(groups), "in_segments": True}
    if gain is None:
        return SpectralMask(RandomMask(**settings), fs=FS)
    learned = LearnedMask(net(groups * rivals, gain=gain), rivals=rivals, **settings | more)
    return SpectralMask(learned, fs=FS)


def chance(form_name: str, *, coverage: float | Ramp = 0.4, segment_s: float = 0.25) -> RandomMask:
    return RandomMask(form=form_of(form_name, LEADS), coverage=coverage, segment_s=segment_s, fs=FS)


class Sum(torch.nn.Module):
    """An encoder that looks at the first second of V1 and nothing else."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 6, :100]


@pytest.mark.parametrize("form", ["shared", "per-lead", "electrodes", "cells", "factorised"])
@pytest.mark.parametrize("time", [1000, 997])
@pytest.mark.parametrize("kind", ["random", "learned", "rivals"])
def test_coverage_is_exact_in_every_form(form: str, time: int, kind: str) -> None:
    policy = {
        "random": lambda: chance(form),
        "learned": lambda: learned(form, gain=50.0),
        "rivals": lambda: learned(form, gain=50.0, rivals=3),
    }[kind]()
    mask = policy(signals(time=time), draws()).detach()
    assert set(mask.unique().tolist()) <= {0.0, 1.0}
    samples = mask[:, [0, 6, 7, 8, 9, 10, 11]] if form == "electrodes" else mask
    if form in ("cells", "factorised"):
        wanted = round(0.4 * time * 12)
        assert (samples.sum((1, 2)) == wanted).all()
        assert samples.mean(-1).std() > 0.01  # leads are not covered alike
    else:
        assert (samples.sum(-1) == round(0.4 * time)).all()


def test_whole_leads_are_hidden_when_a_segment_is_the_record() -> None:
    mask = chance("cells", coverage=0.25, segment_s=10.0)(signals(), draws())
    per_lead = mask.mean(-1)
    assert set(per_lead.unique().tolist()) == {0.0, 1.0}
    assert (per_lead.sum(1) == 3).all()


def test_random_points_are_hidden_when_a_segment_is_a_sample() -> None:
    mask = chance("per-lead", segment_s=0.01)(signals(), draws())
    assert mask.mean().item() == pytest.approx(0.4, abs=1e-3)
    runs = (mask.diff(dim=-1) != 0).float().mean().item()
    assert runs == pytest.approx(2 * 0.4 * 0.6, abs=0.02)  # as of independent points


def recoverable(form: str) -> float:
    """Share of hidden limb-lead samples that are a linear function of what is visible at that moment."""
    from ecglipse.leads import EXPANSION

    mask = chance(form)(signals(3), draws(4, 3)).numpy().astype(bool)
    found = hidden = 0
    for moment in np.unique(mask.transpose(0, 2, 1).reshape(-1, mask.shape[1]), axis=0):
        visible = EXPANSION[~moment]
        for lead in range(6):
            if moment[lead]:
                hidden += 1
                rank = np.linalg.matrix_rank(visible) if len(visible) else 0
                found += np.linalg.matrix_rank(np.vstack([visible, EXPANSION[lead]])) == rank
    return found / hidden


def test_a_hidden_limb_lead_cannot_be_recovered_from_what_an_electrode_mask_leaves() -> None:
    assert recoverable("electrodes") == 0.0
    assert recoverable("per-lead") > 0.5  # the check can fail: most limb leads are given away


def test_spectral_mask_of_zeros_gives_the_recording_back() -> None:
    x = signals().double()
    for time in (1000, 997, 130):
        policy = spectral(groups=6)
        seen = policy.hide(x[..., :time], torch.zeros(5, 6, 40).double(), BaselineFill(), draws())
        assert (seen - x[..., :time]).abs().max() < 1e-12


@pytest.mark.parametrize("fs", [100.0, 250.0, 500.0])
@pytest.mark.parametrize("groups", [2, 6, 8, 16, 33])
def test_every_cell_of_time_and_frequency_takes_something_out(fs: float, groups: int) -> None:
    cells = RandomMask(form=bands(groups), coverage=0.5, segment_s=0.16, fs=fs, in_segments=True)
    policy = SpectralMask(cells, fs=fs)
    time = round(2.5 * fs)
    x = torch.randn(1, 2, time, generator=torch.Generator().manual_seed(1))
    segments = cells.draw(x, draws(n=1)).mask.shape[-1]
    assert segments <= policy.frames(time)
    for band in range(groups):
        for segment in {0, segments // 2, segments - 1}:
            mask = torch.zeros(1, groups, segments)
            mask[0, band, segment] = 1
            assert (policy.hide(x, mask, BaselineFill(), draws(n=1)) - x).abs().max() > 1e-4, (band, segment)


def test_bands_are_wide_in_octaves_and_hold_a_frequency_each() -> None:
    policy = spectral(groups=8)
    assert policy.first_bins == (0, 1, 2, 3, 4, 7, 12, 20, 33)
    assert policy.bins == (1, 1, 1, 1, 3, 5, 8, 13)
    hz = np.arange(33) * FS / 64
    for low, high, first, held in zip(
        policy.edges_hz[:-1], policy.edges_hz[1:], policy.first_bins[:-1], policy.bins, strict=True
    ):
        assert np.flatnonzero((hz >= low) & (hz <= high)).tolist() == list(range(first, first + held))


def test_cells_that_take_nothing_out_are_refused() -> None:
    with pytest.raises(ValueError, match="segments of 2 to 33 bands"):
        spectral(groups=34)
    cells = RandomMask(form=bands(8), coverage=0.5, segment_s=0.1, fs=FS, in_segments=True)
    with pytest.raises(ValueError, match=r"0\.16 s or more"):
        SpectralMask(cells, fs=FS)


def test_a_row_over_time_is_what_each_frame_has_hidden() -> None:
    policy, x = spectral(groups=8), signals()
    mask = torch.rand(5, 8, 62)
    rows = policy.rows_over_time(mask, x)
    assert rows.shape == (5, 8, 1000)
    for frame in range(policy.frames(1000)):
        torch.testing.assert_close(rows[..., frame * 16], mask[..., frame * 62 // 63])


def test_spectral_mask_takes_out_its_band_and_leaves_the_others() -> None:
    t = torch.arange(1000) / FS
    low, high = torch.sin(2 * math.pi * 5 * t), torch.sin(2 * math.pi * 30 * t)
    policy = spectral(groups=6)
    mask = torch.zeros(1, 6, 40)
    mask[:, 5] = 1  # the top band holds 30 Hz
    seen = policy.hide((low + high).expand(1, 12, -1).clone(), mask, BaselineFill(), draws(n=1))
    assert (seen[0, 0, 100:-100] - low[100:-100]).abs().max() < 0.02


def test_spectral_gradient_reaches_the_network_through_the_transform() -> None:
    policy = spectral(gain=1.0)
    x = signals()
    drawn = policy.draw(x, draws())
    assert drawn.mask.detach().sum((1, 2)).tolist() == [160.0] * 5  # half of 8 x 40 cells, exactly
    policy.hide(x, drawn.mask, BaselineFill(), draws())[:, 0].square().mean().backward()
    assert policy.cells.net.out.weight.grad.abs().max() > 0


def test_rivals_share_the_segments() -> None:
    policy, x = learned("shared", rivals=2, gain=300.0), signals(3)
    logits = policy.logits(x).detach()
    assert logits.shape == (3, 2, 40)
    assert torch.corrcoef(logits[0])[0, 1] < -0.9  # what one wants, the other does not


@pytest.mark.parametrize("domain", ["time", "spectral"])
def test_a_share_of_the_records_is_hidden_by_chance_and_teaches_nothing(domain: str) -> None:
    n, share = 400, 0.3
    x = signals(n)
    if domain == "time":
        policy: LearnedMask | SpectralMask = learned("shared", gain=3000.0, chance=share)
    else:
        policy = spectral(gain=3000.0, chance=share)
    drawn = policy.draw(x, draws(n=n))
    assert drawn.logits is not None
    drawn.logits.retain_grad()
    wanted = torch.rand(drawn.mask.shape, generator=rng(4))
    (drawn.mask * wanted).sum().backward()
    assert drawn.logits.grad is not None
    by_chance = drawn.logits.grad.flatten(1).abs().amax(1) == 0
    assert 0.2 < by_chance.double().mean() < 0.4  # 4 standard errors are 0.09
    logits, mask = drawn.logits.detach(), drawn.mask.detach()
    places = torch.nn.functional.adaptive_avg_pool1d(mask, logits.shape[-1]).flatten(1)
    liking = (places * logits.flatten(1)).mean(1)
    variance = logits.square().mean()
    assert liking[by_chance].mean().abs() < 0.03 * variance
    assert liking[~by_chance].mean() > 0.08 * variance


@pytest.mark.parametrize("choice", ["drawn", "decided", "soft"])
def test_what_chance_hides_is_anywhere_and_another_in_each_record(choice: str) -> None:
    n = 64
    policy = learned("shared", gain=3000.0, chance=0.999999, choice=choice)
    mask = policy(signals(n), draws(n=n)).detach()
    assert len(mask.unique(dim=0)) == n
    assert mask[..., :500].mean() == pytest.approx(float(mask[..., 500:].mean()), abs=0.05)
    assert mask.mean() == pytest.approx(0.4, abs=0.1 if choice == "soft" else 1e-6)


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("kind", ["learned", "published", "spared"])
def test_a_second_view_is_hidden_by_draws_of_its_own(kind: str, every: bool) -> None:
    """As the game asks: the same draws, twice; and all over again they are the same."""
    n, x = 64, signals(64)
    policy: MaskPolicy = {
        "learned": lambda: learned("shared", rivals=2, every=every),
        "published": lambda: PublishedMask(net(2), fs=FS, every=every),
        "spared": lambda: PublishedMask(net(2), fs=FS, every=every, spared=0.5),
    }[kind]()

    def both() -> tuple[list[Drawn], list[Drawn]]:
        own = draws(n=n)
        return policy.draw_all(x, own), policy.draw_all(x, own)

    first, second = both()
    for one, other, again in zip(first, second, both()[1], strict=True):
        same = (one.mask.round() == other.mask.round()).flatten(1).all(1).double().mean()
        assert torch.equal(other.mask, again.mask)
        if kind == "published" and every:  # the published masks are not drawn: only which of them is
            assert same == 1.0
        else:
            assert same < 0.7


@pytest.mark.parametrize("domain", ["time", "spectral"])
def test_a_share_of_the_records_loses_what_the_network_would_hide_last(domain: str) -> None:
    n, x = 400, signals(400)
    made = learned if domain == "time" else spectral
    policy = made(*(("shared",) if domain == "time" else ()), gain=3000.0, reversed_=0.4)
    drawn = policy.draw(x, draws(n=n))
    assert drawn.logits is not None
    drawn.logits.retain_grad()
    (drawn.mask * torch.rand(drawn.mask.shape, generator=rng(4))).sum().backward()
    assert drawn.logits.grad is not None
    turned = drawn.logits.grad.flatten(1).abs().amax(1) == 0
    assert 0.3 < turned.double().mean() < 0.5  # 4 standard errors are 0.1
    places = torch.nn.functional.adaptive_avg_pool1d(drawn.mask.detach(), drawn.logits.shape[-1]).flatten(1)
    liking = (places * drawn.logits.detach().flatten(1)).mean(1) / drawn.logits.detach().square().mean()
    assert liking[turned].mean() < -0.08
    assert liking[~turned].mean() > 0.08


def test_wave_guides_find_the_waves_of_simulated_records() -> None:
    from ecglipse.corpora.simulator import simulate_arrays

    made = simulate_arrays(8, seed=1, rhythms=("SR",), noise=0.0)
    x = torch.from_numpy(np.ascontiguousarray(made.signal))
    for wave, kind in (("qrs", "QRS"), ("t", "T")):
        policy = GuidedMask(
            WaveGuide(wave, fs=FS),
            form=form_of("shared", LEADS),
            coverage=0.2,
            segment_s=0.05,
            fs=FS,
            bound=3.0,
        )
        mask = torch.stack([policy(x, draws(k, 8)) for k in range(5)]).mean(0)[:, 0]
        marks = made.waves[made.waves["kind"].str.upper() == kind]
        inside = torch.zeros(8, 1000, dtype=torch.bool)
        for row, onset, offset in zip(marks["row"], marks["onset_s"], marks["offset_s"], strict=True):
            inside[row, max(int(onset * FS), 0) : int(offset * FS) + 1] = True
        assert mask[inside].mean() > 1.5 * mask[~inside].mean(), wave


def test_saliency_hides_what_the_encoder_looks_at_and_leaves_it_as_it_was() -> None:
    encoder = torch.nn.Sequential(torch.nn.BatchNorm1d(12), Sum())
    encoder.train()
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    policy = GuidedMask(
        SaliencyGuide(encoder),
        form=form_of("per-lead", LEADS),
        coverage=0.1,
        segment_s=0.25,
        fs=FS,
        bound=4.0,
    )
    mask = policy(signals(), draws())
    assert mask[:, 6, :100].mean() > 0.5  # all of its coverage is a second; chance is 0.1
    assert mask[:, 0, :100].mean() < 0.3
    assert encoder.training
    assert not list(policy.parameters())
    assert all(torch.equal(before[k], v) for k, v in encoder.state_dict().items())


def test_predicted_difficulty_is_learned() -> None:
    """Records are hard in proportion to what is hidden of their first half: the network finds out."""
    policy = PredictedMask(
        net(1), form=form_of("shared", LEADS), coverage=0.5, segment_s=0.25, fs=FS, bound=2.0
    )
    optimiser = torch.optim.Adam(policy.parameters(), lr=3e-3)
    x = signals(32, time=500)
    for step in range(120):
        drawn = policy.draw(x, draws(step, 32))
        assert not drawn.mask.requires_grad
        hard = drawn.mask[:, 0, :250].mean(-1)
        optimiser.zero_grad()
        policy.own_loss(drawn, hard).backward()
        optimiser.step()
    first, second = policy.logits(x).detach()[:, 0].unflatten(-1, (2, -1)).mean((0, 2))
    assert first > second + 0.5


def test_pressure_is_zero_at_chance_and_pushes_where_it_says() -> None:
    flat = torch.zeros(4, 2, 10, requires_grad=True)
    assert from_chance(flat).item() == pytest.approx(0.0, abs=1e-6)
    peaked = torch.zeros(4, 1, 10)
    peaked[..., 0] = 50.0
    assert from_chance(peaked).item() == pytest.approx(math.log(10), abs=1e-5)
    assert Pressure()(flat) is None
    assert Pressure(smooth=1.0)(peaked).item() == pytest.approx(2500 / 9)
    same, varied = torch.ones(4, 1, 10), torch.randn(4, 1, 10, generator=rng())
    assert Pressure(diversity=1.0)(varied) < Pressure(diversity=1.0)(same)


def test_shuffled_masks_are_the_same_masks_on_other_records() -> None:
    inner = learned("shared", gain=50.0)
    policy, x = ShuffledMask(inner), signals()
    mask = policy(x, draws())
    shown = policy.shown(mask)
    assert torch.equal(mask, inner(x, draws()))
    assert torch.equal(shown[1:], mask[:-1])
    assert not torch.equal(shown, mask)
    assert policy.apart


def test_shuffled_cells_hide_as_the_policy_that_draws_them() -> None:
    inner = spectral(gain=1.0)
    policy, x = ShuffledMask(inner), signals()
    mask = policy.shown(policy(x, draws())).detach()
    assert torch.equal(policy.hide(x, mask, ZeroFill(), draws()), inner.hide(x, mask, ZeroFill(), draws()))
    assert torch.equal(policy.over_time(mask, 1000), inner.over_time(mask, 1000))
    assert torch.equal(policy.rows_over_time(mask, x), inner.rows_over_time(mask, x))


@pytest.mark.parametrize(
    "fill", [BaselineFill(), BridgeFill(), ZeroFill(), MinimumFill(), MatchedNoiseFill(), TokenFill(12)]
)
def test_nothing_is_changed_where_nothing_is_hidden(fill: Fill) -> None:
    x, policy = signals(), chance("per-lead")
    assert torch.equal(policy.hide(x, torch.zeros(5, 12, 1000), fill, draws()), x)
    mask = policy(x, draws())
    seen = policy.hide(x, mask, fill, draws())
    assert torch.equal(seen[mask == 0], x[mask == 0])
    assert seen.isfinite().all()
    whole = policy.hide(x, torch.ones(5, 12, 1000), fill, draws())
    assert whole.isfinite().all()


def test_tapered_edges_rise_within_the_hidden_stretch() -> None:
    mask = torch.zeros(1, 1, 20)
    mask[..., 5:15] = 1
    soft = tapered(mask, 2)[0, 0]
    assert torch.equal(soft[:5], torch.zeros(5))
    assert torch.equal(soft[7:13], torch.ones(6))
    assert 0 < soft[5] < soft[6] < 1
    assert torch.allclose(soft, soft.flip(0))
    assert torch.equal(tapered(mask, 0), mask)
    assert torch.equal(tapered(torch.ones(1, 1, 9), 3), torch.ones(1, 1, 9))  # the record's ends are no edges


@pytest.mark.parametrize("taper", [0, 5])
def test_the_share_removed_is_what_is_missing_of_a_signal(taper: int) -> None:
    policy = chance("per-lead")
    policy.taper, ones = taper, torch.ones(5, 12, 1000)
    mask = policy(ones, draws())
    seen = policy.hide(ones, mask, ZeroFill(), draws())
    assert policy.removed(mask).item() == pytest.approx(1 - seen.mean().item(), abs=1e-5)
    assert policy.removed(mask).item() == pytest.approx(0.4 if taper == 0 else 0.35, abs=0.01)


def test_ramps_move_and_stay() -> None:
    policy = chance("shared", coverage=Ramp(0.1, 0.5, until=0.5))
    x = signals()
    found = []
    for progress in (0.0, 0.25, 0.5, 1.0):
        policy.at(progress)
        found.append(policy(x, draws()).mean().item())
    assert found == pytest.approx([0.1, 0.3, 0.5, 0.5], abs=1e-3)


def test_joint_coverage_takes_the_highest_scores_of_all_leads() -> None:
    scores = torch.zeros(1, 2, 4)
    scores[0, 1] = torch.tensor([3.0, 2.0, 1.0, 0.5])
    mask = exact_mask(scores, time=8, coverage=0.5, joint=True)
    assert mask[0, 0].sum() == 0
    assert mask[0, 1].sum() == 8


def test_every_policy_is_a_module_with_a_state() -> None:
    policies: list[MaskPolicy] = [chance("cells"), learned("electrodes"), ShuffledMask(learned("shared"))]
    for policy in policies:
        policy.load_state_dict(policy.state_dict())


def test_the_published_penalty_is_least_at_half_and_can_miss_what_is_applied() -> None:
    x = signals(4)

    def of(level: float, penalised: str, ratio: float = 1.0) -> tuple[float, float]:
        policy = PublishedMask(net(1), fs=FS, alpha=1.0, ratio=ratio, penalised=penalised)
        logits = torch.full((4, 1, 250), math.log(level / (1 - level)))
        mask = torch.sigmoid(50 * (policy.soft(logits, 1000) - 0.5))
        return policy.own_loss(Drawn(mask, logits), torch.zeros(4)).item(), mask.mean().item()

    for penalised in ("raw", "applied"):
        assert of(0.5, penalised)[0] == pytest.approx(1.0, abs=1e-4)
    raw, hidden = of(0.45, "raw")
    assert raw < 1.02  # 45 % looks like half ...
    assert hidden < 0.08  # ... while 7.6 % is hidden
    assert of(0.45, "applied")[0] > 4
    assert of(0.625, "raw", ratio=0.8)[0] == pytest.approx(1.0, abs=1e-4)
    with pytest.raises(ValueError, match=r"`ratio` must be in \(0, 1\]; got 2.0"):
        PublishedMask(net(1), fs=FS, ratio=2.0)
    policy = PublishedMask(net(3), fs=FS)
    assert policy.soft(policy.logits(x), 1000).sum(1).detach().numpy() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("level", [0.05, 0.25, 0.75, 0.95])
@pytest.mark.parametrize("penalised", ["raw", "applied"])
def test_the_published_penalty_pushes_from_collapse_towards_its_least(level: float, penalised: str) -> None:
    """At 0.25 nothing is hidden (the start of N = 4 masks), at 0.95 all; the guard must not stop the push."""
    policy = PublishedMask(net(1), fs=FS, penalised=penalised)
    logits = torch.full((4, 1, 250), math.log(level / (1 - level)), requires_grad=True)
    loss = policy.own_loss(Drawn(torch.zeros(4, 1, 1000), logits), torch.zeros(4))
    (slope,) = torch.autograd.grad(loss, logits)
    assert loss.isfinite()
    assert (slope.sign() == (-1 if level < 0.5 else 1)).all()


def test_the_published_penalty_is_one_over_the_sine_above_the_guard() -> None:
    policy = PublishedMask(net(1), fs=FS, alpha=1.0)
    for level in (0.01, 0.3, 0.8):
        logits = torch.full((4, 1, 250), math.log(level / (1 - level)))
        found = policy.own_loss(Drawn(torch.zeros(4, 1, 1000), logits), torch.zeros(4))
        assert found.item() == pytest.approx(1 / math.sin(math.pi * level), rel=1e-4)


def interaction(scores: Tensor) -> float:
    """What is left of (lead, time) scores without what is a lead's plus what is a time's."""
    rest = scores - scores.mean(-1, keepdim=True) - scores.mean(-2, keepdim=True)
    return float((rest + scores.mean((-1, -2), keepdim=True)).detach().abs().max())


@pytest.mark.parametrize("rivals", [1, 2])
def test_factorised_scores_are_a_times_plus_a_leads(rivals: int) -> None:
    policy = learned("factorised", rivals=rivals, gain=20.0)
    raw = policy.net(signals(), 40).detach()
    of_rivals = raw.unflatten(1, (rivals, 13))
    bounded = 2 * torch.tanh(of_rivals / 2)
    wanted = (bounded[:, :, :1] + bounded[:, :, 1:].mean(-1, keepdim=True)) / 2
    assert wanted.shape == (5, rivals, 12, 40)
    logits = policy.logits(signals()).detach().unflatten(1, (rivals, 12))
    if rivals == 1:
        torch.testing.assert_close(logits, wanted - wanted.mean((2, 3), keepdim=True))
        assert interaction(logits[:, 0]) < 1e-5
        assert logits.abs().max() <= 4.0
    assert interaction(learned("cells", gain=20.0).logits(signals())) > 0.1  # the control
    with pytest.raises(ValueError, match=r"must be one of .*factorised"):
        form_of("factorized", LEADS)


def power_share(mask: Tensor, low: float, high: float) -> float:
    """Share of a mask's power, but for its mean, that lies in a band, Hz."""
    centred = mask - mask.mean(-1, keepdim=True)
    power = torch.fft.rfft(centred).abs().square().mean((0, 1))
    hz = torch.fft.rfftfreq(mask.shape[-1], d=1 / FS)
    return float(power[(hz >= low) & (hz <= high)].sum() / power.sum())


@pytest.mark.parametrize("form", ["shared", "per-lead", "electrodes", "cells"])
def test_noise_hides_exactly_in_clumps_of_its_band(form: str) -> None:
    def of(low: float, high: float) -> Tensor:
        policy = NoiseMask(
            form=form_of(form, LEADS), coverage=0.4, segment_s=0.05, fs=FS, band_hz=(low, high)
        )
        return policy(signals(40), draws(1, 40))

    slow, fast = of(0.3, 1.0), of(3.0, 5.0)
    groups = [0, 6] if form == "electrodes" else list(range(slow.shape[1]))
    for mask in (slow, fast):
        assert set(mask.unique().tolist()) == {0.0, 1.0}
        share = mask[:, groups].mean((1, 2) if form == "cells" else 2)
        torch.testing.assert_close(share, torch.full_like(share, 0.4), rtol=0, atol=1e-3)
    assert power_share(slow, 0.3, 1.0) > 0.5 > 0.2 > power_share(slow, 3.0, 5.0)
    assert power_share(fast, 3.0, 5.0) > 0.4 > 0.2 > power_share(fast, 0.3, 1.0)
    edges = [float((mask.diff(dim=-1) != 0).float().mean()) for mask in (slow, fast)]
    assert edges[1] > 3 * edges[0]
    chance_edges = float(
        (chance(form, segment_s=0.05)(signals(40), draws(1, 40)).diff(dim=-1) != 0).float().mean()
    )
    assert edges[0] < 0.6 * chance_edges  # the control: independent segments make more edges


def noise(segment_s: float, low: float, high: float) -> NoiseMask:
    form = form_of("shared", LEADS)
    return NoiseMask(form=form, coverage=0.5, segment_s=segment_s, fs=FS, band_hz=(low, high))


@pytest.mark.parametrize(
    ("segment_s", "low", "high"),
    [(0.25, 0.51, 0.59), (0.25, 0.0, 0.05), (0.25, 2.5, 8.0), (0.25, 0.45, 0.55), (1.5, 0.5, 2.0)],
)
def test_noise_without_two_frequencies_is_refused(segment_s: float, low: float, high: float) -> None:
    with pytest.raises(
        ValueError, match=r"`band_hz` must hold two frequencies of \d+ segments at least, mul"
    ):
        noise(segment_s, low, high)(signals(2), draws(1, 2))


@pytest.mark.parametrize(
    ("segment_s", "low", "high"), [(0.25, 0.51, 0.71), (0.25, 0.0, 0.2), (0.25, 1.85, 8.0), (1.0, 0.4, 2.0)]
)
def test_noise_of_two_frequencies_hides_every_place_as_often(
    segment_s: float, low: float, high: float
) -> None:
    mask = noise(segment_s, low, high)(signals(1).expand(400, -1, -1), draws(1, 400))
    shares = mask.mean((0, 1))
    assert (shares - 0.5).abs().max() < 0.15  # six standard deviations of 400 fair draws
