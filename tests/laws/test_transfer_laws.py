"""Laws of transfer: a probe leaves the encoder as it was, fine-tuning moves all of it."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecglipse.models.resnet import ResNet1d, resnet18
from ecglipse.transfer.features import features
from ecglipse.transfer.finetune import finetune
from ecglipse.transfer.probes import knn_probe, linear_probe

SIGNALS = torch.randn(60, 12, 200, generator=torch.Generator().manual_seed(1))
Y = (SIGNALS[:, 0].mean(-1) > 0).numpy().astype(np.uint8)[:, None]
ROWS = np.arange(60)


def signals(rows: np.ndarray) -> Tensor:
    return SIGNALS[torch.from_numpy(rows)]


def encoder() -> ResNet1d:
    net = resnet18(width=8, dim=16, generator=torch.Generator().manual_seed(0))
    net.train()
    with torch.no_grad():
        net(SIGNALS)  # statistics of its own, so that losing them would show
    return net


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def moved(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def tune(net: nn.Module):
    return finetune(
        net,
        signals,
        train=(ROWS[:40], Y[:40]),
        validation=(ROWS[40:50], Y[40:50]),
        test_rows=ROWS[50:],
        kind="binary",
        epochs=3,
        batch=8,
        learning_rate=1e-2,
        encoder_scale=1.0,
        seed=0,
    )


@pytest.mark.parametrize("training", [True, False])
def test_a_probe_leaves_every_weight_and_buffer_unchanged(training: bool) -> None:
    net = encoder().train(training)
    before = state(net)
    found = features(net, signals, ROWS)
    for probe in (linear_probe, knn_probe):
        probe(found[:40], Y[:40], found[40:50], Y[40:50], found[50:], kind="binary")
    assert moved(before, state(net)) == set()
    assert net.training is training
    assert all(p.grad is None for p in net.parameters())


def test_the_law_notices_an_encoder_left_in_training_mode() -> None:
    """Negative control: features taken in training mode move the BatchNorm statistics."""
    net = encoder()
    before = state(net)
    with torch.no_grad():
        net(SIGNALS)
    assert any("running_mean" in name for name in moved(before, state(net)))


def test_fine_tuning_moves_every_encoder_tensor_and_leaves_the_callers_encoder() -> None:
    net = encoder()
    before = state(net)
    result = tune(net)
    assert moved(before, state(net)) == set()
    assert moved(before, state(result.encoder)) == set(before)


def test_the_law_notices_an_encoder_run_under_no_grad() -> None:
    """Negative control: the published fault, after which only the statistics move."""

    class Frozen(nn.Module):
        def __init__(self, inner: ResNet1d) -> None:
            super().__init__()
            self.inner, self.dim = inner, inner.dim

        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                return self.inner(x)

    net = Frozen(encoder())
    before = state(net)
    after = state(tune(copy.deepcopy(net)).encoder)
    weights = {name for name, _ in net.named_parameters()}
    assert moved(before, after) & weights != weights


def test_features_do_not_depend_on_batch_size_or_neighbours() -> None:
    net = encoder()
    whole, parts = features(net, signals, ROWS, batch=60), features(net, signals, ROWS, batch=7)
    np.testing.assert_allclose(whole, parts, rtol=0, atol=1e-5)
    backwards = features(net, signals, ROWS[::-1].copy(), batch=7)
    np.testing.assert_allclose(backwards[::-1], whole, rtol=0, atol=1e-5)
