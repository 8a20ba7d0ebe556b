"""Watching: planted faults raise an alarm, healthy runs raise none, and looking changes nothing."""

import copy
import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from ecglipse.batches import Batches, epoch_batches, torch_rng
from ecglipse.draws import Draws
from ecglipse.masks import LearnedMask
from ecglipse.models.heads import Projection
from ecglipse.models.masknet import MaskNet
from ecglipse.models.resnet import resnet18
from ecglipse.objectives import nt_xent
from ecglipse.pretrain import AdversarialMasking, Player, Round, Training
from ecglipse.pretrain.game import _Reverse
from ecglipse.pretrain.watch import Watch, alignment, effective_rank, uniformity


class Beats(Batches):
    """Records with spikes at their own places, in place of a store."""

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        rng = torch.Generator().manual_seed(3)
        self.x = 0.1 * torch.randn(32, 12, 200, generator=rng)
        for record in self.x:
            start = int(torch.randint(5, 40, (1,), generator=rng))
            record[:, start::45] += torch.randn(12, 1, generator=rng) + 1.5

    def millivolts(self, rows: np.ndarray) -> Tensor:
        return self.x[torch.from_numpy(rows)].clone()


def run(seed: int = 0, **changes: object) -> Training:
    encoder = resnet18(leads=12, width=4, dim=16, generator=torch_rng(seed, "e"))
    projection = Projection(16, 32, 16, generator=torch_rng(seed, "p"))
    net = MaskNet(width=8, fs=100.0, generator=torch_rng(seed, "m"))
    policy = LearnedMask(net, coverage=0.5, segment_s=0.1, fs=100.0)
    settings: dict[str, object] = {
        "view": lambda x, draws: x + 0.05 * draws.normal(*x.shape[1:]),
        "seed": seed,
        "epochs": 50,
        "batch": 16,
        "encoder": Player(1e-3),
        "masks": Player(1e-3),
        "look_every": 20,
    }
    game = AdversarialMasking(encoder, projection, policy)
    return Training(game, Beats(), np.arange(32), **{**settings, **changes})


def alarms_of(training: Training, steps: int = 60) -> list[str]:
    found = []
    for _ in range(steps):
        look = training.step().look
        found += list(look.alarms) if look else []
    return found


@pytest.mark.parametrize("play", ["one-pass", "alternating"])
def test_a_healthy_run_is_quiet_and_plays_against_the_encoder(play: str) -> None:
    training = run(play=play)
    looks = [report.look for report in (training.step() for _ in range(60)) if report.look]
    assert len(looks) == 3
    for look in looks:
        assert not look.alarms
        assert look.adversarial > (0.999 if play == "one-pass" else 0.5)
        assert look.own == pytest.approx(1.0, abs=1e-5)
    assert all(0 < look.moved["mask network"] < 1 for look in looks[1:])


def _sign(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ecglipse.pretrain.game._Reverse.backward", staticmethod(lambda ctx, *grads: (grads[0], None))
    )


