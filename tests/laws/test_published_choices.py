"""Published choices of what masks, plays and ends: on, each does what the published code does."""

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import signal
from test_reference_mode import config, facts
from torch import Tensor, nn

from ecglipse.batches import Batches
from ecglipse.commands import _assemble, _encoders
from ecglipse.config import Config, check
from ecglipse.draws import Draws
from ecglipse.errors import ConfigError, TrainingError
from ecglipse.masks import PublishedMask, PublishedSpectralMask, ZeroFill
from ecglipse.masks.published import penalty
from ecglipse.models.layers import patches
from ecglipse.models.masknet import MaskNet
from ecglipse.models.patches import PatchTransformer, patch_transformer
from ecglipse.models.published_unet import PublishedUNet
from ecglipse.models.reference import attending_over_batch
from ecglipse.models.resnet import resnet18
from ecglipse.pretrain import Training
from ecglipse.pretrain.patience import Patience
from ecglipse.store import Store

NEWER = ("guard", "network", "transform", "attention", "patience", "leftover")


@pytest.fixture(scope="module")
def batches(simulated: Path) -> Batches:
    return Batches(Store.open(simulated))


def training(batches: Batches, rule: Config, *, records: int = 32) -> Training:
    rows = np.arange(records)
    return _assemble.training(rule, rule.methods["m"], batches=batches, rows=rows, seed=1)


@pytest.mark.parametrize(
    ("key", "value", "beside"),
    [
        ("guard", "none", {}),
        ("network", "unet", {}),
        ("transform", "inside", {"method": {"domain": "spectral"}}),
        ("patience", 3, {}),
        ("leftover", "next-epoch", {}),
    ],
)
def test_a_newer_choice_counts_in_a_runs_identity_only_where_it_is_made(
    batches: Batches, key: str, value: Any, beside: dict[str, Any]
) -> None:
    plain = facts(batches, config(**beside))
    assert not set(NEWER) & plain["published"].keys()
    assert facts(batches, config(**beside, published={key: value})) == plain | {
        "published": plain["published"] | {key: value}
    }


def test_what_a_method_is_compared_with_is_no_part_of_its_run(batches: Batches) -> None:
    others = {"methods": {"m": {"masks": "published", "baseline": "n"}, "n": {"masks": "random"}}}
    rule = check(config().model_dump() | others, where="x").of("m")
    assert facts(batches, rule) == facts(batches, config())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"published": {"attention": "batch"}},
            r"needs `encoder.name = \"patch-transformer\"`; is 'resnet18'",
        ),
        ({"published": {"ratio": 2.0}}, r"must be in \(0, 1\] unless `published.guard` is \"none\"; is 2"),
        (
            {"method": {"domain": "spectral"}, "mask_network": {"rivals": 2}},
            "over time and frequency take no `mask_network.rivals`",
        ),
        ({"published": {"patience": -1}}, "greater than or equal to 0"),
    ],
)
def test_choices_that_do_not_fit_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        config(**changes)


# The U-Net


def test_the_published_network_has_its_parameters() -> None:
    with torch.device("meta"):
        sizes = {
            groups: sum(p.numel() for p in _unet(groups=groups, width=512).parameters())
            for groups in (1, 3, 12)
        }
    assert sizes == {1: 152_686_977, 3: 152_692_099, 12: 152_715_148}
    assert sum(p.numel() for p in _unet(width=16).parameters()) == 158_669


