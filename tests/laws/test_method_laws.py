"""Laws of every method that a config can name, as the commands assemble it, on simulated ECGs.

Real encoder, real views, real training step: what `test_game_laws.py` shows on a small encoder holds for what
a user runs.
"""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.batches import Batches, epoch_batches
from ecglipse.commands import _assemble, _splits
from ecglipse.config import Config, check
from ecglipse.draws import Draws
from ecglipse.errors import CheckpointError
from ecglipse.leads import einthoven_error
from ecglipse.masks import NoMask
from ecglipse.pretrain import Training
from ecglipse.store import Store

METHODS: dict[str, dict[str, Any]] = {
    "simclr": {},
    "3kg": {"views": "3kg"},
    "3kg-projection": {"views": "3kg-projection"},
    "random-shared": {"masks": "random"},
    "random-per-lead": {"masks": "random", "leads": "per-lead"},
    "random-mixed": {"masks": "random", "leads": "per-lead", "mix_shared": 0.5},
    "adversarial-shared": {"masks": "adversarial"},
    "adversarial-per-lead": {"masks": "adversarial", "leads": "per-lead"},
    "adversarial-decided": {"masks": "adversarial", "leads": "per-lead", "choice": "decided"},
    "adversarial-mixed": {"masks": "adversarial", "leads": "per-lead", "mix_shared": 0.5},
    "adversarial-electrodes": {"masks": "adversarial", "leads": "electrodes"},
    "adversarial-cells": {"masks": "adversarial", "leads": "cells"},
    "adversarial-factorised": {"masks": "adversarial", "leads": "factorised"},
    "adversarial-soft": {"masks": "adversarial", "choice": "soft"},
    "adversarial-rivals": {"masks": "adversarial", "set": {"mask_network.rivals": 3}},
    "adversarial-rivals-all": {
        "masks": "adversarial",
        "set": {"mask_network.rivals": 2, "mask_network.applied": "all"},
    },
    "adversarial-rivals-all-both": {
        "masks": "adversarial",
        "set": {"mask_network.rivals": 2, "mask_network.applied": "all", "masks.both_views": True},
    },
    "adversarial-spectral": {"masks": "adversarial", "domain": "spectral"},
    "adversarial-ally": {"masks": "adversarial", "set": {"mask_network.strength": -0.7}},
    "adversarial-both": {"masks": "adversarial", "set": {"masks.both_views": True}},
    "adversarial-token": {"masks": "adversarial", "set": {"masks.fill": "token", "masks.taper_s": 0.05}},
    "adversarial-pressed": {
        "masks": "adversarial",
        "set": {"mask_network.entropy": 0.3, "mask_network.smooth": 0.3, "mask_network.diversity": 0.3},
    },
    "published": {"masks": "published", "set": {"mask_network.rivals": 2, "masks.fill": "minimum"}},
    "published-per-lead": {"masks": "published", "leads": "per-lead"},
    "predicted": {"masks": "predicted"},
    "noise": {"masks": "noise", "leads": "per-lead"},
    "block": {"masks": "block", "leads": "per-lead"},
    "random-matched": {"masks": "random", "set": {"masks.fill": "matched-noise"}},
    "random-electrodes": {"masks": "random", "leads": "electrodes"},
    "random-cells": {"masks": "random", "leads": "cells"},
    "random-spectral": {"masks": "random", "domain": "spectral"},
    "saliency": {"masks": "saliency", "leads": "per-lead"},
    "qrs": {"masks": "qrs"},
    "t": {"masks": "t"},
    "frozen": {"masks": "adversarial", "network": "frozen"},
    "shuffled": {"masks": "adversarial", "network": "shuffled"},
    "shuffled-spectral": {"masks": "adversarial", "network": "shuffled", "domain": "spectral"},
}
MASKED = [
    name
    for name, rule in METHODS.items()
    if "masks" in rule
    and rule.get("leads") not in ("cells", "electrodes", "factorised")
    and "domain" not in rule
    and rule["masks"] != "published"
    and rule.get("choice") != "soft"
]
"""Those whose coverage is exact in every lead; for the others see tests/masks/test_families.py."""
LEARNED = [
    name
    for name, rule in METHODS.items()
    if rule.get("masks") in ("adversarial", "predicted", "published")
    and rule.get("network", "learning") == "learning"
]


@pytest.fixture(scope="module")
def batches(simulated: Path) -> Batches:
    return Batches(Store.open(simulated))


def config(**changes: Any) -> Config:
    content = {
        "name": "laws",
        "store": "none",
        "out": "none",
        "encoder": {"width": 8, "dim": 16, "projection_hidden": 32, "projection_dim": 16},
        "views": {"noise_mv": 0.02, "wander_mv": 0.05, "powerline_mv": 0.0, "emg_mv": 0.02, "gain": 1.1},
        "mask_network": {"width": 8},
        "pretrain": {"epochs": 4, "batch": 16},
        "methods": METHODS,
    }
    return check(content | changes, where="laws")


