"""Laws of every objective and pair, on the real encoder and training step, as the commands assemble them."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.batches import Batches, epoch_batches
from ecglipse.commands import _assemble, _stores
from ecglipse.config import check
from ecglipse.draws import Draws
from ecglipse.masks import Drawn, MaskPolicy
from ecglipse.pretrain import Training
from ecglipse.store import Store

OBJECTIVES = ("nt-xent", "clocs", "vicreg", "byol", "simsiam", "moco")
PAIRS = ("records", "segments", "crops", "leads", "segments-leads")
GRID = [(name, "records") for name in OBJECTIVES] + [("clocs", pairs) for pairs in PAIRS[1:]]
TARGETED = ("byol", "moco")


class Short(Batches):
    """The first three seconds of each record, so that the tests are quick."""

    def millivolts(self, rows: np.ndarray) -> Tensor:
        return super().millivolts(rows)[..., :300]


@pytest.fixture(scope="module")
def batches(simulated: Path) -> Batches:
    return Short(Store.open(simulated))


def training(batches: Batches, objective: str, pairs: str = "records", **changes: Any) -> Training:
    """A run with learned masks; gradients are left as they are (no clipping)."""
    method = {"masks": "adversarial", "leads": "per-lead", "objective": objective, "pairs": pairs}
    pretrain = {"epochs": 4, "batch": 16} | changes.pop("pretrain", {})
    content = {
        "name": "laws",
        "store": "none",
        "out": "none",
        "encoder": {"width": 8, "dim": 16, "projection_hidden": 32, "projection_dim": 16},
        "mask_network": {"width": 8},
        "objective": {"queue": 24, "predictor_hidden": 16, "momentum": 0.9},
        "methods": {"m": method},
    }
    rule = check(content | {"pretrain": pretrain} | changes, where="laws")
    rule = rule.of("m")
    made = _assemble.training(rule, rule.methods["m"], batches=batches, rows=np.arange(64), seed=1)
    made.encoder.rule = made.masks.rule = type(made.masks.rule)(1e-3, clip=1e9)
    return made


def twin_of(made: Training) -> Training:
    twin = copy.deepcopy(made)
    twin.batches = made.batches
    twin.game.train()
    return twin


def gradient(weights: list[torch.nn.Parameter]) -> Tensor:
    return torch.cat([w.grad.flatten() for w in weights])


def state(made: Training) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in made.state()[0].items()}


def passes(twin: Training, loss_of: Any) -> None:
    """Gradients of the present step, from passes of their own."""
    twin.game.zero_grad()
    parts = twin.parts()
    for part in parts:
        played = loss_of(*twin.views(part.rows), patients=twin.patients(part.rows))
        (played.loss / len(parts)).backward()


@pytest.mark.parametrize(("objective", "pairs"), GRID)
def test_one_pass_equals_two_phases(batches: Batches, objective: str, pairs: str) -> None:
    made = training(batches, objective, pairs, pretrain={"accumulate": 2})
    made.step()  # so that queue, target and moments are no longer as they began
    twin = twin_of(made)
    passes(twin, twin.game.encoder_loss)
    encoder = gradient(twin.encoder.weights)
    assert all(w.grad is None for w in twin.masks.weights)
    passes(twin, twin.game.mask_loss)
    masks = gradient(twin.masks.weights)
    assert all(w.grad is None for w in twin.encoder.weights)
    made.step()
    assert masks.norm() > 1e-7
    assert (gradient(made.encoder.weights) - encoder).norm() < 1e-5 * encoder.norm()
    assert (gradient(made.masks.weights) - masks).norm() < 1e-5 * masks.norm()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_mask_phase_moves_nothing_and_no_pass_moves_what_is_remembered(
    batches: Batches, objective: str
) -> None:
    made = training(batches, objective)
    made.step()
    made.game.train()
    before = state(made)
    rows = np.arange(16)
    views, patients = made.views(rows), made.patients(rows)
    made.game.mask_loss(*views, patients=patients).loss.backward()
    assert all(torch.equal(tensor, before[name]) for name, tensor in state(made).items())
    made.game.zero_grad()
    made.game.one_pass(*views, patients=patients).loss.backward()
    remembered = [name for name in before if "target" in name or name.startswith("game.objective.queue")]
    assert bool(remembered) == (objective in TARGETED)
    after = state(made)
    assert all(torch.equal(after[name], before[name]) for name in remembered)
    assert all(w.grad is None for w in ([] if made.game.target is None else made.game.target.parameters()))
    made.step()
    assert all(not torch.equal(state(made)[name], before[name]) for name in remembered)


class Shade(MaskPolicy):
    """A mask whose gradient is exact, which that of `LearnedMask` is not: there it keeps the coverage."""

    def __init__(self) -> None:
        super().__init__()
        weight = torch.randn(12, 12, 9, generator=torch.Generator().manual_seed(0))
        self.weight = torch.nn.Parameter(0.3 * weight)

    def draw(self, x: Tensor, draws: Draws) -> Drawn:
        return Drawn(torch.sigmoid(torch.nn.functional.conv1d(x, self.weight, padding=4)))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_mask_step_raises_the_loss_and_an_encoder_step_lowers_it(batches: Batches, objective: str) -> None:
    """The slope of the loss along each player's own step, with what is stopped held still."""
    for moving, sign in (("masks", 1), ("encoder", -1)):
        made = training(batches, objective)
        made.game.policy = Shade()
        made.masks.weights[:] = made.game.policy.parameters()
        made.masks.optimiser = None
        made.step()
        twin = twin_of(made)
        loss_of = twin.game.mask_loss if moving == "masks" else twin.game.encoder_loss
        passes(twin, loss_of)
        weights = twin.masks.weights if moving == "masks" else twin.encoder.weights
        slope = float(gradient(weights).norm())
        losses = []
        for rate in (4e-4, -8e-4):  # forward, then back behind the start
            with torch.no_grad():
                for weight in weights:
                    weight -= rate / slope * weight.grad
            losses.append(_loss(twin, made))
        assert sign * (losses[0] - losses[1]) / 8e-4 == pytest.approx(slope, rel=0.1), moving