def _leak(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published fault: the mask network keeps the encoder's gradient and adds its own."""
    game, inner = training.game, training.game.mask_loss

    def leaking(a: Tensor, b: Tensor, draws: Draws, **_: object) -> object:
        again = copy.copy(draws)
        played = inner(a, b, draws)
        if training.leaking:
            mask = game.policy(b, again)
            hidden = game.policy.hide(b, mask, game.fill, again)
            z = [game.projection(game.encoder(view)) for view in (a, hidden)]
            leak = nt_xent(*z, temperature=game.objective.temperature)
            played = type(played)(
                played.loss + 1.5 * leak, played.contrast, played.mask, played.projection, played.first
            )
        return played

    direction = training._adversarial_direction

    def honest(parts: list[np.ndarray]) -> object:
        training.leaking = False
        found = direction(parts)
        training.leaking = True
        return found

    training.play, training.leaking = "alternating", True
    monkeypatch.setattr(game, "mask_loss", leaking)
    monkeypatch.setattr(training, "_adversarial_direction", honest)


def _leak_into_encoder(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mask network's objective is turned round where it should not be: on the hidden view's features."""
    game, reverse = training.game, _Reverse.apply

    def leaking(a: Tensor, b: Tensor, draws: Draws, **_: object) -> Round:
        drawn = game._draw((a, b), draws)
        hidden = game.policy.hide(b, drawn[0][0].mask, game.fill, draws)
        first, second = (game.projection(game.encoder(view)) for view in (a, hidden))
        loss = nt_xent(first, reverse(second, 1.0), temperature=game.objective.temperature)
        return Round(loss, loss.detach(), drawn[0][0].mask.detach(), second.detach(), first.detach())

    monkeypatch.setattr(game, "one_pass", leaking)


def _own_losses_into_encoder(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of what the mask network gains is charged to the encoder as well."""
    game, inner = training.game, training.game.one_pass

    def leaking(a: Tensor, b: Tensor, draws: Draws, **more: object) -> Round:
        played = inner(a, b, copy.copy(draws), **more)
        hidden = game.policy.hide(b, played.mask, game.fill, draws)
        paid = game.projection(game.encoder(hidden)).square().mean()
        return dataclasses.replace(played, loss=played.loss - 5.0 * paid)

    monkeypatch.setattr(game, "one_pass", leaking)


def _no_step(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.masks.optimiser, "step", lambda: None)


def _frozen_encoder(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.encoder.optimiser, "step", lambda: None)


def _covers(share: float) -> Callable[[Training, pytest.MonkeyPatch], None]:
    def plant(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
        from ecglipse.masks import Ramp

        training.game.policy.coverage = Ramp(share, share)

    return plant


def _constant(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = training.game.policy
    fixed = torch.linspace(-1, 1, 20).expand(1, 1, -1)
    monkeypatch.setattr(
        policy, "logits", lambda x: fixed.expand(len(x), -1, -1) + 0 * policy.net.out.weight.sum()
    )


def _collapse(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    training.encoder.rule = Player(0.0)
    last = [m for m in training.game.projection.modules() if isinstance(m, torch.nn.Linear)][-1]
    with torch.no_grad():
        last.weight[1:] = 0  # all projections on one line
        if last.bias is not None:
            last.bias.zero_()


FAULTS = {
    "sign": (_sign, "does not climb the encoder's loss"),
    "leak": (_leak, "does not climb the encoder's loss"),
    "reversed encoder": (_leak_into_encoder, "something else than its own loss reaches the encoder"),
    "mask network's pay": (_own_losses_into_encoder, "the mask network's objective may leak into it"),
    "no step": (_no_step, "the mask network has not moved"),
    "frozen encoder": (_frozen_encoder, "the encoder has not moved"),
    "hides nothing": (_covers(0.0), "0% of the signal is hidden"),
    "hides all": (_covers(1.0), "100% of the signal is hidden"),
    "the same mask for all": (_constant, "every record gets the same mask"),
    "collapsed features": (_collapse, "the projections have collapsed"),
}


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, words = FAULTS[name]
    training = run()
    plant(training, monkeypatch)
    assert any(words in alarm for alarm in alarms_of(training))


@pytest.mark.parametrize(("every", "steps"), [(3, [21, 42, 60]), (25, [25, 50])])
def test_a_look_waits_for_the_mask_network_to_play(every: int, steps: list[int]) -> None:
    """Regression: the first cosine came late, and a look in which the network had not played was an alarm."""
    training = run(mask_every=every)
    looked = {report.step: report.look for report in (training.step() for _ in range(60)) if report.look}
    assert list(looked) == steps
    for look in looked.values():
        assert look.adversarial > 0.999
        assert not look.alarms


@pytest.mark.parametrize("every", [1, 3, 7, 200, 300])
def test_a_look_is_in_the_first_playing_step_from_when_it_is_due(every: int) -> None:
    asked = [step for step in range(1, 1201) if step == 20 or step % 200 == 0]
    wanted = {-(-step // every) * every for step in asked}
    watch = Watch()
    assert {s for s in range(1, 1201) if watch.due(s, stride=every)} == {s for s in wanted if s <= 1200}


def test_the_ratio_of_the_players_is_that_of_their_gradients() -> None:
    training = run(mask_every=2)
    reports = [training.step() for _ in range(20)]
    for report in reports:
        wanted = None if report.step % 2 else pytest.approx(report.mask_grad / report.encoder_grad)
        assert report.ratio == wanted
    assert reports[-1].look.ratio == pytest.approx(reports[-1].ratio)


def test_the_order_of_an_epoch_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from ecglipse.pretrain import order as module

    made: list[int] = []

    def counting(*args: object, epoch: int, **more: object) -> object:
        made.append(epoch)
        return epoch_batches(*args, epoch=epoch, **more)

    monkeypatch.setattr(module, "epoch_batches", counting)
    training = run()
    for step in range(6):
        (part,) = training.parts()
        whole = epoch_batches(training.rows, batch=16, seed=0, epoch=step // 2)
        assert np.array_equal(part.rows, whole[step % 2])
        assert part.epoch == step // 2
        training.step()
    assert made == [0, 1, 2]


def test_looking_changes_nothing() -> None:
    seen, unseen = run(look_every=20), run(look_every=20)
    unseen.watch = Watch(first=10**9)
    for _ in range(41):
        seen.step()
        unseen.step()
    for name, tensor in seen.game.state_dict().items():
        assert torch.equal(tensor, unseen.game.state_dict()[name]), name


def test_a_resumed_run_looks_on() -> None:
    training = run()
    for _ in range(30):
        training.step()
    again = run()
    again.load(*copy.deepcopy(training.state()))
    assert alarms_of(again, 30) == []


def test_a_frozen_player_is_noticed_in_a_run_that_is_stopped_often(monkeypatch: pytest.MonkeyPatch) -> None:
    training, found = run(), []
    for _ in range(4):  # stopped after each fifteen steps, so that no two looks are in one life
        _no_step(training, monkeypatch)
        found += alarms_of(training, 15)
        again = run()
        again.load(*copy.deepcopy(training.state()))
        training = again
    assert any("mask network has not moved" in alarm for alarm in found)


def test_measures_have_their_closed_forms() -> None:
    eye = torch.eye(8)
    assert alignment(eye, eye) == pytest.approx(0.0)
    assert alignment(eye, -eye) == pytest.approx(4.0)
    assert alignment(eye, eye.roll(1, 0)) == pytest.approx(2.0)
    assert uniformity(eye[:1].expand(5, -1).contiguous()) == pytest.approx(0.0, abs=1e-6)
    assert uniformity(eye) == pytest.approx(-4.0)  # all at squared distance 2
    assert effective_rank(eye) == pytest.approx(7.0, rel=1e-4)  # centring takes one away
    assert (
        effective_rank(torch.randn(50, 1, generator=torch.Generator().manual_seed(0)) * torch.ones(1, 6))
        < 1.01
    )
