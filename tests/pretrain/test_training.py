"""The loop: schedule, precision, refusal to go on from what is not a number, CUDA where there is one."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecglipse.batches import Batches, epoch_batches, torch_rng
from ecglipse.draws import Draws
from ecglipse.errors import TrainingError
from ecglipse.masks import LearnedMask
from ecglipse.models.heads import Projection
from ecglipse.models.masknet import MaskNet
from ecglipse.models.resnet import resnet18
from ecglipse.pretrain import AdversarialMasking, Player, Training
from ecglipse.store import Store


class Records(Batches):
    """Forty records of noise, in place of a store; `spoil` makes one of them not a number."""

    def __init__(self, device: str = "cpu", *, spoil: bool = False) -> None:
        self.device = torch.device(device)
        self.x = torch.randn(40, 12, 300, generator=torch.Generator().manual_seed(3))
        if spoil:
            self.x[7, 3, 100] = float("nan")

    def millivolts(self, rows: np.ndarray) -> Tensor:
        return self.x[torch.from_numpy(rows)].to(self.device)


def training(records: Batches, **changes: object) -> Training:
    encoder = resnet18(leads=12, width=8, dim=16, generator=torch_rng(0, "encoder"))
    net = MaskNet(groups=12, width=8, fs=100.0, generator=torch_rng(0, "masks"))
    policy = LearnedMask(net, coverage=0.5, segment_s=0.25, fs=100.0)
    head = Projection(16, 32, 8, generator=torch_rng(0, "projection"))
    settings = {
        "view": lambda x, draws: x,
        "seed": 0,
        "epochs": 5,
        "batch": 10,
        "encoder": Player(learning_rate=1e-3),
        "masks": Player(learning_rate=1e-3),
    }
    game = AdversarialMasking(encoder, head, policy).to(records.device)
    return Training(game, records, np.arange(40), **{**settings, **changes})


def test_an_epoch_holds_every_record_once_in_an_order_of_its_own() -> None:
    rows = np.arange(100, 140)
    epochs = [np.concatenate(epoch_batches(rows, batch=10, seed=1, epoch=epoch)) for epoch in (0, 1)]
    assert all(sorted(epoch) == sorted(rows) for epoch in epochs)
    assert not np.array_equal(*epochs)
    again = np.concatenate(epoch_batches(rows, batch=10, seed=1, epoch=0))
    assert np.array_equal(again, epochs[0])
    assert [len(part) for part in epoch_batches(rows, batch=12, seed=1, epoch=0)] == [12, 12, 12]
    assert [len(part) for part in epoch_batches(rows, batch=64, seed=1, epoch=0)] == [40]


def test_rate_rises_then_falls_to_nearly_nothing() -> None:
    run = training(Records(), warmup=0.2)
    rates = [report.learning_rate for report in run.run()]
    assert len(rates) == run.total == 20
    assert rates[:4] == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3, 1e-3])
    assert all(a >= b for a, b in itertools.pairwise(rates[4:]))
    assert rates[-1] < 0.02e-3


def test_a_record_that_is_not_a_number_stops_the_run_before_any_weight_is_touched() -> None:
    run = training(Records(spoil=True), batch=40)
    before = {name: tensor.clone() for name, tensor in run.game.named_parameters()}
    with pytest.raises(TrainingError, match=r"step 1: loss nan.*not a finite number") as caught:
        run.step()
    assert "ecglipse verify" in str(caught.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.game.named_parameters())


def test_bf16_keeps_weights_and_loss_in_float32() -> None:
    run = training(Records(), precision="bf16")
    report = run.step()
    assert math.isfinite(report.loss)
    assert all(parameter.dtype == torch.float32 for parameter in run.game.parameters())
    plain = training(Records()).step()
    assert report.loss == pytest.approx(plain.loss, rel=0.05)
    assert report.loss != plain.loss


def test_refuses_fewer_than_two_records() -> None:
    records = Records()
    run = training(records)
    with pytest.raises(TrainingError, match="needs at least 2 records, found 1"):
        Training(
            run.game,
            records,
            np.arange(1),
            view=lambda x, draws: x,
            seed=0,
            epochs=1,
            batch=2,
            encoder=Player(1e-3),
            masks=Player(1e-3),
        )


def test_learning_under_masks_recognises_records(simulated: Path) -> None:
    """On simulated ECGs, half hidden: from chance, log(2 * 16 - 1), to well below it in sixty steps."""
    store = Store.open(simulated)
    run = Training(
        training(Records()).game,
        Batches(store),
        np.arange(len(store)),
        view=lambda x, draws: x,
        seed=0,
        epochs=6,
        batch=16,
        encoder=Player(3e-3),
        masks=Player(1e-3),
    )
    losses = [report.loss for report in run.run()]
    assert losses[0] > 0.8 * math.log(31)
    assert np.mean(losses[-10:]) < 0.6 * math.log(31)


def test_watching_says_how_the_logits_spread_every_tenth_step() -> None:
    reports = list(training(Records(), epochs=3).run())
    assert [report.spread is not None for report in reports] == [step % 10 == 0 for step in range(12)]
    assert all(report.variation > 0 for report in reports if report.variation is not None)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_plays_on_a_gpu(precision: str) -> None:
    run = training(Records("cuda"), precision=precision)
    first, *_, last = [report.loss for report in run.run()]
    assert last < first
    assert all(parameter.is_cuda for parameter in run.game.parameters())


def test_the_game_stands_alone_in_a_loop_of_ones_own() -> None:
    """The README's use: one backward, two optimisers, no Training."""
    run = training(Records())
    game, x = run.game, Records().millivolts(np.arange(10))
    players = [torch.optim.SGD(module.parameters(), lr=0.1) for module in (game.encoder, game.policy)]
    game.one_pass(x, x, Draws.of(0, "step", rows=range(10))).loss.backward()
    before = [next(module.parameters()).clone() for module in (game.encoder, game.policy)]
    for player in players:
        player.step()
    after = [next(module.parameters()) for module in (game.encoder, game.policy)]
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert isinstance(game, nn.Module)
