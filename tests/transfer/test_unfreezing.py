"""Partial unfreezing and layer-wise rates: what is frozen stays to the bit, the rest moves at its rate."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.models import ENCODERS, encoder
from ecglipse.models.layers import Encoder
from ecglipse.seeding import numpy_rng
from ecglipse.transfer import finetune as module
from ecglipse.transfer.finetune import FinetuneResult, finetune
from ecglipse.transfer.unfreezing import Stage, moving, paced, stages

every = pytest.mark.parametrize("name", list(ENCODERS))
Y = (np.arange(40) % 2).astype(np.uint8)[:, None]
SIGNALS = torch.randn(40, 12, 400, generator=torch.Generator().manual_seed(1)) + 0.3
ROWS = np.arange(40)


def signals(rows: np.ndarray) -> Tensor:
    return SIGNALS[torch.from_numpy(rows)]


def small(name: str) -> Encoder:
    return encoder(name, leads=12, width=8, dim=6, generator=torch.Generator().manual_seed(0))


def tune(net: nn.Module, **changes: object) -> FinetuneResult:
    settings = {
        "train": (ROWS[:24], Y[:24]),
        "validation": (ROWS[24:32], Y[24:32]),
        "test_rows": ROWS[32:],
        "kind": "binary",
        "epochs": 1,
        "batch": 8,
        "learning_rate": 1e-2,
        "encoder_scale": 0.5,
        "seed": 0,
    }
    return finetune(net, signals, **{**settings, **changes})


def tensors(stage: Stage) -> list[Tensor]:
    """Weights and statistics of a stage."""
    return [tensor for part in stage for tensor in part.state_dict().values()]


def moved(before: Stage, after: Stage) -> list[bool]:
    pairs = zip(tensors(before), tensors(after), strict=True)
    return [not torch.equal(a, b) for a, b in pairs]


@every
def test_stages_hold_every_tensor_once_and_follow_each_other(name: str) -> None:
    net = small(name)
    found = [tensor.data_ptr() for stage in stages(net) for tensor in tensors(stage)]
    assert sorted(found) == sorted(tensor.data_ptr() for tensor in net.state_dict().values())
    assert len(set(found)) == len(found)
    order: list[int] = []
    for number, stage in enumerate(stages(net)):
        for part in stage:
            part.register_forward_hook(lambda *_, n=number: order.append(n))
    net(SIGNALS[:2])
    assert order == sorted(order)
    assert set(order) == set(range(len(stages(net))))


@every
@pytest.mark.parametrize("unfrozen", [0, 1, 3])
def test_frozen_stages_stay_to_the_bit_and_the_others_move(name: str, unfrozen: int) -> None:
    net = small(name)
    tuned = tune(net, unfrozen=unfrozen).encoder
    before, after = stages(net), stages(tuned)
    cut = len(before) - unfrozen
    for old, new in zip(before[:cut], after[:cut], strict=True):
        assert not any(moved(old, new))
    for old, new in zip(before[cut:], after[cut:], strict=True):
        assert any(moved(old, new))
        counted = [t for part in new for n, t in part.named_buffers() if n.endswith("batches_tracked")]
        assert all(int(count) == 3 for count in counted)  # three steps of eight records
    assert all(weight.requires_grad for weight in tuned.parameters())
    assert not tuned.training


@every
def test_by_default_every_stage_moves(name: str) -> None:
    net = small(name)
    pairs = zip(stages(net), stages(tune(net).encoder), strict=True)
    assert all(any(moved(old, new)) for old, new in pairs)


@every
def test_rates_are_as_the_formula_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adam's first step is its rate in every coordinate with a gradient that is not small."""
    monkeypatch.setattr(module, "_rate", lambda step, steps: 1.0)
    net = small(name)
    tuned = tune(net, rate_decay=0.25, batch=24, weight_decay=0.0).encoder
    n = len(stages(net))
    for number, (old, new) in enumerate(zip(stages(net), stages(tuned), strict=True), start=1):
        weights = zip(
            (w for part in old for w in part.parameters()),
            (w for part in new for w in part.parameters()),
            strict=True,
        )
        step = max(float((a.detach().double() - b.detach().double()).abs().max()) for a, b in weights)
        assert step == pytest.approx(1e-2 * 0.5 * 0.25 ** (n - number), rel=2e-2)


