"""Each published choice is a switch: on, it does what the published code does; off, nothing is changed."""

import copy
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecglipse.batches import Batches
from ecglipse.commands import _assemble, _encoders, _splits
from ecglipse.commands._identity import as_published
from ecglipse.config import Config, Published, check
from ecglipse.draws import Draws
from ecglipse.errors import ConfigError
from ecglipse.masks import PublishedMask
from ecglipse.models.masknet import MaskNet
from ecglipse.models.reference import min_max, taking, under_no_grad
from ecglipse.models.resnet import ResNet1d, resnet18
from ecglipse.pretrain import Training
from ecglipse.store import Store
from ecglipse.transfer.finetune import FinetuneResult, finetune
from ecglipse.transfer.pretrained import put_weights

ROWS = np.arange(12)


@pytest.fixture(scope="module")
def batches(simulated: Path) -> Batches:
    return Batches(Store.open(simulated))


def config(method: dict[str, Any] | None = None, **changes: Any) -> Config:
    content = {
        "name": "reference",
        "store": "none",
        "out": "none",
        "encoder": {"width": 8, "dim": 16, "projection_hidden": 32, "projection_dim": 16},
        "mask_network": {"width": 8},
        "pretrain": {"epochs": 4, "batch": 8},
        "methods": {"m": {"masks": "published"} | (method or {})},
    }
    return check(content | changes, where="reference").of("m")


def training(batches: Batches, rule: Config) -> Training:
    return _assemble.training(rule, rule.methods["m"], batches=batches, rows=np.arange(32), seed=1)


def facts(batches: Batches, rule: Config) -> dict[str, Any]:
    split = _splits.splits(
        check(rule.model_dump() | {"split": {"kind": "patients"}}, where="x"), batches.store
    )
    return _assemble.pretraining_facts(rule, rule.methods["m"], store=batches.store, split=split[0], seed=0)


CHOICES = [
    ("published", "scaling", "batch"),
    ("published", "spared", 0.2),
    ("pretrain", "schedule", "constant"),
    ("pretrain", "warmup", 0.0),
    ("pretrain", "clip", 0.5),
    ("mask_network", "applied", "all"),
]


@pytest.mark.parametrize(("section", "key", "value"), CHOICES)
def test_a_choice_counts_in_a_runs_identity_and_nothing_else_does(
    batches: Batches, section: str, key: str, value: Any
) -> None:
    plain, own = facts(batches, config()), config().model_dump()[section] | {key: value}
    made = facts(batches, config(**{section: own}))
    assert plain[section][key] != made[section][key] == value
    drop = {key, "spared_by"}
    assert {k: v for k, v in made[section].items() if k not in drop} == {
        k: v for k, v in plain[section].items() if k not in drop
    }
    assert {k: v for k, v in made.items() if k != section} == {k: v for k, v in plain.items() if k != section}


def test_how_leads_are_spared_counts_only_where_some_are(batches: Batches) -> None:
    by_batch = {"spared_by": "batch"}
    assert facts(batches, config(published=by_batch)) == facts(batches, config())  # set for all, and idle
    spared = facts(batches, config(published=by_batch | {"spared": 0.2}))["published"]
    assert spared["spared_by"] == "batch"


def test_the_band_of_noise_counts_only_where_noise_decides(batches: Batches) -> None:
    assert "band_hz" not in facts(batches, config())["masks"]
    assert facts(batches, config({"masks": "noise"}))["masks"]["band_hz"] == [0.5, 2.0]


@pytest.mark.parametrize("switch", [{"finetuning": "no-grad"}, {"kept": "last"}])
def test_choices_of_fine_tuning_leave_the_run_and_count_in_its_cells(
    batches: Batches, switch: dict[str, Any]
) -> None:
    assert facts(batches, config(published=switch)) == facts(batches, config())
    assert as_published(Published(**switch), tuned=True, said=True) == {"published": switch}
    assert as_published(Published(**switch), tuned=False, said=True) == {}
    assert as_published(Published(), tuned=True, said=False) == {}


def test_a_fresh_encoder_that_is_scaled_is_another_cell() -> None:
    assert as_published(Published(scaling="batch"), tuned=False, said=False)
    assert not as_published(Published(scaling="batch"), tuned=False, said=True)