def _unet(*, groups: int = 1, width: int = 8) -> PublishedUNet:
    return PublishedUNet(groups=groups, width=width, fs=100.0, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("time", [125, 200, 250, 333])
def test_it_scores_each_sample_of_a_record_of_any_length(time: int) -> None:
    net = _unet(groups=2)
    x = torch.randn(3, 12, time, generator=torch.Generator().manual_seed(1))
    scores = net(x, time)
    assert scores.shape == (3, 2, time)
    torch.testing.assert_close(net(x, 5)[..., 0], scores[..., : -(-time // 5)].mean(-1))


def test_its_scores_depend_on_the_neighbours_of_a_record_and_ours_do_not() -> None:
    x = torch.randn(4, 12, 250, generator=torch.Generator().manual_seed(1))
    other = torch.cat([x[:1], 5 * x[1:]])
    ours = MaskNet(width=8, fs=100.0, generator=torch.Generator().manual_seed(0))
    unet = _unet()
    assert not torch.allclose(unet(x, 50)[0], unet(other, 50)[0], rtol=1e-2)
    torch.testing.assert_close(ours(x, 50)[0], ours(other, 50)[0])


@pytest.mark.parametrize("masks", ["published", "adversarial", "predicted"])
def test_the_published_network_plays_in_any_policy_that_has_one(batches: Batches, masks: str) -> None:
    made = training(batches, config({"masks": masks}, published={"network": "unet"}))
    assert any(isinstance(part, PublishedUNet) for part in made.game.policy.modules())
    before = [w.detach().clone() for w in made.masks.weights]
    made.step()
    moved = [not torch.equal(a, b) for a, b in zip(before, made.masks.weights, strict=True)]
    called = ["never_called" not in name for name, _ in made.game.policy.named_parameters()]
    assert moved == called


def test_looking_at_the_game_moves_no_statistic_of_its_network(batches: Batches) -> None:
    rule = config(published={"network": "unet"})
    looked, plain = training(batches, rule), training(batches, rule)
    looked.watch.due = lambda *_, **__: True  # type: ignore[method-assign]
    plain.watch.due = lambda *_, **__: False  # type: ignore[method-assign]
    reports = [made.step() for made in (looked, plain) for _ in range(2)]
    assert reports[0].look is not None
    state = plain.game.policy.state_dict()
    assert any("running_mean" in name for name in state)
    assert all(torch.equal(value, looked.game.policy.state_dict()[name]) for name, value in state.items())


# The penalty


def test_without_a_guard_the_penalty_is_the_published_one_poles_and_all() -> None:
    shares = torch.tensor([[0.2, 0.5], [0.45, 0.9]], dtype=torch.float64)
    for ratio in (0.8, 1.0, 2.0):
        wanted = (1 / (np.sin(ratio * np.pi * shares.numpy()) + 1e-10)).mean(0).sum()
        assert float(penalty(shares, ratio=ratio, guarded=False)) == pytest.approx(wanted)
    over = torch.full((1, 1), 0.5001, dtype=torch.float64)
    assert penalty(over, ratio=2.0, guarded=False) < -1000  # unbounded below beyond the pole
    assert penalty(over, ratio=1.0, guarded=False) == pytest.approx(1.0, abs=1e-4)


def test_a_ratio_above_one_needs_no_guard(batches: Batches) -> None:
    made = training(batches, config(published={"ratio": 2.0, "guard": "none"}))
    assert math.isfinite(made.step().loss)
    with pytest.raises(ValueError, match="`ratio`"):
        PublishedMask(MaskNet(fs=100.0, generator=torch.Generator()), fs=100.0, ratio=2.0)


# Masks over time and frequency


def spectral(transform: str = "outside", *, leads: int = 12) -> PublishedSpectralMask:
    net = MaskNet(leads=leads, groups=leads, width=8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        net.out.weight.mul_(30)
    return PublishedSpectralMask(net, fs=100.0, transform=transform)  # type: ignore[arg-type]


def _records(n: int = 3, time: int = 1000) -> Tensor:
    return torch.randn(n, 12, time, generator=torch.Generator().manual_seed(2))


def test_published_spectral_masks_multiply_the_transform_of_each_lead() -> None:
    """By SciPy's transform: (1 - m) times each lead's own cells; rows of scores are read frame by frame."""
    policy, x = spectral(), _records()
    drawn = policy.draw(x, Draws.of(0, "mask", rows=range(3)))
    frames = policy.frames(1000)
    scores = torch.sigmoid(policy.logits(x).detach())
    stretched = nn.functional.interpolate(scores, size=101 * frames, mode="nearest").numpy()
    mask = drawn.mask.numpy().reshape(3, 12, 101, frames)
    np.testing.assert_array_equal(mask, stretched.reshape(3, 12, 101, frames))
    kept = 1 - mask
    _, _, cells = signal.stft(x.numpy(), fs=100.0, nperseg=200, noverlap=100)
    _, wanted = signal.istft(cells * kept, fs=100.0, nperseg=200, noverlap=100)
    hidden = policy.hide(x, drawn.mask, ZeroFill(), Draws.of(0, "fill", rows=range(3)))
    np.testing.assert_allclose(hidden.numpy(), wanted[..., :1000], atol=1e-5)


@pytest.mark.parametrize("time", [1000, 250, 1037])
def test_a_published_spectral_mask_of_zeros_gives_the_record_back(time: int) -> None:
    policy, x = spectral(), _records(time=time)
    nothing = torch.zeros(3, 12 * policy.bins, policy.frames(time))
    hidden = policy.hide(x, nothing, ZeroFill(), Draws.of(0, "fill", rows=range(3)))
    torch.testing.assert_close(hidden, x, rtol=0, atol=1e-5)


@pytest.mark.parametrize("transform", ["outside", "inside"])
def test_only_inside_does_the_game_reach_the_network(batches: Batches, transform: str) -> None:
    rule = config({"domain": "spectral"}, published={"transform": transform, "alpha": 0.0})
    made = training(batches, rule)
    a, b, draws = made.views(np.arange(8))
    made.game.one_pass(a, b, draws).loss.backward()
    reached = [w.grad is not None and bool(w.grad.abs().sum() > 0) for w in made.masks.weights]
    assert all(reached) if transform == "inside" else not any(reached)


def test_outside_it_learns_from_its_penalty_alone(batches: Batches) -> None:
    """With a ratio of one half the least penalty is at hiding all: what the network is driven to."""
    rule = config(
        {"domain": "spectral"},
        published={"ratio": 0.5, "alpha": 1.0},
        mask_network={"width": 8, "learning_rate": 0.03},
        pretrain={"epochs": 10, "batch": 8, "schedule": "constant", "warmup": 0.0},
    )
    hidden = [report.coverage for report in training(batches, rule).run()]
    assert hidden[0] == pytest.approx(0.5, abs=0.05)
    assert hidden[-1] > 0.9


# Attention


def test_published_attention_and_positions_run_over_the_batch() -> None:
    """By hand: the layers get (place, record, width) with the record's position."""
    net = patch_transformer(width=16, dim=8, generator=torch.Generator().manual_seed(0)).eval()
    x = torch.randn(5, 12, 100, generator=torch.Generator().manual_seed(1))
    plain = net(x)
    tokens = net.enter(patches(x, net.patch))
    place = torch.arange(5)[:, None] * torch.exp(torch.arange(0, 16, 2) * (-math.log(1e4) / 16))
    records = torch.stack([place.sin(), place.cos()], dim=-1).flatten(1)
    by_hand = net.layers((tokens + records[:, None]).transpose(0, 1)).transpose(0, 1)
    wanted = net.features(net.norm(by_hand).mean(1))
    made = attending_over_batch(copy.deepcopy(net))
    torch.testing.assert_close(made(x), wanted, rtol=1e-4, atol=1e-5)
    other = x.clone()
    other[1:] *= 3
    assert not torch.allclose(made(x)[0], made(other)[0], rtol=1e-3)
    torch.testing.assert_close(net(x)[0], net(other)[0])
    torch.testing.assert_close(net(x), plain)
    with pytest.raises(ValueError, match="patch transformer; got ResNet1d"):
        attending_over_batch(resnet18(width=8, dim=16, generator=torch.Generator()))


def test_an_encoder_attends_in_transfer_as_it_did(batches: Batches) -> None:
    own = {"name": "patch-transformer", "width": 16, "dim": 8}
    rule = config(encoder=own, published={"attention": "batch"})
    control = _encoders.encoder(config(encoder=own), batches.store, seed=1).eval()
    made = _encoders.transferred(rule, _encoders.encoder(rule, batches.store, seed=1)).eval()
    assert isinstance(made, PatchTransformer)
    x = batches.millivolts(np.arange(6))
    torch.testing.assert_close(made(x), attending_over_batch(copy.deepcopy(control))(x))
    assert not torch.allclose(made(x), control(x), rtol=1e-3)


# When it ends


def test_patience_ends_after_so_many_epochs_without_a_lower_mean() -> None:
    means, patience = [5.0, 4.0, 4.0, 4.5, 3.9, 4.0, 3.9, 3.95], Patience(3)
    ended = []
    for mean in means:  # two steps an epoch, whose losses lie about their mean
        assert not patience.lost(mean - 0.3, epoch_ends=False)
        ended.append(patience.lost(mean + 0.3, epoch_ends=True))
        patience = Patience(3, patience.state())
    assert ended.index(True) == 7


def test_a_run_that_has_lost_patience_is_done_and_stays_so(batches: Batches) -> None:
    rule = config(
        pretrain={"epochs": 30, "batch": 8, "learning_rate": 1e-9}, published={"patience": 2}
    )  # a loss that does not learn: up and down by the draws of an epoch
    made = training(batches, rule)
    reports = list(made.run())
    assert len(reports) == made.done == made.total < 120
    assert made.done % 4 == 0  # at an epoch's end
    means = [np.mean([r.loss for r in reports[k : k + 4]]) for k in range(0, made.done, 4)]
    assert min(means[:-2]) <= min(means[-2:])
    again = training(batches, rule)
    again.load(*made.state())
    assert list(again.run()) == []
    assert made.state()[1]["step"] == made.state()[1]["total"]


def test_patience_is_resumed_to_the_bit(batches: Batches) -> None:
    rule = config(pretrain={"epochs": 30, "batch": 8, "learning_rate": 1e-9}, published={"patience": 2})
    whole, first = training(batches, rule), training(batches, rule)
    reports = list(whole.run())
    for _ in range(7):  # within an epoch
        first.step()
    second = training(batches, rule)
    second.load(*first.state())
    assert [r.step for r in second.run()] == [r.step for r in reports[7:]]
    assert all(torch.equal(a, second.state()[0][name]) for name, a in whole.state()[0].items())


# What is left at an epoch's end


@pytest.mark.parametrize("leftover", ["step", "next-epoch"])
def test_what_is_left_makes_a_step_or_goes_into_the_next_epoch(batches: Batches, leftover: str) -> None:
    """Five batches an epoch, two a step: 2, 2, 1 in each; or on through the epochs, and one is never used."""
    rule = config(pretrain={"epochs": 3, "batch": 8, "accumulate": 2}, published={"leftover": leftover})
    made = training(batches, rule, records=40)
    played = []
    while made.done < made.total:
        played.append([(part.epoch, tuple(part.rows)) for part in made.parts()])
        made.step()
    epochs = [[epoch for epoch, _ in parts] for parts in played]
    if leftover == "step":
        assert epochs == [[0, 0], [0, 0], [0], [1, 1], [1, 1], [1], [2, 2], [2, 2], [2]]
    else:
        assert epochs == [[0, 0], [0, 0], [0, 1], [1, 1], [1, 1], [2, 2], [2, 2]]
    for epoch in range(2):  # each record once an epoch, whatever step it is in
        rows = [row for parts in played for own, some in parts for row in some if own == epoch]
        assert sorted(rows) == list(range(40))


def test_a_batch_that_was_left_gets_the_views_of_its_own_epoch(batches: Batches) -> None:
    rule = config(pretrain={"epochs": 3, "batch": 8, "accumulate": 2}, published={"leftover": "next-epoch"})
    made = training(batches, rule, records=40)
    for _ in range(2):
        made.step()
    seen: list[Tensor] = []
    made.view = lambda x, draws: seen.append(draws.part(slice(None)).uniform(3)) or x  # type: ignore[func-returns-value]
    made.step()
    parts = [(0, made.done), (1, made.done)]
    wanted = [
        Draws.of(1, "view a", epoch, rows=rows).uniform(3)
        for (epoch, _), rows in zip(parts, _rows_of_step(batches, rule, 2), strict=True)
    ]
    assert any(torch.equal(wanted[0], one) for one in seen)
    assert any(torch.equal(wanted[1], one) for one in seen)


def _rows_of_step(batches: Batches, rule: Config, step: int) -> list[np.ndarray]:
    made = training(batches, rule, records=40)
    made.done = step
    return [part.rows for part in made.parts()]


def test_a_run_without_one_whole_step_is_refused(batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = config(pretrain={"epochs": 1, "batch": 8, "accumulate": 9}, published={"leftover": "next-epoch"})
    with pytest.raises(ConfigError, match=r"pretrain\.accumulate: at most 5, .*; is 9"):
        training(batches, rule, records=40)
    monkeypatch.setattr(_assemble, "see_training", lambda *a, **k: None)
    with pytest.raises(TrainingError, match="not one step"):
        training(batches, rule, records=40)