def _loss(twin: Training, fixed: Training) -> float:
    """The present batch's loss; for SimSiam what is stopped comes from the weights of `fixed`."""
    rows = twin.parts()[0].rows
    a, b, generator = twin.views(rows)
    with torch.no_grad():
        if twin.game.objective.__class__.__name__ != "SimSiam":
            return float(twin.game.encoder_loss(a, b, generator, patients=twin.patients(rows)).loss)
        still = twin_of(fixed)
        kept: list[Tensor] = []
        for game in (still.game, twin.game):
            mask = game.policy(b, twin.views(rows)[2])
            hidden = game.policy.hide(b, mask, game.fill, generator)
            kept += [game.projection(game.encoder(view)) for view in (a, hidden)]
        za, zb, a_now, b_now = kept
        q, cosine = twin.game.objective.predictor, torch.nn.functional.cosine_similarity
        return float(-cosine(q(a_now), zb).mean() / 2 - cosine(q(b_now), za).mean() / 2)


@pytest.mark.parametrize(
    ("objective", "play"),
    [("simsiam", "one-pass"), ("moco", "one-pass"), ("byol", "one-pass"), ("byol", "alternating")],
)
def test_a_loaded_state_plays_on_to_the_bit(batches: Batches, objective: str, play: str) -> None:
    changes = {"pretrain": {"play": play, "accumulate": 2, "ema": 0.8}}
    straight, stopped, resumed = (training(batches, objective, **changes) for _ in range(3))
    for _ in range(3):
        straight.step()
    for _ in range(2):
        stopped.step()
    resumed.step()  # a trace of something else, to be overwritten
    tensors, counters = stopped.state()
    resumed.load({name: tensor.clone() for name, tensor in tensors.items()}, counters)
    resumed.step()
    one, other = state(straight), state(resumed)
    assert one.keys() == other.keys()
    assert any(name.startswith("average.") for name in one)
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_is_learnt_without_an_adversary_too(batches: Batches, objective: str) -> None:
    """What a study compares with: the loss falls."""
    content = {"objective": objective}
    made = training(
        batches, objective, methods={"m": content}, pretrain={"epochs": 12 if objective == "moco" else 5}
    )
    losses = [report.loss for report in made.run()]
    start = 2 if objective == "moco" else 0  # the queue is full by then, and recognising as hard as later
    assert np.mean(losses[-4:]) < np.mean(losses[start : start + 4])