def test_min_max_is_its_equation() -> None:
    x = torch.randn(3, 12, 50, generator=torch.Generator().manual_seed(0))
    by_record, by_batch = min_max(x, whole_batch=False).numpy(), min_max(x, whole_batch=True).numpy()
    wanted = np.stack([(r - r.min()) / (r.max() - r.min()) for r in x.numpy()])
    np.testing.assert_allclose(by_record, wanted, atol=1e-6)
    np.testing.assert_allclose(by_batch, (x.numpy() - x.numpy().min()) / np.ptp(x.numpy()), atol=1e-6)
    assert not np.allclose(by_record, by_batch, atol=1e-3)
    assert torch.equal(min_max(torch.full((1, 12, 5), 3.0), whole_batch=False), torch.zeros(1, 12, 5))


def seen_by_the_encoder(made: Training) -> list[Tensor]:
    """Both views of a batch as the encoder gets them."""
    found: list[Tensor] = []
    hook = made.game.encoder.register_forward_pre_hook(lambda _, given: found.append(given[0].detach()))
    a, b, draws = made.views(ROWS)
    with torch.no_grad():
        made.game.encoder_loss(a, b, draws)
    hook.remove()
    return found


def test_batch_scaling_is_the_published_order_of_things(batches: Batches) -> None:
    """norm(x) by record for both views; the mask times the second; norm over the whole batch (by hand)."""
    rule = config(masks={"fill": "zero"}, published={"scaling": "batch"})
    made, plain = training(batches, rule), training(batches, config(masks={"fill": "zero"}))
    first, hidden = seen_by_the_encoder(made)
    a, b, draws = plain.views(ROWS)
    norm = [np.stack([(r - r.min()) / np.ptp(r) for r in view.numpy()]) for view in (a, b)]
    np.testing.assert_allclose(first.numpy(), norm[0], atol=1e-6)
    with torch.no_grad():
        mask = made.game.policy(torch.from_numpy(norm[1]), draws).numpy()
    wanted = norm[1] * (1 - mask)
    wanted = (wanted - wanted.min()) / np.ptp(wanted)
    np.testing.assert_allclose(hidden.numpy(), wanted, atol=1e-5)


@pytest.mark.parametrize(("scaling", "influenced"), [("none", False), ("record", False), ("batch", True)])
def test_only_by_batch_do_records_influence_each_other(
    batches: Batches, scaling: str, influenced: bool
) -> None:
    made = training(batches, config(published={"scaling": scaling}))
    _, b, draws = made.views(ROWS)
    quiet = b.clone()
    quiet[1:] *= 0.3
    low = (b > b[0].median()).any(1, keepdim=True).float()  # hides where any lead is high, as a mask may
    views = [made.game._hidden(view, low, draws)[0] for view in (b, quiet)]
    assert torch.equal(*views) is not influenced


def test_batch_scaling_is_idle_while_one_record_shows_its_extremes(batches: Batches) -> None:
    """Why the published fault costs little: scaled by record before, a batch goes from 0 to 1 already."""
    made = training(batches, config(published={"scaling": "batch"}))
    _, b, _ = made.views(ROWS)
    assert torch.equal(made.game.after(b), b)


def test_without_scaling_views_and_steps_are_what_they_were(batches: Batches) -> None:
    """Off to the bit: the switch's default gives the step of a game that was built without it."""
    made = training(batches, config())
    assert made.game.after is None
    encoder = _encoders.encoder(config(), batches.store, seed=1)
    assert not encoder._forward_pre_hooks
    assert _encoders.transferred(config(), encoder) is encoder
    assert _encoders.finetuned(config(), encoder) is encoder
    assert not encoder._forward_pre_hooks
    assert not encoder._forward_hooks