def test_paced_gives_the_formula_and_every_weight_once() -> None:
    net = small("resnet18")
    groups = paced(stages(net), peak=0.3, decay=0.5)
    assert [group["peak"] for group in groups] == [0.3 * 0.5**k for k in range(5, -1, -1)]
    assert sum(len(group["params"]) for group in groups) == len(list(net.parameters()))
    kept, moving_ = moving(net, unfrozen=2)
    assert (len(kept), len(moving_)) == (4, 2)
    assert [group["peak"] for group in paced(moving_, peak=0.3, decay=0.5)] == [0.15, 0.3]


@every
def test_default_equals_one_rate_for_all_by_hand_to_the_bit(name: str) -> None:
    """The loop as it was before stages had rates: one group for the encoder, one for the head."""
    net = small(name)
    found = tune(net)
    by_hand, head = small(name), module._head(net, 1, 0, hidden=None)
    optimiser = torch.optim.AdamW(
        [
            {"params": list(by_hand.parameters()), "peak": 5e-3},
            {"params": list(head.parameters()), "peak": 1e-2},
        ],
        weight_decay=1e-4,
    )
    by_hand.train()
    order = numpy_rng(0, "finetune", 0).permutation(24)
    for step in range(3):
        chosen = order[8 * step : 8 * step + 8]
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * module._rate(step, 3)
        logits = head(by_hand(signals(ROWS[chosen])))
        loss = functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(Y[chosen]).float())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([*by_hand.parameters(), *head.parameters()], 1.0)
        optimiser.step()
    state = found.encoder.state_dict()
    assert all(torch.equal(tensor, state[key]) for key, tensor in by_hand.state_dict().items())
    other = tune(net, rate_decay=0.5).encoder.state_dict()
    assert not all(torch.equal(tensor, other[key]) for key, tensor in state.items())


def test_the_budget_is_the_same_whatever_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps, records and the head's rates do not depend on how much of the encoder moves."""

    def spent(**changes: object) -> list[tuple[int, float]]:
        seen: list[tuple[int, float]] = []
        step: Callable[..., object] = torch.optim.AdamW.step

        def watched(self: torch.optim.AdamW, *given: object) -> object:
            head = self.param_groups[-1]
            seen.append((sum(p.numel() for p in head["params"]), head["lr"]))
            return step(self, *given)

        with monkeypatch.context() as patch:
            patch.setattr(torch.optim.AdamW, "step", watched)
            tune(small("resnet18"), epochs=2, **changes)
        return seen

    usual = spent()
    assert len(usual) == 6
    for changes in ({"unfrozen": 0}, {"unfrozen": 2, "rate_decay": 0.3}, {"encoder_scale": 1.0}):
        assert spent(**changes) == usual


def test_with_no_stage_unfrozen_the_head_alone_learns_and_scores_fit() -> None:
    net = small("resnet18")
    result = tune(net, unfrozen=0, epochs=3)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), result.encoder.parameters(), strict=True))
    with torch.no_grad():
        again = torch.sigmoid(result.head(net.eval()(signals(ROWS[32:])))).numpy()
    np.testing.assert_allclose(result.test_scores, again, atol=1e-6)


@pytest.mark.parametrize("unfrozen", [-1, 6, 7])
def test_no_such_stages_are_refused(unfrozen: int) -> None:
    with pytest.raises(ValueError, match="`unfrozen` must be at least 0 and below the 6 stages"):
        tune(small("resnet18"), unfrozen=unfrozen)


@pytest.mark.parametrize("decay", [0.0, 1.5, float("nan")])
def test_a_decay_that_is_none_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="`decay` must be above 0 and at most 1"):
        tune(small("resnet18"), rate_decay=decay)