def test_the_target_follows_the_encoder_by_its_momentum(batches: Batches) -> None:
    made = training(batches, "moco")
    before, online = made.game.target.copy.state_dict(), made.game
    before = {name: tensor.clone() for name, tensor in before.items()}
    made.step()
    now = torch.nn.Sequential(online.encoder, online.projection).state_dict()
    for name, tensor in made.game.target.copy.state_dict().items():
        wanted = 0.9 * before[name] + 0.1 * now[name] if tensor.is_floating_point() else now[name]
        torch.testing.assert_close(tensor, wanted, rtol=1e-5, atol=1e-7)


def test_the_average_follows_the_encoder_and_moves_nothing_else(batches: Batches) -> None:
    averaged, plain = (training(batches, "nt-xent", pretrain={"ema": ema}) for ema in (0.75, 0.0))
    wanted = {name: tensor.clone() for name, tensor in averaged.game.encoder.state_dict().items()}
    for _ in range(3):
        averaged.step()
        plain.step()
        for name, tensor in plain.game.encoder.state_dict().items():
            wanted[name] = (
                0.75 * wanted[name] + 0.25 * tensor if tensor.is_floating_point() else tensor.clone()
            )
    for name, tensor in averaged.average.copy.state_dict().items():
        torch.testing.assert_close(tensor, wanted[name], rtol=1e-5, atol=1e-7)
    one, other = averaged.game.state_dict(), plain.game.state_dict()
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


FAMILIES: dict[str, dict[str, Any]] = {
    "adversarial": {"masks": "adversarial", "mix_shared": 0.5, "leads": "per-lead"},
    "electrodes": {"masks": "adversarial", "leads": "electrodes"},
    "spectral": {"masks": "adversarial", "domain": "spectral"},
    "shuffled": {"masks": "adversarial", "network": "shuffled"},
    "both": {"masks": "adversarial", "set": {"masks.both_views": True, "masks.fill": "token"}},
    "predicted": {"masks": "predicted"},
    "saliency": {"masks": "saliency"},
    "published": {"masks": "published"},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_mask_plays_with_every_objective(batches: Batches, family: str) -> None:
    """Two steps each: encoder and mask network move, the loss is a number, something is hidden."""
    for objective, pairs in zip(OBJECTIVES, (*PAIRS, *PAIRS), strict=False):
        rule = FAMILIES[family] | {"objective": objective, "pairs": pairs}
        made = training(batches, objective, methods={"m": rule})
        before = state(made)
        reports = [made.step(), made.step()]
        after = state(made)
        assert all(np.isfinite(report.loss) for report in reports), objective
        assert 0.05 < reports[-1].coverage < 0.95, objective
        players = ["encoder", "policy"] if made.masks.weights else ["encoder"]
        for player in players:
            names = [n for n, _ in made.game.named_parameters() if n.startswith(player)]
            moved = [n for n in names if not torch.equal(before[f"game.{n}"], after[f"game.{n}"])]
            assert len(moved) > len(names) // 2, (objective, player)


def test_records_of_a_patient_share_a_batch_where_patients_count(batches: Batches) -> None:
    made, plain = training(batches, "clocs"), training(batches, "nt-xent")
    codes = _stores.patients([batches.store])
    table = batches.store.table["patient_id"]
    assert len(np.unique(codes)) == table.nunique()
    assert all(codes[i] == codes[j] for i in range(40) for j in range(40) if table[i] == table[j])

    def pairs_of(run: Training) -> int:
        rows = run.parts()[0].rows
        same = codes[rows][:, None] == codes[rows][None, :]
        return int((same.sum() - len(rows)) // 2)

    assert pairs_of(made) >= 6
    assert pairs_of(plain) < 4
    rows = np.arange(90, 154)
    order = [
        np.concatenate(epoch_batches(rows, batch=16, seed=1, epoch=e, together=codes[rows])) for e in (0, 1)
    ]
    assert all(sorted(part) == sorted(rows) for part in order)
    assert not np.array_equal(*order)