def test_a_scaled_encoder_does_not_see_gain_or_offset(batches: Batches) -> None:
    x = batches.millivolts(ROWS)
    net = resnet18(width=8, dim=16, generator=torch.Generator().manual_seed(0)).eval()
    plain = net(x)
    names = list(net.state_dict())
    scaled = taking(copy.deepcopy(net), partial(min_max, whole_batch=False))
    torch.testing.assert_close(scaled(2 * x + 1), scaled(x), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(net(2 * x + 1), plain, rtol=1e-2)  # the control
    assert list(scaled.state_dict()) == names
    tensors = {f"game.encoder.{k}": v for k, v in net.state_dict().items()}
    put_weights(scaled, tensors, where="here")


def test_transfer_of_a_scaled_run_is_scaled(batches: Batches) -> None:
    encoder = _encoders.encoder(config(), batches.store, seed=1).eval()
    x = batches.millivolts(ROWS)
    rule = config(published={"scaling": "record"})
    scaled = _encoders.transferred(rule, copy.deepcopy(encoder))
    torch.testing.assert_close(scaled(x), encoder(min_max(x, whole_batch=False)))


SIGNALS = torch.randn(60, 12, 200, generator=torch.Generator().manual_seed(1))
Y = (SIGNALS[:, 0].mean(-1) > 0).numpy().astype(np.uint8)[:, None]


def tuned(net: nn.Module, **more: Any) -> FinetuneResult:
    rows = np.arange(60)
    return finetune(
        net,
        lambda some: SIGNALS[torch.from_numpy(some)],
        train=(rows[:40], Y[:40]),
        validation=(rows[40:50], Y[40:50]),
        test_rows=rows[50:],
        kind="binary",
        epochs=4,
        batch=8,
        learning_rate=3e-2,
        encoder_scale=1.0,
        seed=0,
        **more,
    )


def small() -> ResNet1d:
    return resnet18(width=8, dim=16, generator=torch.Generator().manual_seed(0))


def test_under_no_grad_only_head_and_statistics_move() -> None:
    net = small()
    held = _encoders.finetuned(config(published={"finetuning": "no-grad"}), net)
    result, control = tuned(held), tuned(net)
    weights = dict(net.named_parameters())
    after = result.encoder.state_dict()
    assert all(torch.equal(after[name], weight) for name, weight in weights.items())
    moved = {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, after[name])}
    assert any("running_mean" in name for name in moved)
    assert result.head[-1].weight.abs().max() > 0.05
    free = control.encoder.state_dict()
    assert not any(torch.equal(free[name], weight) for name, weight in weights.items())
    assert not net._forward_hooks


def test_a_no_grad_encoder_gives_the_same_features() -> None:
    net = small().eval()
    assert torch.equal(under_no_grad(copy.deepcopy(net))(SIGNALS), net(SIGNALS))


def test_the_last_epoch_is_kept_when_asked_for() -> None:
    best, last = tuned(small()), tuned(small(), keep="last")
    assert best.history == last.history
    assert best.chosen["epoch"] == int(np.argmin(best.history)) + 1 < 4
    assert last.chosen == {"epoch": 4, "epochs": 4}
    assert not np.array_equal(best.test_scores, last.test_scores)


def published(groups: int, **more: Any) -> PublishedMask:
    net = MaskNet(groups=groups, width=8, fs=100.0, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        net.out.weight.mul_(30)
    return PublishedMask(net, fs=100.0, **more)


@pytest.mark.parametrize("by", ["record", "batch"])
def test_spared_leads_are_left_as_they_are(by: str) -> None:
    x = torch.randn(200, 12, 200, generator=torch.Generator().manual_seed(0))
    chance = lambda: Draws.of(0, "mask", rows=range(200))  # noqa: E731
    with torch.no_grad():
        whole = published(2)(x, chance())
        mask = published(2, spared=0.25, spared_by=by)(x, chance())
    left = (mask == 0).all(-1)
    assert torch.equal(mask[~left], whole.expand_as(mask)[~left])
    if by == "batch":
        assert (left == left[0]).all()
    else:
        assert float(left.float().mean()) == pytest.approx(0.25, abs=0.03)
        assert not (left == left[0]).all()


def test_a_published_mask_a_lead_is_a_sigmoid_a_lead_and_all_are_applied() -> None:
    x = torch.randn(4, 12, 200, generator=torch.Generator().manual_seed(0))
    policy = published(12, per_lead=True)
    logits = policy.logits(x)
    soft = nn.functional.interpolate(torch.sigmoid(logits), size=200, mode="linear")
    drawn = policy.draw(x, Draws.of(0, "mask", rows=range(4)))
    torch.testing.assert_close(drawn.mask, torch.sigmoid(50 * (soft - 0.5)))
    penalty = policy.own_loss(drawn, torch.zeros(4))
    wanted = 0.1 * (1 / np.sin(np.pi * soft.detach().numpy().mean(-1))).mean(0).sum()
    assert penalty.item() == pytest.approx(float(wanted), rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": {"leads": "cells"}}, "needs `leads`"),
        ({"method": {"leads": "per-lead"}, "mask_network": {"rivals": 2}}, "published masks a lead take no"),
        ({"method": {"leads": "per-lead"}, "published": {"spared": 0.1}}, "published masks a lead take no"),
        ({"masks": {"band_hz": [2.0, 1.0]}}, "must rise"),
        (
            {"method": {"masks": "adversarial", "network": "shuffled"}, "mask_network": {"applied": "all"}},
            "goes with neither",
        ),
    ],
)
def test_choices_that_do_not_fit_are_refused(changes: dict[str, Any], words: str) -> None:
    changes = dict(changes)
    with pytest.raises(ConfigError, match=words):
        config(changes.pop("method", None), **changes)