def training(batches: Batches, name: str, **changes: Any) -> Training:
    rule = config(**changes).of(name)
    made = _assemble.training(rule, rule.methods[name], batches=batches, rows=np.arange(64), seed=1)
    made.encoder.rule = made.masks.rule = type(made.masks.rule)(1e-3, clip=1e9)  # gradients as they are
    return made


def facts(batches: Batches, name: str) -> dict[str, Any]:
    rule = config(split={"kind": "patients"}).of(name)
    (split,) = _splits.splits(rule, batches.store)
    return _assemble.pretraining_facts(rule, rule.methods[name], store=batches.store, split=split, seed=1)


def gradient(module: torch.nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in module.parameters()])


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize(("accumulate", "every"), [(1, 1), (2, 2)])
def test_one_pass_equals_two_phases(batches: Batches, name: str, accumulate: int, every: int) -> None:
    made = training(
        batches,
        name,
        pretrain={"epochs": 4, "batch": 16, "accumulate": accumulate},
        mask_network={"width": 8, "every": every},
    )
    for _ in range(every - 1):
        made.step()
    twin = copy.deepcopy(made)
    twin.batches, game = batches, twin.game.train()
    parts = epoch_batches(twin.rows, batch=16, seed=1, epoch=twin.done // twin.order.per_epoch)
    start = twin.done % twin.order.per_epoch * accumulate
    wanted = []
    for loss_of in (game.encoder_loss, game.mask_loss):
        game.zero_grad()
        for rows in parts[start : start + accumulate]:
            (loss_of(*twin.views(rows)).loss / accumulate).backward()
        moved, still = (
            (game.encoder, game.policy) if loss_of == game.encoder_loss else (game.policy, game.encoder)
        )
        assert all(p.grad is None for p in still.parameters())
        wanted.append(gradient(moved))
    made.step()
    for module, by_phases in zip((made.game.encoder, made.game.policy), wanted, strict=True):
        assert by_phases.norm() > 1e-6
        assert (gradient(module) - by_phases).norm() < 1e-5 * by_phases.norm()


@pytest.mark.parametrize("name", MASKED)
@pytest.mark.parametrize("coverage", [0.2, 0.5, 0.77])
def test_coverage_is_met_within_one_percent_in_every_record_and_lead(
    batches: Batches, name: str, coverage: float
) -> None:
    made = training(batches, name, masks={"coverage": coverage})
    x = batches.millivolts(np.arange(32))
    with torch.no_grad():
        mask = made.game.policy(x, Draws.of(0, "law", rows=range(len(x))))
    assert (mask.mean(-1) - coverage).abs().max() < 0.01
    removed = float(made.game.policy.removed(mask))
    assert removed < coverage - 0.02 if name == "adversarial-token" else abs(removed - coverage) < 0.01
    assert abs(made.step().coverage - removed) < 0.01


@pytest.mark.parametrize("name", METHODS)
def test_a_records_views_and_mask_do_not_depend_on_its_neighbours(batches: Batches, name: str) -> None:
    made = training(batches, name)
    x = batches.millivolts(np.arange(8))
    others = x.clone()
    others[1:] = others[1:].flip(0) * 3
    a, b = (made.view(signals, Draws.of(0, "view", rows=range(8))) for signals in (x, others))
    assert torch.equal(a[0], b[0])
    assert not torch.equal(a[1], b[1])
    with torch.no_grad():
        m, n = (made.game.policy(signals, Draws.of(0, "mask", rows=range(8))) for signals in (x, others))
    assert torch.equal(m[0], n[0])


@pytest.mark.parametrize("name", METHODS)
def test_two_views_of_a_record_differ_and_repeat_by_epoch(batches: Batches, name: str) -> None:
    made = training(batches, name)
    a, b, _ = made.views(np.arange(8))
    again = made.views(np.arange(8))
    assert torch.equal(a, again[0])
    assert torch.equal(b, again[1])
    assert not torch.equal(a, b)
    made.done += made.order.per_epoch
    assert not torch.equal(a, made.views(np.arange(8))[0])


def test_base_views_keep_lead_algebra_and_hide_nothing(batches: Batches) -> None:
    made = training(batches, "simclr")
    x = batches.millivolts(np.arange(32))
    view = made.view(x, Draws.of(0, "view", rows=range(len(x))))
    rounding = einthoven_error(x.numpy()).max()
    assert einthoven_error(view.numpy()).max() < 1.2 * rounding + 1e-5
    noise = (view - x)[0]
    assert len({round(float(lead.std()), 6) for lead in noise}) == 12
    assert isinstance(made.game.policy, NoMask)
    assert made.step().coverage == 0


@pytest.mark.parametrize("name", METHODS)
def test_encoder_learns_and_only_learned_masks_move(batches: Batches, name: str) -> None:
    made = training(batches, name)
    before = {k: v.clone() for k, v in made.game.state_dict().items()}
    for _ in range(2):
        made.step()
    moved = {k for k, v in made.game.state_dict().items() if not torch.equal(before[k], v)}
    assert {k for k, _ in made.game.named_parameters() if k.startswith("encoder")} <= moved
    weights = {k for k, p in made.game.named_parameters() if k.startswith("policy")}
    assert bool(weights) == (name in [*LEARNED, "frozen", "shuffled", "shuffled-spectral"])
    assert not weights & moved if name == "frozen" else weights <= moved


def test_all_methods_of_a_seed_start_from_the_same_encoder(batches: Batches) -> None:
    games = [training(batches, name).game for name in METHODS]
    first = games[0].encoder.state_dict()
    for game in games[1:]:
        assert all(torch.equal(first[k], v) for k, v in game.encoder.state_dict().items())


def test_an_ally_gets_the_opposite_gradient_of_an_adversary(batches: Batches) -> None:
    adversary, ally = (
        training(batches, "adversarial-shared", mask_network={"width": 8, "strength": strength})
        for strength in (1.0, -1.0)
    )
    found = []
    for made in (adversary, ally):
        made.step()
        found.append(gradient(made.game.policy))
    assert torch.equal(found[0], -found[1])


def test_the_published_gradient_cancels_itself_and_the_watch_says_so(batches: Batches) -> None:
    found, looks = [], []
    for gradient_of in ("adversarial", "cancelled"):
        made = training(
            batches,
            "published",
            pretrain={"epochs": 10, "batch": 16, "play": "alternating"},
            published={"gradient": gradient_of, "alpha": 0.0},
        )
        made.encoder.rule = type(made.encoder.rule)(1e-9)  # the faster it moves, the less cancels
        reports = [made.step() for _ in range(20)]
        found.append(gradient(made.game.policy).norm())
        looks.append(reports[-1].look)
    assert found[1] < 0.05 * found[0]
    assert not looks[0].alarms
    assert any("does not climb" in alarm for alarm in looks[1].alarms)


def test_a_frozen_network_can_be_another_runs(batches: Batches, tmp_path: Path) -> None:
    from ecglipse.checkpoints import save_checkpoint, write_json

    first = training(batches, "adversarial-per-lead")
    first.step()
    save_checkpoint(tmp_path, *first.state())
    write_json(tmp_path / "config.json", facts(batches, "adversarial-per-lead"))
    methods = METHODS | {
        "taken": {
            "masks": "adversarial",
            "leads": "per-lead",
            "network": "frozen",
            "network_run": str(tmp_path),
        },
        "misfit": {"masks": "adversarial", "network": "frozen", "network_run": str(tmp_path)},
    }
    taken = training(batches, "taken", methods=methods)
    for name, weight in first.game.policy.state_dict().items():
        assert torch.equal(weight, taken.game.policy.state_dict()[name])
    assert not taken.masks.weights
    with pytest.raises(CheckpointError, match="its mask network does not fit"):
        training(batches, "misfit", methods=methods)
    for section, key, value, words in (
        ("mask_network", "frame_hz", 50.0, "mask_network.frame_hz is 25.0 there, 50.0 here"),
        ("mask_network", "norm", "layer", "mask_network.norm is 'group' there, 'layer' here"),
        ("published", "scaling", "record", "published.scaling is 'none' there, 'record' here"),
    ):
        with pytest.raises(CheckpointError, match=words):
            training(
                batches,
                "taken",
                methods=methods,
                **{section: {"width": 8, key: value} if section == "mask_network" else {key: value}},
            )
    for key, value in (("fs", 250.0), ("leads", sorted(batches.store.leads))):
        other = facts(batches, "adversarial-per-lead")
        write_json(tmp_path / "config.json", other | {"input": other["input"] | {key: value}})
        with pytest.raises(CheckpointError, match=f"input.{key} is "):
            training(batches, "taken", methods=methods)
    misplaced = dict(methods["taken"], network_run=str(tmp_path / "nowhere"))
    with pytest.raises(CheckpointError, match="no checkpoint with a mask network"):
        training(batches, "taken", methods=methods | {"taken": misplaced})


def test_extra_views_reach_their_side_and_move_no_draw_of_the_base(batches: Batches) -> None:
    plain = training(batches, "simclr")
    base = config().views.model_dump()
    listed = [{"name": "wander", "amplitude_mv": 0.5, "sides": "second"}]
    more = training(batches, "simclr", views=base | {"extra": listed})
    rows = np.arange(8)
    (a, b, _), (c, d, _) = plain.views(rows), more.views(rows)
    assert torch.equal(a, c)
    added = d - b
    assert added.std() > 0.05
    power = torch.fft.rfft(added).abs().square().mean((0, 1))
    assert power[:6].sum() > 0.9 * power.sum()  # drift of at most 0.5 Hz and nothing else


def test_a_records_views_do_not_depend_on_its_batch(batches: Batches) -> None:
    """The same record in a batch of 64, of 2 and in another order: the same views to rounding, same mask."""
    made = training(batches, "random-per-lead")
    whole, some = made.views(np.arange(64)), made.views(np.array([40, 7]))
    for one, other in zip(whole[:2], some[:2], strict=True):
        torch.testing.assert_close(other, one[[40, 7]], rtol=0, atol=1e-6)
    masks = [made.game.policy(b, drawn) for _, b, drawn in (whole, some)]
    assert torch.equal(masks[1], masks[0][[40, 7]])