def test_a_constant_rate_stays_after_the_warm_up(batches: Batches) -> None:
    made = training(
        batches, config(pretrain={"epochs": 4, "batch": 8, "schedule": "constant", "warmup": 0.25})
    )
    rates = [report.learning_rate for report in made.run()]
    assert rates == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3] + [1e-3] * 13)
    falling = [r.learning_rate for r in training(batches, config()).run()]
    assert falling[-1] < 0.1e-3


def test_both_players_are_clipped_at_the_norm_that_is_asked_for(batches: Batches) -> None:
    made = training(batches, config(pretrain={"epochs": 4, "batch": 8, "clip": 0.01}))
    report = made.step()
    for weights, before in (
        (made.encoder.weights, report.encoder_grad),
        (made.masks.weights, report.mask_grad),
    ):
        after = torch.cat([w.grad.flatten() for w in weights if w.grad is not None]).norm()
        assert float(after) == pytest.approx(min(before, 0.01), rel=1e-3)


def test_gradients_stay_as_they_are_without_clipping(batches: Batches) -> None:
    made = training(
        batches, config(pretrain={"epochs": 4, "batch": 8, "clip": 0.0}, published={"alpha": 50.0})
    )
    report = made.step()
    assert report.encoder_grad > 1
    for weights, before in (
        (made.encoder.weights, report.encoder_grad),
        (made.masks.weights, report.mask_grad),
    ):
        after = torch.cat([w.grad.flatten() for w in weights if w.grad is not None]).norm()
        assert float(after) == pytest.approx(before, rel=1e-5)
    assert made.masks.rule.clip == math.inf


@pytest.mark.parametrize("masks", ["adversarial", "published"])
def test_all_rivals_are_applied_and_their_losses_averaged(batches: Batches, masks: str) -> None:
    network = {"width": 8, "rivals": 3}
    rules = [
        config({"masks": masks}, mask_network=network | {"applied": applied}) for applied in ("all", "one")
    ]
    made, control = (training(batches, rule) for rule in rules)
    a, b, draws = made.views(ROWS)
    game = made.game
    drawn = game.policy.draw_all(b, copy.copy(draws))
    assert len(drawn) == 3
    assert len(control.game.policy.draw_all(b, copy.copy(draws))) == 1
    losses = []
    for one in drawn:
        hidden = game.policy.hide(b, one.mask, game.fill, draws)
        z = [game.projection(game.encoder(view)) for view in (a, hidden)]
        from ecglipse.objectives import nt_xent

        losses.append(nt_xent(*z, temperature=game.objective.temperature))
    calls: list[int] = []
    hook = game.encoder.register_forward_hook(lambda *_: calls.append(1))
    played = game.one_pass(a, b, draws)
    hook.remove()
    assert len(calls) == 4  # the first view once, the second under each mask
    torch.testing.assert_close(played.contrast, torch.stack(losses).mean().detach())
    assert played.mask.shape[0] == 3 * len(ROWS)
    played.loss.backward()
    assert all(p.grad is not None for p in game.policy.parameters())


@pytest.mark.parametrize(("key", "value"), [("depth", 3), ("kernel", 3), ("norm", "layer")])
def test_the_form_of_the_mask_network_counts_where_it_is_another(
    batches: Batches, key: str, value: Any
) -> None:
    plain, network = facts(batches, config()), config().mask_network.model_dump()
    assert not {"depth", "kernel", "norm"} & plain["mask_network"].keys()
    own = config(mask_network=network | {key: value})
    made = facts(batches, own)
    assert made == plain | {"mask_network": plain["mask_network"] | {key: value}}
    assert np.isfinite(training(batches, own).step().loss)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [("kernel", 4, "must be odd; is 4"), ("norm", "batch", "'group', 'layer', 'instance' or 'none'")],
)
def test_forms_that_cannot_be_are_refused(key: str, value: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        config(mask_network={key: value})
